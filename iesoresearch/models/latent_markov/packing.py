"""Several item answers in one byte, and look-up tables of their joint probability.

Items are independent given the state, so the probability of a session is a product over items.
Packing neighbouring items into one code (three four-level items: 5**3 = 125 codes, the fifth
level being "missing") turns nine look-ups and products into three, and makes every missing
answer, up to a wholly missing session, an ordinary code whose probability is one.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from iesoresearch.errors import ParameterError

_MOST_CODES = 256  # so that a code fits one byte


@dataclass(frozen=True)
class PackedItems:
    """Answers of all sessions as codes.

    Attributes
    ----------
    codes
        uint8, (rows, groups).
    digits
        For every group the answers behind each code: (codes, items of the group); `n_levels`
        stands for missing.
    indicators
        For every group which answers each code stands for: 0/1, (codes, items * levels).
    items
        For every group the column numbers of its items.
    offsets
        int64, (groups,): first row of each group in the stacked tables.
    n_items, n_levels
        Number of items and of answer levels (the largest of any item).
    """

    codes: np.ndarray
    digits: tuple[np.ndarray, ...]
    indicators: tuple[np.ndarray, ...]
    items: tuple[tuple[int, ...], ...]
    offsets: np.ndarray
    n_items: int
    n_levels: int

    def tables(self, item_probs: np.ndarray, lanes: int) -> np.ndarray:
        """Probability of each code in each state.

        Parameters
        ----------
        item_probs
            (states, items, levels).
        lanes
            Width of a table row; lanes beyond the states hold zero.

        Returns
        -------
        array
            (table rows, lanes).
        """
        n_states = len(item_probs)
        # answers by state; "missing" is an answer of probability one
        probs = np.ones((self.n_items, self.n_levels + 1, lanes))
        probs[:, :-1, :n_states] = item_probs.transpose(1, 2, 0)
        probs[:, :, n_states:] = 0.0
        probs = probs.reshape(-1, lanes)
        tables = probs[self._answers[0]]
        for answers in self._answers[1:]:
            tables *= probs[answers]
        return tables

    @cached_property
    def _answers(self) -> list[np.ndarray]:
        """By place in the group: which answer (item * (levels + 1) + level) each table row means.

        Where a group has fewer items, its first item is missing once more.
        """
        columns = []
        for place in range(max(map(len, self.items))):
            parts = []
            for digits, items in zip(self.digits, self.items, strict=True):
                inside = place < len(items)
                item = items[place if inside else 0]
                level = digits[:, place] if inside else np.full(len(digits), self.n_levels)
                parts.append(item * (self.n_levels + 1) + level)
            columns.append(np.concatenate(parts))
        return columns

    def item_counts(self, table_counts: np.ndarray) -> np.ndarray:
        """Expected answers (lanes, items, levels) from counts per code (table rows, lanes)."""
        counts = np.empty((table_counts.shape[1], self.n_items, self.n_levels))
        for block, indicator, items in zip(
            self.blocks(table_counts), self.indicators, self.items, strict=True
        ):
            counts[:, items] = (block.T @ indicator).reshape(-1, len(items), self.n_levels)
        return counts

    def blocks(self, by_code: np.ndarray) -> list[np.ndarray]:
        """Rows of every group of an array with one row per code: (table rows, ...)."""
        ends = [*self.offsets[1:], len(by_code)]
        return [by_code[a:b] for a, b in zip(self.offsets, ends, strict=True)]


def pack(items: np.ndarray, n_levels: int, together=()) -> PackedItems:
    """Pack answers 0 … `n_levels` - 1 (-1 = missing) of shape (rows, items).

    Parameters
    ----------
    items, n_levels
        The answers.
    together
        Column numbers that must share a code, as tuples: items that depend on one another even
        within a state. By default neighbours are packed.

    Raises
    ------
    ParameterError
        Items that must share a code have more patterns than fit one byte.
    """
    n_items = items.shape[1]
    base = n_levels + 1
    most = max(1, int(np.log(_MOST_CODES) / np.log(base) + 1e-9))
    for group in together:
        if len(group) > most:
            raise ParameterError(
                f"{len(group)} items that depend on one another have more than {_MOST_CODES} "
                f"patterns; at {n_levels} levels at most {most} items can. Name fewer pairs."
            )
    bound = {item for group in together for item in group}
    single = [item for item in range(n_items) if item not in bound]
    groups = tuple(tuple(group) for group in together) + tuple(
        tuple(single[first : first + most]) for first in range(0, len(single), most)
    )
    codes = np.zeros((len(items), len(groups)), dtype=np.uint8)
    digits = []
    for g, group in enumerate(groups):
        for item in group:
            answer = items[:, item]
            codes[:, g] *= np.uint8(base)
            codes[:, g] += np.where(answer < 0, np.uint8(n_levels), answer.astype(np.uint8))
        places = np.unravel_index(np.arange(base ** len(group)), (base,) * len(group))
        digits.append(np.stack(places, axis=1))
    sizes = [len(d) for d in digits]
    offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
    indicators = [(d[:, :, None] == np.arange(n_levels)).astype(float) for d in digits]
    return PackedItems(
        codes=codes,
        digits=tuple(digits),
        indicators=tuple(i.reshape(len(i), -1) for i in indicators),
        items=groups,
        offsets=offsets,
        n_items=n_items,
        n_levels=n_levels,
    )
