"""Weighted sums of proportions, and gaps between groups."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep

from iesoresearch.errors import ParameterError
from iesoresearch.models import inequality, proportions


def test_gaps_equal_those_of_statsmodels():
    events, n = np.array([30, 12, 4]), np.array([50, 40, 25])
    found = inequality.gaps(events, n, 0)
    assert found.row(0) == (None,) * 6
    for row in (1, 2):
        pair = (events[row], n[row], events[0], n[0])
        low, high = confint_proportions_2indep(*pair, method="newcomb", compare="diff")
        points = found.select("points", "points_low", "points_high").row(row)
        gap = events[row] / n[row] - 0.6
        assert points == pytest.approx((100 * gap, 100 * low, 100 * high), abs=1e-9)
        # without the correction (n / (n - 1)) of Miettinen and Nurminen it is Koopman's
        low, high = confint_proportions_2indep(
            *pair, method="score", compare="ratio", correction=False
        )
        ratio = found.select("ratio", "ratio_low", "ratio_high").row(row)
        assert ratio == pytest.approx((events[row] / n[row] / 0.6, low, high), rel=1e-4)


def test_a_group_of_nobody_has_no_gap():
    found = inequality.gaps([5, 0], [10, 0], 0)
    assert found.row(1) == (None,) * 6


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 20), st.integers(20, 90), st.integers(0, 15), st.integers(15, 60))
def test_a_combination_of_one_and_minus_one_is_newcombes(a, n, b, m):
    found = inequality.combination([1, -1, 0], [a, b, 3], [n, m, 0])
    expected = [float(x) for x in proportions.newcombe(a, n, b, m)]
    assert list(vars(found).values()) == pytest.approx(expected, abs=1e-12)


def test_a_combination_covers_the_truth():
    """Weighted mean of three rates, one of them near zero; 2,000 draws, Monte Carlo error .5 %."""
    random = np.random.default_rng(1)
    weights, rates, n = (
        np.array([0.5, 0.3, -0.2]),
        np.array([0.04, 0.3, 0.6]),
        np.array([40, 30, 25]),
    )
    drawn = random.binomial(n, rates, (2000, 3))
    found = [inequality.combination(weights, events, n) for events in drawn]
    covered = np.mean([e.low <= weights @ rates <= e.high for e in found])
    assert 0.93 < covered < 0.98


@pytest.mark.parametrize("reference", [5, -1, 1.0, "White", None])
def test_a_reference_is_a_row(reference):
    with pytest.raises(ParameterError, match="the row of a group, a number from 0 to 1, and not"):
        inequality.gaps([5, 3], [10, 9], reference)


def test_what_cannot_be_had_is_refused():
    with pytest.raises(ParameterError, match="above the number of people"):
        inequality.combination([1, 1], [5, 2], [4, 8])
    with pytest.raises(ParameterError, match="a weight for a group of nobody"):
        inequality.combination([1, 1], [5, 0], [8, 0])
    with pytest.raises(ParameterError, match="as many weights as events"):
        inequality.combination([1], [5, 2], [8, 8])
    with pytest.raises(ParameterError, match="as many events as groups"):
        inequality.gaps([5, 3, 1], [10, 9], 0)
    with pytest.raises(ParameterError, match="above the number of people"):
        inequality.gaps([5, 30], [10, 9], 0)
    with pytest.raises(ParameterError, match="level of 95 is not between 0 and 1"):
        inequality.gaps([5, 3], [10, 9], 0, level=95)
