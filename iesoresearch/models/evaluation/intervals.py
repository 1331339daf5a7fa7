"""Intervals of 95 % from resamples and from standard errors, and when there is none.

Which number has which interval was decided by how often it holds the truth, and
``studies/evaluation_coverage.py`` shows that.
"""

import numpy as np
from scipy import optimize, stats

from iesoresearch.models.evaluation.results import Estimate

LEVEL = 0.95
USABLE = 0.9  # least share of the resamples that must have a number
#: Least share of its theoretical variance that an AUC is taken to have: with few events those that
#: would move it most may not be among them, and resamples cannot know.
LEAST_VARIANCE = 0.5


def quantile_of(units: int) -> float:
    """Standard errors on either side of an estimate from so many units (Student's t)."""
    return float(stats.t.ppf((1 + LEVEL) / 2, units - 1)) if units > 1 else float("nan")


def tail_of(units: int) -> float:
    """Share of the resamples to leave out at either end.

    Resamples of k units are too much alike, by (k − 1) / k, and a normal tail too short for few of
    them: the expanded percentile interval (Hesterberg 2015, doi:10.1080/00031305.2015.1089789).
    """
    return float(stats.norm.cdf(-quantile_of(units) * np.sqrt(units / (units - 1))))


def percentile(replicates: np.ndarray, units: int) -> tuple[np.ndarray, np.ndarray]:
    """Expanded percentile limits of every column, NaN where all resamples give the same.

    Parameters
    ----------
    replicates
        (resamples, …) finite.
    units
        Independent ones in the data.
    """
    tail = tail_of(units)
    # numpy's default leaves out more than `tail` of few resamples: 3 % in place of 2.5 % of 200
    low, high = np.quantile(replicates, [tail, 1 - tail], axis=0, method="weibull")
    same = np.ptp(replicates, axis=0) == 0
    return np.where(same, np.nan, low), np.where(same, np.nan, high)


def margin(replicates: np.ndarray, units: int) -> np.ndarray:
    """Half the width of an interval around an estimate, of every column.

    Standard deviation of the resamples, times √(k / (k − 1)) and Student's t for k units. For what
    is an average over people, it fares better than percentiles where few people count. Parameters
    and NaN as of `percentile`.
    """
    half = quantile_of(units) * np.sqrt(units / (units - 1)) * replicates.std(axis=0, ddof=1)
    return np.where(np.ptp(replicates, axis=0) == 0, np.nan, half)


def refusal(replicates: np.ndarray, units: int, unit: str) -> str:
    """Why these resamples of one number give no interval; empty if they do."""
    if units < 2:
        return f"{units} {unit}: there is nothing to resample"
    usable = np.isfinite(replicates)
    if usable.sum() < USABLE * len(replicates):
        return f"only {usable.sum()} of {len(replicates)} resamples have such a number"
    if np.ptp(replicates[usable]) == 0:
        return "it is the same in every resample"
    return ""


def from_resamples(value: float, replicates: np.ndarray, units: int, unit: str) -> Estimate:
    """Estimate with its percentile interval, or with the reason why it has none."""
    reason = refusal(replicates, units, unit)
    if reason:
        return Estimate(value, float("nan"), float("nan"), reason)
    low, high = percentile(replicates[np.isfinite(replicates)], units)
    return Estimate(value, float(low), float(high))


def of_average(value: float, replicates: np.ndarray, units: int, unit: str) -> Estimate:
    """Estimate with the interval of `margin`, or with the reason why it has none."""
    reason = refusal(replicates, units, unit)
    if reason:
        return Estimate(value, float("nan"), float("nan"), reason)
    half = float(margin(replicates[np.isfinite(replicates)], units))
    return Estimate(value, value - half, value + half)


def of_auc(
    value: float, replicates: np.ndarray, events: int, others: int, units: int, unit: str
) -> Estimate:
    """Area under the curve with a score interval.

    All areas that are not too far off for the variance they would themselves have (`_auc_variance`,
    Newcombe 2006, doi:10.1002/sim.2324), the variance being scaled to that of the resamples, but to
    no less than `LEAST_VARIANCE` of the theory. Percentiles are too high near 1 with few events:
    they hold the truth in 86 to 90 % where there are 25 and the area is 0.93. It holds for an area
    of exactly 1 as well.
    """
    fewest = min(units, events, others)
    if fewest < 2:
        reason = f"{events} with the event and {others} without, {units} {unit}: too few"
        return Estimate(value, float("nan"), float("nan"), reason)
    theory, scale = _auc_variance(value, events, others), LEAST_VARIANCE
    if theory > 0:
        spread = np.var(replicates[np.isfinite(replicates)], ddof=1) * fewest / (fewest - 1)
        scale = max(scale, float(spread) / theory)
    scale *= quantile_of(units) ** 2
    low = _auc_limit(value, scale, events, others)
    return Estimate(value, low, 1.0 - _auc_limit(1.0 - value, scale, others, events))


def _auc_variance(area: float, events: int, others: int) -> float:
    """Variance of an area of Hanley & McNeil 1982, with both numbers alike as of Newcombe 2006."""
    other = area**2 * (1 - area) / (1 + area) + area * (1 - area) ** 2 / (2 - area)
    return (area * (1 - area) + ((events + others) / 2 - 1) * other) / (events * others)


def _auc_limit(value: float, scale: float, events: int, others: int) -> float:
    """The lowest area that is not too far below."""

    def off(area):
        return (value - area) ** 2 - scale * _auc_variance(area, events, others)

    nearly = value - 1e-9
    return float(optimize.brentq(off, 0.0, nearly)) if nearly > 0 and off(nearly) < 0 else value


def of_distance(
    value: float, replicates: np.ndarray, units: int, unit: str, on_diagonal: bool
) -> Estimate:
    """Distance of a calibration curve from the predictions, which noise only ever makes larger.

    In resamples it is too large twice over. The upper limit is the percentile; the lower one is as
    far below the estimate as that is above, and 0 where a test does not tell the curve from the
    diagonal (`curve.Smoother.on_diagonal`): percentiles would never hold a true 0.
    """
    found = from_resamples(value, replicates, units, unit)
    if np.isnan(found.high):
        return found
    low = 0.0 if on_diagonal else max(0.0, 2 * value - found.high)
    return Estimate(value, low, found.high)
