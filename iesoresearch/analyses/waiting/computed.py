"""What `waiting` computes once and its tables and sentences read."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from iesoresearch.analyses.waiting import Params
from iesoresearch.analyses.waiting.england import England
from iesoresearch.analyses.waiting.perspectives import YEAR, Perspective, Wait, perspectives, waits
from iesoresearch.data.health_economics import Effect, Input
from iesoresearch.models.waiting import BANDS, SCENARIOS, Outcome, WaitingModel, draw_inputs
from iesoresearch.seeds import derive

CONDITIONS = tuple(BANDS)
LEAVES = "dropout_per_week"  # the input
#: What a run calls the effect of therapy -> what the model calls it.
EFFECTS = {"average service": "mean", "one service": "predictive"}


@dataclass(frozen=True)
class Data:
    """What is read: inputs, figures of England, and what else the effect of therapy may be.

    Attributes
    ----------
    effects
        By name, other posteriors of the effect than that of the base case.
    n_trials
        Behind the effect of the base case.
    n_jobs
        Threads; they change no result.
    """

    inputs: tuple[Input, ...]
    england: England
    effects: dict[str, Effect]
    n_trials: int
    n_jobs: int = 1


def model_of(condition: str, params: Params, **changes) -> WaitingModel:
    """The waiting model as asked for; the base case where a scenario says nothing of anxiety."""
    recovery = changes.pop("recovery", params.recovery)
    if condition not in SCENARIOS[recovery].conditions:
        recovery = next(iter(SCENARIOS))
    settings = {"horizon_weeks": params.horizon_weeks, "effect": EFFECTS[params.effect]} | changes
    return WaitingModel(condition, recovery=recovery, **settings)


@dataclass(frozen=True)
class Waiting:
    """One condition in one case, most often the base case.

    Attributes
    ----------
    draws
        (D,) by name of input.
    outcome
        At every week of waiting to 52; in the base case also at the horizon: never treated.
    at_once
        Wait 0 and the second session a week after the first: nobody waits at all.
    usual
        The band of the mean first score in England.
    """

    condition: str
    instrument: str
    draws: dict[str, np.ndarray]
    outcome: Outcome
    at_once: Outcome
    usual: str
    thresholds: list[float]

    @property
    def bands(self) -> tuple[str, ...]:
        """Where patients start."""
        return self.outcome.bands

    @property
    def place(self) -> int:
        """Column of the usual band."""
        return self.bands.index(self.usual)

    @property
    def has_work(self) -> bool:
        """Whether work lost is known for the condition."""
        return self.outcome.productivity is not None

    @property
    def course(self) -> np.ndarray:
        """(D, S) cost of a course, £."""
        return self.outcome.course

    @property
    def perspectives(self) -> tuple[Perspective, ...]:
        """All that apply to the condition."""
        return perspectives(self.condition, self.thresholds)

    def by_week(self, perspective: Perspective) -> np.ndarray:
        """(D, S, 53) cost of waiting 0 to 52 weeks."""
        total = perspective.total(self.outcome, self.instrument, slice(YEAR + 1))
        return total - total[:, :, :1]

    def cost(self, perspective: Perspective, wait: Wait) -> np.ndarray:
        """(D, S) cost of a wait."""
        here = slice(wait.weeks, wait.weeks + 1)
        start = self.at_once if wait.both else self.outcome
        total = perspective.total(self.outcome, self.instrument, here)
        return (total - perspective.total(start, self.instrument, slice(1)))[:, :, 0]

    def lost(self, wait: Wait) -> np.ndarray:
        """(D, S) QALYs lost by a wait."""
        qaly = self.outcome.qaly[self.instrument]
        start = self.at_once if wait.both else self.outcome
        return start.qaly[self.instrument][:, :, 0] - qaly[:, :, wait.weeks]


@dataclass(frozen=True)
class Computed:
    """Data, parameters, and the base case of both conditions."""

    data: Data
    params: Params

    @property
    def waits(self) -> tuple[Wait, ...]:
        """That are asked about."""
        return waits(self.data.england)

    @cached_property
    def base(self) -> dict[str, Waiting]:
        """By condition."""
        seed = derive(self.params.seed, "inputs")
        n, weeks = self.params.n_draws, [*range(YEAR + 1), self.params.horizon_weeks]
        return {
            c: self._waiting(c, draw_inputs(self.data.inputs, n, seed, c), weeks)
            for c in CONDITIONS
        }

    @cached_property
    def by_effect(self) -> dict[str, dict[str, Waiting]]:
        """Of depression and anxiety by what the effect of therapy is of, the base case first.

        For anxiety one effect is published, so it stands in the base case only.
        """
        others = [name for name in EFFECTS if name != self.params.effect]
        draws = self.base["depression"].draws
        return {self.params.effect: self.base} | {
            name: {"depression": self._waiting("depression", draws, effect=EFFECTS[name])}
            for name in others
        }

    @cached_property
    def by_recovery(self) -> dict[str, dict[str, Waiting]]:
        """By condition and scenario of recovery that rests on a source, slowest first."""
        found = {}
        for condition, one in self.base.items():
            names = [
                s.name for s in SCENARIOS.values() if condition in s.conditions and s.name != "none"
            ]
            names.sort(key=lambda name, c=condition: self._recovered(c, name))
            found[condition] = {
                name: one
                if name == model_of(condition, self.params).recovery
                else self._waiting(condition, one.draws, recovery=name)
                for name in names
            }
        return found

    def _recovered(self, condition: str, recovery: str) -> float:
        """Share of usual patients that recovers in a year, if nothing else happens, on average."""
        one = self.base[condition]
        arrays = model_of(condition, self.params, recovery=recovery).arrays(one.draws)
        stays = 1 - arrays.recover[:, arrays.interval[:YEAR], one.place + 1]
        return float(1 - stays.prod(1).mean())

    @cached_property
    def staying(self) -> dict[str, Waiting]:
        """The base case, were nobody to leave the list."""
        return {
            c: self._waiting(c, one.draws | {LEAVES: np.zeros(self.params.n_draws)})
            for c, one in self.base.items()
        }

    def _waiting(self, condition: str, draws, weeks=range(YEAR + 1), **changes) -> Waiting:
        params, jobs = self.params, self.data.n_jobs
        nobody_waits = model_of(condition, params, second_wait_weeks=1, **changes)
        return Waiting(
            condition=condition,
            instrument=self.instrument(condition),
            draws=draws,
            outcome=model_of(condition, params, **changes).evaluate(draws, weeks, jobs),
            at_once=nobody_waits.evaluate(draws, [0], jobs),
            usual=self.data.england.usual_band(condition),
            thresholds=params.thresholds,
        )

    def instrument(self, condition: str) -> str:
        """Of the utilities: anxiety has one only."""
        return self.params.instrument if condition == "depression" else "SF-6D"
