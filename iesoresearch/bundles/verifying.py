"""Check a bundle where it arrives: untouched, signed by a trusted site, and disclosing nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from iesoresearch.bundles import examining, manifest
from iesoresearch.bundles import signatures as signing
from iesoresearch.bundles.contents import MANIFEST, read
from iesoresearch.bundles.keys import PublicKey
from iesoresearch.bundles.keys import trusted as keys_in
from iesoresearch.bundles.ledger import Released
from iesoresearch.bundles.manifest import Sharing
from iesoresearch.bundles.signatures import Signature
from iesoresearch.disclosure import Policy
from iesoresearch.disclosure.findings import Finding
from iesoresearch.results import Result


@dataclass(frozen=True)
class Bundle:
    """A bundle that was let in.

    Attributes
    ----------
    site
        That signed it.
    manifest
        Of what it was made, see `manifest.build`.
    sharing
        Who may see what: "named", "anonymous" (not whose it is) or "pooled only" (nothing of this
        site by itself).
    results
        By run; released, and read back with all that is declared of them.
    policy
        They were released under.
    signatures
        Who looked at it.
    findings
        What was found here about every output.
    digest
        SHA-256 of the manifest: equal for equal bundles.
    before
        Name of the same bundle, let in before; empty if it is new.
    newer
        Names of bundles of the site that were made after it, and let in before.
    """

    site: str
    manifest: dict[str, Any]
    sharing: Sharing
    results: dict[str, Result]
    policy: Policy = field(default_factory=Policy)
    signatures: list[Signature] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    digest: str = ""
    before: str = ""
    newer: list[str] = field(default_factory=list)


def verify(
    path: Path,
    trusted: Path | Sequence[PublicKey],
    policy: Policy | None = None,
    *,
    signatures: int = 1,
    earlier: Sequence[Released] = (),
) -> Bundle:
    """Let in the bundle at `path`, or say why not.

    Parameters
    ----------
    path
        Folder or zip file.
    trusted
        Public keys, or the file or folder that holds them.
    policy
        The least strict that is let in; as `Policy` is by itself unless given.
    signatures
        The fewest that are let in, whatever the bundle asks for.
    earlier
        Bundles that were let in before; it is compared with those of its site.

    Raises
    ------
    DisclosureError
        It was changed, is not signed by a trusted key, was made under a looser policy, or
        discloses.
    DataError
        It is damaged, is no bundle, or of a later version.
    ParameterError
        There is no key to trust.
    """
    keys = keys_in(trusted) if isinstance(trusted, Path) else list(trusted)
    contents = read(path)
    said, own = manifest.read(path, contents)
    signed = signing.check(path, contents, said, keys, signatures)
    manifest.refuse_looser(path, own, policy or Policy())
    results = examining.results(contents)
    manifest.refuse_other_runs(path, said, results)
    digest = manifest.sha256(contents[MANIFEST])
    of_site = [one for one in earlier if one.site == said["site"]]
    others = [one for one in of_site if one.digest != digest]
    found = examining.judged_results(path, contents, results, own, others)
    signing.refuse_unaccepted(path, [*found, *examining.recorded(path, contents)], signed)
    examining.refuse_other_cover(path, contents, results)
    return Bundle(
        site=said["site"],
        manifest=said,
        sharing=said["sharing"],
        results=results,
        policy=own,
        signatures=signed,
        findings=found,
        digest=digest,
        before=next((one.name for one in of_site if one.digest == digest), ""),
        newer=[one.name for one in others if one.made > said["made"]],
    )
