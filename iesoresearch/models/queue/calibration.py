"""A service whose steady state has the waits that are published for England.

Published are shares of finished courses by the length of the first wait (referral to first session)
and of the second (first to second), and no mean. Two accounts of the same shares are told, since
the shares cannot say which is right and the answer to "what does capacity do?" lies between them:

- `ROUTES`: waits differ between patients of one service. A booking delay (exponential, which no
  capacity shortens) is followed by a list, and the routes of treatment have lists of their own.
- `SERVICES`: waits differ between services. Nobody has a booking delay before the second session;
  each band of waits is a kind of service, and all of the wait is a list that capacity shortens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import least_squares

from iesoresearch.errors import ParameterError
from iesoresearch.models.queue.service import Route, Service
from iesoresearch.models.queue.steady import in_balance, steady

ROUTES, SERVICES = "between patients", "between services"
_CUTS = np.array([28, 56, 90]) / 7  # weeks
_STARTS = ((0.5, 0.1), (0.5, 0.6), (0.9, 0.3), (0.2, 0.3))  # of lag and spread of the search


@dataclass(frozen=True)
class Published:
    """Shares of finished courses by wait, and referrals.

    Attributes
    ----------
    first, second
        Shares with a wait of up to 28, 29 to 56, 57 to 90 and more than 90 days.
    courses_per_first
        Finished courses over first sessions held, of the same year.
    further_first
        Weeks -> share of first waits up to then, further points of the distribution.
    """

    first: tuple[float, float, float, float]
    second: tuple[float, float, float, float]
    courses_per_first: float
    further_first: dict[float, float]

    def __post_init__(self):
        for name in ("first", "second"):
            shares = getattr(self, name)
            if len(shares) != 4 or min(shares) < 0 or abs(sum(shares) - 1) > 1e-6:
                raise ParameterError(
                    f"The {name} waits must be four shares that add up to one, not "
                    f"{', '.join(f'{share:g}' for share in shares)}."
                )
        rates = [self.courses_per_first, *self.further_first.values()]
        if min(rates) <= 0 or max(rates) > 1:
            raise ParameterError(
                "courses_per_first and the further shares of first waits must lie above 0 and "
                f"not above 1; they are {', '.join(f'{rate:g}' for rate in rates)}."
            )

    def points(self, wait: str) -> tuple[np.ndarray, np.ndarray]:
        """Weeks and shares still waiting then, of the ``"first"`` or ``"second"`` wait."""
        shares = dict(zip(_CUTS.tolist(), np.cumsum(getattr(self, wait))[:3], strict=True))
        if wait == "first":
            shares |= self.further_first
        weeks = np.array(sorted(shares))
        return weeks, 1 - np.array([shares[week] for week in weeks])


@dataclass(frozen=True)
class Calibration:
    """A service in balance, and how near its waits come to what is published.

    Attributes
    ----------
    service, account
        The service, and which account of the waits it is.
    weeks, published, fitted
        By wait (``"first"``, ``"second"``): (points,) weeks, and the shares that still waited then.
    mean_wait
        By wait: mean weeks of those who come to the session, which is not published.
    """

    service: Service
    account: str
    weeks: dict[str, np.ndarray]
    published: dict[str, np.ndarray]
    fitted: dict[str, np.ndarray]
    mean_wait: dict[str, float]

    @property
    def worst(self) -> float:
        """Largest difference of a share, in either direction."""
        return max(float(np.abs(self.fitted[w] - self.published[w]).max()) for w in self.fitted)


def calibrate(
    published: Published,
    account: str,
    *,
    referrals_per_week: float,
    bands: Sequence[str],
    mix: Sequence[float],
    recovery: Sequence[float],
    drop_out: tuple[float, float],
    routes: Sequence[Route],
    course_cv: float = 0.0,
    spare: float = 0.0,
) -> Calibration:
    """Booking delays, lists and capacity that give the published waits in the steady state.

    Parameters
    ----------
    published
        What is to be met; shares of completed waits, so who leaves early is allowed for.
    account
        `ROUTES` or `SERVICES`.
    referrals_per_week, bands, mix, recovery, drop_out, course_cv
        As in `Service`.
    routes
        Names, course lengths and shares *of finished courses*; for `SERVICES` only the mean length
        of a course matters. Places, delays and lists are found here.
    spare
        Capacity beyond demand, as a share, where the fitted wait is all booking delay: how much
        there is cannot be seen in waits.

    Raises
    ------
    ParameterError
        An unknown account; a negative share; so many leave that the published number of courses
        cannot come about.
    """
    if account not in (ROUTES, SERVICES):
        raise ParameterError(f"account={account!r} is none of {ROUTES!r} and {SERVICES!r}.")
    bare = Service(
        referrals_per_week, tuple(bands), tuple(mix), tuple(recovery), tuple(drop_out),
        0.0, 0.0, 0.0, 1.0, tuple(routes), course_cv,
    )  # fmt: skip
    lag, (wait,) = _fit(*published.points("first"), np.array([1.0]), bare, 0)
    bare = replace(bare, lag_weeks=lag, wait_weeks=float(wait))
    if account == ROUTES:
        shares = np.array([route.share for route in routes])
        lag, waits = _fit(*published.points("second"), shares, bare, 1)
        found = [
            replace(route, lag_weeks=lag, wait_weeks=float(wait))
            for route, wait in zip(routes, waits, strict=True)
        ]
    else:
        found = _kinds_of_service(published, routes)
    service = in_balance(_with_shares(bare, found, published.courses_per_first), spare)
    return _judged(service, account, published)


def _kinds_of_service(published: Published, routes: Sequence[Route]) -> list[Route]:
    """One kind per band; its wait is the mean in the band if waits fall off exponentially in it."""
    course = sum(route.share * route.course_weeks for route in routes)
    survival = 1 - np.concatenate([[0.0], np.cumsum(published.second)])
    edges = np.append(0.0, _CUTS)
    rates = -np.diff(np.log(survival[:-1])) / np.diff(edges)
    rates = np.append(rates, rates[-1])  # beyond 90 days as in the band before
    widths = np.append(np.diff(edges), np.inf)
    lost = np.where(np.isinf(widths), 0.0, widths / np.expm1(np.minimum(rates * widths, 700)))
    names = ("up to 28 days", "29 to 56 days", "57 to 90 days", "more than 90 days")
    return [
        Route(f"services with {name}", share, 0, course, 0.0, float(edge + 1 / rate - less))
        for name, share, edge, rate, less in zip(
            names, published.second, edges, rates, lost, strict=True
        )
    ]


def _with_shares(service: Service, routes: list[Route], courses: float) -> Service:
    """Turn shares of finished courses into shares of those who join the second list."""
    flows = steady(replace(service, routes=tuple(routes), continues=1.0))
    # of those who join a list, the share that starts, over the bands of severity
    stays = (flows.first * flows.stays_second).sum(axis=1) / flows.first.sum()
    joining = np.array([route.share for route in routes]) / stays  # per course
    continues = courses * joining.sum()
    if continues > 1:
        raise ParameterError(
            f"With these hazards of drop_out and recovery too few stay: {continues:.2f} of those "
            "with a first session would have to go on to give the published number of courses. "
            "Lower the hazards."
        )
    shares = joining / joining.sum()
    found = [replace(r, share=float(share)) for r, share in zip(routes, shares, strict=True)]
    return replace(service, routes=tuple(found), continues=float(continues))


def _fit(weeks, still, shares, service: Service, stage: int) -> tuple[float, np.ndarray]:
    """Mean booking delay and time on each list, by least squares of the shares that still wait."""
    weight = np.array(service.mix)
    hazard = service.hazards[stage]

    def misfit(x):
        return _survival(weeks, x[0], x[1:], shares, weight, hazard) - still

    longest = 52.0
    fits = [
        least_squares(
            misfit,
            np.append(start, np.linspace(0.1, 1.0, len(shares)) * 40 * spread),
            bounds=(0.01, longest),
        )
        for start, spread in ((8 * s, t) for s, t in _STARTS)
    ]
    best = min(fits, key=lambda fit: round(fit.cost, 12)).x
    return float(best[0]), np.where(best[1:] < 0.02, 0.0, best[1:])


def _survival(at, lag, waits, shares, mix, hazard) -> np.ndarray:
    """Share of completed waits longer than `at`: booking delays of stayers are shorter."""
    late = np.clip(np.subtract.outer(at, waits), 0, None)
    rate = hazard + (1 / lag if lag else np.inf)
    passed = np.exp(-late[..., None] * rate) if lag else (late[..., None] <= 0) * np.ones(len(mix))
    return np.einsum("arb,r,b->a", passed, shares, mix)


def _judged(service: Service, account: str, published: Published) -> Calibration:
    flows = steady(service)
    courses = flows.courses.sum(axis=1) / flows.courses.sum()
    mixes = (flows.first / flows.first.sum(), flows.courses.sum(axis=0) / flows.courses.sum())
    waits = np.array([route.wait_weeks for route in service.routes])
    lags = (service.lag_weeks, service.routes[0].lag_weeks)
    parts = (
        (np.array([service.wait_weeks]), np.array([1.0])),
        (waits, courses),
    )
    weeks, shown, fitted, means = {}, {}, {}, {}
    for stage, wait in enumerate(("first", "second")):
        weeks[wait], shown[wait] = published.points(wait)
        hazard, lag, (lists, shares) = service.hazards[stage], lags[stage], parts[stage]
        fitted[wait] = _survival(weeks[wait], lag, lists, shares, mixes[stage], hazard)
        means[wait] = float(lists @ shares + mixes[stage] @ (lag / (1 + lag * hazard)))
    return Calibration(service, account, weeks, shown, fitted, means)
