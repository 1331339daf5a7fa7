"""Individuals beside the cohort: the same within four standard errors, and what only they can do.

Seeds are fixed, so a test that passes does so again.
"""

import numpy as np
import pytest

from iesoresearch.errors import ParameterError
from iesoresearch.models.markov_cohort import (
    YEAR,
    CohortModel,
    Reward,
    discount,
    expand,
    weibull_hazards,
)
from iesoresearch.models.microsimulation import (
    PersonalModel,
    PersonalReward,
    simulate,
    simulate_people,
)
from iesoresearch.models.microsimulation.uniforms import choose, key_of, uniforms

STATES = ("well", "ill", "dead")
USUAL = np.array([[0.75, 0.2, 0.05], [0.3, 0.6, 0.1], [0, 0, 1.0]])
BETTER = np.array([[0.75, 0.2, 0.05], [0.5, 0.42, 0.08], [0, 0, 1.0]])
COST, QALY = np.array([100.0, 2000, 0]), np.array([0.9, 0.5, 0])
ONSET = np.array([[0, 700.0, 50], [0, 0, 50], [0, 0, 0]])
N = 12
D = discount(0.035, N, YEAR)


def cohort(**more):
    return CohortModel(
        *(STATES, ("usual", "better"), [[[0.7, 0.3, 0], [0.5, 0.5, 0]]]),
        np.array([USUAL, BETTER])[None, :, None],
        (
            Reward(
                *("cost", COST, "life_table", D),
                transition=ONSET,
                transition_weights=np.ones(N),
                once=[[0.0, 300]],
            ),
            Reward("qaly", QALY, "trapezoid", D, utility=True),
        ),
        *(N, YEAR),
    )


def z(simulated, totals, draw=0):
    """Differences from the expected totals in standard errors, all rewards and strategies."""
    return np.concatenate(
        [
            (simulated.mean[name] - totals[name][draw]) / simulated.standard_error[name]
            for name in simulated.individuals
        ]
    )


@pytest.mark.parametrize("discounted", [True, False])
def test_individuals_agree_with_the_cohort(discounted):
    model = cohort()
    found = simulate(model, 20_000, 1, discounted=discounted)
    assert abs(z(found, model.totals(discounted=discounted))).max() < 4
    assert found.standard_error["cost"].max() < 0.02 * found.mean["cost"].max()


def test_draws_schedules_and_values_that_change_with_time():
    random = np.random.default_rng(1)
    p = random.dirichlet(np.ones(3), (2, 1, 4, 3))
    rewards = (
        Reward(
            "it",
            random.normal(size=(2, 1, N + 1, 3)),
            "end",
            D,
            transition=random.normal(size=(1, 2, N, 3, 3)),
            transition_weights=random.random(N),
        ),
    )
    schedule = random.integers(0, 4, (2, N))
    model = CohortModel(STATES, ("a", "b"), [1, 0, 0], p, rewards, N, YEAR, schedule)
    totals = model.totals()
    for draw in range(2):
        assert abs(z(simulate(model, 20_000, 2, draw=draw), totals, draw)).max() < 4


def test_neither_threads_nor_company_change_an_individual():
    model = cohort()
    one = simulate(model, 500, 3)
    many, few = simulate(model, 500, 3, n_jobs=3), simulate(model, 101, 3)
    for name, each in one.individuals.items():
        assert (each == many.individuals[name]).all()
        assert (each[:101] == few.individuals[name]).all()
    assert (one.individuals["qaly"] != simulate(model, 500, 4).individuals["qaly"]).any()


def test_strategies_share_their_random_numbers():
    """What differs is the strategy: twins under equal strategies are equal, else alike."""
    model = cohort()
    found = simulate(model, 5000, 5)
    mean, error = found.difference("qaly", "better", "usual")
    totals = model.totals()["qaly"][0]
    assert mean == pytest.approx(totals[1] - totals[0], abs=4 * error)
    assert error < 0.7 * np.hypot(*found.standard_error["qaly"])
    same = CohortModel(STATES, ("a", "b"), [1, 0, 0], USUAL, model.rewards[1:], N, YEAR)
    assert simulate(same, 50, 5).difference("qaly", "a", "b") == (0.0, 0.0)


def personal(transitions, **more):
    inputs = {
        "states": STATES,
        "strategies": ("usual",),
        "start": np.array([0.7, 0.3, 0]),
        "transitions": transitions,
        "rewards": (
            PersonalReward(
                "cost", lambda p: COST[p.state], "trapezoid", D, lambda p, to: ONSET[p.state, to]
            ),
            PersonalReward("qaly", lambda p: QALY[p.state], "trapezoid", D),
        ),
        "n_cycles": N,
    }
    return PersonalModel(**{**inputs, **more})


def plain(clock=None):
    """The cohort of `personal`, whose time in "ill" may matter."""
    split = expand(STATES, USUAL, {} if clock is None else {"ill": clock})
    rewards = (
        Reward(
            *("cost", split.values(COST), "trapezoid", D),
            transition=split.moves(ONSET),
            transition_weights=np.ones(N),
        ),
        Reward("qaly", split.values(QALY), "trapezoid", D),
    )
    start = split.start([0.7, 0.3, 0])
    return CohortModel(split.states, ("usual",), start, split.transitions, rewards, N, YEAR)


def test_people_who_do_not_differ_are_the_twins_of_the_cohort():
    found = simulate_people(personal(lambda p: USUAL[p.state]), 20_000, 6)
    assert abs(z(found, plain().totals())).max() < 4
    twins = simulate(plain(), 20_000, 6)
    for name, each in found.individuals.items():
        np.testing.assert_allclose(each, twins.individuals[name], rtol=1e-12, atol=1e-12)


def test_time_in_state_agrees_with_tunnels():
    leaves = 1 - np.exp(-weibull_hazards(0.5, 1.8, N + 1))
    clock = np.stack([0.8 * leaves, 1 - leaves, 0.2 * leaves], axis=1)

    def transitions(people):
        rows = USUAL[people.state]
        ill = people.state == 1
        rows[ill] = clock[people.time_in_state[ill]]
        return rows

    found = simulate_people(personal(transitions), 20_000, 7)
    assert abs(z(found, plain(clock).totals())).max() < 4
    assert abs(z(found, plain().totals())).max() > 4  # and the clock matters


def test_covariates_average_over_groups():
    """Two groups with matrices of their own: the mean of their cohorts."""
    group = np.arange(20_000) % 2
    both = np.array([USUAL, BETTER])
    model = personal(lambda p: both[p.covariates["group"], p.state], covariates={"group": group})
    found = simulate_people(model, 20_000, 8)
    totals = {}
    for name in ("cost", "qaly"):
        each = [
            CohortModel(*(STATES, ("one",), [0.7, 0.3, 0], p, plain().rewards, N, YEAR)).totals()[
                name
            ]
            for p in both
        ]
        totals[name] = (each[0] + each[1]) / 2
    assert abs(z(found, totals)).max() < 4


def test_memory_of_states_visited():
    """Who was ever ill: expected from a cohort with an extra state for a well person who was."""

    def relapse(people):
        rows = USUAL[people.state]
        again = (people.state == 0) & people.visited[:, 1]
        rows[again] = [0.5, 0.45, 0.05]
        return rows

    found = simulate_people(personal(relapse), 20_000, 9)
    p = np.array([[0.75, 0.2, 0.05, 0], [0, 0.6, 0.1, 0.3], [0, 0, 1, 0], [0, 0.45, 0.05, 0.5]])
    reward = Reward("qaly", [*QALY, QALY[0]], "trapezoid", D)
    model = CohortModel((*STATES, "recovered"), ("usual",), [0.7, 0.3, 0, 0], p, (reward,), N, YEAR)
    error = found.standard_error["qaly"][0]
    assert found.mean["qaly"][0] == pytest.approx(model.totals()["qaly"][0, 0], abs=4 * error)


def test_chunks_change_no_person():
    age = np.random.default_rng(1).normal(size=300)

    def transitions(people):
        rows = USUAL[people.state]
        up = 0.1 / (1 + np.exp(-people.covariates["age"])) * (people.state == 0)
        rows[:, 1] += up
        rows[:, 0] -= up
        return rows

    model = personal(transitions, covariates={"age": age})
    whole, parts = (simulate_people(model, 300, 10, chunk=c) for c in (1000, 7))
    for name, each in whole.individuals.items():
        assert (each == parts.individuals[name]).all()


def test_uniforms_are_uniform_and_unrelated():
    u = np.array([uniforms(key_of(1), 0, 20_000, event) for event in range(5)])
    assert u.min() >= 0
    assert u.max() < 1
    counts = np.histogram(u, 100, (0, 1))[0]
    assert ((counts - 1000) ** 2 / 1000).sum() < 99 + 4 * np.sqrt(2 * 99)
    correlation = np.corrcoef(np.vstack([u, np.roll(u[0], 1)])) - np.eye(6)
    assert abs(correlation).max() < 4 / np.sqrt(20_000)
    assert len(np.unique(u)) == u.size


def test_choosing_by_inversion():
    row = np.array([0.0, 0.25, 0.0, 0.75, 0.0])
    assert [choose(row, u) for u in (0.0, 0.2499, 0.25, 0.999999)] == [1, 1, 3, 3]
    assert choose(np.array([0.5, 0.5 - 1e-12, 0.0]), 1 - 1e-15) == 1


def wrong(p):
    rows = USUAL[p.state].copy()
    rows[p.state == 1, 0] += 0.1
    return rows


def of_cost(values, **more):
    return {"rewards": (PersonalReward("cost", values, **more),)}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: simulate(cohort(), 1, 0), "needs 2 individuals or more.*found 1 individuals"),
        (lambda: simulate(cohort(), 10, 0, draw=1), "one of the 1 draws .* and draw 1"),
        (
            lambda: simulate(cohort(), 10, 0).difference("qaly", "usual", "bettr"),
            'No strategy of the simulation is called "bettr": choose from usual, better',
        ),
        (lambda: simulate_people(personal(wrong), 50, 0), "under usual in cycle 1 from ill are no"),
        (
            lambda: simulate_people(personal(lambda p: USUAL), 50, 0),
            r"have shape \(3, 3\), expected 50 individuals and 3 states",
        ),
        (
            lambda: simulate_people(personal(lambda p: USUAL[p.state], start=[0.5, 0.4, 0]), 9, 0),
            r"start under usual are no distribution: they sum to 0\.9",
        ),
        (
            lambda: simulate_people(personal(None, start=[1.0]), 9, 0),
            r"start has shape \(1,\), expected \(3,\)",
        ),
        (
            lambda: simulate_people(personal(None, covariates={"age": [1, 2]}), 3, 0),
            'covariate "age" has 2 entries for 3 individuals',
        ),
        (lambda: simulate_people(personal(None), 3, 0, chunk=0), "found 3 and 0"),
        (
            lambda: simulate_people(
                personal(None, **of_cost(lambda p: np.nan, weights="start")), 9, 0
            ),
            'reward "cost" under usual at point 0 must be a finite number for each of 9',
        ),
        (
            lambda: simulate_people(personal(None, **of_cost(None, weights="life_table")), 9, 0),
            'cannot be counted by "life_table"',
        ),
        (
            lambda: simulate_people(personal(None, **of_cost(lambda p: 1.0)), 9, 0),
            'reward "cost" counts states but not when',
        ),
        (
            lambda: simulate_people(personal(None, **of_cost(None, weights=[1, 1])), 9, 0),
            r'weights of reward "cost" has shape \(2,\), expected \(13,\)',
        ),
    ],
)
def test_what_cannot_be_simulated(call, message):
    with pytest.raises(ParameterError, match=message):
        call()
