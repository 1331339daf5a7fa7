"""Limits by hand, and what over-dispersion does to them."""

import numpy as np
import pytest

from iesoresearch.models.control_chart import p_chart


def test_limits_by_hand():
    """Centre 60 / 200; sigma sqrt(.3 * .7 / 50) and sqrt(.3 * .7 / 100)."""
    chart = p_chart([20, 25, 15], [50, 100, 50])
    assert chart.centre == pytest.approx(0.3)
    sigma = np.sqrt(0.21 / np.array([50, 100, 50]))
    assert chart.high == pytest.approx(0.3 + 3 * sigma)
    assert chart.low == pytest.approx(0.3 - 3 * sigma)
    z = np.array([0.1, -0.05, 0.0]) / sigma
    spread = (abs(z[1] - z[0]) + abs(z[2] - z[1])) / 2 / 1.128
    assert chart.spread == pytest.approx(spread)
    assert chart.high_adjusted == pytest.approx(0.3 + 3 * sigma * spread)


def test_binomial_months_are_spread_as_chance_spreads_them():
    random = np.random.default_rng(1)
    chart = p_chart(random.binomial(300, 0.5, 400), np.full(400, 300))
    assert chart.spread == pytest.approx(1.0, abs=0.1)


def test_rates_that_vary_widen_the_limits():
    random = np.random.default_rng(2)
    n = np.full(60, 20_000)
    x = random.binomial(n, np.clip(random.normal(0.5, 0.02, 60), 0, 1))
    chart = p_chart(x, n)
    rates = x / n
    outside = ((rates < chart.low) | (rates > chart.high)).mean()
    adjusted = ((rates < chart.low_adjusted) | (rates > chart.high_adjusted)).mean()
    assert outside > 0.3
    assert adjusted < 0.05


def test_limits_stay_within_zero_and_one():
    chart = p_chart([1, 0, 2], [10, 10, 10])
    assert chart.low.min() == 0.0
    assert chart.high.max() <= 1.0


def test_one_period_has_no_spread():
    chart = p_chart([5], [10])
    assert np.isnan(chart.spread)
    assert chart.centre == 0.5
    assert np.isnan(p_chart([0, 0], [10, 10]).spread)
