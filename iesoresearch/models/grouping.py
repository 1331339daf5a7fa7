"""From states to subtypes: states that share a symptom profile across severities.

Two levels, as in the literature: fourteen states of the PHQ-9 made five subtypes (mild, severe,
cognitive-affective, somatic, typical; Simmonds-Buckley, Catarino & Delgadillo 2021,
doi:10.1002/da.23161), by a rule of similarity that the abstract does not give. The rule here:

1. From each state's expected item scores those of the severity ladder at the same expected total
   are taken away, in standard deviations of an item. What is left, the *deviation*, is the kind of
   symptoms without their amount.
2. States whose deviation is smaller than a threshold (root mean square over items) are *typical*.
3. The others are joined by complete linkage, cut at the same threshold.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist
from sklearn.metrics import adjusted_rand_score

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.selection import DISTANCE_IN_KIND

#: The project's own threshold, that of the verdict on kinds. With complete linkage it means that
#: no two states of a subtype differ by what would count as a difference in kind, as no typical
#: state differs so from the ladder. Opposite kinds are at least twice as far apart, unrelated ones
#: 1.4 times. Deviations shrink towards the ends of the scale, where answers have no room, so the
#: mildest and the severest state of a kind tend to count as typical.
THRESHOLD = DISTANCE_IN_KIND
TYPICAL = 0  # the number of the group of typical states, empty or not

_SWEEPS = 1000  # of iterative proportional fitting; it converges in some tens
_CLOSE = 1e-12


def group_states(deviation: np.ndarray, threshold: float = THRESHOLD) -> np.ndarray:
    """Subtype of each state.

    Parameters
    ----------
    deviation
        (states, items), from `selection.departures`.
    threshold
        In standard deviations of an item, root mean square over items.

    Returns
    -------
    (states,) array of int
        `TYPICAL` for states near the ladder; the other groups are numbered from 1 in the order of
        their first state.

    Raises
    ------
    ParameterError
        `threshold` is not positive.
    """
    if not threshold > 0:
        raise ParameterError(f"threshold={threshold!r} must be above 0.")
    groups = np.full(len(deviation), TYPICAL)
    apart = np.flatnonzero(_size(deviation) >= threshold)
    if len(apart) == 0:
        return groups
    found = np.ones(1, dtype=int)
    if len(apart) > 1:
        distances = pdist(deviation[apart]) / np.sqrt(deviation.shape[1])
        # below the threshold, not at it: at it states differ in kind
        cut = np.nextafter(threshold, 0)
        found = fcluster(linkage(distances, "complete"), cut, "distance")
    _, first, which = np.unique(found, return_index=True, return_inverse=True)
    groups[apart] = 1 + np.argsort(np.argsort(first))[which]
    return groups


def _size(deviation: np.ndarray) -> np.ndarray:
    return np.sqrt((deviation**2).mean(axis=-1))


@dataclass(frozen=True)
class Sensitivity:
    """How the groups hang on the threshold.

    Attributes
    ----------
    thresholds : (thresholds,) array
    groups : (thresholds, states) array of int
        As `group_states` numbers them.
    n_groups : (thresholds,) array of int
        Groups that hold a state.
    ari : (thresholds - 1,) array
        Adjusted Rand index of the groups at each threshold and at the next.
    """

    thresholds: np.ndarray
    groups: np.ndarray
    n_groups: np.ndarray
    ari: np.ndarray


def sensitivity(deviation: np.ndarray, thresholds) -> Sensitivity:
    """Groups at every one of several `thresholds`, ascending."""
    thresholds = np.asarray(thresholds, dtype=float)
    groups = np.stack([group_states(deviation, float(threshold)) for threshold in thresholds])
    return Sensitivity(
        thresholds,
        groups,
        np.array([len(np.unique(row)) for row in groups]),
        np.array([adjusted_rand_score(*pair) for pair in pairwise(groups)]),
    )


@dataclass(frozen=True)
class MovesWithin:
    """Share of moves that stay within a subtype, and what independence would give.

    Attributes
    ----------
    share, expected : float
        Of all moves from one session to the next, staying in a state included; *expected* where
        the next state does not depend on the last.
    share_of_changes, expected_of_changes : float
        Of the moves that change the state; *expected* where their origin and destination are
        independent but for being different (quasi-independence: Goodman 1968,
        doi:10.1080/01621459.1968.10480916). NaN where nobody changes.
    """

    share: float
    expected: float
    share_of_changes: float
    expected_of_changes: float


def moves_within(moves: np.ndarray, groups: np.ndarray) -> MovesWithin:
    """Whether people who move stay within their subtype.

    Parameters
    ----------
    moves
        (states, states): expected number of moves from each state to each, such as departures
        times transition probabilities.
    groups
        (states,): subtype of each state.

    Raises
    ------
    DataError
        There are no moves.
    """
    total = moves.sum()
    if not total > 0:
        raise DataError("There are no moves: everybody was seen once. Bring repeated sessions.")
    same = groups[:, None] == groups
    changes = moves * (1 - np.eye(len(moves)))
    apart = np.outer(moves.sum(axis=1), moves.sum(axis=0)) / total
    n_changes = changes.sum()
    if n_changes == 0:
        return MovesWithin(1.0, float(apart[same].sum() / total), np.nan, np.nan)
    return MovesWithin(
        share=float(moves[same].sum() / total),
        expected=float(apart[same].sum() / total),
        share_of_changes=float(changes[same].sum() / n_changes),
        expected_of_changes=float(_quasi_independent(changes)[same].sum() / n_changes),
    )


def _quasi_independent(changes: np.ndarray) -> np.ndarray:
    """Table with the margins of `changes`, products of rows and columns but for its diagonal.

    By iterative proportional fitting (Deming & Stephan 1940, doi:10.1214/aoms/1177731829).
    """
    fitted = 1.0 - np.eye(len(changes))
    rows, columns = changes.sum(axis=1), changes.sum(axis=0)
    for _ in range(_SWEEPS):
        before = fitted
        fitted = fitted * _ratio(rows, fitted.sum(axis=1))[:, None]
        fitted = fitted * _ratio(columns, fitted.sum(axis=0))
        if np.abs(fitted - before).max() <= _CLOSE * changes.sum():
            break
    return fitted


def _ratio(wanted: np.ndarray, found: np.ndarray) -> np.ndarray:
    return wanted / np.where(found > 0, found, 1.0)
