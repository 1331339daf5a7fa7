"""Every bad input is one clear paragraph, the right exit code, and nothing half-written."""

import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import yaml

from iesoresearch import cli, files
from iesoresearch.analyses import subtypes
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


EMPTY = '{"numbers": {}, "checks": {}, "tables": {}}'


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


def cohort(folder, **changes):
    """A synthetic cohort as a site's folder, its contacts changed."""
    made = synthetic.make(40, seed=1)
    made.write(folder)
    if changes:
        made.contacts.with_columns(**changes).write_parquet(folder / "contacts.parquet")
    return folder


def keep(folder, n):
    """Only the `n` people with the most contacts, in every table."""
    counted = pl.read_parquet(folder / "contacts.parquet")["referral_id"].value_counts()
    ids = counted.sort("count", "referral_id", descending=True)["referral_id"].head(n)
    for path in folder.glob("*.parquet"):
        table = pl.read_parquet(path)
        if "referral_id" in table.columns:
            kept = table.filter(pl.col("referral_id").is_in(ids.implode()))
            # an optional table without a row is none
            kept.write_parquet(path) if kept.height else path.unlink()
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
        (["run"], 2, "Name one or more runs, or --all. The runs are: "),
        (["run", "tiny", "--all"], 2, "Name one or more runs, or --all."),
        (["run", "tiny", "subtypes", "-p", "seed=1"], 2, "-p needs exactly one run"),
        (["run", "tiny", "--jobs", "0"], 2, "--jobs"),
        (["run", "tiny", "-p", "source=folder"], 3, "Name one with --data DIR"),
        (["verify", "--run", "tiney"], 2, "no run called 'tiney'"),
        (["verify"], 3, "Run it again: iesoresearch run tiny"),
        (["data", "make", "x", "-n", "0"], 2, "-n"),
        (["data", "make", "x", "--profile", "wales"], 2, "no synthetic population called 'wales'"),
        (["nonsense"], 2, "nonsense"),
        (["run", "tiny", "--data", "a:b"], 2, "the path of a folder may not hold :"),
    ],
)
def test_refused_before_anything_runs(call, words, code, message):
    if words == ["verify"]:
        (call.home / "reports" / "expected" / "tiny.json").write_text(EMPTY)
    found, _, errors = call(*words)
    assert found == code
    assert message in " ".join(errors.replace("│", " ").split())
    assert "Traceback" not in errors
    assert not list((call.home / "reports").glob("out/*"))


def test_a_forgotten_site_is_asked_for(call, tmp_path):
    """Else records are passed over without a word, or their results lie among the paper's."""
    content = {"version": 1, "runs": {"site-tiny": {"run": "tiny"}}}
    (call.home / "params" / "site.yaml").write_text(yaml.safe_dump(content))
    records = cohort(tmp_path / "site")
    code, _, errors = call("run", "--all", "--data", records)
    assert code == 2
    assert "site holds records of a site, which no run of the paper reads" in errors
    code, _, errors = call("run", "site-tiny", "--data", records)
    assert code == 2
    assert "site-tiny is a run on the records of a site" in errors
    assert "Add --site NAME, or --out with a folder of your own" in errors
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
    status = {"run": "tiny", "inputs": {}, "parameters": subtypes.Params(**TINY).model_dump()}
    files.finish(run, out / "tiny", status)
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


def totals_only(folder):
    """A site that keeps no answers."""
    contacts = pl.read_parquet(cohort(folder) / "contacts.parquet")
    total = contacts.select(pl.sum_horizontal(PHQ9.columns)).to_series().cast(pl.Float64)
    contacts.drop(PHQ9.columns).with_columns(phq9_total=total).write_parquet(
        folder / "contacts.parquet"
    )
    return folder


LACKING = "site holds PHQ-9 totals and no answers to its items, which this analysis needs."


def test_a_run_asked_for_by_name_that_is_not_applicable(call, tmp_path):
    data = totals_only(tmp_path / "site")
    code, _, errors = call("run", "tiny", "-p", "source=folder", "--data", data)
    assert code == 3
    assert f"Run tiny is not applicable here. {LACKING}" in errors
    assert "Traceback" not in errors
    assert not (call.home / "reports" / "out" / "tiny").exists()


def test_of_all_runs_one_that_is_not_applicable_is_named_and_the_rest_completes(call, tmp_path):
    content = {"analysis": "subtypes", "notebook": "10_subtypes.ipynb"}
    content["parameters"] = TINY | {"source": "folder"}
    (call.home / "params" / "ours.yaml").write_text(yaml.safe_dump(content))
    (call.home / "params" / "paper.yaml").write_text("runs: [ours, tiny]")
    code, _, errors = call("run", "--all", "--data", totals_only(tmp_path / "site"))
    assert code == 0, errors
    assert "not applicable" in errors.splitlines()[0] + errors.splitlines()[1]
    assert f"Run ours is not applicable here. {LACKING}" in errors

    said = f"Not compared: run ours is not applicable here. {LACKING}"
    code, shown, _ = call("verify", "--update")
    assert (code, said in shown) == (0, True)
    code, _, errors = call("verify")
    assert code == 2
    assert "no expected numbers for run ours" in errors
    (call.home / "reports" / "expected" / "ours.json").write_text(EMPTY)
    code, shown, _ = call("verify")
    assert (code, said in shown) == (0, True)
    assert "All numbers of tiny are as expected." in shown
    code, _, errors = call("verify", "--run", "ours")
    assert code == 3
    assert f"Nothing to compare; no run is applicable here. ours: {LACKING}" in errors

    # the answers come: it is a run like any other
    code, _, errors = call("run", "--all", "--data", cohort(tmp_path / "full"))
    assert code == 0, errors
    assert "not applicable" not in errors


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
    data = keep(cohort(tmp_path / "site"), 3)
    code, _, errors = call(
        "run", "tiny", "-p", "source=folder", "-p", "max_states=9", "--data", data
    )
    assert code == 3
    assert "There are fewer people than the 4 states asked for" in errors


def test_a_handful_of_patients_is_refused(call, tmp_path):
    data = keep(cohort(tmp_path / "site"), 8)
    code, _, errors = call("run", "cohort", "-p", "source=folder", "--data", data)
    assert code == 5, errors
    assert "Fewer than 10 people stand behind this result" in errors
    assert not (call.home / "reports" / "out" / "cohort").exists()


def test_from_run_to_verified_numbers(call):
    code, _, errors = call("run", "tiny")
    assert code == 0, errors
    assert "finished" in errors
    assert call("run", "tiny")[2].startswith("up to date")
    code, shown, _ = call("verify", "--update")
    assert (code, "updated; 0 moved" in shown) == (0, True)
    code, shown, _ = call("verify")
    assert (code, "All numbers of tiny are as expected" in shown) == (0, True)
    call("run", "tiny", "-p", "seed=5")
    code, shown, _ = call("verify")
    assert code == 1
    assert "Run tiny was made with other parameters than now." in shown
    assert "number(s) differ from what is expected of tiny" in " ".join(shown.split())
    code, _, errors = call("verify", "--update")
    assert code == 2
    assert "made with other parameters than params/tiny.yaml has. Run it as it is first" in errors


def test_numbers_of_a_site_are_not_written_where_everybody_sees_them(call, tmp_path):
    content = {"analysis": "subtypes", "notebook": "10_subtypes.ipynb"}
    content["parameters"] = TINY | {"source": "folder"}
    (call.home / "params" / "tiny.yaml").write_text(yaml.safe_dump(content))
    code, _, errors = call("run", "tiny", "--data", cohort(tmp_path / "site"))
    assert code == 0, errors
    code, _, errors = call("verify", "--update")
    assert code == 5
    assert "what comes from them is not written to reports/expected" in errors
    assert not (call.home / "reports" / "expected" / "tiny.json").exists()


def test_a_folder_of_somebody_else_is_left_alone(call):
    (call.home / "reports" / "out").mkdir()
    (call.home / "reports" / "out" / "tiny").write_text("my thesis")
    code, _, errors = call("run", "tiny")
    assert code == 6
    assert "was not made by iesoresearch; it was left as it is" in errors
    assert (call.home / "reports" / "out" / "tiny").read_text() == "my thesis"


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_fault_of_the_program_is_no_difference_of_numbers(call, monkeypatch, debug):
    def broken(*_):
        raise KeyError(who)

    who = "Ada Lovelace"
    monkeypatch.setattr(cli, "load_run", broken)
    monkeypatch.setenv("IESORESEARCH_DEBUG", debug)
    code, _, errors = call("verify")
    assert code == 4
    assert "unexpected KeyError; nothing was changed" in errors
    assert ("in broken" in errors) == bool(debug)  # where it happened
    assert "Lovelace" not in errors


@pytest.mark.parametrize("content", ["[]", '{"numbers": {}}', "null", "{"])
def test_expected_numbers_that_cannot_be_read(call, content):
    (call.home / "reports" / "expected" / "tiny.json").write_text(content)
    out = call.home / "reports" / "out"
    run = files.partial(out / "tiny")
    for name, made in [("numbers", {}), ("checks", []), ("result", {"tables": {}})]:
        files.write_json(run / f"{name}.json", made)
    files.finish(run, out / "tiny", {"run": "tiny", "inputs": {}, "parameters": {}})
    code, _, errors = call("verify")
    assert code == 2
    assert "absent or unreadable" in errors


def test_data_make(call, tmp_path):
    code, shown, _ = call("data", "make", tmp_path / "made", "-n", 20)
    assert code == 0
    names = {Path(line).name for line in shown.splitlines()}
    assert names >= {"patients.parquet", "referrals.parquet", "contacts.parquet", "truth.json"}
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
