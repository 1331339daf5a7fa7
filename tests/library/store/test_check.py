import json
import shutil

import polars as pl
import pytest

from iesoresearch.library import store
from iesoresearch.library.store import log, state
from iesoresearch.library.store.check import check
from iesoresearch.library.store.keys import Keys

FRAME = pl.DataFrame({"patient_id": ["a", "b"]})


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return Keys.make(tmp_path_factory.mktemp("keys") / "key")


@pytest.fixture
def library(tmp_path, keys):
    made = store.create(tmp_path / "library", keys, territory="UK", who="Ann")
    with made.writing("ingest", "data") as draft:
        draft.write("patients", FRAME, part="00")
        draft.write("patients", FRAME, part="01")
    made.note("extract", "study", {"rows": 12})
    return store.open_library(made.folder, keys)


def problems(library, head=None):
    return check(library, head).problems


def test_whole_library(library):
    found = check(library)
    assert (found.problems, found.notes, found.files, found.lines) == ([], [], 2, 3)
    assert found.head == library.head


def test_every_damaged_file_is_named(library):
    for part in ("00", "01"):
        path = library.folder / f"generations/2/records/patients/{part}.parquet"
        path.write_bytes(path.read_bytes()[::-1])
    found = problems(library)
    assert all(
        f"{p}.parquet is damaged" in text for p, text in zip(("00", "01"), found, strict=True)
    )
    path.unlink()
    assert "is missing" in problems(library)[1]


@pytest.mark.parametrize("where", ["x.txt", "generations/2/records/patients/02.parquet", "x/y"])
def test_file_that_nobody_knows_is_named(library, where):
    path = library.folder / where
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")
    assert any(f"{path} does not belong" in problem for problem in problems(library))


def test_link_is_named(library, tmp_path):
    shutil.copytree(library.folder / "generations/2/records", tmp_path / "records")
    shutil.rmtree(library.folder / "generations/2/records")
    (library.folder / "generations/2/records").symlink_to(tmp_path / "records")
    assert any("records is a link" in problem for problem in problems(library))


def test_linked_generation_is_not_followed_when_cleared(library, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/keys.json").write_text("x")
    (library.folder / "generations/1").symlink_to(tmp_path / "precious")
    assert any("is a link" in problem for problem in problems(library))
    assert library.clear(wait=0)
    assert (tmp_path / "precious/keys.json").read_text() == "x"
    assert not problems(library)


def test_line_of_the_log_that_was_changed_is_named(library):
    path = library.folder / state.LOG
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"why":"data"', b'"why":"date"'))
    assert any("Line 2 of log.jsonl" in problem for problem in problems(library))


def test_whole_library_of_an_earlier_day_is_found_out_by_the_head(library, keys, tmp_path):
    kept = library.head
    earlier = shutil.copytree(library.folder, tmp_path / "earlier")
    library.note("extract", "study 2", {})
    newest = library.head
    assert not problems(library, kept)
    assert not problems(library, f" {newest.upper()}\n")
    back = store.open_library(earlier, keys)
    assert not problems(back, kept)
    assert "replaced by an earlier copy" in problems(back, newest)[0]


def test_clock_that_was_set_back_is_told(library, keys, monkeypatch):
    class Clock(log.datetime):
        @classmethod
        def now(cls, zone):
            return cls(1999, 1, 1, tzinfo=zone)

    monkeypatch.setattr(log, "datetime", Clock)
    library.note("look", "x", {})
    found = check(library)
    assert not found.problems
    assert "set back before line 4" in found.notes[0]


def test_what_others_can_read_is_told(library):
    (library.folder / state.LOG).chmod(0o644)
    assert "log.jsonl is open to others" in check(library).notes[0]


def test_keys_that_are_not_needed_are_found_out_on_opening(library, keys):
    path = library.folder / "generations/2/keys.json"
    content = json.loads(path.read_text())
    content["keys"]["0" * 16] = "x"
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"keys\.json is damaged or was changed"):
        store.open_library(library.folder, keys)
