"""Control chart of a proportion over time."""

from dataclasses import dataclass

import numpy as np

WIDTH = 3  # standard deviations from the centre to the limits
PER_RANGE = 1.128  # mean range of two normal draws, in standard deviations


@dataclass(frozen=True)
class ControlChart:
    """Centre and limits, one of each limit per period.

    Attributes
    ----------
    spread
        How much the periods vary, as a multiple of what chance alone would give; NaN with fewer
        than two periods.
    low, high
        Limits of the p chart: what chance alone would give around the centre.
    low_adjusted, high_adjusted
        Limits widened (or narrowed) by `spread`: Laney's p' chart.
    """

    centre: float
    spread: float
    low: np.ndarray
    high: np.ndarray
    low_adjusted: np.ndarray
    high_adjusted: np.ndarray


def p_chart(numerators, denominators) -> ControlChart:
    """Limits of a p chart and of Laney's p' chart (Laney 2002, doi:10.1081/QEN-120003555).

    With many people per period a plain p chart finds nearly every period unusual, because it
    takes the true rate for constant; the p' chart measures from one period to the next how much
    the rate varies anyway (see also Mohammed & Laney 2006, doi:10.1136/qshc.2006.017830).

    Parameters
    ----------
    numerators, denominators
        Per period, in order of time; denominators above zero.
    """
    x, n = np.asarray(numerators, float), np.asarray(denominators, float)
    centre = float(x.sum() / n.sum())
    sigma = np.sqrt(centre * (1 - centre) / n)
    spread = float("nan")
    if len(x) > 1 and 0 < centre < 1:
        z = (x / n - centre) / sigma
        spread = float(np.abs(np.diff(z)).mean() / PER_RANGE)

    def limits(width):
        return np.clip([centre - width, centre + width], 0.0, 1.0)

    low, high = limits(WIDTH * sigma)
    low_adjusted, high_adjusted = limits(WIDTH * sigma * spread)
    return ControlChart(centre, spread, low, high, low_adjusted, high_adjusted)
