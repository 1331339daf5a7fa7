"""Captions of `fairness_published`. Sentences are filled after release."""

from iesoresearch.analyses.fairness_published import groupings as g
from iesoresearch.analyses.fairness_published.data import Figures
from iesoresearch.analyses.fairness_published.deprivation import DECILES
from iesoresearch.analyses.fairness_published.rates import OUTCOMES
from iesoresearch.analyses.fairness_published.words import counted
from iesoresearch.data.published import labels
from iesoresearch.results import FigureSpec, Number

BREAK = "2020-21"  # version 2.0 of the data set, from September 2020 on
DRAWN_STAGES = (labels.ETHNICITY, DECILES)  # groupings in the figure of stages


def captions(figures: Figures, numbers: dict[str, Number], measure: str) -> dict[str, FigureSpec]:
    """Figures, each of one table."""
    label, of = OUTCOMES[measure][1], counted(measure)
    n = {
        name: f" n = {{{name}}} {words}."
        for name, words in (
            ("n_deciles", "courses"),
            ("n_finished", "finished courses in {year}"),
            ("n_referrals", "referrals"),
        )
        if name in numbers
    }
    against = " and ".join(
        g.patients(b, figures.reference[b]) for b in DRAWN_STAGES if b in figures.reference
    )
    return {
        "gaps": FigureSpec(
            table="gaps",
            title=f"{label}, by group",
            caption=f"England {{year}}: {label.lower()} per 100 {of}, with 95 % intervals; n = "
            "courses counted. Diamonds and dotted lines: the group that others are compared with. "
            "This is one population looked at in several ways, but not all of it in each: courses "
            "with no recorded group are left out, as many as each heading says.",
        ),
        "deprivation": FigureSpec(
            table="deprivation",
            title=f"{label}, by deprivation",
            caption=f"England {{year}}, deciles of the Index of Multiple Deprivation at the place "
            f"that they take in the ranking of {of}, with 95 % intervals (hardly wider than the "
            "marks). The line is what the slope index is taken from: its two ends."
            + n.get("n_deciles", ""),
        ),
        "trends": FigureSpec(
            table="trends",
            title=f"Gaps since {figures.years[0]}: {label.lower()}",
            caption="England, percentage points to the group named in each panel (the line at 0), "
            f"with 95 % intervals; without one where only percentages are {figures.where}. Groups "
            "with most courses. Bands of age are those that all years have."
            + _break(figures.years)
            + n.get("n_finished", ""),
        ),
        "stages": FigureSpec(
            table="stages",
            title="Where gaps arise between referral and recovery",
            caption="England {year}: recovered per 100 referrals of the year, against "
            f"{against}, split into parts. Referrals and finished courses of one year are "
            "different cohorts, and ethnicity is recorded for more finished courses than referrals."
            + n.get("n_referrals", ""),
        ),
        "funnel": _funnel(label, numbers),
    }


def _funnel(label: str, numbers: dict[str, Number]) -> FigureSpec:
    odd = (
        " Crosses: {funnel_odd} with 0 % or 100 %, which is a question of recording; no line is "
        "made of these."
    )
    return FigureSpec(
        table="providers",
        title=f"{label}, by provider",
        caption="{funnel_shown} of {funnel_all} providers of {year} are shown: those with 50 "
        "courses or more whose counts are not suppressed; counts are rounded to 5. Lines: limits "
        "of 95 % and 99.8 %, of chance alone and with over-dispersion. A provider outside differs "
        "from the others; whom it treats may be why."
        + (odd if "funnel_odd" in numbers and numbers["funnel_odd"].value else ""),
    )


def _break(years: list[str]) -> str:
    if BREAK not in years[1:-1]:
        return ""
    return (
        f" Vertical line, {BREAK}: version 2.0 of the data set (September 2020) changed what is "
        "recorded of whom; years before and after it need not compare."
    )
