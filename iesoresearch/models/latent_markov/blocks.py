"""Items that depend on one another within a state: pairs, and the blocks that pairs make.

Within a state the items of a block are associated log-linearly, pair by pair,

    P(block | state) ∝ prod_j w_j(y_j) * exp(sum_jl phi_jl s_j s_l),

with centred level scores s and one coefficient phi of a pair for all states: the linear-by-linear
(uniform) association of Goodman (1979, doi:10.1080/01621459.1979.10481650) as a direct effect
between indicators of a latent class model (Hagenaars 1988, Sociological Methods & Research 16:379).
The weights w are those of the item alone, had it no partner; an item without a partner is a block
of its own. What answers do given the state is determined by the *marginal* probabilities of the
items and by the phi (`Blocks.weights_of`), so those two are all that a fitted model has to keep.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit

from iesoresearch.errors import ParameterError
from iesoresearch.models.latent_markov.packing import PackedItems

_FITTING_SWEEPS = 1000  # of iterative proportional fitting; far more than it needs
_FITTED = 1e-15  # change of a weight at which it stops


@dataclass(frozen=True, eq=False)
class Blocks:
    """Pairs of items that depend on one another, and all items in connected blocks.

    Attributes
    ----------
    levels
        (items,): levels of each item.
    pairs
        Column numbers of the two items of every pair.
    """

    levels: np.ndarray
    pairs: tuple[tuple[int, int], ...] = ()

    @cached_property
    def all(self) -> tuple[tuple[int, ...], ...]:
        """Items of every block, ascending: those with partners first, then every item alone."""
        block_of = {item: {item} for item in range(len(self.levels))}
        for one, other in self.pairs:
            joined = block_of[one] | block_of[other]
            for item in joined:
                block_of[item] = joined
        blocks = {tuple(sorted(block)) for block in block_of.values()}
        return tuple(sorted(blocks, key=lambda block: (len(block) == 1, block)))

    @cached_property
    def together(self) -> tuple[tuple[int, ...], ...]:
        """Blocks of several items."""
        return tuple(block for block in self.all if len(block) > 1)

    @cached_property
    def n_levels(self) -> int:
        """Largest number of levels of an item."""
        return int(self.levels.max())

    @cached_property
    def scores(self) -> np.ndarray:
        """Level scores of every item, centred between its lowest and highest: (items, levels)."""
        return np.arange(self.n_levels) - (self.levels[:, None] - 1) / 2

    @cached_property
    def structure(self) -> tuple[np.ndarray, ...]:
        """For the kernels: items of each block (-1 = none), its first cell, answers and products.

        Answers of every cell of every block are (cells, most items of a block), products of
        scores (cells, pairs), zero for pairs of other blocks; `homes` (pairs,) is the block of
        each pair.
        """
        widest = max(map(len, self.all))
        items = np.full((len(self.all), widest), -1, dtype=np.int64)
        sizes = [self.n_levels ** len(block) for block in self.all]
        first = np.concatenate([[0], np.cumsum(sizes)])
        digits = np.zeros((first[-1], widest), dtype=np.int64)
        products = np.zeros((first[-1], len(self.pairs)))
        homes = np.zeros(len(self.pairs), dtype=np.int64)
        for b, block in enumerate(self.all):
            items[b, : len(block)] = block
            rows = slice(first[b], first[b + 1])
            cells = np.unravel_index(np.arange(sizes[b]), (self.n_levels,) * len(block))
            digits[rows, : len(block)] = np.stack(cells, axis=1)
            for p, (one, other) in enumerate(self.pairs):
                if one in block:
                    homes[p] = b
                    products[rows, p] = (
                        self.scores[one, cells[block.index(one)]]
                        * self.scores[other, cells[block.index(other)]]
                    )
        return items, first, digits, products, homes

    def block_tables(self, weights: np.ndarray, associations: np.ndarray) -> list[np.ndarray]:
        """Probability of each code of every block of several items: (codes, states) each.

        A code with missing answers has the sum of all that may stand behind it.
        """
        _, first, digits, products, _ = self.structure
        out = []
        for b, block in enumerate(self.together):
            cells = slice(first[b], first[b + 1])
            table = np.zeros(((self.n_levels + 1) ** len(block), len(weights)))
            factors = np.exp(products[cells] @ associations)
            _add_cells(self._block_items[b], digits[cells], self._codes[b], factors, weights, table)
            out.append(table / table[-1])  # the last code, all missing, holds the sum of all cells
        return out

    def marginals(self, weights: np.ndarray, block_tables: list[np.ndarray]) -> np.ndarray:
        """Probability of every level of every item: (states, items, levels)."""
        out = weights / weights.sum(axis=2, keepdims=True)
        for block, table, codes in zip(
            self.together, block_tables, self._marginal_codes, strict=True
        ):
            out[:, block] = table[codes].transpose(2, 0, 1)
        return out

    @cached_property
    def _marginal_codes(self) -> list[np.ndarray]:
        """For every block of several items, codes of each level alone: (items, levels)."""
        return [
            np.stack([self._levels_of(block, item) for item in block]) for block in self.together
        ]

    def two_way(self, item_probs, block_tables, one: int, other: int) -> np.ndarray:
        """Joint probability of two items in every state: (states, levels, levels)."""
        for block, table in zip(self.together, block_tables, strict=True):
            if one in block and other in block:
                return table[self._levels_of(block, one, other)].transpose(2, 0, 1)
        return item_probs[:, one, :, None] * item_probs[:, other, None, :]

    def _levels_of(self, block: tuple[int, ...], *items: int) -> np.ndarray:
        """Codes of every combination of levels of `items`, the rest of their block missing."""
        answers = np.indices((self.n_levels,) * len(items))
        at = [
            answers[items.index(item)]
            if item in items
            else np.full(answers[0].shape, self.n_levels)
            for item in block
        ]
        return np.ravel_multi_index(at, (self.n_levels + 1,) * len(block))

    def tables(self, packed: PackedItems, weights, block_tables) -> np.ndarray:
        """Probability of each code in each state, summed over missing answers: (rows, states)."""
        tables = packed.tables(weights, len(weights))
        for first, table in zip(packed.offsets, block_tables, strict=False):
            tables[first : first + len(table)] = table
        return tables

    @cached_property
    def _block_items(self) -> list[np.ndarray]:
        return [np.array(block) for block in self.all]

    @cached_property
    def _codes(self) -> list[np.ndarray]:
        """For every block the codes that stand for each cell: (cells, subsets of missing).

        The first is the cell itself, the last is all answers missing.
        """
        out = []
        for block in self.all:
            cells = np.indices((self.n_levels,) * len(block)).reshape(len(block), -1)
            subsets = np.indices((2,) * len(block)).reshape(len(block), -1)
            answers = np.where(subsets[:, None], self.n_levels, cells[:, :, None])
            out.append(np.ravel_multi_index(answers, (self.n_levels + 1,) * len(block)))
        return out

    def completed(
        self, packed: PackedItems, counts: np.ndarray, block_tables
    ) -> tuple[np.ndarray, np.ndarray]:
        """What log-linear models need of expected counts per code (table rows, states).

        A code with some answers of its block missing is shared out over the answers that may
        stand behind it, in proportion to their probability; one with all of them missing says
        nothing.

        Returns
        -------
        answers : (states, items, levels) array
        products : (pairs,) array
            Sums of the products of scores of every pair.
        """
        answers = packed.item_counts(counts)
        products = np.zeros(len(self.pairs))
        _, first, digits, scores, _ = self.structure
        for b, (block, table) in enumerate(zip(self.together, block_tables, strict=True)):
            cells = slice(first[b], first[b + 1])
            full = np.empty((len(self._codes[b]), counts.shape[1]))
            rows = counts[packed.offsets[b] : packed.offsets[b] + len(table)]
            _share_out(np.ascontiguousarray(rows), table, self._codes[b], full)
            answers[:, block] = 0.0
            _add_answers(self._block_items[b], digits[cells], full, answers)
            products += full.sum(axis=1) @ scores[cells]
        return answers, products

    def weights_of(self, item_probs: np.ndarray, associations: np.ndarray) -> np.ndarray:
        """Weights behind marginal probabilities (states, items, levels).

        Iterative proportional fitting (Deming & Stephan 1940, doi:10.1214/aoms/1177731829), which
        keeps the associations.
        """
        weights = item_probs.copy()
        partners = [item for block in self.together for item in block]
        for _ in range(_FITTING_SWEEPS if partners else 0):
            before = weights.copy()
            for item in partners:
                now = self.marginals(weights, self.block_tables(weights, associations))[:, item]
                raised = weights[:, item] * item_probs[:, item] / np.where(now > 0, now, 1.0)
                weights[:, item] = raised / raised.sum(axis=1, keepdims=True)
            if np.abs(weights - before).max() < _FITTED:
                break
        return weights

    def draw(self, states, weights, associations, random: np.random.Generator) -> np.ndarray:
        """Answers given the state of each row: (rows, items) int8."""
        answers = np.empty((len(states), len(self.levels)), dtype=np.int8)
        tables = self.block_tables(weights, associations)
        for b, block in enumerate(self.all):
            cells = tables[b][self._codes[b][:, 0]].T if len(block) > 1 else weights[:, block[0]]
            below = cells.cumsum(axis=1)
            below /= below[:, -1:]  # rounding; cells of no probability have no room between sums
            drawn = (random.random((len(states), 1)) >= below[states]).sum(axis=1)
            answers[:, block] = np.stack(
                np.unravel_index(drawn, (self.n_levels,) * len(block)), axis=1
            )
        return answers


@njit(nogil=True, cache=True, error_model="numpy")
def _add_cells(items, digits, codes, factors, weights, out):
    """Add the weight of every cell to all codes it may stand behind: (codes, states)."""
    for cell in range(len(factors)):
        for k in range(len(weights)):
            weight = factors[cell]
            for place in range(len(items)):
                weight *= weights[k, items[place], digits[cell, place]]
            for subset in range(codes.shape[1]):
                out[codes[cell, subset], k] += weight


@njit(nogil=True, cache=True, error_model="numpy")
def _share_out(counts, table, codes, full):
    """Counts of codes as counts of cells, into `full` (cells, states)."""
    for cell in range(len(full)):
        itself = codes[cell, 0]
        for k in range(full.shape[1]):
            full[cell, k] = counts[itself, k]
            for subset in range(1, codes.shape[1] - 1):
                code = codes[cell, subset]
                if counts[code, k] > 0.0:
                    full[cell, k] += counts[code, k] * table[itself, k] / table[code, k]


@njit(nogil=True, cache=True, error_model="numpy")
def _add_answers(items, digits, full, answers):
    """Add counts of cells to those of every item's levels: (states, items, levels)."""
    for cell in range(len(full)):
        for place in range(len(items)):
            for k in range(full.shape[1]):
                answers[k, items[place], digits[cell, place]] += full[cell, k]


def check_pairs(pairs, n_items: int) -> tuple[tuple[int, int], ...]:
    """Pairs of different items, each named once.

    Raises
    ------
    ParameterError
        Something else.
    """
    try:
        found = tuple((int(one), int(other)) for one, other in pairs)
        whole = all((one, other) == tuple(pair) for (one, other), pair in zip(found, pairs))  # noqa: B905
    except (TypeError, ValueError):
        found, whole = (), False
    named = {frozenset(pair) for pair in found}
    inside = all(0 <= item < n_items for pair in found for item in pair)
    if not whole or not inside or len(named) < len(found) or any(len(p) < 2 for p in named):
        raise ParameterError(
            f"dependent_pairs={pairs!r} must name pairs of different columns from 0 to "
            f"{n_items - 1}, each pair once, such as ((0, 1), (2, 3))."
        )
    return found
