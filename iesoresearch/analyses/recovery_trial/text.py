"""Plain-language summary of `recovery_trial`, how to read it, and what it cannot say."""

from iesoresearch.analyses.recovery_trial.checks import fall_into_classes, verdicts
from iesoresearch.analyses.recovery_trial.fitted import Fitted

_WHAT = {
    "btheb": "a computer program that patients worked through by themselves (Beat the Blues), "
    "beside usual care in general practice",
    "lshtm": "a drug against depression, beside placebo",
}
_VERDICTS = {
    frozenset({"open"}): "Whichever is right, the interval holds zero: these {n_patients} patients "
    "do not settle whether the arms differ by then.",
    frozenset({"lower"}): "Whichever is right, scores are lower in the arm given {treated}.",
    frozenset({"higher"}): "Whichever is right, scores are higher in the arm given {treated}.",
}
_DEPENDS = "So the answer depends on what is assumed of those who left, which no data can show."


def text(fitted: Fitted) -> dict[str, str]:
    """Templates, by heading."""
    return {"plain": _plain(fitted), "reading": _reading(fitted), "limits": _limits(fitted)}


def _plain(fitted: Fitted) -> str:
    verdict = _VERDICTS.get(frozenset(verdicts(fitted)), _DEPENDS)
    return (
        f"A real trial of {_WHAT[fitted.params.source]}: {{n_patients}} patients, {{n_treated}} "
        "given {treated} and {n_control} {control}, gave {scale} scores again and again. {left} "
        "(95 % {left_low} to {left_high}) gave no last score. Adjusted for the first score, "
        "{treated} and {control} differ at {end} {unit} by {ancova} (95 % {ancova_low} to "
        "{ancova_high}; below zero favours {treated}) among the {n_completers} who gave a last "
        "score. For all patients, if those who left went on as their scores so far suggest, by "
        "{plain} ({plain_low} to {plain_high}) by least squares and {growth} ({growth_low} to "
        "{growth_high}) by the growth model; if leaving goes with how a patient does, by {shared} "
        f"({{shared_low}} to {{shared_high}}). {verdict} Of {{n_expected}} scores of "
        "patients whom the growth model had not seen, {wide} are in the 95 % band it expected "
        "of them. " + _classes(fitted)
    )


def _classes(fitted: Fitted) -> str:
    if fitted.choice.chosen.n_classes == 1:
        return "Grouping patients by their course describes the scores no better than one mean."
    if fall_into_classes(fitted)[1]:
        return "By their course patients fall into {n_classes} classes."
    return (
        "Grouped by their course, {n_classes} classes describe the scores best, but whether "
        "patients fall into classes, or differ without gaps, stays open."
    )


def _reading(fitted: Fitted) -> str:
    return (
        "{naming} The growth model lets every patient have a level and a change that is fast at "
        "first and slower later (log of 1 + time); the arms share the level, since they were dealt "
        "by chance. Missing at random means that whoever left goes on as patients with the same "
        "scores so far; the shared-parameter model lets leaving go with a patient's own level and "
        "change; and the tipping point asks how much worse than expected those who "
        "left would have to be. None of the three can be told from the others by these scores, so "
        "all are shown. Least squares, one occasion after the other, assumes missing at random but "
        "no shape of the curves: it is what the growth model is held against. Bands for patients "
        f"come from {fitted.params.n_folds} folds: nobody is judged by a model that saw their "
        "scores. Trajectory classes group patients by their scores, whatever their arm; scores "
        "that pile up near zero, or curves of another shape, can look like classes, too. What "
        "rests on random draws is shown in whole points, since further digits may differ between "
        "machines."
    )


def _limits(fitted: Fitted) -> str:
    return (
        f"This is {_WHAT[fitted.params.source]}. No therapist delivered anything, so it says "
        "nothing about therapy with a therapist, however given. It exercises the method on real "
        "scores and real drop-out, no more. {n_patients} patients are few: intervals are wide, and "
        "the smallest trajectory class has {smallest_class} patients. Why patients left is not "
        "recorded. What is done about those who left is an assumption each time: a claim should "
        "hold under all of them. Normal errors let expected scores run below zero, where no score "
        "can be."
    )
