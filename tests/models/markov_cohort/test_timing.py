"""Conventions by hand, and that their weights sum to the number of cycles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.errors import ParameterError
from iesoresearch.models.markov_cohort import CONVENTIONS, YEAR, Duration, discount, weights

MONTH = Duration(1, "month")


def test_weights_by_hand():
    assert list(weights("start", 3)) == [1, 1, 1, 0]
    assert list(weights("end", 3)) == [0, 1, 1, 1]
    assert list(weights("trapezoid", 3)) == [0.5, 1, 1, 0.5]
    assert list(weights("life_table", 3)) == [0.5, 1, 1, 0.5]
    assert weights("simpson", 4) == pytest.approx(np.array([1, 4, 2, 4, 1]) / 3)
    assert weights("darth_simpson", 3) == pytest.approx(np.array([1, 2, 4, 1]) / 3)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from([c for c in CONVENTIONS if c != "darth_simpson"]), st.integers(1, 200))
def test_weights_sum_to_the_number_of_cycles(convention, n):
    n += n % 2 if convention == "simpson" else 0
    assert weights(convention, n).sum() == pytest.approx(n, rel=1e-13)


def test_the_weights_of_the_darth_tutorials_do_not():
    """74.67 for their 75 cycles: two thirds and four thirds alternate, ends are a third."""
    assert weights("darth_simpson", 75).sum() == pytest.approx(74 + 2 / 3, abs=1e-12)


def test_simpson_integrates_a_cubic_exactly():
    t = np.arange(9.0)
    assert weights("simpson", 8) @ (t**3 - 2 * t) == pytest.approx(8**4 / 4 - 8**2, rel=1e-13)


def test_discount_factors_by_hand():
    assert discount(0.03, 2, YEAR) == pytest.approx([1, 1 / 1.03, 1 / 1.03**2])
    assert discount(0.03, 2, YEAR, "t-1") == pytest.approx([1, 1, 1 / 1.03])
    assert discount(0.03, 2, YEAR, "t-0.5") == pytest.approx([1, 1.03**-0.5, 1.03**-1.5])
    assert discount(0.03, 24, MONTH)[[0, 12, 24]] == pytest.approx([1, 1 / 1.03, 1 / 1.03**2])
    years = discount(0.03, 24, MONTH, "whole years")
    assert years[[11, 12, 23, 24]] == pytest.approx([1, 1 / 1.03, 1 / 1.03, 1 / 1.03**2])


def test_a_rate_per_cycle_must_say_so():
    """0.4 % per quarter, as Freitag and others 2024 have it."""
    quarter = Duration(3, "month")
    per_cycle = discount(0.004, 20, quarter, rate_per=quarter)
    assert per_cycle[20] == pytest.approx(1.004**-20)
    assert discount(0.004, 20, quarter)[20] == pytest.approx(1.004**-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: weights("half", 3), '"half": choose from start, end, trapezoid'),
        (lambda: weights("simpson", 75), "needs an even number of cycles, and there are 75"),
        (lambda: weights("end", 0), "must be 1 or more; found 0"),
        (lambda: weights("end", 2.5), r"must be 1 or more; found 2\.5"),
        (lambda: discount(3.5, 2, YEAR), r"found 3\.5\. Write 3\.5 % as 0\.035"),
        (lambda: discount(-0.1, 2, YEAR), r"fraction per 1 year in 0 … 1, below 1; found -0\.1"),
        (lambda: discount(0.03, 2, YEAR, "t+1"), r'"t\+1": choose from t, t-1'),
        (lambda: discount(0.03, 2, 1), "The cycle has no unit"),
        (lambda: discount(0.03, 2, YEAR, rate_per=None), "The discount rate has no unit"),
    ],
)
def test_what_is_no_convention(call, message):
    with pytest.raises(ParameterError, match=message):
        call()
