"""Held-out comparison, the verdict on severity and matching of states."""

from itertools import permutations
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.errors import DataError
from iesoresearch.models import LatentMarkov, SeverityLadder
from iesoresearch.models.selection import (
    Gain,
    departures,
    folds_of,
    gain,
    held_out_log_likelihood,
    match_states,
    overall_distance,
    profile_distances,
    rows_of,
    verdict,
)

from . import oracle

LENGTHS = np.full(400, 3)
SCORES = np.arange(4)


# ---- rows and folds


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.data())
def test_rows_of_people_as_a_loop_finds_them(data):
    lengths = np.array(data.draw(st.lists(st.integers(1, 6), min_size=1, max_size=12)))
    chosen = st.lists(st.integers(0, len(lengths) - 1), max_size=12)  # again and in any order
    people = np.array(data.draw(chosen), dtype=int)
    expected = []
    for person in people:
        first = lengths[:person].sum()
        expected.extend(range(first, first + lengths[person]))
    assert rows_of(people, lengths).tolist() == expected


class Recorder:
    """An estimator whose items name their person; remembers whom it was fitted to."""

    fitted: list[set] = []  # noqa: RUF012  (of all copies)

    def __init__(self, n_categories=24):
        self.n_categories = n_categories

    def get_params(self):
        return {"n_categories": self.n_categories}

    def fit(self, items, lengths):
        assert lengths.sum() == len(items)
        self.item_probs_ = np.full((1, 1, 24), 1 / 24)
        self.answer_counts_ = np.array([[len(items)]])
        self.one_occasion_ = False
        self.seen = set(items[:, 0].tolist())
        self.fitted.append(self.seen)

    def score_samples(self, items, lengths):
        people = items[np.cumsum(lengths) - lengths, 0]
        np.testing.assert_array_equal(items[:, 0], np.repeat(people, lengths))  # whole people
        assert not self.seen & set(people.tolist())
        return people.astype(float)


@pytest.fixture
def deal():
    """Folds of 23 people with 1 to 3 sessions, as sets of people not fitted to."""
    lengths = np.arange(23) % 3 + 1
    items = np.repeat(np.arange(23), lengths)[:, None].astype(np.int8)

    def of_seed(seed, n_folds=5):
        Recorder.fitted.clear()
        values = held_out_log_likelihood(Recorder(), items, lengths, n_folds=n_folds, seed=seed)
        np.testing.assert_array_equal(values, np.arange(23))  # each her own value, in her place
        return [frozenset(range(23)) - seen for seen in Recorder.fitted]

    return of_seed


def test_everybody_is_held_out_once(deal):
    folds = deal(seed=1)
    assert sorted(len(fold) for fold in folds) == [4, 4, 5, 5, 5]
    assert sorted(person for fold in folds for person in fold) == list(range(23))


def test_equal_seeds_give_equal_folds_and_others_do_not(deal):
    assert deal(seed=1) == deal(seed=1)
    assert deal(seed=1) != deal(seed=2)


def test_as_many_folds_as_people_leave_out_one_at_a_time(deal):
    assert {len(fold) for fold in deal(seed=1, n_folds=23)} == {1}


def test_held_out_values_are_those_of_a_model_fitted_to_the_others():
    items, _ = oracle.simulate(planted_ladder(), [2] * 6, seed=0)
    one_state = LatentMarkov(1, n_categories=4, max_iter=2, tol=0)
    lengths = np.full(6, 2)
    everybody = np.tile(items, (4, 1))
    values = held_out_log_likelihood(one_state, everybody, np.tile(lengths, 4), n_folds=24, seed=0)
    for person in range(6):
        own = slice(2 * person, 2 * person + 2)
        others = np.delete(everybody, own, axis=0)
        counts = np.stack([(others == c).sum(axis=0) for c in range(4)], axis=1).astype(float)
        counts[counts == 0] = 0.5  # half an answer where nobody gave one
        shares = counts / counts.sum(axis=1, keepdims=True)
        expected = np.log(shares[np.arange(6), items[own]]).sum()
        assert values[person] == pytest.approx(expected, rel=1e-12)


def test_an_answer_nobody_else_gave_costs_much_but_not_everything():
    items = np.zeros((30, 3), dtype=np.int8)
    items[7, 1] = 3  # level 3 is only seen when person 7 is not held out
    ladder = SeverityLadder(2, n_starts=1, max_iter=50, tol=0, random_state=0)
    for model in (LatentMarkov(1, n_starts=1), ladder):
        values = held_out_log_likelihood(model, items, n_folds=30, seed=0)
        assert np.isfinite(values).all()
        assert values[7] == values.min() < np.log(2 * 0.5 / 29)  # half in each of two states


def test_levels_come_from_all_people_and_lengths_may_be_left_out():
    items = np.zeros((20, 2), dtype=np.int8)
    items[::4, 0] = 2
    values = held_out_log_likelihood(LatentMarkov(1, n_starts=1), items, n_folds=20, seed=0)
    given = held_out_log_likelihood(
        LatentMarkov(1, n_starts=1, n_categories=3), items, [1] * 20, n_folds=20, seed=0
    )
    np.testing.assert_array_equal(values, given)


def test_folds_may_be_given_and_units_stay_whole(deal):
    folds = np.arange(23) % 4
    Recorder.fitted.clear()
    lengths = np.arange(23) % 3 + 1
    items = np.repeat(np.arange(23), lengths)[:, None].astype(np.int8)
    held_out_log_likelihood(Recorder(), items, lengths, folds=folds)
    held = [sorted(set(range(23)) - seen) for seen in Recorder.fitted]
    assert held == [np.flatnonzero(folds == f).tolist() for f in range(4)]

    units = np.array(["a", "b", "c", "d", "e", "f"])[np.arange(23) % 6]
    dealt = folds_of(23, 3, seed=1, units=units)
    assert {len(set(dealt[units == unit])) for unit in "abcdef"} == {1}
    assert sorted(np.unique(dealt[:6], return_counts=True)[1]) == [2, 2, 2]


@pytest.mark.parametrize("folds", [[0] * 20, [0, 1] * 9, [0.5] * 20])
def test_folds_must_be_whole_numbers_of_everybody(folds):
    items = np.zeros((20, 2), dtype=np.int8)
    with pytest.raises(DataError, match="one whole number for each of the 20 people, and two"):
        held_out_log_likelihood(LatentMarkov(1), items, folds=folds)


def test_a_weight_of_two_is_a_person_twice():
    items = np.random.default_rng(0).integers(0, 3, (40, 3)).astype(np.int8)
    weights = np.random.default_rng(1).integers(1, 3, 40)
    folds = np.arange(40) % 4
    model = LatentMarkov(1, n_categories=3, n_starts=1, tol=1e-12)
    weighted = held_out_log_likelihood(model, items, folds=folds, weights=weights)
    repeated = held_out_log_likelihood(
        model, np.repeat(items, weights, axis=0), folds=np.repeat(folds, weights)
    )
    np.testing.assert_allclose(np.repeat(weighted, weights), repeated, rtol=1e-9)


# ---- gain, distance, verdict


def test_gain_is_a_paired_mean_with_a_normal_interval():
    null = np.array([-5.0, -7.0, -6.0, -9.0])
    found = gain(null + np.arange(1, 5), null)
    half = 1.96 * np.sqrt(5 / 3) / 2  # variance 5/3 of 1, 2, 3, 4; four people
    assert found.estimate == pytest.approx(2.5)
    assert (found.low, found.high) == pytest.approx((2.5 - half, 2.5 + half))
    assert found.n == 4


def test_weighted_gain_of_units_by_hand():
    null, weights = np.zeros(4), np.array([1.0, 3.0, 2.0, 2.0])
    units = np.array([7, 7, 2, 5])
    found = gain(np.array([1.0, 2.0, 0.0, 4.0]), null, weights, units)
    mean = (1 + 6 + 0 + 8) / 8
    # sums of weight * (difference - mean) over units 7, 2 and 5
    sums = np.array([1 * (1 - mean) + 3 * (2 - mean), 2 * (0 - mean), 2 * (4 - mean)]) / 8
    half = 1.96 * np.sqrt(3 / 2 * (sums**2).sum())
    assert found.estimate == pytest.approx(mean)
    assert (found.low, found.high) == pytest.approx((mean - half, mean + half))


def test_departure_of_an_item_that_everybody_answers_alike_is_none():
    ladder = SimpleNamespace(profile_at=lambda totals: np.outer(totals, [0.5, 0.5]))
    item_probs = np.array([[[1, 0, 0], [0, 0, 1]]], dtype=float)
    np.testing.assert_allclose(departures(item_probs, ladder, np.array([0.0, 0.5])), [[0, 2]])


def test_distance_from_the_ladder_by_hand():
    item_probs = np.array([[[1, 0, 0], [0, 0, 1]], [[0, 1, 0], [0, 1, 0]]], dtype=float)
    ladder = SimpleNamespace(profile_at=lambda totals: np.outer(totals, [0.5, 0.5]))
    # profiles (0, 2) and (1, 1) against (1, 1) on the ladder at a total of 2
    distances = profile_distances(item_probs, ladder, np.array([1.0, 0.5]))
    np.testing.assert_allclose(distances, [np.sqrt((1**2 + 2**2) / 2), 0.0])
    assert overall_distance(np.array([0.3, 0.4]), np.array([1, 3])) == pytest.approx(
        np.sqrt((0.09 + 3 * 0.16) / 4)
    )


GAIN, LOSS, NEITHER = Gain(2, 1, 3, 9), Gain(-2, -3, -1, 9), Gain(0, -1, 1, 9)


@pytest.mark.parametrize(
    ("found", "distance", "expected"),
    [
        (GAIN, 0.2, "differs in kind"),
        (GAIN, 5.0, "differs in kind"),
        (GAIN, 0.19, "inconclusive"),
        (GAIN, 0.1, "inconclusive"),
        (Gain(0.02, 0.01, 0.044, 9), 0.09, "severity only"),  # profiles lie on the ladder
        (Gain(0.03, 0.01, 0.046, 9), 0.09, "inconclusive"),  # and yet it may describe them badly
        (NEITHER, 0.2, "inconclusive"),
        (NEITHER, 0.1, "inconclusive"),
        (NEITHER, 0.09, "inconclusive"),  # so few people that a gain of note is possible
        (LOSS, 0.2, "inconclusive"),  # a loss may come from too few people
        (LOSS, 0.19, "severity only"),  # the ladder predicts better
        (LOSS, 0.09, "severity only"),
        (Gain(1, 0, 2, 9), 0.3, "inconclusive"),  # an interval that touches zero decides nothing
        (Gain(-1, -2, 0, 9), 0.15, "inconclusive"),
    ],
)
def test_verdict(found, distance, expected):
    assert verdict(found, distance) == expected


def test_a_gain_of_note_is_one_per_session():
    found = Gain(0.3, 0.2, 0.4, 9)
    assert verdict(found, 0.05, sessions=8) == "inconclusive"  # up to 0.05 a session
    assert verdict(found, 0.05, sessions=10) == "severity only"  # up to 0.04 a session


def planted_ladder():
    """Four rungs: six items that all rise with severity, each with its own slope."""
    slopes = np.array([0.7, 0.9, 1.1, 1.2, 1.4, 1.6])
    logits = np.multiply.outer(np.array([-1.5, -0.5, 0.5, 1.5]), slopes)[..., None] * SCORES
    weights = np.exp(logits + np.array([0, 0.3, -0.1, -0.5]))
    return states_with(weights / weights.sum(axis=2, keepdims=True))


def planted_kinds():
    """Between well and unwell two states of equal severity, each with one half of the items."""
    few, many = [0.7, 0.2, 0.07, 0.03], [0.07, 0.13, 0.3, 0.5]
    return states_with(
        np.array([[few] * 6, [many] * 3 + [few] * 3, [few] * 3 + [many] * 3, [many] * 6])
    )


def states_with(item_probs):
    return {
        "initial_probs": np.full(4, 1 / 4),
        "transition_matrix": 0.1 + 0.6 * np.eye(4),
        "item_probs": item_probs,
    }


@pytest.mark.parametrize(
    ("truth", "expected"),
    [(planted_ladder(), "severity only"), (planted_kinds(), "differs in kind")],
    ids=["ladder", "kinds"],
)
def test_verdict_on_simulated_data_is_the_planted_truth(truth, expected):
    items, _ = oracle.simulate(truth, LENGTHS, seed=1)
    usual = {"n_categories": 4, "n_starts": 3, "tol": 1e-7, "random_state": 0}
    free, ladder = LatentMarkov(4, **usual), SeverityLadder(4, **usual)
    held_out = [
        held_out_log_likelihood(model, items, LENGTHS, n_folds=4, seed=0)
        for model in (free, ladder)
    ]
    free.fit(items, LENGTHS)
    ladder.fit(items, LENGTHS)
    distances = profile_distances(free.item_probs_, ladder, items.std(axis=0))
    shares = free.predict_proba(items, LENGTHS).mean(axis=0)
    assert verdict(gain(*held_out), overall_distance(distances, shares)) == expected


# ---- matching


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1))
def test_matching_undoes_a_permutation_of_fourteen_states(seed):
    random = np.random.default_rng(seed)
    reference = random.dirichlet([1.0] * 4, (14, 9))
    order = random.permutation(14)
    found = match_states(reference, reference[order])
    np.testing.assert_array_equal(order[found], np.arange(14))


def test_matching_is_the_best_of_all_permutations():
    random = np.random.default_rng(3)
    one, other = random.dirichlet([1.0] * 4, (2, 5, 3))

    def cost(order):
        return np.abs(one - other[list(order)]).sum()

    best = min(permutations(range(5)), key=cost)
    assert match_states(one, other).tolist() == list(best)
