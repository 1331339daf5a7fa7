"""Compiled draws: the course of every referral, and the answers given on the way.

Every draw has a place of its own, made of person, appointment and purpose (SplitMix64, Steele, Lea
& Flood 2014, doi:10.1145/2660193.2660195), so that a changed parameter moves only what it bears on.
"""

import numba
import numpy as np

LONGEST = 40  # appointments of a referral
LOW, HIGH = 0, 1  # steps
FEW = 4  # further appointments of the lower step instead of stepping up
ASSESSMENT, TREATMENT = 0, 1  # purposes
COMPLETED, BY_PATIENT, BY_PROFESSIONAL = 0, 1, 2  # how treatment ended
GOES_ON = -1


_GAP, _FIRST, _SECOND = (
    np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
)  # fmt: skip
PLACES = 64  # draws of one person at one appointment
MOVES, COMES, STAYS, BY_WHOM, STEPS_UP = 0, 1, 2, 3, 4  # what they are for

# Where a course stands: an array of integers, the first five as they are written down
NUMBER, STATE, PURPOSE, ATTENDED, STEP, LEFT, UPWARDS, DONE, ENDING = range(9)
SHOWN, ALL = 5, 9
MISSED, FIRST_RESPONSE, STAYS_LOW = 4, 5, 6  # places among the chances of `draw_courses`


@numba.njit(cache=True)
def _mixed(z):
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


@numba.njit(cache=True)
def uniform(key, person, appointment, place):
    """A number between 0 and 1, exclusive, that belongs to the place."""
    inner = _mixed(np.uint64(key) + _GAP * np.uint64(person + 1))
    z = _mixed(inner + _GAP * np.uint64(appointment * PLACES + place + 1))
    return (np.float64(z >> np.uint64(12)) + 0.5) * 2.0**-52


@numba.njit(cache=True)
def _tilted(base, severity, tilt, centre, out):
    """Cumulative shares of `base` weighed by exp(tilt * (severity - centre))."""
    total = 0.0
    for j in range(len(base)):
        total += base[j] * np.exp(tilt * (severity[j] - centre))
        out[j] = total
    for j in range(len(base)):
        out[j] /= total


@numba.njit(cache=True)
def _drawn(cumulative, u):
    for j in range(len(cumulative) - 1):
        if u < cumulative[j]:
            return j
    return len(cumulative) - 1


@numba.njit(cache=True)
def _counted(cumulative, totals):
    """Add shares, given cumulatively, to `totals`."""
    totals[0] += cumulative[0]
    for j in range(1, len(cumulative)):
        totals[j] += cumulative[j] - cumulative[j - 1]


@numba.njit(cache=True)
def _decided(key, person, number, done, last, severity, goes_on, leaves, chances):
    """What follows a treatment: an ending, or `GOES_ON`."""
    by_severity, leave_severity, early, professional = chances[:4]
    u = uniform(key, person, number, STAYS)
    if done == 1:
        logit = goes_on - by_severity * severity
        return GOES_ON if u * (1.0 + np.exp(-logit)) < 1.0 else BY_PATIENT
    if last:
        return COMPLETED
    other = uniform(key, person, number, BY_WHOM)
    if u * (1.0 + np.exp(-leaves - leave_severity * severity)) < 1.0:
        return BY_PROFESSIONAL if other < professional else BY_PATIENT
    well = severity < 0.0 and done > 2 and other < early
    return COMPLETED if well else GOES_ON


@numba.njit(cache=True)
def begin(first, treated, separate, planned, at):
    """Write to `at` what holds before the first appointment."""
    at[NUMBER], at[STATE], at[ATTENDED], at[DONE], at[ENDING] = 0, first, 0, 0, GOES_ON
    at[PURPOSE] = ASSESSMENT if separate or not treated else TREATMENT
    at[STEP] = LOW if planned[LOW] > 0 else HIGH
    at[LEFT], at[UPWARDS] = planned[at[STEP]], planned[HIGH] > 0


@numba.njit(cache=True)
def come(key, person, chances, at):
    """The next appointment, attended or missed."""
    at[NUMBER] += 1
    at[ATTENDED] = at[DONE] < 2 or uniform(key, person, at[NUMBER], COMES) >= chances[MISSED]


@numba.njit(cache=True)
def decide(key, person, treated, planned, severity, goes_on, leaves, chances, at):
    """What follows the appointment: the end, another step, or one more of the same."""
    here = severity[at[STATE]]
    if not treated or at[NUMBER] == LONGEST:
        at[ENDING] = COMPLETED
    elif at[PURPOSE] == TREATMENT and at[ATTENDED]:
        at[DONE] += 1
        at[LEFT] -= 1
        last = at[LEFT] == 0 and (at[STEP] == HIGH or not at[UPWARDS])
        at[ENDING] = _decided(
            key, person, at[NUMBER], at[DONE], last, here, goes_on, leaves, chances
        )
        if at[ENDING] == GOES_ON and at[LEFT] == 0:  # of the lower step
            well = here < 0.0 and uniform(key, person, at[NUMBER], STEPS_UP) < chances[STAYS_LOW]
            # who is well stays, for a few more appointments if it was only one
            at[STEP] = LOW if well else HIGH
            at[LEFT] = FEW * (at[DONE] == 1) if well else planned[HIGH]
            at[UPWARDS] = 0
            at[ENDING] = GOES_ON if at[LEFT] > 0 else COMPLETED
    at[PURPOSE] = TREATMENT


@numba.njit(cache=True)
def destinations(severity, transition, mobility, beta, wait_loss, chances, at, row, cumulative):
    """Write to `cumulative` the shares of the states that may come next."""
    response = beta[at[STEP]] + chances[FIRST_RESPONSE] * (at[NUMBER] == 1)
    response -= wait_loss * (at[DONE] == 1)
    row[:] = mobility * transition[at[STATE]]
    row[at[STATE]] += 1.0 - mobility
    _tilted(row, severity, -response, severity[at[STATE]], cumulative)


@numba.njit(cache=True)
def move(key, person, cumulative, at):
    """The state at the next appointment."""
    at[STATE] = _drawn(cumulative, uniform(key, person, at[NUMBER], MOVES))


@numba.njit(cache=True)
def draw_first_states(key, people, severity, initial, alpha, states, shares):
    """State of everybody at the first appointment, written to `states`.

    `alpha` shifts it towards severity; the expected shares are added to `shares`.
    """
    cumulative = np.empty(len(severity))
    for i in range(len(people)):
        _tilted(initial, severity, alpha[i], 0.0, cumulative)
        _counted(cumulative, shares)
        states[i] = _drawn(cumulative, uniform(key, people[i], 0, MOVES))


@numba.njit(cache=True)
def draw_courses(
    key, people, first, severity, transition, mobility, beta, wait_loss, treated, separate,
    planned, goes_on, leaves, chances, rows, visits, moves,
):  # fmt: skip
    """Courses of people one after the other; returns the number of rows written.

    Parameters
    ----------
    key, people
        Of the draws, and numbers of the people.
    first
        Per person: state at the first appointment.
    severity, transition
        Of the states: (states,), (states, states).
    mobility
        Per person: share of the moves of `transition` that are made; the rest stays.
    beta
        (people, 2): response in each step.
    wait_loss
        Per person: response lost in the second wait.
    treated, separate
        Per person: starts treatment; has an assessment apart from it.
    planned
        (people, 2): treatment appointments planned in each step.
    goes_on, leaves
        Logits per person: of a second treatment, and of leaving early after each later one.
    chances
        (going on by severity, leaving early by severity, finishing early in a state of little
        severity, leaving decided by the professional, missing an appointment, added response
        after the very first appointment, not stepping up in a state of little severity).
    rows
        (capacity, 6) int32, written: person, appointment, state, purpose, attended, step.
    visits
        (people, 2) int32, written: treatment appointments attended, how it ended.
    moves
        (states, states), added to: expected moves from every state.
    """
    cumulative, row = np.empty(len(severity)), np.empty(len(severity))
    at = np.empty(ALL, dtype=np.int64)
    written = 0
    for i in range(len(people)):
        begin(first[i], treated[i], separate[i], planned[i], at)
        while at[ENDING] == GOES_ON:
            come(key, people[i], chances, at)
            rows[written, 0] = i
            rows[written, 1:] = at[:SHOWN]
            written += 1
            decide(
                key, people[i], treated[i], planned[i], severity, goes_on[i], leaves[i], chances, at
            )
            if at[ENDING] == GOES_ON:
                destinations(
                    severity, transition, mobility[i], beta[i], wait_loss[i], chances, at, row,
                    cumulative,
                )  # fmt: skip
                _counted(cumulative, moves[at[STATE]])
                move(key, people[i], cumulative, at)
        visits[i, 0], visits[i, 1] = at[DONE], at[ENDING]
    return written


@numba.njit(cache=True)
def answer(u, latent, cuts):
    """Answer to an item of someone at `latent`; `u` is a uniform draw."""
    latent += np.log(u / (1.0 - u))
    level = 0
    while level < len(cuts) and latent > cuts[level]:
        level += 1
    return level


@numba.njit(cache=True)
def draw_items(key, people, appointments, states, base, offset, cuts, out):
    """Answers to the items of a questionnaire: cumulative logits (Samejima 1969).

    Parameters
    ----------
    key
        Of the draws.
    people, appointments, states
        (rows,) number of the person and of the appointment, and the state.
    base
        (states, items) position of every state on every item.
    offset
        (rows,) what the person adds to it.
    cuts
        (items, levels - 1), rising.
    out
        (rows, items) int8, written.
    """
    for r in range(len(states)):
        for j in range(base.shape[1]):
            u = uniform(key, people[r], appointments[r], j)
            out[r, j] = answer(u, base[states[r], j] + offset[r], cuts[j])
