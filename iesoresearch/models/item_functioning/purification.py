"""Which items work differently: severity and comparison in turn, until they agree.

Severity is estimated from all items, each item is compared at equal severity, items that differ get
parameters of their own in each group, severity is estimated again, and so on (Choi, Gibbons & Crane
2011, doi:10.18637/jss.v039.i08; the model of severity here has means and spreads of the groups).
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.heterogeneity import holm
from iesoresearch.models.item_functioning import trait as traits
from iesoresearch.models.item_functioning.answers import Answers
from iesoresearch.models.item_functioning.regressions import Design, ItemTest, regress
from iesoresearch.models.item_functioning.trait import Trait

#: Level of the tests of all items of a grouping together, which makes an item one that differs.
LEVEL = 0.05
#: Share of the items that are anchors at least: those with the smallest change in R². The project's
#: own; with fewer than three of nine, groups would be compared by hardly anything.
LEAST_ANCHORS = 1 / 3
_MOST_ROUNDS = 12
Matching = Literal["trait", "total"]


@dataclass(frozen=True)
class Functioning:
    """What was found for one grouping.

    Attributes
    ----------
    data : Answers
    items : list of ItemTest or None
        None where there were too few answers.
    adjusted : (items,) array
        P values of the total test after Holm's rule over the items; NaN where not tested.
    differing : tuple of int
        Items that differ, by `LEVEL`.
    free : tuple of int
        Those of them with parameters of their own: all, unless too few anchors were left.
    trait : Trait
        Severity, with `free`.
    rounds : int
    settled : bool
        Whether the last two rounds agree on what differs.
    """

    data: Answers
    items: list[ItemTest | None]
    adjusted: np.ndarray
    differing: tuple[int, ...]
    free: tuple[int, ...]
    trait: Trait
    rounds: int
    settled: bool


def functioning(
    data: Answers,
    design: Design | None = None,
    *,
    matching: Matching = "trait",
    level: float = LEVEL,
) -> Functioning:
    """Compare all items between the groups of `data`.

    Parameters
    ----------
    data
        Answers of two groups or more.
    design
        Of a survey.
    matching
        What people are matched on: "trait", the severity of `Trait`, or "total", the sum of the
        anchors and the item itself, of people who answered them all. Without the item itself,
        groups of different severity would seem to answer differently (Zwick 1990,
        doi:10.3102/10769986015003185).
    level
        Of all tests of items together.

    Raises
    ------
    ParameterError
        There is one group, or an argument is none of those above.
    DataError
        A model has no finite maximum.
    """
    if data.n_groups < 2:
        raise ParameterError("There is one group only, so there is nothing to compare.")
    if matching not in get_args(Matching):
        raise ParameterError(f"matching={matching!r} must be 'trait' or 'total'.")
    free, seen, rounds = (), [], 0
    trait = traits.fit(data)
    while True:
        rounds += 1
        severity = trait.severity(data) if matching == "trait" else None
        items = [
            regress(data, i, _total(data, i, free) if severity is None else severity, design)
            for i in range(data.n_items)
        ]
        adjusted = _adjusted(items)
        differing = tuple(int(i) for i in np.flatnonzero(adjusted < level))
        found = _freed(items, differing)
        if found == free or found in seen or rounds == _MOST_ROUNDS:
            return Functioning(
                data, items, adjusted, differing, free, trait, rounds, settled=found == free
            )
        seen.append(found)
        free = found
        trait = traits.fit(data, free, trait)


def _adjusted(items: list[ItemTest | None]) -> np.ndarray:
    tested = [i for i, item in enumerate(items) if item is not None]
    adjusted = np.full(len(items), np.nan)
    if tested:
        adjusted[tested] = holm([items[i].total.p for i in tested])
    return adjusted


def _freed(items: list[ItemTest | None], differing: tuple[int, ...]) -> tuple[int, ...]:
    """Of the items that differ those with the largest change, so that anchors are left."""
    largest = sorted(differing, key=lambda i: -items[i].change)
    return tuple(sorted(largest[: len(items) - _fewest_anchors(items)]))


def _fewest_anchors(items: list) -> int:
    return max(1, int(np.ceil(LEAST_ANCHORS * len(items))))


def freest(found: Functioning) -> Trait:
    """Severity with as few anchors as may be: the items with the smallest change in R².

    What items do to totals is otherwise counted from those that were shown to differ: where none
    is, as in a small group, nothing would be all that can be found. An item that was not tested
    stays an anchor.
    """
    tested = [i for i, item in enumerate(found.items) if item is not None]
    free = _freed(found.items, tuple(tested))
    return traits.fit(found.data, free, found.trait)


def _total(data: Answers, item: int, free: tuple[int, ...]) -> np.ndarray:
    """Sum of the anchors and `item` for each row, NaN where an answer is missing."""
    used = [i for i in range(data.n_items) if i == item or i not in free]
    answers = data.items[:, used]
    total = data.scores[used, np.maximum(answers, 0)].sum(axis=1).astype(float)
    return np.where((answers >= 0).all(axis=1), total, np.nan)
