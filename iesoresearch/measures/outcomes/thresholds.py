"""Who counts as a case and which change counts as reliable, by scale and date of the rules."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, Self

import polars as pl
from pydantic import model_validator

from iesoresearch.errors import ParameterError
from iesoresearch.measures.problems import PROBLEMS
from iesoresearch.measures.rows import Row
from iesoresearch.measures.scales import SCALES


class Threshold(Row):
    """The rule of one scale, from one date until the next rule of that scale.

    Attributes
    ----------
    caseness
        Scores from this one on are at caseness.
    reliable_change
        A fall or rise of at least this much is reliable.
    valid_from
        First day of the rule; the official ones have none, for no other version of them was found.
    """

    scale: str
    caseness: float
    reliable_change: float
    valid_from: date | None
    source: str

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.scale not in SCALES:
            raise ValueError(f"scale must be one of {', '.join(SCALES)}")
        scale = SCALES[self.scale]
        if not scale.low < self.caseness <= scale.high:
            raise ValueError(
                f"caseness must lie above {scale.low:g} and not above {scale.high:g}, "
                f"the range of {self.scale}"
            )
        if not 0 < self.reliable_change <= scale.high - scale.low:
            raise ValueError(
                f"reliable_change must be positive and at most {scale.high - scale.low:g}, the "
                f"width of {self.scale}"
            )
        if not self.source.strip():
            raise ValueError("source must say where the rule is written down")
        return self


@dataclass(frozen=True)
class Thresholds:
    """The rules that are known; a scale without a rule cannot be judged."""

    rows: tuple[Threshold, ...]

    @classmethod
    def read(cls, path: Path) -> Thresholds:
        """The official rules and a site's own, from a YAML file.

        Each row holds ``scale``, ``caseness``, ``reliable_change``, ``valid_from`` (a date) and
        ``source``. A rule holds until the next one of its scale.

        Raises
        ------
        ParameterError
            A row has no source or date, names an unknown scale, one that no problem is paired with
            or one with an official rule, lies outside the scale, or has the date of another.
        """
        rows = Threshold.read(path)
        paired = {problem.anxiety_scale for problem in PROBLEMS.values()}
        official = {row.scale for row in OFFICIAL.rows}
        problems = []
        for row in rows:
            if row.scale in official:
                problems.append(f"{row.scale} has an official rule, which this one would overlap")
            elif row.scale not in paired:
                problems.append(f"{row.scale} is paired with no problem, so no outcome rests on it")
            if row.valid_from is None:
                problems.append(f"{row.scale} has no valid_from")
        for (scale, day), n in Counter((row.scale, row.valid_from) for row in rows).items():
            if n > 1:
                problems.append(f"{scale} has {n} rules from {day or 'the same day'} on")
        if problems:
            raise ParameterError(f"{path}: {'; '.join(problems)}. Mend or remove these rows.")
        return cls(OFFICIAL.rows + rows)

    def expression(
        self, field: Literal["caseness", "reliable_change"], scale: pl.Expr, day: pl.Expr
    ) -> pl.Expr:
        """Value of a rule by row: of the newest version where `day` is null, null without one."""
        value = pl.lit(None, pl.Float64)
        for row in sorted(self.rows, key=lambda row: row.valid_from or date.min):
            holds = scale == row.scale
            if row.valid_from is not None:
                holds &= (day >= row.valid_from).fill_null(True)
            value = pl.when(holds).then(pl.lit(float(getattr(row, field)))).otherwise(value)
        return value


_SOURCE = (
    "NHS Talking Therapies (IAPT) outcome rules as tabulated in PMC8411661, Table 1; with them the "
    "percentages of the annual reports 2017-18 to 2024-25 reproduce"
)

#: Only what is sourced: the official rules of the disorder measures were not found.
OFFICIAL = Thresholds(
    (
        Threshold(scale="phq9", caseness=10, reliable_change=6, valid_from=None, source=_SOURCE),
        Threshold(scale="gad7", caseness=8, reliable_change=4, valid_from=None, source=_SOURCE),
    )
)
