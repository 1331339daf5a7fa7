"""Degenerate solutions are said; sound ones are not accused. Models are made by hand."""

import numpy as np
import pytest

from iesoresearch.models import LatentMarkov
from iesoresearch.models.latent_markov import em
from iesoresearch.models.latent_markov.chains import Chain
from iesoresearch.models.latent_markov.degenerate import signs
from iesoresearch.models.latent_markov.emissions import FreeItems
from iesoresearch.models.latent_markov.packing import pack
from iesoresearch.models.latent_markov.sessions import Sessions

LEVELS = np.array([2, 3, 3])


def sound():
    """Two states, three items of which the first has no third level."""
    item_probs = np.array(
        [[[0.8, 0.2, 0.0], [0.6, 0.3, 0.1], [0.5, 0.3, 0.2]],
         [[0.3, 0.7, 0.0], [0.1, 0.3, 0.6], [0.2, 0.3, 0.5]]]
    )  # fmt: skip
    return np.array([0.6, 0.4]), np.array([[0.7, 0.3], [0.2, 0.8]]), item_probs


def found(initial, transition, item_probs, *, n_people=100, one_occasion=False):
    """What is said of a model after one E-step over people who gave every answer."""
    random = np.random.default_rng(0)
    lengths = np.ones(n_people, int) if one_occasion else np.full(n_people, 3)
    items = (random.random((lengths.sum(), 3)) * LEVELS).astype(np.int8)
    sessions = Sessions(pack(items, 3), np.concatenate([[0], np.cumsum(lengths)]))
    model = em.Model(Chain(initial[None], transition[None]), FreeItems(item_probs))
    return signs(model, em.e_step(sessions, model), sessions, LEVELS)


@pytest.mark.parametrize("one_occasion", [True, False])
def test_nothing_is_said_of_a_sound_model(one_occasion):
    assert found(*sound(), one_occasion=one_occasion) == []


def test_a_state_with_hardly_anybody():
    initial, _, item_probs = sound()
    lost = found(np.array([1 - 1e-3, 1e-3]), np.array([[0.999, 0.001], [0.9, 0.1]]), item_probs)
    assert [s[:38] for s in lost] == ["State 1 holds fewer sessions than it h"]
    # five free item probabilities a state: four people with one session each are too few
    few = found(initial, np.eye(2), item_probs, n_people=4, one_occasion=True)
    assert len(few) == 2


def test_two_states_with_the_same_profile():
    initial, transition, item_probs = sound()
    item_probs[1] = item_probs[0]
    item_probs[1, 0, :2] += [1e-4, -1e-4]
    (sentence,) = found(initial, transition, item_probs)
    assert sentence.startswith("States 0 and 1 have the same item probabilities")


def test_probabilities_at_the_boundary_are_counted_within_the_levels_of_each_item():
    initial, transition, item_probs = sound()
    item_probs[0, 1] = [0.7, 0.3, 0.0]
    item_probs[0, 2] = [0.7, 0.3 - 1e-8, 1e-8]
    (sentence,) = found(initial, transition, item_probs)
    assert sentence.startswith("2 of 16 item probabilities are zero")


def test_states_that_are_never_left_or_never_entered():
    initial, _, item_probs = sound()
    sentences = found(initial, np.array([[0.6, 0.4], [0.0, 1.0]]), item_probs)
    assert sentences == [
        "State 1 is never left once it is reached.",
        "State 0 is never entered after the first session.",
    ]


def test_an_estimator_says_it():
    random = np.random.default_rng(1)
    items = random.integers(0, 2, (300, 3)).astype("int8")
    too_many = LatentMarkov(3, n_categories=2, n_starts=1, max_iter=1, tol=0, init={
        "initial_probs": np.array([0.5, 0.5, 0.0]),
        "transition_matrix": np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.3, 0.3, 0.4]]),
        "item_probs": np.array([[[0.7, 0.3]] * 3, [[0.3, 0.7]] * 3, [[0.2, 0.8]] * 3]),
    }).fit(items, np.full(100, 3))  # fmt: skip
    assert len(too_many.degeneracies_) == 2
    assert too_many.degeneracies_[0].startswith("State 2 holds fewer sessions")
    assert too_many.degeneracies_[1] == "State 2 is never entered after the first session."


def test_one_state_is_neither_absorbing_nor_anybodys_twin():
    _, _, item_probs = sound()
    assert found(np.ones(1), np.ones((1, 1)), item_probs[:1]) == []
