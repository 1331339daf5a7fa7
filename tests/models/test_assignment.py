"""Assignments: calibrated on known states, by hand, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.errors import DataError, NotFittedError, ParameterError
from iesoresearch.models import LatentMarkov
from iesoresearch.models.assignment import UNCERTAIN, assign

from . import oracle


def at(truth, levels=4):
    """A model whose parameters are the truth: one E-step moves none."""
    n_items = truth["item_probs"].shape[1]
    lengths = np.full(300, 2)
    items, _ = oracle.simulate(truth, lengths, seed=99)
    assert items.shape == (600, n_items)
    model = LatentMarkov(
        len(truth["initial_probs"]), n_categories=levels, init=truth, max_iter=1, tol=0
    ).fit(items, lengths)
    total = (model.item_probs_ @ np.arange(levels)).sum(axis=1)
    assert (np.diff(total) >= 0).all()
    return model


def overlapping():
    """Three states, four items: many sessions are in doubt."""
    rows = [[0.6, 0.25, 0.1, 0.05], [0.3, 0.3, 0.25, 0.15], [0.1, 0.2, 0.3, 0.4]]
    return {
        "initial_probs": np.array([0.2, 0.5, 0.3]),
        "transition_matrix": np.array([[0.8, 0.15, 0.05], [0.25, 0.6, 0.15], [0.05, 0.25, 0.7]]),
        "item_probs": np.repeat(np.array(rows)[:, None], 4, axis=1),
    }


def test_those_assigned_with_probability_p_are_right_in_a_share_p():
    truth = overlapping()
    lengths = np.random.default_rng(1).integers(1, 5, 6000)
    items, states = oracle.simulate(truth, lengths, seed=1, missing=0.2)
    found = assign(at(truth), items, lengths, certain=0.7)
    ends = np.cumsum(lengths)
    moments = [
        (found.first_probs, found.first, states[ends - lengths]),
        (found.current_probs, found.current, states[ends - 1]),
    ]
    for probs, assigned, true in moments:
        best, p = probs.argmax(axis=1), probs.max(axis=1)
        for low in np.arange(0.35, 1.0, 0.1):
            bin_ = (p >= low) & (p < low + 0.1)
            right = (best == true)[bin_]
            # the sum of right ones has this mean and variance; four standard deviations
            spread = np.sqrt((p * (1 - p))[bin_].sum())
            assert abs(right.sum() - p[bin_].sum()) <= 4 * spread
        sure = assigned != UNCERTAIN
        np.testing.assert_array_equal(sure, p >= 0.7)
        assert (assigned == true)[sure].mean() > 0.7
        assert 0.2 < sure.mean() < 0.9  # the test is of both kinds


def test_probabilities_by_hand():
    truth = {
        "initial_probs": np.array([0.6, 0.4]),
        "transition_matrix": np.array([[0.9, 0.1], [0.3, 0.7]]),
        "item_probs": np.array([[[0.8, 0.2]], [[0.25, 0.75]]]),
    }
    found = assign(at(truth, levels=2), np.array([[1], [0]]), [2], certain=0.7)
    # joint over (first, last) of answers 1, 0
    joint = np.array([[0.6 * 0.2 * 0.9 * 0.8, 0.6 * 0.2 * 0.1 * 0.25],
                      [0.4 * 0.75 * 0.3 * 0.8, 0.4 * 0.75 * 0.7 * 0.25]])  # fmt: skip
    joint /= joint.sum()
    np.testing.assert_allclose(found.first_probs[0], joint.sum(axis=1))
    np.testing.assert_allclose(found.current_probs[0], joint.sum(axis=0))
    assert found.first.tolist() == [UNCERTAIN]  # 0.587 of the second state
    assert found.current.tolist() == [0]  # 0.742 of the first


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 1.0))
def test_people_are_assigned_or_uncertain(seed, certain):
    model = MODEL
    lengths = np.random.default_rng(seed).integers(1, 4, 20)
    items, _ = oracle.simulate(overlapping(), lengths, seed, missing=0.6)
    found = assign(model, items, lengths, certain=certain)
    counts = found.counts
    assert counts["assigned"] + counts["uncertain"] == counts["people"] == 20
    assert found.people_in_state().sum() == counts["assigned"]
    empty = [not (rows >= 0).any() for rows in np.split(items, np.cumsum(lengths)[:-1])]
    np.testing.assert_array_equal(found.answered, ~np.array(empty))
    assert counts["without_answers"] == sum(empty) <= counts["uncertain"]
    np.testing.assert_allclose(found.current_probs.sum(axis=1), 1)


MODEL = at(overlapping())


def test_who_answered_nothing_is_uncertain_with_the_prior():
    truth = overlapping()
    items = np.full((3, 4), -1)
    found = assign(MODEL, items, [3], certain=0.01)
    assert found.counts == {
        "people": 1, "assigned": 0, "uncertain": 1, "without_answers": 1, "impossible_answers": 0
    }  # fmt: skip
    np.testing.assert_allclose(found.first_probs[0], truth["initial_probs"])
    ahead = truth["initial_probs"] @ np.linalg.matrix_power(truth["transition_matrix"], 2)
    np.testing.assert_allclose(found.current_probs[0], ahead)


def test_who_gave_an_answer_that_no_state_gives_is_uncertain():
    truth = overlapping()
    truth["item_probs"][:, 0] = [0.5, 0.5, 0.0, 0.0]
    found = assign(at(truth), np.array([[2, 0, 0, 0], [0, 0, 0, 0]]), certain=0.5)
    assert found.possible.tolist() == [False, True]
    assert found.current[0] == UNCERTAIN
    np.testing.assert_allclose(found.current_probs[0], truth["initial_probs"])
    assert found.current[1] == 0
    assert found.counts["impossible_answers"] == 1


def test_one_session_is_first_and_current():
    found = assign(MODEL, np.array([[3, 3, 3, 3], [1, 1, 1, 1]]))
    np.testing.assert_array_equal(found.first_probs, found.current_probs)
    # of the second 0.3 ** 4 * 0.5 over the sum of all three is 0.76
    assert found.current.tolist() == found.first.tolist() == [2, UNCERTAIN]
    assert found.people_in_state().tolist() == [0, 0, 1]


@pytest.mark.parametrize("certain", [0, -0.1, 1.1, float("nan")])
def test_certain_is_a_probability(certain):
    with pytest.raises(ParameterError, match="must be a probability above 0"):
        assign(MODEL, np.zeros((1, 4), int), certain=certain)


def test_answers_of_another_questionnaire_are_refused():
    with pytest.raises(DataError, match="1 answers lie outside"):
        assign(MODEL, np.array([[4, 0, 0, 0]]))
    with pytest.raises(DataError, match="items has 3 columns"):
        assign(MODEL, np.zeros((2, 3), int))
    with pytest.raises(NotFittedError):
        assign(LatentMarkov(2), np.zeros((1, 4), int))
