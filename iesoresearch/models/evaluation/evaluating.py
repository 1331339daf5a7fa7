"""Evaluate given predictions: every number with its interval, for everybody and in groups."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from iesoresearch.models.evaluation import curve, intervals, logistic, metrics
from iesoresearch.models.evaluation.bootstrap import Replicates, bootstrap
from iesoresearch.models.evaluation.conformal import conformal
from iesoresearch.models.evaluation.inputs import (
    Inputs,
    check_numbers,
    checked,
    checked_thresholds,
)
from iesoresearch.models.evaluation.results import (
    CalibrationCurve,
    DecisionCurve,
    Estimate,
    Evaluation,
    Performance,
)
from iesoresearch.models.evaluation.views import View, layout

#: Thresholds with a net benefit, where none are asked for.
THRESHOLDS = (0.25, 0.5, 0.75)
#: Thresholds of decision curves.
GRID = tuple(round(0.01 * i, 2) for i in range(1, 100))


def evaluate(
    y: Sequence,
    p: Sequence,
    *,
    groups: Mapping[str, Sequence] | Sequence | None = None,
    clusters: Sequence | None = None,
    thresholds: Sequence[float] = THRESHOLDS,
    n_boot: int = 1000,
    random_state: int = 0,
    n_jobs: int = 1,
) -> Evaluation:
    """Evaluate predictions of a yes-or-no outcome, everything with its 95 % interval.

    Numbers computed from resamples (AUC, Brier score and scaled, log-loss, observed over expected,
    ICI, E50, E90, net benefit) have the expanded percentile interval (`intervals.tail_of`), the
    calibration curve being fitted anew in each; calibration in the large and slope have Wald
    intervals from the sandwich covariance. The curve has pointwise limits from the same covariance.
    ICI, E50 and E90 grow with chance alone: their lower limit is 0 where a Wald test of the curve
    at 5 % is compatible with the diagonal (`curve.Smoother.on_diagonal`).

    Parameters
    ----------
    y
        (people,) outcomes, 0 or 1.
    p
        (people,) predictions, 0 to 1.
    groups
        Name of a grouping → (people,) level of everybody, or one such array. A missing level is a
        level of its own.
    clusters
        (people,) patient, service or whatever is independent of others and resampled whole;
        without, everybody is.
    thresholds
        At which net benefit is told; decision curves have those from 0.01 to 0.99, too.
    n_boot
        Resamples, at least 100.
    random_state
        Of the resamples and of the halves of `conformal`.
    n_jobs
        Threads; the result is the same with any number.

    Returns
    -------
    Evaluation
        What cannot be estimated is NaN, with the reason and count; the rest is there.

    Raises
    ------
    DataError
        Lengths that differ, nobody, outcomes or predictions that are missing or out of range.
    ParameterError
        Thresholds that are none, too few resamples, no thread.

    Examples
    --------
    >>> y = [0, 0, 1, 0, 1, 1, 0, 1, 1, 0]
    >>> p = [0.1, 0.3, 0.4, 0.2, 0.9, 0.7, 0.5, 0.6, 0.8, 0.4]
    >>> print(f"{evaluate(y, p, n_boot=100).overall['auc'].value:.2f}")
    0.94
    """
    thresholds = checked_thresholds(thresholds)
    check_numbers(n_boot, n_jobs)
    inputs = checked(y, p, groups, clusters)
    order = np.lexsort((inputs.y, inputs.p))
    unit = np.empty(len(order), dtype=np.int64)
    unit[order] = np.arange(len(order))
    if inputs.clusters is not None:
        unit = inputs.clusters
    views = [_view(inputs, order)]
    for levels, code in inputs.groups.values():
        views += [_view(inputs, order[code[order] == level]) for level in range(len(levels))]
    every = np.array(sorted({*GRID, *thresholds}))
    laid = layout(views, inputs.y, inputs.p, unit, int(unit.max()) + 1, every)
    replicates = bootstrap(laid, every, n_boot, random_state, n_jobs)
    pairs = zip(views, replicates, strict=True)
    done = iter([_performance(inputs, v, r, every, thresholds) for v, r in pairs])
    overall = next(done)
    by_group = {
        name: {level: next(done) for level in levels} for name, (levels, _) in inputs.groups.items()
    }
    sets = conformal(inputs.y, inputs.p, inputs.groups, inputs.clusters, random_state)
    return Evaluation(overall, by_group, sets, thresholds, n_boot, random_state)


def _view(inputs: Inputs, index: np.ndarray) -> View:
    clusters = None if inputs.clusters is None else inputs.clusters[index]
    return View(index, curve.fit(inputs.y[index], inputs.p[index], clusters))


def _performance(
    inputs: Inputs, view: View, replicates: Replicates, every: np.ndarray, thresholds
) -> Performance:
    y, p = inputs.y[view.index], inputs.p[view.index]
    clusters, unit, units = None, "patients", len(y)
    if inputs.clusters is not None:
        clusters, unit = np.unique(inputs.clusters[view.index], return_inverse=True)[1], "clusters"
        units = int(clusters.max()) + 1
    one_class = _one_class(y)
    estimates = {}
    for name, (value, why) in _values(y, p, view.smoother).items():
        reason = why or (one_class if name in ("auc", "scaled_brier") else "")
        found = intervals.from_resamples(value, replicates.values[name], units, unit)
        estimates[name] = Estimate(*[np.nan] * 3, reason) if np.isnan(value) else found
    estimates |= _distances(estimates, view.smoother, units)
    estimates |= _calibration(y, p, clusters)
    decision = _decision(y, p, replicates, every, units)
    estimates |= _benefits(y, p, replicates, every, thresholds, units, unit)
    found = _curve(view.smoother, p, units)
    return Performance(len(y), int(y.sum()), units, estimates, found, decision)


def _distances(estimates, smoother, units: int) -> dict[str, Estimate]:
    """ICI, E50 and E90 with lower limits of 0 where the curve may be the diagonal.

    They are never below 0 and their resamples are off by twice as much as they, so that percentiles
    never reach 0, which is the truth where predictions are calibrated.
    """
    if isinstance(smoother, str) or not smoother.on_diagonal(units):
        return {}
    found = {name: estimates[name] for name in ("ici", "e50", "e90")}
    return {name: replace(e, low=0.0 * e.low) for name, e in found.items()}  # NaN stays NaN


def _one_class(y: np.ndarray) -> str:
    events = int(y.sum())
    return f"{events} events among {len(y)} patients" if events in (0, len(y)) else ""


def _values(y, p, smoother) -> dict[str, tuple[float, str]]:
    """Values by name, each with the reason why it cannot be estimated."""
    why = smoother if isinstance(smoother, str) else ""
    far = (np.nan,) * 3 if why else curve.distances(smoother, p)
    nothing = "" if p.sum() > 0 else "no event is predicted"
    return {
        "auc": (metrics.auc(y, p), ""),
        "brier": (metrics.brier(y, p), ""),
        "scaled_brier": (metrics.scaled_brier(y, p), ""),
        "log_loss": (metrics.log_loss(y, p), ""),
        "observed_expected": (metrics.observed_expected(y, p), nothing),
        **{name: (value, why) for name, value in zip(("ici", "e50", "e90"), far, strict=True)},
    }


def _calibration(y, p, clusters) -> dict[str, Estimate]:
    """Calibration in the large and slope, with Wald intervals from the sandwich."""
    used = (p > 0) & (p < 1)
    y, x, reason, slope_reason = metrics.recalibration_data(y, p)
    mine = None if clusters is None else np.unique(clusters[used], return_inverse=True)[1]
    units = len(y) if mine is None else int(mine.max(initial=-1)) + 1
    q, ones = intervals.quantile_of(units), np.ones((len(y), 1))
    out = {
        "calibration_intercept": Estimate(*[np.nan] * 3, reason),
        "calibration_slope": Estimate(*[np.nan] * 3, slope_reason),
    }
    if not reason:
        a = float(logistic.shift(x, y))
        out["calibration_intercept"] = _wald(a, logistic.sandwich(ones, y, x + a, mine)[0, 0], q)
    if not slope_reason:
        intercept, slope = logistic.line(x, y)
        # centred and scaled, so that predictions that hardly differ are no trouble
        columns = np.column_stack([ones, (x - x.mean()) / x.std()])
        variance = logistic.sandwich(columns, y, intercept + slope * x, mine)[1, 1]
        out["calibration_slope"] = _wald(float(slope), variance / x.var(), q)
    return out


def _wald(value: float, variance: float, q: float) -> Estimate:
    half = q * float(np.sqrt(max(variance, 0.0))) if np.isfinite(variance) else np.nan
    reason = "" if np.isfinite(half) else "one cluster: there is nothing to compare"
    return Estimate(value, value - half, value + half, reason)


def _decision(y, p, replicates: Replicates, every, units: int) -> DecisionCurve:
    """Decision curve over the grid, with pointwise percentile limits."""
    value = np.array([metrics.net_benefit(y, p, t) for t in every])
    treat_all = np.array([metrics.net_benefit_treat_all(y, t) for t in every])
    low = high = np.full(len(every), np.nan)
    drawn = replicates.net_benefit
    if not intervals.refusal(drawn[:, 0], units, ""):
        low, high = intervals.percentile(drawn[np.isfinite(drawn[:, 0])], units)
    return DecisionCurve(every, value, low, high, treat_all)


def _benefits(y, p, replicates, every, thresholds, units: int, unit: str) -> dict[str, Estimate]:
    """Net benefit, that of acting on everybody, and their difference, at each threshold."""
    out = {}
    for t in thresholds:
        i = int(np.searchsorted(every, t))
        one, everybody = metrics.net_benefit(y, p, t), metrics.net_benefit_treat_all(y, t)
        drawn, of_all = replicates.net_benefit[:, i], replicates.treat_all[:, i]
        for name, value, resampled in (
            (f"net_benefit_{t:g}", one, drawn),
            (f"treat_all_{t:g}", everybody, of_all),
            (f"net_benefit_over_treat_all_{t:g}", one - everybody, drawn - of_all),
        ):
            out[name] = intervals.from_resamples(value, resampled, units, unit)
    return out


def _curve(smoother, p, units: int) -> CalibrationCurve:
    if isinstance(smoother, str):
        nothing = np.empty(0)
        return CalibrationCurve(nothing, nothing, nothing, nothing, "", smoother)
    at = curve.grid(p)
    band = smoother.band(at, intervals.quantile_of(units))
    return CalibrationCurve(at, smoother.observed(at), *band, smoother.description)
