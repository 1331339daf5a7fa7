"""The same states at several sites: matched by how people in them answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from iesoresearch.errors import DataError

#: Distance above which two states are not called the same. The project's own: half of the largest
#: that there is.
APART = 0.5


@dataclass(frozen=True)
class Matched:
    """Which state of a site is which state of the reference.

    Attributes
    ----------
    place
        (states of the site,) state of the reference, -1 where it is none of them.
    distance
        (states of the site,) Hellinger distance to that state, or to the nearest; NaN where no item
        is known of it.
    lacking
        States of the reference that the site does not have.
    """

    place: np.ndarray
    distance: np.ndarray
    lacking: tuple[int, ...]


def hellinger(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Distances between all states of two sites: root mean square over items known of both.

    Parameters
    ----------
    first, second
        (states, items, answers) probabilities; NaN where an item is not shown.

    Returns
    -------
    (states of the first, states of the second) array
        From 0 to 1 (Hellinger 1909; Le Cam & Yang 2000, Asymptotics in Statistics); NaN where no
        item is known of both.
    """
    if first.shape[1:] != second.shape[1:]:
        raise DataError("The sites' states were fitted to other items or answers: match nothing.")
    roots = np.sqrt(first)[:, None] - np.sqrt(second)[None]
    squares = 0.5 * (roots**2).sum(axis=3)
    known = np.isfinite(squares)
    n = known.sum(axis=2)
    total = np.where(known, squares, 0.0).sum(axis=2)
    return np.sqrt(np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0))


def match(reference: np.ndarray, states: np.ndarray, apart: float = APART) -> Matched:
    """Match states to those of a reference by optimal assignment of Hellinger distances.

    Either may have more states. A pair farther apart than `apart` is no match.

    Raises
    ------
    DataError
        Other items or answers.
    """
    far = hellinger(states, reference)
    cost = np.where(np.isfinite(far), np.minimum(far, apart), apart)
    place = np.full(len(states), -1)
    rows, columns = linear_sum_assignment(cost)
    for row, column in zip(rows, columns, strict=True):
        if np.isfinite(far[row, column]) and far[row, column] < apart:
            place[row] = column
    nearest = np.array([np.nan if np.isnan(x).all() else np.nanmin(x) for x in far])
    matched = place >= 0
    distance = np.where(matched, far[np.arange(len(states)), np.maximum(place, 0)], nearest)
    lacking = tuple(int(i) for i in range(len(reference)) if i not in set(place.tolist()))
    return Matched(place, distance, lacking)


def match_all(sites: Sequence[np.ndarray], apart: float = APART) -> list[Matched]:
    """Match the states of every site to those of one reference, the same whatever the order.

    The reference is the site with most states whose states are nearest to those of all others.
    """
    most = max(len(states) for states in sites)
    candidates = [i for i, states in enumerate(sites) if len(states) == most]

    def total(i: int) -> float:
        found = [match(sites[i], states, apart) for states in sites]
        return float(sum(np.nansum(one.distance) + len(one.lacking) for one in found))

    chosen = min(candidates, key=total)
    return [match(sites[chosen], states, apart) for states in sites]
