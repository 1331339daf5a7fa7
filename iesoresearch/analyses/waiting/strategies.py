"""Strategies: when therapy starts, at an explicit price of bringing it forward."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from iesoresearch.analyses.waiting.computed import Computed, Waiting
from iesoresearch.analyses.waiting.declared import interval, named, spread, value, words
from iesoresearch.analyses.waiting.perspectives import STANDARD, YEAR
from iesoresearch.models.decision import Acceptability, acceptability, incremental
from iesoresearch.results import Table
from iesoresearch.seeds import rng

GRID = np.arange(0.0, 50_001.0, 2_500.0)  # £ per QALY
SHOWN = 250  # draws on the plane
AT_ONCE, USUAL = 0, 1  # columns
NO_ICER = "none"


@dataclass(frozen=True)
class Decision:
    """Costs to the NHS and QALYs of five strategies for the usual patient.

    Attributes
    ----------
    one
        The condition.
    typical
        Mean first wait in England, weeks.
    spread_weeks
        Weeks of referrals that share the price of clearing a week of waiting.
    """

    one: Waiting
    typical: int
    spread_weeks: float

    @property
    def names(self) -> tuple[str, ...]:
        """Of the strategies."""
        waits = (self.typical, STANDARD, YEAR)
        return ("at once", *(f"after {w} weeks" for w in waits), "no therapy")

    @property
    def weeks(self) -> np.ndarray:
        """(K,) waits; the last is the horizon, so that therapy never starts."""
        return np.array([0, self.typical, STANDARD, YEAR, self.one.outcome.waits[-1]])

    @property
    def price(self) -> np.ndarray:
        """(D,) £ per patient and week by which therapy comes sooner than it does now."""
        return self.one.course[:, self.one.place] / self.spread_weeks

    @cached_property
    def costs(self) -> np.ndarray:
        """(D, K) NHS cash and the price; below zero for a list that is let grow."""
        sooner = self.typical - self.weeks
        sooner[-1] = 0
        return self._at(self.one.outcome.nhs) + self.price[:, None] * sooner

    @cached_property
    def effects(self) -> np.ndarray:
        """(D, K) QALYs."""
        return self._at(self.one.outcome.qaly[self.one.instrument])

    def _at(self, total: np.ndarray) -> np.ndarray:
        place = np.searchsorted(self.one.outcome.waits, self.weeks)
        return total[:, self.one.place][:, place]

    def benefit(self, wtp: float) -> np.ndarray:
        """(D, K) net monetary benefit, £."""
        return wtp * self.effects - self.costs

    @cached_property
    def grid(self) -> np.ndarray:
        """£ per QALY at which acceptability is computed."""
        return np.unique(np.r_[GRID, self.one.thresholds])

    @cached_property
    def acceptability(self) -> Acceptability:
        """Over the grid."""
        return acceptability(self.costs, self.effects, self.grid)

    def worth_sooner(self, wtp: float) -> np.ndarray:
        """(D,) £ worth paying per patient and week sooner, down from the usual wait to none."""
        benefit = self.benefit(wtp) + self.price[:, None] * (self.typical - self.weeks)
        return (benefit[:, AT_ONCE] - benefit[:, USUAL]) / self.typical


def decisions(computed: Computed) -> dict[str, Decision]:
    """By condition."""
    typical, shared = computed.data.england.typical, computed.params.spread_weeks
    return {name: Decision(one, typical, shared) for name, one in computed.base.items()}


def compared(found: dict[str, Decision]) -> Table:
    """Mean costs and QALYs, dominance, ICERs, and how often each strategy is best."""
    rows, thresholds = [], []
    for condition, decision in found.items():
        thresholds = decision.one.thresholds
        sure = 100 * acceptability(decision.costs, decision.effects, thresholds).probability
        for row in incremental(decision.costs.mean(0), decision.effects.mean(0), decision.names):
            k = decision.names.index(row.name)
            rows.append(
                {"condition": f"{condition}, {decision.one.usual}", "strategy": row.name}
                | named("cost", spread(decision.costs[:, k], 0))
                | named("qaly", spread(decision.effects[:, k], 3))
                | {"dominance": row.status, "icer": _icer(row)}
                | {f"best_{t:.0f}": float(p[k]) for t, p in zip(thresholds, sure, strict=True)}
            )
    values = interval("cost", "NHS cash with the price, £") | interval("qaly", "QALYs", 3)
    values |= {"dominance": words("Dominance"), "icer": words("£ per QALY gained")}
    values |= {f"best_{t:.0f}": value(f"Best at £{t:,.0f}, %") for t in thresholds}
    keys = {"condition": "Patients", "strategy": "Therapy"}
    title = "When therapy starts: costs to the NHS and QALYs per patient"
    return Table(title, pl.DataFrame(rows), keys, values)


def _icer(row) -> str:
    if row.icer is None:
        return NO_ICER
    return f"{row.icer:,.0f} (against {row.compared_with})"


def plane(found: dict[str, Decision], seed: int) -> Table:
    """Some draws on the cost-effectiveness plane, against the usual wait."""
    rows = []
    for condition, decision in found.items():
        n = len(decision.costs)
        drawn = np.sort(rng(seed, "plane", condition).permutation(n)[:SHOWN])
        for k, name in enumerate(decision.names):
            if k == USUAL:
                continue
            cost = decision.costs[:, k] - decision.costs[:, USUAL]
            qaly = decision.effects[:, k] - decision.effects[:, USUAL]
            key = {"condition": condition, "strategy": name, "wtp": decision.one.thresholds[0]}
            rows += [
                key | {"draw": str(d), "cost": float(cost[d]), "qaly": float(qaly[d])}
                for d in drawn
            ]
            rows.append(
                key | {"draw": "mean", "cost": float(cost.mean()), "qaly": float(qaly.mean())}
            )
    values = {"cost": value("NHS cash with the price, £, more"), "qaly": value("QALYs, more", 4)}
    values |= {"wtp": value("£ per QALY")}
    keys = {"condition": "Condition", "strategy": "Therapy", "draw": "Draw"}
    title = "Differences from the usual wait, some draws"
    return Table(title, pl.DataFrame(rows), keys, values)


def curves(found: dict[str, Decision]) -> Table:
    """Acceptability of every strategy by £ per QALY (CEAC), the best on average marked (CEAF)."""
    rows = []
    for condition, decision in found.items():
        curve = decision.acceptability
        for w, wtp in enumerate(curve.wtps):
            for k, name in enumerate(decision.names):
                rows.append(
                    {"condition": condition, "wtp": float(wtp), "strategy": name}
                    | {"probability": 100 * float(curve.probability[w, k])}
                    | {"loss": float(curve.expected_loss[w, k])}
                    | {"best": "best" if k == curve.best[w] else ""}
                    | {"rule": "threshold" if wtp in decision.one.thresholds else ""}
                )
    values = {
        "probability": value("Best in % of draws"),
        "loss": value("Expected loss, £"),
        "best": words("Best on average"),
        "rule": words("Threshold"),
    }
    keys = {"condition": "Condition", "wtp": "£ per QALY", "strategy": "Therapy"}
    return Table("Which strategy is best, by £ per QALY", pl.DataFrame(rows), keys, values)


def worth(found: dict[str, Decision], patients: dict[str, int]) -> Table:
    """At every threshold: best strategy, value of perfect information, worth of a week sooner."""
    rows = []
    for condition, decision in found.items():
        curve = decision.acceptability
        for wtp in decision.one.thresholds:
            w = int(np.searchsorted(curve.wtps, wtp))
            sooner = decision.worth_sooner(wtp)
            rows.append(
                {"condition": condition, "wtp": f"£{wtp:,.0f}"}
                | {"best": decision.names[curve.best[w]]}
                | {"sure": 100 * float(curve.frontier[w]), "evpi": float(curve.evpi[w])}
                | {"all": float(curve.evpi[w]) * patients[condition] / 1e6}
                | named("sooner", spread(sooner, 0))
                | {"pays": 100 * float((sooner > decision.price).mean())}
            )
    values = {
        "best": words("Best on average"),
        "sure": value("Best in % of draws"),
        "evpi": value("EVPI per patient, £"),
        "all": value("EVPI of a year's courses, £ million"),
    }
    values |= interval("sooner", "Worth paying per patient and week sooner, £")
    values |= {"pays": value("Chance that it is above the price, %")}
    keys = {"condition": "Condition", "wtp": "£ per QALY"}
    title = "What is best, and what knowing everything would be worth"
    return Table(title, pl.DataFrame(rows), keys, values)
