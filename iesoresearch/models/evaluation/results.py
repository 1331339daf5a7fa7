"""What an evaluation is: estimates with intervals and reasons, curves, and all of it as a table."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl

    from iesoresearch.models.evaluation.conformal import Conformal


@dataclass(frozen=True)
class Estimate:
    """A number with its interval of 95 %.

    Attributes
    ----------
    value, low, high
        NaN what cannot be estimated; the value may be there without an interval.
    reason
        Why something is NaN; else empty.
    """

    value: float
    low: float
    high: float
    reason: str = ""

    def __str__(self) -> str:
        if np.isnan(self.value):
            return f"not estimable: {self.reason}"
        if np.isnan(self.low):
            return f"{self.value:.3f} (no interval: {self.reason})"
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True)
class CalibrationCurve:
    """The flexible calibration curve; empty where there is none.

    Attributes
    ----------
    predicted, observed, low, high
        (points,) predictions, the share with the event there, and pointwise limits.
    smoother
        What drew the curve, in words.
    reason
        Why there is none; else empty.
    """

    predicted: np.ndarray
    observed: np.ndarray
    low: np.ndarray
    high: np.ndarray
    smoother: str
    reason: str = ""


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit per person over thresholds; that of acting on nobody is 0 everywhere.

    Attributes
    ----------
    thresholds
        (thresholds,) ascending.
    net_benefit, low, high
        (thresholds,) of acting on those with ``p >= threshold``, and pointwise limits, NaN where
        resampling moves nothing.
    treat_all
        (thresholds,) of acting on everybody.
    """

    thresholds: np.ndarray
    net_benefit: np.ndarray
    low: np.ndarray
    high: np.ndarray
    treat_all: np.ndarray


@dataclass(frozen=True)
class Performance:
    """Predictions for some people, evaluated.

    Attributes
    ----------
    n, events
        People, and those with the event.
    units
        How many are independent of each other: people, or their clusters.
    estimates
        By name: ``auc``, ``brier``, ``scaled_brier``, ``log_loss``, ``observed_expected``,
        ``calibration_intercept`` (in the large), ``calibration_slope``, ``ici``, ``e50``, ``e90``
        and, for every threshold such as 0.25, ``net_benefit_0.25``, ``treat_all_0.25`` and
        ``net_benefit_over_treat_all_0.25``, the difference of the two.
    curve, decision
        Calibration and decision curve.
    """

    n: int
    events: int
    units: int
    estimates: dict[str, Estimate]
    curve: CalibrationCurve
    decision: DecisionCurve

    def __getitem__(self, name: str) -> Estimate:
        return self.estimates[name]


@dataclass(frozen=True)
class Evaluation:
    """Predictions evaluated for everybody and in groups.

    Attributes
    ----------
    overall
        Of everybody.
    groups
        Name of the grouping → level → performance; levels in order, as they were given.
    conformal
        Prediction sets, ``"marginal"`` and ``"by outcome"``.
    thresholds
        Those with a net benefit.
    n_boot, random_state
        Resamples and seed.
    """

    overall: Performance
    groups: dict[str, dict[str | int, Performance]]
    conformal: "dict[str, Conformal]"
    thresholds: tuple[float, ...]
    n_boot: int
    random_state: int

    def to_frame(self) -> "pl.DataFrame":
        """All estimates, one row each.

        Returns
        -------
        polars.DataFrame
            grouping ("overall" for everybody), level, metric, value, low, high (null where not
            estimable), n, events, reason (null where there is none).
        """
        import polars as pl

        rows = _rows("overall", "all", self.overall)
        for grouping, levels in self.groups.items():
            for level, performance in levels.items():
                rows += _rows(grouping, str(level), performance)
        schema = {"grouping": pl.String, "level": pl.String, "metric": pl.String}
        schema |= dict.fromkeys(("value", "low", "high"), pl.Float64)
        schema |= {"n": pl.Int64, "events": pl.Int64, "reason": pl.String}
        frame = pl.DataFrame(rows, schema=schema, orient="row")
        return frame.with_columns(
            pl.col("value", "low", "high").fill_nan(None),
            pl.col("reason").replace("", None),
        )


def _rows(grouping: str, level: str, performance: Performance) -> list[tuple]:
    n, events = performance.n, performance.events
    return [
        (grouping, level, metric, e.value, e.low, e.high, n, events, e.reason)
        for metric, e in performance.estimates.items()
    ]
