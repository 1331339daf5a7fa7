"""What no program can know of a study, in the words of the people who can.

``reports/checklists/statements.yaml`` speaks for this project: a demonstration on open and
synthetic data. It never speaks for runs on patients' records: for those a site writes a file of its
own, ``params/sites/statements.yaml``, which stays out of git as everything of a site does. Both
hold, by item, exactly one of::

    18c:
      done: where it can be read
    18d:
      not done: the reason
    17:
      demonstration: not applicable, and why
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from iesoresearch.errors import ParameterError
from iesoresearch.project import Project
from iesoresearch.reporting.tripod import CONTACT, ITEMS

OURS = "reports/checklists/statements.yaml"
OF_SITE = "params/sites/statements.yaml"
KINDS = {"done": "stated", "not done": "not done", "demonstration": "not applicable"}
_NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True)
class Statement:
    """What people say on an item: "stated", "not done", "not applicable", or "missing".

    Of a missing one, `text` says what is wrong.
    """

    state: str
    text: str


def read(project: Project, sensitivity: str) -> dict[str, Statement]:
    """Statements by item, for runs on data of this sensitivity; one for each item there is.

    Raises
    ------
    ParameterError
        The file is unreadable or speaks of an item that there is not.
    """
    name = OURS if sensitivity in {"open", "synthetic"} else OF_SITE
    said = _content(project.root / name, name)
    unknown = said.keys() - ITEMS.keys() - {CONTACT.number}
    if unknown:
        raise ParameterError(
            f"{name}: {', '.join(sorted(unknown))} is no item of TRIPOD+AI. The items are 1 to "
            "27c, and contact. Correct or remove the line."
        )
    return {number: _statement(said.get(number), name) for number in [*ITEMS, CONTACT.number]}


def _content(path: Path, name: str) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        content = "unreadable"
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise ParameterError(
            f"{name} cannot be read as YAML with a line per item of TRIPOD+AI, such as “18d:”, "
            f"and below it “not done: the reason”. Mend it; {OURS} in git is an example."
        )
    return {str(number): said for number, said in content.items()}


def _statement(said: Any, name: str) -> Statement:
    if said is None:
        return Statement("missing", f"{name} says nothing")
    if not isinstance(said, dict) or len(said) != 1 or not said.keys() <= KINDS.keys():
        return Statement("missing", f"{name} must say one of {', '.join(KINDS)}")
    ((kind, text),) = said.items()
    text = " ".join(text.split()) if isinstance(text, str) else ""
    if text in {"", "?"}:
        return Statement("missing", f"{name} leaves “{kind}” blank")
    if kind == "demonstration":
        return _demonstration(text, name)
    return Statement(KINDS[kind], text)


def _demonstration(text: str, name: str) -> Statement:
    if name == OF_SITE:
        problem = f"{name} calls a run on patients’ records a demonstration"
        return Statement("missing", problem)
    if not text.startswith(_NOT_APPLICABLE):
        return Statement("missing", f"{name}: only “{_NOT_APPLICABLE}” can follow “demonstration”")
    return Statement(_NOT_APPLICABLE, f"demonstration: {text}")
