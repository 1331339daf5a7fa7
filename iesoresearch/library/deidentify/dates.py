"""Dates, shifted by whole days: a shift per patient, the same for all dates and in every ingest.

Intervals between any two dates of one patient stay as they are; dates of two patients can no longer
be compared. A shift is `LEAST` to `MOST` days towards the past, so that no date lies in the future.
What depends on the calendar (financial years, version of the outcome rules) is stored before.

The stored years narrow down a shift, most where a patient has dates close to the first of April:
of drawn patients the year of the referral leaves about 240 of 364 days on average, both years about
200, and 31 or fewer for one in twenty. An extract should ask for years only if its analyses need
the calendar.
Without years, the day of the submission narrows down the shifts of those who were in care then, as
no date lies after it: to 31 days or fewer for one in twelve of them. Weekdays and holidays, on
which nobody is seen, are not hidden either.
"""

import hmac
from collections.abc import Iterable
from datetime import date

import polars as pl

from iesoresearch.data.shifted import MOST
from iesoresearch.measures.outcomes import Thresholds, financial_year
from iesoresearch.measures.outcomes.years import first_day

LEAST = 1  # day
#: The NHS began; no record of care in it is older.
EPOCH = date(1948, 7, 5)


def shifts(library, patient_ids: Iterable[str]) -> list[int]:
    """Days to be added to every date of these pseudonyms: never 0, never positive."""
    secret = library.secret("dates")
    digests = (hmac.digest(secret, one.encode(), "sha256") for one in patient_ids)
    return [-(LEAST + int.from_bytes(d[:8]) % (MOST - LEAST + 1)) for d in digests]


def shifted(column: str, shift: str = "shift") -> pl.Expr:
    """A column of dates moved by the days in another one; null stays null."""
    days = pl.col(column).cast(pl.Int32) + pl.col(shift).cast(pl.Int32)
    return days.cast(pl.Date).alias(column)


def impossible(column: str, born: str = "born") -> pl.Expr:
    """Whether a date cannot be one of care: before the NHS, or not after the birth.

    A date of birth that strayed into a date of care would tell the age, shifted or not.
    """
    day = pl.col(column)
    return ((day < EPOCH) | (day <= pl.col(born)).fill_null(False)).fill_null(False)


def with_years(referrals: pl.DataFrame, thresholds: Thresholds) -> pl.DataFrame:
    """Referrals with financial years and version of the outcome rules, from their true dates.

    The version is the last day, up to the discharge (else the referral), on which a financial year
    or a rule of `thresholds` began: rules that begin on another day have to be known at ingest.
    """
    day = pl.coalesce("discharge_date", "referral_date")
    begins = [first_day(financial_year(day))]
    for row in thresholds.rows:
        if row.valid_from is not None:
            begins.append(pl.when(day >= row.valid_from).then(pl.lit(row.valid_from)))
    return referrals.with_columns(
        referral_year=financial_year(pl.col("referral_date")),
        discharge_year=financial_year(pl.col("discharge_date")),
        rules_version=pl.max_horizontal(begins).dt.to_string("%Y-%m-%d"),
    )
