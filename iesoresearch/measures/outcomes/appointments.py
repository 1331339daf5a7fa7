"""Appointments of referrals with the scores given there: what every outcome is computed from."""

import polars as pl

from iesoresearch.errors import DataError
from iesoresearch.measures.instruments import INSTRUMENTS
from iesoresearch.measures.outcomes.years import STORED
from iesoresearch.measures.problems import PROBLEMS
from iesoresearch.measures.scoring import total_and_status

Frame = pl.DataFrame | pl.LazyFrame
CORE = tuple(INSTRUMENTS)
_OTHERWISE = "gad7"  # no descriptor: PHQ-9 with GAD-7


def numbered(referrals: Frame) -> pl.DataFrame:
    """Referrals with their row number ``ref`` and the ``scale`` paired with their problem."""
    needed = {"referral_id": pl.String, "patient_id": pl.String}
    optional = {"referral_date": pl.Date, "discharge_date": pl.Date, "problem": pl.String}
    optional |= dict.fromkeys(STORED, pl.String)
    columns = _columns(referrals, "referrals", needed, optional)
    frame = referrals.lazy().select(columns).collect()
    if frame["referral_id"].n_unique() < frame.height:
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
    frame = _contacts(contacts).join(keys.lazy(), on="referral_id", how="inner")
    frame = (
        _inside(frame)
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
    frame = _in_place(frame)
    if scores is not None:
        extra = _scores(scores, keys, frame)
        if extra.height:
            frame = pl.concat([frame, extra], how="diagonal_relaxed")
    frame = frame.filter(~pl.col("follow_up")).drop("follow_up")
    return frame.sort("ref", "place", "session", nulls_last=False).drop("place")


def _in_place(contacts: pl.DataFrame) -> pl.DataFrame:
    """Add ``place``: the day, or of an appointment without one that of the number before it."""
    if contacts["day"].null_count() == 0:
        return contacts.with_columns(place="day")
    contacts = contacts.sort("ref", "session")
    return contacts.with_columns(place=pl.col("day").forward_fill().over("ref"))


def _columns(frame: Frame, table: str, needed: dict, optional: dict) -> list[pl.Expr]:
    """The columns asked for, absent optional ones as nulls."""
    names = frame.lazy().collect_schema().names()
    absent = [name for name in needed if name not in names]
    if absent:
        raise DataError(
            f"{table}: the column(s) {', '.join(absent)} are absent, so no outcome can be "
            "computed. Use tables of a checked cohort."
        )
    return [
        pl.col(name).cast(dtype) if name in names else pl.lit(None, dtype).alias(name)
        for name, dtype in (needed | optional).items()
    ]


def _contacts(contacts: Frame) -> pl.LazyFrame:
    needed = {"referral_id": pl.String, "session": pl.UInt16}
    optional = {"date": pl.Date, "attendance": pl.String, "purpose": pl.String}
    optional |= {"therapy": pl.String}
    columns = _columns(contacts, "contacts", needed, optional)
    totals = _totals(contacts.lazy().collect_schema().names())
    return (
        contacts.lazy()
        .select(*columns, *totals)
        .rename({"date": "day"})
        .with_columns(
            attended=pl.col("attendance").fill_null("attended") == "attended",
            purpose=pl.col("purpose").fill_null("treatment"),
        )
    )


def _totals(names: list[str]) -> list[pl.Expr]:
    """Total of every core instrument: from its items where any was answered."""
    totals = []
    for code, instrument in INSTRUMENTS.items():
        total = f"{code}_total"
        given = pl.col(total).cast(pl.Float64) if total in names else pl.lit(None, pl.Float64)
        if not set(instrument.columns) <= set(names):
            totals.append(given.alias(code))
            continue
        answered = pl.any_horizontal(pl.col(instrument.columns).is_not_null())
        from_items, _ = total_and_status(instrument)
        totals.append(pl.when(answered).then(from_items).otherwise(given).alias(code))
    return totals


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
    rows = scores.lazy().select(_columns(scores, "scores", needed, {})).rename({"date": "day"})
    rows = rows.filter(pl.col("item") == 0).join(keys.lazy(), on="referral_id", how="inner")
    rows = _inside(rows)
    specific = (pl.col("instrument") == pl.col("scale")) & ~pl.col("instrument").is_in(CORE)
    wide = rows.group_by("ref", "day").agg(
        *(
            pl.col("value").filter(pl.col("instrument") == code).first().alias(code)
            for code in CORE
        ),
        specific=pl.col("value").filter(specific).first(),
    )
    wide = wide.collect()
    of_day = (
        contacts.lazy()
        .join(wide.lazy(), on=["ref", "day"], how="semi")
        .group_by("ref", "day")
        .agg(
            follow_up=pl.col("follow_up").all(),
            therapy=pl.col("therapy").filter("treatment").first(),
            **{f"{code}_there": pl.col(code).is_not_null().any() for code in CORE},
        )
    )
    there = {code: pl.col(f"{code}_there").fill_null(False) for code in CORE}
    return (
        wide.lazy()
        .join(of_day, on=["ref", "day"], how="left")
        .with_columns(pl.when(~there[code]).then(code).alias(code) for code in CORE)
        .filter(pl.any_horizontal(pl.col(*CORE, "specific").is_not_null()))
        .select(
            "ref",
            "day",
            "therapy",
            *CORE,
            "specific",
            follow_up=pl.col("follow_up").fill_null(False),
            place="day",
            session=pl.lit(0, pl.UInt16),
            attended=pl.lit(False),
            treatment=pl.lit(False),
        )
        .collect()
    )
