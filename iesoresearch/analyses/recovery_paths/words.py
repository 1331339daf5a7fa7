"""Captions and text of `recovery_paths`. Sentences are filled after release."""

from iesoresearch.analyses.recovery_paths.fitted import SHARED, Fitted
from iesoresearch.analyses.recovery_paths.numbers import covered
from iesoresearch.analyses.recovery_paths.patients import ENTRY
from iesoresearch.results import FigureSpec

FIGURES = {
    "curve": FigureSpec(
        table="curve",
        title="Expected response",
        caption="Mean PHQ-9 by session of patients at caseness who attended "
        f"{ENTRY} treatment sessions, with 95 % credible intervals, as if nobody left early, "
        "n = {n_fitted} patients. The ways differ in what they assume of those who left, which the "
        "data cannot tell. Crosses: means of the scores that were seen.",
    ),
    "expected": FigureSpec(
        table="expected",
        title="What to expect of a new patient, by the first score",
        caption="Expected PHQ-9 after a first score of {first_scores} (lines) and the band in "
        "which {band} of single scores are expected (shaded), for a made-up patient of a therapist "
        "who is not known; growth model, missing at random, n = {n_fitted} patients.",
    ),
    "class_curves": FigureSpec(
        table="class_curves",
        title="Ways that scores take",
        caption="Mean curves of {n_classes} classes with 95 % intervals and their shares of the "
        "population, n = {n_patients} patients. Classes describe; they are not kinds of patients.",
    ),
    "rules": FigureSpec(
        table="rules",
        title="Work and hits of three rules",
        caption="Share of patients flagged, and share of those flagged who missed {outcome}, after "
        "each landmark and at any of them, with 95 % intervals, n = {n_judged} patients whom no "
        "model was fitted to. The grey band is what flags drawn at random would find.",
    ),
    "groups": FigureSpec(
        table="groups",
        title="Flags of the landmark model by group",
        caption="Share who missed {outcome} among those flagged at any landmark and among those "
        "never flagged, with 95 % intervals, by group, n = {n_judged} patients. Levels of few "
        "patients are joined; what few patients stand behind is not shown.",
    ),
}


def text(fitted: Fitted) -> dict[str, str]:
    """Plain-language summary, how to read the results, and what they cannot say."""
    return {
        "plain": " ".join(_plain(fitted)),
        "reading": " ".join(_reading(fitted)),
        "limits": " ".join([*_LIMITS, *fitted.notes, _SOURCE[fitted.sensitivity]]),
    }


def _plain(fitted: Fitted) -> list[str]:
    curve = (
        f"{{n_patients}} patients at caseness who attended {ENTRY} treatment sessions are "
        "followed. Their PHQ-9 is expected to go from {start} (95 % {start_low} to {start_high}) "
        "at the first score to {end} (95 % {end_low} to {end_high}) {n_sessions} sessions later, "
        "if nobody left"
    )
    if SHARED in fitted.growth:
        curve += (
            "; to {end_shared} (95 % {end_shared_low} to {end_shared_high}) if leaving depends on "
            "the way a patient is going"
        )
    return [
        curve + ". Single patients stray far: the band that should hold {band} of scores is about "
        f"{{band_width}} points wide at the last session. It held {covered(fitted)} of the scores "
        "of patients whom it was not fitted to.",
        "Among {n_judged} patients whom no model was fitted to, the landmark model flags "
        "{model_share} (95 % {model_share_low} to {model_share_high}) at some landmark. "
        "{model_ppv} of those (95 % {model_ppv_low} to {model_ppv_high}) and {model_missed} of the "
        "others (95 % {model_missed_low} to {model_missed_high}) missed {outcome}.",
        "With as many flags as the landmark model, the share of them before a missed {outcome} "
        "differs from that of the landmark model by {current_ppv_less} percentage points (95 % "
        "{current_ppv_less_low} to {current_ppv_less_high}) for the current scores alone and by "
        "{band_ppv_less} (95 % {band_ppv_less_low} to {band_ppv_less_high}) for the "
        "expected-response band; below zero the landmark model finds more.",
        "{deteriorated} of patients (95 % {deteriorated_low} to {deteriorated_high}) deteriorated "
        "reliably; the landmark model had flagged {deteriorated_flagged} of those whom it could "
        "judge (95 % {deteriorated_flagged_low} to {deteriorated_flagged_high}).",
    ]


def _reading(fitted: Fitted) -> list[str]:
    return [
        "Session 0 is the first score. Curves are of the mean as if nobody left early; a patient "
        "who leaves is put back as each way assumes.",
        "After session s a patient is flagged by the landmark model if the chance of {outcome}, "
        "from all that is known by then, is below {flag_below}; by the current scores in the same "
        "way, from PHQ-9 and GAD-7 at that session alone; by the band if the PHQ-9 at that session "
        "is above where {upper} of scores are expected from the first score alone, so that a "
        "patient who gets worse does not move the band.",
        "Predictions come from models fitted without the patient's service, the band from a model "
        "fitted to {n_fitted} patients of other therapists.",
        "A flag is right if the patient misses {outcome} in the end; without a later score that "
        "counts as missed. The number needed to review is how many flagged patients are reviewed "
        "for each who would miss it. Sessions left are counted from the first flag to the last "
        "session.",
        "Rules are compared with as many flags at each landmark as the landmark model raises, "
        "because whoever flags more finds more.",
        "Whoever has no second PHQ-9 by a landmark is not judged there ({n_not_judged} times in "
        "all).",
        "The table of gains holds ASSUMED effects of a review: it is arithmetic, not evidence.",
    ]


_LIMITS = (
    "A flag is an association: it says who misses the outcome under care as it was, not why, and "
    "not who would do better if somebody acted. Whether acting on flags helps, only a trial can "
    "tell.",
    "Care already answers to scores: patients who seemed to do badly may have been given more, so "
    "the outcomes are those of that care.",
    "Everything is about patients who attended two treatment sessions; it says nothing about "
    "those who never came back.",
    "What the scores of those who left would have been is not known; the ways of handling it are "
    "assumptions, and none of them can be tested.",
    "Classes are a description, not kinds of patients: they are made of the whole course, the last "
    "score included, so that their outcomes follow in part from how they were made, and nobody's "
    "class is known beforehand.",
    "The growth model takes scores as normal although they end at 0 and 27, and asks one smooth "
    "course of everybody, steepest at first: where scores wait before they fall it is off, as the "
    "check of replicated scores tells, and whether its band holds nevertheless is checked on other "
    "patients.",
    "Item 9 of the PHQ-9 is one answer, not an assessment of risk; whoever gives it is to be "
    "asked, whatever a rule says. Its shares are of all patients: who gave no answer reported no "
    "such thoughts, and may have had them.",
)

_SOURCE = {
    "synthetic": "SIMULATED: patients were drawn by a program, so that all of this shows that the "
    "method works and says nothing about patients.",
    "patient": "The patients are those of one data set; elsewhere paths and flags may differ.",
}
