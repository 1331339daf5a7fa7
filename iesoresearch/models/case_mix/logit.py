"""Logistic regression without random intercepts: fit, separation, and robust covariance."""

import numpy as np
from scipy.special import expit

from iesoresearch.errors import DataError
from iesoresearch.models.case_mix.design import Design
from iesoresearch.models.evaluation import logistic

_FLAT = 1e-10  # information per person on a column in standard units: none is left


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
    flat, least = _flattest(design, beta)
    if not found or not least > _FLAT:
        raise _separated(design.names[flat])
    return beta


def refuse_levels(design: Design) -> None:
    """Refuse a column of which one level has only people with, or only without, the event.

    Raises
    ------
    DataError
        Naming the column.
    """
    x, n, events = design.x[:, 1:], design.n, design.events
    for name, column in zip(design.names[1:], x.T, strict=True):
        one_sided = column.min() >= 0 or column.max() <= 0
        level = column != 0
        sides = [level] if one_sided else []
        sides += [~level] if len(np.unique(column)) == 2 and not level.all() else []
        for side in sides:
            if events[side].sum() in (0, n[side].sum()):
                raise _separated(name)


def _flattest(design: Design, beta: np.ndarray) -> tuple[int, float]:
    """Column of which the data say least at `beta`, and how much per person that is."""
    x, n = design.x, design.n
    scaled = x - n @ x / n.sum()
    scaled[:, 0] = 1.0
    scaled /= np.sqrt(n @ scaled**2 / n.sum())
    with np.errstate(over="ignore", invalid="ignore"):
        mean = expit(x @ np.nan_to_num(beta))
    values, vectors = np.linalg.eigh((scaled * (n * mean * (1 - mean))[:, None]).T @ scaled)
    place = int(np.argmax(np.abs(vectors[1:, 0]))) + 1 if len(beta) > 1 else 0
    return place, float(values[0] / n.sum())


def covariance(design: Design, beta: np.ndarray, clustered: bool) -> np.ndarray:
    """Covariance that holds whether or not the model does (columns, columns).

    Huber's and White's, of people or of whole clusters (Liang & Zeger 1986,
    doi:10.1093/biomet/73.1.13), times k / (k − 1) for the k people or clusters. NaN where there is
    one cluster, which has nothing to differ from.
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
    return (k / (k - 1) if k > 1 else np.nan) * bread @ meat @ bread


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
