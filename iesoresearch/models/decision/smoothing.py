"""Regression of net benefits on uncertain inputs: smooth, with how sure it is.

Differences of net benefit (D, K) are fitted column by column; how smooth, restricted maximum
likelihood says (Wood 2011, doi:10.1111/j.1467-9868.2010.00749.x: steadier than cross-validation).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri

from iesoresearch.models.decision.basis import group_terms, input_basis

PENALTIES = 10.0 ** np.arange(-7, 7.01, 0.25)  # tried, relative to the smoothest penalised function
DECAY = 4  # functions of order n have prior variance n^-4, as a spline's roughness grows
EXACT = 1e-13  # share of variance left over that counts as none
NEGLIGIBLE = 1e-8  # share of the variance of all columns that may be left out
STEPS = 60  # at most, of the variances of a group
SETTLED = 0.02  # degrees of freedom


@dataclass(frozen=True)
class Smooth:
    """A fit of K columns, as R uncorrelated parts where fewer than K carry them.

    Attributes
    ----------
    fitted : (D, K)
    directions : (K, R)
        Columns, less their means, are parts times the transpose of these.
    left : (D, R)
        What the fit leaves of each part.
    leverage : (D, R)
        Variance of a fitted part ÷ that of what is left of it.
    freedom : (R,)
        Effective number of regressors.
    smoothed : (D, R)
        What the same smoothers make of the weights that were asked for, as parts.
    """

    fitted: np.ndarray
    directions: np.ndarray
    left: np.ndarray
    leverage: np.ndarray
    freedom: np.ndarray
    smoothed: np.ndarray


def smooth(x, y, weights, most: int) -> Smooth:
    """Regression of each column of `y` (D, K) on `x` (D, p), no column of which is constant.

    One input: a penalised cubic spline. Several: functions of each input and products of up to
    three, as a Gaussian process of low rank. Lines are free; the other functions of one input,
    products of two and products of three have each a prior variance of their own, which shrinks to
    nothing what a group does not need, so that adding inputs adds little noise.

    Parameters
    ----------
    weights
        From fitted values (D, K), columns (D, K) to smooth likewise (see `Smooth.smoothed`).
    most
        Terms of a group, beyond those that are always in (`basis.group_terms`).
    """
    centre, scale = y.mean(axis=0), y.std(axis=0)
    rotation = _directions((y - centre) / scale)
    parts, directions = (y - centre) / scale @ rotation, scale[:, None] * rotation
    fit = _one_input(x[:, 0], parts) if x.shape[1] == 1 else _group(x, parts, most)
    fitted = fit.fitted @ directions.T + centre
    smoothed = fit.again(weights(fitted) @ directions)
    return Smooth(fitted, directions, parts - fit.fitted, fit.leverage, fit.freedom, smoothed)


def _directions(y):
    """Orthonormal combinations of columns of one scale that carry all but 1e-8 of their variance.

    Fifty waiting times may be carried by five. Where every column is needed, each stays itself.
    """
    size, vectors = np.linalg.eigh(y.T @ y)
    there = np.cumsum(size) > NEGLIGIBLE * size.sum()
    return np.eye(len(size)) if there.all() else vectors[:, there]


@dataclass(frozen=True)
class _Fit:
    fitted: np.ndarray
    leverage: np.ndarray
    freedom: np.ndarray
    again: Callable[[np.ndarray], np.ndarray]  # the smoother of each column on other columns


def _one_input(x, y):
    """Spline: the basis is orthonormal, so all penalties are tried for all columns at once."""
    basis, roughness = input_basis(x)
    coefficients = basis.T @ y
    shrink = _shrinkage(coefficients, (y**2).sum(axis=0), roughness, len(y))

    def again(columns):
        return basis @ (shrink * (basis.T @ columns))

    return _Fit(again(y), basis**2 @ shrink, shrink.sum(axis=0), again)


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


def _group(x, y, most):
    """Products of functions, with three kinds of prior variance."""
    bases = [input_basis(column)[0] for column in x.T]
    terms, inputs, order = group_terms(bases, most)
    kind = np.where((inputs == 1) & (order > 1), 0, inputs - 1)
    kind[(inputs == 0) | ((inputs == 1) & (order == 1))] = -1
    gram, projected = terms.T @ terms, terms.T @ y
    # Inputs that add up to one make lines that depend on each other.
    gram[np.diag_indices_from(gram)] *= 1 + 1e-9
    fits = [
        _components(gram, projected[:, k], y[:, k] @ y[:, k], order, kind, len(y))
        for k in range(y.shape[1])
    ]
    leverage = [np.einsum("ij,ij->i", terms @ inverse, terms) for inverse in fits]
    freedom = np.array([(gram * inverse).sum() for inverse in fits])

    def again(columns):
        wanted = (terms.T @ columns).T
        return terms @ np.column_stack([a @ b for a, b in zip(fits, wanted, strict=True)])

    return _Fit(again(y), np.column_stack(leverage), freedom, again)


def _components(gram, projected, squares, order, kind, n):
    """Covariance of the coefficients ÷ residual variance, at the likeliest variances.

    Fixed-point steps of the marginal likelihood (MacKay 1992, doi:10.1162/neco.1992.4.3.415).
    They start as if the terms were uncorrelated, which costs next to nothing and is nearly so
    where inputs are independent.
    """
    total = squares / n
    if total == 0:
        return np.zeros_like(gram)
    decay, diagonal = order.astype(float) ** -DECAY, np.diag(gram)
    rest, prior, exact, freedom = total, np.full(3, 0.1 * total), False, np.inf
    for step in range(STEPS):
        penalty = rest / np.where(kind < 0, 1e6 * total, prior[kind] * decay)
        if exact:
            inverse = _inverse(gram + np.diag(penalty))
            mean = inverse @ projected
            fitted = gram @ mean
            certain = 1 - penalty * np.diag(inverse)
        else:
            mean = projected / (diagonal + penalty)
            fitted, certain = diagonal * mean, diagonal / (diagonal + penalty)
        left = squares - 2 * mean @ projected + mean @ fitted
        rest = max(left / (n - certain.sum()), EXACT * total)
        size = np.bincount(kind + 1, mean**2 / decay, minlength=4)[1:]
        known = np.bincount(kind + 1, certain, minlength=4)[1:]
        prior = np.maximum(size / np.maximum(known, 1e-6), 1e-9 * total)
        settled, freedom = abs(certain.sum() - freedom) < SETTLED, certain.sum()
        if settled and exact:
            break
        exact = exact or settled or step > STEPS // 2
    return inverse


def _inverse(matrix):
    """Of a positive definite matrix."""
    lower, _ = dpotrf(matrix, lower=True)
    inverse, _ = dpotri(lower, lower=True)
    return np.tril(inverse) + np.tril(inverse, -1).T
