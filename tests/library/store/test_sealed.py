import json
import os

import polars as pl
import pytest

from iesoresearch.errors import DataError, OutputError, ParameterError
from iesoresearch.library.store import sealed
from iesoresearch.library.store.keys import Keys

A = pl.DataFrame({"tell_tale": ["one", None]})
META = {"purpose": "tell-tale study", "until": "2027-01-01", "limits": {"k": 5}}


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    return Keys.make(tmp_path_factory.mktemp("keys") / "key")


@pytest.fixture
def folder(tmp_path, key):
    pieces = (pl.DataFrame({"n": [n]}) for n in range(3))
    sealed.write_sealed(tmp_path / "extract", {"a": A, "b": pieces}, key, META)
    return tmp_path / "extract"


def test_what_is_sealed_is_read(folder, key):
    tables, meta = sealed.read_sealed(folder, key)
    assert meta == META
    assert list(tables) == ["a", "b"]
    assert len(tables) == 2
    assert tables["a"].equals(A)
    assert tables["b"]["n"].to_list() == [0, 1, 2]
    assert repr(tables) == "<Tables a, b>"


def test_nothing_is_told_without_the_key(folder, key, tmp_path):
    content = b"".join(p.read_bytes() for p in folder.iterdir())
    assert b"tell" not in content
    assert {p.stat().st_mode & 0o777 for p in folder.iterdir()} == {0o600}
    assert folder.stat().st_mode & 0o777 == 0o700
    other = Keys.make(tmp_path / "other")
    with pytest.raises(ParameterError, match=f"needs the key with the id {key.id}.*{other.id}"):
        sealed.read_sealed(folder, other)


def test_every_file_has_a_key_of_its_own(tmp_path, key):
    sealed.write_sealed(tmp_path / "x", {"a": A, "b": A}, key, {})
    assert (tmp_path / "x/a.parquet").read_bytes() != (tmp_path / "x/b.parquet").read_bytes()
    tables, _ = sealed.read_sealed(tmp_path / "x", key)
    assert len({written.key.content for written in tables._files.values()}) == 2


@pytest.mark.parametrize("name", ["a.parquet", "b.parquet"])
def test_changed_exchanged_or_lost_file_is_named(folder, key, name):
    path = folder / name
    content = path.read_bytes()
    other = (folder / ("a.parquet" if name[0] == "b" else "b.parquet")).read_bytes()
    for changed in (content[:-1], content[:9] + bytes([content[9] ^ 1]) + content[10:], other):
        path.write_bytes(changed)
        with pytest.raises(DataError, match=f"{name} is damaged or was changed"):
            sealed.read_sealed(folder, key)
    path.unlink()
    with pytest.raises(DataError, match=f"{name} is missing"):
        sealed.read_sealed(folder, key)


def test_changed_meta_is_refused(folder, key):
    path = folder / sealed.SEAL
    content = json.loads(path.read_text())
    body = content["sealed"]
    changes = {
        "id": "0" * 32,
        "sealed": ("B" if body[20] == "A" else "A").join((body[:20], body[21:])),
    }
    for name, value in changes.items():
        path.write_text(json.dumps(content | {name: value}))
        with pytest.raises(DataError, match=r"sealed\.json is damaged or was changed"):
            sealed.read_sealed(folder, key)
    for version in (0, 2):
        path.write_text(json.dumps(content | {"version": version}))
        with pytest.raises(ParameterError, match="another version of iesoresearch"):
            sealed.read_sealed(folder, key)
    for strange in ("{}", "[", '{"format": "x"}'):
        path.write_text(strange)
        with pytest.raises(ParameterError, match="is no sealed folder"):
            sealed.read_sealed(folder, key)
    path.unlink()
    with pytest.raises(ParameterError, match="no sealed folder: there is no"):
        sealed.read_sealed(folder, key)


def test_file_that_changes_after_it_was_proven_is_not_read(folder, key):
    tables, _ = sealed.read_sealed(folder, key)
    (folder / "a.parquet").write_bytes(b"something else")
    with pytest.raises(DataError, match="checksum"):
        _ = tables["a"]


def test_file_of_another_extract_is_not_taken(folder, key, tmp_path):
    sealed.write_sealed(tmp_path / "other", {"a": A}, key, {})
    (folder / "a.parquet").write_bytes((tmp_path / "other/a.parquet").read_bytes())
    with pytest.raises(DataError, match=r"a\.parquet is damaged"):
        sealed.read_sealed(folder, key)
    (tmp_path / "other/more.txt").write_text("x")
    with pytest.raises(DataError, match=r"more\.txt is no file of this sealed folder"):
        sealed.read_sealed(tmp_path / "other", key)


def test_made_completely_or_not_at_all(tmp_path, key, monkeypatch):
    def pieces():
        yield A
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sealed.write_sealed(tmp_path / "x", {"a": A, "b": pieces()}, key, {})
    assert not list(tmp_path.iterdir())

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OutputError, match="No space left"):
        sealed.write_sealed(tmp_path / "x", {"a": A}, key, {})
    monkeypatch.undo()
    assert not list(tmp_path.iterdir())


def test_folder_that_is_there_and_names_that_lead_elsewhere(folder, key, tmp_path):
    with pytest.raises(OutputError, match="left as it is"):
        sealed.write_sealed(folder, {"a": A}, key, {})
    (tmp_path / "dangling").symlink_to(tmp_path / "absent")
    with pytest.raises(OutputError, match="left as it is"):
        sealed.write_sealed(tmp_path / "dangling", {"a": A}, key, {})
    with pytest.raises(ParameterError, match="names no table of a sealed folder"):
        sealed.write_sealed(tmp_path / "x", {"../a": A}, key, {})
