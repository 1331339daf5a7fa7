"""Bivariate residuals: which pairs of items the states leave unexplained."""

import numpy as np
import pytest

from iesoresearch.models import LatentMarkov, SeverityLadder
from iesoresearch.models.residuals import bivariate_residuals

PAIRS = ((0, 1), (2, 3), (1, 5))
N_ITEMS = 6


def states(n_states=3):
    """Rungs of a partial credit ladder."""
    positions = np.linspace(-1.3, 1.3, n_states)
    slopes = np.linspace(0.8, 1.4, N_ITEMS)
    logits = positions[:, None, None] * slopes[:, None] * np.arange(4) + [0.3, 0.4, 0.0, -0.5]
    weights = np.exp(logits)
    return weights / weights.sum(axis=2, keepdims=True)


def drawn(associations, n=1500, seed=1):
    """Answers of a ladder of three rungs whose pairs are associated this much."""
    init = {
        "initial_probs": np.full(3, 1 / 3),
        "item_probs": states(),
        "pair_associations": np.asarray(associations),
    }
    items = np.tile(np.arange(4, dtype=np.int8)[:, None], (30, N_ITEMS))
    truth = LatentMarkov(3, init=init, max_iter=1, tol=0, dependent_pairs=PAIRS).fit(items)
    return truth.sample([1] * n, random_state=seed)[0]


def fitted(kind, items, **parameters):
    usual = {"n_categories": 4, "n_starts": 2, "tol": 1e-7, "random_state": 0}
    return kind(3, **usual | parameters).fit(items)


@pytest.fixture(scope="module")
def planted():
    return drawn([0.5, 0.5, 0.5])


@pytest.mark.parametrize("kind", [LatentMarkov, SeverityLadder])
def test_planted_pairs_are_flagged_and_no_others(kind, planted):
    found = bivariate_residuals(fitted(kind, planted), planted, n_bootstrap=19, seed=1)
    assert {tuple(pair) for pair in found.pairs[found.dependent].tolist()} == set(PAIRS)
    assert {tuple(pair) for pair in found.pairs[np.argsort(-found.z)[:3]]} == set(PAIRS)
    named = [found.pairs.tolist().index(list(pair)) for pair in PAIRS]
    assert (found.p_value[named] <= 0.05).all()
    assert (found.residual[named] > 0.03).all()


@pytest.mark.parametrize("kind", [LatentMarkov, SeverityLadder])
def test_nothing_is_flagged_where_nothing_is_planted(kind):
    items = drawn([0.0, 0.0, 0.0])
    found = bivariate_residuals(fitted(kind, items), items, n_bootstrap=19, seed=1)
    assert np.abs(found.z).max() < 2
    assert np.abs(found.residual).max() < 0.03
    assert not found.dependent.any()
    assert (found.p_value <= 0.05).sum() <= 3  # of 15; 0.75 are expected


def test_a_model_that_knows_the_pairs_leaves_nothing_of_them(planted):
    model = fitted(SeverityLadder, planted, dependent_pairs=PAIRS)
    found = bivariate_residuals(model, planted)
    assert np.abs(found.z).max() < 2
    assert not found.dependent.any()
    assert found.p_value is None
    assert found.p_positive is None


def test_residuals_by_hand():
    """One state: expected is the product of the shares; missing answers leave the table."""
    items = np.array([[0, 0], [0, 1], [1, 1], [1, 1], [0, -1], [-1, 1]], dtype=np.int8)
    model = LatentMarkov(1, n_categories=2, n_starts=1, max_iter=50).fit(items)
    one, other = np.array([3 / 5, 2 / 5]), np.array([1 / 5, 4 / 5])
    expected = 4 * np.outer(one, other)
    observed = np.array([[1, 1], [0, 2]])
    found = bivariate_residuals(model, items)
    assert found.pairs.tolist() == [[0, 1]]
    assert found.statistic == pytest.approx(((observed - expected) ** 2 / expected).sum())
    assert found.residual == pytest.approx(1 / np.sqrt(3))  # phi of the table 1, 1, 0, 2; model 0
    products = np.outer([-0.4, 0.6], [-0.8, 0.2])
    variance = (products**2 * expected / 4).sum()
    z = (products * (observed - expected)).sum() / np.sqrt(4 * variance)
    assert found.z == pytest.approx(z)


def test_a_weight_of_two_is_a_session_twice():
    items = drawn([0.5, 0.5, 0.5], n=60)
    weights = np.random.default_rng(0).integers(1, 3, 60)
    model = LatentMarkov(1, n_categories=4, n_starts=1, max_iter=50).fit(items, weights=weights)
    weighted = bivariate_residuals(model, items, weights=weights, n_bootstrap=5, seed=0)
    repeated = bivariate_residuals(model, np.repeat(items, weights, axis=0))
    np.testing.assert_allclose(weighted.statistic, repeated.statistic)
    np.testing.assert_allclose(weighted.residual, repeated.residual)
    assert weighted.p_value is None  # survey weights are no model to draw from


def test_an_item_that_does_not_vary_has_no_correlation():
    items = drawn([0, 0, 0], n=100)
    items[:, 2] = 1
    found = bivariate_residuals(fitted(LatentMarkov, items, n_starts=1), items)
    constant = (found.pairs == 2).any(axis=1)
    assert np.isnan(found.residual[constant]).all()
    assert np.isfinite(found.statistic).all()
