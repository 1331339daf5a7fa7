"""A synthetic cohort of therapy courses drawn from a latent Markov model that is known.

SIMULATED: it shows that the methods work and says nothing about patients. Seven states lie on a
severity ladder; two pairs of them lean towards somatic or towards cognitive-affective symptoms.
The lean is weak, as published correlations of the items ask for (mean correlation .54 among
sleep, energy and appetite, .52 among interest, low mood, self-worth and self-harm thoughts, .48
across; doi:10.3389/fpsyg.2025.1634804, Table 3). Shares, moves and session counts are plausible
round figures, not estimates of any service.
"""

import datetime

import numpy as np
import polars as pl

from iesoresearch.data.cohort import Cohort
from iesoresearch.data.codes import GENDERS
from iesoresearch.errors import DataError
from iesoresearch.measures import GAD7, PHQ9, WSAS
from iesoresearch.measures.instruments import Instrument
from iesoresearch.seeds import rng
from iesoresearch.simulate import draw_answers, draw_paths

STATES = (
    "minimal",
    "mild",
    "moderate, somatic",
    "moderate, cognitive-affective",
    "severe, somatic",
    "severe, cognitive-affective",
    "very severe",
)
SEVERITY = np.array([-2.3, -1.0, 0.15, 0.25, 1.3, 1.4, 2.7])
LEAN = np.array([0.0, 0.0, 1.0, -1.0, 1.0, -1.0, 0.0])  # + somatic, - cognitive-affective
INITIAL = np.array([0.04, 0.16, 0.20, 0.22, 0.13, 0.15, 0.10])
TRANSITION = np.array(
    [
        [0.88, 0.09, 0.01, 0.02, 0.00, 0.00, 0.00],
        [0.17, 0.72, 0.05, 0.05, 0.00, 0.01, 0.00],
        [0.03, 0.16, 0.70, 0.03, 0.07, 0.01, 0.00],
        [0.04, 0.18, 0.03, 0.67, 0.01, 0.07, 0.00],
        [0.01, 0.03, 0.15, 0.02, 0.71, 0.02, 0.06],
        [0.01, 0.04, 0.02, 0.18, 0.02, 0.67, 0.06],
        [0.00, 0.01, 0.02, 0.02, 0.10, 0.11, 0.74],
    ]
)

# Item characteristics: slope on severity, thresholds of the levels 1, 2, 3, effect of the lean.
_PHQ9_SLOPE = np.array([1.7, 2.1, 1.4, 1.7, 1.4, 1.8, 1.5, 1.4, 1.6])
_PHQ9_THRESHOLD = np.array([-0.9, -1.3, -1.1, -1.6, -0.7, -1.2, -0.7, 0.4, 1.3])
_PHQ9_LEAN = np.array([-0.3, -0.6, 0.9, 0.8, 0.8, -0.9, 0.0, 0.0, -0.7])
_STEP = 1.35  # from one threshold to the next

MISSING_ITEM = 0.01  # of the answers on a returned form
MISSING_FORM = 0.08  # of the sessions after the first
LONGEST, SHORTEST = 20, 2
_ETHNIC_CODES = {"A": 0.80, "C": 0.06, "H": 0.03, "J": 0.03, "N": 0.03, "M": 0.02, "F": 0.03}
_GENDER_SHARES = (0.66, 0.32, 0.01, 0.01)


def item_probs(instrument: Instrument) -> np.ndarray:
    """True probability of each answer in each state: (states, items, levels).

    Cumulative logits (Samejima 1969, doi:10.1007/BF03372160), linear in severity and lean.
    """
    n_items, n_levels = len(instrument.items), instrument.n_categories
    if instrument is PHQ9:
        slope, threshold, lean = _PHQ9_SLOPE, _PHQ9_THRESHOLD, _PHQ9_LEAN
    else:  # GAD-7 and WSAS follow severity alone
        slope, threshold = np.full(n_items, 1.4), np.linspace(-1.4, -0.2, n_items)
        lean = np.zeros(n_items)
    step = 3 * _STEP / (n_levels - 1)
    level = SEVERITY[:, None] * slope + LEAN[:, None] * lean
    cuts = slope * threshold + step * np.arange(n_levels - 1)[:, None]
    above = 1.0 / (1.0 + np.exp(-(level[:, :, None] - cuts.T)))
    edges = np.concatenate([np.ones_like(above[..., :1]), above, np.zeros_like(above[..., :1])], -1)
    return edges[..., :-1] - edges[..., 1:]


def make(n_patients: int, seed: int) -> Cohort:
    """Draw a cohort.

    Parameters
    ----------
    n_patients
        Patients, one referral each, 2 to 20 sessions.
    seed
        Equal seeds give equal cohorts.

    Returns
    -------
    Cohort
        With `truth`: ``initial_probs``, ``transition_matrix``, ``item_probs`` (of the PHQ-9) and
        ``states`` (0-based, one per contact).
    """
    if n_patients < 1:
        raise DataError(f"n_patients={n_patients}: a cohort needs at least one patient.")
    lengths = _session_counts(n_patients, seed)
    states = draw_paths(INITIAL, TRANSITION, lengths, rng(seed, "synthetic", "states"))
    width = len(str(n_patients))
    patient_id = pl.select(
        "P" + pl.int_range(1, n_patients + 1).cast(pl.String).str.zfill(width)
    ).to_series()
    patients = _patients(patient_id, seed)
    start = datetime.date(2023, 1, 1)
    days = rng(seed, "synthetic", "referral date").integers(0, 365, n_patients)
    referrals = pl.DataFrame(
        {"referral_id": patient_id, "patient_id": patient_id, "days": days, "n": lengths}
    ).with_columns(referral_date=start + pl.duration(days="days"))
    referrals = referrals.with_columns(
        discharge_date=pl.col("referral_date") + pl.duration(days=14 + 7 * pl.col("n"))
    )
    session = np.concatenate([np.arange(1, n + 1) for n in lengths])
    owner = np.repeat(np.arange(n_patients), lengths)
    contacts = referrals[owner].select(
        "referral_id",
        "patient_id",
        session=pl.Series(session),
        date=pl.col("referral_date") + pl.duration(days=14 + 7 * pl.Series(session)),
    )
    contacts = contacts.with_columns(_answers(states, session, seed))
    tables = {
        "patients": patients,
        "referrals": referrals.drop("days", "n"),
        "contacts": contacts,
    }
    truth = {
        "initial_probs": INITIAL,
        "transition_matrix": TRANSITION,
        "item_probs": item_probs(PHQ9),
        "states": states,
    }
    name = f"Synthetic cohort of {n_patients:,} patients"
    drawn_with = f"synthetic:{n_patients}:{seed}"
    return Cohort.checked(name, "synthetic", tables, drawn_with, licence="MIT", truth=truth)


def _session_counts(n_patients: int, seed: int) -> np.ndarray:
    """Two or more sessions, right-skewed, mean near seven."""
    random = rng(seed, "synthetic", "sessions")
    extra = random.negative_binomial(1.6, 1.6 / (1.6 + 5.3), n_patients)
    return np.minimum(SHORTEST + extra, LONGEST)


def _patients(patient_id: pl.Series, seed: int) -> pl.DataFrame:
    random = rng(seed, "synthetic", "patients")
    n = len(patient_id)
    return pl.DataFrame(
        {
            "patient_id": patient_id,
            "age": np.clip(random.gamma(6.0, 6.3, n), 18, 90).astype(np.uint8),
            "gender": random.choice(GENDERS, n, p=_GENDER_SHARES),
            "ethnicity": random.choice(list(_ETHNIC_CODES), n, p=list(_ETHNIC_CODES.values())),
            "deprivation_decile": random.integers(1, 11, n).astype(np.uint8),
        }
    )


def _answers(states: np.ndarray, session: np.ndarray, seed: int) -> pl.DataFrame:
    """Items of all questionnaires; whole forms and single answers are missing at random."""
    columns = {}
    form_missing = (rng(seed, "synthetic", "forms").random(len(states)) < MISSING_FORM) & (
        session > 1
    )
    for instrument in (PHQ9, GAD7, WSAS):
        random = rng(seed, "synthetic", instrument.code)
        answers = draw_answers(states, item_probs(instrument), random)
        missing = random.random(answers.shape) < MISSING_ITEM
        missing |= form_missing[:, None]
        for column, values, gone in zip(instrument.columns, answers.T, missing.T, strict=True):
            columns[column] = pl.Series(values).set(pl.Series(gone), None)
    return pl.DataFrame(columns)
