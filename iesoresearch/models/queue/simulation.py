"""Scenarios over replications: lists and waits by week, who waits how long, patient-weeks."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.queue.lists import Run, follow, refuse_short
from iesoresearch.models.queue.people import draw_people
from iesoresearch.models.queue.service import Scenario, Service

STAGES = ("first", "second", "both")
THRESHOLDS = (6.0, 12.0, 18.0, 26.0, 90 / 7)  # weeks; the last is what is published as 90 days
QUANTILES = (0.5, 0.9)
LONGEST = 52  # weeks of wait that have a cost of their own


@dataclass(frozen=True)
class Simulated:
    """What scenarios did; every array starts with the axes (scenarios, replications).

    Attributes
    ----------
    scenarios, weeks, every
        What was run, how long, and the weeks of a period.
    waiting
        (…, 2, weeks + 1) patients on the first and on the second list at the end of each week.
    sessions
        (…, 2, periods) first and second sessions held in each period.
    waits
        (…, 3, 2, periods) median and 90th percentile of the weeks waited for the sessions held in a
        period: for the first, from the first to the second, from referral to the second (`STAGES`).
    beyond
        (…, 3, thresholds) share of the sessions held in the last 52 weeks that had been waited for
        longer than each of `THRESHOLDS`.
    bands_of_waits
        (…, 2, 4) shares of patients who finished both waits in the last 52 weeks by the bands in
        which waits are published (up to 28, 56, 90 days, more), first and second wait.
    patient_weeks
        (…, bands) weeks waited within the run, on both lists.
    accrued
        (…, bands, 53) number of waits that passed each length within the run, see `accrued`.
    beyond_longest
        (…) patients whose wait passed 52 weeks.
    outcomes
        (…, 5) patients who arrived, were served, gave up, recovered, still wait.
    """

    scenarios: tuple[Scenario, ...]
    weeks: int
    every: int
    waiting: np.ndarray
    sessions: np.ndarray
    waits: np.ndarray
    beyond: np.ndarray
    bands_of_waits: np.ndarray
    patient_weeks: np.ndarray
    accrued: np.ndarray
    beyond_longest: np.ndarray
    outcomes: np.ndarray


def simulate(
    service: Service,
    scenarios: Sequence[Scenario],
    weeks: int = 104,
    replications: int = 20,
    seed: int = 1,
    every: int = 4,
) -> Simulated:
    """Run all scenarios on the same patients.

    Parameters
    ----------
    service
        How things are at the start.
    scenarios
        What differs from week 0 on.
    weeks
        Horizon, not shorter than a course and at least 52.
    replications
        Number of independent repetitions.
    seed
        Of everything; replication ``r`` does not depend on the others.
    every
        Weeks per period in which waits are summarised.

    Raises
    ------
    ParameterError
        A horizon shorter than a course or than 52 weeks, no replication, periods that do not fit.
    """
    refuse_short(service, weeks)
    if weeks < LONGEST or replications < 1 or not 1 <= every <= weeks:
        raise ParameterError(
            f"weeks={weeks!r}, replications={replications!r}, every={every!r}: simulate at least "
            f"{LONGEST} weeks, at least once, in periods of 1 to {weeks} weeks."
        )
    found = [[] for _ in scenarios]
    for replication in range(replications):
        everybody = draw_people(service, weeks, seed, replication)
        for rows, scenario in zip(found, scenarios, strict=True):
            run = follow(service, scenario, everybody.of(scenario), weeks)
            rows.append(_summary(run, len(service.bands), every))
    names = [field.name for field in fields(Simulated)[3:]]
    stacked = {n: np.array([[row[n] for row in rows] for rows in found]) for n in names}
    return Simulated(tuple(scenarios), weeks, every, **stacked)


def _summary(run: Run, bands: int, every: int) -> dict[str, np.ndarray]:
    starts, ends = intervals(run)
    referred, first = run.people.referred, run.first
    sessions = [first, run.second, run.second]
    # a first session before the start ends a wait, but was not held in the run
    held = [np.isfinite(s) & (s >= 0) for s in sessions]
    since = [referred, np.where(held[1], first, 0.0), referred]
    lengths = [np.where(h, s, 0.0) - a for h, s, a in zip(held, sessions, since, strict=True)]
    marks = np.append(np.arange(0, run.weeks, every), run.weeks)
    late = [h & (s > run.weeks - LONGEST) for h, s in zip(held, sessions, strict=True)]
    both = late[1]
    costed, beyond_longest = accrued(run, bands)
    return {
        "waiting": np.array([_on_list(s, e, run.weeks) for s, e in zip(starts, ends, strict=True)]),
        "sessions": np.array([np.histogram(sessions[k][held[k]], marks)[0] for k in (0, 1)]),
        "waits": np.array([
            _quantiles(s[h], w[h], marks) for s, w, h in zip(sessions, lengths, held, strict=True)
        ]),
        "beyond": np.array([
            [_share(w[k] > limit) for limit in THRESHOLDS]
            for w, k in zip(lengths, late, strict=True)
        ]),
        "bands_of_waits": np.array([
            published_bands(first[both] - referred[both]),
            published_bands(lengths[1][both]),
        ]),
        "patient_weeks": _patient_weeks(run, starts, ends, bands),
        "accrued": costed,
        "beyond_longest": beyond_longest,
        "outcomes": np.array(list(run.counts().values())),
    }  # fmt: skip


def intervals(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """When each patient joins and leaves the first and the second list: two arrays (2, people).

    Who never joins has an empty interval at infinity.
    """
    people, first = run.people, run.first
    joins = np.where(people.goes_on, first, np.inf)
    ends_first = np.where(np.isfinite(first), first, run.left)
    ends_second = np.where(np.isfinite(joins), np.minimum(run.second, run.left), np.inf)
    return np.array([people.referred, joins]), np.array([ends_first, ends_second])


def _on_list(starts, ends, weeks) -> np.ndarray:
    """Number of patients on a list at the end of every week, from 0."""
    at = np.arange(weeks + 1)
    joined = np.searchsorted(np.sort(starts), at, side="right")
    return joined - np.searchsorted(np.sort(ends), at, side="right")


def _patient_weeks(run: Run, starts, ends, bands: int) -> np.ndarray:
    inside = np.clip(ends, 0, run.weeks) - np.clip(starts, 0, run.weeks)
    return np.bincount(run.people.band, weights=inside.sum(axis=0), minlength=bands)


def _quantiles(when, waited, marks) -> np.ndarray:
    """(2, periods) of what was waited for the sessions of each period; NaN without any."""
    period = np.clip(np.searchsorted(marks, when, side="right") - 1, 0, len(marks) - 2)
    waited = waited[np.lexsort((waited, period))]
    number = np.bincount(period, minlength=len(marks) - 1)
    first = np.cumsum(number) - number
    found = np.full((len(QUANTILES), len(number)), np.nan)
    some = number > 0
    for row, level in zip(found, QUANTILES, strict=True):
        rank = level * (number[some] - 1)
        low = first[some] + rank.astype(int)
        high = first[some] + np.ceil(rank).astype(int)
        row[some] = waited[low] + (rank % 1) * (waited[high] - waited[low])
    return found


def published_bands(weeks: np.ndarray) -> np.ndarray:
    """Shares of waits of up to 28, 29 to 56, 57 to 90 and more than 90 days; NaN without any."""
    counts = np.bincount(np.searchsorted([28, 56, 90], weeks * 7, side="left"), minlength=4)
    return counts / counts.sum() if counts.sum() else np.full(4, np.nan)


def _share(true: np.ndarray) -> float:
    return float(true.mean()) if len(true) else np.nan


def accrued(run: Run, bands: int) -> tuple[np.ndarray, int]:
    """Weights that turn a cost of waits into the cost that accrued during the run.

    Of everybody who wants a course, the wait that the service offered counts, from referral to the
    second session, as far as it lies in the run: the cost of the wait at its end, or at the end of
    the run, less that of the wait up to the start. So a function ``cost(wait)`` that allows for
    those who leave while they wait is used as it is meant, and cost stands beside the capacity of
    the same weeks. Between whole weeks the cost is taken as linear; waits above 52 weeks count as
    52. Whoever goes no further than the first session waits for no course and has no such cost.

    Returns
    -------
    weights
        (bands, 53); the cost is the sum of ``weights * cost``.
    beyond
        Number of patients whose wait passed 52 weeks.
    """
    people = run.people
    wants = people.goes_on
    referred, band = people.referred[wants], people.band[wants]
    end = np.minimum(run.offered_second[wants], run.weeks) - referred
    start = np.maximum(-referred, 0.0)
    weights = np.zeros((bands, LONGEST + 1))
    for waited, sign in ((end, 1.0), (start, -1.0)):
        clipped = np.clip(waited, 0, LONGEST)
        low = np.minimum(clipped.astype(int), LONGEST - 1)
        part = clipped - low
        np.add.at(weights, (band, low), sign * (1 - part))
        np.add.at(weights, (band, low + 1), sign * part)
    return weights, int((end > LONGEST).sum())
