"""Pre-registration: parameters written down before data are opened, and what changed afterwards.

params/frozen.json holds, of every run, its parameters and the hashes of code, notebook, disclosure
policy and locked versions. It cannot show by itself when it was written: its hash does, once it is
where others can see it (a registry, a commit that was pushed, an e-mail to a colleague).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from iesoresearch import hashes
from iesoresearch.errors import OutputError, ParameterError
from iesoresearch.files import write_json
from iesoresearch.params import canonical_json

FILE = "frozen.json"
_FORMAT = 1
_WORDS = {
    "code": "code of the package",
    "notebook": "notebook",
    "disclosure": "disclosure policy",
    "lock": "locked versions",
}


@dataclass(frozen=True)
class Frozen:
    """What was written down.

    Attributes
    ----------
    when
        Time of the freeze, UTC.
    runs
        By name: ``analysis``, ``parameters``, ``inputs`` (hashes, the data apart).
    opened
        Runs that had a result of patients' records by then, with its time.
    why
        Of a freeze that replaced an earlier one; empty for the first.
    earlier
        Those that were replaced, the oldest first: ``when``, ``hash``, ``why``.
    """

    when: str
    runs: dict[str, dict[str, Any]]
    opened: dict[str, str] = field(default_factory=dict)
    why: str = ""
    earlier: list[dict[str, str]] = field(default_factory=list)

    @property
    def hash(self) -> str:
        """Of everything in it: what others can be given as a proof."""
        return hashes.digest(canonical_json(self._content()).encode())

    def _content(self) -> dict[str, Any]:
        return {
            "format": _FORMAT, "when": self.when, "why": self.why, "opened": self.opened,
            "earlier": self.earlier, "runs": self.runs,
        }  # fmt: skip

    def write(self, params: Path) -> Path:
        """Write params/frozen.json.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        path = params / FILE
        write_json(path, self._content() | {"hash": self.hash})
        return path


def freeze(
    params: Path,
    runs: Mapping[str, dict[str, Any]],
    opened: Mapping[str, str],
    when: str,
    why: str = "",
) -> Frozen:
    """Write down the runs of a project; an earlier freeze is only replaced with a reason.

    Raises
    ------
    ParameterError
        The file that is there is damaged.
    OutputError
        There is one already and no reason is given, or it cannot be written.
    """
    present = read(params)
    earlier = []
    if present is not None:
        if not why.strip():
            raise OutputError(
                f"{params / FILE} was frozen on {present.when} and was left as it is. A freeze is "
                "meant to stay. If the plan has to change, say why (--amend REASON); both are then "
                "on record."
            )
        said = {"when": present.when, "hash": present.hash, "why": present.why}
        earlier = [*present.earlier, said]
    frozen = Frozen(when, dict(runs), dict(opened), why.strip(), earlier)
    frozen.write(params)
    return frozen


def read(params: Path) -> Frozen | None:
    """What is frozen in a project; None if nothing is.

    Raises
    ------
    ParameterError
        The file is damaged, or was changed after it was written.
    """
    path = params / FILE
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        said, written = content.pop("hash"), content.pop("format")
        frozen = Frozen(**content)
        sound = written == _FORMAT and frozen.hash == said
    except (OSError, ValueError, LookupError, TypeError):
        sound = False
    if not sound:
        raise ParameterError(
            f"{path} is not as it was written, so nobody can tell what was frozen. Restore it from "
            "git."
        )
    return frozen


def changes(frozen: Frozen, run: str, status: Mapping[str, Any]) -> list[str]:
    """What of a finished run is different from what was frozen, in words.

    Parameters
    ----------
    frozen
        Of the project.
    run
        Its name.
    status
        Of its folder: ``parameters``, as they may be seen, ``inputs``, and when it was ``started``.
    """
    planned = frozen.runs[run]
    was, now = planned["parameters"], status["parameters"]
    said = [] if status["started"] >= frozen.when else ["run before the freeze"]
    said += [
        f"parameter {name}: {_shown(was, name)} planned, {_shown(now, name)} used"
        for name in dict.fromkeys([*was, *now])
        if _shown(was, name) != _shown(now, name)
    ]
    hashed = status["inputs"]
    if was == now and planned["inputs"].get("parameters") != hashed.get("parameters"):
        said.append("a parameter that is not shown in full changed")
    return said + [
        f"{words} changed"
        for name, words in _WORDS.items()
        if planned["inputs"].get(name) != hashed.get(name)
    ]


def _shown(parameters: Mapping[str, Any], name: str) -> str:
    return json.dumps(parameters[name]) if name in parameters else "nothing"
