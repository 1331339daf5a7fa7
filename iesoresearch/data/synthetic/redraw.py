"""Compiled draws of what follows a landmark, the past being what it was.

The past is drawn with the key of the cohort, every future with a key of its own.
"""

from typing import NamedTuple

import numba
import numpy as np

from iesoresearch.data.synthetic import kernels
from iesoresearch.data.synthetic.kernels import (
    ASSESSMENT,
    ATTENDED,
    DONE,
    ENDING,
    GOES_ON,
    LONGEST,
    NUMBER,
    PURPOSE,
    STATE,
    STEP,
    TREATMENT,
    uniform,
)

# places of draws, after those of `kernels`; every item takes two, from `ITEMS` on
STARTS, FORM, ITEMS = 5, 6, 8
N_VISITS, N_SCORES = 4, 2  # numbers per future, and per future and measure


class Measure(NamedTuple):
    """A questionnaire: positions of the states, cuts (`kernels.draw_items`), and missing items.

    What a person adds to the items fades by a factor e in `fades` appointments; `place` is the
    first of its draws.
    """

    base: np.ndarray
    cuts: np.ndarray
    max_missing: int
    fades: float
    place: int


class Given(NamedTuple):
    """All that holds in truth: of the population, and from `person` on one entry per landmark.

    What is not explained here is as `kernels.draw_courses` takes it.

    Attributes
    ----------
    no_form, item_missing
        Chances that a form (by state) and an item are missing.
    person, appointment
        The landmark.
    starts
        Chance of treatment after an assessment.
    adds
        (landmarks, measures): what the person adds to the items at the first appointment.
    unscored
        (landmarks, measures): whether there was no score up to the landmark.
    """

    key: np.uint64
    severity: np.ndarray
    transition: np.ndarray
    chances: tuple
    no_form: np.ndarray
    item_missing: float
    person: np.ndarray
    appointment: np.ndarray
    first: np.ndarray
    treated: np.ndarray
    separate: np.ndarray
    mobility: np.ndarray
    response: np.ndarray
    loss: np.ndarray
    planned: np.ndarray
    goes_on: np.ndarray
    leaves: np.ndarray
    starts: np.ndarray
    silent: np.ndarray
    adds: np.ndarray
    unscored: np.ndarray


@numba.njit(cache=True)
def _workspace(n_states):
    return np.empty(n_states), np.empty((2, 4, n_states, n_states))


@numba.njit(cache=True)
def _decide(key, given, i, treated, at):
    kernels.decide(
        key, given.person[i], treated, given.planned[i], given.severity, given.goes_on[i],
        given.leaves[i], given.chances, at,
    )  # fmt: skip


@numba.njit(cache=True)
def _next(key, given, i, at, row, table):
    """Move to the next appointment and hold it.

    `table` keeps the shares of the states that may come next, by all that they depend on.
    """
    when = 2 * (at[NUMBER] == 1) + (at[DONE] == 1)
    cumulative = table[at[STEP], when, at[STATE]]
    if cumulative[-1] == 0.0:
        kernels.destinations(
            given.severity, given.transition, given.mobility[i], given.response[i], given.loss[i],
            given.chances, at, row, cumulative,
        )  # fmt: skip
    kernels.move(key, given.person[i], cumulative, at)
    kernels.come(key, given.person[i], given.chances, at)


@numba.njit(cache=True)
def _back_to(given, i, at, row, table):
    """Write to `at` where the course stood at the landmark, or where it ended before."""
    table[:] = 0.0  # of the person before
    kernels.begin(given.first[i], given.treated[i], given.separate[i], given.planned[i], at)
    kernels.come(given.key, given.person[i], given.chances, at)
    while at[NUMBER] < given.appointment[i]:
        _decide(given.key, given, i, given.treated[i], at)
        if at[ENDING] != GOES_ON:
            break
        _next(given.key, given, i, at, row, table)


@numba.njit(cache=True)
def states_at_landmarks(given, states):
    """State at every landmark, written to `states`."""
    at = np.empty(kernels.ALL, dtype=np.int64)
    row, table = _workspace(len(given.severity))
    for i in range(len(states)):
        _back_to(given, i, at, row, table)
        states[i] = at[STATE]


@numba.njit(cache=True)
def _total(key, given, i, measure, m, number, state):
    """Total of a measure, NaN where too many items are missing."""
    n_items = measure.base.shape[1]
    adds = given.adds[i, m] * np.exp((1.0 - number) / measure.fades)
    answered, total = 0, 0
    for j in range(n_items):
        place = measure.place + 2 * j
        if uniform(key, given.person[i], number, place + 1) >= given.item_missing:
            u = uniform(key, given.person[i], number, place)
            total += kernels.answer(u, measure.base[state, j] + adds, measure.cuts[j])
            answered += 1
    if answered < n_items - measure.max_missing:
        return np.nan
    return total * n_items / answered


@numba.njit(cache=True)
def _given_at(key, given, i, measure, m, course, k):
    """Total at appointment `k` of `course` (number, state, form), NaN without."""
    if not course[k, 2]:
        return np.nan
    return _total(key, given, i, measure, m, course[k, 0], course[k, 1])


@numba.njit(cache=True)
def _score(key, given, i, measure, m, course, n, out):
    """First and last total among the `n` appointments of `course`, as `draw_futures` says."""
    out[:] = np.nan
    last = n
    while last > 0 and np.isnan(out[1]):
        last -= 1
        out[1] = _given_at(key, given, i, measure, m, course, last)
    if given.unscored[i, m] and n > 0:
        first = 0
        while first < last and np.isnan(out[0]):
            out[0] = _given_at(key, given, i, measure, m, course, first)
            first += 1
        if np.isnan(out[0]):  # the last is the only one
            out[0], out[1] = out[1], np.nan


@numba.njit(cache=True)
def _course(key, given, i, at, row, table, course):
    """Draw the appointments after the landmark; returns how many there are, and attended."""
    goes = given.treated[i]
    if at[NUMBER] == 1 and at[PURPOSE] == ASSESSMENT:
        goes = uniform(key, given.person[i], 1, STARTS) < given.starts[i]
    n, attended = 0, 0
    _decide(key, given, i, goes, at)
    while at[ENDING] == GOES_ON:
        _next(key, given, i, at, row, table)
        u = uniform(key, given.person[i], at[NUMBER], FORM)
        course[n, 0], course[n, 1] = at[NUMBER], at[STATE]
        course[n, 2] = at[ATTENDED] and u >= given.no_form[at[STATE]] and not given.silent[i]
        n += 1
        attended += at[ATTENDED]
        _decide(key, given, i, goes, at)
    return n, attended


@numba.njit(cache=True)
def draw_futures(keys, given, measures, visits, scores):
    """Draw every future of every landmark.

    Parameters
    ----------
    keys
        (futures,) of the draws.
    given, measures
        `Given`, and a tuple of `Measure`.
    visits
        (landmarks, futures, 4), written: appointments and attended ones after the landmark,
        treatments of the whole course, how it ended.
    scores
        (landmarks, futures, measures, 2), written: first and last total after the landmark; the
        first NaN where there was one before, the last NaN where it would be the only one at all.
    """
    at, landmark = np.empty(kernels.ALL, dtype=np.int64), np.empty(kernels.ALL, dtype=np.int64)
    row, table = _workspace(len(given.severity))
    course = np.empty((LONGEST, 3), dtype=np.int64)
    for i in range(len(visits)):
        _back_to(given, i, landmark, row, table)
        until = landmark[DONE] + (landmark[PURPOSE] == TREATMENT and landmark[ATTENDED])
        for f in range(len(keys)):
            at[:] = landmark
            n, attended = _course(keys[f], given, i, at, row, table, course)
            visits[i, f, 0], visits[i, f, 1] = n, attended
            visits[i, f, 2], visits[i, f, 3] = until + attended, at[ENDING]
            for m in range(len(measures)):
                _score(keys[f], given, i, measures[m], m, course, n, scores[i, f, m])
