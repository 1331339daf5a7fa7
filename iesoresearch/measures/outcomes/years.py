"""Financial years, and the day that decides which version of the outcome rules holds.

Tables of a research library have shifted dates. What depends on the calendar was stored with every
referral before that, and goes before what its dates seem to say.
"""

import polars as pl

APRIL = 4  # financial years begin with it
#: Columns of referrals that were stored before dates were shifted; null in other tables.
STORED = ("referral_year", "discharge_year", "rules_version")


def financial_year(day: pl.Expr) -> pl.Expr:
    """Such as 2023-24, from April to March; null where the day is."""
    start = day.dt.year() - (day.dt.month() < APRIL).cast(pl.Int32)
    return pl.format("{}-{}", start, ((start + 1) % 100).cast(pl.String).str.zfill(2))


def first_day(year: pl.Expr) -> pl.Expr:
    """First day of a financial year such as 2023-24; null where it is none."""
    return pl.format("{}-04-01", year.str.slice(0, 4)).str.to_date("%Y-%m-%d", strict=False)


def rules_day() -> pl.Expr:
    """The day whose rules judge a referral: that of its discharge, else that of its referral.

    Of a referral with shifted dates: the day since which its rules have held, or, without it, the
    first day of the financial year. The frame has the columns `STORED` and both dates.
    """
    version = pl.col("rules_version").str.to_date("%Y-%m-%d", strict=False)
    stored = pl.coalesce(pl.col("discharge_year"), pl.col("referral_year"))
    dates = pl.coalesce(pl.col("discharge_date"), pl.col("referral_date"))
    return pl.coalesce(version, first_day(stored), dates)
