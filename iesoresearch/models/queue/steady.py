"""The steady state of a large service: flows and lists that stay as they are.

With ``h`` the hazard of leaving, a booking delay of mean ``m`` and ``w`` weeks on the list, a share
``exp(-h w) / (1 + h m)`` of patients stays until the session, and Little's law (Little 1961,
doi:10.1287/opre.9.3.383) gives the list as arrivals times the mean time on it,
``(1 - share) / h``.
"""

from dataclasses import dataclass, replace

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.queue.service import Service


@dataclass(frozen=True)
class Steady:
    """Weekly flows and numbers waiting, for a service whose waits stay constant.

    Attributes
    ----------
    stays_first, stays_second
        (bands,) and (routes, bands) share that is still there when the session comes.
    first
        (bands,) first sessions a week.
    courses
        (routes, bands) courses that start a week.
    waiting_first, waiting_second
        (bands,) and (routes, bands) patients who wait.
    """

    stays_first: np.ndarray
    stays_second: np.ndarray
    first: np.ndarray
    courses: np.ndarray
    waiting_first: np.ndarray
    waiting_second: np.ndarray


def steady(service: Service) -> Steady:
    """Flows and lists at the waits of the start (``lag_weeks``, ``wait_weeks``)."""
    one, two = service.hazards
    lags, waits, shares = (
        np.array([[getattr(route, name)] for route in service.routes])
        for name in ("lag_weeks", "wait_weeks", "share")
    )
    arriving = service.referrals_per_week * np.array(service.mix)
    stays_first = _stays(one, service.lag_weeks, service.wait_weeks)
    first = arriving * stays_first
    joining = shares * service.continues * first
    stays_second = _stays(two, lags, waits)
    return Steady(
        stays_first,
        stays_second,
        first,
        joining * stays_second,
        arriving * _weeks(one, service.lag_weeks, service.wait_weeks),
        joining * _weeks(two, lags, waits),
    )


def in_balance(service: Service, spare: float = 0.0) -> Service:
    """The service with the capacity at which the waits of the start stay as they are.

    Places are whole, so the balance of a small route is not perfect. Where nobody stands on a list,
    capacity is larger than demand by an unknown margin: by the share `spare`.

    Raises
    ------
    ParameterError
        A negative share.
    """
    if not spare >= 0:
        raise ParameterError(f"spare={spare!r} must be a share of capacity, not below zero.")

    def of(sessions: float, wait: float) -> float:
        return sessions * (1 + spare * (wait == 0))

    flows = steady(service)
    routes = [
        replace(route, places=round(of(sum(courses), route.wait_weeks) * route.course_weeks))
        for route, courses in zip(service.routes, flows.courses, strict=True)
    ]
    first = of(float(flows.first.sum()), service.wait_weeks)
    return replace(service, assessments_per_week=first, routes=tuple(routes))


def _stays(hazard, lag, wait) -> np.ndarray:
    return np.exp(-hazard * wait) / (1 + hazard * lag)


def _weeks(hazard, lag, wait) -> np.ndarray:
    """Mean time until the session or until leaving, whichever is first."""
    safe = np.where(hazard > 0, hazard, 1.0)
    return np.where(hazard > 0, (1 - _stays(hazard, lag, wait)) / safe, lag + wait)
