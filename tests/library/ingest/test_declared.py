"""What an ingest is told about files is strict, and says what was meant."""

from pathlib import Path

import polars as pl
import pytest

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.library.ingest.allowed import allowed
from iesoresearch.library.ingest.declared import Declared
from iesoresearch.library.ingest.inputs import Files
from iesoresearch.library.ingest.quiet import Quiet


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("identifier: []", r"no identifier \(did you mean identifiers"),
        ("identifiers: [{file: a.csv, columns: {patient_id: a, nhs_numbr: b}}]", "mean nhs_number"),
        ("identifiers: [{file: a.csv, columns: {nhs_number: b}}]", "needs patient_id"),
        (
            "identifiers: [{file: a.csv, columns: {patient_id: a, name: b}, "
            "dates: {date_of_birth: dd/mm/yyy}}]",
            "mean dd/mm/yyyy",
        ),
        ("deprivation: {file: a.csv, columns: {lsao: x}}", "mean lsoa"),
        ("transcripts: {columns: {}}", "transcripts.file is missing"),
        ("just words", "must hold names with values"),
        ("a: [", "cannot be read as YAML"),
    ],
)
def test_what_cannot_be(tmp_path, text, message):
    (tmp_path / "d.yaml").write_text(text)
    with pytest.raises(ParameterError, match=message):
        Declared.read(tmp_path / "d.yaml")


def test_columns_by_file():
    one = {"file": "sub/a.csv", "columns": {"patient_id": "id", "name": "who"}}
    assert Declared.check({"identifiers": [one]}, "d").by_file() == {
        "a.csv": frozenset({"id", "who"})
    }


def test_declared_files_that_are_not_as_declared(tmp_path):
    one = {"file": "a.csv", "columns": {"patient_id": "id", "name": "who"}}
    files = Files(tmp_path, Declared.check({"identifiers": [one]}, "d"), None)
    with pytest.raises(DataError, match="File 1 of the identifiers that are declared is not there"):
        files.people()
    (tmp_path / "a.csv").write_text("id,whom\n1,2\n")
    with pytest.raises(DataError, match="has no column for name"):
        files.people()


def test_names_of_files_are_not_told(tmp_path):
    folder = tmp_path / "Snodgrass"
    folder.mkdir()
    for name in ("Snodgrass 1.csv", "contacts.csv"):
        (folder / name).touch()
    quiet = Quiet(folder)
    assert quiet.text(f"{folder}/Snodgrass 1.csv is empty") == "file 1 of the folder is empty"
    assert (
        quiet.text(f"{folder} has no contacts.csv") == "the folder of the data has no contacts.csv"
    )
    with pytest.raises(DataError, match="A file cannot be read to its end"), quiet.told():
        raise pl.exceptions.ComputeError("Snodgrass")


def test_our_own_words_stay_whatever_the_folder_is_called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ours = "The data: 2 problem(s) in the data. contacts: a row. Mend it."
    for name in (".", "data", "a"):
        (tmp_path / name).mkdir(exist_ok=True)
        assert Quiet(Path(name)).text(ours) == ours


CONTENT = pl.LazyFrame({"element": ["homework", "hopes"], "words": [10, 20]})
SCORES = pl.LazyFrame(
    {"instrument": ["pcl5", "pcl5", "mine"], "item": [0, 1, 0], "value": [35.0, 999.0, 3.0]}
)


def test_elements_need_a_codebook():
    assert allowed({"content": CONTENT}, ["hopes"], {})[1] == {}
    with pytest.raises(DataError, match=r"1 row\(s\) have an element of no codebook"):
        allowed({"content": CONTENT}, [], {})
    with pytest.raises(DataError, match=r"1 element\(s\) of the codebook look like identifiers"):
        allowed({"content": CONTENT}, ["hopes", "susan"], {})


def test_scores_of_known_scales_alone_come_in():
    tables, counts = allowed({"scores": SCORES}, [], {})
    assert tables["scores"].collect()["value"].to_list() == [35.0]
    assert list(counts.values()) == [2]
