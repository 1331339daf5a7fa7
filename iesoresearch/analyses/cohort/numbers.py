"""Numbers of `cohort`: what sentences quote and `verify` compares."""

import polars as pl

from iesoresearch.analyses.cohort import monitoring, outcomes
from iesoresearch.analyses.cohort.likeness import counted
from iesoresearch.analyses.cohort.missing_scores import BEST, CARRIED, COMPLETE, IMPUTED, WORST
from iesoresearch.analyses.cohort.people import Data
from iesoresearch.results import Number, Table

LARGE_DIFFERENCE = 0.1  # standardised; often called negligible below

#: Number -> measure and rule of the table of outcomes.
_RATES = {
    "at_caseness": ("at caseness", outcomes.OFFICIAL),
    "recovery": ("recovery", outcomes.OFFICIAL),
    "reliable_recovery": ("reliable recovery", outcomes.OFFICIAL),
    "improvement": ("reliable improvement", outcomes.OFFICIAL),
    "deterioration": ("reliable deterioration", outcomes.OFFICIAL),
    "fallback_recovery": ("recovery", outcomes.STAND_IN),
    "paired": ("paired scores", outcomes.OFFICIAL),
    "within_6": ("first treatment within 6 weeks", outcomes.OFFICIAL),
    "within_18": ("first treatment within 18 weeks", outcomes.OFFICIAL),
}
_METHODS = {
    "complete": COMPLETE,
    "carried": CARRIED,
    "imputed": IMPUTED,
    "worst": WORST,
    "best": BEST,
}
_SIGNALS = {
    "self_harm_first": "self-harm thoughts, first answer",
    "self_harm_last": "self-harm thoughts, last answer",
    "self_harm_new": "new: none at first, some at last",
}


def numbers(data: Data, tables: dict[str, Table]) -> dict[str, Number]:
    """All of them, by name; those of records only where there are records."""
    found = _published_numbers(data)
    if data.cohort is None:
        return found
    make = _Maker(data)
    steps = tables["flow"].frame.filter(box="kept")["n"].to_list()
    names = ("referrals", "seen", "started", "finished", "with_pairs", "cases")
    found |= {f"n_{name}": make.count(n) for name, n in zip(names, steps, strict=True)}
    found["finished_share"] = make.share(steps[3], steps[0])
    if "outcome_rates" in tables:
        found |= _outcome_numbers(make, tables)
    if "sensitivity" in tables:
        found |= _sensitivity_numbers(make, tables["sensitivity"])
    if "safety" in tables:
        asked = tables["safety"].frame["signal"].to_list()
        found |= {
            name: make.of_row(tables["safety"], "n", signal=signal)
            for name, signal in _SIGNALS.items()
            if signal in asked
        }
    if "control_chart" in tables:
        chart = tables["control_chart"]
        found["n_periods"] = make.other(chart.frame.height)
        found["periods"] = make.other("months" if chart.keys["period"] == "Month" else "quarters")
        found["n_outside"] = make.other(monitoring.outside(chart))
    if "likeness" in tables:
        found |= {name: make.other(n) for name, n in counted(tables["likeness"]).items()}
    if "differences" in tables:
        found |= _difference_numbers(make, tables["differences"])
    return found


class _Maker:
    """Numbers of one cohort, with the people that disclosure control has to know of."""

    def __init__(self, data: Data):
        self.sensitivity = data.sensitivity
        self.everybody = data.cohort.referrals.height

    def count(self, n) -> Number:
        return Number(int(n), self.everybody, kind="count", sensitivity=self.sensitivity)

    def other(self, value, digits=0, n=None, unit="") -> Number:
        return Number(value, n or self.everybody, unit, digits, sensitivity=self.sensitivity)

    def share(self, numerator, denominator) -> Number:
        """A percentage; the smaller of those in and out of the numerator stand behind it."""
        behind = int(min(numerator, denominator - numerator))
        value = 100 * numerator / denominator if denominator else None
        return Number(value, behind, "%", 1, "rate", self.sensitivity)

    def of_row(self, table: Table, whole: str, few: str | None = None, **key) -> Number:
        """The rate in the row of a table that `key` names; a small count in `few` hides it."""
        row = table.frame.filter(**key).row(0, named=True)
        if row["rate"] is None:
            return Number(None, None, "%", 1, "rate", self.sensitivity)
        inside = round(row["rate"] * row[whole])
        behind = min(inside, row[whole] - inside, row[few] if few else inside)
        return Number(100 * row["rate"], behind, "%", 1, "rate", self.sensitivity)

    def ends(self, name: str, table: Table, behind: Number, **key) -> dict[str, Number]:
        """Both ends of the interval in that row, hidden where the rate is."""
        row = table.frame.filter(**key).row(0, named=True)
        return {
            f"{name}_{end}": Number(
                None if row[f"rate_{end}"] is None else 100 * row[f"rate_{end}"],
                behind.n, "%", 1, "rate", self.sensitivity,
            )
            for end in ("low", "high")
        }  # fmt: skip


def _outcome_numbers(make: _Maker, tables: dict[str, Table]) -> dict[str, Number]:
    table = tables["outcome_rates"]
    found = {}
    for name, (measure, rule) in _RATES.items():
        key = {"measure": measure, "rule": rule}
        found[name] = make.of_row(table, "denominator", "added", **key)
        found |= make.ends(name, table, found[name], **key)
    reasons = dict(tables["unknown"].frame.select("reason", "n").iter_rows())
    total = sum(reasons.values())
    found["known"] = make.share(reasons.get("outcome known", 0), total)
    found["not_sourced"] = make.share(reasons.get("threshold not sourced", 0), total)
    return found


def _sensitivity_numbers(make: _Maker, table: Table) -> dict[str, Number]:
    """The rates, and how far the plausible ones lie apart; worst and best case are bounds."""
    rates = dict(table.frame.select("method", "rate").iter_rows())
    without, n = int(table.frame["without"][0]), int(table.frame["n"].max())
    found = {
        f"recovery_{name}": make.of_row(table, "n", "without", method=method)
        for name, method in _METHODS.items()
        if rates.get(method) is not None
    }
    found["without_last"] = make.share(without, n)
    plausible = [x for x in (rates.get(m) for m in (COMPLETE, CARRIED, IMPUTED)) if x is not None]
    apart = 100 * (max(plausible) - min(plausible))
    found["moved"] = Number(apart, without, "points", 1, sensitivity=make.sensitivity)
    return found


def _difference_numbers(make: _Maker, table: Table) -> dict[str, Number]:
    largest = table.frame.sort("difference", nulls_last=False).row(-1, named=True)
    large = table.frame.filter(pl.col("difference") > LARGE_DIFFERENCE).height
    return {
        "largest_difference": make.other(largest["difference"], 2, largest["n"], "SD"),
        "most_different": make.other(largest["characteristic"]),
        "n_different": make.other(large),
        "n_compared": make.other(table.frame.height),
    }


def _published_numbers(data: Data) -> dict[str, Number]:
    published = data.published

    def number(value, digits=0, unit=""):
        return Number(value, None, unit, digits, sensitivity="open")

    def percent(value):
        return number(None if value is None else 100 * value, 1, "%")

    reproduced = published.reproduced()
    found = {
        "published_year": number(published.year),
        "published_first_year": number(published.years[0]),
        "published_last_year": number(published.years[-1]),
        "published_finished": number(published.count("finished")),
        "cells": number(reproduced.height),
        "worst_cell": number(reproduced["apart"].max(), 2, "points"),
    }
    for measure in ("recovery", "reliable recovery", "reliable improvement"):
        name = measure.replace(" ", "_")
        found[f"published_{name}"] = percent(published.rate(measure))
        found[f"published_{name}_first"] = percent(published.rate(measure, published.years[0]))
    deprived = published.by_deprivation().frame.filter(measure="reliable recovery")
    found["deprivation_period"] = number(deprived["period"][0])
    courses = published.courses_by_decile()
    if courses is not None:
        found["deprivation_courses"] = number(courses)
    for name, decile in (("most", 1), ("least", 10)):
        row = deprived.filter(decile=decile)["rate"]
        found[f"published_{name}_deprived"] = percent(row.item() if len(row) else None)
    return found
