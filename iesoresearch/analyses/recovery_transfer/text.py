"""What `recovery_transfer` says in words: summary, reading, limits."""

from iesoresearch.analyses.recovery_transfer.fitted import Fitted
from iesoresearch.analyses.recovery_transfer.words import estimates, right
from iesoresearch.models.updating import AS_IS

_PLAIN = (
    "A model of {outcome} at {landmark} was applied, unchanged and read from its file, to "
    "{n_predicted} referrals of another site, {share} of whom reach it."
)
_AUC = "Its AUC is {auc} here (95 % {auc_low} to {auc_high})"
_MADE = "; where it was made it was {made_auc}."
_LEVEL = (
    "{observed_expected} times as many reach the outcome as it predicts ({observed_expected_low} "
    "to {observed_expected_high})."
)
_RIGHT = {
    True: "That its chances are wrong here is not shown.",
    False: "So its chances are not right here as they are.",
    None: "Whether its chances are right cannot be said with so few patients.",
}
_UPDATED = {
    "none": "There are too few patients here to update it.",
    AS_IS: "Learning from half of the patients, the closed test leaves it as it is.",
    "done": "Half of the patients ask for a new {update}.",
}
_AFTER = (
    "In the other half {after_observed_expected} times as many then reach the outcome as predicted "
    "({after_observed_expected_low} to {after_observed_expected_high})."
)
_ENOUGH = (
    "{enough} local patients were enough for that: with as many, updating does good in at least "
    "97.5 % of draws.",
    "None of the numbers of local patients tried was enough for updating to do good in 97.5 % of "
    "draws.",
)
_OWN = {
    1: "A model made anew of the same patients does worse than the updated one.",
    0: "Whether a model made anew of the same patients does better cannot be said.",
    -1: "A model made anew of the same patients does better than the updated one.",
}
_ABSENT = "Not recorded for anybody here: {}; the model takes it for missing."

_READING = (
    "The model predicts for whom it knows: values in range, categories that it was made with. "
    "Others are refused and counted, missing values are allowed. AUC says whether patients are put "
    "in the right order, observed over expected whether predictions are too high (below 1) or too "
    "low on the whole, the slope whether they are too extreme (below 1).",
    "The closed test asks whether a new intercept and slope improve on the model, and if so "
    "whether a new intercept is enough. It learns from a random half of the patients and is judged "
    "on the other. A model made anew learns from the same half, or, in the row of everybody, from "
    "all but the patients it predicts.",
    "Of patients, what few or all but few stand behind is a dash.",
    "For smaller numbers, patients are drawn at random again and again, and the update is judged "
    "on everybody else. With fewer than 10 patients with and without the outcome per parameter the "
    "model stays as it is.",
)
_LIMITS = (
    "Draws of many patients overlap, which makes their range too narrow. A random half is like "
    "the other half in all respects; patients of next year need not be.",
    "A new intercept repairs the level of predictions and not their order. Why the level is off, "
    "through other patients, other care or other recording, no update says.",
    "Without a second score a patient counts as not recovered: where more scores are missing, "
    "fewer recover on paper.",
)
_SOURCE = {
    "synthetic": "SIMULATED: the patients of the site were drawn, so the numbers show that the "
    "method works and say nothing about patients.",
    "patient": "Missing scores and codes are used as the site recorded them.",
    "open": "The site’s data are published.",
}
_DRAWN_MODEL = "The model was made of drawn referrals: nothing it says is of patients."


def text(fitted: Fitted) -> dict[str, str]:
    """Parts of the text, by name."""
    limits = [*_LIMITS, _SOURCE[fitted.sensitivity]]
    if fitted.params.model != "folder":
        limits.append(_DRAWN_MODEL)
    return {
        "plain": " ".join([*_as_shipped(fitted), *_after(fitted)]),
        "reading": " ".join(_READING),
        "limits": " ".join(limits),
    }


def _as_shipped(fitted: Fitted) -> list[str]:
    said, known = [_PLAIN], _known(fitted)
    if known["auc"]:
        said.append(_AUC + (_MADE if known["made_auc"] else "."))
    if known["observed_expected"]:
        said.append(_LEVEL)
    said.append(_RIGHT[right(fitted.shipped.overall)])
    if fitted.absent:
        said.append(_ABSENT.format(", ".join(fitted.absent)))
    return said


def _after(fitted: Fitted) -> list[str]:
    if fitted.update is None:
        return [_UPDATED["none"]]
    if fitted.update.method == AS_IS:
        said = [_UPDATED[AS_IS]]
    else:
        said = [_UPDATED["done"]] + [_AFTER] * _known(fitted)["after_observed_expected"]
        said += [_ENOUGH[fitted.enough is None]] if fitted.few else []
    if fitted.own is not None:
        gain = fitted.over_own
        said.append(_OWN[1 if gain.low > 0 else -1 if gain.high < 0 else 0])
    return said


def _known(fitted: Fitted) -> dict[str, bool]:
    """Which estimates there are, with their intervals."""
    return {name: e.low == e.low for name, e in estimates(fitted).items()}
