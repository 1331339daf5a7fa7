"""Run notebooks: check, reuse what is up to date, execute the rest side by side."""

import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from iesoresearch import analyses, files
from iesoresearch.errors import NotApplicable, OutputError
from iesoresearch.execution import cache
from iesoresearch.execution.session import OUT
from iesoresearch.params import DATA, JOBS, AnalysisParams, RunSpec, Settings, where_records
from iesoresearch.project import Project


@dataclass(frozen=True)
class Prepared:
    """A run whose parameters have been checked and whose inputs have been hashed.

    `lacking` says what data there would have to be; the hash of the data is then not among
    `inputs`.
    """

    spec: RunSpec
    params: AnalysisParams
    inputs: dict[str, str]
    lacking: str = ""

    @property
    def key(self) -> str:
        """Cache key."""
        return cache.key(self.inputs)


@dataclass(frozen=True)
class Outcome:
    """How a run ended: "finished", "up to date", "not applicable" or "failed"."""

    run: str
    state: str
    seconds: float = 0.0
    message: str = ""
    exit_code: int = 0


class Progress(Protocol):
    """What the runner tells while it works."""

    def start(self, run: str, n_cells: int) -> None:
        """A notebook with so many cells was started."""

    def advance(self, run: str) -> None:
        """One of its cells is done."""

    def end(self, outcome: Outcome) -> None:
        """The run has ended."""


def prepare(project: Project, specs: list[RunSpec], settings: Settings) -> list[Prepared]:
    """Check every run before any kernel starts.

    Data that cannot answer one run do not stop the others.

    Raises
    ------
    ParameterError, DataError
        Of the first run that cannot be started.
    """
    return [_prepare(project, spec, settings) for spec in specs]


def _prepare(project: Project, spec: RunSpec, settings: Settings) -> Prepared:
    params = analyses.get(spec.analysis).Params.check(spec.parameters, f"Run {spec.name}")
    try:
        return Prepared(spec, params, cache.inputs(project, spec, params, settings))
    except NotApplicable as error:
        return Prepared(spec, params, cache.without_data(project, spec, params), str(error))


def run_all(
    project: Project,
    prepared: list[Prepared],
    out: Path,
    settings: Settings,
    progress: Progress,
) -> list[Outcome]:
    """Run what is not up to date, `settings.n_jobs` notebooks at a time.

    A failing run does not stop the others, nor one that the data cannot answer, which leaves a
    record (`files.read_record`) and no result; an earlier result of it stays. On Ctrl-C all
    kernels are killed, unfinished folders removed and KeyboardInterrupt raised again; finished
    runs stay.

    Raises
    ------
    OutputError
        `out` cannot be written.
    """
    _check_writable(out)
    stale = []
    outcomes = {}
    for run in prepared:
        outcome = _known(run, out)
        if outcome is None:
            stale.append(run)
        else:
            outcomes[run.spec.name] = outcome
            progress.end(outcome)
    for outcome in _execute(project, stale, out, settings, progress):
        outcomes[outcome.run] = outcome
    return [outcomes[run.spec.name] for run in prepared]


def _known(run: Prepared, out: Path) -> Outcome | None:
    """How a run ends that needs no kernel: its data are not there, or it is as it was."""
    name = run.spec.name
    if run.lacking:
        return _not_applicable(run, out, run.lacking)
    status = files.read_status(out / name)
    if status is not None and status.get("key") == run.key:
        _forget(out, name)
        return Outcome(name, "up to date")
    record = files.read_record(out, name)
    if record is not None and cache.key(record["inputs"]) == run.key:
        return Outcome(name, "not applicable", message=record["reason"])
    return None


def _not_applicable(run: Prepared, out: Path, reason: str, seconds: float = 0.0) -> Outcome:
    """Record why the data cannot answer a run."""
    path = files.record_path(out, run.spec.name)
    with files.writing(out):
        path.parent.mkdir(exist_ok=True)
    record = {"run": run.spec.name, "reason": reason}
    files.write_json(path, record | {"parameters": run.params.model_dump(), "inputs": run.inputs})
    return Outcome(run.spec.name, "not applicable", seconds, reason)


def _forget(out: Path, name: str) -> None:
    """The data can answer the run now."""
    with files.writing(out):
        files.record_path(out, name).unlink(missing_ok=True)


def _execute(project, stale, out, settings, progress) -> list[Outcome]:
    if not stale:
        return []
    # jsonschema, which notebooks are checked with, would build 39 parsers for addresses that
    # notebooks do not hold: two thirds of the time papermill takes to import
    sys.modules.setdefault("rfc3987_syntax", None)
    # imported here: papermill takes longer than finding out that nothing is to be done
    from iesoresearch.execution import kernels

    workers = min(settings.n_jobs, len(stale))
    threads = max(1, (os.cpu_count() or 1) // workers)
    pool = ThreadPoolExecutor(workers)
    try:
        futures = [
            pool.submit(_run_one, project, run, out, settings, threads, progress) for run in stale
        ]
        # In short waits: polars installs a handler after which a waiting main thread does not
        # notice Ctrl-C.
        while wait(futures, timeout=0.2).not_done:
            pass
        return [future.result() for future in futures]
    except BaseException:
        for future in futures:
            future.cancel()
        kernels.stop_all()
        raise
    finally:
        pool.shutdown(wait=True)


def _run_one(project, run: Prepared, out: Path, settings, threads: int, progress) -> Outcome:
    from iesoresearch.execution import kernels

    name, started = run.spec.name, time.time()
    notebook = project.notebooks / run.spec.notebook
    final = out / name
    try:
        target = files.partial(final)
        progress.start(name, _n_cells(notebook))
        failure = kernels.execute(
            notebook,
            target / "notebook.ipynb",
            run.params.model_dump(),
            _environment(project, target, settings, threads),
            lambda: progress.advance(name),
        )
        seconds = time.time() - started
        if failure is None:
            files.finish(target, final, _status(run, started, seconds))
            _forget(out, name)
            outcome = Outcome(name, "finished", seconds)
        elif failure.kind == NotApplicable.__name__:
            outcome = _not_applicable(run, out, failure.message, seconds)
        else:
            message = _explain(failure, run, _keep_failed(target, out, name))
            outcome = Outcome(name, "failed", seconds, message, failure.exit_code)
    except OutputError as error:
        outcome = Outcome(name, "failed", time.time() - started, str(error), error.exit_code)
    finally:
        shutil.rmtree(final.parent / f".{name}.partial-{os.getpid()}", ignore_errors=True)
    progress.end(outcome)
    return outcome


def _environment(project: Project, target: Path, settings: Settings, threads: int) -> dict:
    one = str(threads)
    return {
        "IESORESEARCH_PROJECT": str(project.root),
        OUT: str(target.resolve()),
        DATA: os.pathsep.join(str(path) for path in settings.search_path),
        JOBS: one,
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), one),
        "NUMBA_NUM_THREADS": one,
        "POLARS_MAX_THREADS": one,
        # without it a cold and a warm cache of compiled models give different last digits
        "PYTENSOR_FLAGS": "numba__fastmath=False",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def _status(run: Prepared, started: float, seconds: float) -> dict[str, Any]:
    return {
        "run": run.spec.name,
        "analysis": run.spec.analysis,
        "notebook": run.spec.notebook,
        "parameters": run.params.model_dump(),
        "outcome": "finished",
        "key": run.key,
        "inputs": run.inputs,
        "versions": cache.versions(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": round(seconds, 1),
    }


def _keep_failed(target: Path, out: Path, name: str) -> Path | None:
    """Keep the notebook of a failed run where no one takes it for a result."""
    executed = target / "notebook.ipynb"
    if not executed.is_file():
        return None
    kept = out / "failed" / f"{name}.ipynb"
    with files.writing(out):
        kept.parent.mkdir(exist_ok=True)
        executed.replace(kept)
        kept.chmod(0o600)  # its tracebacks may quote data
    return kept


def _explain(failure, run: Prepared, kept: Path | None) -> str:
    if failure.expected:
        return failure.message
    if run.params.reads_patients:  # what a library says may quote a cell of a table
        lines = [f"{failure.kind} (what it says may quote data and is only in the notebook)."]
    else:
        lines = [f"{failure.kind}: {failure.message}"]
    if failure.source:
        lines += ["", f"The cell that failed (number {failure.cell}):"]
        lines += [f"    {line}" for line in failure.source.splitlines()]
    if kept is not None:
        lines += ["", f"See everything it did: jupyter lab {kept}"]
    where = where_records(getattr(run.params, "source", None))
    lines.append(f"Once it is mended: iesoresearch run {run.spec.name}{where}")
    return "\n".join(lines)


def _n_cells(notebook: Path) -> int:
    import nbformat

    return len(nbformat.read(notebook, as_version=4).cells) + 1  # the injected parameters


def _check_writable(out: Path) -> None:
    probe = out / f".probe-{os.getpid()}"
    with files.writing(out):
        out.mkdir(parents=True, exist_ok=True)
        probe.write_text("", encoding="utf-8")
        probe.unlink()
