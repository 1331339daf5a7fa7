"""The E-step where all share initial and transition probabilities, four people abreast.

In the recursions over one person every operation waits for the one before. Four people with the
same number of sessions can be run through the same operations side by side, and the processor
works on one while it waits for another: a third of the time of `kernels.expected_counts`, which
computes the same sums one person at a time and allows any classes.

People are sorted by their number of sessions, dealt into fours, and their codes are laid out in
the order in which the kernel reads them. The last four of each length is filled up with copies
whose weight is zero: counts are linear in the weight. One-session people with the same answers
become one person with the sum of their weights, because in latent class data there are many.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from iesoresearch.models.latent_markov.kernels import TINY
from iesoresearch.models.vectors import (
    add,
    add_scaled,
    fill,
    load,
    multiply,
    number,
    scale,
    store,
    total,
)

ROWS = 32_768  # sessions per partial sum; fixed, so that the number of threads changes no bit
_compiled = njit(nogil=True, error_model="numpy")
# as if written where it is used: a call would count references to every array, atomically
_inlined = njit(nogil=True, error_model="numpy", inline="always")


@dataclass(frozen=True)
class Fours:
    """Some fours of people, each of people with the same number of sessions.

    Attributes
    ----------
    codes
        uint8, flat: four after four, in each session after session, in each group after group of
        items, and there the codes of the four people.
    lengths
        int64, (fours,): number of sessions.
    weights
        float64, (fours * 4,): how often each person counts.
    """

    codes: np.ndarray
    lengths: np.ndarray
    weights: np.ndarray


def deal(codes: np.ndarray, bounds: np.ndarray, weights: np.ndarray | None) -> list[Fours]:
    """People dealt into fours, about `ROWS` sessions at a time.

    Parameters
    ----------
    codes
        uint8, (rows, groups): packed answers.
    bounds
        (people + 1,): rows of person p are ``bounds[p] : bounds[p + 1]``.
    weights
        (people,), or None for once each.
    """
    lengths = np.diff(bounds)
    order = np.argsort(lengths, kind="stable")
    ends = np.cumsum(np.bincount(lengths))
    dealt = []
    for n in np.unique(lengths):
        people = order[ends[n - 1] : ends[n]]
        counted = np.ones(len(people)) if weights is None else weights[people]
        firsts = bounds[people]
        if n == 1:
            firsts, counted = _merged(codes, firsts, counted)
        spare = -len(firsts) % 4
        firsts = np.concatenate([firsts, np.repeat(firsts[-1], spare)]).reshape(-1, 4)
        counted = np.concatenate([counted, np.zeros(spare)]).reshape(-1, 4)
        dealt.append((firsts, counted, np.full(len(firsts), n)))
    firsts, counted, sessions = (np.concatenate(parts) for parts in zip(*dealt, strict=True))
    batch = (4 * np.cumsum(sessions) - 1) // ROWS  # where a four ends decides
    cuts = np.flatnonzero(np.diff(batch)) + 1
    return [
        Fours(_laid_out(codes, first, n), n, weight.ravel())
        for first, n, weight in zip(
            np.split(firsts, cuts), np.split(sessions, cuts), np.split(counted, cuts), strict=True
        )
    ]


def _merged(codes, rows, weights):
    """One row and the sum of the weights for each pattern of codes among `rows`."""
    order = np.lexsort(codes[rows].T)
    sorted_codes = codes[rows[order]]
    new = np.concatenate([[True], (sorted_codes[1:] != sorted_codes[:-1]).any(axis=1)])
    return rows[order[new]], np.add.reduceat(weights[order], np.flatnonzero(new))


def _laid_out(codes, firsts, lengths):
    """Codes in the order of `Fours.codes`; `firsts` (fours, 4) are first rows of people."""
    parts = []
    for n in np.unique(lengths):
        rows = firsts[lengths == n][:, None] + np.arange(n)[:, None]  # (fours, sessions, 4)
        parts.append(codes[rows].transpose(0, 1, 3, 2).ravel())
    return np.concatenate(parts)


@_compiled
def _abreast(at, step):
    """Four indices."""
    return at, at + step, at + 2 * step, at + 3 * step


@_compiled
def _all(x):
    return x, x, x, x


@_compiled
def _table_rows(codes, at, offset, width):
    """Where the tables of one group hold the codes of four people."""
    a, b, c, d = number(codes, _abreast(at, 1))
    return (
        width * (offset + np.int64(a)), width * (offset + np.int64(b)),
        width * (offset + np.int64(c)), width * (offset + np.int64(d)),
    )  # fmt: skip


@_compiled
def _weighted_log(weights, x):
    """Sum of ``weights * log(x)``."""
    a, b, c, d = x
    return (
        weights[0] * np.log(a) + weights[1] * np.log(b)
        + weights[2] * np.log(c) + weights[3] * np.log(d)
    )  # fmt: skip


@_compiled
def _smallest(x):
    return min(min(x[0], x[1]), min(x[2], x[3]))


@_inlined
def _forward(
    codes, offsets, rows, weights, tables, initial, transition, n_states, lanes, workspace
):
    """Forward pass of four people; their weighted log-likelihood, -inf where one is impossible."""
    first, n = rows
    alpha, emission, inverse = workspace
    width = len(lanes)
    n_groups = len(offsets)
    log_likelihood = 0.0
    product = _all(1.0)
    for t in range(n):
        code = 4 * n_groups * (first + t)
        e = load(tables, _table_rows(codes, code, offsets[0], width), lanes)
        for g in range(1, n_groups):
            at = _table_rows(codes, code + 4 * g, offsets[g], width)
            e = multiply(e, load(tables, at, lanes))
        here = 4 * width * t
        store(emission, _abreast(here, width), e)
        if t == 0:
            a = multiply(e, load(initial, 0, lanes))
        else:
            a = _all(fill(0.0, lanes))
            for i in range(n_states):
                before = number(alpha, _abreast(here - 4 * width + i, width))
                a = add_scaled(a, before, load(transition, width * i, lanes))
            a = multiply(a, e)
        s = total(a)
        longer = multiply(product, s)
        if _smallest(longer) < TINY:
            if _smallest(s) <= 0.0:
                return -np.inf
            # one by one, because the product of the two may be less than a double holds
            log_likelihood += _weighted_log(weights, product) + _weighted_log(weights, s)
            longer = _all(1.0)
        product = longer
        over = (1.0 / s[0], 1.0 / s[1], 1.0 / s[2], 1.0 / s[3])
        store(inverse, _abreast(4 * t, 1), over)
        store(alpha, _abreast(here, width), scale(over, a))
    return log_likelihood + _weighted_log(weights, product)


@_inlined
def _backward(codes, offsets, rows, weights, transposed, n_states, lanes, workspace, counts):
    """Backward pass of four people after their forward pass; adds to `counts`."""
    first, n = rows
    alpha, emission, inverse, ahead_of_step = workspace
    first_counts, transition_counts, table_counts = counts
    width = len(lanes)
    n_groups = len(offsets)
    # linear in the weight, and so are all counts
    beta = (
        fill(weights[0], lanes), fill(weights[1], lanes),
        fill(weights[2], lanes), fill(weights[3], lanes),
    )  # fmt: skip
    for t in range(n - 1, -1, -1):
        here = 4 * width * t
        posterior = multiply(load(alpha, _abreast(here, width), lanes), beta)
        for g in range(n_groups):
            code = 4 * (n_groups * (first + t) + g)
            at = _table_rows(codes, code, offsets[g], width)
            for j in range(4):  # in turn: they may have given the same answers
                store(table_counts, at[j], add(load(table_counts, at[j], lanes), posterior[j]))
        if t == 0:
            for j in range(4):
                store(first_counts, 0, add(load(first_counts, 0, lanes), posterior[j]))
        else:
            ahead = multiply(load(emission, _abreast(here, width), lanes), beta)
            ahead = scale(number(inverse, _abreast(4 * t, 1)), ahead)
            store(ahead_of_step, _abreast(0, width), ahead)
            beta = _all(fill(0.0, lanes))
            for i in range(n_states):
                row = load(transition_counts, width * i, lanes)
                before = number(alpha, _abreast(here - 4 * width + i, width))
                for j in range(4):
                    row = add_scaled(row, before[j], ahead[j])
                store(transition_counts, width * i, row)
                onward = load(transposed, width * i, lanes)
                beta = add_scaled(beta, number(ahead_of_step, _abreast(i, width)), onward)


@njit(nogil=True, cache=True, error_model="numpy")
def expected_counts(
    codes, offsets, lengths, weights, tables, initial, transitions, n_states, lanes, counts
):
    """E-step over some fours of people.

    Parameters
    ----------
    codes, lengths, weights
        As in `Fours`.
    offsets
        int64, (groups,): first row of each group in the tables.
    tables, initial, transitions, n_states, lanes, counts
        As in `kernels.expected_counts`, with one class.

    Returns
    -------
    float
        Weighted log-likelihood; -inf as soon as somebody's answers are impossible, and the counts
        then mean nothing.
    """
    transition, transposed = transitions
    width = len(lanes)
    longest = np.max(lengths)
    alpha = np.empty(4 * width * longest)
    emission = np.empty(4 * width * longest)
    inverse = np.empty(4 * longest)
    step = np.empty(4 * width)
    log_likelihood = 0.0
    first = 0
    for four in range(len(lengths)):
        rows = (first, lengths[four])
        weight = number(weights, _abreast(4 * four, 1))
        log_likelihood += _forward(
            codes, offsets, rows, weight, tables, initial, transition, n_states, lanes,
            (alpha, emission, inverse),
        )  # fmt: skip
        if log_likelihood == -np.inf:
            return log_likelihood
        _backward(
            codes, offsets, rows, weight, transposed, n_states, lanes,
            (alpha, emission, inverse, step), counts,
        )  # fmt: skip
        first += lengths[four]
    return log_likelihood
