"""Patients as the analysis needs them: who is at risk when, what is known by then, what came."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from iesoresearch.analyses.recovery.predictors import predictors
from iesoresearch.analyses.recovery.schemas import schema
from iesoresearch.analyses.recovery.times import YEARS
from iesoresearch.data.cohort import Cohort
from iesoresearch.data.groups import CHARACTERISTICS, NOT_RECORDED
from iesoresearch.errors import DataError
from iesoresearch.measures.outcomes import Landmarks, landmarks

FEWEST = 100  # patients at the assessment with the outcome, and as many without
FEWEST_AT = 40  # at any later landmark
#: Groups that performance is shown for; the audit of fairness asks more of them.
GROUPS = ("Gender", "Age band", "Ethnic group", "Deprivation quintile", "Long-term condition")


@dataclass(frozen=True)
class AtLandmark:
    """Referrals at risk at one landmark.

    Attributes
    ----------
    landmark
        0 = assessment, s = after treatment s.
    rows
        Of `Landmarks.rows`, with ``service_id`` and one column per group.
    X
        Everything a model may know, in the order of `rows`.
    """

    landmark: int
    rows: pl.DataFrame
    X: pl.DataFrame

    @property
    def n(self) -> int:
        """Number of referrals."""
        return self.rows.height

    def y(self, outcome: str) -> np.ndarray:
        """(n,) 1.0 with the outcome, 0.0 without, NaN where it is not known."""
        return self.rows[outcome].cast(pl.Float64).fill_null(np.nan).to_numpy()

    def features(self, outcome: str) -> pl.DataFrame:
        """(n, features) of the schema of this landmark."""
        return self.X.select(schema(self.landmark, outcome).names)

    @property
    def patient(self) -> np.ndarray:
        """(n,) number of the patient."""
        return self.rows["patient"].to_numpy()

    @property
    def service(self) -> np.ndarray | None:
        """(n,) name of the service, None where there are not two to tell apart."""
        column = self.rows["service_id"].fill_null(NOT_RECORDED)
        return column.to_numpy() if column.n_unique() > 1 else None

    @property
    def groups(self) -> dict[str, np.ndarray]:
        """Heading -> (n,) level of each referral."""
        return {name: self.rows[name].to_numpy() for name in GROUPS}


@dataclass(frozen=True)
class Courses:
    """The courses of a cohort, seen from their landmarks.

    Attributes
    ----------
    cohort
        Where they come from.
    found
        Who is at risk when.
    marks
        The landmarks that enough patients reach.
    n_jobs
        Threads or processes to use.
    """

    cohort: Cohort
    found: Landmarks
    marks: tuple[int, ...]
    n_jobs: int

    @cached_property
    def at(self) -> dict[int, AtLandmark]:
        """Referrals at risk, by landmark."""
        rows = self.found.rows.join(
            _circumstances(self.cohort), on="ref", how="left", maintain_order="left"
        )
        X = predictors(self.cohort, self.found)
        return {
            s: AtLandmark(
                s,
                rows.filter(pl.col("landmark") == s),
                X.filter(pl.col("landmark") == s).drop("ref", "landmark"),
            )
            for s in self.marks
        }

    @cached_property
    def history(self) -> pl.DataFrame:
        """Scores known at the last landmark a referral is at risk at, with the time they came.

        ``time`` is the number of treatments attended before or at the appointment.
        """
        known = self.found.known().filter(pl.col("landmark").is_in(self.marks))
        last = pl.col("landmark") == pl.col("landmark").max().over("ref")
        known = known.filter(last)
        return known.with_columns(time=pl.col("treatment").cum_sum().over("ref").cast(pl.Float64))


def _circumstances(cohort: Cohort) -> pl.DataFrame:
    """Service, day and groups of every referral, by its row."""
    joined = cohort.referrals.join(
        cohort.patients, on="patient_id", how="left", maintain_order="left"
    )
    levels = [
        CHARACTERISTICS[name][0].cast(pl.String).fill_null(NOT_RECORDED).alias(name)
        for name in GROUPS
    ]
    patient = joined["patient_id"].rank("dense").cast(pl.Int64).alias("patient")
    kept = ("service_id", "referral_date", "discharge_date", *YEARS, *AUDITED)
    base = joined.select(*kept, *levels).with_columns(patient)
    return base.with_row_index("ref")


#: Kept in full for the audit of fairness.
AUDITED = ("ethnicity", "orientation", "deprivation_decile", "age_at_referral")


def of_cohort(cohort: Cohort, params, n_jobs: int) -> Courses:
    """Courses of a cohort, at the landmarks that enough patients reach.

    Raises
    ------
    DataError
        Too few patients with, or without, the outcome at the assessment, or at the landmark that
        is looked at closely.
    """
    found = landmarks(
        cohort.referrals, cohort.contacts, cohort.scores, fallback=params.stand_in,
        last=max(params.landmarks),
    )  # fmt: skip
    counts = found.rows.group_by("landmark").agg(
        fewer=pl.min_horizontal(pl.col(params.outcome).sum(), (~pl.col(params.outcome)).sum())
    )
    fewer = dict(counts.iter_rows())
    for landmark, least in ((0, FEWEST), (params.detail, FEWEST_AT)):
        if fewer.get(landmark, 0) < least:
            where = "at the assessment" if landmark == 0 else f"after session {landmark}"
            raise DataError(
                f"{cohort.name}: {where} fewer than {least} of the patients at risk have the "
                f"outcome ({params.outcome.replace('_', ' ')}), or fewer than {least} have not; so "
                "many are needed to fit and to judge a model. Bring more data, or look at an "
                "earlier landmark (detail); `data check` says what was not usable."
            )
    marks = tuple(s for s in params.landmarks if fewer.get(s, 0) >= FEWEST_AT)
    return Courses(cohort, found, marks, n_jobs)
