"""The site: pages and files laid out, rendered by Sphinx, and checked."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from iesoresearch.errors import AnalysisError
from iesoresearch.files import write_text
from iesoresearch.project import Project
from iesoresearch.reporting import links, notebooks, pages, start
from iesoresearch.reporting.runs import EXECUTED, NOTEBOOK, Missing, Run

THEME = Path(__file__).parent / "sphinx"


def make(
    runs: list[Run], missing: list[Missing], project: Project, work: Path, target: Path
) -> None:
    """Render all pages into `target`, with the files of the runs beside them.

    Parameters
    ----------
    runs, missing
        What to show, and what to name as missing.
    project
        Where parameters and the citation are.
    work
        Existing folder for what Sphinx needs on the way.
    target
        New folder of the site.

    Raises
    ------
    AnalysisError
        Sphinx warned of something.
    OSError
        A folder cannot be written.
    """
    pages_folder = work / "pages"
    _write_pages(runs, missing, project, pages_folder)
    _sphinx(pages_folder, target, work, maths=any(notebooks.has_maths(run) for run in runs))
    for run in runs:
        _copy_files(run, target / "runs" / run.name)


def check(site: Path) -> None:
    """Refuse a finished site whose pages need another host or point to nothing.

    Raises
    ------
    AnalysisError
        Naming the links.
    """
    problems = links.problems(site)
    if problems:
        raise AnalysisError(
            f"The report was not built, because its pages have dead or foreign links: "
            f"{'; '.join(problems[:5])}. The notebook or text that holds the link must be mended."
        )


def _write_pages(runs, missing, project: Project, folder: Path) -> None:
    folder.mkdir()
    write_text(folder / "index.md", start.start_page(runs, missing, project))
    for run in runs:
        home = folder / "runs" / run.name
        home.mkdir(parents=True)
        write_text(home / "index.md", pages.run_page(run))
        for name, (_, page) in pages.further(run).items():
            write_text(home / f"{name}.md", page(run))
        if run.shows_notebook:
            write_text(home / f"{EXECUTED}.ipynb", json.dumps(notebooks.page(run)))


def _copy_files(run: Run, home: Path) -> None:
    for name in run.public_files:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(run.folder / name, home / name)
    text = json.dumps(notebooks.source(run), indent=1, ensure_ascii=False) + "\n"
    write_text(home / run.source_notebook, text)
    if run.shows_notebook:
        shutil.copyfile(run.folder / NOTEBOOK, home / NOTEBOOK)


def _sphinx(source: Path, target: Path, work: Path, *, maths: bool) -> None:
    """Run Sphinx in a process of its own: it changes much of the one it runs in."""
    # -P: whatever lies in the caller's folder is not imported
    command = [sys.executable, "-P", "-m", "sphinx", "-b", "html", "-qN", "--fail-on-warning"]
    command += ["-c", str(THEME), "-d", str(work / "doctrees"), *(["-t", "maths"] * maths)]
    # a fixed order of sets, so that equal runs give equal pages
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"}
    environment.pop("FORCE_COLOR", None)  # its words go into a sentence
    done = subprocess.run(
        [*command, str(source), str(target)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().replace(f"{source}{os.sep}", "")
        raise AnalysisError(f"The report was not built. Sphinx said: {said[-2000:]}")
