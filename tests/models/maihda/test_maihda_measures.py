"""Shares of variance, discriminatory accuracy and intervals: simulation, scikit-learn, scipy."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from iesoresearch.models.maihda import measures
from iesoresearch.seeds import rng


@pytest.mark.parametrize(("intercept", "spread"), [(0.0, 0.3), (-2.5, 1.2), (1.0, 0.0)])
def test_share_on_the_probability_scale_is_that_of_simulated_strata(intercept, spread):
    p = expit(intercept + spread * rng(1, "strata").standard_normal(1_000_000))
    expected = p.var() / (p.var() + (p * (1 - p)).mean())
    (found,) = measures.share_on_probability_scale(np.array([intercept]), np.array([spread]))
    assert found == pytest.approx(expected, rel=0.01, abs=1e-12)


def test_accuracy_is_the_auc_of_scikit_learn():
    """On the rows that the counts stand for, some scores being equal."""
    random = rng(2, "auc")
    n = random.integers(1, 30, 12)
    events = random.binomial(n, 0.4)
    score = random.integers(0, 6, 12) / 5
    y = np.concatenate([np.repeat([1, 0], [k, m - k]) for k, m in zip(events, n, strict=True)])
    expected = roc_auc_score(y, np.repeat(score, n))
    (found,) = measures.accuracy(score, (events / n)[None], n)
    assert found == pytest.approx(expected, abs=1e-12)


def test_the_shortest_interval_begins_at_zero_where_zero_is_likely():
    at_zero = stats.halfnorm.rvs(size=20_000, random_state=1)
    low, high = measures.shortest(at_zero)
    assert low == 0
    assert high == pytest.approx(stats.halfnorm.ppf(0.95), abs=0.05)
    away = stats.norm.rvs(5, 1, size=20_000, random_state=2)
    assert measures.shortest(away) == pytest.approx(stats.norm.interval(0.95, 5, 1), abs=0.15)


def test_a_skewed_posterior_away_from_zero_does_not_begin_there():
    """The shortest interval begins with the least draws, but these are far from zero."""
    draws = 1 + stats.expon.rvs(size=5_000, random_state=3)
    low, high = measures.shortest(draws)
    assert low == pytest.approx(1, abs=0.01)
    assert high == pytest.approx(1 + stats.expon.ppf(0.95), abs=0.2)
