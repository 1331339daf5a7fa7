"""How different two groups are, in standard deviations, whatever their size."""

import numpy as np


def difference_of_means(first: np.ndarray, second: np.ndarray) -> float:
    """Standardised difference of a number: second minus first (Austin 2009, doi:10.1002/sim.3697).

    In units of the square root of the mean of both variances; NaN where neither group varies.
    """
    spread = np.sqrt((np.var(first, ddof=1) + np.var(second, ddof=1)) / 2)
    return float((np.mean(second) - np.mean(first)) / spread) if spread > 0 else float("nan")


def difference_of_levels(first: np.ndarray, second: np.ndarray) -> float:
    """Standardised difference of a characteristic with two or more levels, never negative.

    The Mahalanobis distance of the two rows of proportions, with the mean of both multinomial
    covariances (Yang & Dalton 2012, SAS Global Forum, paper 335). With two levels it is the size
    of Austin's difference of proportions.

    Parameters
    ----------
    first, second
        Number of people at each level.
    """
    first, second = np.asarray(first, float), np.asarray(second, float)
    met = first + second > 0
    p, q = first[met] / first.sum(), second[met] / second.sum()
    if len(p) < 2:
        return 0.0
    covariance = (np.diag(p) - np.outer(p, p) + np.diag(q) - np.outer(q, q)) / 2
    apart = (q - p)[1:]  # the proportions add up to one, so one level says nothing new
    return float(np.sqrt(apart @ np.linalg.pinv(covariance[1:, 1:]) @ apart))


def expected_by_chance(n_first: int, n_second: int, n_levels: int = 2) -> float:
    """Size of a standardised difference to expect where the groups do not differ at all.

    The squared distance times ``n_first * n_second / (n_first + n_second)`` is then about
    chi-squared with one degree of freedom less than there are levels.
    """
    return float(np.sqrt((n_levels - 1) * (1 / n_first + 1 / n_second)))
