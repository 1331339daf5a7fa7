"""A talking-therapy service as one front door and several routes of treatment, and its scenarios.

Referrals arrive as a Poisson process with a constant rate (the season of referrals is not known).
Each waits for a first session: first a booking delay that no capacity shortens, then a list that is
served in order. Whoever goes on after it waits in the same way for the second session, on the list
of a route, until one of its places is free; a place is then held for the length of a course. On
both lists patients give up, at a weekly hazard, or recover, at one that depends on their severity.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from iesoresearch.errors import ParameterError

WEEKS_A_YEAR = 365.25 / 7
MOST_DEMAND = 1.5  # times the referrals of the start: people are drawn for as many


@dataclass(frozen=True)
class Route:
    """A way of being treated, with a list and places of its own.

    Attributes
    ----------
    name
        As shown.
    share
        Of those who go on after the first session; the shares of a service add up to one.
    places
        Courses that can be under way at once.
    course_weeks
        Mean length of a course, for which a place is held.
    lag_weeks
        Mean of the booking delay (exponential) before the second session.
    wait_weeks
        Time on the list after it, at the start.
    """

    name: str
    share: float
    places: int
    course_weeks: float
    lag_weeks: float = 0.0
    wait_weeks: float = 0.0


@dataclass(frozen=True)
class Service:
    """Demand, front door and routes as they are at the start.

    Attributes
    ----------
    referrals_per_week
        Mean number of referrals.
    bands, mix
        Names of the bands of severity, mildest first, and their shares among referrals.
    recovery
        Weekly hazard of recovering while waiting, by band.
    drop_out
        Weekly hazards of giving up before the first and before the second session.
    assessments_per_week
        First sessions that can be held.
    lag_weeks, wait_weeks
        Before the first session: mean booking delay (exponential) and time on the list.
    continues
        Share of those with a first session who go on to a course.
    routes
        Ways of being treated.
    course_cv
        Standard deviation of the length of a course over its mean (gamma); 0 = all are equal.
    """

    referrals_per_week: float
    bands: tuple[str, ...]
    mix: tuple[float, ...]
    recovery: tuple[float, ...]
    drop_out: tuple[float, float]
    assessments_per_week: float
    lag_weeks: float
    wait_weeks: float
    continues: float
    routes: tuple[Route, ...]
    course_cv: float = 0.0

    def __post_init__(self):
        self._check_patients()
        self._check_supply()

    def _check_patients(self) -> None:
        if not self.referrals_per_week > 0:
            raise ParameterError(
                f"referrals_per_week={self.referrals_per_week!r} must be above zero: a service "
                "that nobody is referred to has no list."
            )
        if not len(self.bands) == len(self.mix) == len(self.recovery) > 0:
            raise ParameterError(
                f"bands, mix and recovery must be of one length, not {len(self.bands)}, "
                f"{len(self.mix)} and {len(self.recovery)}: give each band its share and hazard."
            )
        _shares_add_up("mix", self.mix)
        for name, hazard in zip(self.bands, self.recovery, strict=True):
            _not_negative(f"recovery of {name}", hazard, "a weekly hazard")
        for name, hazard in zip(("first", "second"), self.drop_out, strict=True):
            _not_negative(f"drop_out before the {name} session", hazard, "a weekly hazard")
        if not 0 <= self.continues <= 1:
            raise ParameterError(
                f"continues={self.continues!r} must be a share between 0 and 1: that of the "
                "patients with a first session who go on to a course."
            )

    def _check_supply(self) -> None:
        if not self.routes:
            raise ParameterError("A service needs at least one route; name it in routes.")
        _shares_add_up("the shares of routes", [route.share for route in self.routes])
        _not_negative("assessments_per_week", self.assessments_per_week, "a number of sessions")
        weeks = {"lag_weeks": self.lag_weeks, "wait_weeks": self.wait_weeks}
        for route in self.routes:
            _not_negative(f"places of {route.name}", route.places, "a number of courses")
            weeks |= {
                f"lag_weeks of {route.name}": route.lag_weeks,
                f"wait_weeks of {route.name}": route.wait_weeks,
            }
            if not route.course_weeks > 0:
                raise ParameterError(
                    f"course_weeks={route.course_weeks!r} of {route.name} must be above zero."
                )
        for name, value in (weeks | {"course_cv": self.course_cv}).items():
            _not_negative(name, value, "a number of weeks" if "weeks" in name else "a ratio")

    @property
    def hazards(self) -> np.ndarray:
        """(2, bands) weekly hazard of leaving the first and the second list."""
        return np.array(self.drop_out)[:, None] + np.array(self.recovery)

    def scaled(self, scenario: "Scenario") -> "Service":
        """The service with the capacity of a scenario; whole places, demand as it was."""
        routes = [
            replace(route, places=round(route.places * factor))
            for route, factor in zip(self.routes, scenario.by_route(len(self.routes)), strict=True)
        ]
        assessments = self.assessments_per_week * scenario.assessments
        return replace(self, assessments_per_week=assessments, routes=tuple(routes))


@dataclass(frozen=True)
class Scenario:
    """What differs from the start, from week 0 on.

    Attributes
    ----------
    name
        As shown.
    demand, assessments
        Factors of referrals and of first sessions that can be held.
    places
        Factor of the places of every route, or one per route.
    priority
        Serve the most severe band first on every list, instead of in order of arrival.
    """

    name: str
    demand: float = 1.0
    assessments: float = 1.0
    places: float | Sequence[float] = 1.0
    priority: bool = False

    def __post_init__(self):
        if not 0 < self.demand <= MOST_DEMAND:
            raise ParameterError(
                f"Scenario {self.name!r}: demand={self.demand!r} must be above 0 and at most "
                f"{MOST_DEMAND:g} times that of the start."
            )
        _not_negative(f"assessments of scenario {self.name!r}", self.assessments, "a factor")
        for factor in np.atleast_1d(self.places):
            _not_negative(f"places of scenario {self.name!r}", float(factor), "a factor")

    def by_route(self, n_routes: int) -> list[float]:
        """Factor of the places of each route."""
        factors = np.atleast_1d(self.places).astype(float)
        if len(factors) not in (1, n_routes):
            raise ParameterError(
                f"Scenario {self.name!r} has {len(factors)} factors of places for {n_routes} "
                "routes: give one for all, or one for each."
            )
        return np.broadcast_to(factors, n_routes).tolist()


def _not_negative(name: str, value: float, what: str) -> None:
    if not (value >= 0 and np.isfinite(value)):
        raise ParameterError(f"{name}={value!r} must be {what}, finite and not below zero.")


def _shares_add_up(name: str, shares: Sequence[float]) -> None:
    if min(shares) < 0 or max(shares) > 1 or abs(sum(shares) - 1) > 1e-9:
        raise ParameterError(
            f"{name} must be shares between 0 and 1 that add up to one; they are "
            f"{', '.join(f'{share:g}' for share in shares)} and add up to {sum(shares):g}."
        )
