"""The mean of a large service over time, without chance: an answer in milliseconds.

Patients are a liquid. Booking delays are compartments, each list is a row of cohorts by day of
joining, of which the oldest is served first and from all of which some leave; places come back
as courses end. Right to the order of a step (a day); for large numbers the mean of
`iesoresearch.models.queue.simulation` comes to the same. Order of arrival only, no priority.
"""

from dataclasses import dataclass

import numba
import numpy as np
from scipy import stats

from iesoresearch.errors import ParameterError
from iesoresearch.models.queue.lists import refuse_short
from iesoresearch.models.queue.service import Scenario, Service
from iesoresearch.models.queue.steady import steady

STEPS = 7  # per week


@dataclass(frozen=True)
class Fluid:
    """Means by week.

    Attributes
    ----------
    waiting
        (2, weeks + 1) patients on the first and on the second list.
    waiting_by_route
        (routes, weeks + 1) those on the second.
    on_list
        (1 + routes, weeks + 1) weeks that whoever is served now has stood on the list of the front
        door and of each route, booking delay not counted.
    sessions
        (2, weeks) first and second sessions held in each week.
    patient_weeks
        Waited on both lists within the run.
    """

    waiting: np.ndarray
    waiting_by_route: np.ndarray
    on_list: np.ndarray
    sessions: np.ndarray
    patient_weeks: float


def fluid(service: Service, scenario: Scenario, weeks: int = 104) -> Fluid:
    """Follow a scenario from the steady state of the start.

    Raises
    ------
    ParameterError
        A horizon shorter than a course; a scenario with priority, which has no fluid here.
    """
    refuse_short(service, weeks)
    if scenario.priority:
        raise ParameterError(
            f"Scenario {scenario.name!r} serves by severity; the fluid knows order of arrival "
            "only: use simulate."
        )
    supply, steps = service.scaled(scenario), weeks * STEPS
    one, two = service.hazards
    mix = service.referrals_per_week * np.array(service.mix)
    before = steady(service)
    inflow = np.tile(mix * scenario.demand, (steps, 1))
    desk = np.full(steps, supply.assessments_per_week / STEPS)
    start = _at_start(mix, one, service.lag_weeks, service.wait_weeks)
    waiting, ages, served = _stage(inflow, one, service.lag_weeks, *start, desk, np.zeros((0, 1)))
    lists, on_list, courses = [], [ages], []
    for route in supply.routes:
        joining = served * STEPS * service.continues * route.share
        start = _at_start(
            before.first * service.continues * route.share, two, route.lag_weeks, route.wait_weeks
        )
        places = route.places * np.ones(steps)
        over = _still_under_way(route.course_weeks, service.course_cv, steps)
        found = _stage(joining, two, route.lag_weeks, *start, places, over)
        lists.append(found[0])
        on_list.append(found[1])
        courses.append(found[2].sum(axis=1))
    by_week = slice(None, None, STEPS)
    second = np.array(lists)
    both = np.array([waiting, second.sum(axis=0)])
    held = np.array([served.sum(axis=1), np.sum(courses, axis=0)])
    return Fluid(
        both[:, by_week],
        second[:, by_week],
        np.array(on_list)[:, by_week],
        held.reshape(2, weeks, STEPS).sum(axis=2),
        float(((both[:, 1:] + both[:, :-1]) / 2).sum() / STEPS),
    )


def _at_start(inflow, hazard, lag, wait) -> tuple[np.ndarray, np.ndarray]:
    """Patients in the booking delay (bands,), and cohorts on the list, oldest first."""
    delayed = inflow * lag / (1 + hazard * lag)
    joining = inflow / (1 + hazard * lag)
    n = int(np.ceil(wait * STEPS - 1e-9))
    edges = np.maximum(wait - np.arange(n + 1) / STEPS, 0.0)  # ages, oldest first
    rate = np.where(hazard > 0, hazard, 1.0)
    mass = -np.diff(np.exp(-np.outer(edges, rate)), axis=0)
    mass = np.where(hazard > 0, -mass / rate, -np.diff(edges)[:, None])
    return delayed, np.abs(mass) * joining


def _still_under_way(course: float, cv: float, steps: int) -> np.ndarray:
    """(steps, 2) share of courses still under way at the end of a step, by its number.

    Of those of the start after so many steps; of those that began in the middle of an earlier step,
    so many steps and a half before.
    """
    at = np.arange(1, steps + 1) / STEPS
    later = at + 0.5 / STEPS
    if cv == 0:
        return np.column_stack([np.clip(1 - at / course, 0, 1), (later < course) * 1.0])
    shape, scale = cv**-2, course * cv**2
    # of the stationary residual length: mean of what is left beyond `at`, over the mean length
    over = stats.gamma.sf(at, shape, scale=scale)
    residual = stats.gamma.sf(at, shape + 1, scale=scale) - at / course * over
    return np.column_stack([residual, stats.gamma.sf(later, shape, scale=scale)])


@numba.njit(cache=True)
def _stage(inflow, hazard, lag, delayed, cohorts, capacity, under_way):
    """One list with its booking delay: people on it, age of the head, and who is served.

    `capacity` is served per step; with `under_way` it is a number of places instead.
    """
    steps, bands = inflow.shape
    old, dt = len(cohorts), 1.0 / STEPS
    line = np.zeros((old + steps, bands))
    # joining and serving are in the middle of a step, counting at its end: half a step's leaving
    stay, half = np.exp(-hazard * dt), np.exp(-hazard * dt / 2)
    line[:old] = cohorts / half
    delayed = delayed.copy()
    waiting, ages = np.zeros(steps + 1), np.zeros(steps + 1)
    served, head = np.zeros((steps, bands)), 0
    starts = np.zeros(steps)
    waiting[0] = delayed.sum() + cohorts.sum()
    ages[0] = old * dt
    for t in range(steps):
        joining = _through_delay(delayed, inflow[t], hazard, lag)
        for j in range(head, old + t):
            line[j] *= stay
        line[old + t] = joining
        left = capacity[t]
        if len(under_way):
            left -= capacity[t] * under_way[t, 0]
            for u in range(t):
                left -= starts[u] * under_way[t - 1 - u, 1]
        while head <= old + t and left > 1e-12:
            here = line[head].sum()
            share = 1.0 if here <= left else left / here
            served[t] += share * line[head]
            left -= share * here
            line[head] *= 1.0 - share
            if share < 1.0:
                break
            head += 1
        starts[t] = served[t].sum()
        waiting[t + 1] = delayed.sum() + (line[head:] * half).sum()
        ages[t + 1] = (old + t + 1 - head) * dt
    return waiting, ages, served


@numba.njit(cache=True)
def _through_delay(delayed, inflow, hazard, lag):
    """Let a step pass in the booking delay, exactly for a constant inflow; who comes out."""
    dt = 1.0 / STEPS
    if lag == 0.0:
        return inflow * dt
    out = np.zeros(len(delayed))
    for b in range(len(delayed)):
        rate = hazard[b] + 1.0 / lag
        level = inflow[b] / rate
        gone = -np.expm1(-rate * dt)
        out[b] = ((delayed[b] - level) * gone / rate + level * dt) / lag
        delayed[b] += (level - delayed[b]) * gone
    return out
