"""Coefficients averaged over the draws of the spread, without Monte Carlo error of their own.

Given both standard deviations the coefficients are normal, with known mean and covariance. Their
posterior is the mixture of these normals over the draws, whose moments and quantiles vary far less
from seed to seed than those of the draws.
"""

from typing import NamedTuple

import numpy as np
from scipy import optimize, stats

from iesoresearch.models.evidence_synthesis.likelihood import weighted_sums
from iesoresearch.models.evidence_synthesis.model import Priors, predicted_by
from iesoresearch.models.evidence_synthesis.posterior import Posterior
from iesoresearch.models.growth.estimator import Estimate

_CHUNK = 250


class Given(NamedTuple):
    """Normal posteriors of coefficients (draws, coefficients) given draws of the spread."""

    centre: np.ndarray
    spread: np.ndarray


def coefficients(fit: Posterior, priors: Priors) -> dict[str, Estimate]:
    """Posterior mean and 95 % interval of `mean` and, if there is one, `small_study`."""
    names = [name for name in ("mean", "small_study") if name in fit.draws]
    found = _given(fit, priors, len(names))
    return {name: mixture(found.centre[:, i], found.spread[:, i]) for i, name in enumerate(names)}


def new_trial(fit: Posterior, priors: Priors) -> Estimate:
    """True effect of one comparison of a further trial: mean and 95 % prediction interval.

    With a small-study effect, of an infinitely large one.
    """
    found = _given(fit, priors, 2 if "small_study" in fit.draws else 1)
    total = np.hypot(fit.spaced("between"), fit.spaced("within"))
    return mixture(found.centre[:, 0], np.hypot(found.spread[:, 0], total))


def mixture(centre: np.ndarray, spread: np.ndarray) -> Estimate:
    """Mean and central 95 % interval of a mixture of normals of equal weight."""
    wide = 10 * spread.max()

    def quantile(p):
        def off(x):
            return stats.norm.cdf(x, centre, spread).mean() - p

        return float(optimize.brentq(off, centre.min() - wide, centre.max() + wide, xtol=1e-10))

    return Estimate(float(centre.mean()), quantile(0.025), quantile(0.975))


def _given(fit: Posterior, priors: Priors, n: int) -> Given:
    """Conjugate normal posteriors of the first `n` coefficients."""
    predictor, unit = predicted_by(fit.data, fit.small_study)
    design = np.stack([np.ones(predictor.shape), predictor])[:n]
    precision = np.diag([priors.mean**-2.0, (priors.small_study / unit) ** -2.0][:n])
    padded, between, within = fit.data.padded(), fit.spaced("between"), fit.spaced("within")
    centres, spreads = [], []
    for start in range(0, len(between), _CHUNK):
        part = slice(start, start + _CHUNK)
        information, projection = weighted_sums(
            padded, design, between[part], within[part], fit.correlation
        )
        covariance = np.linalg.inv(information + precision)
        centres.append(np.einsum("dij,dj->di", covariance, projection))
        spreads.append(np.sqrt(np.einsum("dii->di", covariance)))
    return Given(np.concatenate(centres), np.concatenate(spreads))
