"""Rates, gaps and numbers that release computes from released counts.

An exact rate beside a rounded number of people often tells the exact count. So here everything is a
function of counts as they are shown: rates with Wilson intervals (Wilson 1927,
doi:10.1080/01621459.1927.10502953) and gaps with Newcombe's (1998, Statistics in Medicine
17:873-890, method 10).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl

from iesoresearch.models import proportions
from iesoresearch.results import RELEASED, STATUS, Number, Table, Value

_LABELS = {"": "", "_low": "95 % from", "_high": "to"}  # end of the name -> heading


def with_rate(
    table: Table,
    name: str,
    numerator: str,
    denominator: str,
    label: str,
    digits: int = 1,
    scale: float = 100.0,
) -> Table:
    """`table` with a rate and its Wilson interval, both from released counts.

    Parameters
    ----------
    table
        Not released yet. The numerator is declared a part of the denominator (`Value.within`), so
        that the remainder is protected as well.
    name
        Of the new column; ``<name>_low`` and ``<name>_high`` are the ends of the interval.
    numerator, denominator
        Columns of counts.
    label
        Heading of the rate.
    digits
        Decimals shown.
    scale
        Of the rate, if everybody is counted: in per cent without.

    Raises
    ------
    ValueError
        The columns are no counts of the table.
    """
    part = _counts(table, numerator, denominator)
    if denominator not in part.wholes:
        part = replace(part, within=(*part.wholes, denominator) if part.within else denominator)
        table = replace(table, values=table.values | {numerator: part})
    shares = partial(_rates, numerator=numerator, denominator=denominator)
    return _with_columns(table, name, label, digits, part.sensitivity, shares, scale)


def with_share(table: Table, name: str, numerator: str, denominator: str, label: str) -> Table:
    """As `with_rate`, as a share with three decimals."""
    return with_rate(table, name, numerator, denominator, label, 3, 1.0)


def with_gap(
    table: Table,
    name: str,
    numerator: str,
    denominator: str,
    label: str,
    within: Sequence[str] = ("grouping",),
    reference: Mapping[str, str] | None = None,
    level: str = "level",
    digits: int = 1,
) -> Table:
    """`table` with gaps in percentage points to the reference group, with Newcombe's interval.

    Parameters
    ----------
    table
        Not released yet.
    name
        Of the new column; ``<name>_low`` and ``<name>_high`` are the ends of the interval.
    numerator, denominator
        Columns of counts.
    label
        Heading of the gap.
    within
        Keys within which rows are compared.
    reference
        Value of the last key of `within` -> level of the reference group; groupings it does not
        name have no gaps. Gaps of the reference group itself are null.
    level
        Key with the name of the group.
    digits
        Decimals shown.

    Raises
    ------
    ValueError
        The columns are no counts of the table, or a reference group is not there.
    """
    part = _counts(table, numerator, denominator)
    reference, last = dict(reference or {}), within[-1]
    there = set(table.frame.select(last, level).iter_rows())
    absent = [pair for pair in reference.items() if pair not in there]
    if absent:
        raise ValueError(f"Table {table.title!r} has no reference group {absent[0]}.")
    gaps = partial(
        _gaps, numerator=numerator, denominator=denominator, within=tuple(within),
        reference=reference, level=level,
    )  # fmt: skip
    return _with_columns(table, name, label, digits, part.sensitivity, gaps)


def number(
    table: str,
    column: str,
    unit: str = "",
    *,
    digits: int | None = None,
    scale: float = 1.0,
    value: float | None = None,
    n: int | None = None,
    **keys,
) -> Number:
    """A number that is the released cell of a table; suppressed where the cell is.

    Parameters
    ----------
    table
        Name of the table in the result.
    column
        Column of the cell; kind, digits and sensitivity are the column's.
    unit
        Shown behind the number.
    digits
        Decimals shown, where not those of the column.
    scale
        Of the number, if the cell is 1: 100 for per cent of a share.
    value, n
        What the analysis itself works with; release puts the cell in its place.
    **keys
        Keys of the row and their values.
    """
    cell = partial(
        _cell, table=table, column=column, unit=unit, digits=digits, scale=scale, keys=keys
    )
    return Number(value, n, unit, digits or 0, derive=cell)


def _cell(
    tables: Mapping[str, Table], table: str, column: str, unit: str, digits, scale, keys: dict
) -> Number:
    found = tables[table]
    rows = found.frame.filter(*(pl.col(key) == value for key, value in keys.items()))
    if rows.height != 1:
        raise ValueError(f"Table {found.title!r}: {rows.height} rows with {keys}, not one.")
    value, cell = found.values[column], rows[column].item()
    status = rows[STATUS].item() if cell is None and STATUS in rows.columns else RELEASED
    if cell is not None and scale != 1.0:
        cell *= scale
    return Number(
        cell, unit=unit, digits=value.digits if digits is None else digits, kind=value.kind,
        sensitivity=value.sensitivity, status=status,
    )  # fmt: skip


def _counts(table: Table, numerator: str, denominator: str) -> Value:
    """The declaration of the numerator."""
    for name in (numerator, denominator):
        if name not in table.values or table.values[name].kind != "count":
            raise ValueError(f"Table {table.title!r}: {name!r} is no count of it.")
    return table.values[numerator]


def _with_columns(
    table: Table, name, label, digits, sensitivity, compute, scale: float = 100.0
) -> Table:
    """The table with a column and the two ends of its interval, by a function of the frame."""
    frame, values = table.frame, {}
    for position, end in enumerate(_LABELS):
        derive = partial(_one_of, compute=compute, position=position, scale=scale)
        frame = frame.with_columns(derive(table.frame).alias(name + end))
        values[name + end] = Value(
            "model" if end else "rate", _LABELS[end] or label, digits,
            sensitivity=sensitivity, derive=derive,
        )  # fmt: skip
    return replace(table, frame=frame, values=table.values | values)


def _one_of(frame: pl.DataFrame, compute, position: int, scale: float) -> pl.Series:
    scaled = scale * np.asarray(compute(frame)[position], dtype=float)
    return pl.Series(scaled).fill_nan(None)


def _people(frame: pl.DataFrame, column: str) -> np.ndarray:
    """Counts as floats, NaN where they are not shown."""
    return frame[column].cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _rates(frame: pl.DataFrame, numerator: str, denominator: str) -> tuple[np.ndarray, ...]:
    events, n = _people(frame, numerator), _people(frame, denominator)
    low, high = proportions.wilson(events, n)
    share = np.divide(events, n, out=np.full(len(n), np.nan), where=n > 0)
    return share, low, high


def _gaps(
    frame: pl.DataFrame, numerator: str, denominator: str, within, reference, level
) -> tuple[np.ndarray, ...]:
    counts = pl.DataFrame({c: _people(frame, c) for c in (numerator, denominator)})
    keys = frame.select(*within, level)
    wanted = pl.Series([reference.get(g) for g in keys[within[-1]]], dtype=pl.String)
    is_reference = (keys[level].cast(pl.String) == wanted).fill_null(False)
    rows = keys.select(within).hstack(counts).filter(is_reference)
    beside = keys.select(within).join(rows, on=list(within), how="left", maintain_order="left")
    of, n = (beside[c].fill_null(float("nan")).to_numpy() for c in (numerator, denominator))
    found = proportions.newcombe(
        counts[numerator].to_numpy(), counts[denominator].to_numpy(), of, n
    )
    return tuple(np.where(is_reference.to_numpy(), np.nan, part) for part in found)
