"""Files are written whole or not at all, and a tampered folder is no result."""

import json
import os
import re
import stat

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from iesoresearch import files
from iesoresearch.errors import DataError, OutputError


def finished(tmp_path, name="run", content="1"):
    folder = files.partial(tmp_path / name)
    files.write_text(folder / "numbers.json", content)
    files.finish(folder, tmp_path / name, {"run": name, "key": "k"})
    return tmp_path / name


def test_a_finished_folder_is_valid(tmp_path):
    run = finished(tmp_path)
    assert files.read_status(run)["key"] == "k"
    assert list(files.finished_runs(tmp_path)) == ["run"]


def tamper_content(run):
    (run / "numbers.json").write_text("2")


def tamper_remove(run):
    (run / "numbers.json").unlink()


def tamper_status(run):
    (run / "status.json").write_text('{"run": "run"')


def tamper_no_status(run):
    (run / "status.json").unlink()


def tamper_list(run):
    (run / "status.json").write_text("[]")


@pytest.mark.parametrize(
    "tamper", [tamper_content, tamper_remove, tamper_status, tamper_no_status, tamper_list]
)
def test_a_folder_that_was_changed_is_no_result(tmp_path, tamper):
    run = finished(tmp_path)
    tamper(run)
    assert files.read_status(run) is None
    assert files.finished_runs(tmp_path) == {}


def test_a_new_result_replaces_the_old_one(tmp_path):
    finished(tmp_path, content="old")
    run = finished(tmp_path, content="new")
    assert (run / "numbers.json").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_what_a_dead_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path):
    dead, alive = tmp_path / ".run.partial-999999999", tmp_path / f".run.partial-{os.getppid()}"
    for folder in (dead, alive):
        folder.mkdir()
    files.partial(tmp_path / "run")
    assert not dead.exists()
    assert alive.exists()


def test_a_kill_between_the_two_moves_loses_nothing(tmp_path):
    run = finished(tmp_path, content="good")
    run.rename(tmp_path / ".run.partial-old-999999999")  # as `finish` had it when it was killed
    files.partial(tmp_path / "run")
    assert (run / "numbers.json").read_text() == "good"
    assert files.read_status(run) is not None


def test_two_processes_that_finish_the_same_run(tmp_path, monkeypatch):
    first = files.partial(tmp_path / "run")
    monkeypatch.setattr(files.os, "getpid", os.getppid)
    second = files.partial(tmp_path / "run")
    for folder, content in ((first, "first"), (second, "second")):
        files.write_text(folder / "numbers.json", content)
        files.finish(folder, tmp_path / "run", {"run": "run", "key": "k"})
    assert (tmp_path / "run" / "numbers.json").read_text() == "second"
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("foreign", ["file", "folder"])
def test_what_was_not_made_here_is_left_alone(tmp_path, foreign):
    target = tmp_path / "run"
    if foreign == "file":
        target.write_text("mine")
    else:
        target.mkdir()
        (target / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="was not made by iesoresearch; it was left as it is"):
        files.partial(target)
    assert "mine" in (target.read_text() if target.is_file() else "mine")
    assert target.exists()


def test_other_folders_of_a_similar_name_do_no_harm(tmp_path):
    (tmp_path / ".run.partial-foo").mkdir()
    files.partial(tmp_path / "run")
    assert (tmp_path / ".run.partial-foo").exists()


def test_disk_full(tmp_path):
    """/dev/full answers every write with "no space left on device"."""
    target = tmp_path / "numbers.json"
    target.write_text("before")
    (tmp_path / "numbers.json.part").symlink_to("/dev/full")
    with pytest.raises(OutputError, match=r"cannot be written \(No space left on device\)") as e:
        files.write_text(target, "x" * 100_000)
    assert e.value.exit_code == 6
    assert target.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["numbers.json"]


def test_below_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        files.partial(tmp_path / "file" / "run")


def test_json_keeps_its_order(tmp_path):
    files.write_json(tmp_path / "a.json", {"b": 1, "a": "–"})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n "b": 1,\n "a": "–"\n}\n'
    assert list(json.loads((tmp_path / "a.json").read_text())) == ["b", "a"]


# Rows of patients, for later analyses


ROWS = pl.DataFrame({"patient_id": ["P-4711", "P-4712"], "p": [0.25, None]})


def with_rows(tmp_path):
    folder = files.partial(tmp_path / "run")
    files.write_private(folder, {"predictions": ROWS})
    files.write_text(folder / "numbers.json", "{}")
    files.finish(folder, tmp_path / "run", {"run": "run", "key": "k"})
    return tmp_path / "run"


def test_rows_come_back_as_they_were_for_their_owner_only(tmp_path):
    run = with_rows(tmp_path)
    assert_frame_equal(files.read_private(run, "predictions"), ROWS)
    assert stat.S_IMODE((run / "private").stat().st_mode) == 0o700
    assert stat.S_IMODE((run / "private" / "predictions.parquet").stat().st_mode) == 0o600
    assert "private/predictions.parquet" in files.read_status(run)["files"]


def test_rows_of_an_earlier_time_do_not_stay(tmp_path):
    files.write_private(tmp_path, {"old": ROWS})
    files.write_private(tmp_path, {"new": ROWS})
    assert [p.name for p in (tmp_path / "private").iterdir()] == ["new.parquet"]
    files.write_private(tmp_path, {})
    assert not (tmp_path / "private").exists()


def test_rows_that_were_changed_or_never_finished_are_refused(tmp_path):
    run = with_rows(tmp_path)
    files.write_private(run, {"predictions": ROWS.reverse()})
    with pytest.raises(DataError, match=r"Run run has no valid result in .*: iesoresearch run run"):
        files.read_private(run, "predictions")
    with pytest.raises(DataError, match="Run never has no valid result"):
        files.read_private(tmp_path / "never", "predictions")


@pytest.mark.parametrize("name", ["scores", "../numbers", "predictions.parquet"])
def test_rows_that_are_not_handed_over_are_one_sentence(tmp_path, name):
    run = with_rows(tmp_path)
    said = f"hands over no rows called '{re.escape(name)}'; it hands over predictions"
    with pytest.raises(DataError, match=said):
        files.read_private(run, name)
    with pytest.raises(DataError, match="it hands over none"):
        files.read_private(finished(tmp_path, "other"), "predictions")


def test_rows_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        files.write_private(tmp_path / "file", {"predictions": ROWS})
