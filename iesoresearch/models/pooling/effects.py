"""Pooling estimates of several services or sites: one true value, or values that differ.

Sites differ, so the question is twofold: what holds on average, and what a further site may
expect. `random_effects` answers both, the second by a prediction interval; `fixed_effect` answers
only what these sites together show.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import stats

from iesoresearch.errors import DataError
from iesoresearch.models.pooling.between import (
    Method,
    cochran,
    profile_of_q,
    typical_within,
    variance_between,
)

_CONFIDENCE = 0.95
_NAN = float("nan")


@dataclass(frozen=True)
class Pooled:
    """Summary of `k` estimates; what cannot be had is NaN, and `reason` says why.

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
        Where the true value of a further service lies with 95 %; NaN below three estimates, and of
        a fixed effect, which says nothing of others.
    reason
        Empty where everything could be computed.
    tau2_low, tau2_high, i2_low, i2_high
        95 % intervals from the profile of Q.
    weights
        Share of each estimate in the average, in the order given; NaN for those left out.
    """

    k: int
    estimate: float = _NAN
    error: float = _NAN
    low: float = _NAN
    high: float = _NAN
    tau2: float = _NAN
    tau: float = _NAN
    i2: float = _NAN
    q: float = _NAN
    q_df: int = 0
    q_p: float = _NAN
    predicted_low: float = _NAN
    predicted_high: float = _NAN
    reason: str = ""
    tau2_low: float = _NAN
    tau2_high: float = _NAN
    i2_low: float = _NAN
    i2_high: float = _NAN
    weights: tuple[float, ...] = field(default=(), compare=False)

    def on_scale(self, back: Callable[[float], float]) -> "Pooled":
        """The average and both intervals on another scale, such as from logit AUC to AUC.

        `back` increases. The standard error, tau and tau² stay on the scale of the pooling.
        """
        names = ("estimate", "low", "high", "predicted_low", "predicted_high")
        return replace(self, **{name: float(back(getattr(self, name))) for name in names})


def random_effects(estimates, standard_errors, method: Method = "reml") -> Pooled:
    """Pool estimates of services whose true values may differ.

    The interval of the average is that of Hartung, Knapp, Sidik and Jonkman, with a t distribution
    of k - 1 degrees of freedom (see IntHout, Ioannidis & Borm 2014, doi:10.1186/1471-2288-14-25).
    Where a few estimates happen to agree better than their errors allow, it would be far too
    narrow; the safeguard is the truncated one: their factor is never below 1, so that the standard
    error is at least the usual one (Röver, Knapp & Friede 2015, doi:10.1186/s12874-015-0091-1). The
    prediction interval has the t distribution of k - 2 degrees of freedom of Higgins, Thompson &
    Spiegelhalter 2009 (doi:10.1111/j.1467-985X.2008.00552.x). I² is the variance between over that
    plus the typical variance within (Higgins & Thompson 2002, doi:10.1002/sim.1186).

    Parameters
    ----------
    estimates, standard_errors : (services,) array_like
        On a scale on which they are roughly normal. Services with a NaN in either are left out;
        with fewer than two left nothing is pooled.
    method
        Of the variance between, see `between.variance_between`.

    Raises
    ------
    DataError
        Different lengths, or a standard error that is not above zero and finite.
    """
    y, variance, known = _checked(estimates, standard_errors)
    if len(y) < 2:
        return _not_pooled(len(y))
    tau2 = variance_between(y, variance, method)
    k, w = len(y), 1 / (variance + tau2)
    mean = float(w @ y / w.sum())
    agreement = w @ (y - mean) ** 2 / (k - 1)
    error = float(np.sqrt(max(agreement, 1.0) / w.sum()))
    half = stats.t.ppf((1 + _CONFIDENCE) / 2, k - 1) * error
    reason, ahead = "", _NAN
    if k > 2:
        ahead = stats.t.ppf((1 + _CONFIDENCE) / 2, k - 2) * np.sqrt(tau2 + error**2)
    else:
        reason = "A prediction interval needs three estimates; there are 2."
    return replace(
        _heterogeneity(y, variance, tau2),
        estimate=mean,
        error=error,
        low=float(mean - half),
        high=float(mean + half),
        predicted_low=float(mean - ahead),
        predicted_high=float(mean + ahead),
        reason=reason,
        weights=_shares(w, known),
    )


def fixed_effect(estimates, standard_errors) -> Pooled:
    """Pool estimates of services as if they had one true value; else what these show on average.

    Weights are the inverse variances, the interval is normal. Heterogeneity is reported as in
    `random_effects`, and does not widen it.

    Parameters and errors as of `random_effects`; one estimate is its own pool.
    """
    y, variance, known = _checked(estimates, standard_errors)
    if len(y) < 1:
        return _not_pooled(0)
    w = 1 / variance
    mean, error = float(w @ y / w.sum()), float(w.sum() ** -0.5)
    half = stats.norm.ppf((1 + _CONFIDENCE) / 2) * error
    spread = Pooled(1)
    if len(y) > 1:
        spread = _heterogeneity(y, variance, variance_between(y, variance, "reml"))
    return replace(
        spread,
        estimate=mean,
        error=error,
        low=float(mean - half),
        high=float(mean + half),
        weights=_shares(w, known),
    )


def leave_one_out(estimates, standard_errors, method: Method = "reml") -> list[Pooled]:
    """`random_effects` without each estimate in turn, in their order."""
    y, errors = (np.asarray(x, dtype=float).ravel() for x in (estimates, standard_errors))
    return [random_effects(np.delete(y, i), np.delete(errors, i), method) for i in range(len(y))]


def _checked(estimates, standard_errors) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Those that are known, their variances, and which they are."""
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
    return y, variance, known


def _heterogeneity(y: np.ndarray, variance: np.ndarray, tau2: float) -> Pooled:
    k, q, typical = len(y), cochran(y, variance), typical_within(variance)
    low, high = profile_of_q(y, variance, _CONFIDENCE)
    return Pooled(
        k,
        tau2=tau2,
        tau=float(np.sqrt(tau2)),
        i2=float(tau2 / (tau2 + typical)),
        q=q,
        q_df=k - 1,
        q_p=float(stats.chi2.sf(q, k - 1)),
        tau2_low=low,
        tau2_high=high,
        i2_low=low / (low + typical),
        i2_high=high / (high + typical),
    )


def _shares(weights: np.ndarray, known: np.ndarray) -> tuple[float, ...]:
    shares = np.full(len(known), _NAN)
    shares[known] = weights / weights.sum()
    return tuple(shares.tolist())


def _not_pooled(k: int) -> Pooled:
    reason = f"Pooling needs at least two estimates; there {'is 1' if k else 'are none'}."
    return Pooled(k, reason=reason)
