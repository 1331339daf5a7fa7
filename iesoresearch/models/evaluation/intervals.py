"""Intervals of 95 % from resamples and from standard errors, and when there is none."""

import numpy as np
from scipy import stats

from iesoresearch.models.evaluation.results import Estimate

LEVEL = 0.95
USABLE = 0.9  # least share of the resamples that must have a number


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
    low, high = np.quantile(replicates, [tail, 1 - tail], axis=0)
    same = low == high
    return np.where(same, np.nan, low), np.where(same, np.nan, high)


def refusal(replicates: np.ndarray, units: int, unit: str) -> str:
    """Why these resamples of one number give no interval; empty if they do."""
    if units < 2:
        return f"{units} {unit}: there is nothing to resample"
    usable = int(np.isfinite(replicates).sum())
    if usable < USABLE * len(replicates):
        return f"only {usable} of {len(replicates)} resamples have such a number"
    return ""


def from_resamples(value: float, replicates: np.ndarray, units: int, unit: str) -> Estimate:
    """Estimate with its percentile interval, or with the reason why it has none."""
    reason = refusal(replicates, units, unit)
    low = high = float("nan")
    if not reason:
        found = percentile(replicates[np.isfinite(replicates)], units)
        low, high = float(found[0]), float(found[1])
        reason = "it is the same in every resample" if np.isnan(low) else ""
    return Estimate(value, low, high, reason)
