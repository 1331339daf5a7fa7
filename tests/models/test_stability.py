"""Agreement between assignments: hand calculations, planted states, fourteen of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models import LatentMarkov
from iesoresearch.models.stability import (
    jaccard,
    jaccard_words,
    other_methods,
    split_half,
    with_answer,
)

from . import oracle

LOW, HIGH = [0.85, 0.1, 0.04, 0.01], [0.01, 0.04, 0.1, 0.85]


def planted(patterns, stay=0.7):
    """A model whose state k says HIGH to the items that pattern k names."""
    k = len(patterns)
    item_probs = np.array([[HIGH if high else LOW for high in pattern] for pattern in patterns])
    transition = np.full((k, k), (1 - stay) / (k - 1))
    np.fill_diagonal(transition, stay)
    return {
        "initial_probs": np.full(k, 1 / k),
        "transition_matrix": transition,
        "item_probs": item_probs,
    }


FOUR = planted([[0] * 6, [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], [1] * 6])


# ---- Jaccard


def test_jaccard_by_hand():
    reference = np.array([0, 0, 0, 0, 1, 1, 1, 2])
    states = np.array([1, 1, 1, 0, 0, 0, 0, 0])
    # state 0: {0..3} against {0..2}: 3 / 4; state 1: {4..6} against {3..7}: 3 / 5;
    # state 2: {7} against {3..7}: 1 / 5; state 3 is given to nobody
    found = jaccard(reference, states, 4)
    np.testing.assert_allclose(found, [3 / 4, 3 / 5, 1 / 5, np.nan])


def slow_jaccard(reference, states, n_states):
    """With sets, as the definition says."""
    out = []
    for k in range(n_states):
        own = set(np.flatnonzero(reference == k))
        others = [set(np.flatnonzero(states == j)) for j in range(n_states)]
        values = [len(own & other) / len(own | other) for other in others if own | other]
        out.append(max(values) if own else np.nan)
    return out


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_jaccard_is_that_of_sets(n_states, seed):
    random = np.random.default_rng(seed)
    one, other = random.integers(0, n_states, (2, 30))
    np.testing.assert_allclose(jaccard(one, other, n_states), slow_jaccard(one, other, n_states))
    relabelled = random.permutation(n_states)[one]
    np.testing.assert_array_equal(jaccard(one, relabelled, n_states)[np.unique(one)], 1.0)


def test_words_change_at_hennigs_thresholds():
    words = jaccard_words(np.array([1.0, 0.85, 0.849, 0.75, 0.749, 0.6, 0.599, 0.0, np.nan]))
    doubtful = "a pattern, but who belongs to it is doubtful"
    assert words == [
        *["highly stable"] * 2,
        *["stable"] * 2,
        *[doubtful] * 2,
        *["not to be trusted"] * 2,
        "never seen",
    ]


def test_sessions_without_an_answer_are_known():
    assert with_answer(np.array([[0, -1], [-1, -1], [2, 3]])).tolist() == [True, False, True]


# ---- halves


def test_halves_agree_on_planted_states_and_not_on_states_too_many():
    lengths = np.full(200, 3)
    items, _ = oracle.simulate(FOUR, lengths, seed=1, missing=0.1)
    usual = {"n_categories": 4, "n_starts": 3, "tol": 1e-6, "random_state": 0}
    right = split_half(LatentMarkov(4, **usual), items, lengths, n_splits=2, seed=0)
    wrong = split_half(LatentMarkov(7, **usual), items, lengths, n_splits=2, seed=0)
    assert right.ari.shape == (2,)
    assert right.distance.shape == right.order.shape == (2, 4)
    assert right.ari.min() > 0.9
    # A mean item score of a state with 75 sessions a half has a standard error of below
    # 0.6 / sqrt(75) = 0.07 points; the difference of two is 0.08 SD at an item SD of 1.2.
    assert right.distance.max() < 0.2
    assert wrong.ari.max() < right.ari.min()


def test_fourteen_states_are_matched():
    random = np.random.default_rng(5)
    patterns = [np.zeros(9, int)]
    while len(patterns) < 14:  # any two differ in three of nine items or more
        other = random.integers(0, 2, 9)
        if min(np.abs(other - pattern).sum() for pattern in patterns) >= 3:
            patterns.append(other)
    lengths = np.full(700, 4)
    items, states = oracle.simulate(planted(patterns), lengths, seed=2)
    # starts at the truth in two orders, so that nothing but the matching is on trial
    found = split_half(
        AtTruth(planted(patterns), random.permutation(14)), items, lengths, n_splits=1, seed=0
    )
    assert found.ari[0] > 0.9
    np.testing.assert_array_equal(np.sort(found.order[0]), np.arange(14))
    assert found.distance.max() < 0.25
    assert states.max() == 13


class AtTruth(LatentMarkov):
    """Started at a given model; every other copy with its states in another order."""

    made = 0

    def __init__(self, truth=None, order=None, n_categories=4, random_state=None, init=None):
        super().__init__(14, n_categories=n_categories, tol=1e-6)
        self.truth, self.order = truth, order
        type(self).made += 1
        order = order if self.made % 2 else np.arange(14)
        self.init = {
            "initial_probs": truth["initial_probs"][order],
            "transition_matrix": truth["transition_matrix"][np.ix_(order, order)],
            "item_probs": truth["item_probs"][order],
        }


def test_halves_follow_their_seed():
    items, _ = oracle.simulate(FOUR, np.ones(80, int), seed=3)
    usual = LatentMarkov(2, n_categories=4, n_starts=1, max_iter=20, tol=0)
    one, again, other = (split_half(usual, items, n_splits=2, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.distance, again.distance)
    assert (one.distance != other.distance).any()
    assert one.distance[0].tolist() != one.distance[1].tolist()


def test_halves_that_cannot_be_fitted_are_refused():
    items, _ = oracle.simulate(FOUR, np.ones(40, int), seed=3)
    with pytest.raises(ParameterError, match="n_splits=0 must be"):
        split_half(LatentMarkov(2), items, n_splits=0, seed=0)
    lengths = np.ones(39, int)
    lengths[7] = 2  # only one half can hold the person with two sessions
    with pytest.raises(DataError, match="one half of the people holds none"):
        split_half(LatentMarkov(1, n_starts=1), items, lengths, n_splits=1, seed=0)


# ---- other methods


def test_other_methods_find_planted_states_too():
    lengths = np.full(250, 3)
    items, states = oracle.simulate(FOUR, lengths, seed=6, missing=0.03)
    found = other_methods(items, states, 4, seed=0)
    assert found.n_sessions == (items >= 0).all(axis=1).sum()
    np.testing.assert_array_equal(found.ari, found.ari.T)
    np.testing.assert_array_equal(np.diag(found.ari), 1.0)
    assert found.ari.min() > 0.8
    assert found.names == ("model", "k-means", "Gaussian mixture")


def test_other_methods_do_not_agree_with_states_that_are_noise():
    items, _ = oracle.simulate(FOUR, np.ones(600, int), seed=6)
    noise = np.random.default_rng(0).integers(0, 4, 600)
    found = other_methods(items, noise, 4, seed=0)
    # adjusted for chance: expected 0, standard deviation of the order of 1 / n
    assert np.abs(found.ari[0, 1:]).max() < 0.03
    assert found.ari[1, 2] > 0.8


def test_many_sessions_are_thinned_out_by_the_seed():
    items, states = oracle.simulate(FOUR, np.ones(400, int), seed=6)
    one, again = (
        other_methods(items, states, 4, seed=1, n_starts=2, max_sessions=150) for _ in range(2)
    )
    assert one.n_sessions == 150
    np.testing.assert_array_equal(one.ari, again.ari)


def test_other_methods_refuse_what_they_cannot_use():
    items = np.zeros((50, 3), dtype=np.int8)
    with pytest.raises(DataError, match="states has shape"):
        other_methods(items, np.zeros(49, int), 2, seed=0)
    with pytest.raises(DataError, match="too few different answers for 2 classes"):
        other_methods(items, np.zeros(50, int), 2, seed=0)
