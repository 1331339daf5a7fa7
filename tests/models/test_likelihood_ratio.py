"""The likelihood-ratio test: level and power on a known truth, and its arithmetic."""

import warnings

import numpy as np
import pytest
from scipy import stats

from iesoresearch.errors import ConvergenceWarning, ParameterError
from iesoresearch.models import LatentMarkov, SeverityLadder
from iesoresearch.models.bootstrap import start_values
from iesoresearch.models.likelihood_ratio import (
    LikelihoodRatio,
    likelihood_ratio_test,
    split_state,
)

from . import oracle

LENGTHS = np.tile([1, 2, 3], 15)
N_DRAWS = 19  # so that p = 1 / 20 where the data gain more than every draw
SIGNIFICANT = 1 / 20


def planted(n_states, distance):
    """States at equal steps of `distance` logits on five items of two levels."""
    logits = distance * (np.arange(n_states) - (n_states - 1) / 2)
    high = 1 / (1 + np.exp(-logits))
    item_probs = np.repeat(np.stack([1 - high, high], axis=1)[:, None], 5, axis=1)
    stay = np.eye(n_states) if n_states == 1 else 0.8 * np.eye(n_states) + 0.2 / n_states
    return {
        "initial_probs": np.full(n_states, 1 / n_states),
        "transition_matrix": stay / stay.sum(axis=1, keepdims=True),
        "item_probs": item_probs,
    }


def p_values(truth, n_data_sets, **settings):
    """Of one state against two."""
    usual = {"n_categories": 2, "tol": 1e-5, "n_starts": 1}
    out = []
    for seed in range(n_data_sets):
        items, _ = oracle.simulate(truth, LENGTHS, seed, missing=0.05)
        items[np.cumsum(LENGTHS) - 1, 0] = np.maximum(items[np.cumsum(LENGTHS) - 1, 0], 0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            null = LatentMarkov(1, **usual | settings).fit(items, LENGTHS)
            found = likelihood_ratio_test(null, items, LENGTHS, n_bootstrap=N_DRAWS, seed=seed)
        assert np.isfinite(found.draws).all()
        out.append(found.p_value)
    return np.array(out)


def test_a_recipe_that_never_converges_still_keeps_its_level():
    """Data and draws fall short alike; studies/likelihood_ratio.py has fits that converge."""
    p = p_values(planted(1, 0), 25, max_iter=8, tol=0)
    assert stats.binomtest((p <= SIGNIFICANT).sum(), 25, SIGNIFICANT).pvalue > 0.001
    # p is uniform on 1/20 ... 20/20: its mean is 0.525, its standard deviation 0.288
    assert p.mean() == pytest.approx(0.525, abs=4 * 0.288 / np.sqrt(25))


def test_it_finds_two_states_that_are_there():
    assert (p_values(planted(2, 3.0), 5, tol=1e-4) == SIGNIFICANT).all()


def test_three_planted_states_are_neither_two_nor_four():
    lengths = np.full(150, 3)
    truth = planted(3, 3.0)
    items, _ = oracle.simulate(truth, lengths, seed=2)
    p = {}
    for k in (2, 3):
        null = LatentMarkov(k, n_categories=2, n_starts=4, random_state=0, tol=1e-6)
        found = likelihood_ratio_test(
            null.fit(items, lengths), items, lengths, n_bootstrap=19, seed=1, n_starts=2
        )
        assert found.n_states == k + 1
        assert found.n_not_converged == 0
        p[k] = found.p_value
    assert p[2] == SIGNIFICANT
    assert p[3] > 0.1


def test_p_value_by_hand():
    found = LikelihoodRatio(5.0, np.array([1.0, 5.0, 7.0, 2.0]), 2, 0)
    assert found.p_value == pytest.approx(3 / 5)
    assert found.standard_error == pytest.approx(np.sqrt(0.6 * 0.4 / 4))


def test_a_smaller_statistic_of_the_data_never_makes_the_p_value_smaller():
    """So an alternative that falls short on the data alone is conservative."""
    draws = np.random.default_rng(0).normal(size=50)
    statistics = np.linspace(-3, 3, 31)
    p = [LikelihoodRatio(value, draws, 2, 0).p_value for value in statistics]
    assert (np.diff(p) <= 0).all()


def test_it_follows_its_seed():
    items, _ = oracle.simulate(planted(2, 1.0), LENGTHS, seed=0)
    null = LatentMarkov(1, n_categories=2, n_starts=1, tol=1e-5).fit(items, LENGTHS)
    one, again, other = (
        likelihood_ratio_test(null, items, LENGTHS, n_bootstrap=3, seed=seed) for seed in (1, 1, 2)
    )
    assert one.statistic == again.statistic
    np.testing.assert_array_equal(one.draws, again.draws)
    assert (one.draws != other.draws).all()


def test_unfinished_alternatives_are_counted():
    items, _ = oracle.simulate(planted(2, 1.0), LENGTHS, seed=0)
    null = LatentMarkov(1, n_categories=2, n_starts=1, max_iter=3, tol=0).fit(items, LENGTHS)
    found = likelihood_ratio_test(null, items, LENGTHS, n_bootstrap=4, seed=0)
    assert found.n_not_converged == 5


# ---- splitting a state


@pytest.mark.parametrize(
    "options",
    [{}, {"transitions": "by_occasion"}, {"stayers": True}, {"dependent_pairs": [(0, 1)]}],
)
def test_a_split_state_leaves_the_chain_as_it_was(options):
    random = np.random.default_rng(0)
    items, _ = oracle.simulate(planted(2, 2.0), LENGTHS, seed=0)
    model = LatentMarkov(2, n_categories=2, n_starts=1, random_state=0, tol=1e-4, **options)
    model.fit(items, LENGTHS)
    init = split_state(model, random)
    old = start_values(model)
    halves = int(np.argmax(init["initial_probs"][:2] != old["initial_probs"]))
    merged = np.eye(3)[:, :2]
    merged[2, halves] = 1
    np.testing.assert_allclose(init["initial_probs"] @ merged, old["initial_probs"])
    matrix = init["transition_matrix"] @ merged  # each half moves as the whole did
    np.testing.assert_allclose(matrix[..., :2, :], old["transition_matrix"])
    np.testing.assert_allclose(matrix[..., 2, :], old["transition_matrix"][..., halves, :])
    larger = LatentMarkov(3, n_categories=2, init=init, tol=1e-4, **options)
    assert larger.fit(items, LENGTHS).log_likelihood_ > model.log_likelihood_ - 0.01


def test_what_cannot_be_tested_is_refused():
    items, _ = oracle.simulate(planted(2, 1.0), LENGTHS, seed=0)
    with_dropout = LatentMarkov(1, n_categories=2, n_starts=1).fit(
        items, LENGTHS, dropped_out=np.arange(45) % 2
    )
    covariate = np.random.default_rng(0).normal(size=(45, 1))
    with_covariate = LatentMarkov(2, n_categories=2, n_starts=1, random_state=0).fit(
        items, LENGTHS, initial_covariates=covariate
    )
    for null in (SeverityLadder(2), with_dropout, with_covariate):
        with pytest.raises(ParameterError, match="fitted without dropped_out"):
            likelihood_ratio_test(null, items, LENGTHS, n_bootstrap=9, seed=0)
