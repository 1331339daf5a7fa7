"""Patients as the analysis needs them: what was known at the start, therapy, outcome."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from iesoresearch.analyses.subtypes_matching import simulated
from iesoresearch.data import codes
from iesoresearch.data.cohort import Cohort
from iesoresearch.errors import DataError, ParameterError
from iesoresearch.measures import GAD7, PHQ9, WSAS, score
from iesoresearch.models import heterogeneity
from iesoresearch.results import Sensitivity

TOTAL = "PHQ-9 total"


@dataclass(frozen=True)
class Patients:
    """One entry per patient.

    Attributes
    ----------
    name, sensitivity, licence, fingerprint
        Of the data, as in `Cohort`.
    therapies
        The first and the second therapy.
    items
        (patients, 9) int8, PHQ-9 answers at the first session; -1 = missing.
    features
        Name -> (patients,) float, all known at the first session; nothing is missing.
    treatment
        (patients,) 0 = first therapy, 1 = second.
    outcome
        (patients,) last PHQ-9 total.
    left_out
        Why -> number of patients who could not be used.
    truth
        Simulated patients only.
    n_jobs
        Threads to use.
    """

    name: str
    sensitivity: Sensitivity
    licence: str
    fingerprint: str
    therapies: tuple[str, str]
    items: np.ndarray
    features: dict[str, np.ndarray]
    treatment: np.ndarray
    outcome: np.ndarray
    left_out: dict[str, int]
    truth: simulated.Drawn | None = None
    n_jobs: int = 1

    @property
    def n(self) -> int:
        """Number of patients."""
        return len(self.treatment)

    @property
    def matrix(self) -> np.ndarray:
        """(patients, features)."""
        return np.column_stack(list(self.features.values()))


def drawn(params, n_jobs: int) -> Patients:
    """Simulated patients with the effects that `params` plant.

    Raises
    ------
    ParameterError
        An effect that no course can have.
    """
    planted = (params.planted_effect, params.planted_interaction, params.planted_beyond)
    truth = simulated.draw(params.n_patients, params.seed, *planted)
    features = _items(truth.items) | {
        TOTAL: truth.items.sum(axis=1).astype(float),
        "GAD-7 total": truth.gad7,
        "age": truth.age.astype(float),
        "women": truth.female.astype(float),
        "long-term condition": truth.ill.astype(float),
    }
    return Patients(
        f"Simulated courses of {params.n_patients:,} patients", "synthetic", "MIT",
        f"simulated:{params.n_patients}:{params.seed}:{planted}",
        (params.first_therapy, params.second_therapy), truth.items, features,
        truth.treatment.astype(np.int64), truth.outcome, {}, truth, n_jobs,
    )  # fmt: skip


def _items(answers: np.ndarray) -> dict[str, np.ndarray]:
    """Item answers as features; a missing one is the mean of the patient's others."""
    values = np.where(answers >= 0, answers, np.nan).astype(float)
    values = np.where(np.isnan(values), np.nanmean(values, axis=1, keepdims=True), values)
    return {item.name: column for item, column in zip(PHQ9.items, values.T, strict=True)}


def of_cohort(cohort: Cohort, therapies: tuple[str, str], n_jobs: int) -> Patients:
    """Patients of a cohort by the first therapy they were given.

    Of everybody the first referral with PHQ-9 answers counts. The therapy is that of the first
    treatment attended for which one was recorded. The first total must not come after it, since
    everything that is adjusted for has to precede the therapy; the outcome is the last total, which
    must come after it.

    Raises
    ------
    ParameterError
        A therapy that the code list does not have.
    DataError
        Nobody answered the PHQ-9, or too few patients had one of the therapies.
    """
    for therapy in therapies:
        if therapy not in codes.THERAPY_NAMES:
            raise ParameterError(
                f"{therapy!r} is no therapy of the code list; it has "
                f"{', '.join(codes.THERAPY_NAMES)}."
            )
    sequences = cohort.sequences(PHQ9)
    contacts = cohort.contacts[sequences.rows[sequences.rows >= 0].tolist()]
    contacts = contacts.with_columns(score(contacts, PHQ9)["phq9_total"].alias(TOTAL))
    people = contacts.select("referral_id", "patient_id").unique(maintain_order=True)
    left_out = {"no PHQ-9 answer at all": sequences.n_without_answers}

    def keep(frame, why):
        nonlocal people
        remaining = people.join(frame, on="referral_id", maintain_order="left")
        left_out[why] = people.height - remaining.height
        people = remaining

    given = _first_therapy(contacts)
    keep(given, "no therapy was recorded at any treatment attended")
    keep(people.filter(pl.col("therapy").is_in(therapies)).select("referral_id"),
         "the first therapy was another")  # fmt: skip
    totals = contacts.drop_nulls(TOTAL).join(given, on="referral_id", maintain_order="left")
    before = totals.filter(pl.col("session") <= pl.col("started"))
    after = totals.filter(pl.col("session") > pl.col("started"))
    first = before.group_by("referral_id", maintain_order=True).first()
    keep(first.drop("patient_id", "therapy", "started"), "no PHQ-9 total before the therapy")
    last = after.group_by("referral_id", maintain_order=True).agg(outcome=pl.col(TOTAL).last())
    keep(last, "no PHQ-9 total after the therapy had begun")
    treatment = (people["therapy"].cast(pl.String) == therapies[1]).cast(pl.Int64).to_numpy()
    _refuse_few(cohort.name, treatment, therapies)
    answers = people.select(pl.col(c).fill_null(-1).cast(pl.Int8) for c in PHQ9.columns)
    items = answers.to_numpy()
    return Patients(
        cohort.name, cohort.sensitivity, cohort.licence, cohort.fingerprint, therapies, items,
        _items(items) | _known(people, cohort), treatment, people["outcome"].to_numpy(), left_out,
        None, n_jobs,
    )  # fmt: skip


def _first_therapy(contacts: pl.DataFrame) -> pl.DataFrame:
    """Per referral the first therapy recorded at a treatment attended, and its session."""
    treated = contacts.filter(
        (pl.col("attendance") == "attended").fill_null(True)
        & (pl.col("purpose") == "treatment").fill_null(True)
        & pl.col("therapy").is_not_null()
    )
    return treated.group_by("referral_id", maintain_order=True).agg(
        therapy=pl.col("therapy").first(), started=pl.col("session").first()
    )


def _refuse_few(name: str, treatment: np.ndarray, therapies: tuple[str, str]) -> None:
    for number, therapy in enumerate(therapies):
        n = int((treatment == number).sum())
        if n < heterogeneity.FEWEST:
            raise DataError(
                f"{name}: fewer than {heterogeneity.FEWEST} patients can be used whose first "
                f"therapy was {therapy}. Bring more data, or compare therapies that more patients "
                "were given (first_therapy, second_therapy)."
            )


def _known(people: pl.DataFrame, cohort: Cohort) -> dict[str, np.ndarray]:
    """What else is known at the first session; missing values are the mean, and marked."""
    table = people.join(
        cohort.referrals.select("referral_id", "age_at_referral", "medication_first", "problem"),
        on="referral_id", how="left", maintain_order="left",
    ).join(
        cohort.patients.drop("weight", "stratum", "sampling_unit"),
        on="patient_id", how="left", maintain_order="left",
    )  # fmt: skip
    medication = pl.col("medication_first").cast(pl.String)
    columns = {
        TOTAL: table[TOTAL],
        "GAD-7 total": score(table, GAD7)["gad7_total"],
        "WSAS total": score(table, WSAS)["wsas_total"],
        "age": table.select(pl.coalesce("age_at_referral", "age")).to_series(),
        "women": table["gender"].cast(pl.String) == "female",
        "long-term condition": table["long_term_condition"].cast(pl.String) == "yes",
        "disability": table["disability"].cast(pl.String) == "yes",
        "deprivation decile": table["deprivation_decile"],
        "depression as the problem": table["problem"].cast(pl.String) == "depression",
        "psychotropic medication": table.select(medication == "prescribed and taking").to_series(),
    }
    features = {}
    for name, column in columns.items():
        values = column.cast(pl.Float64)
        missing = values.is_null()
        if missing.all():
            continue
        features[name] = values.fill_null(values.mean()).to_numpy()
        if missing.any():
            features[f"{name} missing"] = missing.cast(pl.Float64).to_numpy()
    return features
