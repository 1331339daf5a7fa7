"""What a model of case mix is fitted to: columns with names, added up over equal rows."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.case_mix import inputs

#: A level of an adjusting column with fewer people with, or without, the event joins others.
FEWEST = 10
CONSTANT = "constant"
POOLED = "(rare levels together)"
_TOGETHER = 1e-9  # of a column's sum of squares that the columns before it leave over


@dataclass(frozen=True)
class Design:
    """Binomial rows, equal ones added up, rows of a cluster next to each other.

    Attributes
    ----------
    x
        (rows, columns), the constant first.
    names
        Of the columns.
    n, events
        (rows,) people and, of these, with the event.
    starts
        (clusters + 1,) first row of each cluster, and the number of rows.
    """

    x: np.ndarray
    names: tuple[str, ...]
    n: np.ndarray
    events: np.ndarray
    starts: np.ndarray


def encoded(frame: pl.DataFrame, events: np.ndarray, n: np.ndarray) -> pl.DataFrame:
    """Columns of numbers: what is text becomes one column for each level but the largest.

    Levels with fewer than `FEWEST` people with or without the event are taken together, and join
    the largest level if they are too few even then: nothing could be estimated for them. A level
    reads "column=level". A column that is the same for everybody is left out.

    Parameters
    ----------
    frame
        One row per row of counts; numbers, booleans, or text. Without nulls.
    events, n
        (rows,).
    """
    out = {}
    for column in frame:
        if column.dtype.is_numeric() or column.dtype == pl.Boolean:
            values = column.cast(pl.Float64)
            if values.n_unique() > 1:
                out[column.name] = values
        else:
            out |= _indicators(column.cast(pl.String), events, n)
    return pl.DataFrame(out)


def _indicators(column: pl.Series, events: np.ndarray, n: np.ndarray) -> dict[str, pl.Series]:
    rows = pl.DataFrame({"level": column, "events": events, "n": n})
    sizes = rows.group_by("level", maintain_order=True).agg(pl.col("events", "n").sum())
    sizes = sizes.sort(["n", "level"], descending=[True, False])
    first = sizes["level"][0]
    rare = _rare(sizes["events"], sizes["n"]) & (sizes["level"] != first)
    names = dict(zip(sizes["level"], sizes["level"], strict=True))
    few = sizes.filter(rare)
    if few.height:
        enough = not _rare(few["events"].sum(), few["n"].sum())
        names |= dict.fromkeys(few["level"], POOLED if enough else first)
    column = column.replace_strict(names)
    kept = dict.fromkeys(name for name in names.values() if name != first)
    return {f"{column.name}={level}": (column == level).cast(pl.Float64) for level in kept}


def _rare(events, n):
    return (events < FEWEST) | (n - events < FEWEST)


def design(x: pl.DataFrame, events: np.ndarray, n: np.ndarray, cluster) -> Design:
    """Check the columns, put a constant before them, and add equal rows up.

    Parameters
    ----------
    x
        Columns of numbers, from `inputs.columns`.
    events, n
        (rows,) of each row, from `inputs.counts`.
    cluster
        (rows,) labels; None: all in one.

    Raises
    ------
    ParameterError
        Lengths that differ, or a column of no numbers.
    DataError
        Nulls, everybody or nobody has the event, or a column that is constant or follows from
        those before it.
    """
    counts = pl.DataFrame({"events": events, "n": n}, nan_to_null=True)
    labels = pl.Series("cluster", cluster if cluster is not None else [0] * counts.height)
    if not x.height == counts.height == len(labels) and x.width:
        raise ParameterError("A model of case mix takes as many rows of columns as of counts.")
    for name, kind in x.schema.items():
        if not (kind.is_numeric() or kind == pl.Boolean):
            raise ParameterError(
                f"The column '{name}' has no numbers. Hand over numbers, or text through `steps` "
                "or `standardise`, which make columns of its levels."
            )
    names = tuple(x.columns)
    inputs.refuse_empty(labels.to_frame(), counts, x)
    if not 0 < counts["events"].sum() < counts["n"].sum():
        raise DataError(
            "A model of case mix needs people with the event and people without; here everybody is "
            "the same. Choose another outcome or more patients."
        )
    rows = pl.DataFrame([labels, *counts, *(x[c].cast(pl.Float64).alias(f"x{c}") for c in names)])
    keys = rows.columns[:1] + rows.columns[3:]
    rows = rows.filter(pl.col("n") > 0).group_by(keys, maintain_order=True)
    rows = rows.agg(pl.col("events", "n").sum()).sort(keys)
    matrix = np.ones((rows.height, len(names) + 1))
    for j, key in enumerate(keys[1:], start=1):
        matrix[:, j] = rows[key].to_numpy()
    n, events = (rows[name].to_numpy(writable=True) for name in ("n", "events"))
    check_columns(matrix, n, (CONSTANT, *names))
    changes = rows.select(pl.col("cluster").rle_id())["cluster"].to_numpy()
    starts = np.searchsorted(changes, np.arange(changes[-1] + 2))
    return Design(matrix, (CONSTANT, *names), n, events, starts)


def check_columns(x: np.ndarray, n: np.ndarray, names: tuple[str, ...]) -> None:
    """Refuse a column that the columns before it determine.

    Parameters
    ----------
    x, n
        As in `Design`.
    names
        Of the columns.

    Raises
    ------
    DataError
        Naming the column.
    """
    centred = x - n @ x / n.sum()
    centred[:, 0] = x[:, 0]
    scale = np.sqrt(n @ centred**2)
    flat = np.ptp(x, axis=0) == 0
    flat[0] = False
    if flat.any():
        raise _determined(names[int(np.argmax(flat))], "is the same for everybody")
    gram = (centred / scale * n[:, None]).T @ (centred / scale)
    root = np.zeros_like(gram)
    for j in range(len(gram)):
        root[j, :j] = np.linalg.solve(root[:j, :j], gram[:j, j])
        left = gram[j, j] - root[j, :j] @ root[j, :j]
        if left < _TOGETHER:
            raise _determined(names[j], "follows from the columns before it")
        root[j, j] = np.sqrt(left)


def _determined(name: str, what: str) -> DataError:
    column = name.split("=")[0]
    return DataError(
        f"The column '{column}' {what}, so a model of case mix cannot tell what belongs to it. "
        "Leave it out, or the column that says the same."
    )
