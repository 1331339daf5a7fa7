"""Whether a predictor knows what comes after the landmark: a test that a run makes of itself."""

from dataclasses import replace
from datetime import date

import polars as pl

from iesoresearch.analyses.recovery.data import Courses
from iesoresearch.analyses.recovery.predictors import predictors
from iesoresearch.measures.outcomes import landmarks

ENDING = ("end_reason", "employment_last", "medication_last", "age_at_period_end")
FAR = date(9999, 1, 1)


def nothing_later(courses: Courses, landmark: int) -> bool:
    """Whether all predictors at a landmark stay the same with everything after it deleted.

    Appointments and scores after the landmark are deleted, and what is recorded at the end of a
    referral is emptied (the discharge is moved to the far future); then landmarks and predictors
    are made anew from what is left.
    """
    at, cohort = courses.at[landmark], courses.cohort
    ends = at.rows.select("referral_id", last="session", at="day")
    contacts = cohort.contacts.join(ends, on="referral_id", how="inner", maintain_order="left")
    contacts = contacts.filter(pl.col("session") <= pl.col("last")).drop("last", "at")
    scores = cohort.scores.join(ends, on="referral_id", how="inner", maintain_order="left")
    scores = scores.filter(pl.col("date") <= pl.col("at")).drop("last", "at")
    referrals = cohort.referrals.with_columns(
        *(pl.lit(None, cohort.referrals.schema[name]).alias(name) for name in ENDING),
        discharge_date=pl.lit(FAR),
    )
    past = replace(cohort, contacts=contacts, scores=scores, referrals=referrals)
    found = landmarks(referrals, contacts, scores, fallback=True, last=landmark)
    again = predictors(past, found).filter(pl.col("landmark") == landmark)
    again = at.rows.select("ref").join(again, on="ref", how="left", maintain_order="left")
    return again.drop("ref", "landmark").equals(at.X)
