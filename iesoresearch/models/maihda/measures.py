"""Shares of variance, discriminatory accuracy and intervals, from draws."""

import numpy as np
from scipy.special import expit

from iesoresearch.models.growth.estimator import Estimate

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(41)
#: An interval is taken to begin at zero if fewer than this share of draws lie below it, and zero
#: is no further from it than this part of its upper end.
_FEW, _NEAR = 0.01, 0.1


def share_on_probability_scale(intercept: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Share of the variance of the outcome, 0 or 1, that lies between strata.

    With probabilities p of strata it is Var(p) / (Var(p) + E(p(1 - p))) (Goldstein, Browne &
    Rasbash 2002, Understanding Statistics 1:223-231, method B, where strata are simulated; here
    their normal distribution is integrated over, by 41 nodes of Gauss-Hermite quadrature).

    Parameters
    ----------
    intercept, spread : (draws,)
        Mean and standard deviation of the logits of strata.
    """
    p = expit(intercept[:, None] + spread[:, None] * _NODES)
    weight = _WEIGHTS / _WEIGHTS.sum()
    mean = p @ weight
    between = ((p - mean[:, None]) ** 2) @ weight
    return between / (mean * (1 - mean))


def accuracy(score: np.ndarray, p: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Area under the ROC curve of strata: chance that a patient with the outcome is ranked higher.

    Parameters
    ----------
    score : (strata,)
        By which strata are ranked; equal scores count one half.
    p : (draws, strata)
        Probability of the outcome.
    n : (strata,)
        People.

    Returns
    -------
    (draws,)
    """
    _, rank = np.unique(score, return_inverse=True)
    order = np.argsort(rank, kind="stable")
    starts = np.flatnonzero(np.diff(rank[order], prepend=-1))
    with_it = np.add.reduceat((p * n)[:, order], starts, axis=1)
    without = np.add.reduceat(((1 - p) * n)[:, order], starts, axis=1)
    below = without.cumsum(axis=1) - without / 2
    return (with_it * below).sum(axis=1) / (with_it.sum(axis=1) * without.sum(axis=1))


def shortest(draws: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Shortest interval that holds `level` of the draws of what cannot be negative.

    Where zero is likely it begins at zero, which a central interval never does.
    """
    ordered = np.sort(draws)
    kept = int(np.ceil(level * len(ordered)))
    widths = ordered[kept - 1 :] - ordered[: len(ordered) - kept + 1]
    first = int(np.argmin(widths))
    low, high = float(ordered[first]), float(ordered[first + kept - 1])
    at_zero = first < _FEW * len(ordered) and low < _NEAR * high
    return 0.0 if at_zero else low, high


def spread_of(draws: np.ndarray) -> Estimate:
    """Median and shortest 95 % interval of what cannot be negative."""
    return Estimate(float(np.median(draws)), *shortest(draws))


def median_of(draws: np.ndarray) -> Estimate:
    """Median and central 95 % interval."""
    low, middle, high = np.quantile(draws, (0.025, 0.5, 0.975))
    return Estimate(float(middle), float(low), float(high))
