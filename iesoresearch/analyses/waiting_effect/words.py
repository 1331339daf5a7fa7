"""Numbers and captions of `waiting_effect`. Sentences are filled after release."""

from dataclasses import replace

from iesoresearch.analyses.waiting_effect import course
from iesoresearch.analyses.waiting_effect.cases import BASE
from iesoresearch.analyses.waiting_effect.fitted import Fitted
from iesoresearch.models.growth import Estimate
from iesoresearch.results import FigureSpec, Number

FIGURES = {
    "forest": FigureSpec(
        table="estimates",
        title="Therapy against each control",
        caption="Mean Hedges' g with 95 % intervals (thick) and where the true effect of a new "
        "trial is expected with 95 % (thin); n = comparisons (trials). {n_comparisons} comparisons "
        "with a waiting list are {n_trials} trials. Right of zero favours therapy.",
    ),
    "funnel": FigureSpec(
        table="funnel",
        title="Effects by standard error",
        caption="{n_comparisons} comparisons with a waiting list in {n_trials} trials; "
        "outside the dashed ones a comparison by itself differs from 0 with p below 0.05. If small "
        "trials were like large ones, points would lie around the dotted line at every standard "
        "error. Diamonds: limits at standard error 0.",
    ),
    "predictive": FigureSpec(
        table="predictive",
        title="Would the model give such effects?",
        caption="Statistics of the {n_comparisons} effects found (marks) and of effects drawn for "
        "the same {n_trials} trials (lines: 95 % of draws).",
    ),
    "remission": FigureSpec(
        table="remission",
        title="Remission without treatment: different people, not pooled",
        caption="Published shares in remission (marks, with 95 % intervals where published), and "
        "curves of constant hazards between them. n = 19 studies (Whiteford) and 16 waiting-list "
        "arms (Mekonen); Catarino: input of a model, by severity.",
    ),
}
#: Cases that sentences quote.
TOLD = (
    *("base", "without_large", "low_risk", "limit_variance", "limit_error", "limit_size"),
    *("care_as_usual", "other_controls"),
)


def numbers(fitted: Fitted) -> dict[str, Number]:
    """The numbers that sentences quote and `verify` compares."""
    data, table = fitted.posteriors[BASE.name].data, fitted.evidence.trials.table
    published = (
        _counts(n_comparisons=data.n, n_trials=data.n_trials, last_year=table["year"].max())
        | _course()
    )
    found = {
        "spread": Number(float(fitted.posteriors[BASE.name].total.mean()), digits=1),
        "smallest_error": Number(float(data.error.min()), digits=2),
        "farthest": Number(farthest(fitted), digits=1),
    }
    for name in TOLD:
        found |= _three(name, fitted.mean(name), 2)
    found |= _three("new", fitted.new_trial[BASE.name], 1)
    found |= _three("rise", fitted.coefficients["limit_error"]["small_study"], 1)
    kind = fitted.evidence.sensitivity
    return published | {name: replace(number, sensitivity=kind) for name, number in found.items()}


def farthest(fitted: Fitted) -> float:
    """Largest distance of a mean from that of restricted maximum likelihood, in its errors."""
    likely = fitted.likely
    return max(abs(fitted.mean(name).x - x.mean) / x.error for name, x in likely.items())


def _counts(**values: int) -> dict[str, Number]:
    """Numbers that are written as they are, of no people."""
    return {n: Number(str(x), sensitivity="open") for n, x in values.items()}


def _three(name: str, found: Estimate, digits: int) -> dict[str, Number]:
    values = {name: found.x, f"{name}_low": found.x_low, f"{name}_high": found.x_high}
    return {key: Number(x, digits=digits) for key, x in values.items()}


def _course() -> dict[str, Number]:
    """Hazards of the source that gives three shares, and shares after a year by source."""
    first, middle, last = (float(x) for x in course.WHITEFORD.hazards)
    found = {"hazard_first": first, "hazard_middle": middle, "hazard_last": last}
    found = {name: Number(x, digits=4, sensitivity="open") for name, x in found.items()}
    year = [100 * source.by(365.25 / 7) for source in course.SOURCES if source.reaches_a_year]
    ends = {"year_least": min(year), "year_most": max(year)}
    return found | {n: Number(x, unit="%", sensitivity="open") for n, x in ends.items()}
