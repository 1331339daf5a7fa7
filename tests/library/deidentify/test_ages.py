"""Bands of ages, and ages on a day."""

from datetime import date
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.data.groups import AGE_BANDS, CHARACTERISTICS
from iesoresearch.library.deidentify import ages


def banded(age):
    return (
        pl.DataFrame({"a": [age]}, schema={"a": pl.Int64}).select(ages.banded(pl.col("a"))).item()
    )


@pytest.mark.parametrize(
    ("age", "middle"),
    [
        *((17, 16), (18, 20), (22, 20), (23, 24), (25, 24), (26, 28), (30, 28), (61, 62)),
        *((64, 62), (65, 67), (74, 72), (75, 77), (89, 87), (90, 92), (120, 92), (0, 2)),
        *((121, None), (-1, None), (None, None)),
    ],
)
def test_the_middle_of_the_band(age, middle):
    assert banded(age) == middle


def test_bands_are_at_most_five_years_and_without_gaps():
    found = ages.bands()
    assert (found[0], found[-1]) == ((0, 4), (90, 94))
    assert all(low == before + 1 for (_, before), (low, _) in pairwise(found))
    assert all(high - low < 5 for low, high in found)


def test_nobody_changes_the_published_age_band():
    every = pl.DataFrame({"age": range(121)}).with_columns(age_at_referral="age")
    stored = every.select(ages.banded(pl.col(c)).alias(c) for c in every.columns)
    band = CHARACTERISTICS["Age band"][0]
    assert every.select(band).equals(stored.select(band))
    assert set(every.select(band).to_series()) == set(AGE_BANDS)


@settings(max_examples=50, deadline=None)
@given(st.dates(date(1900, 1, 1), date(2020, 1, 1)), st.dates(date(1900, 1, 1), date(2020, 1, 1)))
def test_birthdays_are_counted(born, day):
    found = pl.select(ages.age_on(pl.lit(day), pl.lit(born))).item()
    # by its definition: the birthdays since
    assert found == day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def test_born_on_a_leap_day():
    on = [date(2023, 2, 28), date(2023, 3, 1), date(2024, 2, 29)]
    frame = pl.DataFrame({"day": on, "born": [date(2000, 2, 29)] * 3})
    assert frame.select(ages.age_on(pl.col("day"), pl.col("born"))).to_series().to_list() == [
        *(22, 23, 24)
    ]
