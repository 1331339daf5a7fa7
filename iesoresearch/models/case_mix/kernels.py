"""Likelihood of a random-intercept logistic model, with its derivatives, cluster by cluster.

Integrals over the random intercept are adaptive Gauss–Hermite quadrature: the nodes of each cluster
are centred and scaled on its own mode (Liu & Pierce 1994, Biometrika 81:624–629). Rows are binomial
counts, sorted by cluster.
"""

import numba
import numpy as np

_STEPS = 100
_SETTLED = 1e-10
_LONGEST = 2.0  # step towards a mode, in standard deviations of the intercept


@numba.njit(cache=True, nogil=True)
def _slope_and_curve(eta, n, events, tau, u):
    """First and negative second derivative of `_log_density` by the intercept."""
    slope, curve = -u, 1.0
    for i in range(len(eta)):
        mean = 1.0 / (1.0 + np.exp(-(eta[i] + tau * u)))
        slope += tau * (events[i] - n[i] * mean)
        curve += tau * tau * n[i] * mean * (1.0 - mean)
    return slope, curve


@numba.njit(cache=True, nogil=True)
def _mode(eta, n, events, tau, u):
    """Mode of the standardised intercept of one cluster, from `u`, and the curvature there."""
    slope, curve = _slope_and_curve(eta, n, events, tau, u)
    for _ in range(_STEPS):
        # concave, but a full step may jump over a mode that is far away
        step = min(max(slope / curve, -_LONGEST), _LONGEST)
        u += step
        slope, curve = _slope_and_curve(eta, n, events, tau, u)
        if abs(step) < _SETTLED:
            break
    return u, curve


@numba.njit(cache=True, nogil=True)
def _log_density(eta, n, events, tau, u):
    """Log-likelihood of one cluster given its intercept, and that of the intercept."""
    total = -0.5 * u * u
    for i in range(len(eta)):
        value = eta[i] + tau * u
        total += events[i] * value - n[i] * (np.log1p(np.exp(-abs(value))) + max(value, 0.0))
    return total


@numba.njit(cache=True, nogil=True)
def _integrate(eta, n, events, tau, start, points, weights, nodes, shares):
    """Log-likelihood and mode of one cluster; nodes and their posterior shares written in place."""
    mode, curve = _mode(eta, n, events, tau, start)
    width = np.sqrt(2.0 / curve)
    for q in range(len(points)):
        nodes[q] = mode + width * points[q]
        density = _log_density(eta, n, events, tau, nodes[q])
        shares[q] = np.log(weights[q]) + points[q] ** 2 + density
    highest = shares.max()
    shares[:] = np.exp(shares - highest)
    total = shares.sum()
    shares /= total
    return highest + np.log(total * width) - 0.5 * np.log(2.0 * np.pi), mode


@numba.njit(cache=True, nogil=True)
def _add_row(x, n, events, eta, tau, nodes, shares, scores, hessian):
    """Add one row to the scores at each node and to the expected curvature."""
    k = len(x)
    flat, tilted, bent = 0.0, 0.0, 0.0  # of the curvature, by powers of the intercept
    used = np.flatnonzero(x)
    for q in range(len(nodes)):
        mean = 1.0 / (1.0 + np.exp(-(eta + tau * nodes[q])))
        residual = events - n * mean
        curve = shares[q] * n * mean * (1.0 - mean)
        flat += curve
        tilted += curve * nodes[q]
        bent += curve * nodes[q] ** 2
        for j in used:
            scores[q, j] += residual * x[j]
        scores[q, k] += residual * nodes[q]
    for a in range(len(used)):
        j = used[a]
        for b in range(a + 1):
            hessian[j, used[b]] -= flat * x[j] * x[used[b]]
        hessian[k, j] -= tilted * x[j]
    hessian[k, k] -= bent


@numba.njit(cache=True, nogil=True)
def _add_cluster(scores, shares, gradient, hessian):
    """Add a cluster's score and the variance of it over the nodes (Louis 1982)."""
    k = scores.shape[1]
    mean = np.zeros(k)
    for q in range(len(shares)):
        mean += shares[q] * scores[q]
    gradient += mean
    for q in range(len(shares)):
        for j in range(k):
            off = shares[q] * (scores[q, j] - mean[j])
            for m in range(j + 1):
                hessian[j, m] += off * (scores[q, m] - mean[m])


@numba.njit(cache=True, nogil=True)
def evaluate(x, n, events, starts, beta, tau, points, weights, modes, gradient, hessian):
    """Log-likelihood at (`beta`, `tau`); gradient and Hessian are written in place.

    The derivatives are those of the integral, exact up to the quadrature.

    Parameters
    ----------
    x
        (rows, columns), the constant among them, rows of a cluster next to each other.
    n, events
        (rows,) people and, of these, events.
    starts
        (clusters + 1,) first row of each cluster, and the number of rows.
    beta, tau
        (columns,) coefficients and standard deviation of the intercepts.
    points, weights
        (nodes,) Gauss–Hermite.
    modes
        (clusters,) where to look for the modes first; those found are written here.
    gradient, hessian
        (columns + 1,) and its square, over beta and, last, tau.

    Returns
    -------
    float
        Without the binomial coefficients, so that adding rows up changes nothing.
    """
    gradient[:] = 0.0
    hessian[:] = 0.0
    nodes, shares = np.empty(len(points)), np.empty(len(points))
    scores = np.empty((len(points), x.shape[1] + 1))
    eta, total = x @ beta, 0.0
    for c in range(len(starts) - 1):
        rows = slice(starts[c], starts[c + 1])
        part, modes[c] = _integrate(
            eta[rows], n[rows], events[rows], tau, modes[c], points, weights, nodes, shares
        )
        total += part
        scores[:] = 0.0
        for i in range(starts[c], starts[c + 1]):
            _add_row(x[i], n[i], events[i], eta[i], tau, nodes, shares, scores, hessian)
        _add_cluster(scores, shares, gradient, hessian)
    for j in range(len(gradient)):
        for m in range(j):
            hessian[m, j] = hessian[j, m]
    return total
