"""Scaled forward-backward recursions over people, one lane of a vector per state.

Notation of Rabiner (1989, doi:10.1109/5.18626): alpha is the forward probability, scaled so that
each occasion sums to one; the product of the scales is the likelihood. All arrays of states are
flat, `lanes` wide, and zero beyond the states.
"""

import numpy as np
from numba import njit

from iesoresearch.models.vectors import add, add_scaled, fill, load, multiply, store, total

_TINY = 1e-150  # fold the running product of scales into the logarithm before it underflows


@njit(nogil=True, cache=True, error_model="numpy")
def _forward(codes, offsets, first, n, tables, initial, transition, lanes, alpha, emission, scale):
    """Forward pass of one person; returns the log-likelihood, -inf where it is zero."""
    width = len(lanes)
    n_states = len(transition) // width
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
            a = load(initial, 0, lanes)
        else:
            a = fill(0.0, lanes)
            before = width * (t - 1)
            for i in range(n_states):
                a = add_scaled(a, alpha[before + i], load(transition, width * i, lanes))
        a = multiply(a, e)
        s = total(a)
        if s <= 0.0:
            return -np.inf
        scale[t] = 1.0 / s
        store(alpha, width * t, multiply(a, fill(scale[t], lanes)))
        if s < _TINY:
            log_likelihood += np.log(s)
        else:
            product *= s
        if product < _TINY:
            log_likelihood += np.log(product)
            product = 1.0
    return log_likelihood + np.log(product)


@njit(nogil=True, cache=True, error_model="numpy")
def expected_counts(codes, offsets, bounds, tables, initial, transition, transposed, lanes, counts):
    """E-step over the people of one chunk.

    Parameters
    ----------
    codes, offsets
        Packed answers (see `packing`).
    bounds
        int64, (people + 1,): rows of person p are ``bounds[p] : bounds[p + 1]``.
    tables
        float64, (table rows * lanes,).
    initial, transition, transposed
        float64, (lanes,), (states * lanes,), (states * lanes,); row i of `transition` holds the
        probabilities from state i, row j of `transposed` those to state j.
    lanes
        Tuple as long as there are lanes.
    counts
        Three arrays that are added to: (lanes,) first occasions per state, (states * lanes,)
        transitions, (table rows * lanes,) occasions per code and state.

    Returns
    -------
    float
        Log-likelihood of the chunk.
    """
    first_counts, transition_counts, table_counts = counts
    width = len(lanes)
    n_states = len(transition) // width
    longest = np.max(bounds[1:] - bounds[:-1])
    alpha = np.empty(width * longest)
    emission = np.empty(width * longest)
    scale = np.empty(longest)
    step = np.empty(width)
    log_likelihood = 0.0
    firsts = load(first_counts, 0, lanes)
    for p in range(len(bounds) - 1):
        first = bounds[p]
        n = bounds[p + 1] - first
        log_likelihood += _forward(
            codes, offsets, first, n, tables, initial, transition, lanes, alpha, emission, scale
        )
        if log_likelihood == -np.inf:
            return log_likelihood
        beta = fill(1.0, lanes)
        for t in range(n - 1, -1, -1):
            posterior = multiply(load(alpha, width * t, lanes), beta)
            for g in range(codes.shape[1]):
                at = width * (offsets[g] + np.int64(codes[first + t, g]))
                store(table_counts, at, add(load(table_counts, at, lanes), posterior))
            if t == 0:
                firsts = add(firsts, posterior)
            else:
                ahead = multiply(load(emission, width * t, lanes), beta)
                ahead = multiply(ahead, fill(scale[t], lanes))
                store(step, 0, ahead)
                beta = fill(0.0, lanes)
                before = width * (t - 1)
                for i in range(n_states):
                    row = load(transition_counts, width * i, lanes)
                    store(transition_counts, width * i, add_scaled(row, alpha[before + i], ahead))
                    beta = add_scaled(beta, step[i], load(transposed, width * i, lanes))
    store(first_counts, 0, firsts)
    return log_likelihood


@njit(nogil=True, cache=True, error_model="numpy")
def log_likelihoods(codes, offsets, bounds, tables, initial, transition, lanes, out):
    """Log-likelihood of each person into `out` (people,)."""
    width = len(lanes)
    longest = np.max(bounds[1:] - bounds[:-1])
    alpha = np.empty(width * longest)
    emission = np.empty(width * longest)
    scale = np.empty(longest)
    for p in range(len(bounds) - 1):
        n = bounds[p + 1] - bounds[p]
        out[p] = _forward(
            codes, offsets, bounds[p], n, tables, initial, transition, lanes,
            alpha, emission, scale,
        )  # fmt: skip


@njit(nogil=True, cache=True, error_model="numpy")
def posteriors(codes, offsets, bounds, tables, initial, transition, transposed, lanes, out):
    """Smoothed state probabilities of every row into `out` (rows, states); NaN where impossible."""
    width = len(lanes)
    n_states = len(transition) // width
    longest = np.max(bounds[1:] - bounds[:-1])
    alpha = np.empty(width * longest)
    emission = np.empty(width * longest)
    scale = np.empty(longest)
    step = np.empty(width)
    for p in range(len(bounds) - 1):
        first = bounds[p]
        n = bounds[p + 1] - first
        possible = _forward(
            codes, offsets, first, n, tables, initial, transition, lanes, alpha, emission, scale
        )
        if possible == -np.inf:
            out[first : first + n] = np.nan
            continue
        beta = fill(1.0, lanes)
        for t in range(n - 1, -1, -1):
            store(step, 0, multiply(load(alpha, width * t, lanes), beta))
            for i in range(n_states):
                out[first + t, i] = step[i]
            ahead = multiply(load(emission, width * t, lanes), beta)
            store(step, 0, multiply(ahead, fill(scale[t], lanes)))
            beta = fill(0.0, lanes)
            for i in range(n_states):
                beta = add_scaled(beta, step[i], load(transposed, width * i, lanes))


@njit(nogil=True, cache=True, error_model="numpy")
def most_likely_paths(codes, offsets, bounds, log_tables, log_initial, log_transition, out):
    """Most likely path per person (Viterbi 1967, doi:10.1109/TIT.1967.1054010) into `out` (rows,).

    `log_tables` is (table rows, states), `log_transition` (states, states); of equally likely
    paths the one through the lower states is returned.
    """
    n_states = len(log_initial)
    longest = np.max(bounds[1:] - bounds[:-1])
    best = np.empty((longest, n_states))
    origin = np.empty((longest, n_states), dtype=np.int64)
    for p in range(len(bounds) - 1):
        first = bounds[p]
        n = bounds[p + 1] - first
        for t in range(n):
            for j in range(n_states):
                if t == 0:
                    value = log_initial[j]
                else:
                    value = -np.inf
                    origin[t, j] = 0
                    for i in range(n_states):
                        candidate = best[t - 1, i] + log_transition[i, j]
                        if candidate > value:
                            value = candidate
                            origin[t, j] = i
                for g in range(codes.shape[1]):
                    value += log_tables[offsets[g] + np.int64(codes[first + t, g]), j]
                best[t, j] = value
        state = np.argmax(best[n - 1])
        for t in range(n - 1, -1, -1):
            out[first + t] = state
            state = origin[t, state]
