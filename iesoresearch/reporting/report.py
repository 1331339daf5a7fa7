"""Build the report, unless the one there is still right."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from iesoresearch.errors import DataError, OutputError
from iesoresearch.files import finish, partial, read_status, writing
from iesoresearch.hashes import file_hash
from iesoresearch.project import Project
from iesoresearch.reporting import checklist
from iesoresearch.reporting import runs as finished
from iesoresearch.reporting.runs import Missing, Run

FOLDER = "report"
#: Not status.json, which would make the report look like a run.
STAMP = "report.json"
_MAKERS = ("iesoresearch", "sphinx", "myst-nb", "sphinx-book-theme", "rocrate")


def build(out: Path, project: Project) -> Path:
    """Build the report site of all valid runs below `out` into ``out/report``.

    Nothing is done if it is there, intact, and nothing it shows has changed.

    Parameters
    ----------
    out
        Folder of the runs.
    project
        Whose paper orders the runs, and whose files say which are up to date.

    Returns
    -------
    Path
        The start page.

    Raises
    ------
    DataError
        There is no valid run.
    DisclosureError
        A result names a folder of this machine.
    AnalysisError
        Sphinx warned of something, or a page has a dead or foreign link.
    OutputError
        The report cannot be written.
    """
    runs, missing = finished.read(out, project)
    final = out / FOLDER
    if not runs:
        raise DataError(
            f"There is no valid run in {out}, so there is nothing to report. Make the runs of the "
            "paper first: iesoresearch run --all"
        )
    key = _key(runs, missing, project)
    kept = read_status(final, STAMP)
    if kept is None or kept.get("key") != key:
        _refuse_to_replace_others(final)
        lines = [f"{run.name}: {line}" for run in runs for line in checklist.blanks(run)]
        stamp = {"key": key, "blanks": lines}
        _build_beside(final, stamp, lambda *where: _make(runs, missing, project, *where))
    return final / "index.html"


def blanks(page: Path) -> list[str]:
    """What is missing of the checklists and model cards of a report, a line each.

    Parameters
    ----------
    page
        Its start page, as `build` returns it.
    """
    return json.loads(page.with_name(STAMP).read_text(encoding="utf-8"))["blanks"]


def _make(runs, missing, project: Project, work: Path, target: Path) -> None:
    # imported here: slower than finding out that nothing is to be done
    from iesoresearch.reporting import crate, site

    site.make(runs, missing, project, work, target)
    crate.write(runs, project, target)
    site.check(target)


def _build_beside(final: Path, stamp: dict, make: Callable[[Path, Path], None]) -> None:
    work = partial(final)
    try:
        with writing(final.parent):
            make(work, work / "site")
        finish(work / "site", final, stamp, STAMP)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _refuse_to_replace_others(final: Path) -> None:
    if final.exists() and not (final / STAMP).is_file():
        raise OutputError(
            f"{final} is there and was not made by `iesoresearch report`, so it is not replaced. "
            "Move it away, or name another folder of runs."
        )


def _key(runs: list[Run], missing: list[Missing], project: Project) -> str:
    """Hash of everything the report depends on."""
    home = Path(__file__).parent
    sources = sorted([*home.rglob("*.py"), *home.rglob("*.css")])
    citation = project.root / "CITATION.cff"
    content = {
        "runs": [[run.status, run.changed, run.machine_paths] for run in runs],
        "statements": [[repr(said) for said in run.statements.values()] for run in runs],
        "missing": [asdict(run) for run in missing],
        "makers": [
            *(file_hash(path) for path in sources),
            *(version(package) for package in _MAKERS),
        ],
        "citation": citation.read_text(encoding="utf-8") if citation.is_file() else "",
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
