"""What may be evaluated, and what is refused with a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import polars as pl

from iesoresearch.errors import DataError, ParameterError

MISSING = "missing"  # level of people whose group is not known
FEWEST_RESAMPLES = 100


@dataclass(frozen=True)
class Inputs:
    """Checked arguments of an evaluation.

    Attributes
    ----------
    y
        (people,) 0.0 or 1.0.
    p
        (people,) predictions.
    groups
        Name → (levels, (people,) 0-based level).
    clusters
        (people,) 0-based, or None.
    """

    y: np.ndarray
    p: np.ndarray
    groups: dict[str, tuple[list[str | int], np.ndarray]]
    clusters: np.ndarray | None


def checked(y, p, groups, clusters) -> Inputs:
    """Check outcomes, predictions, groups and clusters.

    Raises
    ------
    DataError
        Lengths that differ, nobody at all, what is no array of numbers, outcomes other than 0 and
        1, predictions that are missing or outside 0 to 1, clusters that are missing.
    """
    y, p = _outcomes(y), _predictions(p)
    if groups is None:
        groups = {}
    elif not isinstance(groups, Mapping):
        groups = {"group": groups}
    lengths = {"y": len(y), "p": len(p)} | {f"groups[{k!r}]": len(v) for k, v in groups.items()}
    if clusters is not None:
        lengths["clusters"] = len(clusters)
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} has {n}" for name, n in lengths.items())
        raise DataError(
            f"The arrays to evaluate differ in length: {told}. Give one row per person."
        )
    if not len(y):
        raise DataError("There is nobody to evaluate: y and p are empty.")
    coded = {str(name): _coded(values) for name, values in groups.items()}
    return Inputs(y, p, coded, None if clusters is None else _clusters(clusters))


def _outcomes(y) -> np.ndarray:
    values = _numbers(y, "y", "outcomes")
    wrong = int(np.sum((values != 0) & (values != 1)))
    if wrong:
        raise DataError(
            f"{wrong} of {len(values)} outcomes are missing or neither 0 nor 1. Leave people whose "
            "outcome is not known out, or impute it, before predictions are evaluated."
        )
    return values


def _numbers(given, name: str, what: str) -> np.ndarray:
    """(people,) floats, NaN for what is missing."""
    try:
        values = np.asarray(given)
        if values.dtype == object:
            values = np.where(np.equal(values, None), np.nan, values)
        values = values.astype(float)
    except (TypeError, ValueError):
        raise DataError(
            f"The {what} are not numbers. Give {name} as an array of numbers, one per person."
        ) from None
    if values.ndim != 1:
        raise DataError(
            f"The {what} have the shape {values.shape}. Give {name} as an array of numbers, one "
            "per person: of two columns of probabilities, the one of the event."
        )
    return values


def _predictions(p) -> np.ndarray:
    p = _numbers(p, "p", "predictions")
    missing = int(np.isnan(p).sum())
    if missing:
        raise DataError(
            f"{missing} of {len(p)} predictions are missing. Every person needs one: leave the "
            "others out of y and p alike, and say how many they are."
        )
    outside = int(np.sum((p < 0) | (p > 1)))
    if outside:
        raise DataError(
            f"{outside} of {len(p)} predictions are outside 0 to 1. Give probabilities of the "
            "event, not scores or percentages."
        )
    return p


def _series(values) -> pl.Series:
    """As a column; None, and NaN in place of a number or text, are null."""
    if isinstance(values, np.ndarray) and values.dtype == object:
        values = [None if value is None or value != value else value for value in values]
    series = pl.Series(values=values, strict=False)
    return series.fill_nan(None) if series.dtype.is_float() else series


def _coded(values) -> tuple[list[str | int], np.ndarray]:
    """Levels in order, and the 0-based level of everybody."""
    series = _series(values)
    if series.dtype.is_float():
        whole = series.drop_nulls()
        if (whole == whole.round()).all():
            series = series.cast(pl.Int64)
    if not series.dtype.is_integer() or series.null_count():
        series = series.cast(pl.String).fill_null(MISSING)
    return _in_order(series)


def _clusters(values) -> np.ndarray:
    series = _series(values)
    if series.null_count():
        raise DataError(
            f"{series.null_count()} of {len(series)} patients have no cluster. Whoever belongs to "
            "none is a cluster of their own: give them a name that nobody else has."
        )
    return _in_order(series)[1]


def _in_order(series: pl.Series) -> tuple[list, np.ndarray]:
    """Values in order, and the 0-based place of everybody's."""
    values = series.unique().sort()
    places = pl.Series(np.arange(len(values)))
    return values.to_list(), series.replace_strict(values, places).to_numpy()


def checked_thresholds(thresholds) -> tuple[float, ...]:
    """Thresholds in order.

    Raises
    ------
    ParameterError
        One is not strictly between 0 and 1, or given twice.
    """
    found = tuple(sorted(float(t) for t in np.ravel(thresholds)))
    if not all(0 < t < 1 for t in found) or len(set(found)) < len(found):
        raise ParameterError(
            f"thresholds={found} must be different probabilities strictly between 0 and 1."
        )
    return found


def check_numbers(n_boot: int, n_jobs: int) -> None:
    """Check resamples and threads.

    Raises
    ------
    ParameterError
        Fewer than `FEWEST_RESAMPLES` resamples, or no thread.
    """
    if not isinstance(n_boot, Integral) or n_boot < FEWEST_RESAMPLES:
        raise ParameterError(
            f"n_boot={n_boot}: the ends of an interval of 95 % need a whole number of at least "
            f"{FEWEST_RESAMPLES} resamples. For numbers without intervals, use "
            "iesoresearch.models.evaluation.metrics."
        )
    if not isinstance(n_jobs, Integral) or n_jobs < 1:
        raise ParameterError(f"n_jobs={n_jobs} must be a whole number of threads, 1 or more.")
