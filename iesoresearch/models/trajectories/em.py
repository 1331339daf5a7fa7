"""Loops over patients of the mixture of growth curves: likelihood, and one fit by EM.

Of a patient only the cross products of basis and scores are needed, whatever the number of scores.
All sums run in one order, so the same bits come out whatever the number of threads.
"""

import numba
import numpy as np


@numba.njit(cache=True)
def cross_products(start, basis, y):
    """Per patient the cross products of ``[basis, y]``: (patients, p + 1, p + 1).

    Rows of patient i are ``start[i]`` to ``start[i + 1]``.
    """
    n, p = len(start) - 1, basis.shape[1]
    products = np.zeros((n, p + 1, p + 1))
    row = np.empty(p + 1)
    for i in range(n):
        for j in range(start[i], start[i + 1]):
            row[:p] = basis[j]
            row[p] = y[j]
            for a in range(p + 1):
                for b in range(p + 1):
                    products[i, a, b] += row[a] * row[b]
    return products


@numba.njit(cache=True)
def _posterior(gram, between, within, out):
    """Posterior covariance of a patient's random effects into `out`; log det(I + D Z'Z / s2)."""
    if between.shape[0] == 1:
        grown = 1.0 + between[0, 0] * gram[0, 0] / within
        out[0, 0] = between[0, 0] / grown
        return np.log(grown)
    # (I + D G / s2)^-1 D, by hand for 2 x 2: D may be singular
    a = 1.0 + (between[0, 0] * gram[0, 0] + between[0, 1] * gram[1, 0]) / within
    b = (between[0, 0] * gram[0, 1] + between[0, 1] * gram[1, 1]) / within
    c = (between[1, 0] * gram[0, 0] + between[1, 1] * gram[1, 0]) / within
    d = 1.0 + (between[1, 0] * gram[0, 1] + between[1, 1] * gram[1, 1]) / within
    determinant = a * d - b * c
    out[0, 0] = (d * between[0, 0] - b * between[1, 0]) / determinant
    out[0, 1] = (d * between[0, 1] - b * between[1, 1]) / determinant
    out[1, 0] = out[0, 1]
    out[1, 1] = (a * between[1, 1] - c * between[0, 1]) / determinant
    return np.log(determinant)


@numba.njit(cache=True)
def _residual(product, beta, u):
    """Residual sum of squares of a curve; ``Z'r`` of the random effects into `u`."""
    p = len(beta)
    squares = product[p, p]
    for a in range(p):
        fitted = 0.0
        for b in range(p):
            fitted += product[a, b] * beta[b]
        squares += beta[a] * (fitted - 2.0 * product[a, p])
        if a < len(u):
            u[a] = product[a, p] - fitted
    return squares


@numba.njit(cache=True)
def expectation(products, counts, shares, beta, between, within, weights, spread):
    """E step: log-likelihood; class probabilities into `weights`, posteriors into `spread`.

    Parameters
    ----------
    products
        (patients, p + 1, p + 1), of `cross_products`.
    counts
        (patients,) scores of each.
    shares, beta
        (classes,) and (classes, p).
    between, within
        (q, q) covariance of the random effects; residual variance.
    weights, spread
        (patients, classes) and (patients, q, q), written to.
    """
    n, k, q = len(counts), len(shares), between.shape[0]
    u = np.empty(q)
    total = 0.0
    for i in range(n):
        grown = _posterior(products[i, :q, :q], between, within, spread[i])
        constant = counts[i] * np.log(2.0 * np.pi * within) + grown
        best = -np.inf
        for c in range(k):
            squares = _residual(products[i], beta[c], u)
            for a in range(q):
                for b in range(q):
                    squares -= u[a] * spread[i, a, b] * u[b] / within
            log_density = -np.inf
            if shares[c] > 0.0:
                log_density = np.log(shares[c]) - 0.5 * (constant + squares / within)
            weights[i, c] = log_density
            best = max(best, log_density)
        scale = 0.0
        for c in range(k):
            weights[i, c] = np.exp(weights[i, c] - best)
            scale += weights[i, c]
        for c in range(k):
            weights[i, c] /= scale
        total += best + np.log(scale)
    return total


@numba.njit(cache=True)
def _solve(matrix, right):
    """Solution of a small symmetric system in place, and whether it has one."""
    p = len(right)
    largest = 0.0
    for a in range(p):
        largest = max(largest, matrix[a, a])
    for a in range(p):
        if matrix[a, a] <= 1e-10 * largest or not np.isfinite(matrix[a, a]):
            return False
        for b in range(a + 1, p):
            factor = matrix[b, a] / matrix[a, a]
            for c in range(a, p):
                matrix[b, c] -= factor * matrix[a, c]
            right[b] -= factor * right[a]
    for a in range(p - 1, -1, -1):
        for b in range(a + 1, p):
            right[a] -= matrix[a, b] * right[b]
        right[a] /= matrix[a, a]
    return True


@numba.njit(cache=True)
def _weighted(product, spread, within, out):
    """``B' V^-1 [B, y]`` of a patient, times the residual variance, into `out` (p, p + 1)."""
    p, q = out.shape[0], spread.shape[0]
    for a in range(p):
        for b in range(p + 1):
            out[a, b] = product[a, b]
        for d in range(q):
            shrunk = 0.0
            for e in range(q):
                shrunk += product[a, e] * spread[e, d] / within
            for b in range(p + 1):
                out[a, b] -= shrunk * product[d, b]


@numba.njit(cache=True)
def _curves(products, weights, spread, within, beta):
    """M step of the curves: weighted generalised least squares, class by class.

    A class whose patients cannot tell its curve keeps the one it had: standing is never downhill.
    """
    n, k = weights.shape
    p = beta.shape[1]
    gram, right = np.zeros((k, p, p)), np.zeros((k, p))
    rows = np.empty((p, p + 1))
    for i in range(n):
        _weighted(products[i], spread[i], within, rows)
        for c in range(k):
            for a in range(p):
                right[c, a] += weights[i, c] * rows[a, p]
                for b in range(p):
                    gram[c, a, b] += weights[i, c] * rows[a, b]
    for c in range(k):
        if _solve(gram[c], right[c]):
            beta[c] = right[c]


@numba.njit(cache=True)
def _variances(products, counts, weights, spread, beta, between, within, floor):
    """M step of the variances, into `between`; returns the residual one."""
    n, k = weights.shape
    q = between.shape[0]
    u, mean, total = np.empty(q), np.empty(q), np.zeros((q, q))
    squares = 0.0
    for i in range(n):
        for a in range(q):
            for b in range(q):
                total[a, b] += spread[i, a, b]
                squares += products[i, a, b] * spread[i, b, a]
        for c in range(k):
            left = _residual(products[i], beta[c], u)
            for a in range(q):
                mean[a] = 0.0
                for b in range(q):
                    mean[a] += spread[i, a, b] * u[b] / within
            for a in range(q):
                left -= 2.0 * mean[a] * u[a]
                for b in range(q):
                    left += mean[a] * products[i, a, b] * mean[b]
                    total[a, b] += weights[i, c] * mean[a] * mean[b]
            squares += weights[i, c] * left
    between[:] = total / n
    return max(squares / counts.sum(), floor)


@numba.njit(cache=True)
def maximise(products, counts, weights, beta, between, within, floor, tol, max_iter):
    """EM from class probabilities `weights` and the other starting values.

    Every iteration is one E step, the shares and curves that are best for its probabilities, and
    one EM step for the variances at those curves: the likelihood never falls.

    Returns
    -------
    shares, beta, between, within
        Estimates.
    weights
        (patients, classes) probabilities under the estimates.
    path
        Log-likelihood after each iteration.
    converged
        Whether the last relative gain was below `tol`.
    """
    n, k = weights.shape
    q = between.shape[0]
    spread = np.empty((n, q, q))
    path = np.empty(max_iter + 1)
    shares = np.full(k, 1.0 / k)
    start = weights.copy()
    for iteration in range(max_iter + 1):
        path[iteration] = expectation(
            products, counts, shares, beta, between, within, weights, spread
        )
        gain = path[iteration] - path[max(iteration - 1, 0)]
        converged = iteration > 1 and gain < tol * abs(path[iteration])
        if converged or iteration == max_iter:
            break
        if iteration == 0:
            weights[:] = start
        for c in range(k):
            shares[c] = weights[:, c].sum() / n
        _curves(products, weights, spread, within, beta)
        within = _variances(products, counts, weights, spread, beta, between, within, floor)
    return shares, beta, between, within, weights, path[1 : iteration + 1], converged
