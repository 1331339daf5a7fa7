"""What no program can know of a study, in the words of the people who can.

``reports/checklists/statements.yaml`` speaks for this project: a demonstration on open and
synthetic data. It never speaks for runs on patients' records: for those a site writes a file of its
own, ``params/sites/statements.yaml``, which stays out of git as everything of a site does. Both
hold a section for each checklist, because numbers of items are not the same in all of them, and
below it, by item, exactly one of::

    tripod:
      18c:
        done: where it can be read
      18d:
        not done: the reason
    cheers:
      27:
        demonstration: not applicable, and why

``contact``, of whoever answers for all of it, has no section. Files of earlier versions, which knew
no sections, are refused with what has to be changed.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from iesoresearch.errors import ParameterError
from iesoresearch.project import Project
from iesoresearch.reporting import cheers, tripod
from iesoresearch.reporting.items import Checklist
from iesoresearch.reporting.tripod import CONTACT

#: All checklists, by name.
CHECKLISTS = {one.name: one for one in (tripod.CHECKLIST, cheers.CHECKLIST)}
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


def read(project: Project, sensitivity: str, checklist: Checklist) -> dict[str, Statement]:
    """Statements by item of `checklist`, one for each, and on the contact.

    Parameters
    ----------
    project
        Whose files they are.
    sensitivity
        Of the data of the run that they are for.
    checklist
        Whose items they are for.

    Raises
    ------
    ParameterError
        The file is unreadable, speaks of an item that there is not, or has no sections.
    """
    name = OURS if sensitivity in {"open", "synthetic"} else OF_SITE
    content = _content(project.root / name, name)
    said = {
        section: _section(content.get(section), CHECKLISTS[section], name) for section in CHECKLISTS
    }
    own, where = said[checklist.name], f"{name} ({checklist.name})"
    given = {number: _statement(own.get(number), where) for number in checklist.items}
    return given | {CONTACT.number: _statement(content.get(CONTACT.number), name)}


def _content(path: Path, name: str) -> dict[str, Any]:
    """The file, by section."""
    if not path.exists():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        content = "unreadable"
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise _unreadable(name)
    content = {str(key): said for key, said in content.items()}
    outside = content.keys() - CHECKLISTS.keys() - {CONTACT.number}
    if outside:
        raise ParameterError(
            f"{name}: {', '.join(sorted(outside))} belongs to no checklist. Items of TRIPOD+AI "
            "stand below a line “tripod:”, those of CHEERS 2022 below “cheers:”, indented by two "
            "spaces, because the two share numbers; contact stands apart. A file of an earlier "
            "version holds items of TRIPOD+AI only: put “tripod:” above them and indent them."
        )
    return content


def _section(said: Any, checklist: Checklist, name: str) -> dict[str, Any]:
    """What is said on the items of a checklist, by number."""
    if said is None:
        return {}
    if not isinstance(said, dict):
        raise _unreadable(name)
    items = {str(number): words for number, words in said.items()}
    unknown = items.keys() - checklist.items.keys()
    if unknown:
        first, *_, last = checklist.items
        raise ParameterError(
            f"{name}: {', '.join(sorted(unknown))} is no item of {checklist.title}, whose items "
            f"are {first} to {last}. Correct or remove the line below “{checklist.name}:”."
        )
    return items


def _unreadable(name: str) -> ParameterError:
    return ParameterError(
        f"{name} cannot be read as YAML with a section per checklist, such as “tripod:”, in it a "
        "line per item, such as “18d:”, and below that “not done: the reason”. Mend it; "
        f"{OURS} in git is an example."
    )


def _statement(said: Any, name: str) -> Statement:
    """What is said on an item; `name` says where."""
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
    if name.startswith(OF_SITE):
        problem = f"{name} calls a run on patients’ records a demonstration"
        return Statement("missing", problem)
    if not text.startswith(_NOT_APPLICABLE):
        return Statement("missing", f"{name}: only “{_NOT_APPLICABLE}” can follow “demonstration”")
    return Statement(_NOT_APPLICABLE, f"demonstration: {text}")
