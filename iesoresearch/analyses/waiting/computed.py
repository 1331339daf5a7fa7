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
    """The base case of one condition.

    Attributes
    ----------
    draws
        (D,) by name of input.
    outcome
        At every week of waiting to 52, and at the horizon: never treated.
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
        return {condition: self._base(condition) for condition in CONDITIONS}

    def _base(self, condition: str) -> Waiting:
        params, jobs = self.params, self.data.n_jobs
        seed = derive(params.seed, "inputs")
        draws = draw_inputs(self.data.inputs, params.n_draws, seed, condition)
        weeks = [*range(YEAR + 1), params.horizon_weeks]
        nobody_waits = model_of(condition, params, second_wait_weeks=1)
        return Waiting(
            condition=condition,
            instrument=self.instrument(condition),
            draws=draws,
            outcome=model_of(condition, params).evaluate(draws, weeks, jobs),
            at_once=nobody_waits.evaluate(draws, [0], jobs),
            usual=self.data.england.usual_band(condition),
            thresholds=params.thresholds,
        )

    def instrument(self, condition: str) -> str:
        """Of the utilities: anxiety has one only."""
        return self.params.instrument if condition == "depression" else "SF-6D"
