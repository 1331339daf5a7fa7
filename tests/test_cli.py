"""Every bad input is one clear paragraph, the right exit code, and nothing half-written."""

import shutil
import subprocess
import sys

import polars as pl
import pytest
import yaml

from iesoresearch import cli, files
from iesoresearch.data import synthetic
from iesoresearch.measures import PHQ9
from iesoresearch.project import find

TINY = {
    "source": "synthetic",
    "n_patients": 60,
    "max_states": 1,
    "n_starts": 1,
    "n_folds": 2,
    "n_bootstrap": 20,
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A project with one tiny run."""
    real, root = find(), tmp_path / "project"
    (root / "reports" / "expected").mkdir(parents=True)
    shutil.copytree(real.params, root / "params")
    shutil.copytree(real.notebooks, root / "notebooks")
    content = {"analysis": "subtypes", "notebook": "10_subtypes.ipynb", "parameters": TINY}
    (root / "params" / "tiny.yaml").write_text(yaml.safe_dump(content))
    (root / "params" / "paper.yaml").write_text("runs: [tiny]")
    monkeypatch.setenv("IESORESEARCH_PROJECT", str(root))
    monkeypatch.delenv("IESORESEARCH_DATA", raising=False)
    return root


@pytest.fixture
def call(home, monkeypatch, capfd):
    """Run the command line in this process: exit code, standard output, standard error."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["iesoresearch", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capfd.readouterr()
        return ended.value.code or 0, captured.out, captured.err

    run.home = home
    return run


def cohort(folder, **changes):
    """A synthetic cohort as a site's folder, its contacts changed."""
    made = synthetic.make(40, seed=1)
    made.write(folder)
    if changes:
        made.contacts.with_columns(**changes).write_parquet(folder / "contacts.parquet")
    return folder


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["run", "tiny", "-p", "n_sttaes=4"], 2, "(did you mean n_states?)"),
        (["run", "tiny", "-p", "n_starts=many"], 2, "n_starts='many' should be a valid integer"),
        (["run", "tiny", "-p", "n_starts=0"], 2, "n_starts=0 should be greater than or equal to 1"),
        (["run", "tiny", "-p", "n_starts"], 2, "is not of the form name=value"),
        (
            ["run", "tiney"],
            2,
            "no run called 'tiney' (no file params/tiney.yaml) (did you mean tiny?)",
        ),
        (["run"], 2, "Name one or more runs, or --all. The runs are: subtypes, subtypes-nhanes"),
        (["run", "tiny", "--all"], 2, "Name one or more runs, or --all."),
        (["run", "tiny", "subtypes", "-p", "seed=1"], 2, "-p needs exactly one run"),
        (["run", "tiny", "--jobs", "0"], 2, "--jobs"),
        (["run", "tiny", "-p", "source=folder"], 3, "Name one with --data DIR"),
        (["verify", "--run", "tiney"], 2, "no run called 'tiney'"),
        (["verify"], 3, "Run it again: iesoresearch run tiny"),
        (["data", "make", "x", "-n", "0"], 2, "-n"),
        (["nonsense"], 2, "nonsense"),
    ],
)
def test_refused_before_anything_runs(call, words, code, message):
    if words == ["verify"]:
        (call.home / "reports" / "expected" / "tiny.json").write_text('{"numbers": {}}')
    found, _, errors = call(*words)
    assert found == code
    assert message in " ".join(errors.replace("│", " ").split())
    assert "Traceback" not in errors
    assert not list((call.home / "reports").glob("out/*"))


def test_unreadable_run_file(call):
    (call.home / "params" / "tiny.yaml").write_text("analysis: [")
    code, _, errors = call("run", "tiny")
    assert code == 2
    assert "is not readable as YAML near line" in errors


def test_no_project(call, monkeypatch, tmp_path):
    monkeypatch.setenv("IESORESEARCH_PROJECT", str(tmp_path / "nowhere"))
    code, _, errors = call("run", "tiny")
    assert code == 2
    assert "a project is a folder with params/paper.yaml and notebooks/" in errors


def test_output_below_a_file(call):
    code, _, errors = call("run", "tiny", "--out", call.home / "params" / "tiny.yaml" / "out")
    assert code == 6
    assert "cannot be written" in errors


def test_output_is_a_device(call):
    code, _, errors = call("run", "tiny", "--out", "/dev/full")
    assert code == 6
    assert "cannot be written" in errors


def test_disk_full_while_accepting_numbers(call):
    out = call.home / "reports" / "out"
    run = files.partial(out / "tiny")
    for name, content in [("numbers", {}), ("checks", []), ("result", {"tables": {}})]:
        files.write_json(run / f"{name}.json", content)
    files.finish(run, out / "tiny", {"run": "tiny"})
    expected = call.home / "reports" / "expected" / "tiny.json"
    (expected.parent / "tiny.json.part").symlink_to("/dev/full")
    code, _, errors = call("verify", "--update")
    assert code == 6
    assert "No space left on device" in errors
    assert not expected.exists()


BAD_DATA = {
    "item value 7": ({"phq9_3": pl.lit(7)}, "phq9_3: {rows} value(s) beyond the maximum of 3"),
    "one unanswered questionnaire": (
        {c: pl.lit(None, pl.Int8) for c in PHQ9.columns},
        "nobody answered any PHQ-9 item",
    ),
}


@pytest.mark.parametrize(("changes", "message"), BAD_DATA.values(), ids=BAD_DATA.keys())
def test_bad_data_fail_with_a_sentence(call, tmp_path, changes, message):
    data = cohort(tmp_path / "site", **changes)
    code, _, errors = call("run", "tiny", "-p", "source=folder", "--data", data)
    assert code == 3
    rows = pl.read_parquet(data / "contacts.parquet").height
    assert message.format(rows=rows) in errors
    assert "Traceback" not in errors
    assert not (call.home / "reports" / "out" / "tiny").exists()


def test_item_column_absent(call, tmp_path):
    data = cohort(tmp_path / "site")
    pl.read_parquet(data / "contacts.parquet").drop("phq9_4").write_parquet(
        data / "contacts.parquet"
    )
    code, _, errors = call("run", "tiny", "-p", "source=folder", "--data", data)
    assert code == 3
    assert "contacts: the column phq9_4 is absent" in errors


def test_empty_cohort(call, tmp_path):
    data = cohort(tmp_path / "site")
    pl.read_parquet(data / "contacts.parquet").clear().write_parquet(data / "contacts.parquet")
    code, _, errors = call("run", "tiny", "-p", "source=folder", "--data", data)
    assert code == 3
    assert "contacts: there is no row" in errors


def test_more_states_than_the_data_carry(call, tmp_path):
    data = cohort(tmp_path / "site")
    few = pl.read_parquet(data / "contacts.parquet").filter(pl.col("referral_id") <= "P03")
    few.write_parquet(data / "contacts.parquet")
    code, _, errors = call(
        "run", "tiny", "-p", "source=folder", "-p", "max_states=9", "--data", data
    )
    assert code == 3
    assert "states cannot be told apart among 3 people" in errors


def test_a_site_from_run_to_verified_numbers(call, tmp_path):
    data = cohort(tmp_path / "site")
    words = ["run", "tiny", "-p", "source=folder", "--data", data]
    code, _, errors = call(*words)
    assert code == 0, errors
    assert "finished" in errors
    assert call(*words)[2].startswith("up to date")
    code, shown, _ = call("verify", "--update")
    assert (code, "updated; 0 moved" in shown) == (0, True)
    code, shown, _ = call("verify")
    assert (code, "All numbers of tiny are as expected" in shown) == (0, True)
    call(*words, "-p", "seed=5")
    code, shown, _ = call("verify")
    assert code == 1
    assert "number(s) differ from what is expected of tiny" in " ".join(shown.split())


def test_data_make(call, tmp_path):
    code, shown, _ = call("data", "make", tmp_path / "made", "-n", 20)
    assert code == 0
    assert len(shown.splitlines()) == 5
    assert pl.read_parquet(tmp_path / "made" / "patients.parquet").height == 20
    code, _, errors = call("data", "make", tmp_path / "made", "-n", 20)
    assert code == 6
    assert "is not empty" in errors


def test_version_and_help(call):
    assert call("--version")[:2] == (0, "0.1.0\n")
    assert "Reproducible research" in call("--help")[1]
    command = [sys.executable, "-m", "iesoresearch", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "0.1.0\n"
