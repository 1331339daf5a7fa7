"""Patients of one replication: drawn once, the same in every scenario.

Row ``i`` of the random numbers belongs to person ``i``, whatever the scenario: one that refers more
patients adds people and changes nobody, so differences between scenarios are not blurred by chance
(common random numbers).
"""

from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np
from scipy import stats

from iesoresearch.models.queue.service import MOST_DEMAND, Scenario, Service
from iesoresearch.seeds import rng

_PER_PERSON = 10  # random numbers
_LAGS = 12  # means of the booking delays after which nobody is left in them


@dataclass(frozen=True)
class People:
    """One entry per patient, in order of referral; times in weeks from the start.

    Who was referred before the start is in here only if still waiting then.

    Attributes
    ----------
    referred
        Time of referral.
    mark
        Uniform; a patient referred after the start belongs to a scenario if it is below demand over
        `MOST_DEMAND`.
    band, route
        Severity, 0 = mildest; the route taken if the patient goes on.
    goes_on
        Whether the patient wants a course after the first session.
    ready
        When the first booking delay is over.
    gives_up_first, recovers
        When the patient would give up before the first session, and when recover.
    first_before
        Time of a first session held before the start; NaN if none was.
    lag_second, patience_second
        Second booking delay, and time from the first session until giving up.
    course
        Length of the course, weeks.
    """

    referred: np.ndarray
    mark: np.ndarray
    band: np.ndarray
    route: np.ndarray
    goes_on: np.ndarray
    ready: np.ndarray
    gives_up_first: np.ndarray
    recovers: np.ndarray
    first_before: np.ndarray
    lag_second: np.ndarray
    patience_second: np.ndarray
    course: np.ndarray

    def __len__(self) -> int:
        return len(self.referred)

    def where(self, keep: np.ndarray) -> "People":
        """Those for whom `keep` is true."""
        return People(*(getattr(self, field.name)[keep] for field in fields(self)))

    def of(self, scenario: Scenario) -> "People":
        """The patients that a scenario has."""
        limit = np.where(self.referred < 0, 1.0, scenario.demand) / MOST_DEMAND
        return self.where(self.mark < limit)


def draw_people(service: Service, weeks: float, seed: int, replication: int) -> People:
    """Patients on the lists at the start, and those who could be referred until `weeks`.

    The lists of the start are those of the steady state: referrals of the past of whom each has
    waited as long as the service lets patients wait. Streams are keyed by replication.
    """
    lags = service.lag_weeks + max(route.lag_weeks for route in service.routes)
    past = service.wait_weeks + max(route.wait_weeks for route in service.routes) + _LAGS * lags
    rate = service.referrals_per_week * MOST_DEMAND
    expected = rate * (past + weeks)
    n = int(expected + 8 * np.sqrt(expected)) + 20
    gaps = rng(seed, "queue", replication, "referrals").exponential(1 / rate, n)
    referred = np.cumsum(gaps) - past
    uniform = rng(seed, "queue", replication, "people").random((n, _PER_PERSON))
    everybody = _people(service, referred, uniform)
    these = (referred < weeks) & _waits_at_start(service, everybody)
    kept = everybody.where(these)
    lengths = _lengths(uniform[these, -1], service.course_cv)  # slow, so only of those who are kept
    return replace(kept, course=kept.course * lengths)


def _people(service: Service, referred: np.ndarray, uniform: np.ndarray) -> People:
    """People with the mean length of their course."""
    mark, band, route, goes_on, *rest = uniform.T[:-1]
    first_lag, drop_first, recover, second_lag, drop_second = -np.log1p(-np.array(rest))
    band = _choose(band, service.mix)
    route = _choose(route, [r.share for r in service.routes])
    lag, mean = (
        np.array([getattr(r, name) for r in service.routes])[route]
        for name in ("lag_weeks", "course_weeks")
    )
    ready = referred + service.lag_weeks * first_lag
    seen = ready + service.wait_weeks
    return People(
        referred, mark, band, route, goes_on < service.continues, ready,
        referred + _times(drop_first, service.drop_out[0]),
        referred + _times(recover, np.array(service.recovery)[band]),
        np.where(seen <= 0, seen, np.nan),
        lag * second_lag,
        _times(drop_second, service.drop_out[1]),
        mean,
    )  # fmt: skip


def _waits_at_start(service: Service, people: People) -> np.ndarray:
    """Whether each is referred after the start, or still on a list at the start."""
    first = people.first_before
    before = people.referred < 0
    wait = np.array([route.wait_weeks for route in service.routes])[people.route]
    gone = np.minimum(people.gives_up_first, people.recovers)
    on_first = np.isnan(first) & (gone > 0)
    leaves = np.minimum(first + people.patience_second, people.recovers)
    on_second = people.goes_on & (gone > first) & (leaves > 0)
    on_second &= first + people.lag_second + wait > 0  # false for NaN
    return ~before | on_first | on_second


def _choose(uniform: np.ndarray, shares) -> np.ndarray:
    steps = np.cumsum(shares)[:-1]
    return np.searchsorted(steps, uniform, side="right")


def _times(exponential: np.ndarray, hazard) -> np.ndarray:
    hazard = np.broadcast_to(np.asarray(hazard, float), exponential.shape)
    return np.divide(exponential, hazard, out=np.full_like(exponential, np.inf), where=hazard > 0)


def _lengths(uniform: np.ndarray, cv: float) -> np.ndarray:
    if cv == 0:
        return np.ones_like(uniform)
    return stats.gamma.ppf(uniform, cv**-2, scale=cv**2)


@lru_cache(maxsize=256)
def residual_lengths(n: int, mean: float, cv: float) -> np.ndarray:
    """When each of `n` places becomes free if courses have long been starting evenly.

    Evenly spaced quantiles of the stationary residual length, ascending; so courses end, and new
    ones start, at a constant rate from the start on.
    """
    at = (np.arange(n) + 0.5) / max(n, 1)
    found = mean * at if cv == 0 else np.interp(at, *_gone(mean, cv))
    found.flags.writeable = False  # shared by all who ask
    return found


@lru_cache(maxsize=256)
def _gone(mean: float, cv: float) -> tuple[np.ndarray, np.ndarray]:
    """Share of stationary residual lengths up to each point of a grid, and the grid."""
    grid = np.linspace(0, mean * (1 + 12 * cv * max(cv, 1.0)), 20_001)
    over = stats.gamma.sf(grid, cv**-2, scale=mean * cv**2)
    gone = np.concatenate([[0.0], np.cumsum((over[1:] + over[:-1]) / 2) * grid[1]]) / mean
    return gone, grid
