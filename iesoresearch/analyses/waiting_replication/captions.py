"""Figures of `waiting_replication`, with their captions."""

from iesoresearch.results import FigureSpec

FIGURES = {
    "agreement": FigureSpec(
        table="agreement",
        title="How far our numbers are off",
        caption="Every number that a case must give, {n_numbers} in all: ours minus that number, "
        "in units of its tolerance. Between the dashed lines it agrees; what is beyond three "
        "tolerances is drawn at the edge.",
    ),
    "trace": FigureSpec(
        table="trace",
        title="Where the cohort is, cycle by cycle",
        caption="Share of the cohort in each state after each cycle: {shown}, strategy {strategy}.",
    ),
    "icers": FigureSpec(
        table="icers",
        title="How much the way of counting moves a ratio",
        caption="Change of the cost per unit of effect, in per cent of that of the case itself, "
        "if every reward is counted in another way and all else stays; 0 is the case’s own way. "
        "A way that a model does not allow is left out: Simpson’s rule itself needs an even number "
        "of cycles.",
    ),
}
