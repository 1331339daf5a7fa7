"""The manifest of a bundle: of what, by which rules and with what software its files were made."""

import hashlib
import json
import platform
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, get_args

from iesoresearch.bundles.contents import MANIFEST, SIGNATURE, Contents, refused
from iesoresearch.bundles.sources import Source
from iesoresearch.disclosure import Policy
from iesoresearch.errors import DataError, DisclosureError, ParameterError
from iesoresearch.project import is_site

FORMAT = 1
Sharing = Literal["named", "anonymous", "pooled only"]
_WHAT = "iesoresearch bundle"
_KEYS = {
    *("what", "format", "site", "made", "sharing", "signatures", "policy", "software", "runs"),
    *("frozen", "earlier", "files"),
}
MOST_SIGNATURES = 9


def build(
    sources: Sequence[Source],
    contents: Contents,
    *,
    site: str,
    made: str,
    sharing: Sharing,
    signatures: int,
    policy: Policy,
    frozen: Mapping[str, Any] | None,
    earlier: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    """The manifest of files; only `made` differs between two bundles of the same runs."""
    return {
        "what": _WHAT,
        "format": FORMAT,
        "site": site,
        "made": made,
        "sharing": sharing,
        "signatures": signatures,
        "policy": asdict(policy),
        "software": {
            "iesoresearch": version("iesoresearch"),
            "python": platform.python_version(),
            "platform": f"{platform.system()} {platform.machine()}",
        },
        "runs": {source.name: source.described for source in sources},
        "frozen": None if frozen is None else dict(frozen),
        "earlier": [dict(one) for one in earlier],
        "files": {
            name: {"sha256": sha256(content), "size": len(content)}
            for name, content in sorted(contents.items())
        },
    }


def sha256(content: bytes) -> str:
    """Digest as it is written here."""
    return hashlib.sha256(content).hexdigest()


def text(content: Any) -> bytes:
    """JSON as a bundle holds it: one way to write one content."""
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def parsed(content: bytes) -> Any:
    """JSON that `text` wrote.

    Raises
    ------
    ValueError
        It is none, or is written in another way.
    """
    try:
        found = json.loads(content)
        same = text(found) == content
    except RecursionError:
        same = False
    if not same:
        raise ValueError
    return found


def read(path: Path, contents: Contents) -> tuple[dict[str, Any], Policy]:
    """The manifest of a bundle and the policy it was made under; every file is as it says.

    Raises
    ------
    DataError
        It is damaged, or of a later version of the format.
    DisclosureError
        A file was changed, removed or added.
    """
    try:
        said = parsed(contents[MANIFEST])
        later = said["what"] == _WHAT and type(said["format"]) is int and said["format"] > FORMAT
    except (ValueError, LookupError, TypeError):
        raise _damaged(path) from None
    if later:
        raise DataError(
            f"The bundle {path.name} was written by a later version of iesoresearch. Update yours, "
            "and check it then."
        )
    try:
        policy = _sound(said)
    except (ValueError, LookupError, TypeError, AttributeError):
        raise _damaged(path) from None
    _refuse_senseless(path, policy)
    _refuse_changed(path, said["files"], contents)
    return said, policy


def _refuse_senseless(path: Path, policy: Policy) -> None:
    """A policy must be one that a file could give: else it may protect nobody and look strict."""
    with tempfile.TemporaryDirectory() as work:
        file = Path(work) / "disclosure.yaml"
        file.write_text(json.dumps(asdict(policy)), encoding="utf-8")  # YAML as well
        try:
            Policy.read(file)
        except ParameterError as error:
            why = str(error).partition("policy, ")[2].partition(". Mend")[0]
            raise refused(path, f"its disclosure policy {why}") from None


def _damaged(path: Path) -> DataError:
    return DataError(
        f"{path.name} cannot be read: its {MANIFEST} is damaged or is none. Ask the site that sent "
        "it to send it again."
    )


def _sound(said: dict[str, Any]) -> Policy:
    """The policy of a manifest, all of which is as it must be."""
    policy = Policy(**said["policy"])
    plain = Policy()
    kinds = [(getattr(policy, f.name), type(getattr(plain, f.name))) for f in fields(Policy)]
    sound = (
        said.keys() == _KEYS
        and (said["what"], said["format"]) == (_WHAT, FORMAT)
        and is_site(said["site"])
        and said["sharing"] in get_args(Sharing)
        and type(said["signatures"]) is int
        and 1 <= said["signatures"] <= MOST_SIGNATURES
        and all(type(value) is kind or (kind is float and type(value) is int)
                for value, kind in kinds)
        and isinstance(said["made"], str)
        and all(isinstance(run, dict) for run in said["runs"].values())
        and all(set(one) == {"sha256", "size"} for one in said["files"].values())
        and all({"name", "made", "manifest"} == set(one) for one in said["earlier"])
    )  # fmt: skip
    if not sound:
        raise ValueError
    return policy


def _refuse_changed(path: Path, said: Mapping[str, Any], contents: Contents) -> None:
    there = contents.keys() - {MANIFEST, SIGNATURE}
    problems = [
        *(f"{name} was added" for name in there - said.keys()),
        *(f"{name} was removed" for name in said.keys() - there),
        *(
            f"{name} was changed"
            for name in there & said.keys()
            if said[name] != {"sha256": sha256(contents[name]), "size": len(contents[name])}
        ),
    ]
    if problems:
        raise refused(path, _first(sorted(problems)))


def _first(problems: list[str]) -> str:
    more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
    return ", ".join(problems[:3]) + more


def refuse_looser(path: Path, policy: Policy, least: Policy) -> None:
    """A bundle must be made under rules at least as strict as those of who receives it.

    Raises
    ------
    DisclosureError
        They are looser.
    """
    loose = policy.looser(least)
    if loose:
        both = [f"{n} {getattr(policy, n)} instead of {getattr(least, n)}" for n in loose]
        raise DisclosureError(
            f"The bundle {path.name} is refused: its disclosure policy is looser than yours "
            f"({', '.join(both)}). Ask the site to run it again under your policy, or name the "
            "policy that you agreed on with --policy."
        )


def refuse_other_runs(path: Path, said: Mapping[str, Any], runs: Iterable[str]) -> None:
    """A bundle holds the runs that its manifest describes, and no others.

    Raises
    ------
    DisclosureError
        It does not.
    """
    other = sorted(said["runs"].keys() ^ set(runs))
    if other:
        raise refused(path, f"run {other[0]} is described and not there, or the other way round")
