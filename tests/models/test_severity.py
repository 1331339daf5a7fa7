"""The question whether states differ in kind, asked from answers to a verdict."""

import numpy as np
import pytest

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models import LatentMarkov, SeverityLadder
from iesoresearch.models.selection import gain, held_out_log_likelihood, overall_distance
from iesoresearch.models.severity import severity_question

SCORES = np.arange(3)
ASK = {"n_categories": 3, "rungs": (3, 5), "n_folds": 3, "n_starts": 1, "tol": 1e-5, "seed": 4}
HALF = np.array([1, 1, 1, -1, -1, -1])


def answers(seed, n=500, apart=0.0, n_items=6):
    """Probit items of one factor; half the people lean to one half of the items by `apart`."""
    random = np.random.default_rng(seed)
    kind = random.choice([-1, 1], (n, 1))
    latent = random.normal(size=(n, 1)) + apart * kind * HALF + random.normal(size=(n, n_items))
    return (latent[:, :, None] > [-0.5, 1.0]).sum(axis=2).astype(np.int8)


@pytest.fixture(scope="module")
def kinds():
    items = answers(1, apart=1.2)
    return items, severity_question(items, n_states=4, **ASK)


def test_kinds_are_found_and_severity_alone_is_not_taken_for_them(kinds):
    assert kinds[1].verdict == "differs in kind"
    severity = severity_question(answers(2), max_states=4, **ASK)
    assert severity.verdict == "severity only"
    assert severity.gain.estimate < 0


def test_what_it_rests_on_can_be_computed_from_its_parts(kinds):
    items, found = kinds
    assert isinstance(found.states, LatentMarkov)
    assert isinstance(found.ladder, SeverityLadder)
    assert found.gain == gain(found.states_held_out, found.ladder_held_out)
    profiles = found.states.item_probs_ @ SCORES
    on_ladder = found.ladder.profile_at(profiles.sum(axis=1))
    apart = (profiles - on_ladder) / items.std(axis=0)
    np.testing.assert_allclose(found.distances, np.sqrt((apart**2).mean(axis=1)))


def test_the_ladder_is_the_shortest_of_those_that_predict_best():
    items = answers(3, 300)
    found = severity_question(items, n_states=2, **ASK | {"rungs": (1, 3)})
    assert found.ladder.n_states == 3  # one rung knows of no severity at all
    one = severity_question(items, n_states=2, **ASK | {"rungs": (1,)})
    assert one.ladder_held_out.mean() < found.ladder_held_out.mean() - 0.05


def test_the_number_of_states_has_the_smallest_bic():
    items = answers(4, 300)
    found = severity_question(items, max_states=4, **ASK | {"rungs": (3,)})
    usual = {"n_categories": 3, "n_starts": 5, "random_state": 0, "tol": 1e-6}
    bic = [LatentMarkov(k, **usual).fit(items).bic_ for k in range(1, 5)]
    assert found.states.n_states == np.argmin(bic) + 1


def test_cross_fitting_takes_the_noise_out_of_the_distance():
    """Of one factor, in few people: estimated profiles lie off the ladder, true ones do not."""
    found = [
        severity_question(answers(seed, 150), n_states=3, **ASK | {"rungs": (4,), "seed": seed})
        for seed in range(10, 22)
    ]
    shares = [one.states.answer_counts_.sum(axis=1) for one in found]
    estimated = [
        overall_distance(one.distances, share) for one, share in zip(found, shares, strict=True)
    ]
    squares = np.array([one.distance for one in found]) ** 2
    assert np.mean(squares) < 0.5 * np.mean(np.square(estimated))
    assert np.min(estimated) > 0.05


def test_it_comes_out_the_same_again():
    items = answers(5, 200)
    one, same, other = (
        severity_question(items, n_states=3, **ASK | {"rungs": (3,), "seed": seed})
        for seed in (1, 1, 2)
    )
    assert (one.gain, one.distance) == (same.gain, same.distance)
    assert one.gain != other.gain


def test_models_are_told_of_the_pairs():
    items = answers(6, 200)
    found = severity_question(items, n_states=2, dependent_pairs=((0, 1),), **ASK | {"rungs": (3,)})
    assert found.states.pair_associations_.shape == found.ladder.pair_associations_.shape == (1,)


def test_people_of_one_unit_are_held_out_together_and_weights_count():
    items = np.repeat(answers(7, 100), 2, axis=0)  # everybody and her twin
    units, weights = np.repeat(np.arange(100), 2), np.tile([1.0, 3.0], 100)
    ask = ASK | {"rungs": (3,), "n_states": 2}
    apart = severity_question(items, weights=weights, **ask)
    together = severity_question(items, weights=weights, units=units, **ask)
    # twins in other folds tell of those held out; the interval counts each pair once
    assert together.states_held_out.mean() < apart.states_held_out.mean()
    assert together.gain == gain(together.states_held_out, together.ladder_held_out, weights, units)
    np.testing.assert_allclose(together.states_held_out[::2], together.states_held_out[1::2])


def test_over_sessions_people_are_held_out_with_all_of_theirs():
    items = answers(8, 300)
    found = severity_question(items, [3] * 100, n_states=2, **ASK | {"rungs": (3,)})
    assert found.states_held_out.shape == (100,)
    assert found.states.transition_matrix_.shape == (2, 2)


def test_with_weights_the_number_of_states_has_to_be_given():
    with pytest.raises(ParameterError, match="no BIC to choose the number of states by"):
        severity_question(answers(9, 50), weights=np.ones(50), **ASK)


def test_everybody_has_a_unit_and_a_weight():
    items = answers(9, 50)
    with pytest.raises(DataError, match=r"units .* each of the 50 people"):
        severity_question(items, units=np.zeros(49, dtype=int), **ASK)
    with pytest.raises(DataError, match=r"weights .* each of the 50 people"):
        severity_question(items, weights=[1.0], n_states=2, **ASK)


def test_held_out_values_are_those_of_selection(kinds):
    items, found = kinds
    values = held_out_log_likelihood(found.states, items, n_folds=3, seed=0)
    assert values.mean() == pytest.approx(found.states_held_out.mean(), abs=0.05)  # other folds
