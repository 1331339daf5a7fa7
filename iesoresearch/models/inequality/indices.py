"""Slope and relative index of inequality over groups that have an order."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models import proportions
from iesoresearch.models.inequality.estimates import POINTS, Estimate, combined, proportions_of

_WIDEST = 30.0  # logarithm of how far from the estimate a limit of a ratio is looked for


@dataclass(frozen=True)
class Inequality:
    """Slope and relative index of inequality.

    Attributes
    ----------
    sii
        Rate expected at the most deprived end minus that at the least deprived end, in percentage
        points.
    rii
        The one divided by the other; NaN where the line has no rate above zero at an end.
    most, least
        These rates, in percent.
    ridits
        (groups,) middle of each group in the ranking, from 0 (most deprived) to 1; in the order in
        which they were given, NaN for a group of nobody.
    misfit
        Largest distance of a group's rate from the line, in percentage points.
    """

    sii: Estimate
    rii: Estimate
    most: float
    least: float
    ridits: np.ndarray
    misfit: float


def slope_index(
    events, n, order: Sequence | None = None, *, level: float = proportions.LEVEL
) -> Inequality:
    """Slope and relative index of inequality (Mackenbach & Kunst 1997, Soc Sci Med 44:757–771).

    Each group lies at its ridit, the share of people below its middle in the ranking, so that its
    size counts and not only its rank. A straight line over the ridits, by least squares weighted by
    people, gives the rates expected at either end: their difference and their ratio are the
    indices, whether or not the rates lie on the line (`misfit` says how far they do not). Both are
    of this one line; where the relative index is defined by a log-linear model of its own
    (Moreno-Betancur et al. 2015, Epidemiology, PMID 26000548), it is another number.

    The ends are weighted sums of the groups' rates: `combination` gives the interval of the
    difference, and of the ratio all values that it does not reject (Fieller's argument). Group
    sizes are taken as given.

    Parameters
    ----------
    events, n : (groups,) array_like
        Those with the event, and all. Groups of nobody are left out.
    order
        Number of each group's place, the most deprived lowest, such as deprivation deciles with 1
        the most deprived; by default the groups come in that order. Published tables may run the
        other way.
    level
        Of the intervals.

    Raises
    ------
    ParameterError
        Lengths that differ, impossible or absent counts, places that are no numbers or the same
        for two groups, or a level outside 0 and 1.
    DataError
        Fewer than three groups with anybody in them, or everybody or nobody has the event.
    """
    places = len(np.atleast_1d(n))
    events, n, inside = _ordered(events, n, order)
    ridits = (np.cumsum(n) - n / 2) / n.sum()
    sii, rii, most, least = _line(events, n, ridits, level)
    fitted = most + (least - most) * ridits
    every = np.full(places, np.nan)
    every[inside] = ridits
    return Inequality(
        sii=sii.times(POINTS),
        rii=rii,
        most=most * POINTS,
        least=least * POINTS,
        ridits=every,
        misfit=float(np.abs(events / n - fitted).max() * POINTS),
    )


def _ordered(events, n, order) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Counts from the most deprived on, and where each was before."""
    events, n = np.asarray(events, dtype=float), np.asarray(n, dtype=float)
    places = np.arange(len(n)) if order is None else np.asarray(order)
    if not events.shape == n.shape == places.shape or events.ndim != 1:
        raise ParameterError("An index of inequality takes as many events as groups and places.")
    if not ((events >= 0) & (events <= n) & np.isfinite(n)).all():
        raise ParameterError(
            "An index of inequality has a count that is absent, or events that are not between 0 "
            "and the number of people. A ranking without one of its groups is another ranking: "
            "take counts that are complete."
        )
    if places.dtype.kind not in "iuf" or not np.isfinite(places).all():
        raise ParameterError(
            "An index of inequality takes the places of groups as numbers: as text, 10 would come "
            "before 2. Give 1 for the most deprived group, 2 for the next, and so on."
        )
    if len(np.unique(places)) < len(places):
        raise ParameterError(
            "An index of inequality needs one place for each group; two have the same. Add their "
            "counts up first."
        )
    inside = np.flatnonzero(n > 0)
    inside = inside[np.argsort(places[inside])]
    events, n = events[inside], n[inside]
    if len(n) < 3 or not 0 < events.sum() < n.sum():
        raise DataError(
            "An index of inequality needs at least three groups with people in them, and both "
            f"people with and without the event; there are {len(n)} groups. Compare two groups "
            "with `gaps`."
        )
    return events, n, inside


def _line(events, n, ridits, level) -> tuple[Estimate, Estimate, float, float]:
    """Difference and ratio of the ends of the line, and the ends, as shares."""
    share = n / n.sum()
    slope = share * (ridits - 0.5) / (share @ (ridits - 0.5) ** 2)
    most, least = share - slope / 2, share + slope / 2
    parts = proportions_of(events, n, level)
    ends = float(most @ parts[0]), float(least @ parts[0])
    rii = Estimate(*[float("nan")] * 3) if min(ends) <= 0 else _quotient(most, least, parts)
    return combined(most - least, *parts), rii, *ends


def _quotient(above: np.ndarray, below: np.ndarray, parts: tuple[np.ndarray, ...]) -> Estimate:
    """Ratio of two weighted sums above zero: all values at which the difference may be zero."""
    middle = math.log(float(above @ parts[0]) / float(below @ parts[0]))

    def limit(side: float) -> float:
        def excess(log_ratio: float) -> float:
            off = combined(above - math.exp(log_ratio) * below, *parts)
            return off.high if side > 0 else off.low

        if excess(middle + side * _WIDEST) * side > 0:
            return math.inf if side > 0 else 0.0
        return math.exp(optimize.brentq(excess, middle, middle + side * _WIDEST, xtol=1e-12))

    return Estimate(math.exp(middle), limit(-1.0), limit(1.0))
