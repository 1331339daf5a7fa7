"""Answers of people in groups, counted: equal answers of one group are one row."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.latent_markov.checks import check_items, check_weights

#: Fewest answers of each level of an item in each group for a regression of it: levels given more
#: rarely are joined. The project's own; lordif joins below 5.
LEAST_ANSWERS = 10


@dataclass(frozen=True)
class Answers:
    """Answers to items by group.

    Attributes
    ----------
    items : (rows, items) int8 array
        Levels from 0 without gaps, -1 where missing.
    groups : (rows,) array of int
        From 0.
    weights : (rows,) array
        How many people a row stands for, survey weights (of mean one) counted.
    people : (rows,) array of int
        How many people gave these answers.
    row : (people,) array of int
        Row of each person.
    person_weights : (people,) array
    scores : (items, levels) array of int
        What each level counts in the total.
    reference : int
        Group that the others are compared with.
    """

    items: np.ndarray
    groups: np.ndarray
    weights: np.ndarray
    people: np.ndarray
    row: np.ndarray
    person_weights: np.ndarray
    scores: np.ndarray
    reference: int

    @classmethod
    def of(cls, items, groups, weights=None, reference: int | None = None) -> "Answers":
        """Count answers.

        Parameters
        ----------
        items : (people, items) array_like of int
            Scores from 0, -1 for missing.
        groups : (people,) array_like of int
            Group of each person, numbered from 0, each with somebody in it.
        weights : (people,) array_like, optional
            Survey weights; their mean does not matter.
        reference
            By default the largest group, weighted.

        Raises
        ------
        DataError
            Answers that are none, people without any, an item that everybody answered alike, or
            weights that are none.
        ParameterError
            Groups that are not numbered so, or a reference that is none of them.
        """
        items = check_items(items)
        n_people = len(items)
        groups = _checked_groups(groups, n_people)
        if not (items >= 0).any(axis=1).all():
            n = int((items < 0).all(axis=1).sum())
            raise DataError(f"{n} people gave no answer at all. Leave them out.")
        given = check_weights(weights, n_people)
        given = np.ones(n_people) if given is None else given / given.mean()
        sizes = np.bincount(groups, given)
        if reference is None:
            reference = int(sizes.argmax())
        if not 0 <= reference < len(sizes):
            raise ParameterError(f"reference={reference!r} is none of the {len(sizes)} groups.")
        levels, scores = _without_gaps(items)
        keyed = np.column_stack([groups.astype(np.int8), levels])
        rows, row, people = np.unique(keyed, axis=0, return_inverse=True, return_counts=True)
        return cls(
            np.ascontiguousarray(rows[:, 1:]), rows[:, 0].astype(np.int64),
            np.bincount(row, given), people, row, given, scores, reference,
        )  # fmt: skip

    @property
    def n_items(self) -> int:
        """Number of items."""
        return self.items.shape[1]

    @property
    def n_levels(self) -> int:
        """Largest number of levels of an item."""
        return self.scores.shape[1]

    @cached_property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.groups.max()) + 1

    @cached_property
    def by_group(self) -> np.ndarray:
        """People of each group, weighted: (groups,)."""
        return np.bincount(self.groups, self.weights, self.n_groups)

    def level_counts(self, item: int) -> np.ndarray:
        """How often each level of an item was given, weighted: (levels of this item,)."""
        seen = self.items[:, item] >= 0
        return np.bincount(self.items[seen, item], self.weights[seen])

    def joined(self, item: int, least: int = LEAST_ANSWERS) -> np.ndarray:
        """Level that stands for each level of an item: (levels of this item,) of int, from 0.

        A level that fewer than `least` people of some group gave is joined to the one below, from
        the top down; the lowest is joined to the one above. One number for all: too few answers.
        """
        seen = self.items[:, item] >= 0
        n = int(self.items[seen, item].max()) + 1
        cells = self.groups[seen] * n + self.items[seen, item]
        counts = np.bincount(cells, self.people[seen], self.n_groups * n).reshape(self.n_groups, n)
        blocks = [[level] for level in range(n)]
        for level in range(n - 1, 0, -1):
            if counts[:, blocks[level]].sum(axis=1).min() < least:
                blocks[level - 1] += blocks.pop(level)
        while len(blocks) > 1 and counts[:, blocks[0]].sum(axis=1).min() < least:
            blocks[0] += blocks.pop(1)
        stands = np.empty(n, dtype=np.int64)
        for number, block in enumerate(blocks):
            stands[block] = number
        return stands


def _checked_groups(groups, n_people: int) -> np.ndarray:
    groups = np.asarray(groups)
    if groups.shape != (n_people,) or groups.dtype.kind not in "iu" or not len(groups):
        raise ParameterError(f"groups must hold one whole number for each of {n_people} people.")
    groups = groups.astype(np.int64)
    if groups.min() < 0 or not np.bincount(groups).all():
        raise ParameterError("groups must be numbered from 0, each with somebody in it.")
    return groups


def _without_gaps(items: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levels that somebody gave, numbered from 0, and the score of each: (items, levels)."""
    levels, n = items.copy(), int(items.max()) + 1
    scores = np.zeros((items.shape[1], n), dtype=np.int64)
    for i, column in enumerate(items.T):
        given = np.unique(column[column >= 0])
        if len(given) < 2:
            raise DataError(
                f"Everybody gave the same answer to item {i + 1}, which then tells nothing. Leave "
                "it out, or bring more data."
            )
        levels[column >= 0, i] = np.searchsorted(given, column[column >= 0])
        scores[i, : len(given)] = given
    return levels, scores
