"""Signatures under a bundle: people who looked at what leaves, and say so with the key of a site.

A signature is over the digest of the manifest, which holds the digest of every file, over what its
signatory states, and over the signatures before it.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from iesoresearch.bundles import examining, manifest
from iesoresearch.bundles.contents import (
    MANIFEST,
    SIGNATURE,
    Contents,
    read,
    refused,
    replace_file,
)
from iesoresearch.bundles.keys import PublicKey, SigningKey
from iesoresearch.bundles.ledger import remember
from iesoresearch.disclosure.findings import Finding
from iesoresearch.errors import DisclosureError, ParameterError

STATEMENT = (
    "I have looked at the disclosure report and at every output of this bundle. It holds "
    "aggregates only, and I release it."
)
_FORMAT = 1


@dataclass(frozen=True)
class Signature:
    """One signature.

    Attributes
    ----------
    name, role
        Of who signs.
    statement
        What they say by it.
    accepted
        By rule with findings that somebody has to look at: why they may pass.
    when
        UTC.
    site, key
        Whose key it is, and its short name.
    manifest
        Digest of what is signed.
    previous
        Digest of the signature before it; empty for the first.
    signature
        Hexadecimal.
    """

    name: str
    role: str
    statement: str
    accepted: dict[str, str]
    when: str
    site: str
    key: str
    manifest: str
    previous: str
    signature: str = ""

    @property
    def message(self) -> bytes:
        """What is signed: everything but the signature itself."""
        said = asdict(self)
        del said["signature"]
        return manifest.text({"what": "iesoresearch signature", **said})

    @property
    def digest(self) -> str:
        """Of the whole, for the next one."""
        return manifest.sha256(manifest.text(asdict(self)))


def sign(
    path: Path,
    key: SigningKey,
    *,
    name: str,
    role: str,
    statement: str = STATEMENT,
    accepted: Mapping[str, str] | None = None,
    when: str | None = None,
    ledger: Path | None = None,
) -> Signature:
    """Sign the bundle at `path`; what it says is looked at again first.

    Parameters
    ----------
    path
        Folder or zip file.
    key
        Of the site that made it.
    name, role, statement
        Who signs, as what, and what for.
    accepted
        By rule: why findings that somebody has to look at may pass.
    when
        UTC; now, unless said otherwise.
    ledger
        Folder in which the site remembers what it has released, before it is signed.

    Raises
    ------
    DisclosureError
        Something was changed since it was made, it must not leave, or a finding is not accepted.
    ParameterError
        The key is another site's, or who signs is not said or has signed already.
    DataError, OutputError
        It cannot be read or written.
    """
    contents = read(path)
    said, policy = manifest.read(path, contents)
    before = stated(path, contents)
    for old in before:
        if old.manifest != manifest.sha256(contents[MANIFEST]):
            raise refused(path, f"its {MANIFEST} was changed since {old.name} signed it")
    _refuse_signatory(said, key, name, role, statement, before)
    judged = examining.judged(path, contents, policy)
    accepted = _accepted(path, [*judged, *examining.recorded(path, contents)], accepted or {})
    unsigned = Signature(
        name=name.strip(),
        role=role.strip(),
        statement=statement.strip(),
        accepted=accepted,
        when=when or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        site=key.public.site,
        key=key.public.id,
        manifest=manifest.sha256(contents[MANIFEST]),
        previous=before[-1].digest if before else "",
    )
    made = Signature(**asdict(unsigned) | {"signature": key.sign(unsigned.message).hex()})
    contents[SIGNATURE] = manifest.text(
        {"format": _FORMAT, "signatures": [asdict(one) for one in [*before, made]]}
    )
    if ledger is not None:
        remember(ledger, contents)
    replace_file(path, contents, SIGNATURE)
    return made


def stated(path: Path, contents: Contents) -> list[Signature]:
    """Signatures as they are written, not yet checked.

    Raises
    ------
    DisclosureError
        They are damaged.
    """
    if SIGNATURE not in contents:
        return []
    try:
        said = manifest.parsed(contents[SIGNATURE])
        if said["format"] != _FORMAT or said.keys() != {"format", "signatures"}:
            raise ValueError
        found = [Signature(**one) for one in said["signatures"]]
        for one in found:
            _refuse_odd(one)
    except (ValueError, LookupError, TypeError, AttributeError):
        raise refused(path, f"its {SIGNATURE} is damaged") from None
    return found


def check(
    path: Path,
    contents: Contents,
    said: Mapping[str, Any],
    trusted: Sequence[PublicKey],
    least: int = 1,
) -> list[Signature]:
    """The signatures of a bundle, each by a trusted key of its site, and as many as there must be.

    There must be as many as it says and at least `least`, of people with different names.

    Raises
    ------
    DisclosureError
        It is not so.
    """
    found, site = stated(path, contents), said["site"]
    if not found:
        raise DisclosureError(
            f"The bundle {path.name} is refused: nobody signed it. Ask site {site} to look at its "
            "disclosure.html and to sign it: iesoresearch sign-bundle"
        )
    previous = ""
    for one in found:
        if (one.manifest, one.site, one.previous) != (
            *(manifest.sha256(contents[MANIFEST]), site, previous),
        ):
            raise refused(path, f"the signature of {one.name!r} belongs to something else")
        keys = [key for key in trusted if key.id == one.key and key.site == site]
        if not keys:
            raise DisclosureError(
                f"The bundle {path.name} is refused: it is signed with the key {one.key} in the "
                f"name of site {site}, which is not among the keys you trust. If it is new, ask "
                "the site for its .pub file and compare the short name by telephone."
            )
        if not keys[0].signed(bytes.fromhex(one.signature), one.message):
            raise refused(path, f"the signature of {one.name!r} is false")
        previous = one.digest
    if len({_person(one.name) for one in found}) < len(found):
        raise refused(path, "somebody signed it twice; a second signature must be somebody else's")
    wanted = max(said["signatures"], least)
    if len(found) < wanted:
        raise DisclosureError(
            f"The bundle {path.name} is refused: {len(found)} of {wanted} signatures "
            f"are there. Ask site {site} to let somebody else look at it and sign it as well."
        )
    return found


def refuse_unaccepted(path: Path, found: Sequence[Finding], signed: Sequence[Signature]) -> None:
    """Everyone who signed must have accepted what somebody has to look at.

    Raises
    ------
    DisclosureError
        Somebody did not.
    """
    rules = dict.fromkeys(one.rule for one in found if one.status == "review")
    for rule in rules:
        for one in signed:
            if not one.accepted.get(rule):
                raise DisclosureError(
                    f"The bundle {path.name} is refused: {rule} has to be looked at, and "
                    f"{one.name!r} did not say why it may pass. Ask site {one.site} to sign it "
                    "with iesoresearch of the same version as yours."
                )


def _person(name: str) -> str:
    """A name without what nobody sees: capitals, spaces, letters of no width or of another form."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in unicodedata.normalize("NFKC", plain) if c.isalnum())


def _refuse_odd(one: Signature) -> None:
    words = [getattr(one, f.name) for f in fields(one) if f.name != "accepted"]
    words += [*one.accepted.keys(), *one.accepted.values()]
    if not all(isinstance(word, str) for word in words):
        raise ValueError
    if bytes.fromhex(one.signature).hex() != one.signature:  # one way to write it
        raise ValueError


def _refuse_signatory(said, key: SigningKey, name, role, statement, before) -> None:
    if key.public.site != said["site"]:
        raise ParameterError(
            f"The bundle is of site {said['site']} and the key of site {key.public.site}. Sign it "
            "with the key of the site that made it."
        )
    if not (name.strip() and role.strip() and statement.strip()):
        raise ParameterError(
            "Who signs a bundle must be known: give --name, --role and a statement that is not "
            "empty."
        )
    if not _person(name):
        raise ParameterError("Who signs a bundle must be known: the --name has no letter.")
    if any(_person(old.name) == _person(name) for old in before):
        raise ParameterError(
            f"{name.strip()} has signed this bundle already. A second signature must be somebody "
            "else's."
        )
    if len(before) >= manifest.MOST_SIGNATURES:
        raise ParameterError(f"A bundle bears at most {manifest.MOST_SIGNATURES} signatures.")


def _accepted(path: Path, found: Sequence[Finding], given: Mapping[str, str]) -> dict[str, str]:
    """Of every rule with findings to be looked at, why they may pass."""
    rules = list(dict.fromkeys(one.rule for one in found if one.status == "review"))
    missing = [rule for rule in rules if not given.get(rule, "").strip()]
    if missing:
        raise DisclosureError(
            f"The bundle {path.name} is not signed: somebody has to look at {', '.join(missing)} "
            "(see its disclosure.html) and say why it may leave: --accept-review “reason”."
        )
    unknown = sorted(given.keys() - set(rules))
    if unknown:
        raise ParameterError(
            f"Nothing has to be looked at for {', '.join(unknown)}; there is "
            f"{', '.join(rules) or 'nothing to accept'}."
        )
    return {rule: given[rule].strip() for rule in rules}
