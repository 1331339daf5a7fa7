"""One input at a time: the tornado, and the values at which the answer turns."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from iesoresearch.analyses.waiting.computed import Computed, model_of
from iesoresearch.analyses.waiting.declared import value, words
from iesoresearch.analyses.waiting.strategies import AT_ONCE, USUAL, Decision
from iesoresearch.data.health_economics import Input
from iesoresearch.models.decision.sensitivity import Bar, one_way, threshold
from iesoresearch.models.waiting import groups
from iesoresearch.models.waiting.drawing import for_condition
from iesoresearch.results import Table

SHOWN = 12  # bars of a figure, and inputs whose thresholds are sought


@dataclass(frozen=True)
class OneWay:
    """One-way analyses of net benefit of therapy at once against the usual wait.

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
        ends = self.evaluate({name: np.array([-1.0, 0.0, 1.0])}, members)
        return any(np.ptp(x, axis=0).any() for x in ends)

    def evaluate(self, positions, members=None) -> tuple[np.ndarray, np.ndarray]:
        """Costs and QALYs (S, 2) at once and after the usual wait, at positions (S,) by group."""
        n = len(next(iter(positions.values())))
        inputs = for_condition(self.computed.data.inputs, self.condition)
        draws = {x.name: np.full(n, x.value) for x in inputs}
        for name, place in positions.items():
            for x in self.inputs[name] if members is None else members:
                down, up = x.value - x.low, x.high - x.value
                draws[x.name] = x.value + np.where(place < 0, place * down, place * up)
        one, typical = self.decision.one, self.decision.typical
        found = model_of(self.condition, self.computed.params).evaluate(draws, [0, typical])
        price = found.course[:, one.place] / self.decision.spread_weeks
        cost = found.nhs[:, one.place] + np.outer(price, [typical, 0])
        return cost, found.qaly[one.instrument][:, one.place]

    @property
    def wtp(self) -> float:
        """£ per QALY: the first threshold."""
        return self.decision.one.thresholds[0]

    @cached_property
    def base(self) -> dict[str, float]:
        """Every group at its values."""
        return dict.fromkeys(self.inputs, 0.0)

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
        places = (x.value + p * (x.value - x.low if p < 0 else x.high - x.value)
                  for p in found.values)  # fmt: skip
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
    """All bars, widest first, with the threshold of the widest."""
    rows = []
    for condition, analysis in found.items():
        for i, bar in enumerate(analysis.bars):
            members = analysis.inputs[bar.name]
            low, high = bar.net_benefit
            rows.append(
                {"condition": condition, "input": label(members), "rests_on": members[0].status}
                | {"range": ends(members), "low": low, "high": high}
                | {"base": bar.base_net_benefit}
                | {"turns": analysis.turns(bar.name) if i < SHOWN else "not sought"}
            )
    values = {
        "rests_on": words("Rests on"),
        "range": words("Low to high"),
        "low": value("At low, £"),
        "high": value("At high, £"),
        "base": value("All at their values, £"),
        "turns": words("Zero at"),
    }
    keys = {"condition": "Condition", "input": "Input"}
    title = "Net benefit of therapy at once against the usual wait, one input at a time"
    return Table(title, pl.DataFrame(rows), keys, values)
