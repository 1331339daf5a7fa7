"""A lazy table comes into its schema as an eager one does, and what is wrong is counted."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iesoresearch.data.conform import conform, conformed, shared
from iesoresearch.data.schema import Contacts, Patients


def test_lazy_and_counted():
    table = pl.LazyFrame({"patient_id": ["a", "b", "b"], "age": ["30", "x", "200"]})
    typed, findings = conformed(table, Patients)
    assert [(f.text, f.n) for f in findings] == [
        ("age: 1 value(s) are not a whole number of 0 or more", 1),
        ("age: 1 value(s) beyond the maximum of 120", 1),
        ("2 rows share their patient_id", 2),
    ]
    assert typed.collect()["age"].to_list() == [30, None, 200]


def test_columns_are_those_of_the_schema_in_its_order():
    frame = pl.DataFrame({"age": [30], "patient_id": [" a "]})
    made, problems = conform(frame, Patients)
    assert problems == []
    assert made.columns == Patients.column_names()
    assert made.row(0)[:2] == ("a", 30)


@pytest.mark.parametrize("cells", [[{"Lovelace": 1}], [[{"Lovelace": 1}]]])
def test_names_of_fields_are_not_quoted(cells):
    frame = pl.DataFrame({"patient_id": ["a"], "age": cells})
    _, problems = conform(frame, Patients)
    assert problems == ["age: holds Struct where a whole number of 0 or more is wanted"]


def test_unknown_names_alone():
    _, problems = conform(pl.DataFrame({"Lovelace": [1]}), Contacts)
    assert len(problems) == 1
    assert problems[0].startswith("no column has a name of the schema; the file may have no header")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([1, 2, None])), max_size=12))
def test_shared_keys_against_a_loop(rows):
    table = pl.LazyFrame(rows, schema={"x": pl.String, "y": pl.Int64}, orient="row")
    whole = [row for row in rows if None not in row]
    assert shared(table, ["x", "y"]) == sum(whole.count(row) > 1 for row in whole)
