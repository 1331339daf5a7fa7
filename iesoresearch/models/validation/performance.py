"""The measures that validation follows, and their standard errors where services are compared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from iesoresearch.errors import ParameterError
from iesoresearch.models.evaluation import logistic, metrics

THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6)  # of the decision curve and of classes, by default
#: With fewer events, or fewer others, no measure is estimated: its normal interval would mislead.
FEWEST = 10
#: Scale on which a measure is roughly normal, and the way back.
SCALES: dict[str, tuple[Callable, Callable]] = {
    "auc": (special.logit, special.expit),
    "observed_expected": (np.log, np.exp),
    "in_the_large": (float, float),
    "slope": (float, float),
}
_Z95 = float(stats.norm.ppf(0.975))


def benefit_name(threshold: float) -> str:
    """Name of the net benefit at a threshold among the measures."""
    return f"net_benefit at {threshold:g}"


def measures(y: np.ndarray, p: np.ndarray, thresholds: Sequence[float]) -> dict[str, float]:
    """All measures of predictions `p` of outcomes `y` by name; NaN where one cannot be had."""
    calibration = metrics.calibration(y, p)
    found = {
        "auc": metrics.auc(y, p),
        "brier": metrics.brier(y, p),
        "scaled_brier": metrics.scaled_brier(y, p),
        "log_loss": metrics.log_loss(y, p),
        "observed_expected": metrics.observed_expected(y, p),
        "in_the_large": calibration.in_the_large,
        "slope": calibration.slope,
    }
    return found | {benefit_name(t): metrics.net_benefit(y, p, t) for t in thresholds}


def check_thresholds(thresholds: Sequence[float]) -> tuple[float, ...]:
    """The thresholds as floats.

    Raises
    ------
    ParameterError
        One is not strictly between 0 and 1, or there are two alike.
    """
    thresholds = tuple(float(t) for t in thresholds)
    if not all(0 < t < 1 for t in thresholds) or len(set(thresholds)) < len(thresholds):
        raise ParameterError("thresholds must be different numbers between 0 and 1.")
    return thresholds


@dataclass(frozen=True)
class Estimate:
    """A measure with its 95 % interval.

    Attributes
    ----------
    value, low, high
        On the scale of the measure; NaN where not estimable.
    scaled, error
        On the scale of `SCALES`, for pooling: logit AUC, log of observed over expected.
    reason
        Why it is not estimable; else empty.
    """

    value: float
    low: float
    high: float
    scaled: float
    error: float
    reason: str = ""


def estimates(y: np.ndarray, p: np.ndarray, clusters: np.ndarray) -> dict[str, Estimate]:
    """AUC, observed over expected, calibration in the large and slope with standard errors.

    Rows of one cluster count as alike: the AUC's error is that of Obuchowski 1997 (Biometrics
    53:567-578), which with one row each is that of DeLong, DeLong & Clarke-Pearson 1988
    (doi:10.2307/2531595); the others come from the sandwich of whole clusters.

    Parameters
    ----------
    y, p
        (rows,) outcomes 0 or 1 and predictions.
    clusters
        (rows,) integers from 0.

    Returns
    -------
    dict
        `Estimate` by the names of `SCALES`; none is estimable with fewer than `FEWEST` events or
        others.
    """
    y = np.asarray(y, dtype=float)
    events = int(y.sum())
    if min(events, len(y) - events) < FEWEST:
        why = (
            f"{events} with and {len(y) - events} without the outcome; {FEWEST} of each are needed"
        )
        return not_estimable(why)
    _, clusters = np.unique(clusters, return_inverse=True)
    return {
        "auc": _auc(y, p, clusters),
        "observed_expected": _observed_expected(y, p, clusters),
        **_calibration(y, p, clusters),
    }


def not_estimable(reason: str) -> dict[str, Estimate]:
    """What `estimates` returns where nothing can be estimated."""
    return dict.fromkeys(SCALES, _missing(reason))


def auc_variance(y: np.ndarray, p: np.ndarray, clusters: np.ndarray) -> float:
    """Variance of the AUC with correlated rows; parameters as in `estimates`."""
    event = y == 1
    events, others = np.sum(event), np.sum(~event)
    ranks = stats.rankdata(p)
    placed = np.empty(len(p))  # share of the other class that each is rightly apart from
    placed[event] = (ranks[event] - stats.rankdata(p[event])) / others
    placed[~event] = 1 - (ranks[~event] - stats.rankdata(p[~event])) / events
    off = placed - placed[event].mean()
    k = int(clusters.max()) + 1
    sums, total = [], 0.0
    for rows, n in ((event, events), (~event, others)):
        sums.append(np.bincount(clusters[rows], off[rows], k) / n)
        held = len(np.unique(clusters[rows]))
        total += held / (held - 1) * sums[-1] @ sums[-1] if held > 1 else np.nan
    return float(total + 2 * k / max(k - 1, 1) * sums[0] @ sums[1])


def _auc(y, p, clusters) -> Estimate:
    value = metrics.auc(y, p)
    if np.ptp(p) == 0:
        return _missing(f"all {len(p)} predictions are equal")
    if not 0 < value < 1:
        return _missing(f"the predictions separate the outcomes, AUC {value:g}")
    error = np.sqrt(auc_variance(y, p, clusters)) / (value * (1 - value))
    return _estimate("auc", special.logit(value), error)


def _observed_expected(y, p, clusters) -> Estimate:
    observed, expected = y.sum(), p.sum()
    if expected <= 0:
        return _missing("no events are predicted")
    off = np.bincount(clusters, y / observed - p / expected)
    error = np.sqrt(len(off) / max(len(off) - 1, 1) * np.sum(off**2))
    return _estimate("observed_expected", np.log(observed / expected), error)


def _calibration(y, p, clusters) -> dict[str, Estimate]:
    found = metrics.calibration(y, p)
    used = (p > 0) & (p < 1)
    y, x = y[used], special.logit(p[used])
    _, clusters = np.unique(clusters[used], return_inverse=True)
    out = {"in_the_large": _missing(found.reason), "slope": _missing(found.slope_reason)}
    one = np.ones((len(x), 1))
    if not found.reason:
        covariance = logistic.sandwich(one, y, found.in_the_large + x, clusters)
        out["in_the_large"] = _estimate("in_the_large", found.in_the_large, covariance[0, 0] ** 0.5)
    if not found.slope_reason:
        eta = found.intercept + found.slope * x
        covariance = logistic.sandwich(np.column_stack([one, x]), y, eta, clusters)
        out["slope"] = _estimate("slope", found.slope, covariance[1, 1] ** 0.5)
    return out


def _estimate(name: str, scaled: float, error: float) -> Estimate:
    if not (np.isfinite(error) and error > 0):
        return _missing("its standard error cannot be had from so few patients")
    back = SCALES[name][1]
    low, high = scaled - _Z95 * error, scaled + _Z95 * error
    return Estimate(*(float(back(x)) for x in (scaled, low, high)), float(scaled), float(error))


def _missing(reason: str) -> Estimate:
    return Estimate(*[float("nan")] * 5, reason)
