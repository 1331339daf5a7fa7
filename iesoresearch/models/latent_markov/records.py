"""What a caller hands over about people, checked: answers, lengths, weights, drop-out."""

from dataclasses import dataclass

import numpy as np

from iesoresearch.models.latent_markov import checks
from iesoresearch.models.latent_markov.packing import PackedItems, pack
from iesoresearch.models.latent_markov.sessions import Sessions


@dataclass(frozen=True)
class Records:
    """Checked data of people one after the other.

    Attributes
    ----------
    items
        int8, (rows, items): answers from 0, -1 = missing. Where drop-out is modelled, one more
        column says of every session whether the person left after it (1), went on (0), or
        whether that is not known (-1).
    levels
        (items,): levels of each item.
    bounds
        (people + 1,): rows of person p are ``bounds[p] : bounds[p + 1]``.
    weights
        (people,) or None.
    n_items
        Number of items, the column on drop-out apart.
    """

    items: np.ndarray
    levels: np.ndarray
    bounds: np.ndarray
    weights: np.ndarray | None
    n_items: int

    @classmethod
    def checked(cls, items, lengths, n_categories, weights=None, dropped_out=None) -> "Records":
        """What a caller handed over.

        Raises
        ------
        DataError
            Naming what is wrong with which argument.
        """
        items = checks.check_items(items)
        levels = checks.check_levels(items, n_categories)
        bounds = checks.check_lengths(items, lengths)
        weights = checks.check_weights(weights, len(bounds) - 1)
        n_items = items.shape[1]
        if dropped_out is not None:
            left = checks.check_dropped_out(dropped_out, len(bounds) - 1)
            items = np.column_stack([items, _left_after(left, bounds)])
            levels = np.append(levels, 2)
        return cls(items, levels, bounds, weights, n_items)

    @property
    def one_occasion(self) -> bool:
        """Whether everybody had one session."""
        return bool(np.all(np.diff(self.bounds) == 1))

    @property
    def longest(self) -> int:
        """Most sessions of a person."""
        return int(np.diff(self.bounds).max())

    @property
    def n_people(self) -> float:
        """Number of people, or the sum of their weights."""
        return len(self.bounds) - 1 if self.weights is None else float(self.weights.sum())

    @property
    def occasions(self) -> np.ndarray:
        """(rows,): place of each row within its person, from 0."""
        return np.arange(len(self.items)) - np.repeat(self.bounds[:-1], np.diff(self.bounds))

    @property
    def n_observations(self) -> float:
        """Number, or weight, of sessions with an answer to any item."""
        answered = (self.items[:, : self.n_items] >= 0).any(axis=1)
        if self.weights is None:
            return int(answered.sum())
        return float(np.repeat(self.weights, np.diff(self.bounds))[answered].sum())

    def packed(self, together=()) -> PackedItems:
        """Answers packed into codes."""
        return pack(self.items, int(self.levels.max()), together)

    def sessions(self, together=(), **classes) -> Sessions:
        """For the E-step; `classes` as in `Sessions`."""
        return Sessions(self.packed(together), self.bounds, self.weights, **classes)

    def counted(self) -> "Records":
        """Without the people whose weight is zero."""
        if self.weights is None or self.weights.min() > 0:
            return self
        counted = self.weights > 0
        lengths = np.diff(self.bounds)
        bounds = np.concatenate([[0], np.cumsum(lengths[counted], dtype=np.int64)])
        rows = np.repeat(counted, lengths)
        return Records(self.items[rows], self.levels, bounds, self.weights[counted], self.n_items)


def _left_after(dropped_out: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Column of the sessions after which somebody left: earlier ones were followed by another."""
    column = np.zeros(bounds[-1], dtype=np.int8)
    column[bounds[1:] - 1] = dropped_out
    return column
