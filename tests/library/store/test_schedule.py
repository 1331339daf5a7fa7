from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from iesoresearch.errors import ParameterError
from iesoresearch.library.store import schedule


def over(years, discharged, on, table="referrals", tables=None):
    plan = schedule.Schedule(years, tables or {})
    frame = pl.DataFrame({"discharge_year": discharged}, schema={"discharge_year": pl.String})
    return frame.select(x=plan.over(table, on))["x"].to_list()


def test_last_day_of_the_last_year():
    """2015-16 ends on 31 March 2016; eight years later that day is still within them."""
    assert over(8, ["2015-16", "2016-17", None, "?"], date(2024, 3, 31)) == [
        *(False, False, None, None)
    ]
    assert over(8, ["2015-16", "2016-17"], date(2024, 4, 1)) == [True, False]
    assert over(8, ["1999-00", "1999-00"], date(2008, 4, 1)) == [True, True]
    assert over(0, ["2023-24"], date(2024, 4, 1)) == [True]
    assert over(8, ["2020-21"], date(2023, 4, 1), "content", {"content": 2}) == [True]


@hypothesis_settings(max_examples=50, deadline=None)
@given(st.integers(1990, 2030), st.integers(0, 30), st.dates(date(2000, 1, 1), date(2060, 1, 1)))
def test_as_the_calendar_says(year, years, on):
    last = date(year + 1 + years, 3, 31)
    assert over(years, [f"{year}-{(year + 1) % 100:02}"], on) == [on > last]


def test_schedule_of_settings():
    assert schedule.read({}) is None
    given = {"retention": {"years_after_discharge": 8, "tables": {"content": 2}}}
    plan = schedule.read(given)
    assert (plan.years_of("referrals"), plan.years_of("content")) == (8, 2)
    with pytest.raises(ParameterError, match="content would outlast their referrals"):
        schedule.read({"retention": {"years_after_discharge": 1, "tables": {"content": 2}}})
    with pytest.raises(ParameterError, match="tables are names of tables"):
        schedule.read({"retention": {"years_after_discharge": 1, "tables": ["content"]}})
