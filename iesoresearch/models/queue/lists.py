"""One replication, exactly: who is offered a session when, by a recursion over the lists.

No time steps and no events: places are kept by the time at which they become free, and the next
free one goes to the next in line. Whoever has left by then is passed over, at no cost of capacity;
the time at which the session would have been theirs is kept, since it is the wait that the service
offered them. `iesoresearch.models.queue.events` says the same by simulation of events.
"""

from dataclasses import dataclass

import numba
import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.queue.people import People, draw_people, residual_lengths
from iesoresearch.models.queue.service import Scenario, Service


@dataclass(frozen=True)
class Run:
    """One entry per patient; times in weeks from the start, infinity = not within the run.

    Attributes
    ----------
    weeks
        Length of the run.
    people
        Who they are.
    offered_first, offered_second
        When the session was free for them, whether or not they were still there.
    first, second
        When the session was held; the first of some patients was before the start.
    left
        When they left a list without a session.
    recovered
        Whether they left because they had recovered.
    """

    weeks: float
    people: People
    offered_first: np.ndarray
    offered_second: np.ndarray
    first: np.ndarray
    second: np.ndarray
    left: np.ndarray
    recovered: np.ndarray

    @property
    def done(self) -> np.ndarray:
        """When nobody waits for anything any more: second session, or the first if no course."""
        return np.where(self.people.goes_on, self.second, self.first)

    def counts(self) -> dict[str, int]:
        """Numbers of patients: arrived = served + gave up + recovered + waiting."""
        served, left = np.isfinite(self.done), np.isfinite(self.left)
        return {
            "arrived": len(self.people),
            "served": int(served.sum()),
            "gave up": int((left & ~self.recovered).sum()),
            "recovered": int((left & self.recovered).sum()),
            "waiting": int((~served & ~left).sum()),
        }


def simulate_once(
    service: Service, scenario: Scenario, weeks: float, seed: int, replication: int
) -> Run:
    """One replication of one scenario.

    Parameters
    ----------
    service
        How things are at the start.
    scenario
        What differs from week 0 on.
    weeks
        Length, at least that of the longest mean course.
    seed, replication
        Key of the random numbers, which are the same for all scenarios.

    Raises
    ------
    ParameterError
        A run shorter than a course.
    """
    refuse_short(service, weeks)
    people = draw_people(service, weeks, seed, replication).of(scenario)
    return follow(service, scenario, people, weeks)


def refuse_short(service: Service, weeks: float) -> None:
    """Raise ParameterError unless a run of `weeks` sees every place change hands."""
    longest = max(service.routes, key=lambda route: route.course_weeks)
    if not weeks >= longest.course_weeks:
        raise ParameterError(
            f"weeks={weeks!r} is shorter than a course of {longest.name} "
            f"({longest.course_weeks:g} weeks), so no change could be seen: take a longer horizon."
        )


def follow(service: Service, scenario: Scenario, people: People, weeks: float) -> Run:
    """Take `people` through both lists."""
    supply = service.scaled(scenario)
    rank = _ranks(service, scenario, people)
    gone = np.minimum(people.gives_up_first, people.recovers)
    to_see = np.isnan(people.first_before)
    offered = np.where(to_see, np.inf, people.first_before)
    offered[to_see] = offers(
        people.ready[to_see], rank[to_see], gone[to_see],
        *front_door(supply, int(to_see.sum())), weeks,
    )  # fmt: skip
    first = np.where(offered <= gone, offered, np.inf)
    # who left before the first session holds no place on the second list either
    seen = np.isfinite(first)
    leaves = np.where(seen, np.minimum(first + people.patience_second, people.recovers), -np.inf)
    ready = offered + people.lag_second
    second = np.full(len(people), np.inf)
    for number, route in enumerate(supply.routes):
        these = people.goes_on & (people.route == number) & (ready <= weeks)
        free = residual_lengths(route.places, route.course_weeks, service.course_cv)
        second[these] = offers(
            ready[these], rank[these], leaves[these], free, people.course[these], weeks
        )
    return _run(people, offered, second, first, gone, leaves, weeks)


def front_door(supply: Service, n: int) -> tuple[np.ndarray, np.ndarray]:
    """First sessions follow each other at one desk: when it is free, and how long each takes."""
    capacity = supply.assessments_per_week
    if capacity == 0:
        return np.empty(0), np.zeros(n)
    return np.array([0.5 / capacity]), np.full(n, 1 / capacity)


def _ranks(service: Service, scenario: Scenario, people: People) -> np.ndarray:
    if not scenario.priority:
        return np.zeros(len(people), np.int64)
    return len(service.bands) - 1 - people.band


def _run(people, offered, offered_second, first, gone, leaves, weeks) -> Run:
    second = np.where(offered_second <= leaves, offered_second, np.inf)
    left = np.where(np.isfinite(first), leaves, gone)
    done = np.where(people.goes_on, second, first)
    left = np.where(np.isfinite(done) | (left > weeks), np.inf, left)
    recovered = np.isfinite(left) & (left == people.recovers)
    return Run(weeks, people, offered, offered_second, first, second, left, recovered)


def offers(ready, rank, until, free, length, weeks) -> np.ndarray:
    """When each in a line is offered one of several places.

    Parameters
    ----------
    ready
        (people,) when each joins the line.
    rank
        (people,) int64, 0 is served before 1; within a rank in order of joining.
    until
        (people,) when each leaves the line; an offer after that takes no place.
    free
        (places,) when each place is free for the first time, ascending.
    length
        (people,) how long each would hold a place.
    weeks
        Offers after this are none.

    Returns
    -------
    numpy.ndarray
        (people,) times; infinity if none.
    """
    order = np.argsort(ready, kind="stable")
    found = np.full(len(ready), np.inf)
    if len(free) and len(ready):
        columns = (np.ascontiguousarray(c[order]) for c in (ready, rank, until, length))
        found[order] = _offers(*columns, np.array(free, float), float(weeks))
    return found


@numba.njit(cache=True)
def _offers(ready, rank, until, length, free, weeks):
    n, ranks = len(ready), rank.max() + 1
    end = np.zeros(ranks + 1, np.int64)
    for i in range(n):
        end[rank[i] + 1] += 1
    end = np.cumsum(end)
    head = end[:-1].copy()
    line = np.empty(n, np.int64)
    for i in range(n):
        line[head[rank[i]]] = i
        head[rank[i]] += 1
    head = end[:-1].copy()
    found = np.full(n, np.inf)
    for _ in range(n):
        chosen = _next(ready, line, head, end, free[0])
        head[rank[chosen]] += 1
        start = max(free[0], ready[chosen])
        if start > weeks:
            continue
        found[chosen] = start
        if start <= until[chosen]:
            _replace_first(free, start + length[chosen])
    return found


@numba.njit(cache=True)
def _next(ready, line, head, end, now):
    """First of the lowest rank that is there now; if nobody is, whoever comes next."""
    soonest = -1
    for k in range(len(head)):
        if head[k] == end[k + 1]:
            continue
        i = line[head[k]]
        if ready[i] <= now:
            return i
        if soonest < 0 or ready[i] < ready[soonest]:
            soonest = i
    return soonest


@numba.njit(cache=True)
def _replace_first(heap, value):
    """Put `value` in place of the least element of a heap."""
    at, n = 0, len(heap)
    while True:
        child = 2 * at + 1
        if child >= n:
            break
        if child + 1 < n and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= value:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = value
