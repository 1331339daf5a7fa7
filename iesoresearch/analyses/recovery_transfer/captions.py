"""Figures of `recovery_transfer`: the table each is drawn from, title and caption."""

from iesoresearch.results import FigureSpec

FIGURES = {
    "differences": FigureSpec(
        table="patients",
        title="How do patients here differ?",
        caption="Differences from the patients the model was made with: means of numbers (filled) "
        "and shares of categories (open), in standard deviations there, the fifteen largest; n = "
        "{n_at_risk} referrals at {landmark}. What few patients, or all but few, stand behind is "
        "not shown.",
    ),
    "calibration": FigureSpec(
        table="calibration",
        title="Are predicted chances right here, before and after the update?",
        caption="Observed share by predicted chance of {outcome} at {landmark}, n = {n_judged} "
        "referrals that the update was not learnt from; logistic regression on a restricted cubic "
        "spline of the logit, pointwise 95 % limits. On the dashed line predictions are right.",
    ),
    "groups": FigureSpec(
        table="groups",
        title="As shipped, are predictions right in every group?",
        caption="Observed over expected share with {outcome} at {landmark}, with 95 % bootstrap "
        "intervals, n = {n_predicted} referrals. Left of 1 fewer reach it than predicted. Groups "
        "with few referrals with or without the outcome are not shown.",
    ),
    "local": FigureSpec(
        table="local",
        title="How many local patients does an update take?",
        caption="Gain in log-loss over the model as shipped, on all patients of the site who were "
        "not learnt from (n = {n_patients} patients), by the number of local patients: mean and "
        "range from 2.5 % to 97.5 % of {n_draws} draws. Below zero the update did harm.",
    ),
    "drift": FigureSpec(
        table="drift",
        title="Does it last?",
        caption="Observed minus expected number with {outcome}, by the quarter in which "
        "predictions were made, in standard deviations of what chance alone gives; as shipped for "
        "n = {n_patients} patients, updated for the half that the update was not learnt from. "
        "Dashed: three standard deviations.",
    ),
    "cusum": FigureSpec(
        table="drift",
        title="When would it have been noticed?",
        caption="Highest point of the running sum (CUSUM) in each quarter, as a share of its "
        "limit: upwards for more, downwards for fewer with {outcome} than predicted, n = "
        "{n_patients} patients. Beyond the dashed lines an alarm is raised; a model that is right "
        "raises it in 5 % of such series, upwards and downwards each. It is not reset.",
    ),
}
#: Where dates are shifted.
DRIFT_BY_YEAR = FigureSpec(
    table="drift",
    title=FIGURES["drift"].title,
    caption="Observed minus expected number with {outcome}, by the financial year of the referral, "
    "in standard deviations of what chance alone gives; as shipped for n = {n_patients} patients, "
    "updated for the half that the update was not learnt from. Dashed: three standard deviations.",
)
#: Where there is no update.
UNUPDATED = FigureSpec(
    table="calibration",
    title="Are predicted chances right here?",
    caption="Observed share by predicted chance of {outcome} at {landmark}, n = {n_predicted} "
    "referrals; logistic regression on a restricted cubic spline of the logit, pointwise 95 % "
    "limits. On the dashed line predictions are right.",
)
