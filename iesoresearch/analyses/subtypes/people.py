"""Who starts in which state, who engages, and what becomes of them."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from iesoresearch.analyses.subtypes.data import Data
from iesoresearch.measures.outcomes import referral_outcomes
from iesoresearch.models import LatentMarkov

ENGAGED = 2  # attended treatment appointments: a course of treatment in the official statistics


@dataclass(frozen=True)
class Characteristics:
    """Yes-or-no characteristics of people.

    Attributes
    ----------
    labels
        Of the characteristics, in the order they are shown.
    values
        float64, (people, characteristics): 1 yes, 0 no, NaN not known or not asked of her.
    """

    labels: tuple[str, ...]
    values: np.ndarray


def characteristics(data: Data) -> Characteristics:
    """What is known of the people of an analysis; a characteristic known of nobody is left out."""
    people = _demographics(data)
    if data.sensitivity != "open":  # a survey has no therapy
        people = people.hstack(_therapy(data))
    people = people.select(c.name for c in people if c.is_not_null().any())
    values = people.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return Characteristics(tuple(people.columns), values)


def _known(column: str, *unknown: str) -> pl.Expr:
    return pl.when(~pl.col(column).cast(pl.String).is_in(unknown)).then(pl.col(column))


def _demographics(data: Data) -> pl.DataFrame:
    patients = data.cohort.patients[data.sequences.people]
    age = pl.col("age")
    return patients.select(
        (_known("gender", "not known") == "female").alias("Women"),
        (age < 26).alias("Younger than 26"),
        (age >= 65).alias("65 or older"),
        (_known("long_term_condition", "not stated") == "yes").alias("Long-term condition"),
        (pl.col("deprivation_decile") <= 2).alias("Most deprived fifth"),
    )


def _therapy(data: Data) -> pl.DataFrame:
    """Medication, engagement and outcomes of the referral that each person contributes."""
    cohort = data.cohort
    wanted = pl.DataFrame({"referral_id": data.referral_ids})
    referrals = wanted.join(cohort.referrals, on="referral_id", how="left", maintain_order="left")
    contacts = cohort.contacts.join(wanted, on="referral_id", how="semi", maintain_order="left")
    scores = cohort.scores.join(wanted, on="referral_id", how="semi", maintain_order="left")
    outcomes = referral_outcomes(referrals, contacts, scores)
    medication = referrals.select(
        (_known("medication_first", "not stated") == "prescribed and taking").alias(
            "Taking medication"
        )
    )
    at_caseness = pl.when("caseness")
    became = outcomes.select(
        (pl.col("n_treatment") >= ENGAGED).alias("Engaged"),
        pl.col("reliable_improvement").alias("Reliably improved"),
        at_caseness.then("recovery").alias("Recovered"),
        pl.col("reliable_deterioration").alias("Reliably deteriorated"),
    )
    return medication.hstack(became)


def starting_states(model: LatentMarkov, data: Data) -> np.ndarray:
    """Probability of each state at the start given the *first* session alone: (people, states).

    Later answers would tell the state better, but they are also the outcome: people who improve
    would look as if they had started better.
    """
    first = data.sequences.items[data.first_rows]
    return model.predict_proba(first)


def shares(starting: np.ndarray, known: np.ndarray, weights: np.ndarray) -> tuple:
    """Share with each characteristic by starting state, and the people behind it.

    Parameters
    ----------
    starting
        (people, states).
    known
        (people, characteristics), NaN where not known.
    weights
        (people,).

    Returns
    -------
    share, n : (states, characteristics) arrays
        `share` is NaN where nobody is behind it; `n` counts people, not weights.
    """
    there = ~np.isnan(known)
    weighted = starting * weights[:, None]
    denominator = weighted.T @ there
    with np.errstate(invalid="ignore"):
        share = weighted.T @ np.where(there, known, 0.0) / denominator
    return share, starting.T @ there
