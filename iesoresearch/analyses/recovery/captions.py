"""Figures of `recovery`: the table each is drawn from, title and caption."""

from collections.abc import Iterator
from dataclasses import replace

from iesoresearch.results import FigureSpec

FIGURES = {
    "performance": FigureSpec(
        table="performance",
        title="How well can one tell who will recover, and when?",
        caption="AUC with 95 % bootstrap intervals (by patient) at each landmark, in {left_out} "
        "that no model was fitted to; n = {n_assessment} referrals at the assessment, {n_detail} "
        "at {detail}. The current scores alone are the rule to beat. Dashes, on drawn data only: "
        "what one would reach who knew the true state and response of every patient.",
    ),
    "calibration": FigureSpec(
        table="calibration",
        title="Are predicted chances right?",
        caption="Observed share by predicted chance of {outcome} at {detail}, n = {n_detail} "
        "referrals, in {left_out} not seen, smoothed by a logistic regression on a restricted "
        "cubic spline of the logit; bands are pointwise 95 % limits. On the dashed line they are "
        "right.",
    ),
    "net_benefit": FigureSpec(
        table="net_benefit",
        title="Do predictions choose better than all or nobody?",
        caption="Net benefit at {detail} of offering more to those whose risk of not reaching "
        "{outcome} is at or above the threshold, n = {n_detail} referrals, 95 % bootstrap "
        "intervals. The threshold says how many needless offers one is ready to make for one that "
        "was needed; what an offer achieves is not part of it. Acting on nobody has 0.",
    ),
    "groups": FigureSpec(
        table="groups",
        title="Are predictions right in every group?",
        caption="Observed over expected share with {outcome} at {detail}, with 95 % bootstrap "
        "intervals, n = {n_detail} referrals. Left of 1 fewer reach it than predicted. Groups with "
        "few referrals with or without the outcome are not shown.",
    ),
    "services": FigureSpec(
        table="services",
        title="Does it hold in services not seen?",
        caption="AUC at {detail} in each service, predicted by a model of all others, with 95 % "
        "intervals; {n_services} services have enough referrals. On average {services_auc} "
        "({services_auc_low} to {services_auc_high}); the true AUC of a further service may lie "
        "between {services_auc_further_low} and {services_auc_further_high}.",
    ),
    "instability": FigureSpec(
        table="instability",
        title="How far do predictions move?",
        caption="Predictions at {detail} of {n_refits} models refitted to bootstrap samples: mean "
        "range (2.5 % to 97.5 %) of single predictions, by what the model predicts, n = {n_detail} "
        "referrals. Refits include the tuning.",
    ),
    "importance": FigureSpec(
        table="importance",
        title="What moves predictions?",
        caption="Mean absolute SHAP value (log-odds) of the ten predictors that move predictions "
        "at {detail} most, n = {n_detail} referrals; bars: range over {n_refits} bootstrap "
        "refits (2.5 to 97.5 %). An association in the model, not the effect of changing anything.",
    ),
    "later": FigureSpec(
        table="later",
        title="Does it hold over time?",
        caption="Observed minus expected share with {outcome}, by the quarter in which predictions "
        "were made, of {n_later} referrals, by a model of the courses that had ended before; "
        "the last ones, whose courses are only known if they were short, are left out. "
        "Dashed: limits of three standard deviations, what chance allows if predictions are right.",
    ),
}
_BY_YEAR = (
    FIGURES["later"]
    .caption.replace("quarter in which predictions were made", "financial year of the referral")
    .replace("ended before;", "ended in an earlier year;")
)


def figures(days_shifted: int) -> Iterator[tuple[str, FigureSpec]]:
    """Name and figure; over time by financial years where dates are shifted."""
    for name, spec in FIGURES.items():
        by_year = days_shifted and name == "later"
        yield name, replace(spec, caption=_BY_YEAR) if by_year else spec
