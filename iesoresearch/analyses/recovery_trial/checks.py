"""Questions that `recovery_trial` asks of itself."""

import numpy as np
from scipy import stats

from iesoresearch.analyses._chains import chains
from iesoresearch.analyses.recovery_trial.differences import hazards
from iesoresearch.analyses.recovery_trial.expected import share
from iesoresearch.analyses.recovery_trial.fitted import ARM, Fitted
from iesoresearch.analyses.recovery_trial.leavers import TREATED
from iesoresearch.results import Check, Status


def checks(fitted: Fitted) -> list[Check]:
    """All checks, those of the sampler first."""
    return [
        chains(fitted.diagnostics),
        _prior(fitted),
        _posterior(fitted),
        _bands(fitted),
        _shape(fitted),
        _difference(fitted),
        _tipping(fitted),
        _months(fitted),
        _leaving(fitted),
        _classes(fitted),
        _starts(fitted),
    ]


def verdicts(fitted: Fitted) -> list[str]:
    """What each way of handling drop-out says of the difference: "lower", "higher" or "open"."""
    growth = [fit.summary()[f"rate: {ARM}"] for fit in (fitted.at_random, fitted.shared)]
    ends = [(d.low, d.high) for d in (fitted.ancova, fitted.sequential[-1])]
    ends += [(e.x_low, e.x_high) for e in growth]
    return ["lower" if high < 0 else "higher" if low > 0 else "open" for low, high in ends]


def _status(good: bool, if_good: str, if_not: str) -> tuple[Status, str]:
    return ("passed", if_good) if good else ("failed", if_not)


def _prior(fitted: Fitted) -> Check:
    return Check(
        "the priors allow such scores",
        "passed" if fitted.before.passed else "failed",
        "Before any score was seen, {prior_inside} of the scores drawn are within the {scale}; "
        "their mean is between {prior_mean_low} and {prior_mean_high} (95 %) where {mean_score} "
        "was found.",
    )


def _posterior(fitted: Fitted) -> Check:
    """Means and SDs together, so that one in twenty fits is doubted, not one of twenty numbers."""
    limit = stats.norm.ppf(1 - 0.025 / fitted.misfit.size)
    return Check(
        "the growth model gives scores like those found",
        "passed" if np.abs(fitted.misfit).max() <= limit else "failed",
        f"Of {fitted.misfit.size} means and SDs by occasion, the farthest from those of scores "
        f"drawn from the model is {{farthest}} standard deviations of such draws away (at most "
        f"{limit:.1f}, for all together). {{outside}} of the scores drawn were outside the scale "
        "before they were moved to its ends.",
    )


def _bands(fitted: Fitted) -> Check:
    _, low, high = share(fitted.expected.wide, 0)
    status: Status = "passed" if low <= 95 <= high else "failed"
    return Check(
        "expected bands hold for patients the model had not seen",
        status,
        "Of {n_expected} scores {wide} lie in their 95 % band (95 % interval {wide_low} to "
        "{wide_high}) and {narrow} in their 80 % band ({narrow_low} to {narrow_high}).",
    )


def _shape(fitted: Fitted) -> Check:
    """The growth model lets the difference grow with g(t); least squares has no shape."""
    data, effect = fitted.at_random.data, fitted.at_random.summary()[f"rate: {ARM}"].x
    expected = effect * data.growth(fitted.trial.occasions[1:])
    pairs = list(zip(fitted.sequential, expected, strict=True))
    fits = all(d.low <= e <= d.high for d, e in pairs)
    sentence = _status(
        fits,
        "At every occasion it lies in the 95 % interval of least squares, which assumes no shape.",
        "At one occasion at least it lies outside the 95 % interval of least squares, which "
        "assumes no shape: see the table of differences by occasion.",
    )
    return Check("the growth model's difference fits every occasion", *sentence)


def _difference(fitted: Fitted) -> Check:
    found = set(verdicts(fitted))
    if found == {"open"}:
        status, sentence = "inconclusive", "Every interval holds zero: nothing is claimed."
    elif len(found) == 1:
        status, sentence = "passed", "No interval holds zero, whatever is assumed."
    else:
        status, sentence = "failed", "It depends on what is assumed of those who left."
    return Check(
        "claim: the arms differ at the last occasion",
        status,
        "Missing at random {growth} (95 % {growth_low} to {growth_high}), with leaving that goes "
        f"with level and change {{shared}} ({{shared_low}} to {{shared_high}}). {sentence}",
    )


def _tipping(fitted: Fitted) -> Check:
    """Passed where no delta that was asked for changes the conclusion."""
    found = fitted.leavers.tipping(TREATED, fitted.params.deltas[-1])
    whether = "holds" if verdicts(fitted)[2] == "open" else "does not hold"
    return Check(
        "the conclusion stands if those who left were worse than expected",
        "passed" if found is None else "failed",
        "Missing at random, the interval of the difference " + whether + " zero. If only those of "
        "{treated} were worse after they left, this would change at: {tipping}.",
    )


def _months(fitted: Fitted) -> Check:
    name = "the naming of the months does not matter"
    if fitted.renamed is None:
        return Check(name, "not applicable", "There is one naming only.")
    used, other = (fit.summary()[f"rate: {ARM}"] for fit in (fitted.at_random, fitted.renamed))
    inside_other = other.x_low <= used.x <= other.x_high
    return Check(
        name,
        "passed" if inside_other else "failed",
        "{naming} With the other naming the difference at the last occasion is {renamed} (95 % "
        "{renamed_low} to {renamed_high}) instead of {growth}.",
    )


def _leaving(fitted: Fitted) -> Check:
    found = [hazards(fitted)[name] for name in ("level", "rate")]
    known = any(e.x_low > 0 or e.x_high < 0 for e in found)
    return Check(
        "claim: leaving goes with how a patient does",
        "passed" if known else "inconclusive",
        "Odds of leaving after an occasion per standard deviation of patients: times {odds_level} "
        "(95 % {odds_level_low} to {odds_level_high}) for a higher level, times {odds_rate} "
        "({odds_rate_low} to {odds_rate_high}) for less of a fall."
        + ("" if known else " Both intervals hold 1, and wide ones: it stays open."),
    )


def fall_into_classes(fitted: Fitted) -> tuple[bool, bool]:
    """Whether classes describe more than slopes do (BIC), and are told apart as well (ICL)."""
    chosen, slopes = fitted.choice.chosen, fitted.slopes
    better = bool(chosen.n_classes > 1 and chosen.bic_ < slopes.bic_)
    return better, better and bool(chosen.icl_ < slopes.icl_)


def _classes(fitted: Fitted) -> Check:
    better, sure = fall_into_classes(fitted)
    sentence = (
        "Number of classes {n_classes}: BIC {bic_classes}, ICL {icl_classes}; no classes, but "
        "patients who differ in slope: {bic_slopes} (less is better). "
    )
    if sure:
        sentence += "Classes describe more and are told apart (entropy {entropy})."
    elif better:
        sentence += "By BIC classes describe more; by ICL, which counts how surely patients are "
        sentence += "told apart (entropy {entropy}), they do not."
    else:
        sentence += "Classes describe no more than differences that have no gaps."
    name = "claim: patients fall into classes"
    return Check(name, "passed" if sure else "inconclusive", sentence)


def _starts(fitted: Fitted) -> Check:
    chosen = fitted.choice.chosen
    again = chosen.n_best_ > 1 or chosen.n_classes == 1
    sentence = _status(
        chosen.converged_ and again and not chosen.degenerate_,
        "EM converged; the best solution was reached from more than one start, and no class is "
        "degenerate.",
        "EM did not converge, only one start reached the best solution, or a class is degenerate: "
        "more starts are needed (n_starts).",
    )
    return Check("the classes do not hang on where EM started", *sentence)
