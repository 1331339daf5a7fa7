"""Regression of net benefits on uncertain inputs: smooth, with how sure it is.

Differences of net benefit (D, K) are fitted column by column; how smooth, restricted maximum
likelihood says (Wood 2011, J R Stat Soc B 73:3–36: steadier than cross-validation).
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from iesoresearch.models.decision.basis import group_terms, input_basis

PENALTIES = 10.0 ** np.arange(-7, 7.01, 0.25)  # tried, relative to the smoothest penalised function
DECAY = 4  # functions of order n have prior variance n^-4, as a spline's roughness grows
EXACT = 1e-13  # share of variance left over that counts as none
STEPS = 60  # at most, of the variances of a group
SETTLED = 0.02  # degrees of freedom


@dataclass(frozen=True)
class Smooth:
    """A fit.

    Attributes
    ----------
    fitted : (D, K)
    leverage : (D, K)
        Variance of a fitted value ÷ that of what is left over.
    freedom : (K,)
        Effective number of regressors.
    smoothed : (D, K)
        What the same smoothers make of the columns of the weights that were asked for.
    """

    fitted: np.ndarray
    leverage: np.ndarray
    freedom: np.ndarray
    smoothed: np.ndarray


def smooth_input(x, y, weights) -> Smooth:
    """Penalised cubic spline of one input `x` (D,) for each column of `y` (D, K).

    The basis is orthonormal, so that a penalty only shrinks coefficients and all penalties are
    tried for all columns at once.

    Parameters
    ----------
    weights
        From fitted values (D, K), columns (D, K) to smooth likewise (see `Smooth.smoothed`).
    """
    basis, roughness = input_basis(x)
    coefficients = basis.T @ y
    shrink = _shrinkage(coefficients, (y**2).sum(axis=0), roughness, len(y))
    fitted = basis @ (shrink * coefficients)
    smoothed = basis @ (shrink * (basis.T @ weights(fitted)))
    return Smooth(fitted, basis**2 @ shrink, shrink.sum(axis=0), smoothed)


def _shrinkage(coefficients, squares, roughness, n):
    """Factor of each coefficient (q, K) at the penalty of highest restricted likelihood."""
    free = int((roughness == 0).sum())
    if free == len(roughness):
        return np.ones_like(coefficients)
    penalty = PENALTIES[:, None] * (roughness / roughness[free])
    factor = 1 / (1 + penalty)  # (P, q)
    left = np.maximum(squares - factor @ coefficients**2, EXACT * squares)
    with np.errstate(divide="ignore"):
        criterion = (n - free) * np.log(left)
    criterion += np.log1p(1 / penalty[:, free:]).sum(axis=1)[:, None]
    return factor[criterion.argmin(axis=0)].T


def smooth_group(x, y, weights, most: int) -> Smooth:
    """Functions of several inputs `x` (D, p) and their products, for each column of `y` (D, K).

    A Gaussian process of low rank: lines are free, and the other functions of one input, products
    of two and products of three have each a prior variance of their own. That shrinks to nothing
    what a group does not need, so that adding inputs adds little noise.

    Parameters
    ----------
    most
        Terms, beyond those that are always in (`group_terms`).
    """
    bases = [input_basis(column)[0] for column in x.T]
    terms, inputs, order = group_terms(bases, most)
    kind = np.where((inputs == 1) & (order > 1), 0, inputs - 1)
    kind[(inputs == 0) | ((inputs == 1) & (order == 1))] = -1
    gram, projected = terms.T @ terms, terms.T @ y
    fits = [
        _components(gram, projected[:, k], y[:, k] @ y[:, k], len(y), order, kind)
        for k in range(y.shape[1])
    ]
    fitted = terms @ np.column_stack([mean for mean, _ in fits])
    wanted = terms.T @ weights(fitted)
    smoothed = np.column_stack([inverse @ wanted[:, k] for k, (_, inverse) in enumerate(fits)])
    leverage = [np.einsum("ij,ij->i", terms @ inverse, terms) for _, inverse in fits]
    freedom = np.array([(gram * inverse).sum() for _, inverse in fits])
    return Smooth(fitted, np.column_stack(leverage), freedom, terms @ smoothed)


def _components(gram, projected, squares, n, order, kind):
    """Coefficients and their covariance ÷ residual variance, at the likeliest variances.

    Fixed-point steps of the marginal likelihood (MacKay 1992, Neural Comput 4:415–447).
    """
    rest = squares / n
    if rest == 0:
        return np.zeros(len(gram)), np.zeros_like(gram)
    floor = EXACT * rest
    prior = np.full(3, 0.1 * rest)
    decay = order.astype(float) ** -DECAY
    penalised = [kind == c for c in range(3)]
    freedom = np.inf
    for _ in range(STEPS):
        variance = np.where(kind < 0, 1e6 * squares / n, prior[kind] * decay)
        inverse = _inverse(gram + np.diag(rest / variance))
        mean = inverse @ projected
        certain = 1 - rest / variance * np.diag(inverse)
        left = squares - 2 * mean @ projected + mean @ gram @ mean
        rest = max(left / (n - certain.sum()), floor)
        for c, there in enumerate(penalised):
            if there.any():
                size = (mean[there] ** 2 / decay[there]).sum()
                prior[c] = max(size / max(certain[there].sum(), 1e-6), 1e-9 * squares / n)
        if abs(certain.sum() - freedom) < SETTLED:
            break
        freedom = certain.sum()
    return mean, inverse


def _inverse(matrix):
    return cho_solve(cho_factor(matrix), np.eye(len(matrix)))
