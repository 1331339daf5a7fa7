"""What a service would watch: safety signals, and outcomes over time."""

from functools import partial

import numpy as np
import polars as pl

from iesoresearch.analyses.cohort.people import Data, interval
from iesoresearch.data import shifted
from iesoresearch.measures import PHQ9
from iesoresearch.measures.outcomes import rates
from iesoresearch.models.control_chart import p_chart
from iesoresearch.results import Table, Value

SELF_HARM = PHQ9.columns[8]  # item 9, self-harm thoughts
FIRST, LAST = "self-harm thoughts, first answer", "self-harm thoughts, last answer"
NEW, GONE = "new: none at first, some at last", "gone: some at first, none at last"
HIGHER = "higher answer at last than at first"
WORSE = "reliable deterioration, finished courses"
MEASURE = "reliable recovery"  # of the control chart
FEWEST = 20  # courses a period needs to be on the chart
_LIMITS = {
    "centre": "Centre",
    "lower_limit": "Lower limit",
    "upper_limit": "Upper limit",
    "lower_adjusted": "Lower limit, adjusted",
    "upper_adjusted": "Upper limit, adjusted",
}
YEAR = "Financial year"  # of the discharge, where dates are shifted
_STORED = "discharge_year"
ENOUGH = 60  # courses a month should hold on average, or quarters are charted


def item_nine(data: Data) -> pl.DataFrame:
    """First answer to item 9 of every referral with one, and the last of a later appointment."""
    answers = data.visits.filter(pl.col(SELF_HARM).is_not_null())
    answer = pl.col(SELF_HARM)
    return answers.group_by("referral_id", maintain_order=True).agg(
        first=answer.first(), last=pl.when(pl.len() > 1).then(answer.last())
    )


def safety(data: Data) -> Table:
    """Answers to the item on self-harm thoughts, and reliable deterioration, with intervals."""
    answers = item_nine(data)
    twice = answers.drop_nulls()
    none_at_first = twice.filter(first=0)
    some_at_first = twice.filter(pl.col("first") > 0)
    worse = rates(data.finishers).row(
        by_predicate=pl.col("measure") == "reliable deterioration", named=True
    )
    rows = [
        (FIRST, *_share(answers, pl.col("first") > 0)),
        (LAST, *_share(twice, pl.col("last") > 0)),
        (NEW, *_share(none_at_first, pl.col("last") > 0)),
        (GONE, *_share(some_at_first, pl.col("last") == 0)),
        (HIGHER, *_share(twice, pl.col("last") > pl.col("first"))),
        (WORSE, worse["numerator"], worse["denominator"]),
    ]
    frame = pl.DataFrame(
        rows, schema={"signal": pl.String, "numerator": pl.Int64, "n": pl.Int64}, orient="row"
    ).with_columns(**interval("numerator", "n"))
    frame = frame.filter(pl.col("n") > 0)  # where only totals are kept nobody was asked
    shared = {"sensitivity": data.sensitivity}
    values = {
        "rate": Value("rate", "Share", 3, "n", follows="numerator", **shared),
        "rate_low": Value("model", "95 % from", 3, "n", follows="rate", **shared),
        "rate_high": Value("model", "to", 3, "n", follows="rate", **shared),
        "numerator": Value("count", "Referrals", 0, within="n", follows="n", **shared),
        "n": Value("count", "of", 0, **shared),
    }
    keys = {"signal": "Signal"}
    return Table("Safety signals", frame.select(*keys, *values), keys, values)


def _share(frame: pl.DataFrame, condition: pl.Expr) -> tuple[int, int]:
    return int(frame.select(condition.sum()).item() or 0), frame.height


def control_chart(data: Data) -> Table:
    """Reliable recovery by month of discharge, with limits of the p chart and the p' chart.

    By quarter where months hold too few courses to tell anything; where dates are shifted, by the
    financial years that were stored before.
    """
    periods, heading = _periods(data)
    periods = periods.filter(pl.col("period").is_not_null(), pl.col("denominator") >= FEWEST)
    shared = {"sensitivity": data.sensitivity}
    values = {
        "rate": Value("rate", "Reliable recovery", 3, "n", **shared),
        "n": Value("count", "Courses", 0, **shared),
    } | {
        # of released counts: the width of exact limits would tell the courses
        name: Value("model", label, 3, "n", **shared, derive=partial(_limit, name=name))
        for name, label in _LIMITS.items()
    }
    frame = periods.select("period", "rate", n="denominator")
    frame = frame.with_columns(_limit(frame, name).alias(name) for name in _LIMITS)
    return Table(
        "Reliable recovery by time of discharge",
        frame.select("period", *values),
        {"period": heading},
        values,
    )


def no_chart(data: Data) -> str:
    """Why there is no control chart, where there is none."""
    if not data.cohort.days_shifted:
        return "No quarter has enough courses with a known outcome."
    if data.finishers[_STORED].count():
        return "No financial year has enough courses with a known outcome."
    return shifted.reason(data.cohort.days_shifted, _STORED)


def _periods(data: Data) -> tuple[pl.DataFrame, str]:
    """Rates by period, and what a period is called."""
    if data.cohort.days_shifted:
        return _by(data, pl.col(_STORED)), YEAR
    day = pl.col("discharge_date")
    months = _by(data, day.dt.strftime("%Y-%m"))
    if not months.is_empty() and months["denominator"].mean() >= ENOUGH:
        return months, "Month"
    return _by(data, pl.format("{} Q{}", day.dt.year(), day.dt.quarter())), "Quarter"


def _by(data: Data, period: pl.Expr) -> pl.DataFrame:
    periods = rates(data.finishers.with_columns(period=period), by="period")
    return periods.filter(measure=MEASURE).sort("period")


def _limit(frame: pl.DataFrame, name: str) -> pl.Series:
    """One of the limits, null where the rate is."""
    found = np.full(frame.height, np.nan)
    there = frame["rate"].is_not_null().to_numpy()
    if there.any():
        rate, n = (frame.filter(there)[column].to_numpy() for column in ("rate", "n"))
        chart = p_chart(np.round(rate * n), n)
        limits = (chart.centre, chart.low, chart.high, chart.low_adjusted, chart.high_adjusted)
        found[there] = dict(zip(_LIMITS, limits, strict=True))[name]
    return pl.Series(found).fill_nan(None)


def outside(table: Table) -> int:
    """Periods whose rate lies outside the adjusted limits."""
    apart = (pl.col("rate") < pl.col("lower_adjusted")) | (
        pl.col("rate") > pl.col("upper_adjusted")
    )
    return int(table.frame.select(apart.sum()).item() or 0)
