"""How answers depend on the state.

An *emission* knows the probability of every code of packed answers in every state, and how to
raise the expected log-likelihood of expected counts of those codes.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from iesoresearch.models.latent_markov.chains import normalise
from iesoresearch.models.latent_markov.packing import PackedItems


class Emission(Protocol):
    """What EM asks of an emission."""

    @property
    def item_probs(self) -> np.ndarray:
        """Probability of every level of every item: (states, items, levels)."""

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What EM moves."""

    def with_arrays(self, *arrays: np.ndarray) -> "Emission":
        """The same kind of emission with other values."""

    def tables(self, packed: PackedItems) -> np.ndarray:
        """Probability of each code in each state: (table rows, states)."""

    def step(self, packed: PackedItems, counts: np.ndarray) -> "Emission":
        """Raise the expected log-likelihood of `counts` (table rows, states)."""

    def ordered(self, order: np.ndarray) -> "Emission":
        """The same emission with its states in another order."""


@dataclass(frozen=True)
class FreeItems:
    """Items independent given the state, each with free probabilities in each state."""

    item_probs: np.ndarray

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What EM moves."""
        return (self.item_probs,)

    def with_arrays(self, item_probs: np.ndarray) -> "FreeItems":
        """The same kind of emission with other values."""
        return FreeItems(item_probs)

    def tables(self, packed: PackedItems) -> np.ndarray:
        """Probability of each code in each state: (table rows, states)."""
        return packed.tables(self.item_probs, len(self.item_probs))

    def step(self, packed: PackedItems, counts: np.ndarray) -> "FreeItems":
        """Maximise the expected log-likelihood of `counts` (table rows, states)."""
        return FreeItems(normalise(packed.item_counts(counts), self.item_probs))

    def ordered(self, order: np.ndarray) -> "FreeItems":
        """The same emission with its states in another order."""
        return FreeItems(self.item_probs[order])
