"""Whether a model in use still says what happens: calibration period by period, and alarms.

`calibration_drift` compares outcomes with given predictions as time goes on; `temporal_validation`
asks the same of a model that is yet to be fitted, with a cut in time.
"""

from collections.abc import Hashable
from dataclasses import dataclass

import numba
import numpy as np
from scipy import special

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.evaluation import metrics
from iesoresearch.models.validation.performance import Estimate, estimates, not_estimable
from iesoresearch.models.validation.refits import Rows, attempt, check_pipeline, labelled
from iesoresearch.seeds import rng

WARNING, ALARM = 2.0, 3.0  # standard deviations from the expected number of events
ODDS_RATIO = 2.0  # the shift of the odds that the CUSUM looks for, up and down
FALSE_ALARMS = 0.05  # chance that a CUSUM of a calibrated model ever raises an alarm
N_SIMULATED = 2_000  # series of outcomes from which the limit of the CUSUM is read


@dataclass(frozen=True)
class Cusum:
    """Risk-adjusted CUSUM in one direction, at the end of every period.

    Attributes
    ----------
    odds_ratio
        The shift it looks for: above 1 more events than predicted, below 1 fewer.
    limit
        Height of the alarm.
    value, highest
        (periods,) where it stood at the end of the period, and its highest point within.
    alarm
        (periods,) bool: `highest` above the limit.
    """

    odds_ratio: float
    limit: float
    value: np.ndarray
    highest: np.ndarray
    alarm: np.ndarray


@dataclass(frozen=True)
class Drift:
    """Calibration by period, in order of time.

    Attributes
    ----------
    period
        Labels.
    n, observed, expected
        Patients, events, and events predicted.
    oe
        Observed over expected.
    difference, z
        Observed less expected, and that over the standard deviation that chance alone gives it if
        the predictions are right: the root of the sum of p(1 - p).
    warning_limit, alarm_limit
        Two and three such standard deviations: limits of `difference` on either side.
    warning, alarm
        (periods,) bool: beyond these limits.
    chance_of_alarm
        That one period or more lies beyond its alarm limit though the model is right (normal).
    in_the_large, slope
        Calibration in the large and slope (`metrics.calibration`); NaN where not estimable.
    reason
        (periods,) text: why the slope is NaN; else empty.
    more, fewer
        CUSUM for more and for fewer events than predicted.
    """

    period: list[Hashable]
    n: np.ndarray
    observed: np.ndarray
    expected: np.ndarray
    oe: np.ndarray
    difference: np.ndarray
    z: np.ndarray
    warning_limit: np.ndarray
    alarm_limit: np.ndarray
    warning: np.ndarray
    alarm: np.ndarray
    chance_of_alarm: float
    in_the_large: np.ndarray
    slope: np.ndarray
    reason: list[str]
    more: Cusum
    fewer: Cusum


def calibration_drift(
    y,
    p,
    period,
    *,
    odds_ratio: float = ODDS_RATIO,
    false_alarms: float = FALSE_ALARMS,
    n_simulated: int = N_SIMULATED,
    random_state: int = 0,
) -> Drift:
    """Calibration by period with a control chart and CUSUMs.

    The chart has a point per period, observed less expected events; its limits allow for how many
    patients a period has and how likely the event was for each, which the limits of a p chart
    (`control_chart`) do not. The CUSUM adds up patient by patient the log-likelihood ratio of odds
    shifted by `odds_ratio` against the predicted ones, never below zero (Steiner, Cook, Farewell &
    Treasure 2000, doi:10.1093/biostatistics/1.4.441), and so notices a small shift that lasts. Its
    limit is the height that a share `false_alarms` of series of the same patients exceeds when
    their outcomes are drawn from the predictions.

    Patients are taken for independent: give one row for each. What was wrong from the first period
    on is found too; to look for change only, recalibrate on the first periods (`updating`).

    Parameters
    ----------
    y : (people,) array_like
        Outcomes, bool or 0/1.
    p : (people,) array_like
        Predictions, in 0 … 1.
    period : (people,) array_like
        Labels that sort by time, such as "2025-03" or dates. Within a period patients keep their
        order.
    odds_ratio
        Above 1.
    false_alarms
        Of each of the two CUSUMs, between 0 and 1.
    n_simulated
        Series drawn.
    random_state
        Seed of the draws.

    Raises
    ------
    DataError
        Nobody, outcomes other than 0 and 1, predictions outside 0 … 1, or different lengths.
    ParameterError
        `odds_ratio` or `false_alarms` out of range.
    """
    y, p, labels, inside = _sorted(y, p, period)
    if not (odds_ratio > 1 and 0 < false_alarms < 1 and n_simulated >= 1):
        raise ParameterError(
            "odds_ratio must be above 1, false_alarms between 0 and 1 and n_simulated at least 1; "
            f"they are {odds_ratio:g}, {false_alarms:g} and {n_simulated:g}."
        )
    n, observed, expected, chance = (
        np.bincount(inside, weights) for weights in (np.ones(len(y)), y, p, p * (1 - p))
    )
    found = [metrics.calibration(y[inside == k], p[inside == k]) for k in range(len(labels))]
    difference, sd = observed - expected, np.sqrt(chance)
    with np.errstate(divide="ignore", invalid="ignore"):
        oe, z = observed / expected, difference / sd
    ratios = (odds_ratio, 1 / odds_ratio)
    limits = _limits(p, ratios, false_alarms, n_simulated, random_state)
    more, fewer = (_cusum(y, p, inside, *pair) for pair in zip(ratios, limits, strict=True))
    return Drift(
        period=labels,
        n=n.astype(int),
        observed=observed.astype(int),
        expected=expected,
        oe=oe,
        difference=difference,
        z=z,
        warning_limit=WARNING * sd,
        alarm_limit=ALARM * sd,
        warning=np.abs(difference) > WARNING * sd,
        alarm=np.abs(difference) > ALARM * sd,
        chance_of_alarm=float(1 - (1 - 2 * special.ndtr(-ALARM)) ** len(labels)),
        in_the_large=np.array([one.in_the_large for one in found]),
        slope=np.array([one.slope for one in found]),
        reason=[one.slope_reason for one in found],
        more=more,
        fewer=fewer,
    )


def _sorted(y, p, period) -> tuple[np.ndarray, np.ndarray, list, np.ndarray]:
    """Outcomes and predictions in order of time, labels of the periods, period of each patient."""
    y, p = np.asarray(y, dtype=float), np.asarray(p, dtype=float)
    if y.ndim != 1 or not len(y) or y.shape != p.shape:
        raise DataError("Drift needs an outcome and a prediction for each patient.")
    labels, inside = labelled("period", period, len(y))
    if not np.isin(y, (0.0, 1.0)).all() or not ((p >= 0) & (p <= 1)).all():
        raise DataError("Outcomes must be 0 or 1, and predictions probabilities, none missing.")
    order = np.argsort(inside, kind="stable")
    return y[order], p[order], labels, inside[order]


def _limits(p, ratios, false_alarms: float, n_simulated: int, seed: int) -> np.ndarray:
    """Heights that a share `false_alarms` of series drawn from the predictions rises above."""
    scores = [_scores(p, ratio) for ratio in ratios]
    heights = np.empty((n_simulated, len(ratios)))
    for i in range(n_simulated):
        drawn = rng(seed, "series", i).random(len(p)) < p
        heights[i] = [_path(drawn, *pair).max() for pair in scores]
    return np.quantile(heights, 1 - false_alarms, axis=0, method="higher")


def _cusum(y, p, inside, odds_ratio: float, limit: float) -> Cusum:
    path = _path(y == 1, *_scores(p, odds_ratio))
    last = np.append(np.flatnonzero(np.diff(inside)), len(y) - 1)
    highest = np.maximum.reduceat(path, np.append(0, last[:-1] + 1))
    return Cusum(odds_ratio, float(limit), path[last], highest, highest > limit)


def _scores(p: np.ndarray, odds_ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """Log-likelihood ratio of shifted against predicted odds, without and with the event."""
    without = -np.log1p(p * (odds_ratio - 1))
    return without, without + np.log(odds_ratio)


@numba.njit(cache=True)
def _path(event, without, with_event):
    path = np.empty(len(event))
    height = 0.0
    for i in range(len(event)):
        height += with_event[i] if event[i] else without[i]
        height = max(height, 0.0)
        path[i] = height
    return path


@dataclass(frozen=True)
class Temporal:
    """A model fitted before a cut in time, judged after it.

    Attributes
    ----------
    n_before, events_before
        Rows that it was fitted to.
    n_after, events_after
        Rows that it is judged on.
    n_excluded
        Rows after the cut of patients seen before it, left out.
    rows
        (n_after,) numbers of the rows that it is judged on.
    p
        (n_after,) predictions for these; NaN without a model.
    estimates
        AUC, observed over expected, calibration in the large and slope, with intervals.
    reason
        Why there is no model; else empty.
    """

    n_before: int
    events_before: int
    n_after: int
    events_after: int
    n_excluded: int
    rows: np.ndarray
    p: np.ndarray
    estimates: dict[str, Estimate]
    reason: str


def temporal_validation(pipeline, X, y, day, cut, *, clusters=None) -> Temporal:
    """Fit to what was known before `cut` and evaluate what came after.

    Patients seen before are left out of what is evaluated, not of what is fitted: training must not
    depend on the future.

    Parameters
    ----------
    pipeline, X, y, clusters
        As in `validation.refit`.
    day : (rows,) array_like
        Dates or numbers: when the outcome became known, for from then on it could be learnt from.
    cut
        Of the type of `day`; the first day to be judged.

    Raises
    ------
    DataError
        As `validation.refit`; nobody before the cut, or nobody after it.
    ParameterError
        No classifier.
    """
    check_pipeline(pipeline)
    rows = Rows.of(X, y, clusters)
    before = np.asarray(day) < cut
    known = np.isin(rows.clusters, rows.clusters[before])
    train, test = np.flatnonzero(before), np.flatnonzero(~before & ~known)
    if before.shape != rows.y.shape or not len(train) or not len(test):
        raise DataError(
            f"Temporal validation needs a day for each of the {len(rows.y)} rows, and patients on "
            f"both sides of the cut; before it are {len(train)} rows, after it {len(test)} of "
            "patients not seen before. Move the cut."
        )
    later = rows.take(test)
    p = attempt(pipeline, rows.take(train), later.X)
    reason = f"no model before the cut: {p}" if isinstance(p, str) else ""
    if reason:
        p, found = np.full(len(test), np.nan), not_estimable(reason)
    else:
        found = estimates(later.y, p, later.clusters)
    return Temporal(
        len(train),
        int(rows.y[train].sum()),
        len(test),
        int(later.y.sum()),
        int((known & ~before).sum()),
        *(test, p, found, reason),
    )
