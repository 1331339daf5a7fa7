"""How answers depend on the state.

An *emission* knows the probability of every code of packed answers in every state, and how to
raise the expected log-likelihood of expected counts of those codes. Items are free in each state
(`FreeItems`), ordinal (`OrdinalItems`), or free with dependent pairs (`PairedItems`); the ladder
has its own in `iesoresearch.models.ladder`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, Self

import numpy as np

from iesoresearch.models.latent_markov import newton
from iesoresearch.models.latent_markov.blocks import Blocks
from iesoresearch.models.latent_markov.chains import normalise
from iesoresearch.models.latent_markov.packing import PackedItems

_NEAREST = 50  # double Newton steps of a projection that needs about five


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

    def two_way(self, one: int, other: int) -> np.ndarray:
        """Joint probability of two items in every state: (states, levels, levels)."""

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

    def two_way(self, one: int, other: int) -> np.ndarray:
        """Joint probability of two items in every state: (states, levels, levels)."""
        return self.item_probs[:, one, :, None] * self.item_probs[:, other, None, :]

    def step(self, packed: PackedItems, counts: np.ndarray) -> "FreeItems":
        """Maximise the expected log-likelihood of `counts` (table rows, states)."""
        return FreeItems(normalise(packed.item_counts(counts), self.item_probs))

    def ordered(self, order: np.ndarray) -> "FreeItems":
        """The same emission with its states in another order."""
        return FreeItems(self.item_probs[order])


class LogLinear:
    """What emissions share whose items may depend on one another in pairs.

    They hold `blocks` and `associations` (pairs,), and know `weights` (states, items, levels): the
    probability of every level of an item that had no partner.
    """

    @cached_property
    def block_tables(self) -> list[np.ndarray]:
        """Probability of each code of every block: (codes, states) each."""
        return self.blocks.block_tables(self.weights, self.associations)

    @cached_property
    def item_probs(self) -> np.ndarray:
        """Probability of every level of every item: (states, items, levels)."""
        return self.blocks.marginals(self.weights, self.block_tables)

    def tables(self, packed: PackedItems) -> np.ndarray:
        """Probability of each code in each state: (table rows, states)."""
        return self.blocks.tables(packed, self.weights, self.block_tables)

    def two_way(self, one: int, other: int) -> np.ndarray:
        """Joint probability of two items in every state: (states, levels, levels)."""
        return self.blocks.two_way(self.item_probs, self.block_tables, one, other)

    def step(self, packed: PackedItems, counts: np.ndarray) -> Self:
        """Raise the expected log-likelihood of `counts` (table rows, states)."""
        return self.raised(*self.blocks.completed(packed, counts, self.block_tables))

    def raised(self, answers: np.ndarray, products: np.ndarray | None = None) -> Self:
        """Raise the expected log-likelihood of complete counts (see `Blocks.completed`)."""
        products = np.zeros(len(self.associations)) if products is None else products
        moved = tuple(array.copy() for array in self.arrays)
        self._raise(np.ascontiguousarray(answers), products, *moved)
        return self.with_arrays(*moved)


@dataclass(frozen=True)
class PairedItems(LogLinear):
    """Items with free weights in each state, some of them in dependent pairs."""

    weights: np.ndarray
    associations: np.ndarray
    blocks: Blocks

    @classmethod
    def of(cls, item_probs: np.ndarray, associations: np.ndarray, blocks: Blocks) -> "PairedItems":
        """With these marginal probabilities (states, items, levels)."""
        return cls(blocks.weights_of(item_probs, associations), associations, blocks)

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What EM moves."""
        return self.weights, self.associations

    def with_arrays(self, weights: np.ndarray, associations: np.ndarray) -> "PairedItems":
        """The same kind of emission with other values."""
        return PairedItems(weights, associations, self.blocks)

    def ordered(self, order: np.ndarray) -> "PairedItems":
        """The same emission with its states in another order."""
        return PairedItems(self.weights[order], self.associations, self.blocks)

    def _raise(self, answers, products, weights, associations):
        newton.step_free(answers, products, self.blocks.structure, weights, associations)


@dataclass(frozen=True)
class OrdinalItems(LogLinear):
    r"""Adjacent-category items: a position of every item in every state, shared thresholds.

    .. math:: P(y_j = c \mid k) \propto \exp(c\, \theta_{jk} + b_{jc})

    (partial credit model, Masters 1982, doi:10.1007/BF02296272, with a free position of every item
    in every state): between the ladder, where positions of all items are one line, and free items.
    `positions` is (items, states), `thresholds` (items, levels).
    """

    positions: np.ndarray
    thresholds: np.ndarray
    associations: np.ndarray
    blocks: Blocks

    @classmethod
    def start(cls, items, blocks: Blocks, n_states: int, random) -> "OrdinalItems":
        """Random positions around a random level of each state; thresholds as of all answers."""
        positions = random.normal(0.0, 1.0, (len(blocks.levels), n_states))
        positions += random.normal(0.0, 1.0, n_states)
        thresholds = thresholds_of(items, blocks.levels)
        return cls(positions, thresholds, np.zeros(len(blocks.pairs)), blocks)

    @classmethod
    def nearest(cls, free: "PairedItems") -> "OrdinalItems":
        """Those that come closest to free items (likelihood of their weights as shares)."""
        blocks = free.blocks
        alone = Blocks(blocks.levels)
        thresholds = np.where(np.arange(blocks.n_levels) < blocks.levels[:, None], 0.0, -np.inf)
        ordinal = cls(np.zeros(free.weights.shape[1::-1]), thresholds, np.zeros(0), alone)
        for _ in range(_NEAREST):
            ordinal = ordinal.raised(free.weights)
        return cls(ordinal.positions, ordinal.thresholds, free.associations, blocks)

    @cached_property
    def weights(self) -> np.ndarray:
        """Probability of every level of an item that had no partner: (states, items, levels)."""
        scores = np.arange(self.thresholds.shape[1])
        return shares_of(self.positions.T[:, :, None] * scores + self.thresholds)

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What EM moves."""
        return self.positions, self.thresholds, self.associations

    def with_arrays(self, positions, thresholds, associations) -> "OrdinalItems":
        """The same kind of emission with other values."""
        return OrdinalItems(positions, thresholds, associations, self.blocks)

    def ordered(self, order: np.ndarray) -> "OrdinalItems":
        """The same emission with its states in another order."""
        positions = np.ascontiguousarray(self.positions[:, order])
        return OrdinalItems(positions, self.thresholds, self.associations, self.blocks)

    def _raise(self, answers, products, positions, thresholds, associations):
        newton.step_ordinal(
            answers, products, self.blocks.structure, positions, thresholds, associations
        )


def free_items(item_probs: np.ndarray, blocks: Blocks, associations=None) -> Emission:
    """Free items with these marginal probabilities (states, items, levels), in pairs or not."""
    if not blocks.pairs:
        return FreeItems(item_probs)
    if associations is None:
        associations = np.zeros(len(blocks.pairs))
    return PairedItems.of(item_probs, associations, blocks)


def shares_of(logits: np.ndarray) -> np.ndarray:
    """Exponentials that sum to one along the last axis."""
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def thresholds_of(items: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Thresholds that give the shares of all answers at position 0: (items, levels)."""
    n_levels = int(levels.max())
    counts = np.stack([(items == c).sum(axis=0) for c in range(n_levels)], axis=1) + 0.5
    thresholds = np.log(counts / counts[:, :1])
    thresholds[np.arange(n_levels) >= levels[:, None]] = -np.inf
    return thresholds
