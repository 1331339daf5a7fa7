"""The part of the audit that asks how a prediction model serves each group."""

from functools import partial

import numpy as np
import polars as pl
from scipy import stats

from iesoresearch.analyses.fairness import Params, model_words
from iesoresearch.analyses.fairness.data import Audited
from iesoresearch.analyses.fairness.judged import EVERYBODY, Judged
from iesoresearch.analyses.fairness.model_estimates import (
    METRICS,
    curves,
    intersections,
    performance,
    performance_gaps,
    sets,
    with_estimates,
)
from iesoresearch.analyses.fairness.model_tables import criteria, gaps, rates
from iesoresearch.analyses.fairness.predictions import of
from iesoresearch.disclosure import derived
from iesoresearch.errors import NotApplicable
from iesoresearch.results import Check, Number, Result, Table

TABLES = {
    "model_rates": lambda j: with_estimates(j, rates(j), {"auc": METRICS["auc"]}),
    "model_gaps": gaps,
    "model_performance": performance,
    "model_performance_gaps": performance_gaps,
    "model_calibration": curves,
    "model_sets": sets,
    "model_criteria": criteria,
    "model_intersections": intersections,
}
Z95 = float(stats.norm.ppf(0.975))


def judged(data: Audited, params: Params) -> Judged:
    """Predictions as they are audited.

    Raises
    ------
    NotApplicable
        Too few patients to make a model of.
    DataError
        A file of predictions that cannot be used.
    """
    return Judged(of(data, params), params, data.sensitivity, data.n_jobs)


def audit(data: Audited, params: Params) -> Result:
    """Discrimination, calibration and decisions of every group, and which criteria conflict.

    Raises
    ------
    DataError
        A file of predictions that cannot be used.
    """
    try:
        found = judged(data, params)
    except NotApplicable as error:
        return Result(not_applicable=dict.fromkeys([*TABLES, *model_words.FIGURES], str(error)))
    tables = {name: make(found) for name, make in TABLES.items()}
    return Result(
        tables=tables,
        numbers=_numbers(found) | _counts(found, tables),
        checks=_checks(found, tables),
        text=model_words.text(found),
        figures=model_words.FIGURES,
    )


def _numbers(found: Judged) -> dict[str, Number]:
    everybody = dict(zip(("grouping", "level"), EVERYBODY, strict=True))
    open_ = {"sensitivity": "open"}
    said = partial(model_words.contrast, wanted=found.params.mitigate)
    numbers = {
        "model_source": Number(model_words.plain(found.found.source), **open_),
        "model_threshold": Number(100 * found.params.threshold, unit="%", digits=0, **open_),
        "model_n": derived.number("model_performance", "n", **everybody),
        "model_contrast": Number(None, derive=said),
    }
    for end in ("", "_low", "_high"):
        numbers[f"model_auc{end}"] = derived.number("model_rates", f"auc{end}", **everybody)
    return numbers


def _counts(found: Judged, tables: dict[str, Table]) -> dict[str, Number]:
    """How many comparisons there were, and what came of them; no people are counted."""
    one, off = comparisons(found), miscalibrated(found)
    pairs = tables["model_intersections"].frame
    stand = pairs["finding"].drop_nulls().str.contains("higher|lower").sum()
    held = short_of_coverage(found)
    shown = {
        "model_comparisons": one[0],
        "model_apart": one[1],
        "model_by_chance": round(0.05 * one[0], 1),
        "model_stand": one[2],
        "model_calibrated": off[0],
        "model_off": off[1],
        "model_off_stand": off[2],
        "model_pairs": pairs.height,
        "model_pairs_stand": int(stand),
        "model_sets_groups": held[0],
        "model_sets_low": held[1],
        "model_sets_stand": held[2],
        "model_repeated": _repeated(found),
    }
    n = len(found.found.y)
    return {
        name: Number(value, n, digits=int(isinstance(value, float)), sensitivity=found.sensitivity)
        for name, value in shown.items()
    }


def comparisons(found: Judged) -> tuple[int, int, int]:
    """Gaps of rates, those that leave out 0 alone, and those that do when all hold together."""
    shown = found.decisions.differences().filter(pl.col("p").is_not_null())
    shown = shown.filter(
        pl.struct("grouping", "reference").map_elements(
            lambda r: found.references.get(r["grouping"]) == r["reference"], pl.Boolean
        )
    )
    return shown.height, int((shown["p"] < 0.05).sum()), int((shown["p_adjusted"] < 0.05).sum())


def miscalibrated(found: Judged) -> tuple[int, int, int]:
    """Groups, those off in the large at 95 %, and those off at Bonferroni's level of all groups."""
    estimates = [p["calibration_intercept"] for k, p in found.performances.items()
                 if k != EVERYBODY]  # fmt: skip
    value, low, high = np.array([(e.value, e.low, e.high) for e in estimates]).reshape(-1, 3).T
    alone, together = (
        int(((value - k * (value - low) > 0) | (value + k * (high - value) < 0)).sum())
        for k in (1.0, _wide(len(value)))
    )
    return len(value), alone, together


def short_of_coverage(found: Judged) -> tuple[int, int, int]:
    """Groups, those whose prediction sets hold the truth too seldom, and those at Bonferroni's."""
    sets_ = found.evaluation.conformal["marginal"]
    shown = [s.coverage for g, x, s in sets_.rows() if (g, x) in found.performances]
    wide = _wide(len(shown))
    alone, together = (
        sum(e.value + k * (e.high - e.value) < sets_.level for e in shown) for k in (1.0, wide)
    )
    return len(shown), alone, together


def _wide(comparisons: int) -> float:
    """How much wider intervals have to be to hold all at once, as normal ones (Bonferroni)."""
    return float(stats.norm.ppf(1 - 0.025 / max(comparisons, 1))) / Z95


def _repeated(found: Judged) -> float:
    """Referrals in 100 that are of patients with more than one."""
    if found.found.patient is None:
        return 0.0
    _, code, many = np.unique(found.found.patient, return_inverse=True, return_counts=True)
    return round(100 * float((many[code] > 1).mean()), 1)


def _checks(found: Judged, tables: dict[str, Table]) -> list[Check]:
    apart, off = comparisons(found)[2], miscalibrated(found)[2]
    groups, _, low = short_of_coverage(found)
    checks = [
        Check("claim: decisions differ between groups",
              "passed" if apart else "inconclusive", model_words.ALIKE),
        Check("claim: predictions are off in some group",
              "passed" if off else "inconclusive", model_words.RIGHT),
    ]  # fmt: skip
    if groups:
        status = "passed" if low else "inconclusive"
        name = "claim: prediction sets fall short in some group"
        checks.append(Check(name, status, model_words.HOLD))
    return checks
