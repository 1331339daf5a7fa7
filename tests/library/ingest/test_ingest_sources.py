"""Submissions in other forms: the national data set, and a site's own files by a mapping."""

import sys
from pathlib import Path

import polars as pl
import pytest

from iesoresearch.errors import DataError
from iesoresearch.library import store
from iesoresearch.library.ingest import ingest
from iesoresearch.library.ingest.declared import Declared
from iesoresearch.library.ingest.inputs import mapped

sys.path.append(str(Path(__file__).parents[2] / "data"))
from test_national import NAMES, clean, write_csv

NHS = "9434765919"  # valid by the textbook


@pytest.fixture
def library(small_keys, tmp_path):
    """Empty."""
    return store.create(tmp_path / "library", small_keys, territory="UK", who="tests")


def with_column(path, name, value):
    table = pl.read_csv(path, infer_schema=False)
    table.with_columns(pl.lit(value).alias(name)).write_csv(path)


def test_the_national_data_set(library, tmp_path):
    folder = tmp_path / "national"
    write_csv(folder, clean())
    path = next(folder.rglob(f"{NAMES['101']}*"))
    with_column(path, "NHSNumber", NHS)
    with pytest.raises(DataError, match=r"looks like an identifier \(NHS numbers\)"):
        ingest(library, folder, why="undeclared")
    table = pl.read_csv(path, infer_schema=False)
    numbers = [None] * table.height
    numbers[0] = NHS
    table.with_columns(pl.Series("NHSNumber", numbers)).write_csv(path)
    one = {"file": path.name, "columns": {"patient_id": "Person_ID", "nhs_number": "NHSNumber"}}
    declared = Declared.check({"identifiers": [one]}, "test")
    report = ingest(library, folder, why="declared", declared=declared)
    assert report.counts["patients"] == library.read("patients").height == 3
    matching = library.read("matching", compartment="choices")
    assert matching["national"].count() == 1


MAPPING = """\
folder: "."
files:
- file: "all.csv"
  separator: semicolon
  encoding: utf-8
  decimal: point
  columns: {patient_id: Id, referral_id: Ref, referral_date: Day, session: Nr, phq9_total: Score}
  dates: {referral_date: dd/mm/yyyy}
"""


def test_a_sites_own_file_with_names_in_it(library, tmp_path):
    (tmp_path / "site.yaml").write_text(MAPPING)
    (tmp_path / "all.csv").write_text(
        "Id;Ref;Day;Nr;Score;Patient\n"
        "a;1;31/03/2024;1;12;Susan Snodgrass\na;1;31/03/2024;2;8;Susan Snodgrass\n"
    )
    with pytest.raises(DataError, match="column 6 looks like an identifier"):
        ingest(library, *mapped(tmp_path / "site.yaml", tmp_path, Declared())[:1], why="no")
    one = {"file": "all.csv", "columns": {"patient_id": "Id", "name": "Patient"}}
    declared = Declared.check({"identifiers": [one]}, "test")
    source, folder = mapped(tmp_path / "site.yaml", tmp_path, declared)
    ingest(library, source, why="declared", declared=declared, folder=folder)
    assert library.read("referrals")["referral_year"].to_list() == ["2023-24"]
    assert library.read("contacts")["phq9_total"].to_list() == [12, 8]
