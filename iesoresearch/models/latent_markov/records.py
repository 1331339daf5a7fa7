"""What a caller hands over about people, checked: answers, lengths, weights, drop-out."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from iesoresearch.models.latent_markov import checks
from iesoresearch.models.latent_markov.covariates import Design, check_covariates, moved_into
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
    initial_covariates
        (people, p) or None: of the first session.
    transition_covariates
        (rows, q) or None: of the move into each row; a person's first row does not matter.
    """

    items: np.ndarray
    levels: np.ndarray
    bounds: np.ndarray
    weights: np.ndarray | None
    n_items: int
    initial_covariates: np.ndarray | None = None
    transition_covariates: np.ndarray | None = None

    @classmethod
    def checked(
        cls,
        items,
        lengths,
        n_categories,
        weights=None,
        dropped_out=None,
        initial_covariates=None,
        transition_covariates=None,
    ) -> "Records":
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
        everybody = np.ones(len(bounds) - 1, dtype=bool)
        first = check_covariates(initial_covariates, "initial_covariates", "people", everybody)
        moves = check_covariates(
            transition_covariates, "transition_covariates", "rows of items", moved_into(bounds)
        )
        return cls(items, levels, bounds, weights, n_items, first, moves)

    def weighted(self, weights) -> "Records":
        """The same people with weights, checked."""
        return replace(self, weights=checks.check_weights(weights, len(self.bounds) - 1))

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

    @cached_property
    def initial_design(self) -> Design | None:
        """Classes of people by covariates."""
        return None if self.initial_covariates is None else Design.of(self.initial_covariates)

    @cached_property
    def transition_design(self) -> Design | None:
        """Classes of moves by covariates."""
        if self.transition_covariates is None or self.one_occasion:
            return None
        return Design.of(self.transition_covariates, moved_into(self.bounds))

    def packed(self, together=()) -> PackedItems:
        """Answers packed into codes."""
        return pack(self.items, int(self.levels.max()), together)

    def sessions(self, together=(), move_class=None) -> Sessions:
        """For the E-step; without transition covariates the caller says the classes of moves."""
        first, moves = self.initial_design, self.transition_design
        return Sessions(
            self.packed(together),
            self.bounds,
            self.weights,
            None if first is None else first.classes,
            move_class if moves is None else moves.classes,
        )

    def counted(self) -> "Records":
        """Without the people whose weight is zero."""
        if self.weights is None or self.weights.min() > 0:
            return self
        counted = self.weights > 0
        lengths = np.diff(self.bounds)
        bounds = np.concatenate([[0], np.cumsum(lengths[counted], dtype=np.int64)])
        rows = np.repeat(counted, lengths)
        first, moves = self.initial_covariates, self.transition_covariates
        return replace(
            self,
            items=self.items[rows],
            bounds=bounds,
            weights=self.weights[counted],
            initial_covariates=None if first is None else first[counted],
            transition_covariates=None if moves is None else moves[rows],
        )


def _left_after(dropped_out: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Column of the sessions after which somebody left: earlier ones were followed by another."""
    column = np.zeros(bounds[-1], dtype=np.int8)
    column[bounds[1:] - 1] = dropped_out
    return column
