"""Appointments of referrals with the scores given there: what every outcome is computed from."""

import polars as pl

from iesoresearch.errors import DataError
from iesoresearch.measures.instruments import INSTRUMENTS
from iesoresearch.measures.problems import PROBLEMS
from iesoresearch.measures.scoring import score

Frame = pl.DataFrame | pl.LazyFrame
CORE = tuple(INSTRUMENTS)
_OTHERWISE = "gad7"  # no descriptor: PHQ-9 with GAD-7


def numbered(referrals: Frame) -> pl.DataFrame:
    """Referrals with their row number ``ref`` and the ``scale`` paired with their problem."""
    frame = _with(
        referrals,
        "referrals",
        {"referral_id": pl.String, "patient_id": pl.String},
        {"referral_date": pl.Date, "discharge_date": pl.Date, "problem": pl.String},
    ).collect()
    if frame["referral_id"].is_duplicated().any():
        raise DataError(
            "referrals: rows share their referral_id, so their outcomes would be mixed. Keep one "
            "row per referral."
        )
    scales = {name: problem.anxiety_scale for name, problem in PROBLEMS.items()}
    return frame.with_row_index("ref").with_columns(
        scale=pl.col("problem").replace_strict(scales, default=_OTHERWISE, return_dtype=pl.String)
    )


def appointments(referrals: pl.DataFrame, contacts: Frame, scores: Frame | None) -> pl.DataFrame:
    """One row per appointment within its referral, in order of day and session.

    Appointments before the referral or after the discharge and follow-ups are left out. A score
    of the table `scores` belongs to its day: it is a row of its own, unless an appointment of that
    day has the same score.

    Columns: ref, day, session, attended, treatment, therapy, phq9, gad7, wsas, specific (the score
    of the disorder measure that is paired with the referral's problem).
    """
    keys = referrals.select("ref", "referral_id", "referral_date", "discharge_date", "scale")
    frame = _contacts(contacts).join(keys, on="referral_id", how="inner")
    frame = (
        _inside(frame.lazy())
        .select(
            "ref",
            "day",
            "session",
            "attended",
            "therapy",
            *CORE,
            specific=pl.lit(None, pl.Float64),
            treatment=pl.col("attended") & (pl.col("purpose") == "treatment"),
            follow_up=pl.col("purpose") == "follow-up",
        )
        .collect()
    )
    if scores is not None:
        extra = _scores(scores, keys, frame)
        if extra.height:
            frame = pl.concat([frame, extra], how="diagonal_relaxed")
    frame = frame.filter(~pl.col("follow_up")).drop("follow_up")
    if frame["day"].null_count():
        # an appointment without a date lies where its number puts it
        frame = frame.sort("ref", "session").with_columns(pl.col("day").forward_fill().over("ref"))
    return frame.sort("ref", "day", "session", nulls_last=False)


def _with(frame: Frame, table: str, needed: dict, optional: dict) -> pl.LazyFrame:
    """The columns asked for, absent optional ones as nulls."""
    frame = frame.lazy()
    names = frame.collect_schema().names()
    absent = [name for name in needed if name not in names]
    if absent:
        raise DataError(
            f"{table}: the column(s) {', '.join(absent)} are absent, so no outcome can be "
            "computed. Use tables of a checked cohort."
        )
    columns = [
        pl.col(name).cast(dtype) if name in names else pl.lit(None, dtype).alias(name)
        for name, dtype in (needed | optional).items()
    ]
    return frame.select(columns)


def _contacts(contacts: Frame) -> pl.DataFrame:
    optional = {"date": pl.Date, "attendance": pl.String, "purpose": pl.String}
    optional |= {"therapy": pl.String}
    needed = {"referral_id": pl.String, "session": pl.UInt16}
    frame = _with(contacts, "contacts", needed, optional).rename({"date": "day"})
    frame = frame.with_columns(
        attended=pl.col("attendance").fill_null("attended") == "attended",
        purpose=pl.col("purpose").fill_null("treatment"),
    )
    return pl.concat([frame.collect(), _totals(contacts.lazy())], how="horizontal")


def _totals(contacts: pl.LazyFrame) -> pl.DataFrame:
    """Total of every core instrument: from its items where any was answered."""
    names = contacts.collect_schema().names()
    totals = []
    for code, instrument in INSTRUMENTS.items():
        total = f"{code}_total"
        given = pl.col(total).cast(pl.Float64) if total in names else pl.lit(None, pl.Float64)
        if not set(instrument.columns) <= set(names):
            totals.append(contacts.select(given.alias(code)).collect())
            continue
        wanted = [*instrument.columns, total] if total in names else list(instrument.columns)
        answers = contacts.select(wanted).collect()
        answered = pl.any_horizontal(pl.col(instrument.columns).is_not_null())
        frame = answers.with_columns(score(answers, instrument)[total].alias(code))
        totals.append(frame.select(pl.when(answered).then(code).otherwise(given).alias(code)))
    return pl.concat(totals, how="horizontal")


def _inside(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Rows not known to lie before the referral or after the discharge."""
    early = pl.col("day") < pl.col("referral_date")
    late = pl.col("day") > pl.col("discharge_date")
    return frame.filter(~(early | late).fill_null(False))


def _scores(scores: Frame, keys: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    needed = {
        "referral_id": pl.String,
        "date": pl.Date,
        "instrument": pl.String,
        "item": pl.UInt16,
        "value": pl.Float64,
    }
    rows = _with(scores, "scores", needed, {}).rename({"date": "day"}).filter(pl.col("item") == 0)
    rows = _inside(rows.join(keys.lazy(), on="referral_id", how="inner"))
    specific = (pl.col("instrument") == pl.col("scale")) & ~pl.col("instrument").is_in(CORE)
    wide = rows.group_by("ref", "day").agg(
        *(
            pl.col("value").filter(pl.col("instrument") == code).first().alias(code)
            for code in CORE
        ),
        specific=pl.col("value").filter(specific).first(),
    )
    of_day = (
        contacts.lazy()
        .group_by("ref", "day")
        .agg(
            follow_up=pl.col("follow_up").all(),
            therapy=pl.col("therapy").filter("treatment").first(),
            **{f"{code}_there": pl.col(code).is_not_null().any() for code in CORE},
        )
    )
    there = {code: pl.col(f"{code}_there").fill_null(False) for code in CORE}
    return (
        wide.join(of_day, on=["ref", "day"], how="left")
        .with_columns(pl.when(~there[code]).then(code).alias(code) for code in CORE)
        .filter(pl.any_horizontal(pl.col(*CORE, "specific").is_not_null()))
        .select(
            "ref",
            "day",
            "therapy",
            *CORE,
            "specific",
            follow_up=pl.col("follow_up").fill_null(False),
            session=pl.lit(0, pl.UInt16),
            attended=pl.lit(False),
            treatment=pl.lit(False),
        )
        .collect()
    )
