"""Shifts, and what is stored of the calendar before them."""

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.library.deidentify import dates
from iesoresearch.measures.outcomes import OFFICIAL, Threshold, Thresholds


class Secrets:
    """What makes shifts of a library."""

    def __init__(self, key):
        self.key = key

    def secret(self, name):
        return name.encode() + self.key


DAYS = st.dates(date(1948, 7, 5), date(2100, 12, 31))


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=1, max_size=8), st.lists(DAYS | st.none(), min_size=1, max_size=6))
def test_intervals_stay_as_they_are(patient, days):
    shift = dates.shifts(Secrets(b"k"), [patient])[0]
    assert -dates.MOST <= shift <= -dates.LEAST
    frame = pl.DataFrame(
        {"d": days, "shift": [shift] * len(days)}, schema={"d": pl.Date, "shift": pl.Int32}
    )
    moved = frame.select(dates.shifted("d")).to_series().to_list()
    assert moved == [None if d is None else d + timedelta(days=shift) for d in days]
    # and the same in another ingest
    assert dates.shifts(Secrets(b"k"), ["other", patient])[1] == shift


def test_shifts_of_many_people_fill_the_year_and_depend_on_the_secret():
    people = [f"{i:032x}" for i in range(5000)]
    found = dates.shifts(Secrets(b"k"), people)
    assert set(found) == set(range(-364, 0))
    assert found != dates.shifts(Secrets(b"other"), people)


def test_a_leap_day_moves_as_any_other():
    frame = pl.DataFrame({"d": [date(2024, 2, 29), date(2024, 3, 1)], "shift": [-1, -1]})
    moved = frame.select(dates.shifted("d")).to_series().to_list()
    assert moved == [date(2024, 2, 28), date(2024, 2, 29)]


def test_no_dates_of_care():
    frame = pl.DataFrame(
        {
            "d": [date(1948, 7, 4), date(1948, 7, 5), date(1980, 1, 1), date(1980, 1, 2), None],
            "born": [None, None, date(1980, 1, 1), date(1980, 1, 1), date(1980, 1, 1)],
        },
        schema={"d": pl.Date, "born": pl.Date},
    )
    found = frame.select(dates.impossible("d")).to_series().to_list()
    assert found == [True, False, True, False, False]


@pytest.mark.parametrize(
    ("referred", "discharged", "expected"),
    [
        (date(2024, 3, 31), date(2024, 4, 1), ("2023-24", "2024-25", "2024-04-01")),
        (date(2024, 3, 31), None, ("2023-24", None, "2023-09-01")),
        (date(2023, 8, 31), None, ("2023-24", None, "2023-04-01")),
        (None, date(2024, 2, 29), (None, "2023-24", "2023-09-01")),
        (date(1999, 4, 1), None, ("1999-00", None, "1999-04-01")),
        (None, None, (None, None, None)),
    ],
)
def test_what_is_stored_before(referred, discharged, expected):
    own = Threshold(
        scale="spin", caseness=19, reliable_change=10, valid_from=date(2023, 9, 1), source="site"
    )
    frame = pl.DataFrame(
        {"referral_date": [referred], "discharge_date": [discharged]},
        schema={"referral_date": pl.Date, "discharge_date": pl.Date},
    )
    found = dates.with_years(frame, Thresholds((*OFFICIAL.rows, own)))
    assert found.select("referral_year", "discharge_year", "rules_version").row(0) == expected
