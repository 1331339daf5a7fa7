"""Logistic regression with a random intercept per cluster, such as a service."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.case_mix import inputs, kernels, logit
from iesoresearch.models.case_mix.design import Design, design

NODES = 15
_STEPS = 200
_SETTLED = 1e-9
_NONE = 1e-3  # a standard deviation below this is none: odds then differ by a thousandth


@dataclass(frozen=True)
class Mixed:
    """A fitted random-intercept logistic model.

    Attributes
    ----------
    names, coefficients, covariance
        (columns,), log odds and log odds ratios, the constant first, and their covariance from the
        observed information.
    tau
        Standard deviation of the intercepts between clusters, in log odds; 0 where the likelihood
        is highest without any.
    joint
        (columns + 1,) squared: covariance with the logarithm of `tau` last; that row and column are
        zero where `tau` is.
    log_likelihood
        Binomial coefficients left out.
    """

    names: tuple[str, ...]
    coefficients: np.ndarray
    covariance: np.ndarray
    joint: np.ndarray
    tau: float
    log_likelihood: float


def fit_mixed(x, events, n, cluster) -> Mixed:
    """Fit logit P(event) = constant + x·β + b, b ~ Normal(0, τ²) for each cluster.

    Maximum likelihood, the intercepts integrated out by adaptive Gauss–Hermite quadrature with
    `NODES` nodes, by Newton's method over β and log τ. Rows that are equal within a cluster are
    added up first. τ is that of maximum likelihood, which with few clusters is somewhat small.

    Parameters
    ----------
    x : (rows, columns) array_like or polars.DataFrame
        Numbers, without a constant. Names of an array's columns are their numbers.
    events, n : (rows,) array_like
        People with the event, and all.
    cluster : (rows,) sequence
        Labels.

    Raises
    ------
    ParameterError
        Lengths that differ, impossible counts, or columns of no numbers.
    DataError
        One cluster; empty cells; a column that separates, is constant or follows from others; no
        convergence.
    """
    frame = x if isinstance(x, pl.DataFrame) else _frame(x)
    cluster = inputs.labels(cluster, "cluster")
    return fit_design(design(inputs.columns(frame), *inputs.counts(events, n), cluster))


def fit_design(rows: Design) -> Mixed:
    """`fit_mixed` of rows that were prepared already."""
    if len(rows.starts) < 3:
        raise DataError("A model with random intercepts needs at least two clusters; there is one.")
    plain = logit.fit(rows)
    fixed = logit.log_likelihood(rows, plain)
    found = _At(rows, plain, _start(rows, plain)).climb()
    if found.tau <= _NONE or found.level <= fixed + 1e-9:
        found = replace(found, beta=plain, tau=0.0, level=fixed)
        joint = np.zeros((len(plain) + 1,) * 2)
        joint[:-1, :-1] = _without(rows, plain)
    else:
        joint = np.linalg.inv(-found.curvature())
    return Mixed(
        names=rows.names,
        coefficients=found.beta,
        covariance=joint[:-1, :-1],
        joint=joint,
        tau=found.tau,
        log_likelihood=found.level,
    )


@dataclass
class _At:
    """A point of the likelihood, and how to climb from it."""

    rows: Design
    beta: np.ndarray
    tau: float
    level: float = -np.inf

    def __post_init__(self) -> None:
        k = len(self.beta) + 1
        self._modes = np.zeros(len(self.rows.starts) - 1)
        self._gradient, self._hessian = np.empty(k), np.empty((k, k))
        self._points, self._weights = np.polynomial.hermite.hermgauss(NODES)

    def _evaluate(self, theta: np.ndarray) -> float:
        rows = self.rows
        return kernels.evaluate(
            *(rows.x, rows.n, rows.events, rows.starts, theta[:-1], np.exp(theta[-1])),
            *(self._points, self._weights, self._modes, self._gradient, self._hessian),
        )

    def climb(self) -> "_At":
        """The highest point from here, over the coefficients and log tau."""
        theta = np.append(self.beta, np.log(self.tau))
        level, damping = self._evaluate(theta), 0.0
        for _ in range(_STEPS):
            gradient, curvature = self._on_log_scale(theta[-1])
            step = _newton_step(gradient, curvature, damping)
            tried = theta + step
            reached = self._evaluate(tried)
            if reached >= level - 1e-12 * (1 + abs(level)):
                theta, level, damping = tried, reached, damping / 10 if damping > 1e-6 else 0.0
                if np.abs(step).max() < _SETTLED or theta[-1] < np.log(_NONE):
                    break
            else:
                damping = max(10 * damping, 1e-4)
                level = self._evaluate(theta)
                if damping > 1e12:
                    break
        else:
            raise DataError(
                "The random-intercept model does not settle. Scale columns with very large "
                "numbers, join rare levels, or leave columns out."
            )
        return _At(self.rows, theta[:-1], float(np.exp(theta[-1])), level)

    def _on_log_scale(self, log_tau: float) -> tuple[np.ndarray, np.ndarray]:
        """Gradient and negative Hessian over beta and log tau, of the last evaluation."""
        tau = np.exp(log_tau)
        scale = np.append(np.ones(len(self.beta)), tau)
        gradient = self._gradient * scale
        curvature = -self._hessian * np.outer(scale, scale)
        curvature[-1, -1] -= gradient[-1]
        return gradient, curvature

    def curvature(self) -> np.ndarray:
        """Hessian over beta and log tau here."""
        theta = np.append(self.beta, np.log(self.tau))
        self._evaluate(theta)
        return -self._on_log_scale(theta[-1])[1]


def _newton_step(gradient: np.ndarray, curvature: np.ndarray, damping: float) -> np.ndarray:
    """Newton's step; damped until the curvature is that of a hill."""
    diagonal = np.abs(np.diag(curvature)) + 1e-12
    while True:
        try:
            root = np.linalg.cholesky(curvature + damping * np.diag(diagonal))
        except np.linalg.LinAlgError:
            damping = max(10 * damping, 1e-3)
        else:
            step = np.linalg.solve(root.T, np.linalg.solve(root, gradient))
            return step * min(1.0, 2.0 / max(np.abs(step).max(), 1e-300))


def _start(rows: Design, beta: np.ndarray) -> float:
    """Standard deviation by moments of the clusters' residuals; a small one where none shows."""
    mean = 1 / (1 + np.exp(-(rows.x @ beta)))
    off = np.add.reduceat(rows.events - rows.n * mean, rows.starts[:-1])
    chance = np.add.reduceat(rows.n * mean * (1 - mean), rows.starts[:-1])
    between = ((off**2).sum() - chance.sum()) / (chance**2).sum()
    return float(np.clip(np.sqrt(max(between, 0.0)), 0.1, 2.0))


def _without(rows: Design, beta: np.ndarray) -> np.ndarray:
    mean = 1 / (1 + np.exp(-(rows.x @ beta)))
    return np.linalg.inv((rows.x * (rows.n * mean * (1 - mean))[:, None]).T @ rows.x)


def _frame(x) -> pl.DataFrame:
    try:
        x = np.asarray(x, dtype=float)
    except (TypeError, ValueError):
        x = np.empty(0)
    if x.ndim != 2:
        raise ParameterError("Columns of a model are a table of numbers of two dimensions.")
    return pl.DataFrame(x, schema=[str(j + 1) for j in range(x.shape[1])], orient="row")
