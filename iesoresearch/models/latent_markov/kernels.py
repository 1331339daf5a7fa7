"""Scaled forward-backward recursions over people, one lane of a vector per state.

Notation of Rabiner (1989, doi:10.1109/5.18626): alpha is the forward probability, scaled so that
each occasion sums to one; the product of the scales is the likelihood. All arrays of states are
flat, `lanes` wide, and zero beyond the states.
"""

import numpy as np
from numba import njit

from iesoresearch.models.vectors import add, add_scaled, fill, load, multiply, store, total

TINY = 1e-150  # fold the running product of scales into the logarithm before it underflows


@njit(nogil=True, cache=True, error_model="numpy")
def _class_of(classes, index):
    """Class of a person, 0 where there is one only."""
    return classes[index] if len(classes) > 0 else 0


@njit(nogil=True, cache=True, error_model="numpy")
def _workspace(bounds, width):
    """Forward probabilities, emissions and scales of the person with most rows."""
    longest = np.max(bounds[1:] - bounds[:-1])
    return np.empty(width * longest), np.empty(width * longest), np.empty(longest)


@njit(nogil=True, cache=True, error_model="numpy")
def _forward(
    codes, offsets, rows, classes, tables, initial, transition, n_states, lanes, workspace
):
    """Forward pass of one person; returns the log-likelihood, -inf where it is zero."""
    first, n = rows
    kind, move_class, base = classes
    alpha, emission, scale = workspace
    width = len(lanes)
    log_likelihood = 0.0
    product = 1.0
    for t in range(n):
        row = first + t
        e = load(tables, width * (offsets[0] + np.int64(codes[row, 0])), lanes)
        for g in range(1, codes.shape[1]):
            at = width * (offsets[g] + np.int64(codes[row, g]))
            e = multiply(e, load(tables, at, lanes))
        store(emission, width * t, e)
        if t == 0:
            a = load(initial, kind, lanes)
        else:
            a = fill(0.0, lanes)
            before = width * (t - 1)
            matrix = width * n_states * _class_of(move_class, row - base)
            for i in range(n_states):
                a = add_scaled(a, alpha[before + i], load(transition, matrix + width * i, lanes))
        a = multiply(a, e)
        s = total(a)
        if s <= 0.0:
            return -np.inf
        scale[t] = 1.0 / s
        store(alpha, width * t, multiply(a, fill(scale[t], lanes)))
        if s < TINY:
            log_likelihood += np.log(s)
        else:
            product *= s
        if product < TINY:
            log_likelihood += np.log(product)
            product = 1.0
    return log_likelihood + np.log(product)


@njit(nogil=True, cache=True, error_model="numpy")
def expected_counts(
    codes, offsets, people, classes, tables, initial, transitions, n_states, lanes, counts
):
    """E-step over the people of one chunk; where there is one class, `interleaved` is faster.

    Parameters
    ----------
    codes, offsets
        Packed answers (see `packing`).
    people
        Two arrays: int64 bounds (people + 1,), rows of person p being ``bounds[p] :
        bounds[p + 1]``, and float64 weights (people,).
    classes
        Two int64 arrays, empty where there is one class: class of initial probabilities (people,)
        and class of the transition into each row (rows of the chunk,).
    tables
        float64, (table rows * lanes,).
    initial
        float64, (classes * lanes,).
    transitions
        Two float64 arrays, (classes * states * lanes,): row i of the first holds the
        probabilities from state i, row j of the second those to state j.
    n_states
        Number of states.
    lanes
        Tuple as long as there are lanes.
    counts
        Three arrays that are added to: (classes * lanes,) first occasions per state, (classes *
        states * lanes,) transitions, (table rows * lanes,) occasions per code and state.

    Returns
    -------
    float
        Weighted log-likelihood of the chunk.
    """
    first_counts, transition_counts, table_counts = counts
    bounds, weights = people
    first_class, move_class = classes
    transition, transposed = transitions
    width = len(lanes)
    workspace = _workspace(bounds, width)
    alpha, emission, scale = workspace
    step = np.empty(width)
    base = bounds[0]
    log_likelihood = 0.0
    for p in range(len(bounds) - 1):
        first = bounds[p]
        n = bounds[p + 1] - first
        kind = width * _class_of(first_class, p)
        log_likelihood += weights[p] * _forward(
            codes, offsets, (first, n), (kind, move_class, base), tables, initial, transition,
            n_states, lanes, workspace,
        )  # fmt: skip
        if log_likelihood == -np.inf:
            return log_likelihood
        beta = fill(weights[p], lanes)  # linear in the weight, and so are all counts
        for t in range(n - 1, -1, -1):
            posterior = multiply(load(alpha, width * t, lanes), beta)
            for g in range(codes.shape[1]):
                at = width * (offsets[g] + np.int64(codes[first + t, g]))
                store(table_counts, at, add(load(table_counts, at, lanes), posterior))
            if t == 0:
                store(first_counts, kind, add(load(first_counts, kind, lanes), posterior))
            else:
                ahead = multiply(load(emission, width * t, lanes), beta)
                ahead = multiply(ahead, fill(scale[t], lanes))
                store(step, 0, ahead)
                beta = fill(0.0, lanes)
                before = width * (t - 1)
                matrix = width * n_states * _class_of(move_class, first + t - base)
                for i in range(n_states):
                    row = load(transition_counts, matrix + width * i, lanes)
                    row = add_scaled(row, alpha[before + i], ahead)
                    store(transition_counts, matrix + width * i, row)
                    onward = load(transposed, matrix + width * i, lanes)
                    beta = add_scaled(beta, step[i], onward)
    return log_likelihood


@njit(nogil=True, cache=True, error_model="numpy")
def log_likelihoods(
    codes, offsets, bounds, classes, tables, initial, transition, n_states, lanes, out
):
    """Log-likelihood of each person of one chunk into `out` (people,)."""
    first_class, move_class = classes
    width = len(lanes)
    workspace = _workspace(bounds, width)
    for p in range(len(bounds) - 1):
        kind = width * _class_of(first_class, p)
        out[p] = _forward(
            codes, offsets, (bounds[p], bounds[p + 1] - bounds[p]), (kind, move_class, bounds[0]),
            tables, initial, transition, n_states, lanes, workspace,
        )  # fmt: skip


@njit(nogil=True, cache=True, error_model="numpy")
def posteriors(codes, offsets, bounds, classes, tables, initial, transitions, n_states, lanes, out):
    """Smoothed state probabilities of every row of one chunk into `out` (rows, states).

    NaN where the answers are impossible.
    """
    first_class, move_class = classes
    transition, transposed = transitions
    width = len(lanes)
    workspace = _workspace(bounds, width)
    alpha, emission, scale = workspace
    step = np.empty(width)
    base = bounds[0]
    for p in range(len(bounds) - 1):
        first = bounds[p]
        n = bounds[p + 1] - first
        kind = width * _class_of(first_class, p)
        possible = _forward(
            codes, offsets, (first, n), (kind, move_class, base), tables, initial, transition,
            n_states, lanes, workspace,
        )  # fmt: skip
        if possible == -np.inf:
            out[first - base : first - base + n] = np.nan
            continue
        beta = fill(1.0, lanes)
        for t in range(n - 1, -1, -1):
            store(step, 0, multiply(load(alpha, width * t, lanes), beta))
            for i in range(n_states):
                out[first - base + t, i] = step[i]
            ahead = multiply(load(emission, width * t, lanes), beta)
            store(step, 0, multiply(ahead, fill(scale[t], lanes)))
            beta = fill(0.0, lanes)
            matrix = width * n_states * _class_of(move_class, first + t - base)
            for i in range(n_states):
                onward = load(transposed, matrix + width * i, lanes)
                beta = add_scaled(beta, step[i], onward)


@njit(nogil=True, cache=True, error_model="numpy")
def most_likely_paths(
    codes, offsets, bounds, classes, log_tables, log_initial, log_transition, out
):
    """Most likely path per person (Viterbi 1967, doi:10.1109/TIT.1967.1054010) into `out` (rows,).

    `log_tables` is (table rows, states), `log_initial` (classes, states), `log_transition`
    (classes, states, states); of equally likely paths the one through the lower states is
    returned.
    """
    first_class, move_class = classes
    n_states = log_initial.shape[1]
    base = bounds[0]
    longest = np.max(bounds[1:] - bounds[:-1])
    best = np.empty((longest, n_states))
    origin = np.empty((longest, n_states), dtype=np.int64)
    for p in range(len(bounds) - 1):
        first = bounds[p]
        n = bounds[p + 1] - first
        for t in range(n):
            matrix = _class_of(move_class, first + t - base)
            for j in range(n_states):
                if t == 0:
                    value = log_initial[_class_of(first_class, p), j]
                else:
                    value = -np.inf
                    origin[t, j] = 0
                    for i in range(n_states):
                        candidate = best[t - 1, i] + log_transition[matrix, i, j]
                        if candidate > value:
                            value = candidate
                            origin[t, j] = i
                for g in range(codes.shape[1]):
                    value += log_tables[offsets[g] + np.int64(codes[first + t, g]), j]
                best[t, j] = value
        state = np.argmax(best[n - 1])
        for t in range(n - 1, -1, -1):
            out[first - base + t] = state
            state = origin[t, state]
