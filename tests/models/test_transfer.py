"""Carried-over states against the model itself, loops and planted shares."""

import numpy as np
import pytest
from scipy.optimize import minimize

from iesoresearch.models import LatentMarkov
from iesoresearch.models.transfer import assign, log_answers, new_shares, score, state_distances

RANDOM = np.random.default_rng(5)
SHARES = np.array([0.5, 0.3, 0.2])
PROBS = RANDOM.dirichlet([0.6] * 4, (3, 9))


def people(n, shares, missing=0.1, seed=1):
    random = np.random.default_rng(seed)
    state = random.choice(len(shares), n, p=shares)
    u = random.random((n, 9, 1))
    items = (u > PROBS[state].cumsum(axis=2)).sum(axis=2)
    return np.where(random.random((n, 9)) < missing, -1, items).astype(np.int8)


ITEMS = people(400, SHARES)


def test_scores_and_assignments_are_those_of_the_model():
    model = LatentMarkov(3, n_categories=4, n_starts=2, random_state=1).fit(ITEMS)
    new = people(50, SHARES, seed=2)
    new[0] = -1  # somebody without an answer has the shares, and a likelihood of one
    log_prob = log_answers(np.maximum(model.item_probs_, 1e-300), new)
    assert score(log_prob, model.initial_probs_)[1:] == pytest.approx(model.score_samples(new[1:]))
    found = assign(log_prob, model.initial_probs_)
    assert found[1:] == pytest.approx(model.predict_proba(new[1:]), abs=1e-9)
    assert found[0] == pytest.approx(model.initial_probs_)


def test_log_answers_against_a_loop():
    found = log_answers(PROBS, ITEMS)
    for i in (0, 7, 399):
        for k in range(3):
            answers = [(j, c) for j, c in enumerate(ITEMS[i]) if c >= 0]
            assert found[i, k] == pytest.approx(sum(np.log(PROBS[k, j, c]) for j, c in answers))


def test_shares_of_another_population_are_found():
    """Half of one state more: the average assignment lags behind, its fixed point does not."""
    truth = np.array([0.2, 0.2, 0.6])
    log_prob = log_answers(PROBS, people(20_000, truth, missing=0.6, seed=3))
    found = new_shares(log_prob, SHARES)
    assert found == pytest.approx(truth, abs=0.02)
    assert abs(assign(log_prob, SHARES).mean(axis=0) - truth).max() > 0.05


def test_shares_are_the_maximum_of_the_likelihood_from_any_start():
    log_prob = log_answers(PROBS, ITEMS)
    weights = RANDOM.integers(0, 3, len(ITEMS)).astype(float)

    def loss(free):
        shares = np.exp(np.append(free, 0.0))
        return -weights @ score(log_prob, shares / shares.sum())

    free = minimize(loss, [0.0, 0.0], method="BFGS", options={"gtol": 1e-4}).x
    expected = np.exp(np.append(free, 0.0)) / np.exp(np.append(free, 0.0)).sum()
    for start in (SHARES, [0.01, 0.01, 0.98]):
        assert new_shares(log_prob, start, weights) == pytest.approx(expected, abs=1e-5)
    twice = np.repeat(log_prob, weights.astype(int), axis=0)
    assert new_shares(twice, SHARES) == pytest.approx(expected, abs=1e-5)


def test_distances_by_hand():
    """One item of two moves by half a point of 0 to 1, its SD is 0.25: sqrt((2² + 0²) / 2)."""
    first = np.array([[[1.0, 0.0], [0.3, 0.7]]])
    second = np.array([[[0.5, 0.5], [0.3, 0.7]]])
    assert state_distances(first, second, np.array([0.25, 0.1])) == pytest.approx(np.sqrt(2))
    assert state_distances(first, second, np.array([0.25, 0.0])) == pytest.approx(np.sqrt(2))
    assert state_distances(first, first, np.array([0.25, 0.1])) == 0
