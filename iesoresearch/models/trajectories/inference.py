"""Errors of the mixture of growth curves, from the observed information."""

import numpy as np
from scipy.special import softmax

from iesoresearch.models.trajectories import em
from iesoresearch.models.trajectories.starts import Parameters

STEP = 0.05  # of the differences, in standard errors: small, and far above rounding
FLAT = 50.0  # a step of this many times a parameter (or this many units) finds nothing there


def covariance(products: np.ndarray, counts: np.ndarray, at: Parameters) -> np.ndarray:
    """Covariance of all free parameters, curves first, class by class; NaN if not estimable.

    The information is the negative second difference of the log-likelihood. Shares enter as logits
    against the first class, the random effects by their Cholesky factor, the residual variance by
    its logarithm.
    """
    centre = _packed(at)
    n = len(centre)
    missing = np.full((n, n), np.nan)
    if not np.isfinite(centre).all():  # an empty class, or no variance between patients
        return missing

    def loglik(free):
        return _loglik(products, counts, free, at)

    height = loglik(centre)
    steps = _steps(loglik, centre, height)
    if steps is None:
        return missing
    information = np.empty((n, n))
    for a in range(n):
        for b in range(a + 1):
            first, second = np.eye(n)[a] * steps, np.eye(n)[b] * steps
            difference = (
                loglik(centre + first + second) - loglik(centre + first - second)
                - loglik(centre - first + second) + loglik(centre - first - second)
            )  # fmt: skip
            information[a, b] = information[b, a] = -difference / (4 * steps[a] * steps[b])
    try:
        np.linalg.cholesky(information)
    except np.linalg.LinAlgError:
        return missing
    return np.linalg.inv(information)


def _steps(loglik, centre: np.ndarray, height: float) -> np.ndarray | None:
    """Steps that are a small part of the error of each parameter, the others held."""
    steps = np.empty(len(centre))
    for a in range(len(centre)):
        step = 1e-3 * max(1.0, abs(centre[a]))
        for _ in range(5):  # the first guess may be far off
            move = np.eye(len(centre))[a] * step
            curvature = (2 * height - loglik(centre + move) - loglik(centre - move)) / step**2
            if not curvature > 0:
                return None
            step = STEP / np.sqrt(curvature)
            if step > FLAT * max(1.0, abs(centre[a])):
                return None
        steps[a] = step
    return steps


def _packed(at: Parameters) -> np.ndarray:
    with np.errstate(divide="ignore"):
        logits = np.log(at.shares[1:]) - np.log(at.shares[0])
    try:
        factor = np.linalg.cholesky(at.between)
    except np.linalg.LinAlgError:
        return np.array([np.nan])
    rows = np.tril_indices(len(factor))
    return np.concatenate([at.beta.ravel(), logits, factor[rows], [np.log(at.within)]])


def _loglik(products, counts, free: np.ndarray, like: Parameters) -> float:
    k, p = like.beta.shape
    q = len(like.between)
    beta, free = free[: k * p].reshape(k, p), free[k * p :]
    shares, free = softmax(np.concatenate([[0.0], free[: k - 1]])), free[k - 1 :]
    factor = np.zeros((q, q))
    factor[np.tril_indices(q)] = free[:-1]
    return em.expectation(
        products, counts, shares, beta, factor @ factor.T, np.exp(free[-1]),
        np.empty((len(counts), k)), np.empty((len(counts), q, q)),
    )  # fmt: skip
