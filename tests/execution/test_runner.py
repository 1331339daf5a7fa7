"""Runs end finished, up to date or failed; nothing in between is ever taken for a result."""

import json
import os
import resource
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest

from iesoresearch import analyses, files
from iesoresearch.errors import NotApplicable, ParameterError
from iesoresearch.execution import runner
from iesoresearch.params import Settings, load_run

from .conftest import TINY

SETTINGS = Settings(n_jobs=2)


class Recorder:
    """Progress that remembers."""

    def __init__(self):
        self.events = []

    def start(self, run, n_cells):
        self.events.append(("start", run, n_cells))

    def advance(self, run):
        self.events.append(("advance", run))

    def end(self, outcome):
        self.events.append(("end", outcome.run, outcome.state))


def go(sandbox, *specs, settings=SETTINGS):
    progress = Recorder()
    prepared = runner.prepare(sandbox.project, list(specs), settings)
    outcomes = runner.run_all(sandbox.project, prepared, sandbox.out, settings, progress)
    return outcomes, progress.events


def test_real_notebook_from_start_to_status(sandbox):
    spec = load_run(sandbox.project.params, "subtypes")
    (outcome,), events = go(sandbox, spec)
    assert (outcome.state, outcome.exit_code) == ("finished", 0), outcome.message
    assert [e[0] for e in events].count("advance") == 13  # twelve cells and the injected one

    run = sandbox.out / "subtypes"
    status = files.read_status(run)
    assert status["parameters"]["n_patients"] == 60
    for wanted in ("numbers.json", "checks.json", "result.json", "notebook.ipynb"):
        assert wanted in status["files"]
    assert {f"figures/criteria.{s}" for s in ("png", "svg", "pdf", "csv")} <= set(status["files"])
    assert "tables/states.csv" in status["files"]
    assert not sandbox.partials()

    # nothing changed: nothing is run, and the folder is not touched
    before = (run / "status.json").stat().st_mtime_ns
    (again,), events = go(sandbox, spec)
    assert again.state == "up to date"
    assert events == [("end", "subtypes", "up to date")]
    assert (run / "status.json").stat().st_mtime_ns == before

    # a file that was changed by hand is no result any more
    (run / "numbers.json").write_text("{}")
    assert files.read_status(run) is None

    notebook = nbformat.read(run / "notebook.ipynb", as_version=4)
    text = json.dumps(notebook)
    assert str(sandbox.project.root) not in text
    assert "papermill" not in notebook.metadata
    assert not any("start_time" in json.dumps(cell.metadata) for cell in notebook.cells)


def test_the_cell_that_failed_and_the_next_command_are_shown(sandbox):
    spec = sandbox.add("broken", ["y = 1", "1 / 0  # here"])
    (outcome,), _ = go(sandbox, spec)
    assert (outcome.state, outcome.exit_code) == ("failed", 4)
    assert "ZeroDivisionError: division by zero" in outcome.message
    assert "    1 / 0  # here" in outcome.message
    assert f"jupyter lab {sandbox.out / 'failed' / 'broken.ipynb'}" in outcome.message
    assert "Once it is mended: iesoresearch run broken" in outcome.message
    kept = sandbox.out / "failed" / "broken.ipynb"
    assert kept.stat().st_mode & 0o777 == 0o600  # tracebacks may quote data
    assert not (sandbox.out / "broken").exists()
    assert not sandbox.partials()


def test_what_a_library_says_about_patients_stays_in_the_notebook(sandbox, tmp_path):
    (tmp_path / "contacts.csv").write_text("referral_id\n")
    spec = sandbox.add("ours", ["raise KeyError('Ada Lovelace')"], {"source": "folder"})
    (outcome,), _ = go(sandbox, spec, settings=Settings(search_path=(tmp_path,)))
    assert outcome.message.startswith("KeyError (what it says may quote data")
    assert "Lovelace" not in outcome.message.replace("raise KeyError('Ada Lovelace')", "")


@pytest.mark.parametrize("content", [None, "{", "[]"])
def test_notebook_absent_or_broken(sandbox, content):
    spec = sandbox.add("lost", ["1"])
    path = sandbox.project.notebooks / "lost.ipynb"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(ParameterError, match=r"lost.ipynb is absent or not a notebook. Correct"):
        runner.prepare(sandbox.project, [spec], SETTINGS)


@pytest.mark.parametrize(
    ("error", "code"),
    [("ParameterError", 2), ("DataError", 3), ("DisclosureError", 5), ("OutputError", 6)],
)
def test_an_expected_error_is_its_sentence_and_its_code(sandbox, error, code):
    cell = f"from iesoresearch.errors import {error}\nraise {error}('What, where, what to do.')"
    (outcome,), _ = go(sandbox, sandbox.add("refused", [cell]))
    assert (outcome.exit_code, outcome.message) == (code, "What, where, what to do.")


LACKING = "from iesoresearch.errors import NotApplicable\nraise NotApplicable('Only totals. Add.')"


def test_data_that_cannot_answer_are_no_failure_and_leave_no_result(sandbox):
    specs = [sandbox.add("totals", [LACKING]), sandbox.add("good", ["2 + 2"])]
    outcomes, _ = go(sandbox, *specs)
    assert [(o.run, o.state) for o in outcomes] == [
        ("totals", "not applicable"),
        ("good", "finished"),
    ]
    assert (outcomes[0].message, outcomes[0].exit_code) == ("Only totals. Add.", 0)
    assert not (sandbox.out / "totals").exists()
    assert not (sandbox.out / "failed").exists()
    assert list(files.finished_runs(sandbox.out)) == ["good"]
    record = files.read_record(sandbox.out, "totals")
    assert record["reason"] == "Only totals. Add."
    assert record["parameters"]["n_patients"] == 60
    assert not sandbox.partials()

    # nothing changed: no kernel is started to say the same
    again, events = go(sandbox, *specs)
    assert again[0].message == "Only totals. Add."
    assert [e[0] for e in events] == ["end", "end"]

    # it can be answered now
    outcomes, _ = go(sandbox, sandbox.add("totals", ["1"]))
    assert outcomes[0].state == "finished"
    assert files.read_record(sandbox.out, "totals") is None


def lack(monkeypatch, name):
    """The fingerprint of one run of `TINY` says that its data are not there."""
    real = analyses.Analysis.fingerprint

    def fingerprint(analysis, params, settings):
        if params.seed == name:
            raise NotApplicable("Two cycles are lacking. Lay them in a folder.")
        return real(analysis, params, settings)

    monkeypatch.setattr(analyses.Analysis, "fingerprint", fingerprint)


def test_absent_data_of_one_run_do_not_stop_the_others(sandbox, monkeypatch):
    lack(monkeypatch, 7)
    specs = [sandbox.add("six", ["1"], TINY | {"seed": 7}), sandbox.add("good", ["2 + 2"])]
    outcomes, events = go(sandbox, *specs)
    assert [o.state for o in outcomes] == ["not applicable", "finished"]
    assert outcomes[0].message == "Two cycles are lacking. Lay them in a folder."
    assert ("start", "six", 3) not in events
    assert not (sandbox.out / "six").exists()
    assert "data" not in files.read_record(sandbox.out, "six")["inputs"]


def test_an_earlier_result_stays_when_its_data_are_gone(sandbox, monkeypatch):
    spec = sandbox.add("six", ["1"], TINY | {"seed": 7})
    go(sandbox, spec)
    with monkeypatch.context() as gone:
        lack(gone, 7)
        assert go(sandbox, spec)[0][0].state == "not applicable"
    assert list(files.finished_runs(sandbox.out)) == ["six"]
    assert files.read_record(sandbox.out, "six") is not None
    assert go(sandbox, spec)[0][0].state == "up to date"
    assert files.read_record(sandbox.out, "six") is None


def test_one_failure_does_not_stop_the_others(sandbox):
    specs = [sandbox.add("bad", ["raise SystemError"]), sandbox.add("good", ["2 + 2"])]
    outcomes, _ = go(sandbox, *specs)
    assert [(o.run, o.state) for o in outcomes] == [("bad", "failed"), ("good", "finished")]


def test_a_failing_run_leaves_the_last_good_result(sandbox):
    spec = sandbox.add("sometimes", ["z = 5"])
    go(sandbox, spec)
    before = files.read_status(sandbox.out / "sometimes")
    (outcome,), _ = go(sandbox, sandbox.add("sometimes", ["1 / 0"]))
    assert outcome.state == "failed"
    assert files.read_status(sandbox.out / "sometimes") == before


def test_a_kernel_that_dies_is_a_failure(sandbox):
    spec = sandbox.add("dies", ["import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"])
    (outcome,), _ = go(sandbox, spec)
    assert (outcome.state, outcome.exit_code) == ("failed", 4)
    assert "the kernel stopped" in outcome.message
    assert not (sandbox.out / "dies").exists()


def test_parameters_reach_the_notebook_and_kernels_are_private(sandbox):
    cell = (
        "import os\n"
        "from ipykernel.kernelapp import IPKernelApp\n"
        "assert seed == 1 and max_states == 1\n"
        "assert IPKernelApp.instance().transport == 'ipc'\n"
        "assert os.environ['PYTENSOR_FLAGS'] == 'numba__fastmath=False'\n"
        f"assert os.environ['IESORESEARCH_JOBS'] == '{max(1, os.cpu_count() // 2)}'\n"
        "assert os.environ['OMP_NUM_THREADS'] == os.environ['IESORESEARCH_JOBS']\n"
    )
    specs = [sandbox.add(name, [cell]) for name in ("one", "two")]
    outcomes, _ = go(sandbox, *specs)
    assert [o.state for o in outcomes] == ["finished", "finished"], outcomes[0].message


def test_out_below_a_file(sandbox):
    spec = sandbox.add("fine", ["1"])
    prepared = runner.prepare(sandbox.project, [spec], SETTINGS)
    blocked = sandbox.project.root / "requirements.lock" / "out"
    with pytest.raises(OSError, match="cannot be written") as caught:
        runner.run_all(sandbox.project, prepared, blocked, SETTINGS, Recorder())
    assert caught.value.exit_code == 6


def test_disk_full_during_a_run(sandbox):
    """A limit on the size of files stands in for a full disk: writing fails half-way."""
    spec = sandbox.add("large", ["print('x' * 300_000)"])
    prepared = runner.prepare(sandbox.project, [spec], SETTINGS)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        (outcome,) = runner.run_all(sandbox.project, prepared, sandbox.out, SETTINGS, Recorder())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (outcome.state, outcome.exit_code) == ("failed", 6)
    assert "cannot be written" in outcome.message
    assert not (sandbox.out / "large").exists()
    assert not sandbox.partials()


def start(sandbox, run):
    """The command line in a process of its own, once its kernel has begun to sleep."""
    command = [sys.executable, "-c", "from iesoresearch.cli import main; main()", "run", run]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    waiting = sandbox.project.root / "asleep"
    for _ in range(600):
        if waiting.exists():
            return process
        time.sleep(0.1)
    process.kill()
    pytest.fail(f"the kernel never started: {process.communicate()[1]}")


SLEEP = "from pathlib import Path\nimport time\nPath('{}').write_text('')\ntime.sleep(300)"


def kernels_of(pid):
    return [
        p for p in psutil.Process(pid).children(recursive=True) if "ipykernel" in str(p.cmdline())
    ]


def test_ctrl_c_leaves_nothing_half_done(sandbox):
    sandbox.add("slow", [SLEEP.format(sandbox.project.root / "asleep")])
    process = start(sandbox, "slow")
    kernels = kernels_of(process.pid)
    assert kernels
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Interrupted. Finished runs are kept" in errors
    assert "Traceback" not in errors
    _, alive = psutil.wait_procs(kernels, timeout=10)
    assert not alive
    assert not (sandbox.out / "slow").exists()
    assert not sandbox.partials()


def test_kill_9_leaves_no_result_and_is_cleaned_up_next_time(sandbox):
    spec = sandbox.add("slow", [SLEEP.format(sandbox.project.root / "asleep")])
    process = start(sandbox, "slow")
    kernels = kernels_of(process.pid)
    process.kill()
    process.communicate(timeout=60)
    assert files.finished_runs(sandbox.out) == {}
    assert sandbox.partials()  # what was being written: no status, so no result
    _, alive = psutil.wait_procs(kernels, timeout=20)
    assert not alive, "the kernel outlived the process it belonged to"
    spec = sandbox.add("slow", ["1 + 1"])
    (outcome,), _ = go(sandbox, spec)
    assert outcome.state == "finished"
    assert not sandbox.partials()
