"""Numbers and checks of `recovery_transfer`. Sentences are filled after release."""

import math
from dataclasses import replace

from iesoresearch.analyses.recovery.tables import OUTCOME_NAMES, landmark_name
from iesoresearch.analyses.recovery_transfer.fitted import FEWEST, SHIPPED, UPDATED, YEAR, Fitted
from iesoresearch.analyses.recovery_transfer.refusal import refuses
from iesoresearch.data import shifted
from iesoresearch.models.drift import FALSE_ALARMS
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.models.updating import AS_IS, PER_PARAMETER
from iesoresearch.results import Check, Number

#: AUC that may be lost on the way without the model failing to tell patients apart; the project's.
AUC_TOLERATED = 0.05
DIGITS = {"gained": 1, "over_own": 1, "intercept": 3, "new_slope": 3}
UPDATE = ("intercept", "new_slope")  # estimated together


def numbers(fitted: Fitted) -> dict[str, Number]:
    """The numbers that sentences quote and `verify` compares."""
    params, site = fitted.params, fitted.site
    found = {
        "n_referrals": _count(fitted, site.cohort.referrals.height),
        "n_at_risk": _count(fitted, site.at.n),
        "n_predicted": _count(fitted, len(fitted.y)),
        "n_patients": _count(fitted, int(fitted.first.sum())),
        "outcome": _model(fitted, OUTCOME_NAMES[params.outcome]),
        "landmark": _model(fitted, landmark_name(params.landmark)),
        "share": _model(fitted, 100 * float(fitted.y.mean()), 0, "%"),
        "n_draws": _model(fitted, params.n_draws),
        "enough": _model(fitted, fitted.enough),
    }
    if fitted.outside:
        found["n_refused"] = _count(fitted, site.at.n - len(fitted.y))
    for name, estimate in estimates(fitted).items():
        for end, value in (("", estimate.value), ("_low", estimate.low), ("_high", estimate.high)):
            number = _model(fitted, value, DIGITS.get(name, 2))
            found[name + end] = (
                replace(number, parameters=len(UPDATE)) if name in UPDATE else number
            )
    if fitted.update is not None:
        found["n_learnt"] = _count(fitted, fitted.update.n)
        found["n_judged"] = _count(fitted, len(fitted.judging))
        found["update"] = _model(fitted, fitted.update.method)
    for name, drift in fitted.drift.items() if not fitted.days_shifted else ():
        for way, cusum in (("more", drift.more), ("fewer", drift.fewer)):
            first = drift.period[int(cusum.alarm.argmax())] if cusum.alarm.any() else "never"
            found[f"{name.split()[-1]}_{way}"] = _model(fitted, str(first))
    return found


def estimates(fitted: Fitted) -> dict[str, Estimate]:
    """Estimates with intervals, by the name of their number."""
    overall = fitted.shipped.overall
    found = {
        "made_auc": _made(fitted, "auc"),
        "auc": overall["auc"],
        "scaled_brier": overall["scaled_brier"],
        "observed_expected": overall["observed_expected"],
        "slope": overall["calibration_slope"],
        "ici": overall["ici"],
    }
    if fitted.update is not None:
        done, after = fitted.update, fitted.after.overall
        found |= {
            "intercept": Estimate(done.intercept, done.intercept_low, done.intercept_high),
            "new_slope": Estimate(done.slope, done.slope_low, done.slope_high),
            "before_observed_expected": fitted.before.overall["observed_expected"],
            "before_ici": fitted.before.overall["ici"],
            "after_observed_expected": after["observed_expected"],
            "after_slope": after["calibration_slope"],
            "after_ici": after["ici"],
            "gained": fitted.gained,
        }
        if fitted.own is not None:
            found |= {"own_auc": fitted.own_judged.overall["auc"], "over_own": fitted.over_own}
    return found


def _made(fitted: Fitted, name: str) -> Estimate:
    """What the model's file says of how good it is where it was made."""
    said = fitted.site.model.performance
    ends = (said.get(name + end) for end in ("", "_low", "_high"))
    return Estimate(*(float(v) if isinstance(v, int | float) else math.nan for v in ends))


def _model(fitted: Fitted, value, digits=0, unit="") -> Number:
    """A number about all who are predicted; what is not estimable has no value."""
    if isinstance(value, float) and not math.isfinite(value):
        value = None
    return Number(value, len(fitted.y), unit, digits, "model", fitted.sensitivity)


def _count(fitted: Fitted, value: int) -> Number:
    return Number(int(value), int(value), "", 0, "count", fitted.sensitivity)


def checks(fitted: Fitted) -> list[Check]:
    """Questions the analysis asks of itself."""
    return [
        _refusal(fitted),
        _recorded(fitted),
        _order(fitted),
        _holds(fitted),
        _gain(fitted),
        _right_after(fitted),
        _few(fitted),
        _no_own(fitted),
        _time(fitted),
    ]


def covers(estimate: Estimate, value: float) -> bool | None:
    """Whether an interval holds a value; None where there is no interval."""
    if not math.isfinite(estimate.low):
        return None
    return estimate.low <= value <= estimate.high


def right(overall) -> bool | None:
    """Whether level and spread of predictions may be right; None where neither can be said."""
    held = [covers(overall[m], 1) for m in ("observed_expected", "calibration_slope")]
    return None if None in held else all(held)


STATUS = {True: "passed", False: "failed", None: "inconclusive"}
ONE_SIDED = "Too few patients with, or without, the outcome are there to tell."
FEW_TO_UPDATE = (
    f"An update needs {2 * PER_PARAMETER} patients with, and as many without, the outcome among "
    "those it is learnt from. There are fewer, so the model stays as it is."
)


def _refusal(fitted: Fitted) -> Check:
    said = {
        True: "What is outside its schema is refused, what is inside is predicted: ",
        False: "Something outside its schema is predicted, or something inside is not: ",
    }
    fine = refuses(fitted.site.model)
    sentence = said[fine] + "made-up patients with a value out of range, with a category that is "
    sentence += "not known, without a column, and for another outcome and landmark. Here it "
    sentence += "refuses {n_refused} referrals." if fitted.outside else "refuses nobody."
    return Check("the model refuses what it does not know", STATUS[fine], sentence)


def _recorded(fitted: Fitted) -> Check:
    name = "every predictor is recorded here"
    if not fitted.absent:
        return Check(name, "passed", "Each is recorded for somebody.")
    sentence = f"Recorded for nobody: {'; '.join(fitted.absent)}. The model takes them for missing "
    return Check(name, "failed", sentence + "for everybody, which it was not made for.")


def _order(fitted: Fitted) -> Check:
    name = "claim: patients are told apart as well as where the model was made"
    made, here = _made(fitted, "auc").value, fitted.shipped.overall["auc"]
    if not math.isfinite(made):
        return Check(name, "not applicable", "The model’s file does not say how good it was there.")
    if not math.isfinite(here.low):
        return Check(name, "inconclusive", ONE_SIDED)
    least = made - AUC_TOLERATED
    status = "passed" if here.low >= least else "failed" if here.high < least else "inconclusive"
    sentence = "AUC {auc} here ({auc_low} to {auc_high}), {made_auc} where it was made; up to "
    return Check(name, status, sentence + f"{AUC_TOLERATED:g} may be lost.")


def _holds(fitted: Fitted) -> Check:
    name, held = "predicted chances are right as shipped", right(fitted.shipped.overall)
    if held is None:
        return Check(name, "inconclusive", ONE_SIDED)
    sentence = "Observed over expected {observed_expected} ({observed_expected_low} to "
    sentence += "{observed_expected_high}), calibration slope {slope} ({slope_low} to "
    return Check(name, STATUS[held], sentence + "{slope_high}); both should be 1. ICI {ici}.")


def _gain(fitted: Fitted) -> Check:
    name = "claim: better after the update"
    if fitted.update is None:
        return Check(name, "not applicable", FEW_TO_UPDATE)
    if fitted.update.method == AS_IS:
        return Check(name, "not applicable", "The closed test asks for no update.")
    gain = fitted.gained
    status = "passed" if gain.low > 0 else "failed" if gain.high < 0 else "inconclusive"
    sentence = "Learnt from {n_learnt} patients and judged on {n_judged} referrals of others, a "
    sentence += "new {update} gains {gained} thousandths of log-loss ({gained_low} to "
    return Check(name, status, sentence + "{gained_high}).")


def _right_after(fitted: Fitted) -> Check:
    name = "predicted chances are right after the update"
    if fitted.update is None:
        return Check(name, "not applicable", FEW_TO_UPDATE)
    if fitted.update.warning:
        sentence = (
            "The new slope is not above zero ({new_slope}): the model does not rank patients "
        )
        return Check(name, "failed", sentence + "here. A new model is needed.")
    held = right(fitted.after.overall)
    if held is None:
        return Check(name, "inconclusive", ONE_SIDED)
    sentence = "In those not learnt from: observed over expected {after_observed_expected} "
    sentence += "({after_observed_expected_low} to {after_observed_expected_high}), before "
    sentence += "{before_observed_expected}; slope {after_slope} ({after_slope_low} to "
    return Check(name, STATUS[held], sentence + "{after_slope_high}); ICI {after_ici}, before "
                 "{before_ici}.")  # fmt: skip


def _few(fitted: Fitted) -> Check:
    name = "few local patients suffice to update"
    if not fitted.few:
        return Check(name, "not applicable", "There are too few patients to draw from.")
    most = max(one.size for one in fitted.few)
    if fitted.update is not None and fitted.update.method == AS_IS:
        return Check(name, "not applicable", "There is nothing to update.")
    if fitted.enough is None:
        sentence = f"With up to {most:,} local patients the closed test did not do good in 97.5 % "
        return Check(name, "failed", sentence + "of the draws.")
    sentence = "With {enough} local patients the closed test does good in at least 97.5 % of "
    return Check(name, "passed", sentence + "{n_draws} draws.")


def _no_own(fitted: Fitted) -> Check:
    name = "claim: an updated model serves better than one made here"
    if fitted.own is None or fitted.update is None:
        sentence = f"A model of this site needs at least {FEWEST} patients with and without the "
        return Check(name, "not applicable", sentence + "outcome to learn from.")
    gain = fitted.over_own
    status = "passed" if gain.low > 0 else "failed" if gain.high < 0 else "inconclusive"
    sentence = "The updated model gains {over_own} thousandths of log-loss ({over_own_low} to "
    sentence += "{over_own_high}) over a new one of the same {n_learnt} patients, whose AUC is "
    return Check(name, status, sentence + "{own_auc}; below zero it would do worse.")


def _time(fitted: Fitted) -> Check:
    name = "holds over time"
    if not fitted.drift:
        return Check(name, "not applicable", no_time(fitted))
    if fitted.days_shifted:
        return _by_year(name, fitted)
    which = UPDATED if UPDATED in fitted.drift else SHIPPED
    found = fitted.drift[which]
    alarm = bool(found.alarm.any() or found.more.alarm.any() or found.fewer.alarm.any())
    sentence = "First alarm of the running sum as shipped: for more {shipped_more}, for fewer "
    sentence += "{shipped_fewer}"
    if which == UPDATED:
        sentence += "; once updated: for more {updated_more}, for fewer {updated_fewer}"
    if found.alarm.any():
        sentence += "; a quarter lies beyond the limits of the control chart"
    chance = 100 * (found.chance_of_alarm + 2 * FALSE_ALARMS)
    sentence += f". A model that is right raises an alarm in up to {chance:.0f} % of such series."
    return Check(name, "failed" if alarm else "passed", sentence)


def _by_year(name: str, fitted: Fitted) -> Check:
    """Without running sums: within a year nobody comes first."""
    found = [f"{which}: {'yes' if d.alarm.any() else 'no'}" for which, d in fitted.drift.items()]
    last = list(fitted.drift.values())[-1]  # updated, if there is an update
    sentence = "Does a financial year lie beyond the limits of the control chart? "
    sentence += f"{'; '.join(found).capitalize()}. A model that is right raises an alarm in up to "
    sentence += f"{100 * last.chance_of_alarm:.0f} % of such series."
    return Check(name, "failed" if last.alarm.any() else "passed", sentence)


def no_time(fitted: Fitted) -> str:
    """Why nothing is told of the course of time, where it is not."""
    if not fitted.days_shifted:
        return "All predictions were made in one quarter of a year."
    if fitted.period.count():
        return "All referrals predicted are of one financial year."
    return shifted.reason(fitted.days_shifted, YEAR)
