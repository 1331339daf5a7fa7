"""Patients in treatment: their scores by session, who treated them, and how they are divided.

The growth model is fitted to patients of some therapists, drawn at random, and flags are judged on
those of all others, so that nobody is flagged by what was learnt from their own course.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from iesoresearch.analyses.recovery.data import GROUPS, AtLandmark, Courses
from iesoresearch.data.cohort import Cohort
from iesoresearch.errors import DataError
from iesoresearch.measures.outcomes import landmarks, referral_outcomes
from iesoresearch.seeds import rng

ENTRY = 2  # treatment sessions attended, from which a patient is followed
FEWEST = 50  # patients for the growth model, and as many for flags to be judged on
RARE = 100  # patients: levels of a group are joined to have as many, or few would hide others
ITEM_9 = "phq9_9"  # thoughts of self-harm
CARRIED = ("reliable_deterioration", "drop_out", "n_treatment", "harm_first", "harm_later")
_SCORED = pl.col("phq9").is_not_null()


@dataclass(frozen=True)
class Patients:
    """Patients at caseness who attended two treatment sessions, with their first such referral.

    Attributes
    ----------
    courses
        Of the cohort, at all landmarks that are needed.
    people
        One row per patient, in the order of referrals: ``ref``, ``person`` (0, 1, …), outcomes,
        ``service``, ``therapist`` (null where not recorded), ``n_treatment`` (sessions attended),
        ``harm_first`` and ``harm_later`` (thoughts of self-harm at the first answer to item 9, and
        at any later one; null where there is none), groups.
    scores
        One row per PHQ-9: ``ref``, ``person``, ``place``, ``time`` (sessions attended since the
        first score), ``phq9``.
    left
        (patients,) True who left treatment early within the sessions shown, False who did not,
        null where the end is not recorded.
    n_sessions
        Last session after the first score that is shown.
    without_scores
        Patients left out because no PHQ-9 of theirs was ever recorded.
    later_referrals
        Referrals left out because the patient has an earlier one.
    """

    courses: Courses
    people: pl.DataFrame
    scores: pl.DataFrame
    left: pl.Series
    n_sessions: int
    without_scores: int
    later_referrals: int

    @property
    def cohort(self) -> Cohort:
        """Where the patients come from."""
        return self.courses.cohort

    @property
    def n(self) -> int:
        """Number of patients."""
        return self.people.height

    @cached_property
    def has_therapists(self) -> bool:
        """Whether a therapist is recorded for at least half of the patients."""
        return 2 * self.people["therapist"].count() >= self.n

    @cached_property
    def has_services(self) -> bool:
        """Whether a service is recorded for at least half of the patients, and there are two."""
        known = self.people["service"].drop_nulls()
        return 2 * len(known) >= self.n and known.n_unique() > 1

    @cached_property
    def groups(self) -> dict[str, np.ndarray]:
        """Heading -> (patients,) level, rare levels joined."""
        return {name: _pooled(self.people[name]).to_numpy() for name in GROUPS}

    def at(self, landmark: int) -> AtLandmark:
        """These patients at a landmark, those who are at risk there."""
        found = self.courses.at[landmark]
        mine = found.rows["ref"].is_in(self.people["ref"].implode())
        return AtLandmark(landmark, found.rows.filter(mine), found.X.filter(mine))

    def known_at(self, landmark: int) -> pl.DataFrame:
        """Scores known at a landmark: ``ref``, ``person``, ``time``, ``phq9``; nothing later."""
        known = self.courses.found.known().filter(pl.col("landmark") == landmark)
        known = timed(known).filter(_SCORED)
        who = self.people.select("ref", "person")
        known = known.join(who, on="ref", how="inner", maintain_order="left")
        return known.select("ref", "person", "time", "phq9")

    def sample(self, at_least: int, seed: int) -> np.ndarray:
        """(patients,) who the growth model is fitted to: all patients of therapists at random.

        Only those whose end, therapist and service are recorded, as far as the model has them.
        Without therapists, patients are drawn.

        Raises
        ------
        DataError
            Too few can be fitted to, or too few are left.
        """
        able = self.left.is_not_null() if self.knows_who_left else pl.Series([True] * self.n)
        if self.has_services:
            able &= self.people["service"].is_not_null()
        if self.has_therapists:
            able &= self.people["therapist"].is_not_null()
        unit = self.people["therapist"] if self.has_therapists else self.people["ref"]
        unit = np.unique(unit.cast(pl.String).fill_null("").to_numpy(), return_inverse=True)[1]
        counts = np.bincount(unit, weights=able.to_numpy())
        order = rng(seed, "growth sample").permutation(len(counts))
        enough = int(np.searchsorted(np.cumsum(counts[order]), at_least)) + 1
        chosen = able.to_numpy() & np.isin(unit, order[:enough])
        if chosen.sum() < FEWEST or self.n - chosen.sum() < FEWEST:
            raise DataError(
                f"{self.cohort.name}: of {self.n} patients who attended {ENTRY} treatment "
                f"sessions, the growth model would be fitted to {chosen.sum()} and flags judged on "
                f"{self.n - chosen.sum()}; each needs {FEWEST}. Bring more data, or ask for fewer "
                "(n_growth)."
            )
        return chosen

    @cached_property
    def knows_who_left(self) -> bool:
        """Whether how treatment ended is recorded for at least half, and not always the same."""
        known = self.left.drop_nulls()
        return 2 * len(known) >= self.n and known.n_unique() > 1


def timed(appointments: pl.DataFrame) -> pl.DataFrame:
    """Attended appointments with ``time``: sessions attended since the first PHQ-9, from 0."""
    came = appointments.filter("attended").with_columns(k=pl.int_range(pl.len()).over("ref"))
    first = pl.col("k").filter(_SCORED).min().over("ref")
    return came.with_columns(time=(pl.col("k") - first).cast(pl.Float64)).drop("k")


def of(cohort: Cohort, params, n_jobs: int) -> Patients:
    """Patients of a cohort.

    Raises
    ------
    DataError
        Nobody attended two treatment sessions and gave a PHQ-9, nobody gave a second one, or too
        few have, or have not, the outcome.
    """
    # one landmark more than is shown, so that who has it is known not to have left before
    last = params.n_sessions + 1
    found = landmarks(
        cohort.referrals, cohort.contacts, cohort.scores, fallback=params.stand_in, last=last
    )
    courses = Courses(cohort, found, tuple(range(last + 1)), n_jobs)
    entered = courses.at[ENTRY].rows.sort("referral_date", "ref", nulls_last=True)
    firsts = entered.unique("patient_id", keep="first", maintain_order=True).sort("ref")
    visits = timed(courses.history.join(firsts.select("ref"), on="ref", how="semi"))
    scores = visits.filter(_SCORED & (pl.col("time") <= params.n_sessions))
    there = firsts.filter(pl.col("ref").is_in(scores["ref"].unique().implode()))
    _refuse(cohort.name, there, scores, params.outcome)
    people = there
    for part in (_therapists(courses), _self_harm(visits, courses), _lengths(cohort)):
        people = people.join(part, on="ref", how="left", maintain_order="left")
    people = people.rename({"service_id": "service"}).with_row_index("person")
    scores = scores.join(people.select("ref", "person"), on="ref").sort("person", "time")
    return Patients(
        courses, people.select("person", "ref", "service", "therapist", params.outcome, *CARRIED,
                               *GROUPS),
        scores.select("ref", "person", "place", "time", "phq9"),
        _left(people, visits, params.n_sessions), params.n_sessions,
        firsts.height - there.height, entered.height - firsts.height,
    )  # fmt: skip


def _pooled(levels: pl.Series) -> pl.Series:
    """Levels, the rarest joined into one that names them all and has `RARE` patients."""
    counts = levels.value_counts(sort=False).sort("count", levels.name)
    before = counts["count"].cum_sum() - counts["count"]
    rare = counts.filter((pl.col("count") < RARE) | (before < RARE))[levels.name].sort().to_list()
    return levels.replace(rare, [" / ".join(rare)] * len(rare))


def _refuse(name: str, people: pl.DataFrame, scores: pl.DataFrame, outcome: str) -> None:
    whom = f"caseness who attended {ENTRY} treatment sessions"
    if people.is_empty():
        raise DataError(
            f"{name}: no PHQ-9 is recorded of anybody at {whom}, so there is no path to describe. "
            "Check the PHQ-9 columns of contacts, and the dates of appointments and discharge."
        )
    if scores["ref"].is_unique().all():
        raise DataError(
            f"{name}: of the {people.height} patients at {whom} nobody has a second PHQ-9, so "
            "there is no path to describe. This needs the scores of every session."
        )
    reached = int(people[outcome].sum())
    if min(reached, people.height - reached) < FEWEST:
        raise DataError(
            f"{name}: of the {people.height} patients at {whom}, {reached} reached "
            f"{outcome.replace('_', ' ')}; at least {FEWEST} with and without it are needed to "
            "judge flags. Bring more data; `data check` says what of them was not usable."
        )


def _therapists(courses: Courses) -> pl.DataFrame:
    """Per referral the first therapist recorded at a treatment up to the second."""
    known = courses.found.known().filter((pl.col("landmark") == ENTRY) & pl.col("treatment"))
    ids = courses.at[ENTRY].rows.select("ref", "referral_id")
    names = courses.cohort.contacts.select("referral_id", "session", "therapist_id")
    known = known.join(ids, on="ref", how="left", maintain_order="left")
    known = known.join(names, on=["referral_id", "session"], how="left", maintain_order="left")
    first = pl.col("therapist_id").drop_nulls().first()
    return known.group_by("ref", maintain_order=True).agg(therapist=first)


def _self_harm(visits: pl.DataFrame, courses: Courses) -> pl.DataFrame:
    """Per referral whether item 9 was answered with more than "not at all"."""
    contacts = courses.cohort.contacts.select("referral_id", "session", ITEM_9)
    ids = courses.at[ENTRY].rows.select("ref", "referral_id")
    visits = visits.join(ids, on="ref", how="left", maintain_order="left")
    visits = visits.join(contacts, on=["referral_id", "session"], how="left",
                         maintain_order="left")  # fmt: skip
    some = pl.col(ITEM_9).drop_nulls() > 0
    later = pl.when(some.len() > 1).then(some.slice(1).any())
    return visits.group_by("ref", maintain_order=True).agg(
        harm_first=some.first(), harm_later=later
    )


def _lengths(cohort: Cohort) -> pl.DataFrame:
    """Per referral the treatment sessions attended in all."""
    found = referral_outcomes(cohort.referrals, cohort.contacts, cohort.scores)
    return found.select("n_treatment").with_row_index("ref")


def _left(people: pl.DataFrame, visits: pl.DataFrame, last: int) -> pl.Series:
    """Who left early within the sessions shown: a session beyond them says that one did not."""
    reached = visits.group_by("ref", maintain_order=True).agg(reached=pl.col("time").max())
    joined = people.join(reached, on="ref", how="left", maintain_order="left")
    early = pl.col("drop_out") & (pl.col("reached") < last)
    return joined.select(
        pl.when(pl.col("reached") >= last).then(False).otherwise(early)
    ).to_series()
