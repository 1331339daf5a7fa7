"""Intervals of proportions, of their differences and of their ratios, from counts.

All take arrays that broadcast, and give NaN where there is nobody (n = 0) or a count is NaN.
"""

import numpy as np
from scipy import special

from iesoresearch.errors import ParameterError
from iesoresearch.measures.outcomes import wilson_limits

LEVEL = 0.95
_HALVINGS = 50  # of an interval on the logarithmic scale: to a part in 1e13
_WIDEST = 60.0  # logarithm of the largest ratio looked for


def wilson(events, n, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Score interval of a proportion (Wilson 1927, doi:10.1080/01621459.1927.10502953).

    Parameters
    ----------
    events, n
        Those with the event, and all; broadcast. They need not be whole numbers.
    level
        How often the interval should hold the truth.

    Returns
    -------
    tuple of numpy.ndarray
        Lower and upper limit, shares from 0 to 1.

    Raises
    ------
    ParameterError
        Counts that are negative or above n, or a level outside 0 and 1.
    """
    return score(events, n, _normal(level))


def score(events, n, z) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's interval at a quantile, which broadcasts with the counts.

    Parameters, value and errors as of `wilson`; `z` is the normal quantile of a level, or Student's
    t where `n` is a number of people worth as much as those of a few clusters.
    """
    events, n = _counts(events, n)
    rate = _share(events, n)
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        low, high = wilson_limits(rate, n, np.asarray(z, dtype=float))
    # at 0 of n and n of n rounding errors must leave neither the rate outside nor a limit below 0
    return np.clip(np.minimum(low, rate), 0, 1), np.clip(np.maximum(high, rate), 0, 1)


def jeffreys(events, n, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Equal-tailed interval from Jeffreys's prior, Beta(½, ½).

    The lower limit of no event is 0 and the upper one of nothing else is 1 (Brown, Cai & DasGupta
    2001, doi:10.1214/ss/1009213286). Parameters, value and errors as of `wilson`.
    """
    events, n = _counts(events, n)
    tail = special.ndtr(-_normal(level))
    counted = n > 0
    a, b = np.where(counted, events, np.nan) + 0.5, n - events + 0.5
    low = np.where(events == 0, np.where(counted, 0.0, np.nan), special.betaincinv(a, b, tail))
    high = special.betaincinv(a, b, 1 - tail)
    return low, np.where(events == n, np.where(counted, 1.0, np.nan), high)


def newcombe(
    events_a, n_a, events_b, n_b, level: float = LEVEL
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Difference a − b of two independent proportions, with its hybrid score interval.

    Method 10 of Newcombe 1998, Statistics in Medicine 17:873–890: how far the Wilson limits of both
    lie from their proportions, added as the sides of a right triangle.

    Parameters
    ----------
    events_a, n_a, events_b, n_b
        Those with the event, and all, of both groups; broadcast.
    level
        How often the interval should hold the truth.

    Returns
    -------
    tuple of numpy.ndarray
        Difference, lower and upper limit, from −1 to 1.

    Raises
    ------
    ParameterError
        As `wilson`.
    """
    a, b = (
        (_share(*_counts(events, n)), *wilson(events, n, level))
        for events, n in ((events_a, n_a), (events_b, n_b))
    )
    return (a[0] - b[0], *mover(a, b))


def mover(a, b, correlation=0.0) -> tuple[np.ndarray, np.ndarray]:
    """Limits of the difference a − b from the limits of both (MOVER).

    Zou & Donner 2008, Statistics in Medicine 27:1693–1702. With Wilson's limits and no correlation
    it is Newcombe's method 10.

    Parameters
    ----------
    a, b
        (estimate, lower limit, upper limit) each; all broadcast.
    correlation
        Of the two estimates.
    """
    (value_a, low_a, high_a), (value_b, low_b, high_b) = a, b
    difference = value_a - value_b
    down = _together(value_a - low_a, high_b - value_b, correlation)
    return difference - down, difference + _together(high_a - value_a, value_b - low_b, correlation)


def ratio(
    events_a, n_a, events_b, n_b, level: float = LEVEL
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ratio a ÷ b of two independent proportions, with its score interval.

    Koopman 1984 (Biometrics 40:513–517): all ratios that a score test does not reject, both
    proportions being the likeliest ones with that ratio (closed form: Miettinen & Nurminen 1985,
    Statistics in Medicine 4:213–226). It is 0 with a lower limit of 0 where nobody of a has the
    event, infinite where nobody of b has, and NaN where nobody of either. Parameters and errors as
    of `newcombe`.

    Returns
    -------
    tuple of numpy.ndarray
        Ratio, lower and upper limit.
    """
    (x, n), (y, m) = _counts(events_a, n_a), _counts(events_b, n_b)
    x, n, y, m = np.broadcast_arrays(x, n, y, m)
    none = ~((n > 0) & (m > 0) & (x + y > 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(none, np.nan, (x / n) / (y / m))
        start = np.where((x > 0) & (y > 0) & ~none, np.log(value), 0.0)
    z = _normal(level)
    # with no event in one of them, the limit sought lies on either side of any start
    low_start = np.where(y == 0, _WIDEST, start)
    high_start = np.where(x == 0, -_WIDEST, start)
    low = np.where(x == 0, 0.0, np.exp(_limit(x, n, y, m, z, -_WIDEST, low_start)))
    high = np.where(y == 0, np.inf, np.exp(_limit(x, n, y, m, z, _WIDEST, high_start)))
    return value, np.where(none, np.nan, low), np.where(none, np.nan, high)


def _limit(x, n, y, m, z: float, rejected, kept) -> np.ndarray:
    """Logarithm of the ratio between those rejected and those kept, by halving."""
    rejected, kept = np.broadcast_to(rejected, x.shape), np.broadcast_to(kept, x.shape)
    for _ in range(_HALVINGS):
        middle = (rejected + kept) / 2
        inside = _score(x, n, y, m, np.exp(middle)) <= z
        rejected, kept = np.where(inside, rejected, middle), np.where(inside, middle, kept)
    return (rejected + kept) / 2


def _score(x, n, y, m, theta) -> np.ndarray:
    """Score statistic of a ratio of `theta`, without its sign."""
    a, b, c = (n + m) * theta, n * theta + x + m + y * theta, x + y
    with np.errstate(divide="ignore", invalid="ignore"):
        # 2c / (b + √…) in place of (b − √…) / 2a, which would lose every digit of small ratios
        p_b = 2 * c / (b + np.sqrt(np.maximum(b * b - 4 * a * c, 0.0)))
        p_a = theta * p_b
        variance = p_a * (1 - p_a) / n + theta**2 * p_b * (1 - p_b) / m
        return np.abs(x / n - theta * (y / m)) / np.sqrt(np.maximum(variance, 0.0))


def _together(one, other, correlation) -> np.ndarray:
    return np.sqrt(np.maximum(one * one + other * other - 2 * correlation * one * other, 0.0))


def _share(events, n) -> np.ndarray:
    return events / np.where(n > 0, n, np.nan)


def _counts(events, n) -> tuple[np.ndarray, np.ndarray]:
    events, n = np.broadcast_arrays(np.asarray(events, dtype=float), np.asarray(n, dtype=float))
    if (events < 0).any() or (events > n).any() or np.isinf(n).any():
        raise ParameterError(
            "Interval of a proportion: there is a count of events that is below 0 or above the "
            "number of people it is taken from. Hand over events and n that belong together."
        )
    return events, n


def check_level(level: float) -> None:
    """Refuse a level of an interval that is not a share, such as 95.

    Raises
    ------
    ParameterError
        `level` is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ParameterError(f"An interval's level of {level} is not between 0 and 1: take 0.95.")


def _normal(level: float) -> float:
    check_level(level)
    return float(special.ndtri((1 + level) / 2))
