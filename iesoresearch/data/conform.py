"""Bring a table into the columns and types of its schema, and say what is wrong with it.

What is wrong is counted, never quoted: neither a cell nor an unknown column name is repeated,
because in a file without a header row the names are somebody's record.
"""

import difflib

import dataframely as dy
import polars as pl

from iesoresearch.measures import INSTRUMENTS


def conform(frame: pl.DataFrame, schema: type[dy.Schema]) -> tuple[pl.DataFrame, list[str]]:
    """`frame` with exactly the columns of `schema`, and a sentence for every problem."""
    columns = schema.columns()
    problems = _unknown(frame, columns) + _absent(frame, columns)
    if problems:
        return frame, problems
    if frame.is_empty():
        return frame, ["there is no row"]
    series = []
    for name, column in columns.items():
        if name not in frame.columns:
            series.append(pl.Series(name, [None] * len(frame), dtype=column.dtype))
            continue
        converted, problem = _convert(frame[name], column)
        series.append(converted)
        problems += [f"{name}: {problem}"] if problem else []
    if problems:
        return frame, problems
    frame = pl.DataFrame(series)
    return frame, _broken_rules(frame, schema)


def _unknown(frame: pl.DataFrame, columns) -> list[str]:
    unknown = [c for c in frame.columns if c not in columns]
    if not unknown:
        return []
    if not set(frame.columns) & set(columns):
        return [
            "no column has a name of the schema; the file may have no header row, another "
            "separator than a comma, or another encoding than UTF-8"
        ]
    problems = [f"{len(unknown)} column(s) are not part of the schema"]
    for name in unknown:
        close = difflib.get_close_matches(name.strip().lower(), list(columns), n=1, cutoff=0.8)
        if close:
            problems.append(f"one of them looks like {close[0]}")
    return problems


def _absent(frame: pl.DataFrame, columns) -> list[str]:
    """Required columns, and items of a questionnaire that is only partly there."""
    absent = [c for c, column in columns.items() if not column.nullable and c not in frame.columns]
    for instrument in INSTRUMENTS.values():
        missing = [c for c in instrument.columns if c in columns and c not in frame.columns]
        if len(missing) < len(instrument.columns):
            absent += missing
    return [f"the column {c} is absent" for c in absent]


def _convert(values: pl.Series, column: dy.Column) -> tuple[pl.Series, str]:
    """`values` in the type of `column`, and what could not be converted."""
    wanted = column.dtype
    try:
        converted = _cast(values, wanted)
    except (pl.exceptions.PolarsError, ValueError, OverflowError, TypeError):
        converted = None
    if converted is None:
        return values, f"holds {values.dtype} where {_in_words(column)} is wanted"
    missing = values.is_nan().fill_null(True) if values.dtype.is_float() else values.is_null()
    if values.dtype == pl.String:
        missing = missing | (values.str.strip_chars() == "").fill_null(True)
    lost = int((converted.is_null() & ~missing).sum())
    return converted, f"{lost} value(s) are not {_in_words(column)}" if lost else ""


def _cast(values: pl.Series, wanted) -> pl.Series | None:
    """Cast; null where a value does not fit, None where the types have nothing in common."""
    if isinstance(values.dtype, pl.Categorical | pl.Enum):
        values = values.cast(pl.String)
    text = values.dtype == pl.String
    if text:
        values = values.str.strip_chars()
    if wanted == pl.Date:
        if text:
            return values.str.to_date("%Y-%m-%d", strict=False)
        return values.cast(pl.Date) if values.dtype.is_temporal() else _if_empty(values, wanted)
    if wanted.is_numeric():
        if not (text or values.dtype.is_numeric()):
            return _if_empty(values, wanted)
        numbers = values.cast(pl.Float64, strict=False).fill_nan(None)
        if wanted.is_integer():
            # pandas writes whole numbers as 1.0 once a value is missing; 1.5 is no answer
            numbers = numbers.set((numbers != numbers.round()).fill_null(False), None)
            # far too large is for the rule about the maximum to say
            numbers = numbers.clip(upper_bound=wanted.max().item())
        return numbers.cast(wanted, strict=False)
    if not (text or values.dtype.is_integer()):
        return _if_empty(values, wanted)
    return values.cast(pl.String).replace("", None).cast(wanted, strict=False)


def _if_empty(values: pl.Series, wanted) -> pl.Series | None:
    return values.cast(pl.Null).cast(wanted) if values.null_count() == len(values) else None


def _in_words(column: dy.Column) -> str:
    if column.dtype == pl.Enum:
        return f"one of {', '.join(column.dtype.categories)}"
    if column.dtype == pl.Date:
        return "a date like 2024-01-31"
    if column.dtype == pl.String:
        return "text"
    if column.dtype.is_unsigned_integer():
        return "a whole number of 0 or more"
    return "a whole number" if column.dtype.is_integer() else "a number"


def _broken_rules(frame: pl.DataFrame, schema: type[dy.Schema]) -> list[str]:
    problems = []
    _, failure = schema.filter(frame)
    for rule, n in failure.counts().items():
        name, _, bound = rule.partition("|")
        if bound in ("min", "max"):
            limit = getattr(schema.columns()[name], bound)
            problems.append(f"{name}: {n} value(s) beyond the {bound}imum of {limit}")
        elif bound == "nullability":
            problems.append(f"{name}: {n} value(s) are missing")
        elif rule == "primary_key":
            problems.append(f"{n} rows share their {' and '.join(schema.primary_key())}")
        else:
            problems.append(f"{n} rows break the rule {rule}")
    return problems
