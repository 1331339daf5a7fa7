"""Outcomes of referrals, and of courses of one therapy within them."""

import polars as pl

from iesoresearch.measures.outcomes.appointments import CORE, Frame, appointments, numbered
from iesoresearch.measures.outcomes.flags import FLAGS, with_flags
from iesoresearch.measures.outcomes.thresholds import OFFICIAL, Thresholds
from iesoresearch.measures.outcomes.years import rules_day

STAND_IN = "not official: GAD-7 stands in"
_SCORES = [f"{code}_{end}" for code in (*CORE, "specific") for end in ("first", "last")]
_SHOWN = [f"{code}_{end}" for code in CORE for end in ("first", "last")]
_JUDGED = ["anxiety_scale", "anxiety_first", "anxiety_last", *FLAGS, "reason", "basis"]


def referral_outcomes(
    referrals: Frame,
    contacts: Frame,
    scores: Frame | None = None,
    *,
    thresholds: Thresholds = OFFICIAL,
    fallback: bool = False,
) -> pl.DataFrame:
    """What became of every referral.

    Appointments are those within the referral, without follow-ups. The first score is the first
    one given, at whichever appointment, attended or not; the last score is that of the last later
    appointment, and null if there was only one. A questionnaire's total comes from its items where
    any was answered, else from its column of totals.

    Parameters
    ----------
    referrals, contacts, scores
        Tables of a `Cohort`, or the columns of them that there are.
    thresholds
        The rules; which version holds is decided by the discharge, else by the referral (where
        dates are shifted, by what was stored before, see `years.rules_day`).
    fallback
        Judge everybody by PHQ-9 and GAD-7, also those whose problem has a measure of its own.

    Returns
    -------
    polars.DataFrame
        One row per referral, in the order of `referrals`: referral_id, patient_id, n_attended,
        n_treatment (attended treatment appointments), first_contact, first_treatment,
        second_treatment, last_treatment, wait_days (referral to first treatment),
        second_wait_days (first to second), finished (discharged after two or more treatment
        appointments), first and last scores, anxiety_scale, the flags (null where unknown, and for
        all who have not finished; see `flags`), reason (of a null) and basis: "official", "site"
        (a rule of the site's own) or "not official: GAD-7 stands in"; null without a rule.

    Raises
    ------
    DataError
        A column that is needed is absent, or rows share a referral_id.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import date
    >>> day = date(2024, 1, 1)
    >>> referrals = pl.DataFrame(
    ...     {"referral_id": ["r"], "patient_id": ["p"], "discharge_date": [date(2024, 3, 1)]}
    ... )
    >>> contacts = pl.DataFrame(
    ...     {
    ...         "referral_id": ["r", "r"],
    ...         "session": [1, 2],
    ...         "phq9_total": [15, 7],
    ...         "gad7_total": [9, 8],
    ...     }
    ... )
    >>> referral_outcomes(referrals, contacts).select(
    ...     "caseness", "recovery", "reliable_improvement"
    ... ).row(0)
    (True, False, True)
    """
    base = numbered(referrals)
    rows = appointments(base, contacts, scores)
    treated = pl.col("day").filter("treatment")
    summary = rows.group_by("ref", maintain_order=True).agg(
        n_attended=pl.col("attended").sum(),
        n_treatment=pl.col("treatment").sum(),
        first_contact=pl.col("day").filter("attended").first(),
        first_treatment=treated.first(),
        second_treatment=treated.get(1, null_on_oob=True),
        last_treatment=treated.last(),
        **_first_and_last(),
    )
    joined = base.lazy().join(summary.lazy(), on="ref", how="left", maintain_order="left")
    joined = joined.with_columns(pl.col("n_attended", "n_treatment").fill_null(0))
    first, second = pl.col("first_treatment"), pl.col("second_treatment")
    joined = joined.with_columns(
        wait_days=(first - pl.col("referral_date")).dt.total_days().cast(pl.Int32),
        second_wait_days=(second - first).dt.total_days().cast(pl.Int32),
        finished=pl.col("discharge_date").is_not_null() & (pl.col("n_treatment") >= 2),
    )
    counted = ["n_attended", "n_treatment", "first_contact", "first_treatment"]
    counted += ["second_treatment", "last_treatment", "wait_days", "second_wait_days", "finished"]
    keys = ["referral_id", "patient_id"]
    judged = _judged(joined, thresholds, fallback)
    return judged.select(*keys, *counted, *_SHOWN, *_JUDGED).collect()


def therapy_outcomes(
    contacts: Frame,
    referrals: Frame,
    scores: Frame | None = None,
    *,
    thresholds: Thresholds = OFFICIAL,
    fallback: bool = False,
) -> pl.DataFrame:
    """What became of every course of therapy: two or more attended appointments of one therapy.

    Only scores given at its own treatment appointments (or on their days) count. The rest is as in
    `referral_outcomes`; finished means that the referral was discharged.

    Returns
    -------
    polars.DataFrame
        One row per referral and therapy, in the order of `referrals`: referral_id, therapy, n
        (appointments), finished, first and last scores, anxiety_scale, flags, reason, basis.

    Raises
    ------
    DataError
        A column that is needed is absent, or rows share a referral_id.
    """
    base = numbered(referrals)
    rows = appointments(base, contacts, scores)
    of_therapy = pl.col("therapy").is_not_null() & (pl.col("treatment") | (pl.col("session") == 0))
    courses = (
        rows.filter(of_therapy)
        .group_by("ref", "therapy", maintain_order=True)
        .agg(n=pl.col("treatment").sum(), **_first_and_last())
        .filter(pl.col("n") >= 2)
    )
    joined = courses.lazy().join(base.lazy(), on="ref", how="left", maintain_order="left")
    joined = joined.with_columns(finished=pl.col("discharge_date").is_not_null())
    judged = _judged(joined, thresholds, fallback)
    return judged.select("referral_id", "therapy", "n", "finished", *_SHOWN, *_JUDGED).collect()


def _first_and_last() -> dict[str, pl.Expr]:
    both = {}
    for code in (*CORE, "specific"):
        given = pl.col(code).drop_nulls()
        both[f"{code}_first"] = given.first()
        both[f"{code}_last"] = pl.when(pl.col(code).count() >= 2).then(given.last())
    return both


def _judged(frame: pl.LazyFrame, thresholds: Thresholds, fallback: bool) -> pl.LazyFrame:
    """Add anxiety scale and scores, rules, flags, reason and basis."""
    frame = frame.with_columns(anxiety_scale=anxiety_scale(fallback))
    core = pl.col("anxiety_scale") == "gad7"
    frame = frame.with_columns(
        anxiety_first=pl.when(core).then("gad7_first").otherwise("specific_first"),
        anxiety_last=pl.when(core).then("gad7_last").otherwise("specific_last"),
    )
    return with_flags(with_rules(frame, thresholds))


def anxiety_scale(fallback: bool) -> pl.Expr:
    """The scale that is judged beside the PHQ-9: the one paired with the problem, or GAD-7."""
    return pl.lit("gad7") if fallback else pl.col("scale")


def with_rules(frame: pl.LazyFrame, thresholds: Thresholds) -> pl.LazyFrame:
    """`frame` with the rules of both its scales, and ``basis``: by what right a row is judged."""
    own = pl.col("scale")
    day = rules_day()
    rules = {
        f"{measure}_{field}": thresholds.expression(field, scale, day)
        for measure, scale in (("phq9", pl.lit("phq9")), ("anxiety", pl.col("anxiety_scale")))
        for field in ("caseness", "reliable_change")
    }
    official = [row.scale for row in OFFICIAL.rows]
    basis = (
        pl.when(pl.col("anxiety_caseness").is_null())
        .then(None)
        .when(pl.col("anxiety_scale") != own)
        .then(pl.lit(STAND_IN))
        .when(pl.col("anxiety_scale").is_in(official))
        .then(pl.lit("official"))
        .otherwise(pl.lit("site"))
    )
    return frame.with_columns(**rules).with_columns(basis=basis)
