"""Sentences and captions of the model audit and of mitigation."""

from collections.abc import Mapping

import polars as pl

from iesoresearch.analyses.fairness.judged import EVERYBODY, FEWEST, STEP, Judged
from iesoresearch.data.groups import NOT_RECORDED
from iesoresearch.models.group_metrics import conflict
from iesoresearch.results import FigureSpec, Number, Table

FIGURES = {
    "model_rates": FigureSpec(
        "model_rates",
        "Decisions and discrimination by group",
        "Of all who did not reach the outcome, how many are flagged (TPR); of all who did (FPR); "
        "of all flagged, how many did not reach it (PPV); and AUC; with 95 % intervals. Behind "
        "each name the number who did not reach the outcome, and who did. Dashed: everybody. "
        "Groups that are suppressed are left out.",
    ),
    "model_calibration": FigureSpec(
        "model_calibration",
        "Calibration by group",
        "Share that did not reach the outcome where a risk was predicted, smoothed, with pointwise "
        "95 % bands; on the diagonal predictions are right. In brackets: referrals, and of these "
        "not reached. Above the diagonal the model is too hopeful. Of more than six groups the "
        "largest are drawn.",
    ),
}

ALIKE = (
    "Of {model_comparisons} gaps in TPR, FPR and PPV between groups, {model_apart} are apart from "
    "zero when each is looked at alone; about {model_by_chance} would be by chance. When all are "
    "to hold together, {model_stand} are. Not shown to differ is not shown to be equal."
)
RIGHT = (
    "In {model_off} of {model_calibrated} groups calibration in the large is off at 95 %, and in "
    "{model_off_stand} when all groups are to hold together."
)
HOLD = (
    "In {model_sets_low} of {model_sets_groups} groups prediction sets hold the truth less often "
    "than in 90 of 100, at 95 %, and in {model_sets_stand} when all groups are to hold together. "
    "They promise it on average over everybody, in a group they do not."
)


def mitigation(found: Judged) -> dict[str, str]:
    """How to read it, and what it cannot say, of mitigation."""
    limits = _MITIGATION_LIMITS
    if abs(found.threshold - 0.5) > 0.05:
        limits += " " + _OTHER_THRESHOLD
    return {"reading": _MITIGATION_READING, "limits": limits}


_MITIGATION_READING = (
    "Rules: one threshold for all; a new intercept and slope of the risk in each group; "
    "thresholds of each group, so that equal shares are flagged, equal shares of those who do "
    "not reach the outcome, or both TPR and FPR are equal (Hardt, Price & Srebro 2016); and "
    "regressions reweighted until they are (Agarwal et al. 2018). Each is fitted on half of the "
    "patients and judged on the other half, patients kept whole. Gap, in whole points: of the "
    "two groups named, which are the ends where groups have an order, else those furthest apart "
    "in the half fitted on; below 0 where it has turned round. Change: of the size of that gap, "
    "below 0 where it became narrower. Widest: largest minus smallest of all groups compared. "
    "Chance alone makes it {mitigation_chance} points in TPR on average, and up to "
    "{mitigation_chance_high} in 39 of 40 audits, were groups all alike; it is "
    "{mitigation_widest} with one threshold for all. Net benefit gained is in true positives per "
    "100 patients, false alarms taken off at the odds of the threshold; below 0 is a loss."
)
_MITIGATION_LIMITS = (
    "All rules but the first have to know the group of a patient to decide, which may be "
    "unlawful, unwanted or not recorded; who is in a group too small for a rule is left out of "
    "the comparison. Where a rule draws lots, two patients alike in all that is known may be "
    "decided differently. Rules learn gaps of the half they are fitted on: with few patients in "
    "a group they chase noise and make gaps that were not there."
)
_OTHER_THRESHOLD = (
    "Thresholds by group are chosen for the most right decisions, misses and false alarms alike, "
    "not for the working threshold: part of what they cost is this choice."
)


def text(found: Judged) -> dict[str, str]:
    """By heading."""
    what = (
        f"A model predicts who will not reach {plain(found.found.predicted)} ({{model_source}}; "
        "{model_n} referrals, AUC {model_auc}, 95 % "
        "interval {model_auc_low} to {model_auc_high}). Whoever has a chance of {model_threshold} "
        "or less is flagged, so that more can be offered. {model_contrast}"
    )
    limits = _LIMITS
    if found.found.patient is None:
        limits += " " + _NOBODY_KNOWN
    if found.found.left_out:
        named = "; ".join(f"{name} ({why})" for name, why in found.found.left_out.items())
        limits += f" Not audited here: {plain(named)}."
    return {"plain": what, "reading": _READING, "limits": limits}


def plain(words: str) -> str:
    """Words that come from data, without what a template would take for a number."""
    return words.replace("{", "").replace("}", "")


def contrast(tables: Mapping[str, Table], wanted: str) -> Number:
    """Why rates cannot all be equal, in numbers of the released tables; of those with all shown.

    Of the grouping `wanted`, else of another, the two groups whose prevalences are furthest apart.
    """
    table = tables["model_criteria"]
    rows = table.frame.drop_nulls(["prevalence", "fpr", "ppv"]).filter(
        pl.col("level") != NOT_RECORDED, pl.col("grouping") != EVERYBODY[0]
    )
    rows = rows.join(tables["model_rates"].frame.select("grouping", "level", "tpr"),
                     on=["grouping", "level"], maintain_order="left")  # fmt: skip
    kind = {"sensitivity": table.values["prevalence"].sensitivity}
    groupings = sorted(rows["grouping"].unique(maintain_order=True), key=lambda g: g != wanted)
    for grouping in groupings:
        pair = rows.filter(grouping=grouping).sort("prevalence", "level", descending=True)
        shares = pair.select("prevalence", "tpr", "fpr").to_numpy().T[:, [0, -1]] / 100
        if pair.height > 1 and ((shares > 0) & (shares < 1)).all():
            names = [pair["level"][0], pair["level"][-1]]
            return Number(_contrast(*shares, names), **kind)
    return Number(_NO_CONTRAST, **kind)


def _contrast(prevalence, tpr, fpr, names: list[str]) -> str:
    found = conflict(prevalence, tpr, fpr, names, names[1])
    (p, q), (t, u), (f, g), (v, w) = (
        [f"{100 * x:.0f}" for x in found[name]] for name in ("prevalence", "tpr", "fpr", "ppv")
    )
    needed = 100 * found["fpr_needed"][0]
    return (
        f"Of 100 patients in the group “{names[0]}” {p} do not reach it; of 100 in “{names[1]}” "
        f"{q}. Of 100 who do not, {t} and {u} are flagged; of 100 who do, {f} and {g} are flagged "
        f"although they do reach it; of 100 flagged, {v} and {w} indeed do not reach it. As the "
        "outcome is not equally common, these rates cannot all be equal (Chouldechova 2017, "
        "doi:10.1089/big.2016.0047): with TPR and PPV as in the second group, the first would have "
        f"an FPR of {needed:.0f} %. Which of them ought to be equal is a question of values that "
        "no number here answers."
    )


_NO_CONTRAST = (
    "Too much of the groups is suppressed to say in numbers which rates cannot be equal together; "
    "where the outcome is not equally common, TPR, FPR and PPV cannot all be (Chouldechova 2017, "
    "doi:10.1089/big.2016.0047)."
)
_READING = (
    "TPR: of those who do not reach the outcome, how many are flagged; FPR: of those who reach it; "
    "PPV: of those flagged, how many do not reach it. Calibration in the large is 0 where as many "
    "do not reach it as predicted, above 0 where more; the slope is 1 where risks are as far apart "
    "as predicted. Gaps are a group minus its reference group. Rates and their gaps are computed "
    "from the counts shown, which are rounded. “All comparisons together” says which gaps of rates "
    "stand when none of them is to be wrong by chance in 95 of 100 audits: patients are resampled "
    "whole, and intervals are widened until they hold all at once (max-t). Groups with fewer than "
    f"{FEWEST} with, or without, the outcome are not estimable by themselves. Net benefit and how "
    "often prediction sets hold the truth are computed from the counts shown as well. "
    f"Intersections of two groupings are told without counts, in steps of {STEP} %, where at "
    f"least {FEWEST} are in each of four: flagged or not, with or without the outcome. "
    "{model_pairs} are large enough, and in {model_pairs_stand} of them a rate stands out."
)
_LIMITS = (
    "Groups are judged by the outcome as it is recorded: where questionnaires work otherwise in a "
    "group, or last scores are missing more often, model and audit are wrong together, and equal "
    "rates would not show it (the audit of measurement, fairness_measurement, asks this). Those "
    "who were never referred, or not at risk at the landmark, are not in it. Numbers are those of "
    "these predictions: another model, or the same after a change of the service, has others. "
    "Intervals of rates take referrals for independent; {model_repeated} of 100 are of patients "
    "with several."
)
_NOBODY_KNOWN = (
    "The file does not say which rows are of one patient, so each counts as a patient; where some "
    "have several, intervals are too narrow."
)
