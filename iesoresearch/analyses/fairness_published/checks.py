"""Questions that `fairness_published` asks of its figures."""

import polars as pl

from iesoresearch.analyses.fairness_published import places
from iesoresearch.analyses.fairness_published.data import Figures
from iesoresearch.analyses.fairness_published.deprivation import ends
from iesoresearch.results import Check, Table


def checks(figures: Figures, tables: dict[str, Table]) -> list[Check]:
    """All of them."""
    return [
        _reproduced(tables["reproduced"]),
        _rounded(tables["reproduced"]),
        _exact(figures),
        _sums(figures, tables["coverage"]),
        _extreme(tables),
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


def _sums(figures: Figures, table: Table) -> Check:
    """Groups that count a patient twice, and groups that are missing."""
    name = "groups together are everybody, once"
    whole = figures.england.filter(period=figures.year, breakdown="total", measure="recovery")
    if whole["finished"].drop_nulls().is_empty():
        return Check(name, "not applicable", "The total of England is not there or suppressed.")
    known = table.frame
    several = known.filter(pl.col("several") > 0)["grouping"].to_list()
    # another set of bands of age has fewer groups, and everybody in them
    lacking = pl.col("several").is_null() | (pl.col("several") < 0)
    partly = known.filter(lacking, pl.col("groups") < pl.col("most"))
    missing = [
        f"{grouping.lower()} ({held} of {most} groups)"
        for grouping, held, most in partly.select("grouping", "groups", "most").iter_rows()
    ]
    silent = known.filter(pl.col("unknown").is_null())["grouping"].to_list()
    sentences = []
    if several:
        sentences.append(
            f"More than one answer is possible for: {', '.join(several).lower()}. No shares of "
            "everybody are made from these, and their groups overlap, which intervals of gaps "
            "leave out of account."
        )
    if missing:
        sentences.append(f"Not every group is {figures.where} of: {', '.join(missing)}.")
    if silent:
        sentences.append(
            f"How many are in no known group is not {figures.where} for: "
            f"{', '.join(silent).lower()}."
        )
    return Check(
        name,
        "inconclusive" if sentences else "passed",
        " ".join(sentences) or "The groups of every grouping are everybody.",
    )


def _extreme(tables: dict[str, Table]) -> Check:
    """None or all of many is rather how somebody records than what happened."""
    name = "no provider has an outcome in none or all of its courses"
    if "providers" not in tables:
        return Check(name, "not applicable", "There is no funnel of providers.")
    odd = tables["providers"].frame.filter(place=places.EXTREME)
    if odd.is_empty():
        return Check(name, "passed", f"Of those with {places.FEWEST} courses or more none has.")
    return Check(
        name,
        "inconclusive",
        "With 0 % or 100 %: {funnel_odd} of {funnel_shown} providers of "
        f"{places.FEWEST} courses or more. That is a question of recording "
        "before one of how good they are: they are shown, and left out of what the others are "
        "compared with and of how far providers differ.",
    )


def _direction(figures: Figures) -> Check:
    """Reversed labels do not contradict themselves, but would turn every year over."""
    name = "deprivation counts from the end it says"
    reversed_years, years = ends(figures)
    if years == 0:
        return Check(name, "not applicable", "There are no rates of both end deciles.")
    if reversed_years == 0:
        return Check(
            name,
            "passed",
            "In every year fewer recover in the decile read as the most deprived than in the "
            "least, as in every annual report since 2017-18.",
        )
    return Check(
        name,
        "failed",
        f"In {reversed_years} of {years} years more recover in the decile read as the most "
        "deprived than in the least. In no annual report since 2017-18 was that so: the labels may "
        "be reversed, and nothing is said of deprivation.",
    )
