"""The recursion against events, known formulas of queues, and laws that hold on every run."""

from dataclasses import fields, replace
from math import exp, factorial

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.errors import ParameterError
from iesoresearch.models import queue
from iesoresearch.models.queue.lists import offers
from iesoresearch.models.queue.people import residual_lengths
from iesoresearch.models.queue.simulation import intervals

BANDS = ("mild", "moderate", "severe")


def service(**changes):
    plain = {
        "referrals_per_week": 12.0, "bands": BANDS, "mix": (0.3, 0.4, 0.3),
        "recovery": (0.012, 0.006, 0.003), "drop_out": (0.02, 0.01), "assessments_per_week": 1.0,
        "lag_weeks": 2.0, "wait_weeks": 1.5, "continues": 0.6, "course_cv": 0.5,
        "routes": (queue.Route("low", 0.7, 1, 8.0, 3.0, 1.0),
                   queue.Route("high", 0.3, 1, 16.0, 2.0, 9.0)),
    }  # fmt: skip
    return queue.in_balance(queue.Service(**plain | changes))


SCENARIOS = [
    queue.Scenario("as it is"),
    queue.Scenario("more referrals", demand=1.3, places=(1.1, 0.7)),
    queue.Scenario("fewer places", places=0.6, assessments=0.9),
    queue.Scenario("severe first", demand=1.2, priority=True),
]


def erlang_c(load, servers):
    """Probability of having to wait in M/M/c (Erlang 1917), from its sum."""
    top = load**servers / factorial(servers) * servers / (servers - load)
    return top / (sum(load**k / factorial(k) for k in range(servers)) + top)


# One by one


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_events_offer_everybody_the_same_session(scenario):
    people = queue.draw_people(service(), 60, 3, 0).of(scenario)
    run = queue.follow(service(), scenario, people, 60)
    first, second = queue.follow_by_events(service(), scenario, people, 60)
    np.testing.assert_allclose(first, run.offered_first, rtol=0, atol=1e-9)
    np.testing.assert_allclose(second, run.offered_second, rtol=0, atol=1e-9)


@pytest.mark.parametrize("scenario", [SCENARIOS[1], SCENARIOS[3]], ids=lambda s: s.name)
def test_patients_who_step_out_of_line_change_nothing(scenario):
    """Here a patient who leaves is taken off the list then, as simpy's manual does it."""
    people = queue.draw_people(service(), 60, 4, 0).of(scenario)
    run = queue.follow(service(), scenario, people, 60)
    first, second, left = with_reneging(service(), scenario, people, 60)
    for found, expected in ((run.first, first), (run.second, second), (run.left, left)):
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def with_reneging(service, scenario, people, weeks):
    line = Reneging(scenario, people)
    supply = service.scaled(scenario)
    desk = line.places([0.5 / supply.assessments_per_week])
    rooms = [
        line.places(residual_lengths(route.places, route.course_weeks, service.course_cv))
        for route in supply.routes
    ]
    for i in range(len(people)):
        line.env.process(line.patient(i, desk, rooms, 1 / supply.assessments_per_week))
    line.env.run(until=weeks)
    return line.first, line.second, line.left


class Reneging:
    def __init__(self, scenario, people):
        self.env, self.scenario, self.people = simpy.Environment(), scenario, people
        self.second, self.left = np.full((2, len(people)), np.inf)
        self.first = np.where(np.isfinite(people.first_before), people.first_before, np.inf)

    def places(self, taken):
        found = simpy.PriorityResource(self.env, len(taken))
        for until in taken:
            self.env.process(self.hold(found, found.request(priority=(-9, 0.0)), until))
        return found

    def hold(self, resource, request, length):
        yield request
        yield self.env.timeout(length)
        resource.release(request)

    def stand(self, i, resource, ready, until, length):
        """Wait until `ready`, then in line, and leave it at `until`."""
        yield self.env.timeout(max(min(ready, until) - self.env.now, 0))
        if until >= ready:
            rank = -self.people.band[i] if self.scenario.priority else 0
            request = resource.request(priority=(rank, min(ready, 0.0)))
            yield request | self.env.timeout(min(until, 1e9) - self.env.now)
            if request.triggered:
                self.env.process(self.hold(resource, request, length))
                return self.env.now
            request.cancel()
        self.left[i] = until
        return np.inf

    def patient(self, i, desk, rooms, visit):
        people = self.people
        if np.isinf(self.first[i]):
            until = min(people.gives_up_first[i], people.recovers[i])
            self.first[i] = yield from self.stand(i, desk, people.ready[i], until, visit)
        if np.isfinite(self.first[i]) and people.goes_on[i]:
            until = min(self.first[i] + people.patience_second[i], people.recovers[i])
            ready = self.first[i] + people.lag_second[i]
            room, course = rooms[people.route[i]], people.course[i]
            self.second[i] = yield from self.stand(i, room, ready, until, course)


def test_a_line_by_hand():
    """Two places; the second patient leaves at 2, the last is more urgent than the fourth."""
    ready = np.array([0.0, 0.5, 1.0, 1.5, 2.0])
    rank = np.array([1, 1, 1, 1, 0])
    until = np.array([9.0, 2.0, 9.0, 9.0, 9.0])
    found = offers(ready, rank, until, np.array([1.0, 4.0]), np.full(5, 3.0), 20.0)
    # 0 from 1 to 4; at 4 both are free: 4 goes first, 1 has left, 2 follows; 3 waits for 7
    assert found.tolist() == [1, 4, 4, 7, 4]
    late = offers(ready, rank, until, np.array([1.0, 4.0]), np.full(5, 3.0), 6.0)
    assert late.tolist() == [1, 4, 4, np.inf, 4]


# Known formulas


def test_waits_of_many_servers_are_erlang_s():
    """M/M/c: P(wait) = C, mean wait C / (c mu - lambda), share beyond t C exp(-(c mu - l) t)."""
    servers, rate, mean_length, n = 8, 0.7, 10.0, 400_000
    load = rate * mean_length
    random = np.random.default_rng(5)
    ready = np.cumsum(random.exponential(1 / rate, n))
    length = random.exponential(mean_length, n)
    found = offers(
        ready, np.zeros(n, int), np.full(n, np.inf), np.zeros(servers), length, np.inf
    ) - ready  # fmt: skip
    kept = found[20_000:]
    waits, spare = erlang_c(load, servers), servers / mean_length - rate
    # the error of a mean over blocks that are long against the time in which a list forgets
    blocks = kept[: 76 * 5000].reshape(76, 5000)
    for value, expected in (
        (blocks > 1e-9, waits), (blocks, waits / spare), (blocks > 8, waits * exp(-8 * spare))
    ):  # fmt: skip
        means = value.mean(axis=1)
        assert means.mean() == pytest.approx(expected, abs=4 * means.std(ddof=1) / np.sqrt(76))


def test_waits_for_sessions_of_one_length_are_pollaczek_s():
    """M/D/1: mean wait = rho / (2 mu (1 - rho)), half that of M/M/1."""
    rate, n = 0.8, 400_000
    ready = np.cumsum(np.random.default_rng(6).exponential(1 / rate, n))
    found = offers(ready, np.zeros(n, int), np.full(n, np.inf), np.zeros(1), np.ones(n), np.inf)
    means = (found - ready)[20_000:].reshape(76, 5000).mean(axis=1)
    expected = rate / (2 * (1 - rate))
    assert means.mean() == pytest.approx(expected, abs=4 * means.std(ddof=1) / np.sqrt(76))


def test_impatient_patients_are_served_as_erlang_a_says():
    """M/M/c+M: balance of births and deaths gives the share who give up."""
    servers, rate, mean_length, hazard, n = 6, 1.0, 7.0, 0.15, 300_000
    states = np.arange(400)
    out = np.minimum(states, servers) / mean_length + np.maximum(states - servers, 0) * hazard
    weight = np.cumprod(np.append(1.0, rate / out[1:]))
    weight /= weight.sum()
    expected = hazard * (np.maximum(states - servers, 0) @ weight) / rate
    random = np.random.default_rng(7)
    ready = np.cumsum(random.exponential(1 / rate, n))
    until = ready + random.exponential(1 / hazard, n)
    length = random.exponential(mean_length, n)
    found = offers(ready, np.zeros(n, int), until, np.zeros(servers), length, np.inf)
    means = (found > until)[20_000:].reshape(56, 5000).mean(axis=1)
    assert means.mean() == pytest.approx(expected, abs=4 * means.std(ddof=1) / np.sqrt(56))


# Laws


@settings(deadline=None, max_examples=25)
@given(
    st.integers(0, 1000), st.floats(0.3, 1.5), st.floats(0, 2), st.floats(0, 2), st.booleans()
)  # fmt: skip
def test_people_are_conserved_and_little_s_law_is_exact(seed, demand, desk, places, priority):
    """Number waiting, counted at every event, integrates to the weeks each patient waits."""
    scenario = queue.Scenario("any", demand, desk, places, priority)
    run = queue.simulate_once(service(), scenario, 40, seed, 0)
    counts = run.counts()
    arrived = counts.pop("arrived")
    assert arrived == sum(counts.values())
    starts, ends = intervals(run)
    for joined, gone in zip(starts, ends, strict=True):
        joined = np.clip(joined, 0, 40)
        gone = np.clip(gone, 0, 40)
        assert (gone >= joined).all()
        times = np.sort(np.concatenate([joined, gone, [40.0]]))
        number = np.searchsorted(np.sort(joined), times, side="right") - np.searchsorted(
            np.sort(gone), times, side="right"
        )
        area = (number[:-1] * np.diff(times)).sum()
        assert area == pytest.approx((gone - joined).sum(), rel=1e-9, abs=1e-9)


def test_without_capacity_everybody_waits_to_the_end_or_leaves():
    run = queue.simulate_once(
        service(), queue.Scenario("nothing", assessments=0, places=0), 40, 1, 0
    )
    assert run.counts()["served"] == 0
    assert np.isinf(run.first[run.people.referred >= 0]).all()
    assert (np.isinf(run.first) | (run.first <= 0)).all()
    assert np.isinf(run.second).all()
    patient = service(drop_out=(0, 0), recovery=(0, 0, 0))
    counts = queue.simulate_once(
        patient, queue.Scenario("nothing", assessments=0, places=0), 40, 1, 0
    ).counts()  # fmt: skip
    assert counts["waiting"] == counts["arrived"]


def test_nobody_waits_longer_when_there_is_more_capacity():
    """In order of arrival more of everything brings every offer forward (same patients)."""
    lines = np.random.default_rng(8)
    ready = np.sort(lines.random(500) * 30)
    length, until = lines.random(500) * 5, ready + lines.exponential(20, 500)
    until[:] = np.inf
    few, many = (
        offers(ready, np.zeros(500, int), until, np.zeros(n), length, np.inf) for n in (30, 33)
    )
    assert (many <= few).all()
    assert many.mean() < few.mean()


def test_the_most_severe_wait_least_when_they_go_first():
    large, scarce = service(referrals_per_week=60), {"places": 0.9}
    plain, severe = (
        queue.simulate_once(large, queue.Scenario("s", **scarce, priority=first), 104, 1, 0)
        for first in (False, True)
    )
    band = plain.people.band

    def waited(run, which):
        seen = np.isfinite(run.second) & (band == which) & (run.second > 52)
        return (run.second - run.people.referred)[seen].mean()

    assert waited(severe, 2) < waited(plain, 2)
    assert waited(severe, 0) > waited(plain, 0)


# People


def test_people_are_the_same_in_every_scenario_and_do_not_depend_on_others():
    everybody = queue.draw_people(service(), 60, 1, 5)
    fewer, more = (everybody.of(queue.Scenario("s", demand=d)) for d in (0.8, 1.2))
    assert set(fewer.referred) < set(more.referred)
    before = [p.referred[p.referred < 0].tolist() for p in (fewer, more)]
    assert before[0] == before[1]
    again = queue.draw_people(service(), 60, 1, 5)
    for field in fields(again):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(everybody, field.name))
    other = queue.draw_people(service(), 60, 1, 6)
    assert not set(other.referred) & set(everybody.referred)
    # a longer horizon adds people and changes none
    longer = queue.draw_people(service(), 90, 1, 5)
    np.testing.assert_array_equal(longer.referred[: len(everybody)], everybody.referred)
    np.testing.assert_array_equal(longer.recovers[: len(everybody)], everybody.recovers)


def test_drawn_people_are_as_the_service_says():
    large = service(referrals_per_week=2000, drop_out=(0.02, 0.0))
    people = queue.draw_people(large, 20, 1, 0).of(queue.Scenario("as it is"))
    new = people.where(people.referred >= 0)
    n = len(new)
    assert n == pytest.approx(40_000, abs=4 * 200)
    assert np.bincount(new.band) / n == pytest.approx([0.3, 0.4, 0.3], abs=0.012)
    assert new.goes_on.mean() == pytest.approx(0.6, abs=0.012)
    lag = new.ready - new.referred
    assert lag.mean() == pytest.approx(2.0, abs=4 * 2 / np.sqrt(n))
    hazard = 1 / (new.gives_up_first - new.referred).mean()
    assert hazard == pytest.approx(0.02, rel=4 / np.sqrt(n))
    assert np.isinf(new.patience_second).all()
    low = new.course[new.route == 0]
    assert low.mean() == pytest.approx(8, abs=0.12)
    assert low.std() == pytest.approx(4, abs=0.12)


def test_places_become_free_evenly_at_the_start():
    assert residual_lengths(4, 8.0, 0.0).tolist() == [1, 3, 5, 7]
    # residuals of exponential lengths are exponential again
    ends = residual_lengths(9, 5.0, 1.0)
    assert ends == pytest.approx(-5 * np.log1p(-(np.arange(9) + 0.5) / 9), rel=1e-3)


# What cannot be


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"referrals_per_week": 0.0}, "referrals_per_week=0.0 must be above zero"),
        ({"mix": (0.3, 0.4, 0.4)}, "mix must be shares .* add up to one.*add up to 1.1"),
        ({"mix": (1.2, -0.4, 0.2)}, "mix must be shares between 0 and 1"),
        ({"mix": (0.5, 0.5)}, "must be of one length, not 3, 2 and 3"),
        ({"recovery": (0.1, -0.1, 0.0)}, "recovery of moderate=-0.1 must be a weekly hazard"),
        ({"drop_out": (0.1, float("nan"))}, "drop_out before the second session=nan"),
        ({"continues": 1.5}, "continues=1.5 must be a share between 0 and 1"),
        ({"assessments_per_week": -1.0}, "assessments_per_week=-1.0 must be .* not below zero"),
        ({"lag_weeks": -1.0}, "lag_weeks=-1.0 must be a number of weeks"),
        ({"routes": ()}, "at least one route"),
    ],
)
def test_impossible_services_are_refused(changes, message):
    with pytest.raises(ParameterError, match=message):
        replace(service(), **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"places": -3}, "places of low=-3 must be a number of courses, finite and not below"),
        ({"share": 0.9}, "the shares of routes must be .* add up to 1.2"),
        ({"course_weeks": 0.0}, "course_weeks=0.0 of low must be above zero"),
    ],
)
def test_impossible_routes_are_refused(changes, message):
    low, high = service().routes
    with pytest.raises(ParameterError, match=message):
        replace(service(), routes=(replace(low, **changes), high))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"demand": 0.0}, "demand=0.0 must be above 0 and at most 1.5 times"),
        ({"demand": 2.0}, "demand=2.0 must be above 0 and at most 1.5 times"),
        ({"assessments": -0.5}, "assessments of scenario 'x'=-0.5 must be a factor"),
        ({"places": (1.0, -1.0)}, "places of scenario 'x'=-1.0 must be a factor"),
    ],
)
def test_impossible_scenarios_are_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        queue.Scenario("x", **settings)


def test_factors_must_fit_the_routes():
    with pytest.raises(ParameterError, match="has 3 factors of places for 2 routes"):
        service().scaled(queue.Scenario("x", places=(1.0, 1.0, 1.0)))


def test_a_run_shorter_than_a_course_is_refused():
    with pytest.raises(ParameterError, match=r"weeks=10 is shorter than a course of high \(16"):
        queue.simulate_once(service(), queue.Scenario("x"), 10, 1, 0)
