"""What callers hand over, made into columns, or refused before anything is computed with it."""

import numpy as np
import polars as pl

from iesoresearch.errors import DataError, ParameterError


def counts(events, n=None) -> tuple[np.ndarray, np.ndarray]:
    """Events and people of each row as numbers, (rows,) each; NaN where a count is not known.

    Parameters
    ----------
    events, n : (rows,) array_like
        Booleans or whole numbers; without `n` each row is one patient.

    Raises
    ------
    ParameterError
        Text, two dimensions, lengths that differ, or impossible counts.
    """
    try:
        events = np.asarray(events, dtype=float)
        n = np.ones(events.shape) if n is None else np.asarray(n, dtype=float)
    except (TypeError, ValueError):
        raise ParameterError(
            "Case mix: events and people are numbers or booleans, and there is something else. "
            "Make 1 of those with the event and 0 of those without."
        ) from None
    if events.shape != n.shape or events.ndim != 1:
        raise ParameterError("Case mix: events and people are two columns of the same length.")
    if np.isinf(n).any() or (events < 0).any() or (n < 0).any() or (events > n).any():
        raise ParameterError(
            "Case mix: a count is below 0 or infinite, or there are more events than people. "
            "Without `n` every row is one patient, with the event (1) or without (0)."
        )
    if any((x % 1 > 0).any() for x in (events, n)):
        raise ParameterError("Case mix: a count of events or people is no whole number.")
    return events, n


def labels(values, what: str) -> pl.Series:
    """Labels as a column named `what`; null where there is none.

    Raises
    ------
    ParameterError
        No sequence of labels of one kind.
    """
    try:
        found = pl.Series(what, values)
        found.cast(pl.String)
    except (TypeError, ValueError, pl.exceptions.PolarsError):
        raise ParameterError(
            f"Case mix: '{what}' takes one label for each row, all text or all whole numbers, and "
            "None where there is none."
        ) from None
    return found.fill_nan(None) if found.dtype.is_float() else found


def columns(x: pl.DataFrame | None) -> pl.DataFrame:
    """Columns of case mix, NaN made null; none if there are none.

    Raises
    ------
    ParameterError
        No polars.DataFrame, or a column of lists or of infinite numbers.
    """
    if x is None:
        return pl.DataFrame()
    if not isinstance(x, pl.DataFrame):
        raise ParameterError(
            "Case mix: the columns are a polars.DataFrame, for their names are those of the "
            f"coefficients; this is a {type(x).__name__}. pl.DataFrame({{name: values}}) makes one."
        )
    for column in x:
        if column.dtype.is_nested() or column.dtype == pl.Object:
            raise ParameterError(f"Case mix: the column '{column.name}' holds no single values.")
        if column.dtype.is_float() and column.is_infinite().any():
            raise ParameterError(f"Case mix: the column '{column.name}' has infinite numbers.")
    return x.with_columns(pl.selectors.float().fill_nan(None))


def refuse_empty(*frames: pl.DataFrame) -> None:
    """Refuse a column with an empty cell.

    Raises
    ------
    DataError
        Naming the column.
    """
    holes = [column.name for frame in frames for column in frame if column.null_count()]
    if holes:
        raise DataError(
            f"Case mix: there are empty cells in the column '{holes[0]}'. Leave those rows out, as "
            "`steps` does, or make missing a level of its own."
        )
