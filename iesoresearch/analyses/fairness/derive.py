"""Columns that release computes anew from released counts, and what is compared of them."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl

from iesoresearch.models import proportions
from iesoresearch.results import Table, Value

Columns = dict[str, np.ndarray | list]
POINTS = 100.0
REFERENCE, LOWER, HIGHER, OPEN = "compared with", "lower", "higher", "not shown to differ"


def with_derived(
    table: Table, values: dict[str, Value], compute: Callable[[pl.DataFrame], Columns]
) -> Table:
    """`table` with columns that are functions of its frame, at release of the released one."""
    made = {
        name: replace(value, derive=partial(_column, compute=compute, name=name))
        for name, value in values.items()
    }
    frame = table.frame.with_columns(v.derive(table.frame).alias(n) for n, v in made.items())
    return replace(table, frame=frame, values=table.values | made)


def _column(frame: pl.DataFrame, compute, name: str) -> pl.Series:
    column = pl.Series(name, compute(frame)[name])
    return column.fill_nan(None) if column.dtype.is_float() else column


def people(frame: pl.DataFrame, column: str) -> np.ndarray:
    """Counts as floats, NaN where they are not shown."""
    return frame[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def beside(frame: pl.DataFrame, reference: dict[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """Of every row the row of its reference group, and whether it is that; -1 for none."""
    rows = {pair: i for i, pair in enumerate(frame.select("grouping", "level").iter_rows())}
    at = [rows.get((g, reference.get(g)), -1) for g in frame["grouping"]]
    return np.array(at, dtype=int), np.array(at, dtype=int) == np.arange(frame.height)


def compared(
    frame: pl.DataFrame, *, numerator: str, denominator: str, reference: dict[str, str]
) -> Columns:
    """Gap, ratio and finding of every group against the reference of its grouping.

    ``ratio`` with Koopman's interval; ``joint_low`` and ``joint_high`` (percentage points) are
    Newcombe's interval of the gap at a level divided by the number of comparisons within the
    grouping (Bonferroni), so that all of a grouping hold together in 95 of 100 audits; ``finding``
    says on which side of zero they lie.
    """
    events, n = people(frame, numerator), people(frame, denominator)
    at, is_reference = beside(frame, reference)
    known = (at >= 0) & ~is_reference & np.isfinite(n) & np.isfinite(events)
    known &= np.isfinite(n[at]) & np.isfinite(events[at]) & (n > 0) & (n[at] > 0)
    events_a, n_a = np.where(known, events, np.nan), np.where(known, n, np.nan)
    events_b, n_b = np.where(known, events[at], np.nan), np.where(known, n[at], np.nan)
    low, high = np.full(len(n), np.nan), np.full(len(n), np.nan)
    for size in np.unique(comparisons := _comparisons(frame, known)):
        rows = known & (comparisons == size)
        _, low[rows], high[rows] = proportions.newcombe(
            events_a[rows], n_a[rows], events_b[rows], n_b[rows], 1 - 0.05 / max(size, 1)
        )
    ratio, ratio_low, ratio_high = proportions.ratio(events_a, n_a, events_b, n_b)
    return {
        "ratio": ratio,
        "ratio_low": ratio_low,
        "ratio_high": np.where(np.isfinite(ratio_high), ratio_high, np.nan),
        "joint_low": POINTS * low,
        "joint_high": POINTS * high,
        "finding": [
            REFERENCE
            if own
            else None
            if not fine
            else LOWER
            if b < 0
            else HIGHER
            if a > 0
            else OPEN
            for own, fine, a, b in zip(is_reference, known, low, high, strict=True)
        ],
    }


def _comparisons(frame: pl.DataFrame, known: np.ndarray) -> np.ndarray:
    """How many comparisons there are in the grouping of each row."""
    marked = frame.select("grouping").with_columns(known=pl.Series(known))
    return marked.select(pl.col("known").sum().over("grouping")).to_series().to_numpy()
