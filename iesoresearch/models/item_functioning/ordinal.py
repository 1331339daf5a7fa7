"""Proportional-odds logistic regression by Newton's method, on cells instead of people.

People with equal covariates are one cell with a count of each level, so that the cost goes with the
number of cells. Counts may be weighted. The log-likelihood is concave (Pratt 1981,
doi:10.1080/01621459.1981.10477612), so that the maximum found is the maximum.
"""

from dataclasses import dataclass

import numba
import numpy as np
from scipy.special import expit, logit

from iesoresearch.errors import DataError

_MOST_STEPS = 60
_HALVINGS = 40
_FLAT = 1e-10  # smallest eigenvalue of the information of one person, covariates of mean square one
_CLOSE = 1e-12  # expected gain of one more step, relative to the log-likelihood


@dataclass(frozen=True)
class Ordinal:
    r"""A fit of :math:`P(Y \ge k \mid x) = \mathrm{logit}^{-1}(\alpha_k + x'\beta)`.

    Attributes
    ----------
    thresholds : (levels - 1,) array
        :math:`\alpha_1 > \alpha_2 > \dots`, log odds of reaching each level from the second.
    slopes : (p,) array
    log_likelihood : float
        In nats.
    information : (levels - 1 + p, levels - 1 + p) array
        Negative second derivatives at the maximum, thresholds first.
    """

    thresholds: np.ndarray
    slopes: np.ndarray
    log_likelihood: float
    information: np.ndarray

    @property
    def parameters(self) -> np.ndarray:
        """Thresholds and slopes in one array."""
        return np.concatenate([self.thresholds, self.slopes])

    def probabilities(self, design: np.ndarray) -> np.ndarray:
        """Probability of each level at each row of `design`: (rows, levels)."""
        return level_probabilities(self.thresholds + (design @ self.slopes)[:, None])

    def scores(self, design: np.ndarray, levels: np.ndarray) -> np.ndarray:
        """Derivatives of the log-likelihood of each row, unweighted: (rows, parameters)."""
        lower, upper = derivatives(self.thresholds + (design @ self.slopes)[:, None])
        rows, k = np.arange(len(levels)), len(self.thresholds)
        out = np.zeros((len(levels), k + design.shape[1]))
        above, below = lower[rows, levels], upper[rows, levels]
        out[rows[levels > 0], levels[levels > 0] - 1] = above[levels > 0]
        out[rows[levels < k], levels[levels < k]] += below[levels < k]
        out[:, k:] = (above + below)[:, None] * design
        return out


def level_probabilities(logits: np.ndarray) -> np.ndarray:
    """Probabilities of levels from falling cumulative `logits`: (..., levels - 1) to (..., levels).

    A difference of two numbers near one is taken of their distances from one, which keeps its
    digits. A logit of minus infinity is a level that is never reached.
    """
    rows = np.ascontiguousarray(logits, dtype=float).reshape(-1, logits.shape[-1])
    return _levels(rows).reshape(*logits.shape[:-1], -1)


def derivatives(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the log probability of each level by the logit at its lower and at its upper end.

    Parameters
    ----------
    logits : (..., levels - 1) array

    Returns
    -------
    lower, upper : (..., levels) arrays
        Zero where there is no such end.
    """
    probabilities = np.maximum(level_probabilities(logits), 1e-300)
    reached = expit(logits)
    density = reached * (1 - reached)
    padding = [(0, 0)] * (logits.ndim - 1)
    lower = np.pad(density, [*padding, (1, 0)]) / probabilities
    upper = -np.pad(density, [*padding, (0, 1)]) / probabilities
    return lower, upper


def fit(design, counts, start: Ordinal | None = None) -> Ordinal:
    """Maximum-likelihood fit.

    Parameters
    ----------
    design : (cells, p) array_like
        Without a constant; p may be 0.
    counts : (cells, levels) array_like
        How many people of each cell gave each level, weighted or not.
    start
        A fit to start from, of the same shape.

    Raises
    ------
    DataError
        Nobody gave one of the levels, or there is no finite maximum: a covariate tells a level for
        certain.
    """
    design = np.ascontiguousarray(design, dtype=float)
    counts = np.ascontiguousarray(counts, dtype=float)
    total = counts.sum(axis=0)
    if len(total) < 2 or not (total > 0).all():
        raise DataError(
            f"Of {len(total)} levels of an item {int((total <= 0).sum())} were given by nobody. "
            "Join levels, at least two of which were given."
        )
    if start is None:
        reached = total[::-1].cumsum()[::-1][1:] / total.sum()
        parameters = np.concatenate([logit(reached), np.zeros(design.shape[1])])
    else:
        parameters = start.parameters
    found, value, hessian, done = _newton(parameters, design, counts)
    k = counts.shape[1] - 1
    if not done or _flat(-hessian, design, counts):
        raise DataError(
            "An ordinal regression has no finite maximum: a group, or its score, tells a level of "
            "an item for certain. Join levels or leave the group out."
        )
    return Ordinal(found[:k], found[k:], float(value), -hessian)


def _flat(information: np.ndarray, design: np.ndarray, counts: np.ndarray) -> bool:
    """Whether the likelihood hardly bends in some direction: it then rises for ever."""
    people = counts.sum(axis=1)
    squares = np.concatenate([np.full(counts.shape[1] - 1, people.sum()), people @ design**2])
    scale = 1 / np.sqrt(np.maximum(squares, 1e-300))
    return np.linalg.eigvalsh(information * np.outer(scale, scale))[0] < _FLAT


@numba.njit(cache=True)
def _sigmoid(x):
    if x >= 0:
        return 1.0 / (1.0 + np.exp(-x))
    e = np.exp(x)
    return e / (1.0 + e)


@numba.njit(cache=True)
def _levels(logits):
    n, k = logits.shape
    out = np.empty((n, k + 1))
    for r in range(n):
        for c in range(k + 1):
            out[r, c] = max(_probability(logits[r], 0.0, c, k), 0.0)
    return out


@numba.njit(cache=True)
def _log_likelihood(parameters, design, counts):
    cells, levels = counts.shape
    k = levels - 1
    value = 0.0
    for m in range(cells):
        slope = 0.0
        for j in range(design.shape[1]):
            slope += design[m, j] * parameters[k + j]
        for c in range(levels):
            if counts[m, c] > 0:
                p = _probability(parameters, slope, c, k)
                if p <= 0:
                    return -np.inf
                value += counts[m, c] * np.log(p)
    return value


@numba.njit(cache=True)
def _probability(parameters, slope, c, k):
    """Of level c, where the thresholds are the first k parameters."""
    if c == 0:
        return _sigmoid(-(parameters[0] + slope))
    high = parameters[c - 1] + slope
    if c == k:
        return _sigmoid(high)
    low = parameters[c] + slope
    if low > 0:
        return _sigmoid(-low) - _sigmoid(-high)
    return _sigmoid(high) - _sigmoid(low)


@numba.njit(cache=True)
def _all_derivatives(parameters, design, counts):
    """Gradient and Hessian of the log-likelihood."""
    cells, levels = counts.shape
    k, p = levels - 1, design.shape[1]
    size = k + p
    gradient, hessian = np.zeros(size), np.zeros((size, size))
    first, inner = np.empty(k), np.empty((k, k))
    for m in range(cells):
        slope = 0.0
        for j in range(p):
            slope += design[m, j] * parameters[k + j]
        _of_cell(parameters, slope, counts[m], first, inner)
        total = 0.0
        for a in range(k):
            gradient[a] += first[a]
            total += first[a]
            row = 0.0
            for b in range(k):
                hessian[a, b] += inner[a, b]
                row += inner[a, b]
            for j in range(p):
                hessian[a, k + j] += row * design[m, j]
        whole = inner.sum()
        for j in range(p):
            gradient[k + j] += total * design[m, j]
            for i in range(j + 1):
                hessian[k + i, k + j] += whole * design[m, i] * design[m, j]
    for a in range(size):
        for b in range(a):
            hessian[a, b] = hessian[b, a]
    return gradient, hessian


@numba.njit(cache=True)
def _of_cell(parameters, slope, counts, first, inner):
    """Derivatives of one cell by its cumulative logits, into `first` and `inner`."""
    k = len(first)
    first[:] = 0.0
    inner[:] = 0.0
    for c in range(k + 1):
        n = counts[c]
        if n == 0:
            continue
        p = _probability(parameters, slope, c, k)
        up = down = up2 = down2 = 0.0
        if c > 0:
            s = _sigmoid(parameters[c - 1] + slope)
            up = s * (1 - s) / p
            up2 = up * (1 - 2 * s)
        if c < k:
            s = _sigmoid(parameters[c] + slope)
            down = s * (1 - s) / p
            down2 = down * (1 - 2 * s)
        if c > 0:
            first[c - 1] += n * up
            inner[c - 1, c - 1] += n * (up2 - up * up)
        if c < k:
            first[c] -= n * down
            inner[c, c] -= n * (down2 + down * down)
        if 0 < c < k:
            inner[c - 1, c] += n * up * down
            inner[c, c - 1] += n * up * down


@numba.njit(cache=True)
def _newton(parameters, design, counts):
    """Newton's method; a step is halved while it loses, or while thresholds change their order."""
    value = _log_likelihood(parameters, design, counts)
    gradient, hessian = _all_derivatives(parameters, design, counts)
    for _ in range(_MOST_STEPS):
        step = np.linalg.solve(hessian, gradient)
        gain = -0.5 * np.dot(gradient, step)
        if not np.isfinite(gain):
            return parameters, value, hessian, False
        if gain <= _CLOSE * (1.0 + abs(value)):
            final = parameters - step
            reached = _log_likelihood(final, design, counts)
            if reached >= value:
                return final, reached, _all_derivatives(final, design, counts)[1], True
            return parameters, value, hessian, True
        size = 1.0
        for _ in range(_HALVINGS):
            trial = parameters - size * step
            found = _log_likelihood(trial, design, counts)
            if found > value:
                break
            size *= 0.5
        else:  # nothing is gained beyond rounding
            return parameters, value, hessian, gain < 1e-6 * (1.0 + abs(value))
        parameters, value = trial, found
        gradient, hessian = _all_derivatives(parameters, design, counts)
        if np.abs(parameters).max() > 100.0:
            return parameters, value, hessian, False
    return parameters, value, hessian, False
