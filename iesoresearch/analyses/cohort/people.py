"""What `cohort` works on: one row per referral with person, progress and outcome."""

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from iesoresearch.analyses.cohort.published import Published
from iesoresearch.data.cohort import Cohort
from iesoresearch.measures.outcomes import referral_outcomes, wilson

#: How far a referral came, in the order of care.
NOT_SEEN, NOT_TREATED, ONE_TREATMENT, OPEN, FINISHED = (
    "not seen",
    "seen, not treated",
    "one treatment only",
    "still open",
    "finished",
)


@dataclass(frozen=True)
class Data:
    """Patients' records, or none, and the published figures to set beside them."""

    cohort: Cohort | None
    published: Published

    @property
    def name(self) -> str:
        """For titles."""
        return self.published.name if self.cohort is None else self.cohort.name

    @property
    def sensitivity(self):
        """Of the records; published figures are open."""
        return "open" if self.cohort is None else self.cohort.sensitivity

    @cached_property
    def referrals(self) -> pl.DataFrame:
        """Every referral with its person, how far it came, and its outcome."""
        outcomes = self._outcomes().drop("patient_id")
        frame = self.cohort.referrals.join(
            outcomes, on="referral_id", how="left", maintain_order="left"
        ).join(self.cohort.patients, on="patient_id", how="left", maintain_order="left")
        progress = (
            pl.when(pl.col("n_attended") == 0)
            .then(pl.lit(NOT_SEEN))
            .when(pl.col("n_treatment") == 0)
            .then(pl.lit(NOT_TREATED))
            .when("finished")
            .then(pl.lit(FINISHED))
            .when(pl.col("discharge_date").is_null())
            .then(pl.lit(OPEN))
            .otherwise(pl.lit(ONE_TREATMENT))
        )
        both = ("phq9_first", "phq9_last", "anxiety_first", "anxiety_last")
        paired = pl.all_horizontal(pl.col(c).is_not_null() for c in both)
        return frame.with_columns(progress=progress, paired=paired)

    @cached_property
    def finishers(self) -> pl.DataFrame:
        """Referrals that finished a course of treatment."""
        return self.referrals.filter(progress=FINISHED)

    @cached_property
    def fallback(self) -> pl.DataFrame:
        """Finishers, with the GAD-7 standing in for every measure of a disorder."""
        return self._outcomes(fallback=True).filter("finished")

    @cached_property
    def visits(self) -> pl.DataFrame:
        """Attended appointments other than follow-up, in order; ``visit`` counts them from 1."""
        contacts = self.cohort.contacts.filter(
            pl.col("attendance").fill_null("attended") == "attended",
            pl.col("purpose").fill_null("treatment") != "follow-up",
        ).sort("referral_id", "session", maintain_order=True)
        return contacts.with_columns(visit=pl.int_range(1, pl.len() + 1).over("referral_id"))

    def _outcomes(self, *, fallback: bool = False) -> pl.DataFrame:
        cohort = self.cohort
        return referral_outcomes(
            cohort.referrals, cohort.contacts, cohort.scores, fallback=fallback
        )


def interval(numerator: str, denominator: str) -> dict[str, pl.Expr]:
    """Rate and 95 % Wilson interval, as the columns of the tables are called."""
    found = wilson(pl.col(numerator), pl.col(denominator))
    return {"rate": found["rate"], "rate_low": found["low"], "rate_high": found["high"]}
