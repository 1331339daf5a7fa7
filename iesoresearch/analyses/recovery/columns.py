"""Columns of tables: estimates with intervals, and how few people may stand behind them."""

import math

from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.results import Value

#: Metric of an evaluation -> heading and decimals.
METRICS = {
    "auc": ("AUC", 3),
    "scaled_brier": ("Scaled Brier", 3),
    "observed_expected": ("Observed / expected", 2),
    "calibration_slope": ("Calibration slope", 2),
    "ici": ("ICI", 3),
}
_FITTED = {"calibration_slope": 2}  # parameters: the slope, and the intercept beside it


def finite(value: float | None) -> float | None:
    """`value`, None where it is not estimable."""
    return None if value is None or not math.isfinite(value) else float(value)


def cells(name: str, estimate: Estimate) -> dict[str, float | None]:
    """Cells of an estimate and of the ends of its interval."""
    ends = (estimate.value, estimate.low, estimate.high)
    return dict(zip((name, f"{name}_low", f"{name}_high"), map(finite, ends), strict=True))


def declared(name: str, label: str, digits: int, **more) -> dict[str, Value]:
    """Declaration of the columns that `cells` fills."""
    return {
        name: Value("model", label, digits, **more),
        f"{name}_low": Value("model", "95 % from", digits, **more),
        f"{name}_high": Value("model", "to", digits, **more),
    }


def people(performed, n: int | None = None) -> dict[str, float | int]:
    """Cells of how many there are, of how many have the outcome, and their share."""
    n, events = performed.n if n is None else n, int(performed.events)
    return {"n": n, "events": events, "share": events / max(n, 1)}


def people_values(parts_of=None, at_risk: bool = False, **more) -> dict[str, Value]:
    """Declarations of the columns that `people` fills."""
    counts = {"parts_of": parts_of} | more
    return {
        "n": Value("count", "Referrals", 0, at_risk=at_risk, **counts),
        "events": Value("count", "With the outcome", 0, within="n", follows="n", **counts),
        "share": Value("rate", "Share with it", 3, "n", follows="events", **more),
    }


def metrics(performance, names=tuple(METRICS)) -> dict[str, float | None]:
    """Cells of several metrics of a `Performance`."""
    found = {}
    for name in names:
        found |= cells(name, performance[name])
    return found


def metric_values(names=tuple(METRICS), **more) -> dict[str, Value]:
    """Declarations of the columns that `metrics` fills."""
    found = {}
    for name in names:
        found |= declared(name, *METRICS[name], parameters=_FITTED.get(name), **more)
    return found
