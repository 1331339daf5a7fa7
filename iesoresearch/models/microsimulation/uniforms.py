"""Uniform numbers keyed by seed, individual and event, so that nobody's depend on anybody else's.

The generator is splitmix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number
generators"): a counter goes through a bijective mixing function. Each individual has a counter of
their own, begun at a mixed key; event 0 is the state at the start, event c the move in cycle c.
Strategies use the same numbers.
"""

import numba
import numpy as np

from iesoresearch.seeds import derive

STEP = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
TO_UNIT = 2.0**-53


def key_of(seed: int) -> np.uint64:
    """Key of the uniforms of a simulation."""
    return np.uint64(derive(seed, "microsimulation"))


@numba.njit(cache=True)
def _mix(x):
    x = (x ^ (x >> np.uint64(30))) * FIRST
    x = (x ^ (x >> np.uint64(27))) * SECOND
    return x ^ (x >> np.uint64(31))


@numba.njit(cache=True)
def stream(key, individual):
    """Counter of an individual at event 0."""
    return _mix(key + STEP * (np.uint64(individual) + np.uint64(1)))


@numba.njit(cache=True)
def uniform(counter, event):
    """Number in 0 … 1, below 1, for an event."""
    x = _mix(counter + STEP * (np.uint64(event) + np.uint64(1)))
    return (x >> np.uint64(11)) * TO_UNIT


@numba.njit(cache=True)
def uniforms(key, first, n, event):
    """Those of individuals `first` … `first` + `n` - 1 for one event."""
    found = np.empty(n)
    for i in range(n):
        found[i] = uniform(stream(key, first + i), event)
    return found


@numba.njit(cache=True)
def choose(row, u):
    """Index drawn from a distribution by inversion; never one of probability zero."""
    total, last = 0.0, 0
    for j in range(len(row)):
        if row[j] > 0.0:
            total += row[j]
            last = j
            if u < total:
                return j
    return last


@numba.njit(cache=True)
def choose_all(rows, us):
    """`choose` for each row."""
    found = np.empty(len(us), dtype=np.int64)
    for i in range(len(us)):
        found[i] = choose(rows[i], us[i])
    return found
