"""What is wrong with the data is said all at once, with counts and without a value."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.data import synthetic
from iesoresearch.data.cohort import Cohort
from iesoresearch.data.sources import from_folder
from iesoresearch.errors import DataError, NotApplicable, OutputError
from iesoresearch.measures import PHQ9


def tables(sessions=((1, 2, 3), (1, 2))):
    """A small valid set of tables; answers are the session number modulo 4."""
    ids = [f"p{i}" for i in range(len(sessions))]
    rows = [(i, s) for i, numbers in zip(ids, sessions, strict=True) for s in numbers]
    contacts = pl.DataFrame(rows, schema=["referral_id", "session"], orient="row").with_columns(
        pl.col("referral_id").alias("patient_id"),
        *((pl.col("session") % 4).alias(column) for column in PHQ9.columns),
    )
    return {
        "patients": pl.DataFrame({"patient_id": ids, "age": [40] * len(ids)}),
        "referrals": pl.DataFrame({"referral_id": ids, "patient_id": ids}),
        "contacts": contacts,
    }


def checked(changed):
    return Cohort.checked("Test data", "patient", tables() | changed, "none")


def altered(table, **columns):
    return {table: tables()[table].with_columns(**columns)}


BAD = {
    "item out of range": (
        altered("contacts", phq9_3=pl.lit(7)),
        "contacts: phq9_3: 5 value(s) beyond the maximum of 3",
    ),
    "item below range": (
        altered("contacts", phq9_3=pl.lit(-2)),
        "contacts: phq9_3: 5 value(s) beyond the minimum of 0",
    ),
    "text for a number": (
        altered("contacts", phq9_3=pl.lit("often")),
        "contacts: phq9_3: 5 value(s) are not a whole number",
    ),
    "unknown code": (
        altered("patients", gender=pl.lit("f")),
        "patients: gender: 2 value(s) are not one of female, male, other, not known",
    ),
    "one item column absent": (
        {"contacts": tables()["contacts"].drop("phq9_5")},
        "contacts: the column phq9_5 is absent",
    ),
    "key column absent": (
        {"contacts": tables()["contacts"].drop("session")},
        "contacts: the column session is absent",
    ),
    "unknown column": (
        altered("contacts", mood=pl.lit(1)),
        "contacts: 1 column(s) are not part of the schema. Mend",
    ),
    "duplicate session": (
        altered("contacts", session=pl.lit(1)),
        "contacts: 5 rows share their referral_id and session",
    ),
    "missing key": (
        altered("patients", patient_id=pl.lit(None, pl.String)),
        "patients: patient_id: 2 value(s) are missing",
    ),
    "empty table": ({"contacts": tables()["contacts"].clear()}, "contacts: there is no row"),
    "orphan session": (
        {"referrals": tables()["referrals"].head(1)},
        "contacts: 2 row(s) have a referral_id that referrals does not know",
    ),
}


@pytest.mark.parametrize(("changed", "message"), BAD.values(), ids=BAD.keys())
def test_problems_are_named(changed, message):
    with pytest.raises(DataError) as caught:
        checked(changed)
    assert message in str(caught.value)
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)


def test_all_problems_at_once_and_no_value():
    changed = altered("contacts", phq9_3=pl.lit("SECRET")) | altered("patients", age=pl.lit(300))
    with pytest.raises(DataError) as caught:
        checked(changed)
    text = str(caught.value)
    assert "phq9_3" in text
    assert "age" in text
    assert "SECRET" not in text
    assert "300" not in text


def test_absent_table():
    given_tables = tables()
    del given_tables["referrals"]
    with pytest.raises(DataError, match="referrals: the table is absent"):
        Cohort.checked("x", "patient", given_tables, "none")


def test_questionnaires_nobody_uses_may_be_absent():
    cohort = checked({})
    assert cohort.contacts["gad7_1"].null_count() == 5


def test_sequences_are_sorted_and_gaps_keep_their_place():
    given_tables = tables(sessions=((4, 1, 2), (2,)))
    cohort = Cohort.checked("x", "patient", given_tables, "none")
    sequences = cohort.sequences(PHQ9)
    assert sequences.items.dtype == np.int8
    assert sequences.items[:, 0].tolist() == [1, 2, -1, 0, 2]  # session 3 was skipped
    assert sequences.lengths.tolist() == [4, 1]
    assert sequences.rows.tolist() == [1, 2, -1, 0, 3]


def test_people_without_answers_are_left_out_and_counted():
    given_tables = tables()
    silent = pl.col("referral_id") == "p1"
    given_tables["contacts"] = given_tables["contacts"].with_columns(
        pl.when(silent).then(None).otherwise(pl.col(c)).alias(c) for c in PHQ9.columns
    )
    sequences = Cohort.checked("x", "patient", given_tables, "none").sequences(PHQ9)
    assert sequences.n_without_answers == 1
    assert sequences.lengths.tolist() == [3]


def test_nobody_answered():
    given_tables = tables()
    given_tables["contacts"] = given_tables["contacts"].with_columns(
        pl.lit(None).alias(c) for c in PHQ9.columns
    )
    cohort = Cohort.checked("Test data", "patient", given_tables, "none")
    with pytest.raises(DataError, match="Test data: nobody answered any PHQ-9 item"):
        cohort.sequences(PHQ9)


def test_totals_without_answers_are_another_thing_than_nothing():
    given_tables = tables()
    given_tables["contacts"] = (
        given_tables["contacts"].drop(PHQ9.columns).with_columns(phq9_total=pl.lit(9.0))
    )
    cohort = Cohort.checked("Test data", "patient", given_tables, "none")
    with pytest.raises(
        NotApplicable, match=r"holds PHQ-9 totals and no answers .* phq9_1 to phq9_9"
    ):
        cohort.sequences(PHQ9)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sets(st.integers(1, 9), min_size=1), min_size=1, max_size=6), st.randoms())
def test_sequences_against_a_loop(sessions, random):
    given_tables = tables(tuple(tuple(s) for s in sessions))
    order = list(range(given_tables["contacts"].height))
    random.shuffle(order)
    given_tables["contacts"] = given_tables["contacts"][order]
    sequences = Cohort.checked("x", "patient", given_tables, "none").sequences(PHQ9)
    expected = [
        s % 4 if s in numbers else -1
        for numbers in sessions
        for s in range(min(numbers), max(numbers) + 1)
    ]
    assert sequences.items[:, 4].tolist() == expected


def test_people_are_rows_of_patients_whatever_the_order():
    """One person without an answer, one with two referrals, tables in other orders."""
    contacts = pl.DataFrame(
        {"referral_id": ["r3", "r1", "r2", "r1", "r4"], "session": [1, 2, 1, 1, 1]}
    ).with_columns(
        pl.Series("patient_id", ["c", "a", "a", "a", "d"]),
        *(pl.lit(None if c == "phq9_1" else 1).alias(c) for c in PHQ9.columns),
    )
    contacts = contacts.with_columns(
        pl.when(pl.col("patient_id") != "d").then(pl.col(PHQ9.columns))
    )
    referrals = {"referral_id": ["r4", "r2", "r1", "r3"], "patient_id": ["d", "a", "a", "c"]}
    dates = pl.Series(["2024-01-01", "2024-03-01", "2024-02-01", "2024-01-05"])
    given_tables = {
        "patients": pl.DataFrame({"patient_id": ["d", "c", "b", "a"], "age": [1, 2, 3, 4]}),
        "referrals": pl.DataFrame(referrals).with_columns(referral_date=dates),
        "contacts": contacts,
    }
    cohort = Cohort.checked("x", "patient", given_tables, "none")
    sequences = cohort.sequences(PHQ9)
    assert sequences.lengths.tolist() == [1, 2]
    assert cohort.patients["age"].to_numpy()[sequences.people].tolist() == [2, 4]


TYPES = {
    "whole floats": (pl.Series([1.0, 2.0, None, 0.0, 3.0]), [1, 2, None, 0, 3]),
    "text": (pl.Series([" 1", "2.0", "", "0", "3"]), [1, 2, None, 0, 3]),
    "NaN": (pl.Series([1.0, float("nan"), None, 0.0, 3.0]), [1, None, None, 0, 3]),
    "categories": (pl.Series(["1", "2", None, "0", "3"]).cast(pl.Categorical), [1, 2, None, 0, 3]),
    "decimals": (pl.Series([1, 2, None, 0, 3]).cast(pl.Decimal(5, 1)), [1, 2, None, 0, 3]),
    "nothing": (pl.Series([None] * 5, dtype=pl.String), [None] * 5),
}


@pytest.mark.parametrize(("series", "expected"), TYPES.values(), ids=TYPES.keys())
def test_answers_of_other_types(series, expected):
    contacts = tables()["contacts"].with_columns(series.alias("phq9_2"))
    assert checked({"contacts": contacts}).contacts["phq9_2"].to_list() == expected


REFUSED = {
    "halves": (pl.Series([1.5, 2.0, 1.0, 0.5, 3.0]), "phq9_2: 2 value(s) are not a whole number"),
    "truth values": (pl.Series([True] * 5), "phq9_2: holds Boolean where a whole number"),
    "lists": (pl.Series([[1]] * 5), "phq9_2: holds List(Int64) where a whole number"),
    "records": (pl.Series([{"a": 1}] * 5), "phq9_2: holds Struct"),
    "bytes": (pl.Series([b"1"] * 5), "phq9_2: holds Binary where a whole number"),
    "huge": (pl.Series([10**9] * 5), "phq9_2: 5 value(s) beyond the maximum of 3"),
}


@pytest.mark.parametrize(("series", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_answers_of_types_that_make_no_sense(series, message):
    contacts = tables()["contacts"].with_columns(series.alias("phq9_2"))
    with pytest.raises(DataError) as caught:
        checked({"contacts": contacts})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("dates", "problem"),
    [
        (["2024-01-31", ""], None),
        (["31/01/2024", "2024-02-30"], "referral_date: 2 value(s) are not a date like 2024-01-31"),
        ([20240131, 20240201], "referral_date: holds Int64 where a date like"),
    ],
)
def test_dates(dates, problem):
    referrals = tables()["referrals"].with_columns(pl.Series("referral_date", dates))
    if problem is None:
        found = checked({"referrals": referrals}).referrals["referral_date"].to_list()
        assert [str(d) for d in found] == ["2024-01-31", "None"]
        return
    with pytest.raises(DataError) as caught:
        checked({"referrals": referrals})
    assert problem in str(caught.value)


def test_a_file_without_a_header_row_is_said_and_not_quoted():
    contacts = tables()["contacts"]
    contacts = contacts.rename({c: f"Ada Lovelace {i}" for i, c in enumerate(contacts.columns)})
    with pytest.raises(DataError, match="may have no header row") as caught:
        checked({"contacts": contacts})
    assert "Lovelace" not in str(caught.value)


def test_a_near_miss_of_a_column_name_is_told_without_quoting_it():
    with pytest.raises(DataError) as caught:
        checked(altered("contacts", PHQ9_10=pl.lit("Lovelace")))
    assert "1 column(s) are not part of the schema; contacts: one of them looks like phq9_1" in str(
        caught.value
    )


def test_sessions_of_another_patient():
    wrong = altered("contacts", patient_id=pl.lit("p0"))
    with pytest.raises(DataError, match=r"2 row\(s\) name another patient than their referral"):
        checked(wrong)


def test_a_person_counts_once():
    given_tables = tables(sessions=((1, 2), (1, 2, 3)))
    for name in ("referrals", "contacts"):
        given_tables[name] = given_tables[name].with_columns(patient_id=pl.lit("p0"))
    dates = pl.Series("referral_date", ["2024-05-01", "2023-05-01"])
    given_tables["referrals"] = given_tables["referrals"].with_columns(dates)
    sequences = Cohort.checked("x", "patient", given_tables, "none").sequences(PHQ9)
    assert sequences.lengths.tolist() == [3]  # the earlier referral
    assert (sequences.n_later_referrals, sequences.n_without_answers) == (1, 1)


def test_a_session_far_from_all_others_is_a_slip():
    given_tables = tables(sessions=((1, 2, 900), (1, 2)))
    cohort = Cohort.checked("Test data", "patient", given_tables, "none")
    with pytest.raises(DataError, match=r"1 referral\(s\) skip more than 50 sessions in a row"):
        cohort.sequences(PHQ9)


def test_first_sessions_keep_their_number():
    given_tables = tables(sessions=((5, 6, 8), (2,)))
    sequences = Cohort.checked("x", "patient", given_tables, "none").sequences(PHQ9)
    assert sequences.session.tolist() == [5, 6, 7, 8, 2]


def write(folder, given_tables, suffix):
    folder.mkdir()
    for name, frame in given_tables.items():
        method = frame.write_parquet if suffix == "parquet" else frame.write_csv
        method(folder / f"{name}.{suffix}")
    return folder


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_folder_source(tmp_path, suffix):
    folder = write(tmp_path / "site", tables(), suffix)
    cohort = from_folder((tmp_path / "elsewhere", folder))
    assert cohort.sensitivity == "patient"
    assert cohort.contacts["phq9_1"].to_list() == [1, 2, 3, 1, 2]


def test_no_folder(tmp_path):
    with pytest.raises(DataError, match=r"No folder with contacts.parquet .* --data DIR"):
        from_folder((tmp_path,))


def test_broken_file_is_named_without_its_content(tmp_path):
    folder = write(tmp_path / "site", tables(), "parquet")
    (folder / "contacts.parquet").write_bytes(b"Ada Lovelace")
    with pytest.raises(DataError, match="cannot be read as a table") as caught:
        from_folder((folder,))
    assert "Lovelace" not in str(caught.value)


def test_writing_refuses_a_folder_in_use(tmp_path):
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(OutputError, match=r"is not empty. Name a new folder; nothing was over"):
        checked({}).write(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_writing_below_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written") as caught:
        checked({}).write(tmp_path / "file" / "below")
    assert caught.value.exit_code == 6


def test_a_synthetic_cohort_as_csv_reads_back_equal(tmp_path):
    made = synthetic.make(30, seed=1)
    folder = write(tmp_path / "csv", {n: getattr(made, n) for n in tables()}, "csv")
    again = from_folder((folder,))
    for name in tables():
        assert getattr(again, name).equals(getattr(made, name)), name


def test_written_tables_read_back_equal(tmp_path):
    cohort = checked({})
    cohort.write(tmp_path / "new")
    again = from_folder((tmp_path / "new",))
    assert again.contacts.equals(cohort.contacts)
    assert again.patients.equals(cohort.patients)
