"""Rates with the official denominators, and effect sizes."""

from collections.abc import Sequence

import polars as pl

from iesoresearch.errors import DataError
from iesoresearch.measures.outcomes.flags import UNSOURCED

SIX_WEEKS, EIGHTEEN_WEEKS, SECOND_WAIT = 42, 126, 90  # days; the limit itself is within
#: Wait in days -> band of the annual report, both ends included.
WAIT_BANDS = ((0, 28, "<=28 days"), (29, 56, "29-56 days"), (57, 90, "57-90 days"))
LONGEST_BAND = ">90 days"
_Z = 1.959963984540054  # 97.5 % quantile of the normal distribution

_FROM_FLAGS = (
    "at caseness",
    "recovery",
    "reliable recovery",
    "reliable improvement",
    "reliable deterioration",
    "no reliable change",
)
#: Measure of the published tables -> what is taken off the finished courses before dividing.
DENOMINATORS = {
    "recovery": "not at caseness",
    "reliable recovery": "not at caseness",
    "reliable improvement": None,
    "reliable deterioration": None,
    "no reliable change": None,
}
_COUNTED = ("finished", "not at caseness", *DENOMINATORS)


def wait_band(days: pl.Expr) -> pl.Expr:
    """Band of a wait as the annual report has them; null for a negative or missing wait."""
    band = pl.when(days > WAIT_BANDS[-1][1]).then(pl.lit(LONGEST_BAND))
    for low, high, name in WAIT_BANDS:
        band = band.when(days.is_between(low, high)).then(pl.lit(name))
    return band


def rates(outcomes: pl.DataFrame, by: str | Sequence[str] = ()) -> pl.DataFrame:
    """Rates of `referral_outcomes` or `therapy_outcomes`, with 95 % Wilson intervals.

    The denominators are the official ones: all finished courses, and for recovery and reliable
    recovery those less the courses known not to be at caseness. So a course whose last score is
    missing counts as not recovered. The one exception is what the official rules could judge and
    we cannot: a course whose threshold is not sourced is left out of the rates that rest on flags,
    and counted in ``not_judged``.

    Returns
    -------
    polars.DataFrame
        `by`, measure, numerator, denominator, rate, low, high (null where the denominator is 0),
        not_judged. Waits are there where `outcomes` has them.
    """
    by = [by] if isinstance(by, str) else list(by)
    finished = pl.col("finished")
    judged = finished & pl.col("reason").ne_missing(UNSOURCED)
    open_ended = judged & pl.col("caseness").ne_missing(False)
    paired = pl.col("phq9_last").is_not_null() & pl.col("anxiety_last").is_not_null()
    measures = {
        "at caseness": (pl.col("caseness"), judged),
        "recovery": (pl.col("recovery"), open_ended),
        "reliable recovery": (pl.col("reliable_recovery"), open_ended),
        "reliable improvement": (pl.col("reliable_improvement"), judged),
        "reliable deterioration": (pl.col("reliable_deterioration"), judged),
        "no reliable change": (pl.col("no_reliable_change"), judged),
        "paired": (paired, finished),
    }
    if "wait_days" in outcomes.columns:
        measures |= {
            "wait <= 6 weeks": (pl.col("wait_days") <= SIX_WEEKS, finished),
            "wait <= 18 weeks": (pl.col("wait_days") <= EIGHTEEN_WEEKS, finished),
            "second wait > 90 days": (pl.col("second_wait_days") > SECOND_WAIT, finished),
        }
    counts = [
        pl.struct(
            measure=pl.lit(measure),
            numerator=(true & counted).sum().cast(pl.Int64),
            denominator=counted.sum().cast(pl.Int64),
            not_judged=(finished & ~judged).sum().cast(pl.Int64) * (measure in _FROM_FLAGS),
        ).alias(measure)
        for measure, (true, counted) in measures.items()
    ]
    groups = outcomes.group_by(by).agg(counts).sort(by) if by else outcomes.select(counts)
    # one row per group and measure
    long = groups.select(*by, pl.concat_list(list(measures)).alias("row")).explode("row")
    long = long.unnest("row").with_columns(**wilson(pl.col("numerator"), pl.col("denominator")))
    return long.select(
        *by, "measure", "numerator", "denominator", "rate", "low", "high", "not_judged"
    )


def wilson(numerator: pl.Expr, denominator: pl.Expr) -> dict[str, pl.Expr]:
    """Rate and 95 % Wilson interval; null where the denominator is 0."""
    n = pl.when(denominator > 0).then(denominator.cast(pl.Float64))
    rate = numerator / n
    below, above = wilson_limits(rate, n, _Z)
    # at 0 of n and n of n rounding errors must leave neither the rate outside nor a limit below 0
    low = pl.min_horizontal(below, rate).clip(0, 1)
    high = pl.max_horizontal(above, rate).clip(0, 1)
    return {"rate": rate, "low": low, "high": high}


def wilson_limits[T](rate: T, n: T, z: T | float) -> tuple[T, T]:
    """Wilson's limits of a rate of `n` people, `z` normal quantiles out; expressions or arrays.

    Wilson 1927, doi:10.1080/01621459.1927.10502953. Rounding errors of 1e-17 may lie outside 0 and
    1; `wilson`, and `iesoresearch.models.proportions` for arrays, see to them.
    """
    middle = (rate + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * (rate * (1 - rate) / n + z**2 / (4 * n**2)) ** 0.5
    return middle - half, middle + half


def percentages_from_counts(frame: pl.DataFrame, decimals: int = 1) -> pl.DataFrame:
    """Published percentages recomputed from published counts, with the official denominators.

    Rounds halves away from zero, as the publisher's database does, in whole numbers, so that no
    tie depends on how a fraction is stored.

    Parameters
    ----------
    frame
        Published figures, long: ``measure``, ``statistic`` ("count" is read) and ``value``; all
        other columns say what a figure is about.
    decimals
        Of the percentages.

    Returns
    -------
    polars.DataFrame
        What a figure is about, measure, numerator, denominator, percentage; null where a count is
        absent or the denominator is 0.
    """
    absent = [c for c in ("measure", "statistic", "value") if c not in frame.columns]
    if absent:
        raise DataError(
            f"Published counts: the column(s) {', '.join(absent)} are absent. Hand over a table "
            "read by iesoresearch.data.published."
        )
    about = [c for c in frame.columns if c not in ("measure", "statistic", "value", "source")]
    counts = frame.filter(pl.col("statistic") == "count", pl.col("measure").is_in(_COUNTED))
    wide = counts.group_by(about, maintain_order=True).agg(
        pl.col("value").filter(pl.col("measure") == m).first().round().cast(pl.Int64).alias(m)
        for m in _COUNTED
    )
    parts = []
    for measure, less in DENOMINATORS.items():
        whole = pl.col("finished") - pl.col(less) if less else pl.col("finished")
        part = wide.select(
            *about, measure=pl.lit(measure), numerator=pl.col(measure), denominator=whole
        )
        parts.append(part.with_columns(percentage=_rounded_percentage(decimals)))
    return pl.concat(parts)


def _rounded_percentage(decimals: int) -> pl.Expr:
    """100 × numerator / denominator, halves away from zero (no figure here is negative)."""
    scale = 10**decimals
    n, d = pl.col("numerator"), pl.when(pl.col("denominator") > 0).then("denominator")
    # it is a whole number of steps already: the last call only clears the error of the division
    return ((200 * scale * n + d).floordiv(2 * d) / scale).round(decimals)


def effect_size(first: pl.Series, last: pl.Series, reference_sd: float) -> float | None:
    """Mean fall in units of a reference population's standard deviation at the start.

    Officially the reference is all of England. Only pairs count; null without any.

    Raises
    ------
    DataError
        The standard deviation is not above 0.
    """
    if not reference_sd > 0:
        raise DataError(
            "An effect size needs a reference standard deviation above 0. Take the published one "
            "of England at the start of treatment."
        )
    fall = (first - last).mean()
    return None if fall is None else fall / reference_sd
