"""Compiled draws: the course of every referral, and the answers given on the way."""

import numba
import numpy as np

LONGEST = 40  # appointments of a referral
LOW, HIGH = 0, 1  # steps
FEW = 4  # further appointments of the lower step instead of stepping up
ASSESSMENT, TREATMENT = 0, 1  # purposes
COMPLETED, BY_PATIENT, BY_PROFESSIONAL, OPEN = 0, 1, 2, 3  # how treatment ended


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
def draw_courses(
    random, severity, initial, transition, mobility, alpha, beta, wait_loss, treated, separate, planned,
    goes_on, leaves, chances, rows, visits, moves,
):  # fmt: skip
    """Courses of people one after the other; returns the number of rows written.

    Parameters
    ----------
    random
        numpy Generator.
    severity, initial, transition
        Of the states: (states,), (states,), (states, states).
    mobility
        Per person: share of the moves of `transition` that are made; the rest stays.
    alpha, beta
        Per person: shift of the first state towards severity, and response in each step
        (people, 2).
    wait_loss
        Per person: response lost in the second wait.
    treated, separate
        Per person: starts treatment; has an assessment apart from it.
    planned
        (people, 2): treatment appointments planned in each step.
    goes_on, leaves
        Logits per person: of a second treatment, and of leaving early after each later one.
    chances
        (going on by severity, leaving early by severity, missing an appointment, finishing early
        in a state of little severity, leaving decided by the professional, added response after
        the very first appointment, not stepping up in a state of little severity).
    rows
        (capacity, 6) int32, written: person, appointment, state, purpose, attended, step.
    visits
        (people, 2) int32, written: treatment appointments attended, how it ended.
    moves
        (states + 1, states), added to: expected starts, and expected moves from every state.
    """
    n_states = len(severity)
    cumulative, row = np.empty(n_states), np.empty(n_states)
    by_severity, leave_severity, missing, early, professional, first_response, stays_low = chances
    written = 0
    for i in range(len(alpha)):
        _tilted(initial, severity, alpha[i], 0.0, cumulative)
        moves[0, 0] += cumulative[0]
        for j in range(1, n_states):
            moves[0, j] += cumulative[j] - cumulative[j - 1]
        state = _drawn(cumulative, random.random())
        number, done = 0, 0
        visits[i, 1] = COMPLETED
        purpose = ASSESSMENT if separate[i] or not treated[i] else TREATMENT
        step = LOW if planned[i, LOW] > 0 else HIGH
        left = planned[i, step]
        upwards = planned[i, HIGH] > 0
        while True:
            attended = done < 2 or random.random() >= missing
            number += 1
            rows[written, 0] = i
            rows[written, 1] = number
            rows[written, 2] = state
            rows[written, 3] = purpose
            rows[written, 4] = attended
            rows[written, 5] = step
            written += 1
            if not treated[i] or number == LONGEST:
                break
            if purpose == TREATMENT and attended:
                done += 1
                left -= 1
                if done == 1:
                    logit = goes_on[i] - by_severity * severity[state]
                    if random.random() * (1.0 + np.exp(-logit)) > 1.0:
                        visits[i, 1] = BY_PATIENT
                        break
                elif left == 0 and (step == HIGH or not upwards):
                    break
                else:
                    logit = leaves[i] + leave_severity * severity[state]
                    if random.random() * (1.0 + np.exp(-logit)) < 1.0:
                        by_whom = random.random() < professional
                        visits[i, 1] = BY_PROFESSIONAL if by_whom else BY_PATIENT
                        break
                    if severity[state] < 0.0 and done > 2 and random.random() < early:
                        break
                if left <= 0 and step == LOW:
                    if severity[state] < 0.0 and random.random() < stays_low:
                        if done > 1:
                            break
                        left = FEW
                        upwards = False
                    else:
                        step = HIGH
                        left = planned[i, HIGH]
            purpose = TREATMENT
            response = beta[i, step]
            if number == 1:
                response += first_response
            if done == 1:
                response -= wait_loss[i]
            for j in range(n_states):
                row[j] = mobility[i] * transition[state, j]
            row[state] += 1.0 - mobility[i]
            _tilted(row, severity, -response, severity[state], cumulative)
            moves[state + 1, 0] += cumulative[0]
            for j in range(1, n_states):
                moves[state + 1, j] += cumulative[j] - cumulative[j - 1]
            state = _drawn(cumulative, random.random())
        visits[i, 0] = done
    return written


@numba.njit(cache=True)
def draw_items(random, states, base, offset, slope, cuts, out):
    """Answers to the items of a questionnaire: cumulative logits (Samejima 1969).

    Parameters
    ----------
    random
        numpy Generator.
    states
        (rows,) state of each appointment.
    base
        (states, items) position of every state on every item.
    offset
        (rows,) what the person adds to it, times `slope` (items,).
    cuts
        (items, levels - 1), rising.
    out
        (rows, items) int8, written.
    """
    for r in range(len(states)):
        for j in range(base.shape[1]):
            u = random.random()
            latent = base[states[r], j] + slope[j] * offset[r] + np.log(u / (1.0 - u))
            answer = 0
            while answer < cuts.shape[1] and latent > cuts[j, answer]:
                answer += 1
            out[r, j] = answer
