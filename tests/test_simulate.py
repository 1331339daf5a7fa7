"""Draws follow the probabilities they are given."""

import numpy as np
import pytest
from scipy.stats import chisquare

from iesoresearch.seeds import rng
from iesoresearch.simulate import draw_answers, draw_paths

INITIAL = np.array([0.5, 0.3, 0.2])
TRANSITION = np.array([[0.8, 0.2, 0.0], [0.1, 0.8, 0.1], [0.0, 0.3, 0.7]])


@pytest.fixture(scope="module")
def paths():
    lengths = np.full(20_000, 4)
    return draw_paths(INITIAL, TRANSITION, lengths, rng(1, "test")).reshape(-1, 4)


def test_first_states_follow_the_initial_probabilities(paths):
    assert chisquare(np.bincount(paths[:, 0]), INITIAL * len(paths)).pvalue > 0.001


def test_moves_follow_the_transition_matrix(paths):
    pairs = np.stack([paths[:, :-1].ravel(), paths[:, 1:].ravel()])
    for origin in range(3):
        found = np.bincount(pairs[1, pairs[0] == origin], minlength=3)
        possible = TRANSITION[origin] > 0
        assert found[~possible].sum() == 0
        expected = TRANSITION[origin][possible] * found.sum()
        assert chisquare(found[possible], expected).pvalue > 0.001


def test_ragged_people_start_anew():
    always_one = np.array([[0.0, 1.0], [0.0, 1.0]])
    paths = draw_paths(np.array([1.0, 0.0]), always_one, np.array([1, 3, 2]), rng(0))
    assert paths.tolist() == [0, 0, 1, 1, 0, 1]


def test_answers_follow_item_probabilities_and_avoid_impossible_levels():
    probs = np.array([[[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]], [[0.6, 0.4, 0.0], [0.1, 0.9, 0.0]]])
    states = np.repeat([0, 1], 20_000)
    answers = draw_answers(states, probs, rng(3))
    assert answers.dtype == np.int8
    for state in (0, 1):
        for item in (0, 1):
            found = np.bincount(answers[states == state, item], minlength=3)
            possible = probs[state, item] > 0
            assert found[~possible].sum() == 0
            if possible.sum() > 1:
                expected = probs[state, item][possible] * found.sum()
                assert chisquare(found[possible], expected).pvalue > 0.001
