"""What `recovery` says in numbers and checks. Sentences are filled after release."""

import math

import numpy as np

from iesoresearch.analyses.recovery.data import FEWEST_AT
from iesoresearch.analyses.recovery.fitted import BASELINE, Fitted
from iesoresearch.analyses.recovery.leakage import nothing_later
from iesoresearch.analyses.recovery.sensitivity import FINISHERS, IMPUTED
from iesoresearch.analyses.recovery.tables import OUTCOME_NAMES, landmark_name
from iesoresearch.models.evaluation.metrics import auc
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.results import Check, Number

LEAST_SLOPE = 0.9  # expected shrinkage that the sample size criteria ask for (Riley et al. 2020)


def numbers(fitted: Fitted) -> dict[str, Number]:
    """The numbers that sentences quote and `verify` compares."""
    at, params = fitted.detail, fitted.params
    found = {
        "n_referrals": _count(fitted, fitted.courses.cohort.referrals.height),
        "n_assessment": _count(fitted, fitted.courses.at[0].n),
        "n_detail": _count(fitted, at.n),
        "outcome": _model(fitted, OUTCOME_NAMES[fitted.outcome]),
        "detail": _model(fitted, landmark_name(params.detail)),
        "model": _model(fitted, MODELS[params.model]),
        "share": _model(fitted, 100 * float(np.nanmean(at.y(fitted.outcome))), 0, "%"),
        "share_last": _model(fitted, 100 * (1 - at.rows["later_score"].mean()), 0, "%"),
        "share_unscored": _model(
            fitted, 100 * (1 - fitted.courses.at[0].rows["second_score"].mean()), 0, "%"
        ),
        "n_refits": _model(fitted, params.n_refits),
        "n_parameters": _model(fitted, fitted.needed[params.detail].n_parameters),
        "n_needed": _model(fitted, fitted.needed[params.detail].n),
    }
    estimates = _estimates(fitted)
    for name, estimate in estimates.items():
        digits = DIGITS.get(name.split("_")[-1], 2)
        for end, value in zip(("", "_low", "_high"), _ends(estimate), strict=True):
            found[name + end] = _model(fitted, value, digits)
    return found | _scrutinised(fitted)


MODELS = {"logistic": "penalised logistic regression", "xgboost": "boosted trees (XGBoost)"}
DIGITS = {"gain": 1, "brier": 3}


def _estimates(fitted: Fitted) -> dict[str, Estimate]:
    """Estimates with intervals, by the name of their number."""
    detail, main = fitted.params.detail, fitted.params.model
    overall = fitted.main.evaluation.overall
    first = fitted.judged[0, main].evaluation.overall
    baseline = fitted.judged[detail, BASELINE].evaluation.overall
    return {
        "auc": overall["auc"],
        "slope": overall["calibration_slope"],
        "ici": overall["ici"],
        "scaled_brier": overall["scaled_brier"],
        "first_auc": first["auc"],
        "current_auc": baseline["auc"],
        "gain": fitted.gain(detail, main),
        "first_gain": fitted.gain(0, main),
    }


def _scrutinised(fitted: Fitted) -> dict[str, Number]:
    """What refits, services, time and missing scores say."""
    validation = fitted.validation
    found = {
        "corrected_auc": _model(fitted, validation.optimism.measures["auc"].corrected, 2),
        "corrected_slope": _model(fitted, validation.optimism.measures["slope"].corrected, 2),
        "moves": _model(fitted, 100 * validation.instability.mean_mape, 1, "points"),
        "flips": _model(fitted, 100 * float(validation.instability.flip_share[0]), 0, "%"),
    }
    if validation.services is not None:
        pooled = validation.services.pooled["auc"]
        ends = {"": "estimate", "_low": "low", "_high": "high"}
        ends |= {"_further_low": "predicted_low", "_further_high": "predicted_high"}
        found |= {
            f"services_auc{k}": _model(fitted, getattr(pooled, v), 2) for k, v in ends.items()
        }
        found["n_services"] = _model(fitted, pooled.k)
    for s, p in fitted.best.items():
        if s in (0, fitted.params.detail):
            value = auc(fitted.courses.at[s].y(fitted.outcome), p)
            found["best_auc" if s else "best_first_auc"] = _model(fitted, value, 2)
    for way in fitted.handled[0]:
        name = {IMPUTED: "imputed", FINISHERS: "finishers"}.get(way.way)
        if name and not way.reason:
            found[f"{name}_auc"] = _model(fitted, way.estimates["auc"].value, 2)
            found[f"{name}_oe"] = _model(fitted, way.estimates["observed_expected"].value, 2)
    if fitted.drift is not None:
        found["n_later"] = _count(fitted, fitted.temporal.n_after)
        later = fitted.temporal.estimates["auc"]
        for end, value in zip(("", "_low", "_high"), _ends(later), strict=True):
            found[f"later_auc{end}"] = _model(fitted, value, 2)
        found["n_alarms"] = _model(fitted, int(fitted.drift.alarm.sum()))
        found["n_quarters"] = _model(fitted, len(fitted.drift.period))
    return found


def _ends(estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high


def _model(fitted: Fitted, value, digits=0, unit="") -> Number:
    """A number about all referrals; what is not estimable has no value."""
    if isinstance(value, float) and not math.isfinite(value):
        value = None
    return Number(value, fitted.courses.at[0].n, unit, digits, "model", fitted.sensitivity)


def _count(fitted: Fitted, value: int) -> Number:
    return Number(int(value), int(value), "", 0, "count", fitted.sensitivity)


def checks(fitted: Fitted) -> list[Check]:
    """Questions the analysis asks of itself."""
    return [
        _leakage(fitted),
        _reached(fitted),
        _beyond(fitted),
        _calibrated(fitted),
        _enough(fitted),
        _optimism(fitted),
        _groups(fitted),
        _services(fitted),
        _time(fitted),
        _attainable(fitted),
    ]


def _leakage(fitted: Fitted) -> Check:
    name = "nothing later than the landmark is known"
    if nothing_later(fitted.courses, fitted.params.detail):
        sentence = "With everything after the landmark deleted, all predictors at {detail} are the "
        return Check(name, "passed", sentence + "same to the bit.")
    sentence = "With everything after the landmark deleted, predictors at {detail} change: they "
    return Check(name, "failed", sentence + "know the future.")


def _reached(fitted: Fitted) -> Check:
    name = "enough patients reach every landmark"
    missed = [landmark_name(s) for s in fitted.params.landmarks if s not in fitted.courses.marks]
    least = f"{FEWEST_AT} patients with the outcome and {FEWEST_AT} without"
    if missed:
        sentence = f"Not estimable, with fewer than {least}: {', '.join(missed)}. The others are "
        return Check(name, "failed", sentence + "reported.")
    return Check(name, "passed", f"All have at least {least}.")


def _beyond(fitted: Fitted) -> Check:
    name = "claim: more than the current score says"
    gain = fitted.gain(fitted.params.detail, fitted.params.model)
    status = "passed" if gain.low > 0 else "failed" if gain.high < 0 else "inconclusive"
    verdict = {
        "passed": "the model knows more",
        "failed": "the model knows less",
        "inconclusive": "that the model knows more is not shown",
    }[status]
    sentence = "At {detail} AUC {auc} ({auc_low} to {auc_high}) against {current_auc} of the "
    sentence += "current scores alone; gain in log-loss {gain} thousandths ({gain_low} to "
    return Check(name, status, sentence + "{gain_high}): " + verdict + ".")


def _calibrated(fitted: Fitted) -> Check:
    slope = fitted.main.evaluation.overall["calibration_slope"]
    inside = slope.low <= 1 <= slope.high
    sentence = "Calibration slope at {detail} {slope} (95 % {slope_low} to {slope_high}); 1 is "
    sentence += "right, below 1 predictions are too extreme. Mean distance from the calibration "
    return Check(
        "calibrated in services not seen", "passed" if inside else "failed",
        sentence + "curve (ICI) {ici}.",
    )  # fmt: skip


def _enough(fitted: Fitted) -> Check:
    enough = fitted.detail.n >= fitted.needed[fitted.params.detail].n
    sentence = "{n_parameters} candidate parameters ask for {n_needed} patients (Riley et al. "
    sentence += "2020); there are {n_detail} at {detail}."
    if not enough:
        sentence += " The penalty and the tuning make up for part of it."
    return Check("enough patients", "passed" if enough else "failed", sentence)


def _optimism(fitted: Fitted) -> Check:
    slope = fitted.validation.optimism.measures["slope"].corrected
    status = "passed" if slope >= LEAST_SLOPE else "failed"
    sentence = "After {n_refits} refits of the whole procedure AUC {corrected_auc} and slope "
    sentence += f"{{corrected_slope}} are left (at least {LEAST_SLOPE} is wanted); a prediction "
    return Check("little optimism", status, sentence + "moves by {moves} on average.")


def _groups(fitted: Fitted) -> Check:
    """Groups whose observed and expected outcomes differ, allowing for there being many."""
    levels = [(g, lv, p) for g, lvs in fitted.by_group.groups.items() for lv, p in lvs.items()]
    judged = [(g, lv, p["observed_expected"]) for g, lv, p in levels]
    judged = [(g, lv, e) for g, lv, e in judged if math.isfinite(e.low)]
    off = [f"{g} {lv}" for g, lv, e in judged if not e.low <= 1 <= e.high]
    allowed = max(1, math.ceil(0.05 * len(judged)))
    status = "passed" if len(off) <= allowed else "failed"
    names = ": " + ", ".join(off) if off else ""
    sentence = f"In {len(off)} of {len(judged)} groups the 95 % interval of observed over expected "
    return Check("calibrated in every group", status,
                 sentence + f"leaves out 1 (by chance up to {allowed}){names}.")  # fmt: skip


def _services(fitted: Fitted) -> Check:
    name = "holds from service to service"
    found = fitted.validation.services
    if found is None:
        return Check(name, "not applicable", "There is one service only.")
    low = found.pooled["auc"].predicted_low
    if not math.isfinite(low):
        return Check(name, "inconclusive", "Too few services have enough patients to pool.")
    sentence = "Left out in turn, {n_services} services have an average AUC of {services_auc} "
    sentence += "({services_auc_low} to {services_auc_high}); a further one may expect "
    sentence += "{services_auc_further_low} to {services_auc_further_high}."
    return Check(name, "passed" if low > 0.5 else "failed", sentence)


def _time(fitted: Fitted) -> Check:
    name = "holds over time"
    if fitted.drift is None:
        return Check(name, "not applicable", "Too few courses ended before others to learn from.")
    alarm = fitted.drift.more.alarm.any() or fitted.drift.fewer.alarm.any()
    alarm = bool(alarm or fitted.drift.alarm.any())
    sentence = "A model of earlier courses has AUC {later_auc} ({later_auc_low} to "
    sentence += "{later_auc_high}) in {n_later} later ones; {n_alarms} of {n_quarters} quarters "
    sentence += "lie beyond the limits of the control chart"
    sentence += ", or its running sum does." if alarm else "."
    return Check(name, "failed" if alarm else "passed", sentence)


def _attainable(fitted: Fitted) -> Check:
    name = "below the best attainable"
    if not fitted.best:
        return Check(name, "not applicable", "What could be attained is known of drawn data only.")
    value = auc(fitted.detail.y(fitted.outcome), fitted.best[fitted.params.detail])
    below = fitted.main.evaluation.overall["auc"].value <= value
    sentence = "Who knew the true state and response of every patient would reach AUC {best_auc} "
    sentence += "at {detail} ({best_first_auc} at the assessment); a model that beats that has "
    return Check(name, "passed" if below else "failed", sentence + "seen the outcome.")
