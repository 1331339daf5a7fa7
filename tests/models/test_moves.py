"""Expected moves against the posterior of every path of states."""

import numpy as np
import pytest

from iesoresearch.errors import ParameterError
from iesoresearch.models import LatentMarkov
from iesoresearch.models.latent_markov.moves import expected_moves

from . import oracle

LENGTHS = np.array([3, 1, 4, 2, 2])


@pytest.fixture(scope="module")
def fitted():
    truth = oracle.random_model(np.random.default_rng(3), 2, [3] * 4)
    items, _ = oracle.simulate(truth, LENGTHS, seed=5, missing=0.1)
    items[np.cumsum(LENGTHS) - 1, 0] = 1  # nobody without an answer
    model = LatentMarkov(2, n_categories=3, init=truth, max_iter=1, tol=0)
    return model.fit(items, LENGTHS), items


def test_moves_are_the_sum_over_all_paths(fitted):
    model, items = fitted
    parameters = {
        "initial_probs": model.initial_probs_,
        "transition_matrix": model.transition_matrix_,
        "item_probs": model.item_probs_,
    }
    kind = np.concatenate([np.arange(n) for n in LENGTHS])
    expected = np.zeros((4, 2, 2))
    for rows in oracle.people(LENGTHS):
        every = oracle.Enumeration(parameters, items[rows])
        for path, probability in zip(every.paths, every.posterior, strict=True):
            for t in range(1, len(path)):
                expected[t, path[t - 1], path[t]] += probability
    found = expected_moves(model, items, LENGTHS, kind)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    assert found.sum() == pytest.approx((LENGTHS - 1).sum(), rel=1e-12)


def test_stayers_are_counted_with_the_state_they_stay_in(fitted):
    _, items = fitted
    model = LatentMarkov(2, n_categories=3, n_starts=2, stayers=True, random_state=1, max_iter=5)
    with pytest.warns(UserWarning, match="stopped at max_iter"):
        model.fit(items, LENGTHS)
    kind = np.zeros(LENGTHS.sum(), dtype=int)
    found = expected_moves(model, items, LENGTHS, kind)
    assert found.shape == (1, 2, 2)
    assert found.sum() == pytest.approx((LENGTHS - 1).sum(), rel=1e-12)


def test_transitions_that_differ_are_refused(fitted):
    _, items = fitted
    model = LatentMarkov(
        2, n_categories=3, n_starts=1, transitions="by_occasion", random_state=1, max_iter=1, tol=0
    ).fit(items, LENGTHS)
    with pytest.raises(ParameterError, match="takes a model with one transition matrix for all"):
        expected_moves(model, items, LENGTHS, np.zeros(LENGTHS.sum(), dtype=int))
