"""Strategies: when therapy starts, at an explicit price of bringing it forward."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from iesoresearch.analyses.waiting import Params
from iesoresearch.analyses.waiting.computed import Computed, Waiting
from iesoresearch.analyses.waiting.declared import interval, named, spread, value, words
from iesoresearch.analyses.waiting.perspectives import (
    CASH,
    HEALTH,
    STANDARD,
    YEAR,
    Perspective,
    verdict,
)
from iesoresearch.analyses.waiting.sentence import headline
from iesoresearch.models.decision import Acceptability, acceptability, evpi, incremental
from iesoresearch.results import Table
from iesoresearch.seeds import rng

GRID = np.arange(0.0, 50_001.0, 2_500.0)  # £ per QALY
SHOWN = 250  # draws on the plane
AT_ONCE, USUAL = 0, 1  # columns
NO_ICER = "none"
SPREADS = (26.0, 52.0, 104.0, 208.0)  # weeks of referrals that may share the price


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

    def against_usual(self, k: int) -> str:
        """Cost per QALY of strategy `k` over the usual wait, in words where that is no price."""
        cost, qaly = (float((x[:, k] - x[:, USUAL]).mean()) for x in (self.costs, self.effects))
        if k == USUAL:
            return "–"
        if cost * qaly <= 0:
            return "dearer and worse" if cost > 0 else "cheaper and better"
        ratio = f"£{cost / qaly:,.0f} per QALY"
        return f"{ratio} {'gained' if qaly > 0 else 'given up'}"

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

    def pair(self, parts: tuple[str, ...] = (CASH, HEALTH)) -> np.ndarray:
        """(D, 2) net benefit of at once and of the usual wait, £, at the first threshold.

        Parameters
        ----------
        parts
            What is counted; with work, the view of society.
        """
        total = Perspective(parts, self.one.thresholds[0]).total(
            self.one.outcome, self.one.instrument, self.weeks[[AT_ONCE, USUAL]]
        )
        return -total[:, self.one.place] - self.price[:, None] * [self.typical, 0]

    def worth_sooner(self, wtp: float, parts: tuple[str, ...] = (CASH, HEALTH)) -> np.ndarray:
        """(D,) £ worth paying per patient and week sooner, down from the usual wait to none."""
        cost = self.one.by_week(Perspective(parts, wtp))
        return cost[:, self.one.place, self.typical] / self.typical


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
                | {"against_usual": decision.against_usual(k)}
                | {f"best_{t:.0f}": float(p[k]) for t, p in zip(thresholds, sure, strict=True)}
            )
    values = interval("cost", "NHS cash with the price, £") | interval("qaly", "QALYs", 3)
    values |= {"dominance": words("Dominance"), "icer": words("£ per QALY gained")}
    values |= {"against_usual": words("Against the usual wait")}
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


def worth(found: dict[str, Decision], patients: dict[str, int], one_service: bool) -> Table:
    """At every threshold: best strategy, value of perfect information, worth of a week sooner.

    No sum over England where the draws are those of one service: what it would learn of itself is
    not to be multiplied by the patients of all.
    """
    rows = []
    for condition, decision in found.items():
        curve = decision.acceptability
        for wtp in decision.one.thresholds:
            w = int(np.searchsorted(curve.wtps, wtp))
            sooner = decision.worth_sooner(wtp)
            known = evpi(decision.benefit(wtp)[:, [AT_ONCE, USUAL]])
            rows.append(
                {"condition": condition, "wtp": f"£{wtp:,.0f}"}
                | {"best": decision.names[curve.best[w]]}
                | {"sure": 100 * float(curve.frontier[w]), "evpi": float(curve.evpi[w])}
                | {"pair": known}
                | ({} if one_service else {"all": known * patients[condition] / 1e6})
                | named("sooner", spread(sooner, 0))
                | {"pays": 100 * float((sooner > decision.price).mean())}
            )
    values = {
        "best": words("Best on average"),
        "sure": value("Best in % of draws"),
        "evpi": value("EVPI per patient, all five, £"),
        "pair": value("EVPI per patient, at once or the usual wait, £", 1),
    }
    if not one_service:
        values |= {"all": value("… of a year's courses, £ million", 1)}
    values |= interval("sooner", "Worth paying per patient and week sooner, £")
    values |= {"pays": value("Chance that it is above the price, %")}
    keys = {"condition": "Condition", "wtp": "£ per QALY"}
    title = "What is best, and what knowing everything would be worth"
    return Table(title, pl.DataFrame(rows), keys, values)


def removing(found: dict[str, Decision], params: Params) -> Table:
    """Whether a week of waiting costs more than its removal, whatever a course costs.

    A week is removed from a list by a week's courses more, once. Shared by the referrals of
    `spread_weeks`, a patient's part of it is the price; the spread at which price and worth are
    even is the time for which the shorter wait must last.
    """
    rows = []
    spreads = sorted({*SPREADS, params.spread_weeks})
    for condition, decision in found.items():
        one, wtp = decision.one, decision.one.thresholds[0]
        course = one.course[:, one.place]
        for perspective in headline(one):
            sooner = decision.worth_sooner(wtp, perspective.parts)
            chance = {n: float((sooner > course / n).mean()) for n in spreads}
            even = course.mean() / sooner.mean() if sooner.mean() > 0 else np.inf
            rows.append(
                {"condition": f"{condition}, {one.usual}", "perspective": perspective.name}
                | named("sooner", spread(sooner, 0))
                | {"price": float(decision.price.mean())}
                | {"pays": 100 * chance[params.spread_weeks]}
                | {"verdict": verdict(chance[params.spread_weeks], params)}
                | {"even": f"{even:,.0f}" if even < np.inf else "never"}
                | {f"at_{n:g}": 100 * chance[n] for n in spreads if n != params.spread_weeks}
            )
    values = interval("sooner", "Cost of a week of waiting, £")
    values |= {
        "price": value("Price of removing it, £"),
        "pays": value("Chance that waiting costs more, %"),
        "verdict": words("“Waiting costs more than its removal”"),
        "even": words("Even if the price is shared by the referrals of so many weeks"),
    }
    values |= {
        f"at_{n:g}": value(f"Chance, %: shared over {n:g} weeks")
        for n in spreads
        if n != params.spread_weeks
    }
    keys = {"condition": "Patients", "perspective": "What is counted"}
    title = (
        "Another comparison: a week of waiting against the price of removing it, shared over "
        f"{params.spread_weeks:g} weeks of referrals"
    )
    return Table(title, pl.DataFrame(rows), keys, values)
