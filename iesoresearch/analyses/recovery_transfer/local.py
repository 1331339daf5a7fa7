"""Updating with few local patients: drawn again and again, judged on all others of the site."""

from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import DataError
from iesoresearch.models import updating
from iesoresearch.models.evaluation.metrics import row_log_loss
from iesoresearch.seeds import rng

METHODS = (updating.CLOSED_TEST, updating.INTERCEPT, updating.BOTH)


@dataclass(frozen=True)
class Few:
    """One way to update with so many local patients, over all draws.

    Attributes
    ----------
    size
        Local patients.
    method
        One of `METHODS`.
    gain
        (draws,) log-loss of the shipped model minus that of the updated one on all others,
        thousandths per patient; 0 where the model was left as it is.
    off
        (draws,) distance of observed over expected from 1, on all others.
    left
        (draws,) bool: nothing was updated, because the test asked for nothing or there were too
        few with, or without, the outcome.
    """

    size: int
    method: str
    gain: np.ndarray
    off: np.ndarray
    left: np.ndarray

    @property
    def spread(self) -> tuple[float, float]:
        """From 2.5 % to 97.5 % of the draws."""
        low, high = np.quantile(self.gain, [0.025, 0.975])
        return float(low), float(high)

    @property
    def worse(self) -> float:
        """Share of the draws in which the update did harm."""
        return float((self.gain < 0).mean())


def few(y, p, sizes, n_draws: int, seed: int) -> list[Few]:
    """Update with patients drawn at random, for every size up to half of the site.

    Parameters
    ----------
    y, p
        (patients,) outcomes, shipped predictions.
    sizes
        Numbers of patients.
    n_draws
        Draws for each of them.
    seed
        Of the draws.
    """
    found = []
    for size in sizes:
        if 2 * size > len(y):
            break
        draws = [_drawn(len(y), size, seed, d) for d in range(n_draws)]
        for method in METHODS:
            columns = zip(*(_tried(y, p, rows, method) for rows in draws), strict=True)
            found.append(Few(size, method, *map(np.array, columns)))
    return found


def _drawn(n: int, size: int, seed: int, draw: int) -> np.ndarray:
    """(n,) whether the patient is one of those drawn."""
    chosen = np.zeros(n, dtype=bool)
    chosen[rng(seed, "local", size, draw).permutation(n)[:size]] = True
    return chosen


def _tried(y, p, rows, method: str) -> tuple[float, float, bool]:
    """Gain, distance of observed over expected from 1, and whether the model was left as it is."""
    rest, before = y[~rows], p[~rows]
    try:
        update = updating.recalibrate(y[rows], p[rows], method)
        after, left = update.apply(before), update.method == updating.AS_IS
    except DataError:
        after, left = before, True
    gain = 1000 * float((row_log_loss(rest, before) - row_log_loss(rest, after)).mean())
    return gain, abs(float(rest.sum() / after.sum()) - 1), left
