"""Numbers and sentences of `recovery_trial`. Sentences are filled after release."""

from dataclasses import replace

import numpy as np
import polars as pl

from iesoresearch.analyses.recovery_trial.differences import hazards
from iesoresearch.analyses.recovery_trial.expected import share
from iesoresearch.analyses.recovery_trial.fitted import ARM, Fitted
from iesoresearch.analyses.recovery_trial.leavers import TREATED
from iesoresearch.measures.outcomes import wilson
from iesoresearch.results import FigureSpec, Number

FIGURES = {
    "curves": FigureSpec(
        table="curves",
        title="How scores fall, by arm",
        caption="Mean {scale} expected of all {n_patients} patients if scores are missing at "
        "random (growth model, lines with 95 % bands), and the means of those who gave a score "
        "(points with 95 % intervals). The points are of fewer and fewer patients: {left} of all "
        "gave no last score.",
    ),
    "drop_out": FigureSpec(
        table="drop_out_by_score",
        title="Who leaves after which score",
        caption="Share of scores after which the patient gave no other, by third of the scores of "
        "the same occasion, with 95 % Wilson intervals; n = scores, of {n_patients} patients, the "
        "first and the last occasion left out.",
    ),
    "differences": FigureSpec(
        table="differences",
        title="The difference between the arms, by assumption",
        caption="Difference of the mean {scale} at {end} {unit}, {treated} minus {control}, "
        "adjusted for the first score, with 95 % intervals; left of zero favours {treated}. "
        "n = patients whose scores are used, of {n_patients}.",
    ),
    "tipping": FigureSpec(
        table="tipping",
        title="How much worse must those who left be?",
        caption="Difference of the mean {scale} at {end} {unit}, {treated} minus {control}, with "
        "95 % bands, if patients were that many points worse from leaving on than the growth model "
        "expects; n = {n_patients} patients, of whom {n_left} left.",
    ),
    "band": FigureSpec(
        table="band",
        title="What is expected of a new patient",
        caption="Expected {scale} of a new patient with a first score of {first_score}, by arm: "
        "mean, and the band that holds 95 % of such patients; from {n_patients} patients. Above "
        "the band a patient is doing worse than expected.",
    ),
    "classes": FigureSpec(
        table="class_curves",
        title="Ways that patients take",
        caption="Mean {scale} of trajectory classes with 95 % bands, n = patients most likely in "
        "the class, of {n_patients}. Both arms together.",
    ),
}


def numbers(fitted: Fitted) -> dict[str, Number]:
    """The numbers that sentences quote and `verify` compares.

    Draws are the same on one machine, but may differ between machines by their Monte Carlo error;
    what rests on them is shown, and compared, in whole points.
    """
    n = fitted.trial.n
    found = _counted(fitted) | _differences(fitted) | _questions(fitted) | _grouped(fitted)
    return {name: replace(number, n=n, sensitivity="open") for name, number in found.items()}


def _three(name: str, x: float, low: float, high: float, digits=0, unit="") -> dict[str, Number]:
    """An estimate and the ends of its interval."""
    ends = {f"{name}_low": low, f"{name}_high": high}
    found = {end: Number(value, digits=digits) for end, value in ends.items()}
    return {name: Number(x, unit=unit, digits=digits)} | found


def _counted(fitted: Fitted) -> dict[str, Number]:
    trial = fitted.trial
    counts = {
        "n_patients": trial.n,
        "n_control": int((trial.arm == 0).sum()),
        "n_treated": int((trial.arm == 1).sum()),
        "n_left": int(trial.left.sum()),
        "n_completers": fitted.ancova.n,
        "smallest_class": int(np.bincount(fitted.choice.chosen.classes_).min()),
    }
    words = {
        "control": trial.arms[0],
        "treated": trial.arms[1],
        "scale": trial.scale,
        "unit": trial.unit,
        "end": f"{fitted.end:g}",
        "first_score": f"{fitted.first_score:g}",
        "naming": trial.naming or "The times of the scores are not in doubt.",
    }
    result = {name: Number(value, kind="count") for name, value in counts.items()}
    result |= {name: Number(value) for name, value in words.items()}
    return result | _three("left", *_percent(trial.left), unit="%")


def _differences(fitted: Fitted) -> dict[str, Number]:
    result = {"tipping": Number(_tipping(fitted), unit="points")}
    for name, found in (("ancova", fitted.ancova), ("plain", fitted.sequential[-1])):
        result |= _three(name, found.estimate, found.low, found.high, 1, "points")
    for name in ("at_random", "shared", "renamed"):
        fit = getattr(fitted, name)
        if fit is not None:
            found = fit.summary()[f"rate: {ARM}"]
            shown = "growth" if name == "at_random" else name
            result |= _three(shown, found.x, found.x_low, found.x_high, unit="points")
    for name in ("level", "rate"):
        found = hazards(fitted)[name]
        odds = np.exp([found.x, found.x_low, found.x_high])
        result |= _three(f"odds_{name}", *map(float, odds), digits=1)
    return result


def _questions(fitted: Fitted) -> dict[str, Number]:
    """What checks of the growth model quote."""
    before, after = fitted.before, fitted.after
    result = {
        "prior_inside": Number(100 * before.inside, unit="%"),
        "prior_mean_low": Number(before.mean_low),
        "prior_mean_high": Number(before.mean_high),
        "mean_score": Number(before.observed_mean, digits=1),
        "farthest": Number(float(np.abs(fitted.misfit).max())),
        "outside": Number(100 * after.outside, unit="%"),
        "n_expected": Number(int(np.isfinite(fitted.expected.wide).sum())),
    }
    for name in ("wide", "narrow"):
        result |= _three(name, *share(getattr(fitted.expected, name), 0), unit="%")
    return result


def _grouped(fitted: Fitted) -> dict[str, Number]:
    chosen = fitted.choice.chosen
    return {
        "n_classes": Number(chosen.n_classes),
        "entropy": Number(float(chosen.entropy_), digits=2),
        "bic_classes": Number(float(chosen.bic_), digits=1),
        "icl_classes": Number(float(chosen.icl_), digits=1),
        "bic_slopes": Number(float(fitted.slopes.bic_), digits=1),
    }


def _tipping(fitted: Fitted) -> float | str:
    largest = fitted.params.deltas[-1]
    found = fitted.leavers.tipping(TREATED, largest)
    return f"none up to {largest:g}" if found is None else found


def _percent(whom: np.ndarray) -> tuple[float, float, float]:
    """Share in percent with its 95 % Wilson interval."""
    found = wilson(pl.lit(int(whom.sum())), pl.lit(len(whom)))
    row = pl.select(**found).row(0)
    return tuple(100 * x for x in row)
