"""The canonical tables of a synthetic cohort."""

import numpy as np
import polars as pl

from iesoresearch.data import codes
from iesoresearch.data.synthetic import answers, columns, extras, kernels, people
from iesoresearch.data.synthetic import courses as courses_module
from iesoresearch.data.synthetic.care import Care
from iesoresearch.data.synthetic.courses import Courses
from iesoresearch.data.synthetic.people import People
from iesoresearch.data.synthetic.profile import Profile
from iesoresearch.measures.problems import PROBLEMS
from iesoresearch.seeds import rng


def build(persons: People, care: Care, courses: Courses, profile: Profile, seed: int) -> dict:
    """Tables by name; optional ones only where they have rows."""
    n = len(care.alpha)
    patient_id, referral_id = columns.numbered("P", n), columns.numbered("R", n)
    referred = rng(seed, "synthetic", "referral date").integers(0, columns.N_DAYS, n)
    days = courses_module.days(care, courses, referred, seed)
    referrals = _referrals(persons, care, courses, referred, days, profile, seed)
    contacts = _contacts(care, courses, days, seed)
    owner = pl.Series(courses.owner)
    contacts = contacts.with_columns(
        answers.draw(courses, care, persons, profile, seed),
        referral_id=referral_id.gather(owner),
        patient_id=patient_id.gather(owner),
    )
    tables = {
        "patients": _patients(persons).with_columns(patient_id=patient_id),
        "referrals": referrals.with_columns(referral_id=referral_id, patient_id=patient_id),
        "contacts": contacts,
    }
    more = extras.draw(contacts, courses, care, profile, seed)
    return tables | {name: table for name, table in more.items() if not table.is_empty()}


def _patients(persons: People) -> pl.DataFrame:
    known = persons.decile != people.UNKNOWN_DECILE
    return pl.DataFrame(
        {
            "age": persons.age,
            "gender": columns.words(codes.GENDERS, persons.gender),
            "ethnicity": columns.words(codes.ETHNICITIES, persons.ethnicity),
            "deprivation_decile": pl.Series(persons.decile + 1).set(pl.Series(~known), None),
            "orientation": columns.words(codes.ORIENTATIONS, persons.orientation),
            "long_term_condition": columns.words(codes.YES_NO, persons.long_term_condition),
            "disability": columns.words(codes.YES_NO, persons.disability),
        }
    )


def _contacts(care: Care, courses: Courses, days, seed: int) -> pl.DataFrame:
    """Appointments without keys and answers."""
    therapist = care.therapist[courses.owner, courses.step]
    therapy = np.where(courses.treatment, care.therapy[courses.owner, courses.step], -1)
    attended, treatment = courses.attended.astype(int), courses.treatment.astype(int)
    return pl.DataFrame(
        {
            "session": courses.session.astype(np.uint16),
            "date": columns.dates(days),
            "attendance": columns.words(("did not attend", "attended"), attended),
            "purpose": columns.words(("assessment", "treatment"), treatment),
            "mechanism": columns.words(codes.MECHANISMS, care.mechanism[courses.owner]),
            "therapy": columns.words(codes.THERAPY_NAMES, therapy),
            "therapist_id": columns.numbered("T", len(care.therapist_effect)).gather(therapist),
            "duration": _durations(courses, seed),
        }
    )


def _referrals(persons, care, courses, referred, days, profile, seed) -> pl.DataFrame:
    n = len(referred)
    last = referred + 30  # of those never seen
    np.maximum.at(last, courses.owner, days + 14)
    random = rng(seed, "synthetic", "open")
    is_open = (courses.n_treatments > 0) & (random.random(n) < profile["still_open"])
    reasons = np.select(
        [
            courses.n_treatments < 0,
            courses.n_treatments == 0,
            courses.ending == kernels.COMPLETED,
            courses.ending == kernels.BY_PROFESSIONAL,
        ],
        [codes.END_REASONS.index(r) for r in ("not assessed", "not treated: advice only",
         "treated: completed", "treated: ended early by the professional")],
        default=codes.END_REASONS.index("treated: ended early by the patient"),
    )  # fmt: skip
    seen = courses.n_treatments >= 0
    problem = columns.words(PROBLEMS, np.where(seen, care.problem, -1))
    years = ((last - referred) / 365.25).astype(np.uint8)
    return pl.DataFrame(
        {
            "referral_date": columns.dates(referred),
            "discharge_date": columns.dates(last).set(pl.Series(is_open), None),
            "service_id": columns.numbered("S", profile["n_services"]).gather(care.service),
            "problem": problem,
            "end_reason": columns.words(codes.END_REASONS, np.where(is_open, -1, reasons)),
            "age_at_referral": persons.age,
            "age_at_period_end": persons.age + years,
            **extras.circumstances(persons, care, courses.n_treatments > 0, profile, seed),
        }
    )


def _durations(courses: Courses, seed: int) -> np.ndarray:
    """Minutes: 30 to 45 in the lower step, 45 to 60 in the higher one."""
    spread = rng(seed, "synthetic", "duration").integers(0, 4, len(courses.owner))
    return np.where(courses.step == kernels.LOW, 30 + 5 * spread, 45 + 5 * spread).astype(np.uint16)
