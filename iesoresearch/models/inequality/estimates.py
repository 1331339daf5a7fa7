"""Numbers with intervals: weighted sums of proportions, and gaps between groups."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from iesoresearch.errors import ParameterError
from iesoresearch.models import proportions

POINTS = 100.0  # percentage points in a share


@dataclass(frozen=True)
class Estimate:
    """A number with its interval; NaN where it cannot be had."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> "Estimate":
        """In another unit; `factor` is above zero."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)


def combination(weights, events, n, level: float = proportions.LEVEL) -> Estimate:
    """Weighted sum of independent proportions, with an interval.

    The distances of the Wilson limits from each proportion, added as the sides of a right triangle
    (Zou, Huang & Zhang 2009, Computational Statistics & Data Analysis 53:1080–1085); Newcombe's
    interval of a difference is the case of the weights 1 and −1.

    Parameters
    ----------
    weights, events, n : (groups,) array_like
        Weights of either sign; those with the event; all, above zero wherever a weight is not zero.

    Raises
    ------
    ParameterError
        Lengths that differ, nobody where there is a weight; as `proportions.wilson`.
    """
    weights, events, n = (np.asarray(x, dtype=float) for x in (weights, events, n))
    if not weights.shape == events.shape == n.shape or weights.ndim != 1:
        raise ParameterError("A sum of proportions takes as many weights as events and people.")
    used = weights != 0
    if not (n[used] > 0).all():
        raise ParameterError("A sum of proportions has a weight for a group of nobody.")
    parts = proportions_of(events[used], n[used], level)
    return combined(weights[used], *parts)


def proportions_of(events: np.ndarray, n: np.ndarray, level: float) -> tuple[np.ndarray, ...]:
    """Rates with their Wilson limits, (groups,) each: what `combined` takes."""
    return events / n, *proportions.wilson(events, n, level)


def combined(
    weights: np.ndarray, rates: np.ndarray, lows: np.ndarray, highs: np.ndarray
) -> Estimate:
    """`combination` of rates whose limits are known already."""
    value = float(weights @ rates)
    down = np.where(weights > 0, rates - lows, highs - rates) * weights
    up = np.where(weights > 0, highs - rates, rates - lows) * weights
    return Estimate(value, value - _length(down), value + _length(up))


def gaps(events, n, reference: int, level: float = proportions.LEVEL) -> pl.DataFrame:
    """Absolute and relative gap of each group against one of them.

    Newcombe's interval of the difference and Koopman's of the ratio (`proportions`); nothing at the
    reference itself, nor for a group of nobody.

    Parameters
    ----------
    events, n : (groups,) array_like
        Those with the event, and all.
    reference
        Row of the group that the others are compared with, from 0.

    Returns
    -------
    polars.DataFrame
        points, points_low, points_high (percentage points, group minus reference), ratio,
        ratio_low, ratio_high (group over reference).

    Raises
    ------
    ParameterError
        Lengths that differ, a reference that is no row, impossible counts, or a level outside 0
        and 1.
    """
    events, n = np.asarray(events, dtype=float), np.asarray(n, dtype=float)
    if events.shape != n.shape or events.ndim != 1:
        raise ParameterError("Gaps between groups take as many events as groups of people.")
    if not isinstance(reference, int | np.integer) or reference not in range(len(n)):
        raise ParameterError(
            f"Gaps between groups: the reference is the row of a group, a number from 0 to "
            f"{len(n) - 1}, and not {reference!r}."
        )
    against = (events, n, events[reference], n[reference], level)
    columns = dict(
        zip(("points", "points_low", "points_high"), proportions.newcombe(*against), strict=True)
    )
    columns = {name: values * POINTS for name, values in columns.items()}
    columns |= zip(("ratio", "ratio_low", "ratio_high"), proportions.ratio(*against), strict=True)
    for values in columns.values():
        values[reference] = np.nan
    return pl.DataFrame(columns).fill_nan(None)


def _length(x: np.ndarray) -> float:
    return float(np.sqrt((x**2).sum()))
