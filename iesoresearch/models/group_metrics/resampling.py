"""Exact bootstrap of counts: numbers of units of each kind in a resample are multinomial."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from iesoresearch.models.group_metrics.counting import Units
from iesoresearch.seeds import rng

_AT_ONCE = 50  # resamples of one stream of random numbers


def resample(units: Units, n_boot: int, random_state: int, n_jobs: int) -> np.ndarray:
    """Counts in resamples of as many units, drawn with replacement within strata.

    Drawing n rows with replacement draws, of rows that are alike, numbers that are multinomial; so
    no row is needed. A view that is absent from a resample has counts of 0.

    Parameters
    ----------
    units
        What there is.
    n_boot
        Resamples.
    random_state
        Seed.
    n_jobs
        Threads; the result is the same with any number.

    Returns
    -------
    numpy.ndarray
        (resamples, views, 4) people.
    """
    order = np.argsort(units.stratum, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(units.stratum[order])) + 1)
    starts = range(0, n_boot, _AT_ONCE)

    def some(first: int) -> np.ndarray:
        random = rng(random_state, "group metrics", "bootstrap", first)
        drawn = np.empty((min(_AT_ONCE, n_boot - first), len(units.many)), dtype=np.int64)
        for kinds in parts:
            many = units.many[kinds]
            drawn[:, kinds] = random.multinomial(many.sum(), many / many.sum(), size=len(drawn))
        return drawn @ units.counts

    if n_jobs == 1:
        counts = np.concatenate([some(first) for first in starts])
    else:
        with ThreadPoolExecutor(n_jobs) as executor:
            counts = np.concatenate(list(executor.map(some, starts)))
    return counts.reshape(n_boot, -1, 4)
