"""How much true values differ between sites: the variance, and what is compatible with the data."""

from collections.abc import Callable
from typing import Literal

import numpy as np
from scipy import optimize, stats

Method = Literal["reml", "paule-mandel"]

_ITERATIONS = 200
_SETTLED = 1e-12  # of the variance between, relative to the spread of the estimates
_DOUBLINGS = 200  # of a variance in search of one that is too large


def variance_between(y: np.ndarray, variance: np.ndarray, method: Method) -> float:
    """Variance of the true values, never below zero.

    Parameters
    ----------
    y, variance
        (k,) estimates and their squared standard errors.
    method
        "reml": restricted maximum likelihood by Fisher scoring (Viechtbauer 2005,
        doi:10.3102/10769986030003261). "paule-mandel": where Cochran's statistic is what it should
        be on average (Paule & Mandel 1982, Journal of Research of the National Bureau of
        Standards).
    """
    if method == "paule-mandel":
        return _where(y, variance, len(y) - 1)
    return _restricted_maximum(y, variance)


def profile_of_q(y: np.ndarray, variance: np.ndarray, level: float) -> tuple[float, float]:
    """Interval of the variance between: where Cochran's statistic is neither too large nor small.

    The Q-profile method (Viechtbauer 2007, Statistics in Medicine 26); with few sites it is wide,
    which is the truth. Both ends may be zero: then the estimates agree better than chance.
    """
    tail = (1 - level) / 2
    low, high = (float(stats.chi2.ppf(p, len(y) - 1)) for p in (1 - tail, tail))
    return _where(y, variance, low), _where(y, variance, high)


def cochran(y: np.ndarray, variance: np.ndarray, tau2: float = 0.0) -> float:
    """Weighted squares about the weighted mean, weights for a variance between of `tau2`."""
    w = 1 / (variance + tau2)
    return float(w @ (y - w @ y / w.sum()) ** 2)


def typical_within(variance: np.ndarray) -> float:
    """The variance within that stands for all, in I² (Higgins & Thompson 2002)."""
    w = 1 / variance
    return float((len(variance) - 1) * w.sum() / (w.sum() ** 2 - w @ w))


def _where(y: np.ndarray, variance: np.ndarray, wanted: float) -> float:
    """The variance between at which Cochran's statistic is `wanted`; 0 where it always is less."""

    def excess(tau2: float) -> float:
        return cochran(y, variance, tau2) - wanted

    if excess(0.0) <= 0:
        return 0.0
    most = _first_below(excess, float(np.var(y) + variance.max()))
    return float(optimize.brentq(excess, 0.0, most, xtol=1e-14, rtol=1e-12))


def _first_below(excess: Callable[[float], float], start: float) -> float:
    for _ in range(_DOUBLINGS):
        if excess(start) <= 0:
            return start
        start *= 2
    return start


def _restricted_maximum(y: np.ndarray, variance: np.ndarray) -> float:
    """At the highest restricted likelihood found from three starts."""
    spread = float(np.var(y, ddof=1))
    found = [
        _climb(y, variance, start) for start in (0.0, max(spread - variance.mean(), 0), spread)
    ]
    return max(found, key=lambda tau2: _restricted(y, variance, tau2))


def _climb(y: np.ndarray, variance: np.ndarray, tau2: float) -> float:
    """Fisher scoring of the restricted likelihood, with halved steps where it would fall."""
    level, scale = _restricted(y, variance, tau2), np.var(y) + variance.min()
    for _ in range(_ITERATIONS):
        step = _step(y, variance, tau2)
        ahead, reached = max(tau2 + step, 0.0), -np.inf
        while abs(ahead - tau2) > _SETTLED * scale:
            reached = _restricted(y, variance, ahead)
            if reached >= level:
                break
            ahead = (ahead + tau2) / 2
        else:
            return tau2
        tau2, level = ahead, reached
    return tau2


def _step(y: np.ndarray, variance: np.ndarray, tau2: float) -> float:
    """Score over expected information of the restricted likelihood."""
    w = 1 / (variance + tau2)
    total, squares = w.sum(), w @ w
    residual = y - w @ y / total
    score = w**2 @ residual**2 - (total - squares / total)
    information = squares - 2 * (w**3).sum() / total + (squares / total) ** 2
    return float(score / information)


def _restricted(y: np.ndarray, variance: np.ndarray, tau2: float) -> float:
    """Restricted log-likelihood, constants apart."""
    w = 1 / (variance + tau2)
    residual = y - w @ y / w.sum()
    return float(0.5 * (np.log(w).sum() - np.log(w.sum()) - w @ residual**2))
