"""One input at a time: the tornado, and the values at which the answer turns."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from iesoresearch.analyses.waiting.computed import Computed, model_of
from iesoresearch.analyses.waiting.declared import value, words
from iesoresearch.analyses.waiting.perspectives import STANDARD
from iesoresearch.analyses.waiting.sentence import headline
from iesoresearch.analyses.waiting.strategies import AT_ONCE, USUAL, Decision
from iesoresearch.data.health_economics import Input
from iesoresearch.models.decision.sensitivity import Bar, one_way, threshold, two_way
from iesoresearch.models.decision.sensitivity import tornado as widest_first
from iesoresearch.models.waiting import Outcome, groups
from iesoresearch.models.waiting.drawing import for_condition
from iesoresearch.results import Table

SHOWN = 12  # bars of a figure, and inputs whose thresholds are sought
OF_WAITING = f"cost of {STANDARD} weeks, all parts"
OF_BENEFIT = "net benefit of at once over the usual wait"
EFFECTS = ("effect_mean", "rr_nonresponse_anxiety")
PLACES = (-1.0, -0.5, 0.0, 0.5, 1.0)  # between the low and the high end


@dataclass(frozen=True)
class OneWay:
    """One-way analyses of the cost of 18 weeks, and of at once against the usual wait.

    Inputs that are drawn together are moved together. A position of -1 puts a group at its low
    end, 0 at its values, 1 at its high end, and what lies between in proportion.
    """

    computed: Computed
    decision: Decision

    @property
    def condition(self) -> str:
        """That it is about."""
        return self.decision.one.condition

    @cached_property
    def inputs(self) -> dict[str, list[Input]]:
        """By group; what has no range is left out."""
        found = groups(for_condition(self.computed.data.inputs, self.condition))
        return {
            name: members
            for name, members in found.items()
            if any(x.low < x.high for x in members) and self._used(members)
        }

    def _used(self, members: list[Input]) -> bool:
        """Whether moving the group to an end changes anything."""
        name = members[0].together or members[0].name
        positions = {name: np.array([-1.0, 0.0, 1.0])}
        ends = (*self.evaluate(positions, members), self.waiting(positions, members)[0])
        return any(np.ptp(x, axis=0).any() for x in ends)

    def _outcome(self, positions, members) -> Outcome:
        """Of waits of 0, the usual and 18 weeks, at positions (S,) by group."""
        n = len(next(iter(positions.values())))
        inputs = for_condition(self.computed.data.inputs, self.condition)
        draws = {x.name: np.full(n, x.value) for x in inputs}
        for name, place in positions.items():
            for x in self.inputs[name] if members is None else members:
                down, up = x.value - x.low, x.high - x.value
                draws[x.name] = x.value + np.where(place < 0, place * down, place * up)
        weeks = [0, self.decision.typical, STANDARD]
        return model_of(self.condition, self.computed.params).evaluate(draws, weeks)

    def evaluate(self, positions, members=None) -> tuple[np.ndarray, np.ndarray]:
        """Costs and QALYs (S, 2) at once and after the usual wait, at positions (S,) by group."""
        one, found = self.decision.one, self._outcome(positions, members)
        price = found.course[:, one.place] / self.decision.spread_weeks
        cost = found.nhs[:, one.place, :2] + np.outer(price, [self.decision.typical, 0])
        return cost, found.qaly[one.instrument][:, one.place, :2]

    def waiting(self, positions, members=None) -> tuple[np.ndarray, np.ndarray]:
        """All parts in £ (S, 2) at once and after 18 weeks, and no effects: health is in them."""
        one, found = self.decision.one, self._outcome(positions, members)
        total = headline(one)[-1].total(found, one.instrument, slice(0, None, 2))[:, one.place]
        return total, np.zeros_like(total)

    @property
    def wtp(self) -> float:
        """£ per QALY: the first threshold."""
        return self.decision.one.thresholds[0]

    @cached_property
    def base(self) -> dict[str, float]:
        """Every group at its values."""
        return dict.fromkeys(self.inputs, 0.0)

    @cached_property
    def of_waiting(self) -> tuple[Bar, ...]:
        """Of the cost of 18 weeks, all parts: widest first."""
        ranges = dict.fromkeys(self.inputs, (-1.0, 1.0))
        bars = one_way(self.waiting, self.base, ranges, 0.0, strategy=1, reference=0)
        return widest_first(bars, "cost")

    @cached_property
    def bars(self) -> tuple[Bar, ...]:
        """Widest first."""
        ranges = dict.fromkeys(self.inputs, (-1.0, 1.0))
        return one_way(
            self.evaluate, self.base, ranges, self.wtp, strategy=AT_ONCE, reference=USUAL
        )

    def turns(self, name: str) -> str:
        """Where net benefit passes zero: the value of the input, or of the first of its group."""
        found = threshold(
            self.evaluate, self.base, name, -1.0, 1.0, wtp=self.wtp, strategy=AT_ONCE,
            reference=USUAL,
        )  # fmt: skip
        if not found.values:
            return "not within its range"
        x = self.inputs[name][0]
        places = (_at(x, p) for p in found.values)
        of = "" if len(self.inputs[name]) == 1 else f" ({x.label})"
        return ", ".join(f"{place:.3g}" for place in places) + of


def label(members: list[Input]) -> str:
    """Of a group of inputs."""
    return members[0].label if len(members) == 1 else str(members[0].together)


def ends(members: list[Input]) -> str:
    """Low and high of an input; of a group, that of its first."""
    x = members[0]
    return f"{x.low:.3g} to {x.high:.3g}" + ("" if len(members) == 1 else f" ({x.label})")


def tornado(found: dict[str, OneWay]) -> Table:
    """All bars of the cost of 18 weeks, then of net benefit, widest first; where the latter turns.

    For net benefit, the thresholds of the widest bars are sought.
    """
    rows = []
    for condition, analysis in found.items():
        rows += [
            _row(condition, OF_WAITING, analysis, bar)
            | dict(zip(("low", "high"), bar.cost, strict=True))
            | {"base": bar.base_cost, "turns": "not asked"}
            for bar in analysis.of_waiting
        ]
        rows += [
            _row(condition, OF_BENEFIT, analysis, bar)
            | dict(zip(("low", "high"), bar.net_benefit, strict=True))
            | {"base": bar.base_net_benefit}
            | {"turns": analysis.turns(bar.name) if i < SHOWN else "not sought"}
            for i, bar in enumerate(analysis.bars)
        ]
    values = {
        "rests_on": words("Rests on"),
        "range": words("Low to high"),
        "low": value("At low, £"),
        "high": value("At high, £"),
        "base": value("All at their values, £"),
        "turns": words("Zero at"),
    }
    keys = {"condition": "Condition", "outcome": "Of what", "input": "Input"}
    return Table("One input at a time", pl.DataFrame(rows), keys, values)


def _row(condition: str, outcome: str, analysis: OneWay, bar: Bar) -> dict[str, str]:
    members = analysis.inputs[bar.name]
    return {
        "condition": condition, "outcome": outcome, "input": label(members),
        "rests_on": members[0].status, "range": ends(members),
    }  # fmt: skip


def together(found: dict[str, OneWay]) -> Table:
    """Cost of 18 weeks, all parts, by two inputs at once: the effect of therapy and drop-out."""
    rows, drop = [], "dropout_per_week"
    for condition, analysis in found.items():
        effect = next(n for n, m in analysis.inputs.items() if m[0].name in EFFECTS)
        grid = {effect: PLACES, drop: PLACES}
        result = two_way(analysis.waiting, analysis.base, grid, 0.0)
        cost = result.net_benefit[:, :, 0] - result.net_benefit[:, :, 1]
        first, second = analysis.inputs[effect][0], analysis.inputs[drop][0]
        rows += [
            {"condition": condition, "effect": f"{first.label}: {_at(first, a):.3g}"}
            | {f"drop_{j}": float(cost[i, j]) for j in range(len(PLACES))}
            for i, a in enumerate(PLACES)
        ]
    values = {
        f"drop_{j}": value(f"£, drop-out a week {100 * _at(second, b):.1f} %")
        for j, b in enumerate(PLACES)
    }
    keys = {"condition": "Condition", "effect": "Effect of therapy"}
    title = f"Cost of {STANDARD} weeks, all parts, by effect of therapy and drop-out together"
    return Table(title, pl.DataFrame(rows), keys, values)


def _at(x: Input, place: float) -> float:
    return x.value + place * (x.value - x.low if place < 0 else x.high - x.value)
