"""Performance of the people of one view, from their rows and their resamples."""

import numpy as np

from iesoresearch.models.evaluation import curve, intervals, logistic, metrics
from iesoresearch.models.evaluation.bootstrap import Replicates
from iesoresearch.models.evaluation.inputs import Inputs
from iesoresearch.models.evaluation.results import (
    CalibrationCurve,
    DecisionCurve,
    Estimate,
    Performance,
)
from iesoresearch.models.evaluation.views import View

NAN = float("nan")


def performance(
    inputs: Inputs, view: View, replicates: Replicates, every: np.ndarray, thresholds
) -> Performance:
    """Put everything about one view together.

    Parameters
    ----------
    inputs
        Of everybody.
    view, replicates
        The people, and what their resamples gave.
    every
        (thresholds,) ascending, those of the decision curve.
    thresholds
        Some of them: those with estimates.
    """
    y, p = inputs.y[view.index], inputs.p[view.index]
    clusters, unit, units = None, "patients", len(y)
    if inputs.clusters is not None:
        clusters, unit = np.unique(inputs.clusters[view.index], return_inverse=True)[1], "clusters"
        units = int(clusters.max()) + 1
    decision = _decision(y, p, replicates, every, units)
    estimates = _averages(y, p, replicates, units, unit)
    if clusters is not None:
        estimates["auc"] = _auc_of_clusters(estimates["auc"], y, clusters)
    estimates |= _calibration(y, p, clusters)
    estimates |= _distances(p, view.smoother, replicates, units, unit)
    estimates |= _benefits(decision, replicates, thresholds, units, unit)
    events = int(y.sum())
    if events in (0, len(y)):
        estimates = {
            name: _with_count(estimate, events, len(y)) for name, estimate in estimates.items()
        }
    found = _curve(view.smoother, p, units)
    return Performance(len(y), events, units, estimates, found, decision)


def _with_count(estimate: Estimate, events: int, n: int) -> Estimate:
    """Say with the reason, if there is one, that there is one class only."""
    count = f"{events} events among {n} patients"
    if not estimate.reason or count in estimate.reason:
        return estimate
    reason = count if np.isnan(estimate.value) else f"{estimate.reason}: {count}"
    return Estimate(estimate.value, estimate.low, estimate.high, reason)


def _averages(y, p, replicates: Replicates, units: int, unit: str) -> dict[str, Estimate]:
    """What needs no model of the outcome."""
    of, events = replicates.values, int(y.sum())
    area = metrics.auc(y, p)
    out = {"auc": intervals.of_auc(area, of["auc"], events, len(y) - events, units, unit)}
    for name in ("brier", "scaled_brier", "log_loss", "observed_expected"):
        value = getattr(metrics, name)(y, p)
        out[name] = intervals.from_resamples(value, of[name], units, unit)
    if not p.sum() > 0:
        out["observed_expected"] = Estimate(NAN, NAN, NAN, f"all {len(p)} predictions are 0")
    return out


def _auc_of_clusters(area: Estimate, y, clusters) -> Estimate:
    """Without its interval where one cluster has all the events, or all but them."""
    has, lacks = (len(np.unique(clusters[y == outcome])) for outcome in (1, 0))
    if area.reason or min(has, lacks) > 1:
        return area
    reason = f"{has} clusters with the event and {lacks} with others: there is nothing to compare"
    return Estimate(area.value, NAN, NAN, reason)


def _calibration(y, p, clusters) -> dict[str, Estimate]:
    """Calibration in the large and slope, with Wald intervals from the sandwich."""
    used = (p > 0) & (p < 1)
    y, x, reason, slope_reason = metrics.recalibration_data(y, p)
    mine = None if clusters is None else np.unique(clusters[used], return_inverse=True)[1]
    units = len(y) if mine is None else int(mine.max(initial=-1)) + 1
    unit = "patients" if mine is None else "clusters"
    ones = np.ones((len(y), 1))
    shift = Estimate(NAN, NAN, NAN, reason)
    if not reason:
        a = float(logistic.shift(x, y))
        variance = logistic.sandwich(ones, y, x + a, mine)[0, 0]
        shift = _wald(a, variance, units, unit)
    line = None if slope_reason else logistic.line(x, y)
    if line is None:
        slope = Estimate(NAN, NAN, NAN, slope_reason or metrics.no_convergence(y))
    else:
        intercept, b = line
        # centred and scaled, so that predictions that hardly differ are no trouble
        columns = np.column_stack([ones, (x - x.mean()) / x.std()])
        variance = logistic.sandwich(columns, y, intercept + b * x, mine)[1, 1] / x.var()
        slope = _wald(float(b), variance, units, unit)
    return {"calibration_intercept": shift, "calibration_slope": slope}


def _wald(value: float, variance: float, units: int, unit: str) -> Estimate:
    half = intervals.quantile_of(units) * float(np.sqrt(variance))
    if units < 2:
        return Estimate(value, NAN, NAN, f"{units} {unit}: there is nothing to compare")
    if not np.isfinite(half):
        return Estimate(value, NAN, NAN, f"no standard error from {units} {unit}: too extreme")
    return Estimate(value, value - half, value + half)


def _distances(p, smoother, replicates: Replicates, units: int, unit: str) -> dict[str, Estimate]:
    names = ("ici", "e50", "e90")
    if isinstance(smoother, str):
        return dict.fromkeys(names, Estimate(NAN, NAN, NAN, smoother))
    on_diagonal = smoother.on_diagonal(units)
    return {
        name: intervals.of_distance(value, replicates.values[name], units, unit, on_diagonal)
        for name, value in zip(names, curve.distances(smoother, p), strict=True)
    }


def _decision(y, p, replicates: Replicates, every, units: int) -> DecisionCurve:
    """Decision curve with pointwise limits; people are in order of prediction."""
    first = np.searchsorted(p, every, side="left")
    events_below = np.concatenate([[0.0], np.cumsum(y)])[first]
    events, odds, n = y.sum(), every / (1 - every), len(y)
    treated, found = n - first, events - events_below
    value = (found - odds * (treated - found)) / n
    treat_all = (events - odds * (n - events)) / n
    half = np.full(len(every), NAN)
    there = np.isfinite(replicates.net_benefit[:, 0])  # somebody of this view was drawn
    if units > 1 and there.mean() >= intervals.USABLE:
        half = intervals.margin(replicates.net_benefit[there], units)
    return DecisionCurve(every, value, value - half, value + half, treat_all)


def _benefits(
    decision: DecisionCurve, replicates: Replicates, thresholds, units: int, unit: str
) -> dict[str, Estimate]:
    """Net benefit, that of acting on everybody, and their difference, at each threshold."""
    out = {}
    for t in thresholds:
        i = int(np.searchsorted(decision.thresholds, t))
        one, everybody = float(decision.net_benefit[i]), float(decision.treat_all[i])
        for name, value, resampled in (
            (f"net_benefit_{t:g}", one, replicates.net_benefit),
            (f"treat_all_{t:g}", everybody, replicates.treat_all),
            (f"net_benefit_over_treat_all_{t:g}", one - everybody, replicates.over_treat_all),
        ):
            out[name] = intervals.of_average(value, resampled[:, i], units, unit)
    return out


def _curve(smoother, p, units: int) -> CalibrationCurve:
    if isinstance(smoother, str):
        nothing = np.empty(0)
        return CalibrationCurve(nothing, nothing, nothing, nothing, "", smoother)
    at = curve.grid(p)
    band = smoother.band(at, intervals.quantile_of(units))
    return CalibrationCurve(at, smoother.observed(at), *band, smoother.description)
