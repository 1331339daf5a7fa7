"""What `recovery` says in numbers and checks. Sentences are filled after release."""

import math

from scipy import stats

from iesoresearch.analyses.recovery.data import FEWEST_AT
from iesoresearch.analyses.recovery.fitted import BASELINE, Fitted
from iesoresearch.analyses.recovery.leakage import nothing_later
from iesoresearch.analyses.recovery.sensitivity import FINISHERS, IMPUTED
from iesoresearch.analyses.recovery.tables import (
    LANDMARK_LAST,
    NO_SECOND,
    OUTCOME_NAMES,
    landmark_name,
)
from iesoresearch.analyses.recovery.times import YEARS
from iesoresearch.data import shifted
from iesoresearch.disclosure import derived
from iesoresearch.models.evaluation.metrics import auc
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.results import Check, Number

#: About the shrinkage of 0.9 that the sample size criteria ask for (Riley et al. 2020), both ways.
SLOPE_MARGIN = 0.1
WIDEST = 0.4  # interval of the calibration slope, from which on it says nothing
IN_GROUP = 20  # patients with, and without, the outcome for a group to be judged; our choice
MOST_OFF = (0.8, 1.25)  # observed over expected that a further service may have; our choice


def numbers(fitted: Fitted) -> dict[str, Number]:
    """The numbers that sentences quote and `verify` compares."""
    at, params = fitted.detail, fitted.params
    found = {
        "n_referrals": _count(fitted, fitted.courses.cohort.referrals.height),
        "n_assessment": _at_risk(fitted, 0),
        "n_detail": _at_risk(fitted, params.detail),
        "outcome": _model(fitted, OUTCOME_NAMES[fitted.outcome]),
        "detail": _model(fitted, landmark_name(params.detail)),
        "model": _model(fitted, MODELS[params.model]),
        "share": _share(fitted, params.detail, OUTCOME_NAMES[fitted.outcome]),
        "share_last": _share(fitted, params.detail, LANDMARK_LAST),
        "share_unscored": _share(fitted, 0, NO_SECOND),
        "left_out": _model(fitted, "patients" if at.service is None else "services"),
        "open": _model(fitted, 100 * _open(fitted), 0, "%"),
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
        pooled = validation.services.pooled["observed_expected"]
        for end in ("low", "high"):
            value = getattr(pooled, f"predicted_{end}")
            found[f"services_oe_further_{end}"] = _model(fitted, value, 2)
    for name, s in (("best_auc", fitted.params.detail), ("best_first_auc", 0)):
        if fitted.best:
            value = auc(fitted.courses.at[s].y(fitted.outcome), fitted.best[s])
            found[name] = _model(fitted, value, 2)
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
        periods = "n_years" if fitted.days_shifted else "n_quarters"
        found[periods] = _model(fitted, len(fitted.drift.period))
    return found


def _ends(estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high


def _share(fitted: Fitted, landmark: int, outcome: str) -> Number:
    """Share of referrals, as its table shows it."""
    n = fitted.courses.at[landmark].n
    keys = {"landmark": landmark_name(landmark), "outcome": outcome}
    return derived.number("outcomes", "share", "%", digits=0, scale=100.0, n=n, **keys)


def _at_risk(fitted: Fitted, landmark: int) -> Number:
    n = fitted.courses.at[landmark].n
    return derived.number("sample_size", "n", value=n, n=n, landmark=landmark_name(landmark))


def _open(fitted: Fitted) -> float:
    """Share of prediction sets that hold both outcomes."""
    found = fitted.main.evaluation.conformal["marginal"].overall
    return math.nan if found is None else found.undecided


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
    sentence = "With all later appointments and scores, and what is recorded at the end, deleted, "
    knowing = [s for s in fitted.courses.marks if not nothing_later(fitted.courses, s)]
    if knowing:
        where = ", ".join(map(landmark_name, knowing))
        return Check(name, "failed", f"{sentence}predictors change at: {where}. They know it.")
    sentence += "all predictors at all landmarks are the same to the bit. Whether a field of the "
    sentence += "start was overwritten later, only the site can say."
    return Check(name, "passed", sentence)


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
    inside = "passed" if slope.low <= 1 <= slope.high else "failed"
    if not slope.high - slope.low < WIDEST:  # nor where it is not estimable
        inside = "inconclusive"
    sentence = "Calibration slope at {detail} {slope} (95 % {slope_low} to {slope_high}); 1 is "
    sentence += "right, below 1 predictions are too extreme. Mean distance from the calibration "
    return Check(
        "calibrated in data not fitted to", inside,
        sentence + "curve (ICI) {ici}.",
    )  # fmt: skip


def _enough(fitted: Fitted) -> Check:
    enough = fitted.detail.n >= fitted.needed[fitted.params.detail].n
    sentence = "{n_parameters} candidate parameters ask for {n_needed} patients at {detail} (Riley "
    sentence += "et al. 2020); there are {n_detail} referrals. The count is of the logistic "
    sentence += "regression: trees need more, and no formula says how many."
    if not enough:
        sentence += " Penalties do not make up for too few."
    return Check("enough patients", "passed" if enough else "failed", sentence)


def _optimism(fitted: Fitted) -> Check:
    slope = fitted.validation.optimism.measures["slope"].corrected
    status = "passed" if abs(slope - 1) <= SLOPE_MARGIN else "failed"
    status = status if math.isfinite(slope) else "inconclusive"
    sentence = "After {n_refits} refits of the whole procedure AUC {corrected_auc} and slope "
    sentence += f"{{corrected_slope}} are left (from {1 - SLOPE_MARGIN:g} to {1 + SLOPE_MARGIN:g} "
    sentence += "is wanted; above it predictions are too timid); a prediction moves by {moves} on "
    return Check("calibrated when corrected for optimism", status, sentence + "average.")


def _groups(fitted: Fitted) -> Check:
    """Groups whose observed and expected outcomes differ, allowing for there being many.

    Groups are not named: the check is made before release.
    """
    levels = [p for level in fitted.by_group.groups.values() for p in level.values()]
    judged = [p["observed_expected"] for p in levels if min(p.events, p.n - p.events) >= IN_GROUP]
    judged = [e for e in judged if math.isfinite(e.low)]
    name = "no group is shown to be off"
    if not judged:
        sentence = f"No group has {IN_GROUP} patients with the outcome and as many without."
        return Check(name, "inconclusive", sentence)
    off = sum(not e.low <= 1 <= e.high for e in judged)
    allowed = int(stats.binom.ppf(0.95, len(judged), 0.05))
    sentence = f"In {off} of {len(judged)} groups of enough patients the 95 % interval of observed "
    sentence += f"over expected leaves out 1 (by chance up to {allowed}). Groups that are "
    sentence += "predictors, all but ethnicity, are right on average by construction."
    return Check(name, "passed" if off <= allowed else "failed", sentence)


def _services(fitted: Fitted) -> Check:
    name = "holds from service to service"
    found = fitted.validation.services
    if found is None:
        return Check(name, "not applicable", "There is one service only.")
    low = found.pooled["auc"].predicted_low
    expected = found.pooled["observed_expected"]
    if not math.isfinite(low):
        return Check(name, "inconclusive", "Too few services have enough patients to pool.")
    sentence = "Left out in turn, {n_services} services have an average AUC of {services_auc} "
    sentence += "({services_auc_low} to {services_auc_high}); the true one of a further service "
    sentence += "may lie between {services_auc_further_low} and {services_auc_further_high}, its "
    sentence += "observed over expected between {services_oe_further_low} and "
    sentence += f"{{services_oe_further_high}} ({MOST_OFF[0]:g} to {MOST_OFF[1]:g} is wanted)."
    ends = (expected.predicted_low, expected.predicted_high)
    holds = low > 0.5 and MOST_OFF[0] <= ends[0] and ends[1] <= MOST_OFF[1]
    return Check(name, "passed" if holds else "failed", sentence)


def _time(fitted: Fitted) -> Check:
    name = "no alarm over time"
    if fitted.drift is None:
        return Check(name, "not applicable", no_time(fitted))
    found = fitted.drift
    alarm = bool(found.alarm.any())
    sentence = "A model of earlier courses has AUC {later_auc} ({later_auc_low} to "
    sentence += "{later_auc_high}) in {n_later} later ones; {n_alarms} of "
    if fitted.days_shifted:  # within a year nobody comes first, so there is no running sum
        sentence += "{n_years} financial years lie beyond the limits of the control chart."
    else:
        alarm = bool(alarm or found.more.alarm.any() or found.fewer.alarm.any())
        sentence += "{n_quarters} quarters lie beyond the limits of the control chart"
        sentence += ", or its running sum does." if alarm else "."
    return Check(name, "failed" if alarm else "passed", sentence)


def no_time(fitted: Fitted) -> str:
    """Why there is no model of earlier courses, where there is none."""
    if fitted.split is None:
        return shifted.reason(fitted.days_shifted, *YEARS)
    return "Too few courses ended before others to learn from them."


def _attainable(fitted: Fitted) -> Check:
    name = "below the best attainable"
    if not fitted.best:
        return Check(name, "not applicable", "What could be attained is known of drawn data only.")
    value = auc(fitted.detail.y(fitted.outcome), fitted.best[fitted.params.detail])
    below = fitted.main.evaluation.overall["auc"].low <= value
    sentence = "Who knew the true state and response of every patient would reach about AUC "
    sentence += "{best_auc} at {detail} ({best_first_auc} at the assessment); a model that surely "
    return Check(name, "passed" if below else "failed", sentence + "beats that knows the outcome.")
