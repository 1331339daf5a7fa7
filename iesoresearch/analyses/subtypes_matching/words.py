"""Numbers, checks and sentences of `subtypes_matching`. Sentences are filled after release."""

import numpy as np
from scipy import stats

from iesoresearch.analyses.subtypes_matching.fitted import LEVEL, MARGIN, Fitted
from iesoresearch.analyses.subtypes_matching.tables import imbalance, true_effects, true_values
from iesoresearch.models import heterogeneity
from iesoresearch.results import Check, FigureSpec, Number

MOST_CLIPPED = 0.05  # share of patients whose propensity may be clipped
BALANCED = 0.1  # SD, the customary limit of a standardised difference
RECOVERED = 0.01  # p value below which estimated effects contradict the planted ones

FIGURES = {
    "effects": FigureSpec(
        table="effects",
        title="Does response differ by subtype?",
        caption="Difference of the last PHQ-9 total, {second_therapy} minus {first_therapy}, with "
        "95 % intervals, by subtype at the first session, n = {n_patients} patients. Left of zero: "
        "fewer points after {second_therapy}. Hollow diamonds: planted effects, where known.",
    ),
    "calibration": FigureSpec(
        table="calibration",
        title="Do the predicted advantages hold?",
        caption="Patients in fifths by the difference predicted for them from other patients; the "
        "difference found in each fifth, with 95 % intervals, n = {n_predicted} patients. On the "
        "line predictions are right; a flat row of points says they are worth nothing.",
    ),
    "rules": FigureSpec(
        table="rules",
        title="What rules of treatment are worth",
        caption="Estimated mean last PHQ-9 total under each rule, with 95 % intervals, "
        "n = {n_predicted} patients; lower is better. No rule was made on the patients on whom it "
        "is valued. Hollow diamonds: true values, where known.",
    ),
}

_TESTED = "{p}; effects from {{least_effect}} to {{greatest_effect}} points. "
_VERDICTS = {
    "response differs by subtype": ("passed", "Response differs by subtype."),
    "no difference found": (
        "failed",
        f"No difference found: no two subtypes differ by {MARGIN} points or more.",
    ),
    "inconclusive": (
        "inconclusive",
        f"A claim needs p of at most {LEVEL}; to rule a difference out, all intervals of "
        f"differences between subtypes would have to end before {MARGIN} points.",
    ),
}


def numbers(fitted: Fitted) -> dict[str, Number]:
    """The numbers that sentences quote and `verify` compares."""
    patients = fitted.patients

    def number(value, digits=0, unit="", kind="model", level=None):
        return Number(value, patients.n, unit, digits, kind, patients.sensitivity, level=level)

    def propensity(level):
        return number(float(np.quantile(fitted.scores.propensity, level)), 2, "", "quantile", level)

    given = np.bincount(patients.treatment, minlength=2)
    before, after = imbalance(fitted)
    first, second = patients.therapies
    result = {
        "n_patients": number(patients.n, kind="count"),
        "first_therapy": number(first),
        "second_therapy": number(second),
        "n_first": number(int(given[0]), kind="count"),
        "n_second": number(int(given[1]), kind="count"),
        "n_left_out": number(sum(patients.left_out.values()), kind="count"),
        "n_predicted": number(len(fitted.rules.chosen), kind="count"),
        "n_subtypes": number(fitted.k),
        "verdict": number(fitted.verdict),
        "verdict_beyond": number(fitted.verdict_beyond),
        "p_subtypes": number(float(fitted.adjusted[0]), 3),
        "p_beyond": number(float(fitted.adjusted[1]), 3),
        "least_effect": number(float(fitted.effects.estimate.min()), 1),
        "greatest_effect": number(float(fitted.effects.estimate.max()), 1),
        "unadjusted": number(fitted.unadjusted, 1, "points"),
        "slope": number(float(fitted.calibration.slope.estimate[0]), 2),
        "share_clipped": number(100 * fitted.scores.share_clipped, 1, "%"),
        "low_propensity": propensity(0.01),
        "high_propensity": propensity(0.99),
        "imbalance": number(float(np.nanmax(np.abs(before))), 2, "SD"),
        "weighted_imbalance": number(float(np.nanmax(np.abs(after))), 2, "SD"),
        "share_second": number(100 * float(fitted.rules.chosen.mean()), 0, "%"),
    }
    for name, fit, unit in (
        ("overall", fitted.overall, "points"),
        ("saved", fitted.rules.saved["single"], "points"),
        ("saved_usual", fitted.rules.saved["usual"], "points"),
    ):
        low, high = fit.interval()
        result[name] = number(float(fit.estimate[0]), 2, unit)
        result[f"{name}_low"] = number(float(low[0]), 2)
        result[f"{name}_high"] = number(float(high[0]), 2)
    low, high = fitted.calibration.slope.interval()
    result |= {"slope_low": number(float(low[0]), 2), "slope_high": number(float(high[0]), 2)}
    for name, value in zip(("e_value", "e_value_limit"), e_values(fitted), strict=True):
        result[name] = number(value, 2)
    return result | {name: number(v, 2, "points") for name, v in _truths(fitted).items()}


def e_values(fitted: Fitted) -> tuple[float, float]:
    """E-values of the clearest subtype's effect and of its confidence limit nearer to zero."""
    g, sd = fitted.clearest, float(fitted.patients.outcome.std(ddof=1))
    estimate = float(fitted.effects.estimate[g])
    nearest = max(abs(estimate) - heterogeneity.Z95 * float(fitted.effects.error[g]), 0.0)
    return heterogeneity.e_value(estimate, sd), heterogeneity.e_value(nearest, sd)


def _truths(fitted: Fitted) -> dict[str, float]:
    """What is true of simulated patients."""
    if fitted.patients.truth is None:
        return {}
    values = true_values(fitted)
    single, best = (
        min(values["first"], values["second"]),
        fitted.patients.truth.expected.min(axis=1),
    )
    return {
        "true_overall": true_effects(fitted)[1],
        "true_saved": single - values["personal"],
        "possible": single - float(best[fitted.scores.predicted].mean()),
    }


def checks(fitted: Fitted) -> list[Check]:
    """Questions the analysis asks of itself."""
    found = numbers(fitted)
    return [
        _by_subtype(fitted),
        _beyond(fitted),
        Check(
            "the therapies overlap",
            "passed" if fitted.scores.share_clipped <= MOST_CLIPPED else "failed",
            "For 98 % of patients the estimated chance of {second_therapy} lies between "
            "{low_propensity} and {high_propensity}; {share_clipped} were clipped to "
            f"{heterogeneity.CLIP[0]} or {heterogeneity.CLIP[1]} (at most {MOST_CLIPPED:.0%}).",
        ),
        Check(
            "weighting balances what was known",
            "passed" if found["weighted_imbalance"].value < BALANCED else "failed",
            "The largest standardised difference falls from {imbalance} to {weighted_imbalance} "
            f"(below {BALANCED} SD is wanted).",
        ),
        _calibrated(fitted),
        _worth(fitted),
        Check(
            "EM converged",
            "passed" if fitted.model.converged_ else "failed",
            "The model of {n_subtypes} subtypes converged."
            if fitted.model.converged_
            else "The model of {n_subtypes} subtypes did not converge.",
        ),
        _recovery(fitted),
    ]


def _p(value: float, name: str) -> str:
    """An adjusted p value in words; none is shown as zero."""
    return "Adjusted p below 0.001" if value < 0.001 else f"Adjusted p = {{{name}}}"


def _by_subtype(fitted: Fitted) -> Check:
    status, sentence = _VERDICTS[fitted.verdict]
    tested = _TESTED.format(p=_p(fitted.adjusted[0], "p_subtypes"))
    return Check("claim: response differs by subtype", status, tested + sentence)


def _beyond(fitted: Fitted) -> Check:
    name, p = "claim: response differs beyond the subtype", _p(fitted.adjusted[1], "p_beyond")
    if fitted.adjusted[1] <= LEVEL:
        return Check(name, "passed", f"{p}. Other things known at the start make a difference.")
    sentence = f"{p}. Nothing was found, which does not show that there is nothing."
    return Check(name, "inconclusive", sentence)


def _calibrated(fitted: Fitted) -> Check:
    name = "predicted advantages are calibrated"
    if not fitted.anything_found:
        return Check(name, "not applicable", "No difference in response was found to predict.")
    low, high = (float(x[0]) for x in fitted.calibration.slope.interval())
    status = "failed" if not low <= 1 <= high else "passed" if low > 0 else "inconclusive"
    sentence = "Slope of the effects found on those predicted: {slope} (95 % {slope_low} to "
    return Check(name, status, sentence + "{slope_high}); 1 is right, 0 says nothing.")


def _worth(fitted: Fitted) -> Check:
    name = "claim: choosing by prediction beats one therapy for everybody"
    if not fitted.anything_found:
        return Check(name, "not applicable", "No difference in response was found to choose by.")
    low, high = (float(x[0]) for x in fitted.rules.saved["single"].interval())
    status = "passed" if low > 0 else "failed" if high < 0 else "inconclusive"
    sentence = "It saves {saved} of the mean last total (95 % {saved_low} to {saved_high})."
    if high < MARGIN:
        sentence += f" On average that is less than the {MARGIN} points that patients notice."
    if fitted.patients.truth is not None:
        sentence += (
            " By the planted effects it saves {true_saved}; the best possible is {possible}."
        )
    return Check(name, status, sentence)


def _recovery(fitted: Fitted) -> Check:
    name = "planted effects recovered"
    if fitted.patients.truth is None:
        return Check(name, "not applicable", "The true effects on real patients are not known.")
    off = (fitted.effects.estimate - true_effects(fitted)[0]) / fitted.effects.error
    p = float(stats.chi2.sf((off**2).sum(), fitted.k))
    return Check(
        name,
        "passed" if p >= RECOVERED else "failed",
        "Over all patients {overall} (95 % {overall_low} to {overall_high}) where {true_overall} "
        "were planted; the plain comparison says {unadjusted}. The effects by subtype "
        + ("agree with" if p >= RECOVERED else "contradict")
        + " the planted ones.",
    )


def text(fitted: Fitted) -> dict[str, str]:
    """Plain-language summary, how to read the results, and what they cannot say."""
    plain = [
        "{n_patients} patients were given {second_therapy} ({n_second}) or {first_therapy} "
        "({n_first}). Who had which was not left to chance: plainly compared, last totals differ "
        "by {unadjusted}, adjusted for what was known at the start by {overall} (95 % "
        "{overall_low} to {overall_high}; below zero favours {second_therapy}).",
        _WHO[fitted.patients.sensitivity],
        _PLAIN[fitted.verdict],
        _PLAIN[fitted.verdict_beyond],
        _worth_in_words(fitted),
    ]
    return {
        "plain": " ".join(sentence for sentence in plain if sentence),
        "reading": "Effects are differences of the last PHQ-9 total in points. Subtypes are "
        "classes of the answers at the first session and differ in severity as well as in kind: a "
        "difference between them can come from either. A patient belongs to the most likely one. "
        "Each patient's score comes from models fitted to other patients. Predictions, and rules "
        "made of them, come from earlier parts of the data and are judged on later ones "
        "({n_predicted} patients): a rule made from all of them would be somewhat better. Two "
        "hypotheses are tested, with p values adjusted for two (Holm), and a claim needs "
        f"{LEVEL}, half of the usual level, because the tests hold theirs only in large samples. "
        "What rules are worth is claimed only if one of the tests found a difference.",
        "limits": " ".join([*_LIMITS, *_SOURCE_LIMITS[fitted.patients.sensitivity]]),
    }


def _worth_in_words(fitted: Fitted) -> str:
    if not fitted.anything_found:
        return (
            "So these data give no ground for choosing between the two by what is known of a "
            "patient at the start."
        )
    return (
        "Giving each patient the therapy predicted to be better ({share_second} would have "
        "{second_therapy}) is estimated to lower the mean last total by {saved} (95 % {saved_low} "
        "to {saved_high}) against the better single therapy for everybody, and by {saved_usual} "
        "({saved_usual_low} to {saved_usual_high}) against what was given."
    )


_WHO = {
    "synthetic": "They were drawn by a program, so what is true of them is known.",
    "patient": "{n_left_out} other patients could not be compared.",
}

_PLAIN = {
    "response differs by subtype": "Which therapy goes with the lower total differs by subtype.",
    "no difference found": "No difference between subtypes was found, and none of a size that "
    "patients would notice is left open.",
    "inconclusive": "Whether response differs by subtype stays open: no difference was found, but "
    "one that patients would notice is not ruled out.",
    "response differs beyond the subtype": "Other things known at the start make a further "
    "difference.",
    "nothing found beyond the subtype": "Beyond the subtype nothing was found.",
}

_LIMITS = (
    "This is an observational comparison: all of it rests on the assumption that nothing "
    "unmeasured moved both the choice of therapy and the outcome, which no data can show. To "
    "explain away the effect in the subtype where it is clearest, an unmeasured cause would need a "
    "risk ratio of {e_value} with both, and of {e_value_limit} to move its interval to zero "
    "(E-values; 1 would be nothing).",
    "The last total is that of the last session attended, so leaving early is part of the outcome.",
    "The effect model is linear in what is known at the start: a difference of another shape may "
    "be missed.",
    "A rule that does well here would need a trial before anybody is treated by it.",
)

_SOURCE_LIMITS = {
    "synthetic": [
        "SIMULATED: the effects were planted, and all that moved the choice of therapy was "
        "measured. Finding them shows that the method works and says nothing about patients."
    ],
    "patient": [
        "Patients who never gave a score after the therapy had begun are left out; if that depends "
        "on the therapy and on how they did, the comparison is off."
    ],
}
