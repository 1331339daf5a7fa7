"""Finished runs as the report needs them, read from their folders and nothing else."""

import csv
import json
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from iesoresearch.errors import DisclosureError
from iesoresearch.files import STATUS, read_record, read_status
from iesoresearch.params import all_runs, paper_runs, site_runs
from iesoresearch.project import Project
from iesoresearch.registration import Frozen
from iesoresearch.reporting import freshness, machine, statements, tripod
from iesoresearch.reporting.items import Checklist
from iesoresearch.reporting.statements import Statement

#: What the site may take from a run folder: everything else, above all private/, stays there.
PUBLIC = re.compile(
    r"(numbers|checks|result)\.json|tables/[^/]+\.csv|figures/[^/]+\.(csv|png|svg|pdf)"
)
NOTEBOOK = "notebook.ipynb"
#: The executed notebook as Sphinx renders it; `NOTEBOOK` beside it is the file itself.
EXECUTED = "executed"
_STATUS = {
    "analysis", "inputs", "key", "notebook", "parameters", "run", "seconds", "started", "versions",
}  # fmt: skip
#: A folder of some machine, but no address: the record of a run may say where data were looked for.
_FOLDER = re.compile(r"(?<![\w:/.-])(?:/[\w.~-]|[A-Za-z]:[\\/])")
_RESULT = {"figures", "not_applicable", "provenance", "tables", "text"}


@dataclass(frozen=True)
class Missing:
    """A run that has no result which could be shown."""

    name: str
    reason: str
    known: bool  # has a file in params/, so that it can be run by its name
    applicable: bool = True  # else nothing went wrong: the data here cannot answer it


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes
    ----------
    folder
        Where it lies; its status was valid when it was read.
    changed
        Inputs of the run that are different in the project today; empty: up to date.
    other_parameters
        Parameters with which the run differs from its file in params/.
    machine_paths
        Folders of this machine that its executed notebook names, which is therefore not shown.
    checklist
        The one that its evidence answers.
    plan
        What was frozen before data were opened, where the project has a freeze.
    statements
        Of a run with evidence: what people state on the items of its checklist.
    """

    folder: Path
    status: dict[str, Any]
    result: dict[str, Any]
    numbers: dict[str, dict[str, Any]]
    checks: list[dict[str, str]]
    changed: tuple[str, ...] = ()
    other_parameters: dict[str, Any] = field(default_factory=dict)
    machine_paths: tuple[str, ...] = ()
    checklist: Checklist = tripod.CHECKLIST
    plan: Frozen | None = None
    statements: dict[str, Statement] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the run and of its folder."""
        return self.folder.name

    @property
    def provenance(self) -> dict[str, Any]:
        """What the analysis says about its data."""
        return self.result["provenance"]

    @property
    def evidence(self) -> dict[str, list[str]]:
        """By item of the checklist, where the run shows it; empty if no checklist is answered."""
        return self.result.get("evidence", {})

    @property
    def sensitivity(self) -> str:
        """Of the data: open, synthetic or patient. What does not say counts as patients' data."""
        return self.provenance.get("sensitivity", "patient")

    @property
    def simulated(self) -> bool:
        """Made from synthetic data."""
        return self.sensitivity == "synthetic"

    @property
    def shows_notebook(self) -> bool:
        """The executed notebook may be seen: never with patients' data."""
        return self.sensitivity in {"open", "synthetic"} and not self.machine_paths

    @property
    def data(self) -> str:
        """Name of the data."""
        return str(self.provenance.get("data", "data without a name"))

    @property
    def title(self) -> str:
        """Title of the analysis, the same for all runs of it."""
        return str(self.provenance.get("title", self.status["analysis"]))

    @property
    def n(self) -> int | None:
        """The most people that stand behind any number."""
        return max((x["n"] for x in self.numbers.values() if x["n"] is not None), default=None)

    @property
    def source_notebook(self) -> str:
        """File name of the notebook as it was written."""
        return PurePosixPath(self.status["notebook"]).name

    @cached_property
    def public_files(self) -> tuple[str, ...]:
        """Files of the run folder that the site copies, besides notebooks."""
        return tuple(name for name in sorted(self.status["files"]) if PUBLIC.fullmatch(name))

    @cached_property
    def notebook(self) -> dict[str, Any]:
        """The executed notebook."""
        return json.loads((self.folder / NOTEBOOK).read_text(encoding="utf-8"))

    def table(self, name: str) -> list[dict[str, str]]:
        """Rows of a table, as its file has them."""
        path = self.folder / "tables" / f"{name}.csv"
        with path.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))


def read(out: Path, project: Project) -> tuple[list[Run], list[Missing]]:
    """All runs below `out`: those of the paper, or of a site, in its order, then the others.

    Raises
    ------
    DisclosureError
        A result names a folder of this machine.
    ParameterError
        The statements that the checklist of a run needs cannot be read.
    """
    known = all_runs(project.params)
    today = freshness.Today(project)
    recorded = [name for name in known if _cannot(out, name, today)]
    there = _found(out, known)
    names = dict.fromkeys([*_wanted(project, [*there, *recorded]), *there, *recorded])
    runs, missing = [], []
    for name in names:
        run = _read_run(out / name, project, today)
        if isinstance(run, Run):
            runs.append(run)
        elif name in recorded:
            missing.append(Missing(name, _reason(out, name), True, applicable=False))
        else:
            missing.append(Missing(name, run, name in known))
    return runs, missing


def _wanted(project: Project, there: list[str]) -> list[str]:
    """Runs that there ought to be: those of a site where there is one of them, else the paper's."""
    of_site = list(site_runs(project.params))
    return of_site if set(of_site) & set(there) else paper_runs(project.params)


def _cannot(out: Path, name: str, today: freshness.Today) -> bool:
    """Whether it is on record that the data here cannot answer the run as it is in its file."""
    record = read_record(out, name)
    return record is not None and today.other_parameters(record) == {}


def _reason(out: Path, name: str) -> str:
    """Why the data here cannot answer a run; a folder of the machine is not published."""
    reason = read_record(out, name)["reason"]
    if _FOLDER.search(reason):
        return f"The data it needs are not here; iesoresearch run {name} says which."
    return reason


def _found(out: Path, known: list[str]) -> list[str]:
    """Names of the folders below `out` that are or were meant to be runs."""
    if not out.is_dir():
        return []
    folders = sorted(p for p in out.iterdir() if p.is_dir() and not p.name.startswith("."))
    return [p.name for p in folders if p.name in known or (p / STATUS).is_file()]


def _read_run(folder: Path, project: Project, today: freshness.Today) -> Run | str:
    """The run in `folder`, or why it cannot be shown."""
    if not folder.is_dir():
        failed = (folder.parent / "failed" / f"{folder.name}.ipynb").is_file()
        return "it failed, and says why when it is made" if failed else "it was never finished"
    status = read_status(folder)
    if status is None:
        return "it was never finished, or a file of it was changed since"
    try:
        run = _assemble(folder, status, project, today)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return "it was written by another version of the package"
    if "disclosure" not in run.provenance:
        return "it did not pass disclosure control"
    _refuse_machine_paths(run, project)
    if run.evidence:
        return replace(run, statements=statements.read(project, run.sensitivity, run.checklist))
    return run


def _assemble(
    folder: Path, status: dict[str, Any], project: Project, today: freshness.Today
) -> Run:
    def read_json(name):
        return json.loads((folder / name).read_text(encoding="utf-8"))

    result = read_json("result.json")
    run = Run(
        folder=folder,
        status=status | {"parameters": machine.without_folders(status["parameters"])},
        result=result,
        numbers=read_json("numbers.json"),
        checks=read_json("checks.json"),
        changed=(*today.changed(status), *_gone(folder, status)),
        other_parameters=machine.without_folders(today.other_parameters(status) or {}),
        machine_paths=machine.named_in(folder / NOTEBOOK, project),
        plan=today.frozen,
        checklist=statements.CHECKLISTS[result.get("checklist", tripod.CHECKLIST.name)],
    )
    # what the pages rely on, so that another layout is found here and not halfway
    if not (status.keys() >= _STATUS and run.result.keys() >= _RESULT):
        raise LookupError
    if NOTEBOOK not in status["files"] or not run.source_notebook:
        raise LookupError
    datetime.fromisoformat(run.status["started"])
    if not all(isinstance(references, list) for references in run.evidence.values()):
        raise LookupError
    for name, table in run.result["tables"].items():
        rows = run.table(name)
        if rows and not {*table["keys"], *table["values"]} <= rows[0].keys():
            raise LookupError(name)
    return run


def _gone(folder: Path, status: dict[str, Any]) -> list[str]:
    """Whether the data were gone when the run was last started; a report itself sees no data."""
    record = read_record(folder.parent, folder.name)
    gone = record is not None and record["parameters"] == status["parameters"]
    return ["data"] if gone else []


def _refuse_machine_paths(run: Run, project: Project) -> None:
    for name in run.public_files:
        found = machine.named_in(run.folder / name, project)
        if found:
            raise DisclosureError(
                f"{name} of run {run.name} names {', '.join(found)}, a folder of this machine, "
                "which must not be published. Take it out of the analysis's words and run it "
                f"again: iesoresearch run {run.name}"
            )
