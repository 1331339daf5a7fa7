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
    """Sums that generalised least squares needs, for one pair of standard deviations or many.

    Parameters
    ----------
    data : Padded
    design : (coefficients, trials, comparisons)
        What the effects are regressed on.
    between, within : () or (n,)
    correlation
        As of `log_likelihood`.

    Returns
    -------
    information : (…, coefficients, coefficients)
    projection : (…, coefficients)
    """
    effect, error, there = data
    between, within = (np.asarray(x, dtype=float)[..., None] for x in (between, within))
    weight = there / ((1 - correlation) * error**2 + within[..., None] ** 2)
    shared = np.sqrt(correlation) * error

    def by_trial(values):
        return np.einsum("...jk,jk->...j", weight, values)

    a = 1 + between**2 * weight.sum(axis=-1)
    b = between * by_trial(shared)
    c = 1 + by_trial(shared**2)
    columns = [*design, effect]
    x, y = [between * by_trial(v) for v in columns], [by_trial(shared * v) for v in columns]

    def product(i, j):
        removed = c * x[i] * x[j] - b * (x[i] * y[j] + y[i] * x[j]) + a * y[i] * y[j]
        return (by_trial(columns[i] * columns[j]) - removed / (a * c - b**2)).sum(axis=-1)

    n = len(design)
    information = [[product(i, j) for j in range(n)] for i in range(n)]
    projection = [product(i, n) for i in range(n)]
    return np.moveaxis(information, (0, 1), (-2, -1)), np.moveaxis(projection, 0, -1)
