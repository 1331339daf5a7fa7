"""What a model may know at a landmark: one row per landmark and referral at risk.

Scores of the course come from `Landmarks.known` only, which ends at the landmark. Of the other
tables only the columns named here are read; each is recorded at the start. What is recorded at the
end (discharge, end reason, last employment) is in no list. Ethnicity, sexual orientation and
religion predict nothing here: they are kept for the audit of fairness.
"""

import polars as pl

from iesoresearch.data.cohort import Cohort
from iesoresearch.measures.outcomes import Landmarks

KEYS = ("ref", "landmark")
#: Columns of the tables that are recorded by the assessment.
OF_PATIENT = ("gender", "deprivation_decile", "long_term_condition", "disability")
OF_REFERRAL = ("age_at_referral", "problem", "source", "employment_first", "medication_first")
OF_APPOINTMENT = ("mechanism", "therapy", "phq9_9")
#: Groups of the audit, beside those that are predictors.
AUDITED = ("ethnicity", "orientation")
SCALES = ("phq9", "gad7", "wsas")
LONGEST_WAIT = 1000  # days; what is longer counts as this long, so that slips of dates do no harm
LONGEST_COURSE = 150  # weeks


def predictors(cohort: Cohort, found: Landmarks) -> pl.DataFrame:
    """Everything a model may know, by landmark and referral, in the order of ``found.rows``.

    Numbers are Float64, words String; null where not known.
    """
    known = _appointments(found.known(), found.rows, cohort.contacts)
    base = found.rows.select(*KEYS, "referral_id", "patient_id", "day")
    for part in (_course(known), _scores(known)):
        base = base.join(part, on=KEYS, how="left", maintain_order="left")
    base = base.join(_start(cohort), on="referral_id", how="left", maintain_order="left")
    wait = (pl.col("first_day") - pl.col("referral_date")).dt.total_days()
    weeks = (pl.col("day") - pl.col("first_day")).dt.total_days() / 7.0
    base = base.with_columns(
        wait_days=wait.clip(0, LONGEST_WAIT), weeks=weeks.clip(0, LONGEST_COURSE)
    )
    words = [c for c, t in base.schema.items() if isinstance(t, pl.Enum | pl.Categorical)]
    numbers = [c for c, t in base.schema.items() if t.is_numeric() and c not in KEYS]
    base = base.with_columns(pl.col(words).cast(pl.String), pl.col(numbers).cast(pl.Float64))
    return base.drop("referral_id", "patient_id", "day", "first_day", "referral_date")


def _appointments(known: pl.DataFrame, rows: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    """The appointments known at a landmark with what else was recorded there."""
    columns = [pl.col(name) for name in OF_APPOINTMENT if name != "therapy"]
    extra = contacts.select("referral_id", "session", *columns)
    ids = rows.select(*KEYS, "referral_id")
    known = known.join(ids, on=KEYS, how="left", maintain_order="left")
    return known.join(extra, on=["referral_id", "session"], how="left", maintain_order="left")


def _course(known: pl.DataFrame) -> pl.DataFrame:
    """How the course has gone."""
    came, booked = pl.col("attended"), pl.col("session") > 0
    return known.group_by(KEYS, maintain_order=True).agg(
        missed=(~came & booked).sum(),
        assessed=(came & ~pl.col("treatment")).any().cast(pl.Int8),
        first_day=pl.col("day").filter("attended").first(),
        mechanism=pl.col("mechanism").drop_nulls().last(),
        therapy=pl.col("therapy").filter("treatment").drop_nulls().last(),
        forms_missing=(came & pl.col("phq9").is_null()).sum(),
        self_harm=pl.col("phq9_9").drop_nulls().last(),
    )


def _scores(known: pl.DataFrame) -> pl.DataFrame:
    """Scores at the start and now, and how they moved."""
    summaries = {}
    for name in SCALES:
        given = pl.col(name).drop_nulls()
        summaries[f"{name}_first"] = given.first()
        summaries[f"{name}_now"] = given.last()
        summaries[f"{name}_change"] = given.last() - given.first()
    given = pl.col("phq9").drop_nulls()
    summaries["phq9_lowest"] = given.min()
    summaries["phq9_spread"] = given.std()
    summaries["phq9_step"] = given.last() - given.get(-2, null_on_oob=True)
    return known.group_by(KEYS, maintain_order=True).agg(**summaries)


def _start(cohort: Cohort) -> pl.DataFrame:
    """What was recorded of patient and referral by the assessment."""
    referrals = cohort.referrals.select("referral_id", "patient_id", "referral_date", *OF_REFERRAL)
    patients = cohort.patients.select("patient_id", *OF_PATIENT)
    joined = referrals.join(patients, on="patient_id", how="left", maintain_order="left")
    return joined.rename({"age_at_referral": "age"}).drop("patient_id")
