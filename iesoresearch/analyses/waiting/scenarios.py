"""The same question under other assumptions: recovery, horizon, utilities, effect, provider."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from iesoresearch.analyses.waiting.computed import Computed, model_of
from iesoresearch.analyses.waiting.declared import interval, named, spread, value, words
from iesoresearch.analyses.waiting.perspectives import CASH, HEALTH, STANDARD, WORK, Perspective
from iesoresearch.models.waiting import SCENARIOS, Outcome
from iesoresearch.results import Table
from iesoresearch.seeds import rng

HORIZONS = (52, 104, 156, 260)  # weeks
MOST_DRAWS = 1000  # of a scenario
BASE = "as in the base case"
_OTHERS = {
    "provider: ieso": {"provider": "ieso"},
    "mean of trials, without their differences": {"effect": "mean"},
    "no second wait": {"second_wait_weeks": 1},
    "therapy also for who recovered": {"treat_recovered": True},
}


@dataclass(frozen=True)
class Case:
    """A scenario of one condition, evaluated.

    Attributes
    ----------
    recovery, horizon, other
        What was assumed; `other` is `BASE` or a change besides.
    """

    condition: str
    recovery: str
    horizon: int
    other: str
    outcome: Outcome


@dataclass(frozen=True)
class Scenarios:
    """All cases: recovery by horizon, and one change at a time at the horizon of the run."""

    computed: Computed

    @cached_property
    def cases(self) -> list[Case]:
        """Recovery by horizon first, then the other changes."""
        found = []
        for condition in self.computed.base:
            names = [s.name for s in SCENARIOS.values() if condition in s.conditions]
            horizons = sorted({*HORIZONS, self.computed.params.horizon_weeks})
            found += [
                self._case(condition, name, h, BASE, self._draws[condition], {})
                for name in names
                for h in horizons
            ]
            found += self._changed(condition)
        return found

    def _changed(self, condition: str) -> list[Case]:
        params = self.computed.params
        recovery, horizon = model_of(condition, params).recovery, params.horizon_weeks
        found = [
            self._case(condition, recovery, horizon, name, self._draws[condition], change)
            for name, change in _OTHERS.items()
            if not (condition == "anxiety" and "effect" in change)
        ]
        if condition == "depression":
            found += [
                self._case(condition, recovery, horizon, f"effect: {name}", draws, {})
                for name, draws in self._effects()
            ]
        return found

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
        weeks = [0, self.computed.data.england.typical, STANDARD]
        outcome = model.evaluate(draws, weeks, self.computed.data.n_jobs)
        return Case(condition, recovery, horizon, other, outcome)

    @cached_property
    def table(self) -> Table:
        """Cost of waiting to the 18-week standard by case and instrument; usual patients."""
        params = self.computed.params
        rows = []
        for case in self.cases:
            place = self.computed.base[case.condition].place
            for instrument, qaly in case.outcome.qaly.items():
                lost = 1000 * (qaly[:, place, 0] - qaly[:, place, -1])
                parts = (CASH, WORK, HEALTH) if case.condition == "depression" else (CASH, HEALTH)
                whole = Perspective(parts, params.thresholds[0])
                every = whole.total(case.outcome, instrument)[:, place]
                cash = case.outcome.nhs[:, place]
                course = case.outcome.course[:, place]
                rows.append(
                    {"condition": case.condition, "recovery": case.recovery}
                    | {"horizon": f"{case.horizon} weeks", "instrument": instrument}
                    | {"other": case.other, "cash": float((cash[:, -1] - cash[:, 0]).mean())}
                    | named("lost", spread(lost, 0))
                    | named("cost", spread(every[:, -1] - every[:, 0], 0))
                    | {"typical": 100 * float((every[:, 1] - every[:, 0] > course).mean())}
                    | {"standard": 100 * float((every[:, 2] - every[:, 0] > course).mean())}
                    | {"base": self._is_base(case, instrument)}
                )
        return Table(
            f"Cost of {STANDARD} weeks of waiting under other assumptions",
            pl.DataFrame(rows),
            _KEYS,
            self._values(),
        )

    def _is_base(self, case: Case, instrument: str) -> str:
        params = self.computed.params
        same = case.other == BASE and case.horizon == params.horizon_weeks
        same &= case.recovery == model_of(case.condition, params).recovery
        same &= instrument == self.computed.base[case.condition].instrument
        return "base case" if same else ""

    def _values(self):
        wtp, typical = self.computed.params.thresholds[0], self.computed.data.england.typical
        values = {"cash": value("NHS cash, £")} | interval("lost", "QALYs lost per 1,000 patients")
        values |= interval("cost", f"All parts at £{wtp:,.0f} per QALY, £")
        return values | {
            "typical": value(f"Chance > a course, %: {typical} weeks"),
            "standard": value(f"Chance > a course, %: {STANDARD} weeks"),
            "base": words("Is it"),
        }


_KEYS = {
    "condition": "Condition",
    "recovery": "Natural recovery",
    "horizon": "Horizon",
    "instrument": "Utilities",
    "other": "Else",
}
