"""Logistic regression without random intercepts: fit, separation, and robust covariance."""

import numpy as np
from scipy.special import expit

from iesoresearch.errors import DataError
from iesoresearch.models.case_mix.design import Design
from iesoresearch.models.evaluation import logistic

_FARTHEST = 25.0  # log odds that no rate of real people reaches


def fit(design: Design) -> np.ndarray:
    """Coefficients by maximum likelihood, (columns,).

    Raises
    ------
    DataError
        A column separates those with the event from those without, naming the column.
    """
    x, n, events = design.x, design.n, design.events
    refuse_levels(design)
    beta = np.zeros(x.shape[1])
    beta[0] = np.log(events.sum() / (n - events).sum())
    found = logistic.newton(x, n, events, np.zeros(len(n)), beta, logistic.TOLERANCE)
    if not found or not np.isfinite(beta).all() or np.abs(x @ beta).max() > _FARTHEST:
        spread = np.abs(beta) * np.nan_to_num(x.std(axis=0))
        raise _separated(design.names[int(np.argmax(spread))])
    return beta


def refuse_levels(design: Design) -> None:
    """Refuse a column of which one value has only people with, or only without, the event.

    Raises
    ------
    DataError
        Naming the column.
    """
    inside = design.x[:, 1:] != 0
    share = design.events @ inside / (design.n @ inside)
    for name, all_alike in zip(design.names[1:], (share == 0) | (share == 1), strict=True):
        if all_alike:
            raise _separated(name)


def covariance(design: Design, beta: np.ndarray, clustered: bool) -> np.ndarray:
    """Covariance that holds whether or not the model does (columns, columns).

    Huber's and White's, of people or of whole clusters (Liang & Zeger 1986,
    doi:10.1093/biomet/73.1.13), times k / (k − 1) for the k people or clusters.
    """
    x, n, events = design.x, design.n, design.events
    mean = expit(x @ beta)
    bread = np.linalg.inv((x * (n * mean * (1 - mean))[:, None]).T @ x)
    if clustered:
        scores = np.add.reduceat(x * (events - n * mean)[:, None], design.starts[:-1], axis=0)
        meat, k = scores.T @ scores, len(scores)
    else:
        squares = events * (1 - mean) ** 2 + (n - events) * mean**2
        meat, k = (x * squares[:, None]).T @ x, n.sum()
    return k / (k - 1) * bread @ meat @ bread


def log_likelihood(design: Design, beta: np.ndarray) -> float:
    """Without the binomial coefficients."""
    eta = design.x @ beta
    return float(design.events @ eta - design.n @ np.logaddexp(0.0, eta))


def _separated(name: str) -> DataError:
    return DataError(
        f"The column '{name.split('=')[0]}' tells patients with the event and patients without "
        "apart without error, or one of its levels has only one kind of them, so its coefficient "
        "has no finite value. Join levels, leave the column out, or take more patients."
    )
