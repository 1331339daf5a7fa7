"""The same question under other assumptions: recovery, horizon, utilities, effect, attrition."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from iesoresearch.analyses.waiting.computed import Computed, model_of
from iesoresearch.analyses.waiting.declared import interval, named, spread, value, words
from iesoresearch.analyses.waiting.perspectives import (
    CASH,
    HEALTH,
    STANDARD,
    WORK,
    YEAR,
    Perspective,
)
from iesoresearch.models.waiting import SCENARIOS, Outcome
from iesoresearch.results import Table
from iesoresearch.seeds import rng

CATARINO = 104  # weeks, as they counted
HORIZONS = (CATARINO, 156, 260, 520)  # a wait of a year needs more than a year
MOST_DRAWS = 600  # of a scenario
BASE = "as in the base case"
_MODELS = {
    "provider: ieso": {"provider": "ieso"},
    "no second wait": {"second_wait_weeks": 1},
    "therapy also for who recovered": {"treat_recovered": True},
}
_EFFECTS = {"mean": "the average service", "predictive": "one service among those of trials"}
#: Inputs that are held at a value instead of drawn.
_HELD = {
    "nobody leaves the list": {"dropout_per_week": 0.0},
    "3 % a week leave the list": {"dropout_per_week": 0.03},
    "52 % go on after the first session": {"engaged_nhs_tt": 0.52},
}


@dataclass(frozen=True)
class Case:
    """A scenario of one condition, evaluated.

    Attributes
    ----------
    recovery, horizon, other
        What was assumed; `other` is `BASE` or a change besides.
    outcome
        At waits of 0, the usual, 18 and 52 weeks.
    at_once
        Wait 0, and a week only to the second session.
    """

    condition: str
    recovery: str
    horizon: int
    other: str
    outcome: Outcome
    at_once: Outcome


@dataclass(frozen=True)
class Scenarios:
    """All cases: recovery by horizon, and one change at a time at the horizon of the run."""

    computed: Computed

    @cached_property
    def cases(self) -> list[Case]:
        """Recovery by horizon first (more horizons for the base case), then the other changes."""
        found = []
        for condition in self.computed.base:
            names = [s.name for s in SCENARIOS.values() if condition in s.conditions]
            base = model_of(condition, self.computed.params)
            usual = {CATARINO, base.horizon_weeks}
            found += [
                self._case(condition, name, h, BASE, self._draws[condition], {})
                for name in names
                for h in sorted(usual | ({*HORIZONS} if name == base.recovery else set()))
            ]
            found += self._changed(condition)
        return found

    def _changed(self, condition: str) -> list[Case]:
        params, draws = self.computed.params, self._draws[condition]
        model = model_of(condition, params)
        found = [(name, draws, change) for name, change in _MODELS.items()]
        for name, held in _HELD.items():
            values = {x: np.full(len(draws[x]), value) for x, value in held.items()}
            found.append((name, draws | values, {}))
        if condition == "depression":
            found += [
                (name, draws, {"effect": kind})
                for kind, name in _EFFECTS.items()
                if kind != model.effect
            ]
            found += [(f"effect: {name}", x, {"effect": "mean"}) for name, x in self._effects()]
        return [
            self._case(condition, model.recovery, params.horizon_weeks, name, x, change)
            for name, x, change in found
        ]

    def _effects(self):
        """Draws with another posterior of the effect, all else alike."""
        draws = self._draws["depression"]
        for name, effect in self.computed.data.effects.items():
            generator = rng(self.computed.params.seed, "effect", name)
            found = effect.draw(generator, len(draws["effect_mean"]))
            yield name, draws | dict(zip(("effect_mean", "effect_tau"), found, strict=True))

    @cached_property
    def _draws(self) -> dict[str, dict[str, np.ndarray]]:
        """Of all inputs by condition: the first ones of the base case where there are more."""
        found = self.computed.base.items()
        return {
            condition: {name: x[:MOST_DRAWS] for name, x in one.draws.items()}
            for condition, one in found
        }

    def _case(self, condition, recovery, horizon, other, draws, change) -> Case:
        model = replace(
            model_of(condition, self.computed.params, recovery=recovery, horizon_weeks=horizon),
            **change,
        )
        jobs = self.computed.data.n_jobs
        weeks = [0, self.computed.data.england.typical, STANDARD, YEAR]
        outcome = model.evaluate(draws, weeks, jobs)
        at_once = replace(model, second_wait_weeks=1).evaluate(draws, [0], jobs)
        return Case(condition, recovery, horizon, other, outcome, at_once)

    @cached_property
    def table(self) -> Table:
        """Cost of every wait, and chances, by case and instrument; usual patients, all parts."""
        rows = [
            {"condition": case.condition, "recovery": case.recovery}
            | {"horizon": f"{case.horizon} weeks", "instrument": instrument, "other": case.other}
            | self._row(case, instrument)
            | {"base": self._is_base(case, instrument)}
            for case in self.cases
            for instrument in case.outcome.qaly
        ]
        n = min(MOST_DRAWS, self.computed.params.n_draws)
        title = f"Cost of waiting under other assumptions, all parts ({n:,} draws)"
        return Table(title, pl.DataFrame(rows), _KEYS, self._values())

    def _row(self, case: Case, instrument: str) -> dict[str, float]:
        params, place = self.computed.params, self.computed.base[case.condition].place
        parts = (CASH, WORK, HEALTH) if case.condition == "depression" else (CASH, HEALTH)
        whole = Perspective(parts, params.thresholds[0])
        every = whole.total(case.outcome, instrument)[:, place]
        start = whole.total(case.at_once, instrument)[:, place, 0]
        course, cash = case.outcome.course[:, place], case.outcome.nhs[:, place]
        costs = {
            "typical": every[:, 1] - every[:, 0],
            "both": every[:, 1] - start,
            "standard": every[:, 2] - every[:, 0],
            "year": every[:, 3] - every[:, 0],
        }
        found = {"cash": float((cash[:, 2] - cash[:, 0]).mean())}
        found |= named("cost", spread(costs["standard"], 0))
        for name, cost in costs.items():
            if name != "standard":
                found[f"cost_{name}"] = spread(cost, 0)[0]
        for name, cost in costs.items():
            found[name] = 100 * float((cost > course).mean())
        for name, cost in costs.items():
            found[f"far_{name}"] = 100 * float((cost > params.far_more * course).mean())
        return found

    def _is_base(self, case: Case, instrument: str) -> str:
        params = self.computed.params
        same = case.other == BASE and case.horizon == params.horizon_weeks
        same &= case.recovery == model_of(case.condition, params).recovery
        same &= instrument == self.computed.base[case.condition].instrument
        return "base case" if same else ""

    def _values(self):
        params, typical = self.computed.params, self.computed.data.england.typical
        waits = {"typical": f"{typical} weeks", "both": "both waits"}
        waits |= {"standard": f"{STANDARD} weeks", "year": f"{YEAR} weeks"}
        cost = f"All parts at £{params.thresholds[0]:,.0f} per QALY, £:"
        values = {"cash": value(f"NHS cash, £: {waits['standard']}")}
        values |= interval("cost", f"{cost} {waits['standard']}")
        values |= {
            f"cost_{name}": value(f"{cost} {wait}")
            for name, wait in waits.items()
            if name != "standard"
        }
        values |= {name: value(f"Chance > a course, %: {wait}") for name, wait in waits.items()}
        far = f"Chance > {params.far_more:g} courses, %:"
        values |= {f"far_{name}": value(f"{far} {wait}") for name, wait in waits.items()}
        return values | {"base": words("Is it")}


_KEYS = {
    "condition": "Condition",
    "recovery": "Natural recovery",
    "horizon": "Horizon",
    "instrument": "Utilities",
    "other": "Else",
}
