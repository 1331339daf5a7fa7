"""Outcome rates beside the published ones, why an outcome is not known, and waits."""

import polars as pl

from iesoresearch.analyses.cohort.people import Data
from iesoresearch.measures.outcomes import rates
from iesoresearch.results import Table, Value

OFFICIAL, STAND_IN = "official", "GAD-7 for all, not official"
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
    judged = dict(official.select("measure", "denominator").iter_rows())
    frame = pl.concat(
        [
            official.with_columns(rule=pl.lit(OFFICIAL), added=pl.col("denominator")),
            stand_in.with_columns(
                rule=pl.lit(STAND_IN),
                added=pl.col("denominator") - pl.col("measure").replace_strict(judged),
            ),
        ]
    ).with_columns(
        question=pl.col("measure").replace_strict(QUESTIONS),
        published=pl.col("measure").replace_strict(
            {m: data.published.rate(m) for m in QUESTIONS}, return_dtype=pl.Float64
        ),
    )
    frame = frame.with_columns(pl.col("measure").replace(LABELS))
    frame = frame.rename({"low": "rate_low", "high": "rate_high"})
    keys = {"measure": "Measure", "rule": "Rule", "question": "About"}
    shared = {"sensitivity": data.sensitivity}
    values = {
        # few added courses could be told from the difference of the two rules
        "rate": Value(
            "rate", "Rate", 3, "denominator", parts_of=("rule", "question"), follows="added",
            **shared,
        ),
        "rate_low": Value("model", "95 % from", 3, "denominator", follows="rate", **shared),
        "rate_high": Value("model", "to", 3, "denominator", follows="rate", **shared),
        "numerator": Value("count", "Courses", 0, follows="rate", **shared),
        "denominator": Value("count", "of", 0, **shared),
        "added": Value("count", "Added by this rule", 0, **shared),
        "published": Value("rate", _heading(data), 3, sensitivity="open"),
    }  # fmt: skip
    title = "Outcomes of finished courses of treatment"
    return Table(title, frame.select(*keys, *values), keys, values)


def _heading(data: Data) -> str:
    return f"{data.published.label} (– where not published)"


def unknown(data: Data) -> Table:
    """For how many finished courses the outcome is known, and why not for the others."""
    reasons = data.finishers.select(reason=pl.col("reason").fill_null("outcome known"))
    frame = reasons.group_by("reason").agg(pl.len().cast(pl.Int64).alias("n"))
    frame = frame.sort("n", "reason", descending=[True, False])
    frame = frame.with_columns(share=pl.col("n") / pl.col("n").sum())
    values = {
        "n": Value("count", "Finished courses", 0, parts_of=(), sensitivity=data.sensitivity),
        "share": Value("model", "Share", 3, follows="n", sensitivity=data.sensitivity),
    }
    return Table("Outcomes that are not known", frame, {"reason": "Reason"}, values)


#: Bands of waits in days, both ends included: the published bands and both standards are edges.
BANDS = ((0, 28), (29, 42), (43, 56), (57, 90), (91, 126), (127, None))
WAITS = {
    "wait_days": "referral to first treatment",
    "second_wait_days": "first to second treatment",
}


def band_name(low: int, high: int | None) -> str:
    """How a band is shown, such as "29–42"."""
    return f"over {low - 1}" if high is None else f"{low}–{high}"


def waits(data: Data) -> Table:
    """Finished courses by wait, beside the published shares."""
    rows = []
    for column, wait in WAITS.items():
        days = data.finishers[column]
        known = days.drop_nulls().filter(days.drop_nulls() >= 0)
        for low, high in BANDS:
            inside = known.is_between(low, high if high is not None else 10**6)
            share = inside.mean() if len(known) else None
            published = data.published.wait_share(column, low, high)
            rows.append((wait, band_name(low, high), int(inside.sum()), share, published))
    keys = {"wait": "Wait", "band": "Days"}
    values = {
        "n": Value(
            "count", "Finished courses", 0, parts_of=("wait",), sensitivity=data.sensitivity
        ),
        "share": Value("model", "Share", 3, follows="n", sensitivity=data.sensitivity),
        "published": Value("rate", _heading(data), 3, sensitivity="open"),
    }
    numbers = {"n": pl.Int64, "share": pl.Float64, "published": pl.Float64}
    schema = dict.fromkeys(keys, pl.String) | numbers
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return Table("Waits of those who finished", frame, keys, values)
