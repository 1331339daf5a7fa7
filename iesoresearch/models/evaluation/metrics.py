"""How good predictions of a yes-or-no outcome are: one number at a time, without intervals.

Every function takes outcomes `y` (people,) bool or 0/1 and predictions `p` (people,) between 0 and
1, and returns NaN where the number cannot be had from these people. Nothing is checked here;
`iesoresearch.models.evaluation.evaluate` does, and adds intervals and reasons.
"""

from dataclasses import dataclass

import numpy as np

from iesoresearch.models.evaluation import logistic

#: Predictions closer to 0 or 1 than this count as this in the log-loss, as in scikit-learn.
CLOSEST = float(np.finfo(float).eps)


def auc(y: np.ndarray, p: np.ndarray) -> float:
    """Area under the ROC curve: how often the one of a pair with the event has the higher `p`.

    Pairs with equal predictions count half (Hanley & McNeil 1982,
    doi:10.1148/radiology.143.1.7063747). Whole numbers are counted, so it is exact but for the
    division. NaN with one class only.
    """
    if not len(y):
        return float("nan")
    y, order = np.asarray(y, dtype=bool), np.argsort(p, kind="stable")
    values, y = np.asarray(p)[order], y[order]
    last = np.flatnonzero(np.append(values[1:] != values[:-1], True))
    events = np.diff(np.cumsum(y)[last], prepend=0)
    others = np.diff(last, prepend=-1) - events
    pairs = int(events.sum()) * int(others.sum())
    if pairs == 0:
        return float("nan")
    # below and tied, both counted twice to stay with whole numbers
    won = events * (2 * (np.cumsum(others) - others) + others)
    return float(int(won.sum()) / (2 * pairs))


def brier(y: np.ndarray, p: np.ndarray) -> float:
    """Mean squared difference of outcome and prediction (Brier 1950)."""
    return float(np.mean((np.asarray(p) - y) ** 2)) if len(y) else float("nan")


def scaled_brier(y: np.ndarray, p: np.ndarray) -> float:
    """1 − Brier score / Brier score of the base rate: 1 is perfect, 0 no better than the base rate.

    Steyerberg et al. 2010 (doi:10.1097/EDE.0b013e3181c30fb2). NaN with one class only.
    """
    rate = np.mean(y) if len(y) else float("nan")
    return float(1 - brier(y, p) / (rate * (1 - rate))) if 0 < rate < 1 else float("nan")


def log_loss(y: np.ndarray, p: np.ndarray) -> float:
    """Mean negative logarithm of the probability given to what happened.

    Predictions are kept `CLOSEST` away from 0 and 1, as in scikit-learn.
    """
    return float(np.mean(row_log_loss(y, p))) if len(y) else float("nan")


def row_log_loss(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """(people,) what each adds to the log-loss."""
    p = np.clip(p, CLOSEST, 1 - CLOSEST)
    return -np.log(np.where(np.asarray(y, dtype=bool), p, 1 - p))


def observed_expected(y: np.ndarray, p: np.ndarray) -> float:
    """Events there were over events predicted. NaN where none are predicted."""
    expected = float(np.sum(p))
    return float(np.sum(y)) / expected if expected > 0 else float("nan")


def net_benefit(y: np.ndarray, p: np.ndarray, threshold: float) -> float:
    """Net benefit per person of acting on everybody with ``p >= threshold``.

    True positives minus false positives weighed by the odds of the threshold, per person (Vickers &
    Elkin 2006, doi:10.1177/0272989X06295361). Acting on nobody has 0.
    """
    y, treated = np.asarray(y, dtype=bool), np.asarray(p) >= threshold
    if not len(y):
        return float("nan")
    odds = threshold / (1 - threshold)
    return float((np.sum(treated & y) - odds * np.sum(treated & ~y)) / len(y))


def net_benefit_treat_all(y: np.ndarray, threshold: float) -> float:
    """Net benefit per person of acting on everybody."""
    return net_benefit(y, np.ones(len(y)), threshold)


@dataclass(frozen=True)
class Calibration:
    """Logistic recalibration (Cox 1958, Biometrika 45:562-565).

    Attributes
    ----------
    in_the_large
        Intercept of a logistic regression of the outcome with logit(p) as offset: 0 where as many
        events are predicted as there were, above 0 where too few.
    slope
        Coefficient of logit(p): 1 for good predictions, below 1 for too extreme ones.
    intercept
        Intercept beside that slope; ``logit⁻¹(intercept + slope · logit(p))`` recalibrates.
    reason, slope_reason
        Why the first, and the other two, are NaN; else empty.
    """

    in_the_large: float
    slope: float
    intercept: float
    reason: str = ""
    slope_reason: str = ""


def calibration(y: np.ndarray, p: np.ndarray) -> Calibration:
    """Calibration in the large and calibration slope, by Newton's method to 1e-12.

    A prediction of exactly 0 or 1 that came true moves neither, and is left out: the limit of
    predictions ever closer. One that did not has a likelihood of 0, and nothing can be estimated.

    Returns
    -------
    Calibration
        NaN, with a reason, with one class only, and the slope where all predictions are equal or
        separate the outcomes.
    """
    y, x, reason, slope_reason = recalibration_data(y, p)
    in_the_large = slope = intercept = float("nan")
    if not reason:
        in_the_large = float(logistic.shift(x, y))
    line = None if slope_reason else logistic.line(x, y)
    if line is not None:
        intercept, slope = (float(b) for b in line)
    elif not slope_reason:
        slope_reason = no_convergence(y)
    return Calibration(in_the_large, slope, intercept, reason, slope_reason)


def recalibration_data(y: np.ndarray, p: np.ndarray) -> tuple[np.ndarray, np.ndarray, str, str]:
    """Outcomes and logits that recalibration can use, and why it cannot be done.

    Returns
    -------
    tuple
        (used,) outcomes as floats; (used,) logits of the predictions; reason against calibration in
        the large; reason against the slope. Empty reasons where there are none.
    """
    y, p = np.asarray(y, dtype=float), np.asarray(p, dtype=float)
    certain = (p == 0) | (p == 1)
    used = ~certain
    with np.errstate(divide="ignore"):
        x = np.log(p[used]) - np.log1p(-p[used])
    wrong = int(np.sum(certain & (p != y)))
    y = y[used]
    events = int(y.sum())
    if wrong:
        reason = f"predictions of exactly 0 or 1 that did not come true: {wrong}"
    elif events in (0, len(y)):
        reason = f"{events} events among {len(y)} patients with predictions between 0 and 1"
    else:
        reason = ""
    return y, x, reason, reason or _no_slope(y, x)


def no_convergence(y: np.ndarray) -> str:
    """Why there is no slope where predictions all but separate the outcomes `y` of those used."""
    return f"the slope does not converge: {int(np.sum(y))} events among {len(y)} patients"


def _no_slope(y: np.ndarray, x: np.ndarray) -> str:
    if np.ptp(x) == 0:
        return f"all {len(y)} predictions are equal"
    with_event, without = x[y == 1], x[y == 0]
    if with_event.min() >= without.max() or with_event.max() <= without.min():
        n, others = len(with_event), len(without)
        return f"predictions separate patients with the event ({n}) from the others ({others})"
    return ""
