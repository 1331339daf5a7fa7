"""Columns of the canonical tables from arrays of integers."""

import datetime

import numpy as np
import polars as pl

START, N_DAYS = datetime.date(2022, 4, 1), 1096  # referrals of three financial years


def words(values, index: np.ndarray, all_values=None) -> pl.Series:
    """Entries of a code list by index; -1 is null."""
    values = list(values)
    known = pl.Series(values, dtype=pl.Enum(list(all_values or values)))
    picked = known.gather(pl.Series(np.maximum(index, 0).astype(np.uint32)))
    return picked.set(pl.Series(index < 0), None) if (index < 0).any() else picked


def dates(days: np.ndarray) -> pl.Series:
    """Dates from days since `START`."""
    origin = START.toordinal() - datetime.date(1970, 1, 1).toordinal()
    return pl.Series((days + origin).astype(np.int32)).cast(pl.Date)


def numbered(letter: str, n: int) -> pl.Series:
    """Pseudonyms: a letter and a number from 1 to `n`, of equal length."""
    numbers = pl.int_range(1, n + 1, eager=True).cast(pl.String).str.zfill(len(str(n)))
    return letter + numbers
