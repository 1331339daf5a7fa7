"""From columns to codes: outcomes, decisions, groups that may overlap or not."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from iesoresearch.errors import DataError, ParameterError

_MOST = 1000  # levels of a grouping: more are an identifier or a measurement


@dataclass(frozen=True)
class Grouping:
    """Groups of one kind.

    Attributes
    ----------
    name
        Of the grouping, such as "Gender".
    levels
        Names of the groups, in order.
    codes
        (rows,) small integers.
    member
        (codes, levels) whether rows of a code belong to a level; a row may belong to several, or to
        none.
    """

    name: str
    levels: tuple[str, ...]
    codes: np.ndarray
    member: np.ndarray

    @property
    def overlaps(self) -> bool:
        """Whether somebody belongs to two levels."""
        return bool((self.member.sum(axis=1) > 1).any())


def binary(values, name: str) -> np.ndarray:
    """(rows,) 0 and 1 as uint8.

    Raises
    ------
    DataError
        Missing values, or others than 0 and 1.
    """
    series = values if isinstance(values, pl.Series) else None
    array = np.asarray(values) if series is None else series.to_numpy()
    if array.ndim == 1 and array.dtype == np.bool_:
        return np.ascontiguousarray(array).view(np.uint8)
    try:
        array = array.astype(np.float64)
    except (TypeError, ValueError):
        array = np.full(1, 2.0)
    if np.isnan(array).any():
        raise DataError(
            f"Audit by group: `{name}` has missing values. Leave out patients for whom it is not "
            "known, in every column alike, and say how many they are."
        )
    if array.ndim != 1 or not ((array == 0) | (array == 1)).all():
        raise DataError(
            f"Audit by group: `{name}` has to be one column of yes and no, or 1 and 0. Make a "
            "decision of a probability with a threshold, such as p >= 0.5."
        )
    return array.astype(np.uint8)


def groupings(groups, n: int) -> list[Grouping]:
    """Every grouping as codes.

    Parameters
    ----------
    groups
        Name → one group per row, or name → {group → whether a row belongs to it} where groups
        overlap; or a data frame of such columns.
    n
        Rows that there must be.

    Raises
    ------
    DataError
        A grouping with missing groups, another length, one group only, or too many.
    ParameterError
        No grouping.
    """
    if isinstance(groups, pl.DataFrame):
        groups = groups.to_dict()
    if not isinstance(groups, Mapping) or not groups:
        raise ParameterError(
            "Audit by group: there is no grouping. Hand over one column per grouping, by name."
        )
    found = []
    for name, values in groups.items():
        made = _flags(name, values) if isinstance(values, Mapping) else _column(name, values)
        if len(made.codes) != n:
            raise DataError(
                f"Audit by group: grouping '{name}' has {len(made.codes):,} rows where there are "
                f"{n:,} outcomes. Hand over one group per row."
            )
        if len(made.levels) < 2:
            raise DataError(
                f"Audit by group: grouping '{name}' is the same for everybody, so that there is "
                "nothing to compare. Leave it out."
            )
        found.append(made)
    return found


def labels(values, name: str, n: int) -> np.ndarray:
    """(rows,) codes from 0 of clusters or strata.

    Raises
    ------
    DataError
        Missing values or another length.
    """
    series = _series(values)
    if len(series) != n or _missing(series):
        raise DataError(
            f"Audit by group: `{name}` has to say of each of the {n:,} rows where it belongs. "
            "Name what is not known, or leave such rows out."
        )
    return np.unique(series.to_numpy(), return_inverse=True)[1].ravel()


def _column(name: str, values) -> Grouping:
    """Groups that exclude each other."""
    series = _series(values)
    if _missing(series):
        raise DataError(
            f"Audit by group: grouping '{name}' has missing values. Name them, such as 'not "
            "recorded', so that these patients are a group of their own."
        )
    whole = series.dtype.is_integer()
    if whole:
        found = series.unique().sort()
    elif series.dtype == pl.Enum:
        found = series.dtype.categories
    else:
        found = series.unique().cast(pl.String).sort()
    if len(found) > _MOST:
        raise DataError(
            f"Audit by group: grouping '{name}' has more than {_MOST:,} groups. Is it an "
            "identifier, or a measurement that wants bands?"
        )
    if whole:
        codes = np.searchsorted(found.to_numpy(), series.to_numpy())
    else:
        if series.dtype not in (pl.Enum, pl.Categorical):
            series = series.cast(pl.String)
        codes = series.cast(pl.Enum(found)).to_physical().to_numpy()
    codes = codes.astype(np.uint8 if len(found) <= 256 else np.uint16, copy=False)
    levels = tuple(str(level) for level in found)
    return Grouping(name, levels, codes, np.eye(len(levels), dtype=bool))


def _flags(name: str, values: Mapping) -> Grouping:
    """Groups that may overlap: each row's set of groups is its code."""
    columns = [binary(flag, f"{name}: {level}") for level, flag in values.items()]
    if len({len(column) for column in columns}) > 1 or not 0 < len(columns) < 63:
        raise DataError(
            f"Audit by group: the groups of '{name}' have to be columns of equal length, at most "
            "62. Hand over for each whether a row belongs to it."
        )
    key = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        key *= 2
        key += column
    sets, codes = np.unique(key, return_inverse=True)
    member = (sets[:, None] >> np.arange(len(columns) - 1, -1, -1)) & 1 == 1
    levels = tuple(str(level) for level in values)
    return Grouping(name, levels, codes.ravel(), member)


def _series(values) -> pl.Series:
    return values if isinstance(values, pl.Series) else pl.Series(values=np.asarray(values))


def _missing(series: pl.Series) -> bool:
    return bool(series.null_count()) or (series.dtype.is_float() and bool(series.is_nan().any()))
