"""Earlier courses to learn from, and later predictions to judge: by days, or by financial years.

Courses under way at the cut are in neither part: they could not be learnt from yet. Nor are the
last predictions, whose courses are only known if they were short.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

LEARNT_BY = 0.6  # share of the courses, by when they ended, that an earlier model learns from
FOLLOWED = 0.95  # share of the courses whose time to the end later ones must be given
YEARS = ("referral_year", "discharge_year")  # stored where dates are shifted


@dataclass(frozen=True)
class Split:
    """Rows of a landmark in time.

    Attributes
    ----------
    used
        Rows that are in one of the two parts.
    when
        (rows,) when a course ended, if it was learnt from, else when it was predicted.
    cut
        The first `when` that is judged.
    made
        (rows,) what sorts predictions by time, as far as it is known.
    period
        (rows,) labels for the course of time.
    """

    used: np.ndarray
    when: np.ndarray
    cut: object
    made: np.ndarray
    period: np.ndarray


def by_days(rows: pl.DataFrame) -> Split:
    """By the day a prediction was made, and quarters of a year."""
    ended, made = (rows[c].to_numpy() for c in ("discharge_date", "day"))
    cut = np.sort(ended)[int(LEARNT_BY * len(ended))]
    days = np.quantile((ended - made).astype(int), FOLLOWED)
    # long courses begun late are still open: no prediction whose end could not be seen yet
    seen = made < ended.max() - np.timedelta64(int(days), "D")
    used = np.flatnonzero((ended < cut) | ((made >= cut) & seen))
    return Split(used, np.where(ended < cut, ended, made), cut, made, quarters(rows["day"]))


def by_years(rows: pl.DataFrame) -> Split | None:
    """By financial years of referral and discharge, where dates are shifted; None without years.

    Learnt from are courses that ended in an earlier year than those judged were referred in. The
    last day of the data is not known: it may be the first one of the last year.
    """
    begins = [pl.col(c).str.slice(0, 4).cast(pl.Int32, strict=False) for c in YEARS]
    dated = rows.select(pl.all_horizontal(x.is_not_null() for x in begins)).to_series()
    known = np.flatnonzero(dated)
    if not len(known):
        return None
    referred, ended = rows.select(x.fill_null(0) for x in begins).to_numpy().T
    years, n = np.unique(ended[known], return_counts=True)
    before = np.append(0, np.cumsum(n)[:-1]) / n.sum()  # share that ended before each year
    lasted = (rows["discharge_date"] - rows["referral_date"]).dt.total_days().quantile(FOLLOWED)
    seen = 365 * (referred[known] + 1) + lasted <= 365 * years[-1]
    off = np.where(years <= referred[known][seen].max(initial=0), np.abs(before - LEARNT_BY), 1)
    cut = years[off.argmin()]  # if it is the first there is nothing to learn from
    early, late = ended[known] < cut, (referred[known] >= cut) & seen
    when = np.where(ended < cut, ended, referred)
    return Split(known[early | late], when, cut, referred, rows[YEARS[0]].to_numpy())


def quarters(day: pl.Series) -> np.ndarray:
    """Quarter of a year of every day, such as 2024 Q1."""
    return (day.dt.year().cast(pl.String) + " Q" + day.dt.quarter().cast(pl.String)).to_numpy()
