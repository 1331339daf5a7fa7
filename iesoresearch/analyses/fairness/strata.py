"""Estimates of intersections that tell no count which is not shown.

Estimates of a model of exact counts give these away: in a small table a single patient moves the
shrunken rate of an intersection by more than a per cent, and by way of the coefficients a
suppressed intersection moves all others. So what is released are the estimates of a model of the
released counts, rounded, without what is suppressed: a function of what everybody can see.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

import polars as pl

from iesoresearch.data.groups import NOT_RECORDED
from iesoresearch.errors import DataError
from iesoresearch.models.maihda import FEWEST, TOO_SMALL, Maihda

HIGHER, LOWER, ADDS_UP = "more than its parts", "less than its parts", "adds up"
UNPLACED = "a group is not recorded"
TOO_FEW = "too few intersections to compare it with"
#: Steps to which estimates are rounded, per cent and points: what is finer is noise.
STEPS = {"mean": 1.0, "interaction": 0.5}


@dataclass(frozen=True)
class Estimates:
    """Columns of estimates, by a model of the counts of a frame and nothing else.

    Attributes
    ----------
    dimensions
        Columns with the groups.
    outcome, denominator
        Columns with the counts.
    exact
        The exact counts.
    fitted
        The model of these.
    fit
        Fits the model to other counts; raises `DataError` where they do not suffice.
    """

    dimensions: tuple[str, ...]
    outcome: str
    denominator: str
    exact: pl.DataFrame
    fitted: Maihda
    fit: Callable[[pl.DataFrame], Maihda]
    _last: Callable = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # all columns of a frame are asked for one after the other
        object.__setattr__(self, "_last", lru_cache(maxsize=2)(self._by_stratum))

    def _by_stratum(self, counts: bytes) -> pl.DataFrame:
        counts = pl.read_ipc(counts)
        if counts.equals(self.exact):
            return self.fitted.to_frame()
        try:
            return self.fit(counts).to_frame()
        except DataError:
            return self.fitted.to_frame().clear()

    def _of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Counts and estimates of all rows of a frame, null where there are none."""
        names = [self.outcome, self.denominator]
        shown = pl.all_horizontal(pl.col(names).is_not_null())
        counts = frame.select(*self.dimensions, pl.when(shown).then(pl.col(names)))
        counts = counts.select(self.exact.columns)
        estimates = self._last(counts.write_ipc(None).getvalue()).drop("n", "events")
        return counts.join(estimates, on=self.dimensions, how="left", maintain_order="left")

    def rounded(self, frame: pl.DataFrame, name: str) -> pl.Series:
        """`mean`, `interaction`, or an end of their intervals, in per cent or points."""
        step = STEPS[name.partition("_")[0]]
        return ((self._of(frame)[name] * 100 / step).round() * step).alias(name)

    def finding(self, frame: pl.DataFrame) -> pl.Series:
        """Whether it is more or less than its parts, or why that is not said; null if hidden."""
        n, said = pl.col(self.denominator), pl.lit
        placed = pl.all_horizontal(pl.col(self.dimensions) != NOT_RECORDED)
        found = (
            pl.when(n.is_null())
            .then(None)
            .when(~placed)
            .then(said(UNPLACED))
            .when(n < FEWEST)
            .then(said(TOO_SMALL))
            .when(pl.col("mean").is_null())
            .then(said(TOO_FEW))
            .when(~pl.col("flagged"))
            .then(said(ADDS_UP))
            .when(pl.col("effect_low") > 0)
            .then(said(HIGHER))
            .otherwise(said(LOWER))
        )
        return self._of(frame).select(finding=found).to_series()
