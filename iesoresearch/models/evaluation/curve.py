r"""The flexible calibration curve: which share has the event where a given risk is predicted.

The smoother is a logistic regression on a restricted cubic spline of :math:`x = \mathrm{logit}(p)`.
With knots :math:`t_1 < … < t_k` the columns are :math:`x` and, for :math:`j = 1 … k - 2`,

.. math:: \frac{(x - t_j)_+^3 - \frac{t_k - t_j}{t_k - t_{k-1}} (x - t_{k-1})_+^3
          + \frac{t_{k-1} - t_j}{t_k - t_{k-1}} (x - t_k)_+^3}{(t_k - t_1)^2}

(Harrell 2015, Regression Modeling Strategies, 2nd edition, doi:10.1007/978-3-319-19425-7, on
restricted cubic splines). Its distance from the diagonal is summed up by ICI, E50 and E90 (Austin &
Steyerberg 2019, doi:10.1002/sim.8281). They depend on the smoother, which is said with the numbers.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import expit

from iesoresearch.models.evaluation import logistic
from iesoresearch.models.evaluation.metrics import recalibration_data

#: Quantiles of the knots, tried in this order: Harrell's for four and three; then a straight line.
KNOTS = ((0.05, 0.35, 0.65, 0.95), (0.1, 0.5, 0.9), ())
FEWEST = 10  # events, and others, per coefficient beside the constant
POINTS = 50  # of the curve
BETWEEN = (0.01, 0.99)  # quantiles of the predictions that it is drawn between


@dataclass(frozen=True)
class Smoother:
    """A fitted calibration curve.

    Attributes
    ----------
    knots
        On the logit scale; empty for a straight line.
    coefficients, covariance
        Of the constant and the columns of the spline; covariance by the sandwich.
    description
        What it is, in words.
    """

    knots: np.ndarray
    coefficients: np.ndarray
    covariance: np.ndarray
    description: str

    def observed(self, p: np.ndarray) -> np.ndarray:
        """(people,) share with the event where `p` is predicted.

        Predictions of exactly 0 and 1 are returned as they are; see `fit`.
        """
        inside = (p > 0) & (p < 1)
        out = np.array(p, dtype=float)
        out[inside] = expit(basis(_logit(out[inside]), self.knots) @ self.coefficients)
        return out

    def band(self, p: np.ndarray, quantile: float) -> tuple[np.ndarray, np.ndarray]:
        """Pointwise limits: `quantile` standard errors to either side on the logit scale."""
        columns = basis(_logit(p), self.knots)
        middle = columns @ self.coefficients
        variance = np.einsum("ij,jk,ik->i", columns, self.covariance, columns)
        width = quantile * np.sqrt(np.maximum(variance, 0.0))
        return expit(middle - width), expit(middle + width)

    def on_diagonal(self, units: int) -> bool:
        """Whether these data could come from a curve that is the diagonal: a Wald test of 5 %.

        Of all coefficients together, by F with the degrees of freedom that `units` clusters leave
        (the square of Student's t for one coefficient). True where too few leave none.
        """
        k = len(self.coefficients)
        if units <= k or not np.isfinite(self.covariance).all():
            return True
        off = self.coefficients - np.eye(k)[1]
        wald = off @ np.linalg.pinv(self.covariance, hermitian=True) @ off
        f = wald * (units - k) / (k * (units - 1))
        return bool(stats.f.sf(f, k, units - k) > 0.05)


def basis(x: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Constant and restricted cubic spline of `x`.

    Parameters
    ----------
    x
        (people,) logits.
    knots
        (k,) ascending; fewer than three for a straight line.

    Returns
    -------
    numpy.ndarray
        (people, max(k, 2)).
    """
    columns = [np.ones_like(x), x]
    k = len(knots)
    for t in knots[: max(k - 2, 0)]:
        gap = knots[k - 1] - knots[k - 2]
        bent = _cube(x - t)
        bent -= (knots[k - 1] - t) / gap * _cube(x - knots[k - 2])
        bent += (knots[k - 2] - t) / gap * _cube(x - knots[k - 1])
        columns.append(bent / (knots[k - 1] - knots[0]) ** 2)
    return np.column_stack(columns)


def _cube(x):
    return np.maximum(x, 0.0) ** 3


def _logit(p):
    return np.log(p) - np.log1p(-p)


def fit(y: np.ndarray, p: np.ndarray, clusters: np.ndarray | None = None) -> Smoother | str:
    """Fit the calibration curve with as many knots as the data carry.

    Four knots where there are thirty events and thirty others, three where there are twenty, a
    straight line with ten; fewer, too, where predictions have so few values that quantiles are
    equal, or fewer than ten events or others lie below the third knot or above the third from last.
    Everybody weighs the same. Predictions of exactly 0 and 1 are left out if they came true, as in
    `metrics.calibration`.

    Parameters
    ----------
    y, p
        (people,) outcomes 0 or 1, predictions.
    clusters
        (people,) 0-based, for the covariance.

    Returns
    -------
    Smoother or str
        The reason where there is none.
    """
    used = (p > 0) & (p < 1)
    y, x, reason, slope_reason = recalibration_data(y, p)
    if reason or slope_reason:
        return reason or slope_reason
    fewest = int(min(y.sum(), len(y) - y.sum()))
    for quantiles in KNOTS:
        knots = np.quantile(x, quantiles)
        if fewest < FEWEST * (max(len(knots), 2) - 1) or not _carried(y, x, knots):
            continue
        columns = basis(x, knots)
        beta = logistic.fit(columns, y)
        if beta is not None:
            mine = None if clusters is None else np.unique(clusters[used], return_inverse=True)[1]
            covariance = logistic.sandwich(columns, y, columns @ beta, mine)
            return Smoother(knots, beta, covariance, _describe(quantiles))
    if fewest >= FEWEST:
        return f"the regression of the curve does not converge among {len(y)} patients"
    return (
        f"the curve needs {FEWEST} patients with the event and {FEWEST} without; the fewer of them "
        f"are {fewest}"
    )


def _carried(y, x, knots) -> bool:
    """Whether knots differ, and there are enough of both outcomes where the curve bends alone.

    A spline can be 0 from its third knot on and anything but 0 before it, or the other way round:
    without events, or others, on that side, nothing would keep it from running off to infinity.
    """
    if np.any(np.diff(knots) <= 0):
        return False
    sides = [x < knots[2], x > knots[-3]] if len(knots) else []
    return all(min(y[side].sum(), (1 - y[side]).sum()) >= FEWEST for side in sides)


def _describe(quantiles) -> str:
    if not quantiles:
        return "logistic regression of the outcome on logit(p), unweighted"
    at = ", ".join(f"{100 * q:g}" for q in quantiles)
    return (
        f"logistic regression of the outcome on a restricted cubic spline of logit(p), "
        f"{len(quantiles)} knots at the {at} % quantiles, unweighted"
    )


def distances(smoother: Smoother, p: np.ndarray) -> tuple[float, float, float]:
    """ICI, E50 and E90: mean, median and 90 % quantile of the distances over people."""
    far = np.abs(smoother.observed(p) - p)
    e50, e90 = np.quantile(far, [0.5, 0.9])
    return float(far.mean()), float(e50), float(e90)


def grid(p: np.ndarray) -> np.ndarray:
    """(`POINTS`,) predictions that the curve is drawn at, evenly spaced."""
    inside = p[(p > 0) & (p < 1)]
    return np.linspace(*np.quantile(inside, BETWEEN), POINTS)
