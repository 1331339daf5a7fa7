"""Costs of waits by hand, from single patients, and where capacity pays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.errors import ParameterError
from iesoresearch.models import queue
from iesoresearch.models.queue.economics import capacity_cost
from iesoresearch.models.queue.simulation import THRESHOLDS, accrued, published_bands


def linear_cost(per_week):
    """(draws, bands, 53) cost of waits from a cost per week (draws, bands)."""
    return np.asarray(per_week, float)[..., None] * np.arange(53)


def service(rate=20.0, **changes):
    plain = {
        "referrals_per_week": rate, "bands": ("mild", "severe"), "mix": (0.6, 0.4),
        "recovery": (0.008, 0.003), "drop_out": (0.01, 0.02), "assessments_per_week": 1.0,
        "lag_weeks": 1.0, "wait_weeks": 1.5, "continues": 0.7,
        "routes": (queue.Route("low", 0.7, 1, 8.0, 3.0, 1.0),
                   queue.Route("high", 0.3, 1, 16.0, 2.0, 12.0)),
    }  # fmt: skip
    return queue.in_balance(queue.Service(**plain | changes))


AS_IS = queue.Scenario("as it is")
PRICES = queue.Prices(np.array([600.0, 700.0]), np.array([90.0, 110.0]), 0.25)


# Weeks of wait, weighted


@pytest.mark.parametrize("scenario", [AS_IS, queue.Scenario("few", places=0.5)])
def test_accrued_cost_is_the_sum_over_patients(scenario):
    """A curved cost, looked up for each patient at the start and the end of the wait in the run."""
    run = queue.simulate_once(service(), scenario, 60, 2, 0)
    cost = np.random.default_rng(1).random((2, 53)).cumsum(axis=1)
    weights, beyond = accrued(run, 2)
    expected = late = 0.0
    people = run.people
    for i in np.flatnonzero(people.goes_on):
        end = min(run.offered_second[i], 60.0) - people.referred[i]
        start = max(-people.referred[i], 0.0)
        by_week = cost[people.band[i]]
        expected += np.interp(end, range(53), by_week) - np.interp(start, range(53), by_week)
        late += end > 52
    assert (weights * cost).sum() == pytest.approx(expected)
    assert beyond == late


def test_a_constant_cost_per_week_counts_the_weeks_of_those_who_stay():
    """If nobody leaves and everybody goes on, offered weeks are weeks on the lists."""
    s = service(recovery=(0, 0), drop_out=(0, 0), continues=1.0)
    found = queue.simulate(s, [AS_IS], 60, 2, 1)
    cost = linear_cost([[2.0, 3.0]])[0]
    assert found.beyond_longest.sum() == 0
    weeks = np.einsum("rbw,bw->rb", found.accrued[0], cost)
    assert weeks == pytest.approx(found.patient_weeks[0] * [2.0, 3.0])


def test_no_wait_costs_nothing():
    run = queue.simulate_once(service(), AS_IS, 60, 1, 0)
    weights, _ = accrued(run, 2)
    # every patient adds and takes away one at some length, those referred in the run at 0
    new = (run.people.goes_on & (run.people.referred >= 0)).sum()
    assert weights.sum() == pytest.approx(0, abs=1e-9)
    assert (weights * np.ones(53)).sum() == pytest.approx(0, abs=1e-9)
    assert weights[:, 0].sum() <= 0 < new


# Summaries


def test_summaries_are_those_of_the_patients():
    found = queue.simulate(service(), [AS_IS], 60, 1, 4, every=20)
    run = queue.simulate_once(service(), AS_IS, 60, 4, 0)
    people = run.people
    at_30 = (people.referred <= 30) & (run.first > 30) & (run.left > 30)
    assert found.waiting[0, 0, 0, 30] == at_30.sum()
    seen = people.goes_on & (run.first <= 30) & (run.second > 30) & (run.left > 30)
    assert found.waiting[0, 0, 1, 30] == seen.sum()
    held = (run.first >= 20) & (run.first < 40)
    assert found.sessions[0, 0, 0, 1] == held.sum()
    waits = (run.first - people.referred)[held]
    assert found.waits[0, 0, 0, :, 1] == pytest.approx(np.quantile(waits, [0.5, 0.9]))
    late = np.isfinite(run.second) & (run.second > 8)
    second, both = (run.second[late] - since[late] for since in (run.first, people.referred))
    for k, limit in enumerate(THRESHOLDS):
        assert found.beyond[0, 0, 1, k] == pytest.approx((second > limit).mean())
        assert found.beyond[0, 0, 2, k] == pytest.approx((both > limit).mean())
    assert found.outcomes[0, 0].tolist() == list(run.counts().values())


def test_published_bands_by_hand():
    shares = published_bands(np.array([1, 4, 4.01, 8, 12, 12.86, 13, 30]))
    assert shares.tolist() == [0.25, 0.25, 0.125, 0.375]
    assert np.isnan(published_bands(np.array([]))).all()


def test_replications_do_not_depend_on_how_many_there_are_nor_on_other_scenarios():
    more = queue.Scenario("more", demand=1.2)
    few = queue.simulate(service(), [more], 60, 2, 9)
    many = queue.simulate(service(), [AS_IS, more], 60, 3, 9)
    np.testing.assert_array_equal(few.waiting[0], many.waiting[1, :2])
    np.testing.assert_array_equal(few.accrued[0], many.accrued[1, :2])


def test_nobody_seen_gives_no_waits():
    found = queue.simulate(service(), [queue.Scenario("none", assessments=0, places=0)], 60, 1, 1)
    assert np.isnan(found.waits).all()
    assert np.isnan(found.beyond).all()


# Money


def test_capacity_costs_what_it_can_hold():
    s = service()
    more = queue.Scenario("more", assessments=1.1, places=(1.5, 1.0))
    low = s.routes[0]
    courses = (round(low.places * 1.5) - low.places) / 8 * 60
    assessments = 0.1 * s.assessments_per_week * 60
    expected = 1.25 * (courses * np.array([600, 700]) + assessments * np.array([90, 110]))
    assert capacity_cost(s, more, 60, PRICES) == pytest.approx(expected)
    by_route = queue.Prices(np.array([[600.0, 1.0], [700.0, 1.0]]), PRICES.assessment, 0.25)
    assert capacity_cost(s, more, 60, by_route) == pytest.approx(expected)


def test_net_saving_is_the_cost_that_is_less_and_the_first_saves_nothing():
    s, more = service(), queue.Scenario("more", places=1.2)
    found = queue.simulate(s, [AS_IS, more], 60, 2, 1)
    costs = {"health": linear_cost([[1.0, 2], [3, 4]]), "work": np.zeros((2, 2, 53))}
    saving = queue.net_saving(s, found, costs, PRICES)
    assert saving.net[0] == pytest.approx(0)
    total = np.einsum("srbw,dbw->srd", found.accrued, costs["health"])
    assert saving.waiting["health"][1] == pytest.approx(total[0] - total[1])
    assert saving.waiting["work"][1] == pytest.approx(0)
    assert saving.net[1] == pytest.approx(total[0] - total[1] - saving.capacity[1])
    assert saving.probability.tolist() == (saving.net > 0).mean(axis=(1, 2)).tolist()
    assert (saving.waiting["health"][1] > 0).all()


def test_free_capacity_always_pays_and_dear_capacity_never():
    s = service()
    ladder = [queue.Scenario(f"{x}", places=1 + x / 100) for x in (0, 10, 30)]
    found = queue.simulate(s, ladder, 60, 2, 1)
    cost = {"all": linear_cost(np.full((2, 2), 20.0))}
    for price, expected in ((0.0, 30.0), (1e9, 0.0)):
        prices = queue.Prices(np.full(2, price), np.zeros(2))
        saving = queue.net_saving(s, found, cost, prices)
        added = queue.break_even(saving, np.array([0.0, 10.0, 30.0])).added
        assert added == pytest.approx(expected, abs=1e-3)


def saving_of(net):
    net = np.asarray(net, float)
    scenarios = tuple(queue.Scenario(str(i)) for i in range(len(net)))
    return queue.NetSaving(scenarios, {"all": net[:, None, None]}, np.zeros((len(net), 1)))


@pytest.mark.parametrize(
    ("net", "expected"),
    [
        ([0, 5, -5], 15.0),  # from 5 to -5 between 10 and 20
        ([0, -1, 9], 0.0),  # the least does not pay
        ([0, 5, 5], 20.0),
        ([0, 3, -1], 17.5),
    ],
)
def test_break_even_by_hand(net, expected):
    found = queue.break_even(saving_of(net), np.array([0.0, 10.0, 20.0]))
    assert found.added.item() == pytest.approx(expected)
    assert found.marginal[:, 0, 0] == pytest.approx(np.diff(net) / 10)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(-100, 100), min_size=1, max_size=6))
def test_break_even_lies_on_the_series(steps):
    net = np.cumsum([0.0, *steps])
    added = np.arange(len(net)) * 5.0
    found = queue.break_even(saving_of(net), added).added.item()
    assert 0 <= found <= added[-1]
    assert np.interp(found, added, net) >= -1e-6


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        (np.zeros((2, 2, 52)), r"has shape \(2, 2, 52\); it must be \(2, 2, 53\)"),
        (np.full((2, 2, 53), np.nan), "'x' has draws that are not finite"),
    ],
)
def test_costs_of_another_shape_are_refused(costs, message):
    found = queue.simulate(service(), [AS_IS], 60, 1, 1)
    with pytest.raises(ParameterError, match=message):
        queue.net_saving(service(), found, {"x": costs}, PRICES)


def test_impossible_prices_and_series_are_refused():
    with pytest.raises(ParameterError, match=r"fixed_share=1\.5 must be a share"):
        queue.Prices(np.ones(2), np.ones(2), 1.5)
    wrong = queue.Prices(np.ones((2, 3)), np.ones(2))
    with pytest.raises(ParameterError, match="3 columns for 2 routes"):
        capacity_cost(service(), AS_IS, 60, wrong)
    for added in ([0.0, 10.0], [1.0, 2.0, 3.0], [0.0, 5.0, 5.0]):
        with pytest.raises(ParameterError, match="one number per scenario, ascending from 0"):
            queue.break_even(saving_of([0, 1, 2]), np.array(added))


def test_impossible_runs_are_refused():
    with pytest.raises(ParameterError, match="simulate at least 52 weeks, at least once"):
        queue.simulate(service(), [AS_IS], 40, 1)
    with pytest.raises(ParameterError, match="replications=0"):
        queue.simulate(service(), [AS_IS], 60, 0)
    with pytest.raises(ParameterError, match=r"weeks=12 is shorter than a course of high"):
        queue.simulate(service(), [AS_IS], 12, 1)
