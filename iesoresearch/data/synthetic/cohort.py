"""Draw a whole cohort and put it into the canonical tables."""

import datetime
from dataclasses import dataclass

import numpy as np
import polars as pl

from iesoresearch.data import codes
from iesoresearch.data.cohort import Cohort
from iesoresearch.data.synthetic import answers, extras, kernels, people
from iesoresearch.data.synthetic import care as care_module
from iesoresearch.data.synthetic.care import Care
from iesoresearch.data.synthetic.people import People
from iesoresearch.data.synthetic.profile import Profile
from iesoresearch.errors import DataError
from iesoresearch.measures import PHQ9
from iesoresearch.measures.problems import PROBLEMS
from iesoresearch.params import canonical_json
from iesoresearch.seeds import rng

START, N_DAYS = datetime.date(2022, 4, 1), 1096  # referrals of three financial years
DAYS_BETWEEN = (10, 7)  # appointments of the lower and the higher step
CHUNK = 50_000  # referrals whose courses are drawn at once, to bound memory


@dataclass(frozen=True)
class Courses:
    """Appointments, one entry each, and what became of every referral.

    Attributes
    ----------
    owner, session, state, step
        Referral, number of the appointment, state and step.
    treatment, attended
        Whether it is a treatment, and whether the patient came.
    n_treatments, ending
        Per referral, -1 where there was no appointment; endings as in `kernels`.
    initial, transition
        Expected shares of states at the start, and of moves, over all people.
    """

    owner: np.ndarray
    session: np.ndarray
    state: np.ndarray
    step: np.ndarray
    treatment: np.ndarray
    attended: np.ndarray
    n_treatments: np.ndarray
    ending: np.ndarray
    initial: np.ndarray
    transition: np.ndarray


def make(n: int, seed: int, profile: str = "england", **changes) -> Cohort:
    """Draw a cohort of `n` referrals, one per person.

    Parameters
    ----------
    n
        Referrals: exactly so many, whether or not they were ever seen.
    seed
        Equal seeds give equal cohorts.
    profile
        "england" or "ieso".
    **changes
        Parameters of the profile to change, such as ``therapist_sd=0.0``.

    Returns
    -------
    Cohort
        With `truth`: ``states`` (0-based, one per row of contacts), ``initial_probs``,
        ``transition_matrix`` (both averaged over people), ``item_probs`` (of the PHQ-9),
        ``therapist_effects``, ``service_effects`` (on the response, in the order of their
        pseudonyms) and ``profile``, all parameters by name.

    Raises
    ------
    DataError
        Fewer than one referral.
    ParameterError
        An unknown profile or parameter.
    """
    if n < 1:
        raise DataError(f"n={n}: a cohort needs at least one referral.")
    values = Profile.load(profile).with_values(changes)
    persons = people.draw(n, values, seed)
    care = care_module.draw(persons, values, seed)
    courses = _draw_courses(care, values, seed)
    tables, calendar = _tables(persons, care, courses, values, seed)
    more = extras.draw(tables["contacts"], courses, care, values, seed)
    tables |= {name: table for name, table in more.items() if not table.is_empty()}
    truth = {
        "states": courses.state,
        "initial_probs": courses.initial,
        "transition_matrix": courses.transition,
        "item_probs": answers.item_probs(PHQ9, values),
        "therapist_effects": care.therapist_effect,
        "service_effects": care.service_effect,
        "profile": dict(values.values),
    }
    name = f"Synthetic cohort of {n:,} referrals ({profile})"
    drawn_with = f"synthetic:{profile}:{n}:{seed}:{canonical_json(changes)}"
    return Cohort.checked(name, "synthetic", tables, drawn_with, licence="MIT", truth=truth)


def _draw_courses(care: Care, profile: Profile, seed: int) -> Courses:
    seen = np.flatnonzero(care.reached > care_module.NOT_SEEN)
    severity = answers.severity_of_states(profile)
    transition = np.array(profile["transition"])
    initial = np.array(profile["initial"]) * np.exp(
        -0.5 * (severity / profile["severity_width"]) ** 2
    )
    stays = rng(seed, "synthetic", "stayers").random(len(care.alpha)) < profile["stayers"]
    mobility = profile["mobility"] * np.where(stays, profile["stayers_mobility"], 1.0)
    loss = profile["wait_loss"] * np.clip(
        (care.second_wait - care_module.DAYS_PER_STEP) / care_module.DAYS_PER_STEP, 0, 6
    )
    chances = tuple(
        float(profile[name]) for name in ("goes_on_by_severity", "leaves_by_severity", "missed",
                                          "finishes_early", "ended_by_professional",
                                          "first_response", "stays_low")
    )  # fmt: skip
    random = rng(seed, "synthetic", "courses")
    moves = np.zeros((len(severity) + 1, len(severity)))
    rows = np.empty((min(CHUNK, len(seen)) * kernels.LONGEST, 6), dtype=np.int32)
    parts, n_treatments = [], np.full(len(care.alpha), -1, dtype=np.int32)
    ending = n_treatments.copy()
    for start in range(0, len(seen), CHUNK):
        index = seen[start : start + CHUNK]
        visits = np.zeros((len(index), 2), dtype=np.int32)
        written = kernels.draw_courses(
            random, severity, initial, transition, mobility[index], care.alpha[index],
            care.beta[index], loss[index], care.reached[index] == care_module.TREATED,
            care.separate[index], care.planned[index], care.goes_on[index], care.leaves[index],
            chances, rows, visits, moves,
        )  # fmt: skip
        part = rows[:written].copy()
        part[:, 0] = index[part[:, 0]]
        parts.append(part)
        n_treatments[index], ending[index] = visits.T
    table = np.concatenate(parts) if parts else np.empty((0, 6), dtype=np.int32)
    owner, session, state, purpose, attended, step = table.T
    totals = moves.sum(axis=1, keepdims=True)
    # a state nobody was ever in keeps the moves it would have had
    shares = np.where(totals > 0, moves / np.maximum(totals, 1e-300), [initial, *transition])
    return Courses(
        owner, session, state.astype(np.int64), step, purpose == kernels.TREATMENT,
        attended.astype(bool), n_treatments, ending, shares[0], shares[1:],
    )  # fmt: skip


def _tables(persons: People, care: Care, courses: Courses, profile: Profile, seed: int):
    n = len(care.alpha)
    width = len(str(n))
    numbers = pl.int_range(1, n + 1, eager=True).cast(pl.String).str.zfill(width)
    patient_id, referral_id = "P" + numbers, "R" + numbers
    referred = rng(seed, "synthetic", "referral date").integers(0, N_DAYS, n)
    days = _days(care, courses, referred, seed)
    patients = pl.DataFrame(
        {
            "patient_id": patient_id,
            "age": persons.age,
            "gender": extras.words(codes.GENDERS, persons.gender),
            "ethnicity": extras.words(codes.ETHNICITIES, persons.ethnicity),
            "deprivation_decile": pl.Series(persons.decile + 1, dtype=pl.Int64).set(
                pl.Series(persons.decile == people.UNKNOWN_DECILE), None
            ),
            "orientation": extras.words(codes.ORIENTATIONS, persons.orientation),
            "long_term_condition": extras.words(codes.YES_NO, persons.long_term_condition),
            "disability": extras.words(codes.YES_NO, persons.disability),
        }
    )
    referrals = _referrals(persons, care, courses, referred, days, profile, seed).with_columns(
        referral_id=referral_id, patient_id=patient_id
    )
    first = np.concatenate([[True], courses.owner[1:] != courses.owner[:-1]])[: len(courses.owner)]
    owner = pl.Series(courses.owner)
    therapist = care.therapist[courses.owner, courses.step]
    therapy = np.where(courses.treatment, care.therapy[courses.owner, courses.step], -1)
    n_therapists = len(care.therapist_effect)
    contacts = pl.DataFrame(
        {
            "referral_id": referral_id.gather(owner),
            "patient_id": patient_id.gather(owner),
            "session": courses.session.astype(np.uint16),
            "date": _dates(days),
            "attendance": extras.words(
                ("did not attend", "attended"), courses.attended.astype(int)
            ),
            "purpose": extras.words(("assessment", "treatment"), courses.treatment.astype(int)),
            "mechanism": extras.words(codes.MECHANISMS, care.mechanism[courses.owner]),
            "therapy": extras.words(codes.THERAPY_NAMES, therapy),
            "therapist_id": _numbered("T", n_therapists).gather(therapist),
            "duration": _durations(courses, seed),
        }
    ).with_columns(
        answers.draw(
            courses.state,
            courses.owner,
            courses.session,
            first,
            courses.attended,
            care,
            persons,
            profile,
            seed,
        )
    )
    return {"patients": patients, "referrals": referrals, "contacts": contacts}, days


def _days(care: Care, courses: Courses, referred, seed: int) -> np.ndarray:
    """Day of every appointment, counted as `referred` is."""
    owner = courses.owner
    order = np.zeros(len(owner), dtype=np.int64)  # of the attended and missed treatments
    counted = np.cumsum(courses.treatment)
    start = np.concatenate([[True], owner[1:] != owner[:-1]])[: len(owner)]
    before = np.maximum.accumulate(np.where(start, counted - courses.treatment, 0))
    order = counted - before
    gap = np.array(DAYS_BETWEEN)[courses.step]
    gap = gap + rng(seed, "synthetic", "gaps").integers(0, 8, len(owner)) * (order > 2)
    steps = np.select(
        [~courses.treatment, order == 1, order == 2],
        [0, care.wait[owner], care.second_wait[owner]],
        default=gap,
    )
    total = np.cumsum(steps)
    base = np.maximum.accumulate(np.where(start, total - steps, 0))
    day = total - base
    # the assessment lies somewhere on the way to the first treatment
    share = rng(seed, "synthetic", "assessment day").random(len(owner))
    assessed = np.floor(share * care.wait[owner]).astype(np.int64)
    return referred[owner] + np.where(courses.treatment, day, assessed)


def _referrals(persons, care, courses, referred, days, profile, seed) -> pl.DataFrame:
    n = len(referred)
    last = referred + 30  # of those never seen
    np.maximum.at(last, courses.owner, days + 14)
    random = rng(seed, "synthetic", "open")
    is_open = (courses.n_treatments > 0) & (random.random(n) < profile["still_open"])
    reasons = np.select(
        [
            care.reached == care_module.NOT_SEEN,
            care.reached == care_module.SEEN,
            courses.ending == kernels.COMPLETED,
            courses.ending == kernels.BY_PROFESSIONAL,
        ],
        [codes.END_REASONS.index(r) for r in ("not assessed", "not treated: advice only",
         "treated: completed", "treated: ended early by the professional")],
        default=codes.END_REASONS.index("treated: ended early by the patient"),
    )  # fmt: skip
    seen = care.reached > care_module.NOT_SEEN
    problem = extras.words(PROBLEMS, np.where(seen, care.problem, -1))
    years = ((last - referred) / 365.25).astype(np.uint8)
    return pl.DataFrame(
        {
            "referral_date": _dates(referred),
            "discharge_date": _dates(last).set(pl.Series(is_open), None),
            "service_id": _numbered("S", profile["n_services"]).gather(care.service),
            "problem": problem,
            "end_reason": extras.words(codes.END_REASONS, np.where(is_open, -1, reasons)),
            "age_at_referral": persons.age,
            "age_at_period_end": persons.age + years,
            **extras.circumstances(persons, care, profile, seed, seen),
        }
    )


def _durations(courses: Courses, seed: int) -> np.ndarray:
    """Minutes: 30 to 45 in the lower step, 50 to 60 in the higher one."""
    spread = rng(seed, "synthetic", "duration").integers(0, 4, len(courses.owner))
    return np.where(courses.step == kernels.LOW, 30 + 5 * spread, 45 + 5 * spread).astype(np.uint16)


def _dates(days: np.ndarray) -> pl.Series:
    origin = START.toordinal() - datetime.date(1970, 1, 1).toordinal()
    return pl.Series((days + origin).astype(np.int32)).cast(pl.Date)


def _numbered(letter: str, n: int) -> pl.Series:
    numbers = pl.int_range(1, n + 1, eager=True).cast(pl.String).str.zfill(len(str(n)))
    return letter + numbers
