"""Outcome rates beside the published ones, why an outcome is not known, and waits."""

import polars as pl

from iesoresearch.analyses.cohort.people import Data
from iesoresearch.measures.outcomes import rates
from iesoresearch.measures.outcomes.rates import UNSOURCED
from iesoresearch.results import Table, Value

OFFICIAL, STAND_IN = "official", "GAD-7 for all, not official"
KNOWN = "outcome known"
REASONS = (KNOWN, UNSOURCED, "no first score", "no last score")
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
#: Measure -> those that all of its courses are of as well.
_WITHIN = {
    "recovery": ("at caseness",),
    "reliable recovery": ("recovery", "reliable improvement"),
    "wait <= 6 weeks": ("wait <= 18 weeks",),
}


def outcome_rates(data: Data) -> Table:
    """Every official rate with its Wilson interval, by both rules, beside the published one."""
    official = rates(data.finishers)
    stand_in = rates(data.fallback).filter(pl.col("measure").is_in(_BY_FLAGS))
    frame = pl.concat(
        [
            official.with_columns(rule=pl.lit(OFFICIAL), apart=_apart(official)),
            stand_in.with_columns(rule=pl.lit(STAND_IN), apart=_apart(stand_in, official)),
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
        # few courses could be told from the difference of two rates
        "rate": Value(
            "rate", "Rate", 3, "denominator", parts_of=("rule", "question"), follows="apart",
            **shared,
        ),
        "rate_low": Value("model", "95 % from", 3, "denominator", follows="rate", **shared),
        "rate_high": Value("model", "to", 3, "denominator", follows="rate", **shared),
        "numerator": Value("count", "Courses", 0, follows="rate", **shared),
        "denominator": Value("count", "of", 0, **shared),
        "apart": Value("count", "Fewest apart from another rate", 0, **shared),
        "published": Value("rate", _heading(data), 3, sensitivity="open"),
    }  # fmt: skip
    title = "Outcomes of finished courses of treatment"
    return Table(title, frame.select(*keys, *values), keys, values)


def _apart(found: pl.DataFrame, official: pl.DataFrame | None = None) -> pl.Series:
    """Per measure the fewest courses that tell it from another one, or from the official rule."""
    rows = {row["measure"]: row for row in found.to_dicts()}
    beside = {} if official is None else {row["measure"]: row for row in official.to_dicts()}
    fewest = []
    for measure, row in rows.items():
        inside = row["numerator"]
        differ = [row["denominator"]]
        differ += [rows[whole]["numerator"] - inside for whole in _WITHIN.get(measure, ())]
        if measure in beside:
            differ.append(row["denominator"] - beside[measure]["denominator"])
        if measure == "at caseness" and rows["recovery"]["denominator"] > inside:
            differ.append(rows["recovery"]["denominator"] - inside)  # not known; none is no gap
        fewest.append(min(differ))
    return pl.Series(fewest, dtype=pl.Int64)


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
    frame = frame.with_columns(share=pl.col("n") / pl.col("finished"))
    shared = {"sensitivity": data.sensitivity}
    values = {
        "n": Value("count", "Finished courses", 0, parts_of=(), **shared),
        "finished": Value("count", "of", 0, **shared),
        "share": Value("rate", "Share", 3, "finished", follows="n", **shared),
    }
    frame = frame.select("reason", *values)
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
            n = int(inside.sum()), len(known)
            rows.append((wait, band_name(low, high), *n, share, published))
    keys = {"wait": "Wait", "band": "Days"}
    shared = {"sensitivity": data.sensitivity}
    values = {
        "n": Value("count", "Finished courses", 0, parts_of=("wait",), **shared),
        "known": Value("count", "of", 0, **shared),
        "share": Value("rate", "Share", 3, "known", follows="n", **shared),
        "published": Value("rate", _heading(data), 3, sensitivity="open"),
    }
    numbers = {"n": pl.Int64, "known": pl.Int64, "share": pl.Float64, "published": pl.Float64}
    schema = dict.fromkeys(keys, pl.String) | numbers
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return Table("Waits of those who finished", frame, keys, values)
