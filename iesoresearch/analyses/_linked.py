"""Relations between counts of an analysis, as far as they are so of its records."""

from collections.abc import Iterable, Mapping

import polars as pl

from iesoresearch.results import At, Related, Table, relate


def together(tables: Mapping[str, Table], relations: Iterable[Related]) -> dict[str, Table]:
    """The tables with those relations whose counts are all there, and add up.

    Some depend on the records: who has no prediction is at risk and not judged.
    """
    return relate(tables, [one for one in relations if _holds(one, tables)])


def same(at: At, *others: At) -> Iterable[Related]:
    """All are one count."""
    yield from ((at, (other,), True) for other in others)


def rows_of(table: Table, /, **keys) -> list[tuple]:
    """The keys of the rows that have these."""
    return table.frame.filter(**keys).select(list(table.keys)).rows()


def cells(tables: Mapping[str, Table], name: str, column: str, /, **keys) -> list[At]:
    """The counts of a column in the rows that have these keys; none without the table."""
    return [(name, column, row) for row in rows_of(tables[name], **keys)] if name in tables else []


def _holds(one: Related, tables: Mapping[str, Table]) -> bool:
    whole, parts, exact = one
    total, *counts = (_count(tables, at) for at in (whole, *parts))
    if not counts or None in (total, *counts):
        return False
    return sum(counts) == total if exact else max(counts) <= total


def _count(tables: Mapping[str, Table], at: At) -> int | None:
    name, column, row = at
    if name not in tables or column not in tables[name].values:
        return None
    rows = tables[name].frame.filter(
        *(pl.col(key) == value for key, value in zip(tables[name].keys, row, strict=True))
    )
    return rows[column].item() if rows.height == 1 else None
