"""A service as a queue: what demand and capacity do to waits, and when capacity pays for itself.

The starting point are the first and second waits published for England; everything else about the
service is assumed or comes from the inputs of the waiting model. Besides those it has, this needs
of `Params`: ``queue_referrals`` (patients who join the list in a year), ``queue_replications``,
``queue_weeks`` (horizon) and ``queue_fixed_share`` (cost of capacity that comes with no session).
What a wait costs is that of `WaitingModel` for depression, at the total wait from referral to the
second session (second session a week after the first, everybody who is seen goes on), without the
cost of therapy: capacity is paid for apart. `queue_shown` and `queue_checked` make tables, numbers
and checks of it.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from scipy import stats

from iesoresearch.analyses.waiting.computed import Computed, model_of
from iesoresearch.data.health_economics import Input
from iesoresearch.models import queue
from iesoresearch.models.waiting import SCENARIOS, base_case
from iesoresearch.models.waiting.bands import edges
from iesoresearch.models.waiting.scenarios import hazards
from iesoresearch.seeds import derive

CONDITION = "depression"
CASH, WORK, HEALTH = "NHS cash besides therapy", "productivity", "health"
PARTS = (CASH, WORK, HEALTH)
#: What may count as saved, from the narrowest view to the widest.
WAYS = {"NHS cash": (CASH,), "NHS cash and health": (CASH, HEALTH), "and productivity": PARTS}
ACCOUNTS = (queue.ROUTES, queue.SERVICES)
#: Finished courses over patients who started, England 2019-20 (source nhs2019 of the inputs).
COURSES_PER_FIRST = 606_192 / 1_170_000
COURSE_CV = 0.5  # assumed: spread of the length of courses
SPARE = 0.05  # assumed: capacity beyond demand where nobody stands on a list
#: £ of a high-intensity course, Radhakrishnan et al. 2013, doi:10.1016/j.brat.2012.10.001.
HIGH_INTENSITY = 1416.0
LOW, HIGH = "low intensity first", "high intensity only"
COARSE = 4  # weeks between waits for which costs are computed under other assumptions
PERIOD = 8  # weeks over which waits are summarised

AS_IS = "as it is"
EVERYWHERE, LONGEST = "all lists alike", "longest list only"
#: Places added, % of all places.
ADDED = {EVERYWHERE: (5.0, 10.0, 15.0, 20.0, 30.0), LONGEST: (2.5, 5.0, 10.0, 15.0)}
#: Scenario -> settings.
CHANGES = {
    "referrals −10 %": {"demand": 0.9},
    "referrals +10 %": {"demand": 1.1},
    "referrals +20 %": {"demand": 1.2},
    "places −10 %": {"places": 0.9},
    "places −20 %": {"places": 0.8},
    "first sessions −10 %": {"assessments": 0.9},
    "first sessions +10 %": {"assessments": 1.1},
    "referrals and capacity +10 %": {"demand": 1.1, "assessments": 1.1, "places": 1.1},
    "most severe first": {"priority": True},
}
#: What the worth of a course more a week is computed for again: name -> what differs.
SENSITIVITY = {
    "nobody gives up": {"drop_out": 0.0},
    "3 % a week give up": {"drop_out": 0.03},
    "nobody recovers while waiting": {"recovery": 0.0},
    "courses of 25 weeks": {"course_weeks": 25.0},
    f"a course costs £{HIGH_INTENSITY:,.0f}": {"course": HIGH_INTENSITY},
}


def ladder_name(where: str, added: float) -> str:
    """Name of the scenario in which places are added."""
    return f"places +{added:g} %, {where}"


def one_more(route: str) -> str:
    """Name of the scenario with one course a week more on a route."""
    return f"a course a week more: {route}"


@dataclass(frozen=True)
class Account:
    """One account of the published waits: its service, its scenarios, their costs."""

    name: str
    calibration: queue.Calibration
    simulated: queue.Simulated
    saving: queue.NetSaving

    @property
    def service(self) -> queue.Service:
        """At the start."""
        return self.calibration.service

    @property
    def longest(self) -> str:
        """Name of the route with the longest list."""
        return max(self.service.routes, key=lambda route: route.wait_weeks).name

    def place(self, scenario: str) -> int:
        """Of a scenario, along the first axis of everything simulated."""
        return [s.name for s in self.simulated.scenarios].index(scenario)

    def net(self, scenario: str, way: str = "and productivity") -> np.ndarray:
        """(replications, draws) saved by a scenario less what its capacity costs, £."""
        k = self.place(scenario)
        saved = sum(self.saving.waiting[part][k] for part in WAYS[way])
        return saved - self.saving.capacity[k]

    def most(self, where: str, way: str) -> np.ndarray:
        """(replications, draws) most places, in % of all, that pay for themselves."""
        steps = [0, *(self.place(ladder_name(where, added)) for added in ADDED[where])]
        saving = queue.NetSaving(
            tuple(self.saving.scenarios[k] for k in steps),
            {part: self.saving.waiting[part][steps] for part in WAYS[way]},
            self.saving.capacity[steps],
        )
        return queue.break_even(saving, np.array([0.0, *ADDED[where]])).added


@dataclass(frozen=True)
class Queues:
    """Everything about the queue, computed once."""

    computed: Computed

    @property
    def params(self):
        """Of the run."""
        return self.computed.params

    @property
    def seed(self) -> int:
        """Of all patients."""
        return derive(self.params.seed, "queues")

    @cached_property
    def values(self) -> dict[str, float]:
        """Value of every input by name."""
        return {x.name: x.value for x in self.computed.data.inputs}

    @cached_property
    def mix(self) -> np.ndarray:
        """(bands,) shares among patients above the first band, see `mix`."""
        return mix(self.computed.data.inputs)

    @cached_property
    def costs(self) -> dict[str, np.ndarray]:
        """Part -> (draws, bands, 53) cost of a wait until the second session, £."""
        return self.cost_of_waits()

    def cost_of_waits(
        self, every: int = 1, drop_out: float | None = None, recovery: float | None = None, **_
    ) -> dict[str, np.ndarray]:
        """`costs` with another drop-out or without recovery, from every so many weeks of wait."""
        draws = self.computed.base[CONDITION].draws
        draws = draws | {"engaged_nhs_tt": np.ones_like(draws["engaged_nhs_tt"])}
        if drop_out is not None:
            draws |= {"dropout_per_week": np.full_like(draws["dropout_per_week"], drop_out)}
        name = self.params.recovery if recovery is None else "none"
        model = model_of(CONDITION, self.params, second_wait_weeks=1, recovery=name)
        weeks = np.arange(0, 53, every)
        found = model.evaluate(draws, weeks, self.computed.data.n_jobs)
        health = found.qaly[self.computed.instrument(CONDITION)] * -self.params.thresholds[0]
        totals = (found.background, found.productivity, health)
        between = np.array([np.interp(range(53), weeks, one) for one in np.eye(len(weeks))])
        return {
            part: (total - total[:, :, :1]) @ between
            for part, total in zip(PARTS, totals, strict=True)
        }

    def prices(self, course: float | None = None) -> queue.Prices:
        """Of the rest of a course and of a first session; `course` overrides the inputs, £."""
        base = self.computed.base[CONDITION]
        whole = base.course @ self.mix
        if course is not None:
            whole = np.full_like(whole, course)
        first = base.draws["first_session_share"]
        return queue.Prices(whole * (1 - first), whole * first, self.params.queue_fixed_share)

    @cached_property
    def accounts(self) -> dict[str, Account]:
        """Both accounts of the published waits."""
        return {name: self._account(name) for name in ACCOUNTS}

    def _account(self, name: str) -> Account:
        found = self.calibrated(name)
        simulated = self.simulate(found.service, scenarios(found.service))
        saving = queue.net_saving(found.service, simulated, self.costs, self.prices())
        return Account(name, found, simulated, saving)

    def simulate(self, service: queue.Service, of: list[queue.Scenario]) -> queue.Simulated:
        """Scenarios with the settings of the run."""
        params = self.params
        return queue.simulate(
            service, of, params.queue_weeks, params.queue_replications, self.seed, PERIOD
        )

    def calibrated(
        self,
        account: str,
        drop_out: float | None = None,
        recovery: float | None = None,
        course_weeks: float | None = None,
        referrals: float | None = None,
    ) -> queue.Calibration:
        """The service of an account, with other assumptions if given."""
        england, values = self.computed.data.england, self.values
        known = hazards(SCENARIOS[self.params.recovery], CONDITION, base_case(
            self.computed.data.inputs, CONDITION))[0, 0, 1:]  # fmt: skip
        recovers = known if recovery is None else np.full_like(known, recovery)
        p = values["dropout_per_week"] if drop_out is None else drop_out
        weeks = values["treatment_weeks"] if course_weeks is None else course_weeks
        gives_up = float(-np.log1p(-p))
        a_year = self.params.queue_referrals if referrals is None else referrals
        return queue.calibrate(
            published_waits(england.frame, england.year),
            account,
            referrals_per_week=a_year / queue.WEEKS_A_YEAR,
            bands=self.computed.base[CONDITION].bands,
            mix=self.mix.tolist(),
            recovery=recovers.tolist(),
            drop_out=(gives_up, gives_up),
            routes=routes(england.frame, england.year, weeks),
            course_cv=COURSE_CV,
            spare=SPARE,
        )

    @cached_property
    def worths(self) -> list["Worth"]:
        """Of a course a week more: on each list, and on the longest under other assumptions."""
        found = [
            self._worth(account.name, account.saving, account.place(one_more(route.name)), route)
            for account in self.accounts.values()
            for route in account.service.routes
        ]
        for name, changes in SENSITIVITY.items():
            others = {key: x for key, x in changes.items() if key != "course"}
            costs = self.cost_of_waits(COARSE, **others) if others else self.costs
            for account in ACCOUNTS:
                service = self.calibrated(account, **others).service
                longest = max(service.routes, key=lambda route: route.wait_weeks)
                simulated = self.simulate(
                    service, [queue.Scenario(AS_IS), _one_more(service, longest.name)]
                )
                prices = self.prices(changes.get("course"))
                saving = queue.net_saving(service, simulated, costs, prices)
                found.append(self._worth(account, saving, 1, longest, name))
        return found

    def _worth(self, account, saving, k, route, assumed="base case") -> "Worth":
        courses = round(route.course_weeks) / route.course_weeks * self.params.queue_weeks
        return Worth(
            account, route.name, assumed, saving.net[k] / courses, saving.capacity[k] / courses
        )


@dataclass(frozen=True)
class Worth:
    """Of capacity for one course a week more.

    Attributes
    ----------
    account, where, assumed
        Which service, which list, and what differs from the base case.
    net
        (replications, draws) net saving per course added, £, all parts.
    cost
        (draws,) of such a course, £.
    """

    account: str
    where: str
    assumed: str
    net: np.ndarray
    cost: np.ndarray


def scenarios(service: queue.Service) -> list[queue.Scenario]:
    """All scenarios; the first is that nothing changes."""
    found = [queue.Scenario(AS_IS)]
    found += [queue.Scenario(name, **changes) for name, changes in CHANGES.items()]
    found += [
        queue.Scenario(ladder_name(where, added), places=_spread(service, where, added))
        for where, steps in ADDED.items()
        for added in steps
    ]
    return found + [_one_more(service, route.name) for route in service.routes]


def _spread(service: queue.Service, where: str, added: float) -> list[float]:
    """Factors of the places of each route when so many % of all places are added."""
    places = np.array([route.places for route in service.routes])
    if where == EVERYWHERE:
        return [1 + added / 100] * len(places)
    longest = np.argmax([route.wait_weeks for route in service.routes])
    factors = np.ones(len(places))
    factors[longest] += added / 100 * places.sum() / places[longest]
    return factors.tolist()


def _one_more(service: queue.Service, name: str) -> queue.Scenario:
    factors = [
        1 + round(route.course_weeks) / route.places if route.name == name else 1.0
        for route in service.routes
    ]
    return queue.Scenario(one_more(name), places=factors)


def mix(inputs: tuple[Input, ...]) -> np.ndarray:
    """(bands,) shares of the bands but the first, if scores follow a normal distribution."""
    value = {x.name: x.value for x in inputs}
    at = (edges(CONDITION)[1:] - 0.5 - value["phq9_mean"]) / value["phq9_sd"]
    shares = np.diff(stats.norm.cdf(at))
    return shares / shares.sum()


def published_waits(frame: pl.DataFrame, year: str) -> queue.Published:
    """Waits of England as the queue needs them, from the published figures of a year."""
    waits = [_counts(frame, year, name, "finished") for name in ("first wait", "second wait")]
    totals = [sum(counts) for counts in waits]
    further = {
        weeks: _counts(frame, year, "total", f"wait <= {weeks:g} weeks")[0] / totals[0]
        for weeks in (6.0, 18.0)
    }
    first, second = (
        tuple(count / total for count in counts)
        for counts, total in zip(waits, totals, strict=True)
    )
    return queue.Published(first, second, COURSES_PER_FIRST, further)


def routes(frame: pl.DataFrame, year: str, course_weeks: float) -> list[queue.Route]:
    """Shares of finished courses by the intensity they began with; stepped care begins low."""
    only_low, only_high, both = _counts(frame, year, "steps", "finished")[:3]
    share = (only_low + both) / (only_low + both + only_high)
    return [
        queue.Route(LOW, share, 0, course_weeks),
        queue.Route(HIGH, 1 - share, 0, course_weeks),
    ]


def _counts(frame: pl.DataFrame, year: str, breakdown: str, measure: str) -> list[float]:
    rows = frame.filter(period=year, breakdown=breakdown, measure=measure, statistic="count")
    return rows["value"].to_list()
