"""Logistic regression by Newton's method, with offset and weights, for a handful of columns."""

import numba
import numpy as np
from scipy.special import expit

MAX_STEPS = 60
TOLERANCE = 1e-12  # of a step, relative to the coefficients
HALVINGS = 30


@numba.njit(cache=True, nogil=True)
def _deviance(x, weights, events, offset, beta):
    """Twice the negative log-likelihood of `events` among `weights`."""
    total = 0.0
    for i in range(len(x)):
        eta = offset[i]
        for j in range(len(beta)):
            eta += x[i, j] * beta[j]
        soft = np.log1p(np.exp(-abs(eta)))
        total += weights[i] * (soft + max(eta, 0.0)) - events[i] * eta
    return 2.0 * total


@numba.njit(cache=True, nogil=True)
def _derivatives(x, weights, events, offset, beta, gradient, information):
    k = len(beta)
    gradient[:] = 0.0
    information[:] = 0.0
    for i in range(len(x)):
        eta = offset[i]
        for j in range(k):
            eta += x[i, j] * beta[j]
        mean = 1.0 / (1.0 + np.exp(-eta))
        off = events[i] - weights[i] * mean
        curve = weights[i] * mean * (1.0 - mean)
        for j in range(k):
            gradient[j] += off * x[i, j]
            for m in range(j + 1):
                information[j, m] += curve * x[i, j] * x[i, m]
    for j in range(k):
        for m in range(j):
            information[m, j] = information[j, m]


@numba.njit(cache=True, nogil=True)
def solve(a, b, out):
    """Solve ``a @ out = b`` by Cholesky; False where `a` is not safely positive definite."""
    k = len(b)
    root = np.zeros((k, k))
    for i in range(k):
        for j in range(i + 1):
            rest = a[i, j]
            for m in range(j):
                rest -= root[i, m] * root[j, m]
            if i == j:
                if not rest > 1e-13 * a[i, i]:
                    return False
                root[i, i] = np.sqrt(rest)
            else:
                root[i, j] = rest / root[j, j]
    for i in range(k):
        rest = b[i]
        for j in range(i):
            rest -= root[i, j] * out[j]
        out[i] = rest / root[i, i]
    for i in range(k - 1, -1, -1):
        rest = out[i]
        for j in range(i + 1, k):
            rest -= root[j, i] * out[j]
        out[i] = rest / root[i, i]
    return True


@numba.njit(cache=True, nogil=True)
def newton(x, weights, events, offset, beta, tolerance):
    """Fit in place, from the `beta` given; whether it converged.

    Parameters
    ----------
    x
        (rows, columns), C-contiguous; the constant is a column like any other.
    weights, events
        (rows,) people and, of these, events.
    offset
        (rows,) added to the linear predictor.
    beta
        (columns,) start values, overwritten.
    tolerance
        Largest step, relative to the coefficients, that counts as none.
    """
    k = len(beta)
    gradient, information, step = np.empty(k), np.empty((k, k)), np.empty(k)
    before = _deviance(x, weights, events, offset, beta)
    for _ in range(MAX_STEPS):
        _derivatives(x, weights, events, offset, beta, gradient, information)
        if not solve(information, gradient, step):
            return False
        largest = np.max(np.abs(step)) / (1.0 + np.max(np.abs(beta)))
        if largest < tolerance:
            return True
        beta += step
        after = _deviance(x, weights, events, offset, beta)
        halvings = 0
        # near the end the deviance cannot tell steps apart any more
        while not after <= before + 1e-9 * (1.0 + abs(before)) and halvings < HALVINGS:
            step *= 0.5
            beta -= step
            after = _deviance(x, weights, events, offset, beta)
            halvings += 1
        before = after
        if largest < 1e-7:  # quadratic: the step just made left an error of its square
            return True
    return False


def fit(x: np.ndarray, y: np.ndarray, offset: np.ndarray | None = None) -> np.ndarray | None:
    """Coefficients of a logistic regression with one row per person.

    Parameters
    ----------
    x
        (people, columns), the constant among them.
    y
        (people,) 0 or 1.
    offset
        (people,) added to the linear predictor; 0 by default.

    Returns
    -------
    numpy.ndarray or None
        (columns,); None where it does not converge, as when the classes are separated.
    """
    offset = np.zeros(len(y)) if offset is None else offset
    beta = np.zeros(x.shape[1])
    y = np.ascontiguousarray(y, dtype=float)
    found = newton(np.ascontiguousarray(x), np.ones(len(y)), y, offset, beta, TOLERANCE)
    return beta if found else None


def line(x: np.ndarray, y: np.ndarray) -> np.ndarray | None:
    """Intercept and slope of a logistic regression on one variable; None as in `fit`.

    Parameters
    ----------
    x
        (people,) not all equal.
    y
        (people,) 0 or 1.
    """
    middle, scale = x.mean(), x.std()
    # centred and scaled, so that predictions that hardly differ are no trouble
    beta = fit(np.column_stack([np.ones(len(x)), (x - middle) / scale]), y)
    return None if beta is None else np.array([beta[0] - beta[1] * middle / scale, beta[1] / scale])


@numba.njit(cache=True, nogil=True)
def shift(x, y):
    """Intercept of a logistic regression with offset `x`: Newton's method, kept in a bracket.

    Parameters
    ----------
    x
        (people,) finite.
    y
        (people,) 0.0 or 1.0, both of them.

    Returns
    -------
    float
    """
    rate = y.mean()
    base = np.log(rate / (1.0 - rate))
    low, high = base - x.max(), base - x.min()  # too few and too many events predicted
    a = 0.5 * (low + high) if low > 0.0 or high < 0.0 else 0.0
    for _ in range(200):
        off, curve = 0.0, 0.0
        for i in range(len(x)):
            mean = 1.0 / (1.0 + np.exp(-a - x[i]))
            off += y[i] - mean
            curve += mean * (1.0 - mean)
        if off > 0.0:
            low = a
        else:
            high = a
        after = a + off / curve if curve > 0.0 else np.nan
        if not low <= after <= high:
            after = 0.5 * (low + high)
        if abs(after - a) <= TOLERANCE * (1.0 + abs(a)):
            return after
        a = after
    return a


def sandwich(
    x: np.ndarray, y: np.ndarray, eta: np.ndarray, clusters: np.ndarray | None = None
) -> np.ndarray:
    """Covariance of the coefficients that holds whether or not the model does.

    The estimator of Huber and White, of whole clusters (Liang & Zeger 1986,
    doi:10.1093/biomet/73.1.13), times k / (k − 1) for the k clusters.

    Parameters
    ----------
    x, y
        As in `fit`.
    eta
        (people,) linear predictor, offset and all.
    clusters
        (people,) 0-based; without, everybody is a cluster.

    Returns
    -------
    numpy.ndarray
        (columns, columns); NaN where it cannot be computed.
    """
    mean = expit(eta)
    scores = (y - mean)[:, None] * x
    if clusters is not None:
        scores = np.stack([np.bincount(clusters, s) for s in scores.T], axis=1)
    k = len(scores)
    if k < 2:  # nothing to compare
        return np.full((x.shape[1],) * 2, np.nan)
    bread = np.linalg.pinv((x * (mean * (1.0 - mean))[:, None]).T @ x, hermitian=True)
    with np.errstate(over="ignore", invalid="ignore"):  # where hardly anything is uncertain
        covariance = k / (k - 1) * bread @ (scores.T @ scores) @ bread
    return np.where(np.isfinite(covariance), covariance, np.nan)
