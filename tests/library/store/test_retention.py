import hashlib
import hmac
from datetime import date, timedelta

import polars as pl
import pytest

from iesoresearch.errors import ParameterError
from iesoresearch.library import store
from iesoresearch.library.store import retention
from iesoresearch.library.store.check import check
from iesoresearch.library.store.keys import Keys

ON = date(2024, 4, 1)  # the first day on which 2015-16 is over after eight years
SETTINGS = {"retention": {"years_after_discharge": 8, "tables": {"content": 2}}}

#: Patient a is over, b has a referral that is not, c is still treated, d is over but for content.
REFERRALS = pl.DataFrame(
    {
        "referral_id": ["a1", "a2", "b1", "b2", "c1", "d1"],
        "patient_id": ["a", "a", "b", "b", "c", "d"],
        "discharge_year": ["2014-15", "2015-16", "2010-11", "2016-17", None, "2018-19"],
    }
)
TABLES = {
    ("records", "patients"): pl.DataFrame({"patient_id": list("abcd"), "age": [1, 2, 3, 4]}),
    ("records", "contacts"): pl.DataFrame(
        {
            "referral_id": ["a1", "a2", "b1", "b2", "c1", "d1", None, None],
            "patient_id": ["a", "a", "b", "b", "c", "d", "a", "b"],
        }
    ),
    ("records", "content"): pl.DataFrame({"referral_id": ["a1", "b1", "b2", "c1", "d1"]}),
    ("records", "lookup"): pl.DataFrame({"code": [1, 2]}),
    ("choices", "matching"): pl.DataFrame({"patient_id": list("abcde")}),
    ("choices", "optouts"): pl.DataFrame({"hash": ["x"]}),
}


@pytest.fixture
def keys(tmp_path):
    return Keys.make(tmp_path / "key")


@pytest.fixture
def library(tmp_path, keys):
    made = store.create(tmp_path / "library", keys, territory="UK", who="Ann", settings=SETTINGS)
    with made.writing("ingest", "data") as draft:
        draft.write("referrals", REFERRALS[:3], part="00")
        draft.write("referrals", REFERRALS[3:], part="01")
        for (compartment, table), frame in TABLES.items():
            draft.write(table, frame, compartment=compartment)
    return made


def column(library, table, name, compartment="records"):
    return library.read(table, compartment=compartment)[name].to_list()


def test_what_is_over_goes_from_every_table(library):
    done = retention.retain(library, "yearly", on=ON)
    assert column(library, "referrals", "referral_id") == ["b2", "c1", "d1"]
    assert column(library, "patients", "patient_id") == ["b", "c", "d"]
    assert column(library, "contacts", "referral_id") == ["b2", "c1", "d1", None]
    assert column(library, "contacts", "patient_id") == ["b", "c", "d", "b"]
    assert column(library, "content", "referral_id") == ["c1"]
    assert column(library, "lookup", "code") == [1, 2]
    assert column(library, "matching", "patient_id", "choices") == ["b", "c", "d", "e"]
    assert column(library, "optouts", "hash", "choices") == ["x"]
    assert (done.referrals, done.patients, done.without_year) == (3, 1, 1)
    assert done.rows == 3 + 1 + 4 + 4 + 1
    assert done.proven
    assert not check(library).problems
    again = retention.retain(library, "yearly", on=ON)
    assert (again.referrals, again.rows, again.files) == (0, 0, [])


def test_what_went_is_proven_to_be_gone(library, keys):
    files = {hashlib.sha256(p.read_bytes()).hexdigest() for p in library.folder.rglob("*.parquet")}
    done = retention.retain(library, "yearly", on=ON)
    entry = library.log()[-1]
    told = entry["details"]
    assert told["destroyed"]["files"] == done.files
    after = {hashlib.sha256(p.read_bytes()).hexdigest() for p in library.folder.rglob("*.parquet")}
    assert set(done.files) == files - after
    # one part of referrals, patients, contacts, content, matching
    assert len(done.files) == len(told["destroyed"]["keys"]) == 5
    few = "fewer than 10"
    assert (told["referrals"], told["patients"], told["counted to"]) == (few, few, "2024-04-01")
    ids = sorted(
        [f"8 patient_id {i}" for i in "a"]
        + [f"8 referral_id {i}" for i in ("a1", "a2", "b1")]
        + [f"2 patient_id {i}" for i in ("a", "b", "d")]
        + [f"2 referral_id {i}" for i in ("a1", "a2", "b1", "b2", "d1")]
    )
    secret = library.secret("retention")
    expected = hmac.new(secret, "\n".join(ids).encode(), hashlib.sha256).hexdigest()
    assert told["digest of the ids"] == expected
    assert not any(f"'{name}'" in str(entry) for name in ("a1", "b1", "a"))


def test_file_that_comes_back_is_found_out(library, keys, tmp_path):
    old = next(library.folder.rglob("records/patients/0.parquet")).read_bytes()
    wrapped = (library.folder / "generations/2/keys.json").read_bytes()
    retention.retain(library, "yearly", on=ON)
    back = library.folder / "generations/9"
    back.mkdir()
    (back / "x.parquet").write_bytes(old)
    assert any("was to be destroyed and is still there" in p for p in check(library).problems)
    (back / "x.parquet").unlink()
    (back / "keys.json").write_bytes(wrapped)
    assert any("holds keys of files" in p for p in check(library).problems)
    assert library.clear(wait=0)
    assert not check(library).problems


def test_reader_delays_the_proof(library, keys):
    reader = store.open_library(library.folder, keys)
    done = retention.retain(library, "yearly", on=ON, wait=0)
    assert not done.proven
    assert any("was to be destroyed" in problem for problem in check(library).problems)
    reader.close()
    assert library.clear(wait=0)
    assert not check(library).problems


def test_dry_run_counts_and_changes_nothing(library):
    done = retention.retain(library, "yearly", on=ON, dry_run=True)
    assert (done.referrals, done.patients, done.rows, done.files) == (3, 1, 13, [])
    assert library.generation == 2
    assert library.read("referrals").height == 6


def test_records_that_were_over_and_come_in_again_are_told_of(library):
    retention.retain(library, "yearly", on=ON)
    with library.writing("ingest", "an old delivery") as draft:
        draft.write("referrals", REFERRALS[:1], part="00")
    found = check(library)
    assert not found.problems
    assert any("have come in since" in note for note in found.notes)


def test_library_without_referrals_or_schedule(tmp_path, keys):
    empty = store.create(tmp_path / "a", keys, territory="UK", who="Ann", settings=SETTINGS)
    assert retention.retain(empty, "yearly").rows == 0
    without = store.create(tmp_path / "b", keys, territory="UK", who="Ann")
    with pytest.raises(ParameterError, match="no retention schedule"):
        retention.retain(without, "yearly")


def test_nothing_goes_before_its_time(library):
    with pytest.raises(ParameterError, match="is to come"):
        retention.retain(library, "yearly", on=date.today() + timedelta(days=2))
