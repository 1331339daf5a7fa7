"""Packed answers of people, in parts of fixed size whose sums are added in a fixed order."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from iesoresearch.models.latent_markov.interleaved import Fours, deal
from iesoresearch.models.latent_markov.packing import PackedItems

CHUNK = 2048  # people per partial sum; fixed, so that the number of threads changes no bit
_NONE = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class Chunk:
    """Some people, and the classes of people and of moves that occur among them.

    `bounds` point into the codes of all; `first_class` (people,) and `move_class` (rows of the
    chunk,) count within `firsts` and `moves`, and are empty where there is one class only.
    """

    bounds: np.ndarray
    weights: np.ndarray
    firsts: np.ndarray
    moves: np.ndarray
    first_class: np.ndarray
    move_class: np.ndarray


@dataclass(frozen=True)
class Sessions:
    """Answers of people one after the other.

    Attributes
    ----------
    packed
        Their answers.
    bounds
        (people + 1,): rows of person p are ``bounds[p] : bounds[p + 1]``.
    weights
        (people,): how often each person counts; None for once each.
    first_class
        (people,): class of initial probabilities; None where all share them.
    move_class
        (rows,): class of the move *into* the row, meaningless in a person's first; None where all
        share one transition matrix.
    """

    packed: PackedItems
    bounds: np.ndarray
    weights: np.ndarray | None = None
    first_class: np.ndarray | None = None
    move_class: np.ndarray | None = None

    @property
    def n_people(self) -> int:
        """Number of people."""
        return len(self.bounds) - 1

    @property
    def alike(self) -> bool:
        """Whether all share initial and transition probabilities."""
        return self.first_class is None and self.move_class is None

    @cached_property
    def chunks(self) -> list[Chunk]:
        """The people in chunks of fixed size, in their order."""
        return [self._chunk(first) for first in range(0, self.n_people, CHUNK)]

    @cached_property
    def fours(self) -> list[Fours]:
        """The people by number of sessions, for the E-step where they are `alike`."""
        return deal(self.packed.codes, self.bounds, self.weights)

    @cached_property
    def _once_each(self) -> np.ndarray:
        return np.ones(min(CHUNK, self.n_people))

    def _chunk(self, first: int) -> Chunk:
        last = min(first + CHUNK, self.n_people)
        bounds = self.bounds[first : last + 1]
        everybody = self.weights is None
        weights = self._once_each[: last - first] if everybody else self.weights[first:last]
        firsts, first_class = np.zeros(1, dtype=np.int64), _NONE
        if self.first_class is not None:
            firsts, first_class = np.unique(self.first_class[first:last], return_inverse=True)
        moves, move_class = np.zeros(1, dtype=np.int64), _NONE
        if self.move_class is not None:
            moves, move_class = np.unique(
                self.move_class[bounds[0] : bounds[-1]], return_inverse=True
            )
        return Chunk(bounds, weights, firsts, moves, first_class, move_class)
