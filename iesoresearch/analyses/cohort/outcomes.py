"""Outcome rates beside the published ones, why an outcome is not known, and waits."""

from dataclasses import replace

import polars as pl

from iesoresearch.analyses.cohort.people import Data
from iesoresearch.disclosure import derived
from iesoresearch.measures.outcomes import rates
from iesoresearch.measures.outcomes.flags import NO_FIRST, NO_LAST, UNSOURCED
from iesoresearch.results import Table, Value

OFFICIAL, STAND_IN = "official", "GAD-7 for all, not official"
KNOWN = "outcome known"
REASONS = (KNOWN, UNSOURCED, NO_FIRST, NO_LAST)
#: Measure -> what it is about: the parts of one question add up.
QUESTIONS = {
    "at caseness": "severity at the start",
    "recovery": "recovery",
    "reliable recovery": "reliable recovery",
    "reliable improvement": "reliable change",
    "reliable deterioration": "reliable change",
    "no reliable change": "reliable change",
    "paired": "completeness",
    "wait <= 6 weeks": "first wait",
    "wait <= 18 weeks": "first wait, standard",
    "second wait > 90 days": "second wait",
}
LABELS = {
    "paired": "paired scores",
    "wait <= 6 weeks": "first treatment within 6 weeks",
    "wait <= 18 weeks": "first treatment within 18 weeks",
    "second wait > 90 days": "more than 90 days to the second",
}
_BY_FLAGS = tuple(QUESTIONS)[:6]


def outcome_rates(data: Data) -> Table:
    """Every official rate with its Wilson interval, by both rules, beside the published one."""
    official = rates(data.finishers)
    stand_in = rates(data.fallback).filter(pl.col("measure").is_in(_BY_FLAGS))
    frame = pl.concat(
        [official.with_columns(rule=pl.lit(OFFICIAL)), stand_in.with_columns(rule=pl.lit(STAND_IN))]
    ).with_columns(
        question=pl.col("measure").replace_strict(QUESTIONS),
        published=pl.col("measure").replace_strict(
            {m: data.published.rate(m) for m in QUESTIONS}, return_dtype=pl.Float64
        ),
    )
    frame = frame.with_columns(pl.col("measure").replace(LABELS))
    keys = {"measure": "Measure", "rule": "Rule", "question": "About"}
    shared = {"sensitivity": data.sensitivity}
    values = {
        "numerator": Value("count", "Courses", 0, within="denominator", **shared),
        "denominator": Value("count", "of", 0, **shared),
    }
    published = Value("rate", _heading(data), 3, sensitivity="open")
    title = "Outcomes of finished courses of treatment"
    table = Table(title, frame.select(*keys, *values), keys, values)
    table = derived.with_share(table, "rate", "numerator", "denominator", "Rate")
    shown = table.frame.with_columns(frame["published"])
    return replace(table, frame=shown, values=table.values | {"published": published})


def _heading(data: Data) -> str:
    return f"{data.published.label} (– where not published)"


def unknown(data: Data) -> Table:
    """For how many finished courses the outcome is known, and why not for the others."""
    reasons = data.finishers.select(reason=pl.col("reason").fill_null(KNOWN))
    found = reasons.group_by("reason").agg(pl.len().cast(pl.Int64).alias("n"))
    # in a fixed order: that of the counts would tell of those that are hidden
    frame = pl.DataFrame({"reason": REASONS}).join(
        found, on="reason", how="left", maintain_order="left"
    )
    frame = frame.with_columns(pl.col("n").fill_null(0))
    frame = frame.with_columns(finished=pl.lit(data.finishers.height, pl.Int64))
    values = _parts_of_finished(data)
    frame = frame.with_columns(share=_share(frame)).select("reason", *values)
    return Table("Outcomes that are not known", frame, {"reason": "Reason"}, values)


def _parts_of_finished(data: Data) -> dict[str, Value]:
    """Finished courses by a key, and their shares of all of them."""
    shared = {"sensitivity": data.sensitivity}
    return {
        "n": Value("count", "Finished courses", 0, **shared),
        "finished": Value("count", "of", 0, **shared),
        "share": Value("rate", "Share", 3, derive=_share, **shared),
    }


def _share(frame: pl.DataFrame) -> pl.Series:
    """Both counts as the table has them: an exact share would tell hidden counts."""
    return (frame["n"] / frame["finished"]).fill_nan(None)


#: Bands of waits in days, both ends included: the published bands and both standards are edges.
BANDS = ((0, 28), (29, 42), (43, 56), (57, 90), (91, 126), (127, None))
_LONG = 10**6  # days, longer than any wait
WAITS = {
    "wait_days": "referral to first treatment",
    "second_wait_days": "first to second treatment",
}


def band_name(low: int, high: int | None) -> str:
    """How a band is shown, such as "29–42".

    With the longest are those whose wait is not known: a band of their own would tell of a few.
    """
    return f"over {low - 1} or not known" if high is None else f"{low}–{high}"


def waits(data: Data) -> Table:
    """Finished courses by wait, beside the published shares."""
    rows = []
    everybody = data.finishers.height
    for column, wait in WAITS.items():
        days = data.finishers[column].fill_null(_LONG)
        days = days.set(days < 0, _LONG)
        for low, high in BANDS:
            n = int(days.is_between(low, _LONG if high is None else high).sum())
            published = data.published.wait_share(column, low, high)
            rows.append((wait, band_name(low, high), n, everybody, published))
    keys = {"wait": "Wait", "band": "Days"}
    values = _parts_of_finished(data) | {
        "published": Value("rate", _heading(data), 3, sensitivity="open")
    }
    numbers = {"n": pl.Int64, "finished": pl.Int64, "published": pl.Float64}
    schema = dict.fromkeys(keys, pl.String) | numbers
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    frame = frame.with_columns(share=_share(frame))
    return Table("Waits of those who finished", frame, keys, values)
