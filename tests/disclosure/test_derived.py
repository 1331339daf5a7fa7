"""Rates and gaps tell what the released counts tell, and nothing more."""

import polars as pl
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from iesoresearch.disclosure import Policy, derived, release
from iesoresearch.results import Result, Table, Value

REFERENCE = {"Gender": "female"}


def made(reference=REFERENCE):
    frame = pl.DataFrame(
        {
            "grouping": ["Gender"] * 3 + ["Age"] * 2,
            "level": ["female", "male", "other", "18-25", "26+"],
            "finished": [213, 148, 42, 203, 200],
            "recovered": [104, 61, 5, 71, 99],
        }
    )
    count = {"parts_of": ("grouping",)}
    values = {
        "finished": Value("count", "Finished", 0, **count),
        "recovered": Value("count", "Recovered", 0, **count),
    }
    table = Table("T", frame, {"grouping": "", "level": ""}, values, "courses")
    table = derived.with_rate(table, "rate", "recovered", "finished", "Recovery, %")
    return derived.with_gap(table, "gap", "recovered", "finished", "Gap", reference=reference)


def shown(table, **numbers):
    result = release(Result(tables={"t": table}, numbers=numbers), Policy())
    return result.tables["t"], result.numbers


def test_rates_are_those_of_the_counts_that_are_shown():
    frame = shown(made())[0].frame
    row = frame.row(by_predicate=pl.col("level") == "18-25", named=True)
    assert (row["finished"], row["recovered"]) == (205, 70)
    assert row["rate"] == pytest.approx(100 * 70 / 205, abs=1e-12)
    low, high = proportion_confint(70, 205, method="wilson")
    assert [row["rate_low"], row["rate_high"]] == pytest.approx([100 * low, 100 * high])


def test_gaps_are_those_of_the_counts_that_are_shown():
    table = made()
    assert table.values["recovered"].within == "finished"
    exact = table.frame.filter(level="male").row(0, named=True)
    low, high = confint_proportions_2indep(61, 148, 104, 213, method="newcomb")
    assert exact["gap"] == pytest.approx(100 * (61 / 148 - 104 / 213))
    assert [exact["gap_low"], exact["gap_high"]] == pytest.approx([100 * low, 100 * high])
    assert table.frame.filter(level="female")["gap"].to_list() == [None]
    assert table.frame.filter(grouping="Age")["gap"].null_count() == 2


def test_what_hangs_on_a_suppressed_count_goes_with_it():
    frame = shown(made())[0].frame
    few = frame.filter(level="other").row(0, named=True)
    assert {few[c] for c in ("recovered", "rate", "rate_low", "gap", "gap_high")} == {None}
    assert few["status"] == "suppressed (fewer than 10 people)"
    hidden = frame.filter(pl.col("recovered").is_null())
    assert hidden["rate"].null_count() == hidden.height == 2


def test_released_tables_keep_no_function():
    table, numbers = shown(made(), young=derived.number("t", "rate", "%", level="18-25"))
    assert not any(value.derive for value in table.values.values())
    assert numbers["young"].derive is None
    assert str(numbers["young"]) == "34.1%"


def test_a_number_of_a_suppressed_cell_is_suppressed():
    few = shown(made(), few=derived.number("t", "rate", level="other"))[1]["few"]
    assert (few.value, few.status) == (None, "suppressed (fewer than 10 people)")
    with pytest.raises(ValueError, match="0 rows with"):
        shown(made(), none=derived.number("t", "rate", level="nobody"))


def test_columns_and_reference_groups_must_be_there():
    with pytest.raises(ValueError, match="'rate' is no count of it"):
        derived.with_rate(made(), "again", "rate", "finished", "")
    with pytest.raises(ValueError, match=r"no reference group \('Gender', 'Female'\)"):
        made({"Gender": "Female"})
    with pytest.raises(ValueError, match=r"\['few'\] must be counts within a count"):
        Table("T", pl.DataFrame({"few": [1]}), {}, {"few": Value("count", "", within="all")})
