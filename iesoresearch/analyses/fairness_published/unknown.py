"""How many courses, or referrals, are in no known group of a grouping."""

import polars as pl

from iesoresearch.analyses.fairness_published import groupings as g
from iesoresearch.data.published import labels

#: Points by which this share may move before two years compare other people.
MOST_MOVED = 10.0


def share(
    england: pl.DataFrame, year: str, breakdown: str, column: str = "finished"
) -> float | None:
    """Per cent of everybody in no known group; None where no row says how many.

    Parameters
    ----------
    england
        Cells of England.
    year, breakdown
        Of which; of ages in three bands it is that of ages.
    column
        "finished" or "referrals".
    """
    cells = england.filter(period=year, measure="recovery")
    breakdown = "age" if breakdown == g.COMMON_AGE else breakdown
    silent, summed = counted(cells, breakdown, column)
    whole = cells.filter(breakdown=labels.TOTAL)[column].drop_nulls()
    total = whole.item() if len(whole) == 1 else None
    if silent is not None and (total or summed):
        return 100 * silent / (total or summed)
    return 0.0 if total is not None and summed >= total else None  # nobody is left over


def counted(cells: pl.DataFrame, breakdown: str, column: str) -> tuple[float | None, float]:
    """Those in no known group, if a row says so, and the sum over all groups, with them."""
    of_it = cells.filter(breakdown=breakdown)
    silent = of_it.filter(pl.col("group").is_in(labels.SAYS_NOTHING))[column].drop_nulls()
    summed = of_it[column].sum()
    if breakdown == labels.ETHNICITY and silent.is_empty():
        # those of no known category are in the table of the five groups
        silent = cells.filter(breakdown=labels.ETHNIC, group="Not known")[column].drop_nulls()
        summed += silent.sum()
    return (None if silent.is_empty() else silent.sum()), summed
