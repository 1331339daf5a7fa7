"""What waiting costs in each scenario, what capacity costs, and where the one pays for the other.

Costs and capacity of the same weeks are compared. What a shorter list at the end is worth to those
referred later is not counted, which is to the disadvantage of capacity that is added.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.queue.service import Scenario, Service
from iesoresearch.models.queue.simulation import LONGEST, Simulated


@dataclass(frozen=True)
class Prices:
    """What capacity costs; money of one price year.

    Attributes
    ----------
    course
        (draws,) or (draws, routes) cost of a course.
    assessment
        (draws,) cost of a first session.
    fixed_share
        Cost of adding capacity that comes with no session, as a share of the cost of sessions.
    """

    course: np.ndarray
    assessment: np.ndarray
    fixed_share: float = 0.0

    def __post_init__(self):
        if not 0 <= self.fixed_share <= 1:
            raise ParameterError(
                f"fixed_share={self.fixed_share!r} must be a share between 0 and 1."
            )


@dataclass(frozen=True)
class NetSaving:
    """What scenarios save against the first of them.

    Attributes
    ----------
    scenarios
        All of them; the first is compared with itself.
    waiting
        Part -> (scenarios, replications, draws) cost of waiting avoided, money.
    capacity
        (scenarios, draws) cost of capacity added (negative: taken away).
    """

    scenarios: tuple[Scenario, ...]
    waiting: dict[str, np.ndarray]
    capacity: np.ndarray

    @property
    def net(self) -> np.ndarray:
        """(scenarios, replications, draws) waiting avoided less capacity added."""
        return sum(self.waiting.values()) - self.capacity[:, None, :]

    @property
    def probability(self) -> np.ndarray:
        """(scenarios,) that the scenario pays for itself, over draws and replications."""
        return (self.net > 0).mean(axis=(1, 2))


@dataclass(frozen=True)
class BreakEven:
    """The most capacity that pays for itself, along a series of scenarios with ever more of it.

    Attributes
    ----------
    added
        (replications, draws) capacity up to which the waiting that is saved pays for all that is
        added, in the unit of the series; 0 if not even the least does, the most that was tried if
        all does.
    marginal
        (steps, replications, draws) net saving of one unit more, between neighbours of the series.
    """

    added: np.ndarray
    marginal: np.ndarray


def capacity_cost(service: Service, scenario: Scenario, weeks: int, prices: Prices) -> np.ndarray:
    """(draws,) cost of the sessions and courses that a scenario can hold beyond the start's.

    Capacity is paid whether or not it is used: a place more costs a course per length of a course.
    """
    supply = service.scaled(scenario)
    assessments = (supply.assessments_per_week - service.assessments_per_week) * weeks
    courses = np.array([
        (new.places - old.places) / old.course_weeks * weeks
        for new, old in zip(supply.routes, service.routes, strict=True)
    ])  # fmt: skip
    course = np.asarray(prices.course, float)
    if course.ndim == 1:
        course = course[:, None]
    if course.shape[1] not in (1, len(courses)):
        raise ParameterError(
            f"The price of a course has {course.shape[1]} columns for {len(courses)} routes: give "
            "one price for all, or one per route."
        )
    variable = (course * courses).sum(axis=1) + np.asarray(prices.assessment) * assessments
    return variable * (1 + prices.fixed_share)


def net_saving(
    service: Service, simulated: Simulated, costs: Mapping[str, np.ndarray], prices: Prices
) -> NetSaving:
    """Cost of waiting that each scenario saves against the first, and what its capacity costs.

    Parameters
    ----------
    service
        That was simulated.
    simulated
        The first scenario is the one to compare with.
    costs
        Part (such as ``"NHS cash"``) -> (draws, bands, 53): cost of a wait of 0, 1, … 52 weeks from
        referral to the second session, over no wait, for a patient referred in that band of the
        service. Leave out what the therapy itself costs: that is in `prices`.
    prices
        Draws belong together with those of `costs`.

    Raises
    ------
    ParameterError
        Costs of another shape, or with a draw that is not finite.
    """
    n_draws = len(np.asarray(prices.assessment))
    expected = (n_draws, len(service.bands), LONGEST + 1)
    saved = simulated.accrued[:1] - simulated.accrued
    waiting = {}
    for name, cost in costs.items():
        if np.shape(cost) != expected:
            raise ParameterError(
                f"The cost of waiting {name!r} has shape {np.shape(cost)}; it must be {expected}: "
                "draws, bands of severity, weeks of wait from 0 to 52."
            )
        if not np.isfinite(cost).all():
            raise ParameterError(f"The cost of waiting {name!r} has draws that are not finite.")
        waiting[name] = np.einsum("srbw,dbw->srd", saved, cost, optimize=True)
    capacity = [
        capacity_cost(service, scenario, simulated.weeks, prices)
        for scenario in simulated.scenarios
    ]
    return NetSaving(simulated.scenarios, waiting, np.array(capacity))


def break_even(saving: NetSaving, added: np.ndarray) -> BreakEven:
    """The most capacity that pays for itself.

    Parameters
    ----------
    saving
        Of a series of scenarios with ever more capacity, the first with none added.
    added
        (scenarios,) how much each adds, ascending from 0, such as percent of the places.

    Raises
    ------
    ParameterError
        A series that does not ascend from 0, or of another length.
    """
    added = np.asarray(added, float)
    if added.shape != (len(saving.scenarios),) or added[0] != 0 or (np.diff(added) <= 0).any():
        raise ParameterError(
            "added must have one number per scenario, ascending from 0; it has "
            f"{', '.join(f'{a:g}' for a in added)} for {len(saving.scenarios)} scenarios."
        )
    net = saving.net
    steps = np.diff(added)[:, None, None]
    marginal = np.diff(net, axis=0) / steps
    most = np.zeros(net.shape[1:])
    pays = np.ones(net.shape[1:], bool)
    for k, step in enumerate(np.diff(added)):
        # the net saving falls below zero within this step, at the place a line through its ends has
        here, then = net[k], net[k + 1]
        drop = np.where(then < here, here - then, 1.0)
        reach = np.where(then >= 0, 1.0, np.clip(here / drop, 0.0, 1.0))
        most = np.where(pays, added[k] + reach * step, most)
        pays &= then >= 0
    return BreakEven(most, marginal)
