"""Conversions by hand, and that no unit is guessed."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.errors import ParameterError
from iesoresearch.models.markov_cohort import (
    YEAR,
    Duration,
    per_cycle,
    probability_from_rate,
    rate_from_probability,
    rescale_probability,
    same_unit,
)

MONTH, WEEK, QUARTER = Duration(1, "month"), Duration(1, "week"), Duration(1, "quarter")


def test_a_year_is_twelve_months_four_quarters_and_365_days_and_a_quarter():
    assert Duration(12, "month").years == Duration(4, "quarter").years == 1
    assert Duration(365.25, "day").years == 1
    assert 1 / WEEK.years == pytest.approx(52.1786, abs=5e-5)
    assert Duration(6, "month").over(MONTH) == 6
    assert str(Duration(3, "month")) == "3 months"
    assert str(YEAR) == "1 year"


def test_an_annual_rate_in_a_monthly_model():
    assert probability_from_rate(0.15, YEAR, MONTH) == pytest.approx(1 - math.exp(-0.15 / 12))
    assert per_cycle(1200, YEAR, MONTH) == pytest.approx(100)
    # Whiteford 2013: 53 % within 12 months is a weekly hazard of 0.0145
    assert rate_from_probability(0.53, YEAR, WEEK) == pytest.approx(0.0145, abs=5e-5)


def test_arrays_stay_arrays():
    found = probability_from_rate(np.array([[0.1], [0.2]]), YEAR, YEAR)
    assert found.shape == (2, 1)
    assert found[1, 0] == pytest.approx(1 - math.exp(-0.2))


@settings(max_examples=50, deadline=None)
@given(
    st.floats(0, 5),
    st.sampled_from([YEAR, MONTH, WEEK, QUARTER]),
    st.sampled_from([YEAR, MONTH, WEEK, QUARTER]),
)
def test_there_and_back(rate, per, cycle):
    p = probability_from_rate(rate, per, cycle)
    if p < 1 - 1e-6:
        assert rate_from_probability(p, cycle, per) == pytest.approx(rate, rel=1e-6, abs=1e-9)
        longer = rescale_probability(p, cycle, Duration(3, "year"))
        assert longer == pytest.approx(probability_from_rate(rate, per, Duration(3, "year")))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: probability_from_rate(0.15, None, MONTH),
            r"unit of the rate 0\.15 is not said \(the other unit is 1 month\)",
        ),
        (lambda: per_cycle(100, YEAR, 1), r"unit of the value 100 is not said.*1 year.*found 1\."),
        (
            lambda: probability_from_rate(-0.1, YEAR, MONTH),
            r"rate per 1 year cannot be negative.*-0\.1",
        ),
        (
            lambda: probability_from_rate(math.nan, YEAR, MONTH),
            "cannot be negative or NaN; found nan",
        ),
        (
            lambda: rate_from_probability(1.0, YEAR),
            "within 1 year must be in 0 … 1, below 1; found 1",
        ),
        (
            lambda: rescale_probability(1.2, YEAR, MONTH),
            r"within 1 year must be in 0 … 1; found 1\.2",
        ),
        (lambda: probability_from_rate("often", YEAR, MONTH), "must be a number or an array"),
        (lambda: Duration(1, "fortnight"), '"fortnight" is none of these'),
        (lambda: Duration(0, "week"), "must be above zero; this one is 0 week"),
        (
            lambda: same_unit("the discount rate", YEAR, MONTH),
            "The discount rate is per 1 year, but a cycle of the model is 1 month: it would be "
            "counted 12 times too often",
        ),
        (lambda: same_unit("the cycle", 12, YEAR), "The cycle has no unit"),
    ],
)
def test_what_has_no_unit_or_no_sense(call, message):
    with pytest.raises(ParameterError, match=message):
        call()


def test_equal_lengths_of_different_names_are_the_same_unit():
    """Neither refused nor rescaled."""
    three_months = Duration(3, "month")
    assert same_unit("the cost", QUARTER, three_months) is None
    assert per_cycle(7.0, QUARTER, three_months) == 7.0
