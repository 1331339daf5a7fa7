"""What a service would watch: safety signals, and outcomes over time."""

import numpy as np
import polars as pl

from iesoresearch.analyses.cohort.people import Data, interval
from iesoresearch.measures import PHQ9
from iesoresearch.measures.outcomes import rates
from iesoresearch.models.control_chart import p_chart
from iesoresearch.results import Table, Value

SELF_HARM = PHQ9.columns[8]  # item 9, self-harm thoughts
MEASURE = "reliable recovery"  # of the control chart
FEWEST = 20  # courses a period needs to be on the chart
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
        ("self-harm thoughts, first answer", *_share(answers, pl.col("first") > 0)),
        ("self-harm thoughts, last answer", *_share(twice, pl.col("last") > 0)),
        ("new: none at first, some at last", *_share(none_at_first, pl.col("last") > 0)),
        ("gone: some at first, none at last", *_share(some_at_first, pl.col("last") == 0)),
        ("higher answer at last than at first", *_share(twice, pl.col("last") > pl.col("first"))),
        ("reliable deterioration, finished courses", worse["numerator"], worse["denominator"]),
    ]
    frame = pl.DataFrame(
        rows, schema={"signal": pl.String, "numerator": pl.Int64, "n": pl.Int64}, orient="row"
    ).with_columns(**interval("numerator", "n"))
    frame = frame.filter(pl.col("n") > 0)  # where only totals are kept nobody was asked
    shared = {"sensitivity": data.sensitivity}
    values = {
        "rate": Value("rate", "Share", 3, "n", **shared),
        "rate_low": Value("model", "95 % from", 3, "n", follows="rate", **shared),
        "rate_high": Value("model", "to", 3, "n", follows="rate", **shared),
        "numerator": Value("count", "Referrals", 0, follows="rate", **shared),
        "n": Value("count", "of", 0, **shared),
    }
    keys = {"signal": "Signal"}
    return Table("Safety signals", frame.select(*keys, *values), keys, values)


def _share(frame: pl.DataFrame, condition: pl.Expr) -> tuple[int, int]:
    return int(frame.select(condition.sum()).item() or 0), frame.height


def control_chart(data: Data) -> Table:
    """Reliable recovery by month of discharge, with limits of the p chart and the p' chart.

    By quarter where months hold too few courses to tell anything.
    """
    day = pl.col("discharge_date")
    periods, heading = _by(data, day.dt.strftime("%Y-%m")), "Month"
    if periods.is_empty() or periods["denominator"].mean() < ENOUGH:
        quarter = pl.format("{} Q{}", day.dt.year(), day.dt.quarter())
        periods, heading = _by(data, quarter), "Quarter"
    periods = periods.filter(pl.col("denominator") >= FEWEST)
    shared = {"sensitivity": data.sensitivity}
    values = {
        "rate": Value("rate", "Reliable recovery", 3, "n", **shared),
        "n": Value("count", "Courses", 0, **shared),
        "centre": Value("model", "Centre", 3, "n", **shared),
        "lower_limit": Value("model", "Lower limit", 3, "n", **shared),
        "upper_limit": Value("model", "Upper limit", 3, "n", **shared),
        "lower_adjusted": Value("model", "Lower limit, adjusted", 3, "n", **shared),
        "upper_adjusted": Value("model", "Upper limit, adjusted", 3, "n", **shared),
    }
    frame = periods.select("period", "rate", n="denominator").with_columns(**_limits(periods))
    return Table(
        "Reliable recovery by time of discharge",
        frame.select("period", *values),
        {"period": heading},
        values,
    )


def _by(data: Data, period: pl.Expr) -> pl.DataFrame:
    periods = rates(data.finishers.with_columns(period=period), by="period")
    return periods.filter(measure=MEASURE).sort("period")


def _limits(periods: pl.DataFrame) -> dict[str, pl.Series]:
    names = ("centre", "lower_limit", "upper_limit", "lower_adjusted", "upper_adjusted")
    if periods.is_empty():
        return {name: pl.Series([], dtype=pl.Float64) for name in names}
    chart = p_chart(periods["numerator"], periods["denominator"])
    centre = np.full(periods.height, chart.centre)
    columns = (centre, chart.low, chart.high, chart.low_adjusted, chart.high_adjusted)
    return {
        name: pl.Series(values).fill_nan(None) for name, values in zip(names, columns, strict=True)
    }


def outside(table: Table) -> int:
    """Periods whose rate lies outside the adjusted limits."""
    apart = (pl.col("rate") < pl.col("lower_adjusted")) | (
        pl.col("rate") > pl.col("upper_adjusted")
    )
    return int(table.frame.select(apart.sum()).item() or 0)
