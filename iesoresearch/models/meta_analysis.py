"""Pooling what several services found: random effects.

Services differ, so the question is twofold: what holds on average, and what a further service may
expect. `random_effects` answers both, the second by a prediction interval.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from iesoresearch.errors import DataError

_CONFIDENCE = 0.95
_ITERATIONS = 200
_SETTLED = 1e-12  # of the variance between, relative to the spread of the estimates


@dataclass(frozen=True)
class Pooled:
    """Random-effects summary of `k` estimates; what cannot be had is NaN, and `reason` says why.

    Attributes
    ----------
    k
        Estimates that were pooled.
    estimate, error, low, high
        Average over the population of services, its standard error and 95 % interval.
    tau, tau2
        Standard deviation and variance of the true values between services, on the scale of the
        estimates that were given.
    i2
        Share of the variance of the estimates that is between services.
    q, q_df, q_p
        Cochran's test that all are equal.
    predicted_low, predicted_high
        Where the true value of a further service lies with 95 %; NaN below three estimates.
    reason
        Empty where everything could be computed.
    """

    k: int
    estimate: float
    error: float
    low: float
    high: float
    tau2: float
    tau: float
    i2: float
    q: float
    q_df: int
    q_p: float
    predicted_low: float
    predicted_high: float
    reason: str = ""

    def on_scale(self, back: Callable[[float], float]) -> "Pooled":
        """The average and both intervals on another scale, such as from logit AUC to AUC.

        `back` increases. The standard error, tau and tau² stay on the scale of the pooling.
        """
        names = ("estimate", "low", "high", "predicted_low", "predicted_high")
        return replace(self, **{name: float(back(getattr(self, name))) for name in names})


def random_effects(estimates, standard_errors) -> Pooled:
    """Pool estimates of several services.

    The variance between services is estimated by restricted maximum likelihood (Fisher scoring,
    Viechtbauer 2005, doi:10.3102/10769986030003261), never below zero. The interval of the average
    is that of Hartung, Knapp, Sidik and Jonkman, with a t distribution of k - 1 degrees of freedom
    (see IntHout, Ioannidis & Borm 2014, doi:10.1186/1471-2288-14-25). Where a few estimates happen
    to agree better than their errors allow, it would be far too narrow; the standard error is then
    the usual one (Röver, Knapp & Friede 2015, doi:10.1186/s12874-015-0091-1). The prediction
    interval has the t distribution of k - 2 degrees of freedom of Higgins, Thompson & Spiegelhalter
    2009 (doi:10.1111/j.1467-985X.2008.00552.x). I² is the variance between over that plus the
    typical variance within (Higgins & Thompson 2002, doi:10.1002/sim.1186).

    Parameters
    ----------
    estimates, standard_errors : (services,) array_like
        On a scale on which they are roughly normal. Services with a NaN in either are left out;
        with fewer than two left nothing is pooled.

    Raises
    ------
    DataError
        Different lengths, or a standard error that is not above zero and finite.
    """
    y, errors = (np.asarray(x, dtype=float).ravel() for x in (estimates, standard_errors))
    if len(y) != len(errors):
        raise DataError(f"There are {len(y)} estimates and {len(errors)} standard errors.")
    known = np.isfinite(y) & ~np.isnan(errors)
    y, errors = y[known], errors[known]
    variance = errors**2
    if not (np.isfinite(variance) & (errors > 0) & (variance > 0)).all():
        raise DataError(
            "A standard error is zero, negative or infinite, so its estimate has no weight. Leave "
            "that estimate out of the pooling."
        )
    if len(y) < 2:
        return _not_pooled(len(y))
    return _pooled(y, variance, _tau2(y, variance))


def _pooled(y: np.ndarray, variance: np.ndarray, tau2: float) -> Pooled:
    k, weights = len(y), 1 / (variance + tau2)
    mean = float(weights @ y / weights.sum())
    agreement = weights @ (y - mean) ** 2 / (k - 1)
    error = float(np.sqrt(max(agreement, 1.0) / weights.sum()))
    half = stats.t.ppf((1 + _CONFIDENCE) / 2, k - 1) * error
    reason, ahead = "", float("nan")
    if k > 2:
        ahead = stats.t.ppf((1 + _CONFIDENCE) / 2, k - 2) * np.sqrt(tau2 + error**2)
    else:
        reason = "A prediction interval needs three estimates; there are 2."
    fixed = 1 / variance
    q = float(fixed @ (y - fixed @ y / fixed.sum()) ** 2)
    typical = (k - 1) * fixed.sum() / (fixed.sum() ** 2 - fixed @ fixed)
    return Pooled(
        k=k,
        estimate=mean,
        error=error,
        low=float(mean - half),
        high=float(mean + half),
        tau2=tau2,
        tau=float(np.sqrt(tau2)),
        i2=float(tau2 / (tau2 + typical)),
        q=q,
        q_df=k - 1,
        q_p=float(stats.chi2.sf(q, k - 1)),
        predicted_low=float(mean - ahead),
        predicted_high=float(mean + ahead),
        reason=reason,
    )


def _not_pooled(k: int) -> Pooled:
    reason = f"Pooling needs at least two estimates; there {'is 1' if k else 'are none'}."
    return Pooled(k, *[float("nan")] * 8, k - 1 if k else 0, *[float("nan")] * 3, reason)


def _tau2(y: np.ndarray, variance: np.ndarray) -> float:
    """Variance between services at the highest restricted likelihood found from three starts."""
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
