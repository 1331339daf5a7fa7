"""People in the population that a user supplies: read, or refused by name."""

from pathlib import Path

import polars as pl

from iesoresearch.analyses.fairness.data import levels_of
from iesoresearch.data import locate
from iesoresearch.errors import DataError

COLUMNS = ("grouping", "level", "people")
FEWEST = 1000  # people of a grouping; a total below it is one of percentages or of patients


def read(name: str, search_path: tuple[Path, ...], groupings: tuple[str, ...]) -> pl.DataFrame:
    """People by grouping and level.

    Parameters
    ----------
    name
        Of the file, or its path.
    search_path
        Folders to look in.
    groupings
        Those that are audited; rows of others are left out.

    Returns
    -------
    polars.DataFrame
        ``grouping``, ``level``, ``people``.

    Raises
    ------
    DataError
        The file is absent, no CSV, lacks a column, has a level that the grouping does not have, a
        level twice, counts that are suppressed, no whole numbers or percentages, or none of the
        groupings.
    """
    path = locate.file_beside(name, search_path)
    try:
        table = pl.read_csv(path, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError):
        raise DataError(f"{path.name} cannot be read as CSV. {_ASKED}") from None
    absent = [column for column in COLUMNS if column not in table.columns]
    if absent:
        raise DataError(f"{path.name} lacks the column(s) {', '.join(absent)}. {_ASKED}")
    table = table.select(pl.col(COLUMNS).str.strip_chars())
    _refuse_levels(path.name, table)
    return _counts(path.name, table.filter(pl.col("grouping").is_in(groupings)))


_ASKED = (
    "The population is asked for as a CSV file with the columns grouping, level and people, one "
    "row per level, people in whole numbers."
)


def _refuse_levels(name: str, table: pl.DataFrame) -> None:
    known = levels_of()
    for grouping, level in table.select("grouping", "level").iter_rows():
        if grouping in known and level not in known[grouping]:
            raise DataError(
                f"{name}: {grouping} has no level {level!r}; its levels are "
                f"{', '.join(known[grouping])}. Write them so; deprivation 1 is the most deprived, "
                "though some published tables count the other way."
            )
    twice = table.filter(table.select("grouping", "level").is_duplicated())
    if twice.height:
        grouping, level = twice.row(0)[:2]
        raise DataError(
            f"{name}: {grouping}, {level} is there more than once. Groups that overlap "
            "cannot be compared with people who are in one each: keep one row per level."
        )


def _counts(name: str, table: pl.DataFrame) -> pl.DataFrame:
    if table.is_empty():
        raise DataError(
            f"{name} has none of the groupings that are audited. {_ASKED} Groupings are "
            f"{', '.join(levels_of())}."
        )
    counts = table["people"].str.replace_all(",", "").cast(pl.Int64, strict=False)
    unusable = table.filter(counts.is_null() | (counts < 1))
    if unusable.height:
        grouping, level, people = unusable.row(0)
        raise DataError(
            f"{name}: the people of {grouping}, {level} are {people!r}, no whole number above 0. "
            "Percentages say nothing without the number behind them, and a suppressed count (*) "
            "cannot stand below a rate: supply counts, or leave the level out."
        )
    table = table.with_columns(people=counts)
    totals = table.group_by("grouping", maintain_order=True).agg(pl.col("people").sum())
    few = totals.filter(pl.col("people") < FEWEST)
    if few.height:
        raise DataError(
            f"{name}: the people of {few['grouping'][0]} add up to {few['people'][0]}, fewer than "
            f"{FEWEST:,}. Are these percentages? Supply the number of people in the population."
        )
    return table
