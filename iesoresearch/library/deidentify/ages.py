"""Ages as bands of five years, cut where published tables cut: 18, 26, 65, 75 and 90.

An age is stored as the middle of its band, so that it stays a number and in its published group.
"""

import itertools

import polars as pl

OLDEST = 120  # years
CUTS = (0, 18, 26, 65, 75, 90)
_WIDTH = 5
_LAST = 94  # of the open band: 90 and over is stored as 92


def bands() -> list[tuple[int, int]]:
    """First and last age of every band, in order; the last band is open."""
    edges = [*CUTS, _LAST + 1]
    return [
        (start, min(start + _WIDTH, end) - 1)
        for low, end in itertools.pairwise(edges)
        for start in range(low, end, _WIDTH)
    ]


def banded(age: pl.Expr) -> pl.Expr:
    """The middle of the band of an age, rounded down; null for a missing or impossible one."""
    middle = pl.lit(None, pl.UInt8)
    for low, high in bands():
        middle = pl.when(age >= low).then(pl.lit((low + high) // 2, pl.UInt8)).otherwise(middle)
    return pl.when(age.is_between(0, OLDEST)).then(middle)


def age_on(day: pl.Expr, born: pl.Expr) -> pl.Expr:
    """Whole years from the birth to a day; negative before it, null where either is missing.

    Whoever was born on 29 February is a year older on 1 March of other years.
    """
    before = (day.dt.month() < born.dt.month()) | (
        (day.dt.month() == born.dt.month()) & (day.dt.day() < born.dt.day())
    )
    return day.dt.year() - born.dt.year() - before.cast(pl.Int32)


def possible(age: pl.Expr) -> pl.Expr:
    """The age, or null where nobody can have it."""
    return pl.when(age.is_between(0, OLDEST)).then(age).cast(pl.UInt8)
