"""The difference between the arms by least squares alone: what the growth model is held against."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from iesoresearch.errors import DataError


@dataclass(frozen=True)
class Difference:
    """Adjusted mean difference, second arm minus control, with its 95 % interval.

    Attributes
    ----------
    n
        Patients it rests on.
    """

    estimate: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class _Fit:
    coefficients: np.ndarray
    covariance: np.ndarray
    df: int


def _least_squares(design: np.ndarray, y: np.ndarray, name: str) -> _Fit:
    n, p = design.shape
    if n <= p or np.linalg.matrix_rank(design) < p:
        raise DataError(
            f"{name}: the {n} patients with that score are too few, or too much alike, for a "
            f"regression with {p} coefficients. Bring more data."
        )
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ design.T @ y
    residual = y - design @ coefficients
    return _Fit(coefficients, inverse * (residual @ residual) / (n - p), n - p)


def ancova(scores: np.ndarray, arm: np.ndarray, known: np.ndarray, name: str) -> Difference:
    """Difference at the last occasion, adjusted for the start, among those who gave that score.

    Parameters
    ----------
    scores
        (patients, occasions), NaN = missing.
    arm
        (patients,) 0 or 1.
    known
        (patients, features) what else is adjusted for.
    name
        Of the trial, for the message.

    Raises
    ------
    DataError
        Too few patients gave both scores.
    """
    there = np.isfinite(scores[:, -1])
    design = np.column_stack([np.ones(there.sum()), arm[there], known[there], scores[there, 0]])
    fit = _least_squares(design, scores[there, -1], name)
    return _difference(fit.coefficients[1], fit.covariance[1, 1], fit.df, len(design))


def sequential(
    scores: np.ndarray, arm: np.ndarray, known: np.ndarray, name: str
) -> list[Difference]:
    """The same for all patients, if scores are missing at random, without any shape of the curves.

    Every score is regressed on the arm and all earlier scores, among those who gave them. Whoever
    leaves is then followed by these regressions: the difference at an occasion is what the arm adds
    there, and what it added to earlier scores times their coefficients. Where scores are missing
    only after a patient has left, this maximises the likelihood of a multivariate normal
    distribution with any covariance (Anderson 1957, Journal of the American Statistical Association
    52:200-203); a score after a gap is left out. Intervals are by the delta method, with Student's
    t of the regression at the occasion.

    Parameters
    ----------
    scores, arm, known, name
        See `ancova`.

    Returns
    -------
    list of Difference
        One per occasion after the first.

    Raises
    ------
    DataError
        Too few patients are left for one of the regressions.
    """
    total = np.zeros(scores.shape[1])  # what the arm changes at each occasion, the first score held
    variance = np.zeros((len(total), len(total)))
    found = []
    for j in range(1, len(total)):
        there = np.isfinite(scores[:, : j + 1]).all(axis=1)
        ones = np.ones(there.sum())
        design = np.column_stack([ones, arm[there], known[there], scores[there, :j]])
        fit = _least_squares(design, scores[there, j], name)
        slopes = fit.coefficients[2 + known.shape[1] :]
        total[j] = fit.coefficients[1] + slopes @ total[:j]
        gradient = np.concatenate([[0.0, 1.0], np.zeros(known.shape[1]), total[:j]])
        variance[j, :j] = variance[:j, j] = slopes @ variance[:j, :j]
        variance[j, j] = gradient @ fit.covariance @ gradient + slopes @ variance[:j, j]
        found.append(_difference(total[j], variance[j, j], fit.df, len(scores)))
    return found


def _difference(estimate: float, variance: float, df: int, n: int) -> Difference:
    half = stats.t.ppf(0.975, df) * np.sqrt(variance)
    return Difference(float(estimate), float(estimate - half), float(estimate + half), n)
