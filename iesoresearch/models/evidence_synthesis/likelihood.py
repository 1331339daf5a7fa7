r"""The marginal likelihood of the three-level model, with the effects integrated out.

Within a trial the covariance of the effects is

.. math:: V = diag((1 - \rho) s_i^2 + \tau_w^2) + \rho\\, s s^T + \tau_b^2 1 1^T

a diagonal matrix plus one of rank two, so that determinant and inverse come from a 2 x 2 matrix
(matrix determinant lemma, Woodbury's identity) for all trials at once.
"""

import numpy as np

from iesoresearch.models.evidence_synthesis.comparisons import Padded


def log_likelihood(data, mean, between, within, correlation, log=np.log):
    """Log-likelihood, with all constants.

    Parameters
    ----------
    data : Padded
        Arrays, or symbols of PyTensor.
    mean : () or (trials, comparisons)
        Expected effects.
    between, within
        Standard deviations of true effects between trials and between comparisons of a trial.
    correlation
        Of the sampling errors of comparisons of one trial.
    log
        The logarithm of what the arrays are.
    """
    effect, error, there = data
    variance = (1 - correlation) * error**2 + within**2
    weight = there / variance
    rest, shared = effect - mean, correlation**0.5 * error
    a = 1 + between**2 * weight.sum(axis=1)
    b = between * (weight * shared).sum(axis=1)
    c = 1 + (weight * shared**2).sum(axis=1)
    x, y = between * (weight * rest).sum(axis=1), (weight * shared * rest).sum(axis=1)
    determinant = a * c - b**2
    explained = (c * x**2 - 2 * b * x * y + a * y**2) / determinant
    squares = (weight * rest**2).sum(axis=1) - explained
    spread = (there * log(variance)).sum(axis=1) + log(determinant)
    return -0.5 * (spread + squares).sum() - 0.5 * there.sum() * np.log(2 * np.pi)


def weighted_sums(data: Padded, design, between, within, correlation):
    """Sums over trials that generalised least squares needs.

    Parameters
    ----------
    design : (coefficients, trials, comparisons)
        What the effects are regressed on.

    Returns
    -------
    information : (coefficients, coefficients)
    projection : (coefficients,)
    """
    effect, error, there = data
    variance = (1 - correlation) * error**2 + within**2
    weight = there / variance
    basis = np.stack([np.full_like(error, between), np.sqrt(correlation) * error])
    inner = np.eye(2) + np.einsum("ajk,bjk,jk->jab", basis, basis, weight)
    columns = np.concatenate([design, effect[None]])
    plain = np.einsum("ajk,bjk,jk->ab", columns, columns, weight)
    cross = np.einsum("ajk,bjk,jk->jba", columns, basis, weight)  # (trials, 2, columns)
    product = plain - np.einsum("jxa,jxb->ab", cross, np.linalg.solve(inner, cross))
    return product[:-1, :-1], product[:-1, -1]
