"""The course of every referral: appointments, states, endings, and when they took place."""

from dataclasses import dataclass

import numpy as np

from iesoresearch.data.synthetic import kernels
from iesoresearch.data.synthetic.answers import below_caseness_at_first, severity_of_states
from iesoresearch.data.synthetic.care import DAYS_PER_STEP, NOT_SEEN, TREATED, Care
from iesoresearch.data.synthetic.profile import Profile
from iesoresearch.seeds import derive, rng

DAYS_BETWEEN = (10, 7)  # appointments of the lower and the higher step
CHUNK = 50_000  # referrals whose courses are drawn at once, to bound memory
_CHANCES = (
    *("goes_on_by_severity", "leaves_by_severity", "finishes_early", "ended_by_professional"),
    *("missed", "first_response", "stays_low"),
)


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


@dataclass(frozen=True)
class Plans:
    """What the courses of those who were seen are drawn from, one entry each unless said.

    Attributes
    ----------
    key
        Of the draws.
    seen
        Referral.
    severity, transition
        Of the states: (states,), (states, states).
    chances
        As `kernels.draw_courses` takes them.
    shares
        (states,), expected number of people in each at the first appointment.
    first
        State at the first appointment.
    well
        Whether the answers given there are below caseness.
    treated, separate
        Starts treatment; has an assessment apart from it.
    mobility, response, loss, planned, goes_on, leaves
        As `kernels.draw_courses` takes them.
    """

    key: np.uint64
    seen: np.ndarray
    severity: np.ndarray
    transition: np.ndarray
    chances: tuple[float, ...]
    shares: np.ndarray
    first: np.ndarray
    well: np.ndarray
    treated: np.ndarray
    separate: np.ndarray
    mobility: np.ndarray
    response: np.ndarray
    loss: np.ndarray
    planned: np.ndarray
    goes_on: np.ndarray
    leaves: np.ndarray


def plans(care: Care, profile: Profile, seed: int) -> Plans:
    """What holds for everybody who was seen before the second appointment."""
    seen = np.flatnonzero(care.reached > NOT_SEEN)
    n = len(care.alpha)
    severity = severity_of_states(profile)
    initial = np.array(profile["initial"]) * np.exp(
        -0.5 * (severity / profile["severity_width"]) ** 2
    )
    key = np.uint64(derive(seed, "synthetic", "courses"))
    shares, first = np.zeros(len(severity)), np.empty(len(seen), dtype=np.int64)
    kernels.draw_first_states(key, seen, severity, initial, care.alpha[seen], first, shares)
    well = below_caseness_at_first(seen, first, care, profile, seed)
    turned_away = rng(seed, "synthetic", "turned away").random(n)[seen] < profile["turned_away"]
    stays = rng(seed, "synthetic", "stayers").random(n)[seen] < profile["stayers"]
    waits = (care.second_wait[seen] - DAYS_PER_STEP) / DAYS_PER_STEP
    return Plans(
        key, seen, severity, np.array(profile["transition"]),
        tuple(float(profile[name]) for name in _CHANCES), shares, first, well,
        treated=(care.reached[seen] == TREATED) & ~(well & turned_away),
        separate=care.separate[seen],
        mobility=profile["mobility"] * np.where(stays, profile["stayers_mobility"], 1.0),
        # who starts severe responds less, so that where people start and end are related
        response=care.beta[seen] - profile["response_by_severity"] * severity[first][:, None],
        loss=profile["wait_loss"] * np.clip(waits, 0, 6),
        planned=care.planned[seen], goes_on=care.goes_on[seen], leaves=care.leaves[seen],
    )  # fmt: skip


def draw(care: Care, profile: Profile, seed: int) -> Courses:
    """Draw the appointments of everybody who was seen."""
    given = plans(care, profile, seed)
    n_seen, n_states = len(given.seen), len(given.severity)
    moves = np.zeros((n_states, n_states))
    rows = np.empty((min(CHUNK, n_seen) * kernels.LONGEST, 6), dtype=np.int32)
    parts, n_treatments = [], np.full(len(care.alpha), -1, dtype=np.int32)
    ending = n_treatments.copy()
    for start in range(0, n_seen, CHUNK):
        here = slice(start, start + CHUNK)
        index = given.seen[here]
        visits = np.zeros((len(index), 2), dtype=np.int32)
        written = kernels.draw_courses(
            given.key, index, given.first[here], given.severity, given.transition,
            given.mobility[here], given.response[here], given.loss[here], given.treated[here],
            given.separate[here], given.planned[here], given.goes_on[here], given.leaves[here],
            given.chances, rows, visits, moves,
        )  # fmt: skip
        part = rows[:written].copy()
        part[:, 0] = index[part[:, 0]]
        parts.append(part)
        n_treatments[index], ending[index] = visits.T
    table = np.concatenate(parts) if parts else np.empty((0, 6), dtype=np.int32)
    owner, session, state, purpose, attended, step = table.T
    totals = moves.sum(axis=1, keepdims=True)
    # a state nobody was ever in keeps the moves it would have had
    transition = np.where(totals > 0, moves / np.maximum(totals, 1e-300), given.transition)
    return Courses(
        owner, session, state.astype(np.int64), step, purpose == kernels.TREATMENT,
        attended.astype(bool), n_treatments, ending,
        given.shares / max(given.shares.sum(), 1e-300), transition,
    )  # fmt: skip


def days(care: Care, courses: Courses, referred, seed: int) -> np.ndarray:
    """Day of every appointment, counted as `referred` is."""
    owner = courses.owner
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
