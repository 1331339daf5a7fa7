"""Numbers of `cohort`: what sentences quote and `verify` compares."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import polars as pl

from iesoresearch.analyses.cohort import monitoring, outcomes
from iesoresearch.analyses.cohort.flow import KEPT
from iesoresearch.analyses.cohort.likeness import counted
from iesoresearch.analyses.cohort.missing_scores import BEST, CARRIED, COMPLETE, IMPUTED, WORST
from iesoresearch.analyses.cohort.people import Data
from iesoresearch.disclosure import derived
from iesoresearch.disclosure.release import UNSAID
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
    names = ("referrals", "seen", "started", "finished", "with_pairs", "cases")
    found |= {f"n_{name}": make.step(tables["flow"], step) for step, name in enumerate(names)}
    found["finished_share"] = make.told(_finished_share, tables, "%")
    if "outcome_rates" in tables:
        found |= _outcome_numbers(make, tables)
    if "sensitivity" in tables:
        found |= _sensitivity_numbers(make, tables)
    if "safety" in tables:
        asked = tables["safety"].frame["signal"].to_list()
        found |= {
            name: make.of_row(tables, "safety", signal=signal)
            for name, signal in _SIGNALS.items()
            if signal in asked
        }
    if "control_chart" in tables:
        chart = tables["control_chart"]
        found["n_periods"] = make.other(chart.frame.height)
        found["periods"] = make.other(f"{chart.keys['period'].lower()}s")
        found["n_outside"] = make.other(monitoring.outside(chart))
    if "likeness" in tables:
        found |= {name: make.other(n) for name, n in counted(tables["likeness"]).items()}
    if "differences" in tables:
        found |= _difference_numbers(make, tables["differences"])
    return found


#: A value, and the people it is of.
_Told = tuple[float | None, int | None]


class _Maker:
    """Numbers of one cohort, with the people that disclosure control has to know of."""

    def __init__(self, data: Data):
        self.sensitivity = data.sensitivity
        self.everybody = data.cohort.referrals.height

    def step(self, flow: Table, step: int) -> Number:
        """Who is kept at a step of the flow; known to the analysis as it is."""
        n = flow.frame.filter(step=step, box=KEPT)["n"].item()
        return derived.number("flow", "n", value=n, n=self.everybody, step=step, box=KEPT)

    def other(self, value, digits=0, n=None, unit="") -> Number:
        return Number(value, n or self.everybody, unit, digits, sensitivity=self.sensitivity)

    def of_row(self, tables: dict[str, Table], name: str, column="rate", **key) -> Number:
        """The rate in the row of a table that `key` names, in per cent."""
        rate = tables[name].frame.filter(**key)[column].item()
        value = None if rate is None else 100 * rate
        return derived.number(name, column, "%", digits=1, scale=100.0, value=value, **key)

    def told(self, tell: Callable, tables: dict[str, Table], unit: str) -> Number:
        """What a function says of tables, and of how many people: at release of released ones."""
        number = partial(_told, tell=tell, unit=unit, sensitivity=self.sensitivity)
        return replace(number(tables), derive=number)


def _told(tables: Mapping[str, Table], tell: Callable, unit: str, sensitivity) -> Number:
    value, n = tell(tables)
    if value is None:
        return Number(None, None, unit, 1, sensitivity=sensitivity, status=UNSAID)
    return Number(value, n, unit, 1, "rate" if unit == "%" else "model", sensitivity)


def _finished_share(tables: Mapping[str, Table]) -> _Told:
    steps = dict(tables["flow"].frame.filter(box=KEPT).select("step", "n").iter_rows())
    return _percent(steps[3], steps[0])


def _percent(inside: int | None, whole: int | None) -> _Told:
    return (100 * inside / whole if whole and inside is not None else None), whole


def _outcome_numbers(make: _Maker, tables: dict[str, Table]) -> dict[str, Number]:
    found = {}
    for name, (measure, rule) in _RATES.items():
        for end in ("", "_low", "_high"):
            found[name + end] = make.of_row(
                tables, "outcome_rates", f"rate{end}", measure=measure, rule=rule
            )
    for name, reason in (("known", outcomes.KNOWN), ("not_sourced", outcomes.UNSOURCED)):
        found[name] = make.of_row(tables, "unknown", "share", reason=reason)
    return found


def _sensitivity_numbers(make: _Maker, tables: dict[str, Table]) -> dict[str, Number]:
    """The rates, and how far the plausible ones lie apart; worst and best case are bounds."""
    rates = _rates(tables)
    found = {
        f"recovery_{name}": make.of_row(tables, "sensitivity", method=method)
        for name, method in _METHODS.items()
        if rates.get(method) is not None
    }
    found["without_last"] = make.told(_without_last, tables, "%")
    return found | {"moved": make.told(_moved, tables, "points")}


def _rates(tables: Mapping[str, Table]) -> dict[str, float | None]:
    return dict(tables["sensitivity"].frame.select("method", "rate").iter_rows())


def _without_last(tables: Mapping[str, Table]) -> _Told:
    row = tables["sensitivity"].frame.row(by_predicate=pl.col("method") == WORST, named=True)
    return _percent(row["without"], row["n"])


def _moved(tables: Mapping[str, Table]) -> _Told:
    """How far the plausible rates that are there lie apart."""
    rates = _rates(tables)
    plausible = [100 * rates[m] for m in (COMPLETE, CARRIED, IMPUTED) if rates.get(m) is not None]
    if len(plausible) < 2:
        return None, None
    return max(plausible) - min(plausible), tables["sensitivity"].frame["without"][0]


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
