"""The engine beside the definition, written out in loops; and laws that hold for any model."""

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.models import markov_cohort
from iesoresearch.models.markov_cohort import (
    CONVENTIONS,
    YEAR,
    CohortModel,
    Duration,
    Reward,
    discount,
    evaluate_in_chunks,
    evaluation,
    weights,
)

MONTH = Duration(1, "month")


def at(array, *index):
    """Element of an array whose axes of length 1 stand for all."""
    return array[tuple(i if n > 1 else 0 for i, n in zip(index, array.shape, strict=False))]


def by_definition(model, discounted=True):
    """Totals in plain loops over draws, strategies, points and states."""
    found = {}
    n, size = model.n_cycles, len(model.states)
    for reward in model.rewards:
        total = np.zeros((model.n_draws, len(model.strategies)))
        factors = reward.discount if discounted else np.ones(n + 1)
        for d, k in np.ndindex(*total.shape):
            m = at(model.start, d, k)
            schedule = at(model.schedule, k)
            sums = at(reward.once, d, k)
            for t in range(n + 1):
                worth = reward.values[min(d, len(reward.values) - 1)]
                worth = at(worth, k)[at(reward.schedule, k)[t]]
                sums += reward.weights[t] * factors[t] * (m @ worth)
                if t == n:
                    break
                p = at(model.transitions, d, k)[schedule[t]]
                move = at(reward.transition, d, k, t)
                flow = sum(m[i] * p[i, j] * move[i, j] for i, j in np.ndindex(size, size))
                sums += reward.transition_weights[t] * factors[t + 1] * flow
                m = m @ p
            total[d, k] = sums
        found[reward.name] = total
    return found


def one_or(random, n):
    return n if random.random() < 0.7 else 1


def draw_model(seed, n_draws=None):
    """A model of any shape: axes of length 1, schedules, impossible moves."""
    random = np.random.default_rng(seed)
    size, n_strategies, n = random.integers(2, 7), random.integers(1, 4), random.integers(1, 7)
    n_draws = n_draws or random.integers(1, 40)

    def lead():
        return one_or(random, n_draws), one_or(random, n_strategies)

    kinds = random.integers(1, n + 3)
    p = random.dirichlet(np.full(size, 0.5), (n_draws, n_strategies, kinds, size))
    possible = random.random((size, size)) < random.choice([0.3, 1.0])
    possible |= np.eye(size, dtype=bool)
    p = np.where(possible, p + 1e-3, 0)
    p /= p.sum(-1, keepdims=True)
    p = p[:, : lead()[1]]
    rewards = tuple(
        Reward(
            name,
            random.normal(size=(*lead(), values := random.integers(1, 4), size)),
            weights(convention, n),
            discount(0.1, n, MONTH, rate_per=MONTH),
            transition=random.normal(size=(*lead(), one_or(random, n), size, size)),
            transition_weights=random.random(n),
            once=random.normal(size=lead()),
            schedule=random.integers(0, values, (one_or(random, n_strategies), n + 1)),
        )
        for name, convention in (("cost", "trapezoid"), ("effect", "end"))
    )
    return CohortModel(
        tuple(f"state {i}" for i in range(size)),
        tuple(f"strategy {i}" for i in range(n_strategies)),
        random.dirichlet(np.ones(size), lead()),
        p,
        rewards,
        int(n),
        MONTH,
        random.integers(0, kinds, (one_or(random, n_strategies), n)),
    )


models = st.integers(0, 10**6).map(draw_model)
LAWS = settings(max_examples=30, deadline=None)


@LAWS
@given(models, st.booleans())
def test_totals_are_those_of_the_definition(model, discounted):
    found = model.totals(discounted=discounted)
    for name, expected in by_definition(model, discounted).items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-11, atol=1e-11)


@LAWS
@given(models)
def test_backward_is_forward(model):
    forward = model.totals()
    for reward in model.rewards:
        to_go = model.values_to_go()[reward.name]
        assert to_go.shape[2:] == (model.n_cycles + 1, len(model.states))
        total = (model.start * to_go[:, :, 0]).sum(-1) + reward.once
        np.testing.assert_allclose(total, forward[reward.name], rtol=1e-11, atol=1e-11)


@LAWS
@given(models)
def test_occupancy_sums_to_one(model):
    traces = model.traces()
    np.testing.assert_allclose(traces.sum(-1), 1, rtol=1e-12)
    assert (traces >= 0).all()
    d, k = model.n_draws - 1, len(model.strategies) - 1
    assert (model.trace(d, k) == traces[d, k]).all()


def sliced(model, rows):
    """The model of some draws."""

    def part(array):
        return array[rows] if array is not None and array.shape[0] > 1 else array

    rewards = tuple(
        Reward(
            **{
                **vars(reward),
                "values": part(reward.values),
                "transition": part(reward.transition),
                "once": part(reward.once),
            }
        )
        for reward in model.rewards
    )
    return CohortModel(
        *(model.states, model.strategies, part(model.start), part(model.transitions), rewards),
        *(model.n_cycles, model.cycle, model.schedule),
    )


@LAWS
@given(st.integers(0, 10**6), st.integers(1, 40), st.integers(1, 2))
def test_splitting_the_draws_changes_no_bit(seed, chunk, n_jobs):
    model = draw_model(seed, n_draws=37)
    whole = model.totals()
    parts = evaluate_in_chunks(lambda rows: sliced(model, rows), 37, chunk, n_jobs=n_jobs)
    for name, expected in whole.items():
        assert (parts[name] == expected).all()


@LAWS
@given(models)
def test_leaving_out_moves_that_do_not_occur_changes_no_bit(model):
    found = []
    for full in (0.0, 2.0):  # every cell, only cells that occur
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(evaluation, "FULL", full)
            found.append((model.totals(), model.values_to_go()))
    for every, some in zip(*found, strict=True):
        for name, expected in every.items():
            assert (some[name] == expected).all()


def simple(values, convention, n, rate=0.0, cycle=MONTH, **more):
    p = np.array([[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0, 0, 1]])
    reward = Reward("it", values, convention, discount(rate, n, cycle), **more)
    return CohortModel(("a", "b", "c"), ("only",), [1, 0, 0], p, (reward,), n, cycle)


@LAWS
@given(st.sampled_from([c for c in CONVENTIONS if c != "darth_simpson"]), st.integers(1, 60))
def test_a_constant_reward_of_one_a_year_is_the_horizon(convention, months):
    months += months % 2
    year = np.full(3, MONTH.years)
    assert simple(year, convention, months).totals()["it"][0, 0] == pytest.approx(months / 12)
    less = simple(year, convention, months, rate=0.05).totals()["it"]
    assert less < months / 12


@LAWS
@given(st.integers(0, 10**6), st.floats(-3, 3))
def test_totals_are_linear_in_the_rewards(seed, factor):
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, 3))

    def total(values):
        return simple(values, "trapezoid", 12, 0.03).totals()["it"][0, 0]

    assert total(a + factor * b) == pytest.approx(total(a) + factor * total(b), abs=1e-10)


@LAWS
@given(models)
def test_with_rewards_that_are_not_negative_discounting_takes_away(model):
    rewards = tuple(
        Reward("it", abs(r.values), r.weights, r.discount, schedule=r.schedule)
        for r in model.rewards[:1]
    )
    positive = CohortModel(
        *(model.states, model.strategies, model.start, model.transitions, rewards),
        *(model.n_cycles, model.cycle, model.schedule),
    )
    less = positive.totals()["it"]
    assert (less <= positive.totals(discounted=False)["it"] + 1e-12).all()


def test_life_table_takes_value_and_discount_of_the_cycle():
    """Cycle c counts value c, discount c and the mean of the points around it."""
    n, d = 4, discount(0.5, 4, YEAR)
    values = np.arange(1.0, 6.0)[None, None, :, None] * np.array([1.0, 2.0, 0.0])
    model = simple(values, "life_table", n, 0.5, YEAR)
    m = model.trace()
    mean = (m[:-1] + m[1:]) / 2
    expected = sum(d[c] * (mean[c - 1] @ values[0, 0, c]) for c in range(1, n + 1))
    assert model.totals()["it"][0, 0] == pytest.approx(expected, rel=1e-13)
    constant = simple([1.0, 2.0, 0.0], "life_table", n, 0.5, YEAR)
    expected = sum(d[c] * (mean[c - 1] @ [1, 2, 0]) for c in range(1, n + 1))
    assert constant.totals()["it"][0, 0] == pytest.approx(expected, rel=1e-13)


def test_one_off_rewards_are_not_discounted():
    model = simple(np.zeros(3), "end", 3, 0.5, YEAR, once=7.0)
    assert model.totals()["it"] == 7.0
    assert model.values_to_go()["it"].max() == 0


def test_moves_have_their_own_discount_where_given():
    moves = np.zeros((3, 3))
    moves[0, 1] = 10.0
    start = np.array([1.0, 0.5])
    model = simple(
        *(None, "end", 2, 0.5, YEAR),
        transition=moves,
        transition_weights=np.ones(2),
        transition_discount=start,
    )
    m = model.trace()
    expected = 10 * 0.2 * (m[0, 0] * 1.0 + m[1, 0] * 0.5)
    assert model.totals()["it"][0, 0] == pytest.approx(expected, rel=1e-13)
    undiscounted = model.totals(discounted=False)["it"][0, 0]
    assert undiscounted == pytest.approx(2 * (m[0, 0] + m[1, 0]), rel=1e-13)


def test_a_broadcast_view_is_the_same_for_all():
    values = np.broadcast_to(np.array([1.0, 2.0, 0.0]), (5, 1, 1, 3))
    model = simple(values, "end", 2)
    assert model.n_draws == 5
    assert model.rewards[0].values.shape == (1, 1, 1, 3)
    assert (model.totals()["it"] == simple([1.0, 2.0, 0.0], "end", 2).totals()["it"]).all()


def test_nothing_can_be_written_into_a_model():
    model = simple([1.0, 2.0, 0.0], "end", 2)
    for array in (model.start, model.transitions, model.schedule, model.rewards[0].values):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(AttributeError):
        model.n_cycles = 3


def test_a_model_without_rewards_still_has_a_trace():
    model = CohortModel(("a",), ("only",), [1.0], [[1.0]], (), 2, YEAR)
    assert model.totals() == {}
    assert (model.trace() == 1).all()


def test_the_example_of_the_package():
    """Two states: the share still ill falls by the same factor, so the total is a sum by hand."""
    assert doctest.testmod(markov_cohort).failed == 0
    t, both = np.arange(25), []
    for rate in (0.6, 0.9):
        ill = np.exp(-rate * t / 12)
        each = (0.6 * ill + 0.8 * (1 - ill)) / 12 * 1.035 ** (-t / 12)
        both.append(each.sum() - (each[0] + each[-1]) / 2)
    assert both == pytest.approx([1.3195, 1.3651], abs=5e-5)
