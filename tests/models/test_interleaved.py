"""Four people abreast give the sums of one after the other."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.models.latent_markov import em, interleaved
from iesoresearch.models.latent_markov.chains import Chain
from iesoresearch.models.latent_markov.emissions import FreeItems
from iesoresearch.models.latent_markov.packing import pack
from iesoresearch.models.latent_markov.sessions import Sessions

from . import oracle

examples = settings(max_examples=40, deadline=None, derandomize=True)
seeds = st.integers(0, 2**32 - 1)
WIDTHS = [1, 2, 7, 8, 9, 16, 17]  # states: one to three vectors of eight lanes


def as_model(arrays):
    return em.Model(
        Chain(arrays["initial_probs"][None], arrays["transition_matrix"][None]),
        FreeItems(arrays["item_probs"]),
    )


def random_case(seed, n_states, lengths, n_items=7, missing=0.2):
    """A model, answers drawn from it, some missing as are whole sessions, and bounds."""
    random = np.random.default_rng(seed)
    arrays = oracle.random_model(random, n_states, [4] * n_items)
    items, _ = oracle.simulate(arrays, lengths, seed, missing)
    items[random.random(len(items)) < missing / 2] = -1
    return arrays, items, np.concatenate([[0], np.cumsum(lengths)])


def both(model, items, bounds, weights=None):
    """Counts with four people abreast, and by the general kernel, which one class leads to."""
    packed = pack(items, model.emission.item_probs.shape[2])
    alike = Sessions(packed, bounds, weights)
    general = Sessions(packed, bounds, weights, first_class=np.zeros(len(bounds) - 1, int))
    assert alike.alike
    assert not general.alike
    return em.e_step(alike, model), em.e_step(general, model)


def assert_same_sums(one, other):
    assert one.log_likelihood == pytest.approx(other.log_likelihood, rel=1e-12, abs=0)
    for name in ("first", "moves", "codes"):
        a, b = getattr(one, name), getattr(other, name)
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-200, err_msg=name)


def assert_same_bits(one, other):
    assert one.log_likelihood == other.log_likelihood
    for name in ("first", "moves", "codes"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@examples
@given(
    seeds, st.sampled_from(WIDTHS), st.lists(st.integers(1, 9), min_size=1, max_size=40),
    st.booleans(), st.integers(1, 13),
)  # fmt: skip
def test_sums_are_those_of_the_general_kernel(seed, n_states, lengths, weighted, n_items):
    arrays, items, bounds = random_case(seed, n_states, lengths, n_items)
    weights = np.random.default_rng(seed).exponential(size=len(lengths)) if weighted else None
    assert_same_sums(*both(as_model(arrays), items, bounds, weights))


@pytest.mark.parametrize("leftover", range(4))
@pytest.mark.parametrize("n_states", [3, 11])
def test_any_number_of_people_of_a_length(leftover, n_states):
    lengths = np.repeat(np.arange(1, 7), 4 + leftover)
    arrays, items, bounds = random_case(leftover, n_states, lengths)
    one, other = both(as_model(arrays), items, bounds)
    assert_same_sums(one, other)
    assert one.first.sum() == pytest.approx(len(lengths), rel=1e-12)  # the filling counts nothing


@pytest.mark.parametrize("n_states", range(1, 18))
def test_any_number_of_states(n_states):
    arrays, items, bounds = random_case(n_states, n_states, [4, 1, 4, 2, 4, 4, 7])
    one, other = both(as_model(arrays), items, bounds)
    assert_same_sums(one, other)
    expected = oracle.log_likelihood(arrays, items, np.diff(bounds))
    assert one.log_likelihood == pytest.approx(expected, rel=1e-12, abs=0)


@examples
@given(seeds, st.lists(st.integers(0, 3), min_size=2, max_size=12).filter(any))
def test_weights_are_copies_of_people(seed, copies):
    lengths = np.random.default_rng(seed).integers(1, 5, len(copies))
    arrays, items, bounds = random_case(seed, 3, lengths)
    model = as_model(arrays)
    people = np.repeat(np.arange(len(copies)), copies)
    rows = [np.arange(bounds[p], bounds[p + 1]) for p in people]
    ends = np.cumsum([len(row) for row in rows])
    copied = Sessions(pack(items[np.concatenate(rows)], 4), np.concatenate([[0], ends]))
    weighted = Sessions(pack(items, 4), bounds, np.array(copies, float))
    assert_same_sums(em.e_step(weighted, model), em.e_step(copied, model))


def test_the_same_single_sessions_are_one_person():
    lengths = np.ones(5000, int)
    arrays, items, bounds = random_case(1, 4, lengths, n_items=3, missing=0.1)
    weights = np.random.default_rng(1).exponential(size=5000)
    sessions = Sessions(pack(items, 4), bounds, weights)
    patterns = len(np.unique(items, axis=0))
    (fours,) = sessions.fours
    assert patterns <= len(fours.weights) < patterns + 4
    assert fours.weights.sum() == pytest.approx(weights.sum(), rel=1e-13)
    assert_same_sums(*both(as_model(arrays), items, bounds, weights))


def test_codes_are_laid_out_as_the_kernel_reads_them():
    """Two items in a group each, so that a code is six times the first answer plus the second."""
    items = np.array([[0, 1], [2, 3], [4, 4], [1, 1], [3, 0]], np.int8)
    bounds = np.array([0, 2, 3, 5])  # lengths 2, 1, 2
    single, double = 27 + 1, [[0 * 6 + 1, 2 * 6 + 3], [1 * 6 + 1, 3 * 6 + 0]]
    (fours,) = interleaved.deal(pack(items, 5).codes, bounds, np.array([0.5, 2.0, 3.0]))
    assert fours.lengths.tolist() == [1, 2]
    first, second = zip(*double, strict=True)
    assert fours.codes.tolist() == [
        *[single] * 4,  # filled up with copies that weigh nothing
        *[*first, first[1], first[1]], *[*second, second[1], second[1]],
    ]  # fmt: skip
    assert fours.weights.tolist() == [2, 0, 0, 0, 0.5, 3, 0, 0]


@pytest.mark.parametrize("person", range(7))
def test_impossible_answers_of_anybody(person):
    lengths = [3, 3, 3, 3, 3, 1, 1]
    arrays, items, bounds = random_case(0, 3, lengths, missing=0.0)
    items[:, 0] = np.minimum(items[:, 0], 2)
    arrays["item_probs"][:, 0] = [0.5, 0.3, 0.2, 0.0]
    one, other = both(as_model(arrays), items, bounds)
    assert_same_sums(one, other)
    items[bounds[person + 1] - 1, 0] = 3
    one, other = both(as_model(arrays), items, bounds)
    assert one.log_likelihood == other.log_likelihood == -np.inf


def test_rare_answers_of_many_sessions_do_not_underflow():
    """Up to fifty sessions, one of whose answers has a probability of 1e-160 or 1e-60."""
    random = np.random.default_rng(3)
    lengths = [50, 50, 3, 50, 17, 17, 1]
    arrays, items, bounds = random_case(3, 4, lengths, n_items=20, missing=0.0)
    items = np.minimum(items, 1).astype(np.int8)
    rare = random.uniform(1, 2, (4, 20)) * 1e-8
    arrays["item_probs"] = np.stack([rare, 1 - rare], axis=2)
    items[::3, 8:] = -1
    one, other = both(as_model(arrays), items, bounds)
    assert_same_sums(one, other)
    expected = oracle.log_likelihood(arrays, items, lengths)
    assert expected < -1e4
    assert one.log_likelihood == pytest.approx(expected, rel=1e-12, abs=0)


def test_threads_change_no_bit(monkeypatch):
    monkeypatch.setattr(interleaved, "ROWS", 64)
    lengths = np.random.default_rng(5).integers(1, 12, 400)
    arrays, items, bounds = random_case(5, 5, lengths)
    model, sessions = as_model(arrays), Sessions(pack(items, 4), bounds)
    assert len(sessions.fours) > 20
    assert max(4 * fours.lengths.sum() for fours in sessions.fours) < 64 + 4 * 12
    alone = em.e_step(sessions, model)
    for n_threads in (1, 2, 3):
        with ThreadPoolExecutor(n_threads) as executor:
            assert_same_bits(alone, em.e_step(sessions, model, executor))
    monkeypatch.setattr(interleaved, "ROWS", 10**6)
    assert_same_sums(alone, em.e_step(Sessions(sessions.packed, bounds), model))
