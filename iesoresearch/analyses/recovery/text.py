"""What `recovery` says in words: summary, reading, limits, and the parts of the model card."""

from iesoresearch.analyses.recovery.fitted import Fitted

_PLAIN = (
    "At the assessment {n_assessment} referrals of patients at caseness are at risk, at {detail} "
    "{n_detail}; {share} of these reach {outcome} in the end. With what is known at {detail}, "
    "{model} tells those who will from those who will not with an AUC of {auc} (95 % {auc_low} to "
    "{auc_high}; 0.5 is chance). At the assessment it is {first_auc}.",
    "The current PHQ-9 and GAD-7 alone reach {current_auc} at {detail}.",
)
_GAIN = {
    1: "The model knows more than they do.",
    0: "That the model knows more than they do is not shown.",
    -1: "The model does worse than they do.",
}
_BEST = (
    "Even who knew the true state and response of every patient would reach only about {best_auc} "
    "at {detail} and {best_first_auc} at the assessment: the rest has not happened yet."
)
_READING = (
    "Each prediction is made at a landmark from what is known by then, by a model that was tuned "
    "and fitted without it: {left_out} are left out in turn. The outcome is the "
    "official rule at the last score of the referral; who never has a second score counts as not "
    "recovered ({share_unscored} of those at the assessment), because to look at finishers only "
    "would choose people by their future. At {detail} the last score is the one of the landmark in "
    "{share_last} of referrals: there, predictor and outcome are the same score.",
    "Asked for sets of outcomes that are right nine times in ten, the model leaves {open} open at "
    "{detail}. AUC says whether patients are put in the right order, the calibration slope and "
    "ICI whether predicted chances are right, net benefit whether acting on them could do more "
    "good than harm.",
)
_IMPUTED = (
    "If those without a last score fared like those with one who had the same scores, age, "
    "deprivation and prediction – which those who leave hardly do –, {imputed_oe} times as many "
    "would recover as predicted, with an AUC of {imputed_auc}; among those with two or more "
    "treatments {finishers_oe} times as many do, with {finishers_auc}."
)
_LIMITS = (
    "Predictions are of what happens under the care that is given today. They do not say what "
    "would happen under other care, or that acting on them helps: that takes a trial.",
    "Who is referred, seen, and at caseness was decided before; for others nothing is known.",
    "Referrals that are still open are left out, which leaves out long courses begun late.",
    "Optimism and instability rest on {n_refits} refits, so their own intervals are rough. "
    "Intervals of AUC and gain take the fitted models and the services as given.",
)
_SOURCE = {
    "synthetic": "SIMULATED: the cohort was drawn, so the numbers show that the method works and "
    "say nothing about patients. How predictable recovery is was decided by whoever set the "
    "parameters.",
    "patient": "Missing scores and codes are used as the site recorded them.",
}

_CARD = {
    "intended_use": "To estimate, for an adult in talking therapy who started at caseness, the "
    "chance of {outcome} at the end of treatment, predicted at {detail}, as one of several things "
    "that a therapist and a supervisor look at when they review a course.",
    "not_for": "Not to refuse, end, shorten or ration anybody’s care; not for people below "
    "caseness, for children, or for problems whose outcome rule is not known; not at "
    "another time than {detail}; not to compare therapists or services.",
    "users": "Researchers who study such models. No clinical use before it was evaluated at the "
    "site, in the way of the last section.",
    "outcome": "{outcome}, by the rules of NHS Talking Therapies, at the last score of the "
    "referral; without a second score it counts as not reached. {share} of referrals at {detail} "
    "reach it.",
    "predictors": "Scores at the start, now, and in between; age, gender, deprivation, problem, "
    "source of referral, employment, medication, long-term condition and disability as recorded at "
    "the start; waits, missed appointments, missing forms, how patient and therapist meet, and the "
    "therapy so far. Not used: ethnicity, sexual orientation, anything recorded at the end, which "
    "therapist or service it is.",
    "methods": "{model}, tuned and judged in nested cross-validation with {left_out} left out; "
    "missing numbers are imputed by the median with an indicator (logistic regression) or take a "
    "branch of their own (trees), unknown categories count as none; "
    "optimism and instability by {n_refits} refits of the whole procedure; other services by "
    "internal-external validation",
    "fairness": "Performance and calibration are shown by gender, age, ethnic group, deprivation "
    "and long-term condition. Ethnicity and orientation are no predictors, which does not make a "
    "model fair: other predictors carry part of them.",
    "inputs": "It refuses a table without one of its columns, or for another landmark or outcome. "
    "A patient with a value out of range or a category that it does not know gets no prediction, "
    "with the reason. Missing values are allowed: the model was fitted with them.",
    "modifiable": "Symptom scores can change, and changing them is what therapy is for; age, "
    "deprivation or the problem cannot. Waits, missed appointments and the therapy describe care. "
    "For none of them does the model say what changing it would do.",
    "next_steps": "Evaluation on the site’s own patients, recalibration where it is off, an audit "
    "of fairness, agreement with people who have lived through therapy on what a flag may lead to, "
    "and a trial of whether acting on predictions helps.",
}
_DATA = {
    "synthetic": "A drawn cohort of {n_referrals} referrals, calibrated to published figures of "
    "NHS Talking Therapies. No patient stands behind it.",
    "patient": "{n_referrals} referrals of the site; {n_assessment} at risk at the assessment.",
}


def text(fitted: Fitted) -> dict[str, str]:
    """Parts of the text, by name."""
    gain = fitted.gain(fitted.params.detail, fitted.params.model)
    sign = 1 if gain.low > 0 else -1 if gain.high < 0 else 0
    plain = [*_PLAIN, _GAIN[sign]]
    plain += [_BEST] if fitted.best and fitted.params.detail else []
    reading = [*_READING]
    later = fitted.drift is not None
    if not any(way.reason for way in fitted.handled[0]):
        reading.append(_IMPUTED)
    return {
        "plain": " ".join(plain),
        "reading": " ".join(reading),
        "limits": " ".join([*_LIMITS, _SOURCE[fitted.sensitivity]]),
        "data": _DATA[fitted.sensitivity],
        **_CARD,
        "methods": _CARD["methods"] + ("; time by a model of earlier courses." if later else "."),
    }
