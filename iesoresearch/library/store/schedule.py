"""How long records may be kept: settled when a library is created, counted from discharge.

Dates in a library are shifted, so years are counted from the fiscal year of discharge, which is
stored as it was ("2015-16": 1 April 2015 to 31 March 2016).
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from iesoresearch.errors import ParameterError

_LAST_DAY = (3, 31)  # of a fiscal year of the NHS
_MOST = 100


@dataclass(frozen=True)
class Schedule:
    """Years after the fiscal year of discharge, and fewer for some tables."""

    years: int
    tables: dict[str, int] = field(default_factory=dict)

    def years_of(self, table: str) -> int:
        """Years that rows of a table are kept."""
        return self.tables.get(table, self.years)

    def over(self, table: str, on: date) -> pl.Expr:
        """Whether the last year of a referral is over, by its ``discharge_year``; null: never."""
        return _ended(pl.col("discharge_year")) < _first_kept(on, self.years_of(table))


def read(settings: dict[str, Any]) -> Schedule | None:
    """The schedule that the settings of a library hold, if any.

    Parameters
    ----------
    settings
        ``retention: {years_after_discharge: 8, tables: {content: 2}}``; ``tables`` is optional.

    Raises
    ------
    ParameterError
        It is not of this form, or a table is to be kept for longer than its referral.
    """
    given = settings.get("retention")
    if given is None:
        return None
    if not isinstance(given, dict) or not set(given) <= {"years_after_discharge", "tables"}:
        raise ParameterError(_wrong("it has years_after_discharge and, if need be, tables"))
    tables = given.get("tables") or {}
    if not isinstance(tables, dict) or not all(isinstance(name, str) for name in tables):
        raise ParameterError(_wrong("tables are names of tables with years"))
    years = _years(given.get("years_after_discharge"))
    kept = {name: _years(value) for name, value in tables.items()}
    longer = sorted(name for name, value in kept.items() if value > years)
    if longer:
        raise ParameterError(_wrong(f"{', '.join(longer)} would outlast their referrals"))
    return Schedule(years, kept)


def _years(given: Any) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given <= _MOST:
        raise ParameterError(_wrong(f"years are whole numbers from 0 to {_MOST}"))
    return given


def _ended(year: pl.Expr) -> pl.Expr:
    """Calendar year in which a fiscal year ends: 2016 of "2015-16"."""
    return year.cast(pl.String).str.slice(0, 4).cast(pl.Int32, strict=False) + 1


def _first_kept(on: date, years: int) -> int:
    """The earliest end of a fiscal year of discharge whose records may be kept on a day."""
    return on.year - years + ((on.month, on.day) > _LAST_DAY)


def _wrong(why: str) -> str:
    return (
        f"The settings of the library give a retention schedule that cannot be used: {why}. Give, "
        "for example, retention: {years_after_discharge: 8}."
    )
