"""Distributions have the moments they are written with, as scipy has them."""

import math

import numpy as np
import pytest
from scipy import stats

from iesoresearch.models.cases.distributions import parse_distribution
from iesoresearch.seeds import rng

SIGMA = math.log(0.71 / 0.24) / (2 * stats.norm.ppf(0.975))
CASES = {
    "beta(a=20, b=80)": stats.beta(20, 80),
    "beta(sd=0.05)": stats.beta(0.3 * 83, 0.7 * 83),  # a + b = 0.3 × 0.7 / 0.05² - 1
    "gamma(shape=25, rate=0.5)": stats.gamma(25, scale=2),
    "gamma(shape=25, scale=2)": stats.gamma(25, scale=2),
    "gamma(mean=50, se=10)": stats.gamma(25, scale=2),
    "lognormal(meanlog=log(3), sdlog=0.2)": stats.lognorm(0.2, scale=3),
    "lognormal(median=0.41, low=0.24, high=0.71)": stats.lognorm(SIGMA, scale=0.41),
    "lognormal(mean=0.41, low=0.24, high=0.71)": stats.lognorm(
        SIGMA, scale=0.41 * math.exp(-(SIGMA**2) / 2)
    ),
    "lognormal(median=2, sdlog=0.3)": stats.lognorm(0.3, scale=2),
    "normal(mean=1, sd=2)": stats.norm(1, 2),
    "normal(mean=1, low=0, high=2)": stats.norm(1, 1 / stats.norm.ppf(0.975)),
    "uniform(low=1, high=4)": stats.uniform(1, 3),
    "triangular(low=1, mode=2, high=4)": stats.triang(1 / 3, loc=1, scale=3),
}


@pytest.mark.parametrize("text", CASES)
def test_draws_follow_the_distribution(text):
    made, wanted = parse_distribution(text, 0.3), CASES[text]
    assert made.mean == pytest.approx(wanted.mean())
    draws = made.draw(rng(1, "test", text), 4000)
    assert draws.shape == (4000,)
    assert stats.kstest(draws, wanted.cdf).pvalue > 0.001


def test_a_lognormal_has_its_own_moments():
    made = parse_distribution("lognormal(mean=3, sd=0.6)", None)
    draws = made.draw(rng(2, "test"), 200_000)
    assert made.mean == pytest.approx(3)
    assert draws.mean() == pytest.approx(3, abs=4 * 0.6 / np.sqrt(200_000))
    assert draws.std() == pytest.approx(0.6, rel=0.02)


def test_what_is_fixed_does_not_move():
    made = parse_distribution("fixed", 7.0)
    assert set(made.draw(rng(1, "x"), 5)) == {7.0}
