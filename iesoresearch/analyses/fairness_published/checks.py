"""Questions that `fairness_published` asks of its figures."""

import polars as pl

from iesoresearch.analyses.fairness_published import groupings as g
from iesoresearch.analyses.fairness_published.data import Figures
from iesoresearch.analyses.fairness_published.deprivation import DECILES
from iesoresearch.analyses.fairness_published.rates import with_rates
from iesoresearch.results import Check, Table


def checks(figures: Figures, tables: dict[str, Table]) -> list[Check]:
    """All of them."""
    return [
        _reproduced(tables["reproduced"]),
        _rounded(tables["reproduced"]),
        _exact(figures),
        _sums(tables["coverage"]),
        _direction(figures),
    ]


def _reproduced(table: Table) -> Check:
    name = "printed percentages of England follow from the counts"
    england = table.frame.filter(whose="England")
    if england.is_empty():
        return Check(name, "not applicable", "No percentage is printed beside its counts.")
    fine = bool((england["printed"] == england["agree"]).all())
    return Check(
        name,
        "passed" if fine else "failed",
        "Of {n_printed} printed percentages {n_agree} follow from the counts to half a unit of "
        "their last digit (0.05): of deprivation {n_agree_deprivation} of "
        "{n_printed_deprivation}, of ethnicity {n_agree_ethnicity} of {n_printed_ethnicity}, of "
        "orientation {n_agree_orientation} of {n_printed_orientation}.",
    )


def _rounded(table: Table) -> Check:
    name = "percentages of regions and providers are what rounding allows"
    others = table.frame.filter(pl.col("whose") != "England")
    if others.is_empty():
        return Check(name, "not applicable", "There are figures of England only.")
    fine = bool((others["printed"] == others["agree"]).all())
    return Check(
        name,
        "passed" if fine else "failed",
        "{n_agree_rounded} of {n_printed_rounded} whole percentages can come from counts that were "
        "rounded to 5.",
    )


def _exact(figures: Figures) -> Check:
    name = "counts of England are exact"
    found = figures.england.filter(period=figures.year)["n_error"].drop_nulls()
    if found.is_empty():
        return Check(name, "not applicable", "No counts of outcomes are published for the year.")
    if found.max() == 0:
        return Check(name, "passed", "They are not rounded: intervals are those of chance alone.")
    return Check(
        name,
        "inconclusive",
        "All are multiples of 5, so they were rounded: every interval is the widest that rounding "
        "allows.",
    )


def _sums(table: Table) -> Check:
    """Groups that count a patient twice, and groups that are missing."""
    name = "groups together are everybody, once"
    known = table.frame.drop_nulls("several")
    if known.is_empty():
        return Check(name, "not applicable", "The total of England is not there or suppressed.")
    several = known.filter(pl.col("several") > 0)["grouping"].to_list()
    missing = known.filter(pl.col("several") < 0)["grouping"].to_list()
    sentences = []
    if several:
        sentences.append(
            f"More than one answer is possible for: {', '.join(several).lower()}. No shares of "
            "everybody are made from these, and their groups overlap, which intervals of gaps "
            "leave out of account."
        )
    if missing:
        sentences.append(f"Not every group is published of: {', '.join(missing).lower()}.")
    status = "inconclusive" if several or missing else "passed"
    return Check(name, status, " ".join(sentences) or "The groups of every grouping are everybody.")


def _direction(figures: Figures) -> Check:
    """Reversed labels do not contradict themselves, but would turn every year over."""
    name = "deprivation counts from the end it says"
    cells = figures.england.filter(breakdown=DECILES, measure="recovery")
    rated = with_rates(g.known(cells)).drop_nulls("rate")
    ends = [
        rated.filter(group=group).select("period", pl.col("rate").alias(f"of_{group}"))
        for group in ("1", "10")
    ]
    both = ends[0].join(ends[1], on="period")
    if both.is_empty():
        return Check(name, "not applicable", "There are no rates of both end deciles.")
    turned = both.filter(pl.col("of_1") >= pl.col("of_10")).height
    if turned == 0:
        return Check(
            name,
            "passed",
            "In every year fewer recover in the decile read as the most deprived than in the "
            "least, as in every annual report since 2017-18.",
        )
    return Check(
        name,
        "failed",
        f"In {turned} of {both.height} years more recover in the decile read as the most deprived "
        "than in the least. In no annual report since 2017-18 was that so: the labels may be "
        "reversed.",
    )
