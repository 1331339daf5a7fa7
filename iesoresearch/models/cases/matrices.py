"""Transitions: how they may be written, and their value.

A definition gives (D|1, T|1, N, S): probabilities of moving from each of N states, those with a
clock split by time in state, to each of the S states of the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import scipy.linalg

from iesoresearch.errors import ParameterError
from iesoresearch.models.cases.case import Cell
from iesoresearch.models.cases.quantities import Quantity
from iesoresearch.models.markov_cohort import Duration


class Space(Protocol):
    """What a definition needs to know: see `scope.Scope`."""

    states: tuple[str, ...]
    rows: dict[str, slice]
    cycle: Duration

    def value(self, cell: Cell, state: str | None = None) -> Quantity: ...  # noqa: D102
    def probability(self, cell: Cell, state: str | None = None) -> np.ndarray: ...  # noqa: D102
    def number(self, cell: Cell, state: str | None = None) -> np.ndarray: ...  # noqa: D102
    def counts(self, place: str, counts: np.ndarray) -> np.ndarray: ...  # noqa: D102
    def named(self, name: str) -> Definition: ...  # noqa: D102


class Definition(Protocol):
    """A way to write transitions."""

    def evaluate(self, space: Space) -> np.ndarray:
        """(D|1, T|1, N, S) probabilities."""
        ...


REST = "rest"

#: Per state, per state moved to: an expression, or `REST`.
Rows = Mapping[str, Mapping[str, Cell | str]]


@dataclass(frozen=True, eq=False)
class RowsOf:
    """Probabilities, state by state; `REST` is what is left of 1."""

    rows: Rows
    places: Mapping[str, str]

    def evaluate(self, space: Space) -> np.ndarray:
        """See `Definition`."""
        return _stack(space, {s: self._row(space, s) for s in space.states})

    def _row(self, space: Space, state: str) -> np.ndarray:
        entries = self.rows[state]
        named = {
            to: space.probability(entry, state)
            for to, entry in entries.items()
            if not isinstance(entry, str)
        }
        for to, entry in entries.items():
            if isinstance(entry, str):
                total = sum(named.values(), np.zeros((1, 1, 1)))
                _room(total, self.places[state])
                named[to] = np.clip(1.0 - total, 0.0, 1.0)
                return _spread(named, space.states)
        _whole(sum(named.values(), np.zeros((1, 1, 1))), self.places[state])
        return _spread(named, space.states)


@dataclass(frozen=True, eq=False)
class Counts:
    """Observed numbers of moves; in a probabilistic analysis a Dirichlet distribution per row."""

    rows: Mapping[str, tuple[float, ...]]
    place: str

    def evaluate(self, space: Space) -> np.ndarray:
        """See `Definition`."""
        found = {}
        for state, counts in self.rows.items():
            shares = space.counts(f"{self.place}.{state}", np.array(counts))
            found[state] = shares[:, None, None, :]
        return _stack(space, found)


@dataclass(frozen=True, eq=False)
class Named:
    """One of the case's `matrices`, or the base."""

    name: str

    def evaluate(self, space: Space) -> np.ndarray:
        """See `Definition`."""
        return space.named(self.name).evaluate(space)


@dataclass(frozen=True, eq=False)
class Mix:
    """Weighted mean of definitions."""

    parts: tuple[tuple[Cell | str, Definition], ...]
    place: str

    def evaluate(self, space: Space) -> np.ndarray:
        """See `Definition`."""
        weights = [None if isinstance(w, str) else _all_rows(space, w) for w, _ in self.parts]
        total = sum(w for w in weights if w is not None)
        _room(total, self.place)
        if any((w < 0).any() for w in weights if w is not None):
            raise ParameterError(f"{self.place}: a weight is negative.")
        weights = [1.0 - total if w is None else w for w in weights]
        matrices = [definition.evaluate(space) for _, definition in self.parts]
        return sum(w * matrix for w, matrix in zip(weights, matrices, strict=True))


@dataclass(frozen=True, eq=False)
class Switch:
    """The first definition whose condition holds; the last has none."""

    parts: tuple[tuple[Cell | None, Definition], ...]

    def evaluate(self, space: Space) -> np.ndarray:
        """See `Definition`."""
        found = None
        for when, definition in reversed(self.parts):
            matrix = definition.evaluate(space)
            if when is not None and found is not None:
                matrix = np.where(_all_rows(space, when) != 0, matrix, found)
            found = matrix
        return found


@dataclass(frozen=True, eq=False)
class Relative:
    """Moves made more or less probable; staying takes up the difference.

    Attributes
    ----------
    kind
        "relative_risk": p × value. "hazard_ratio": 1 - (1 - p)^value. "odds_ratio".
    from_, to
        Which moves; None: from, or to, every state.
    """

    kind: str
    value: Cell
    of: Definition
    from_: tuple[str, ...] | None
    to: tuple[str, ...] | None
    place: str

    def evaluate(self, space: Space) -> np.ndarray:
        """See `Definition`."""
        matrix, value = self.of.evaluate(space), _all_rows(space, self.value)
        if self.kind == "relative_risk":
            changed = matrix * value
        elif self.kind == "hazard_ratio":
            changed = 1 - (1 - matrix) ** value
        else:
            odds = value * matrix / np.where(matrix < 1, 1 - matrix, np.nan)
            changed = np.where(matrix < 1, odds / (1 + odds), 1.0)
        return _restay(np.where(self._chosen(space), changed, matrix), space, self.place)

    def _chosen(self, space: Space) -> np.ndarray:
        chosen = np.zeros((len(own(space)), len(space.states)), bool)
        for state in self.from_ or space.states:
            for to in self.to or space.states:
                chosen[space.rows[state], space.states.index(to)] = to != state
        return chosen


@dataclass(frozen=True, eq=False)
class Dying:
    """Other moves happen to those who survive the cycle."""

    to: str
    probability: Mapping[str, Cell]
    of: Definition

    def evaluate(self, space: Space) -> np.ndarray:
        """See `Definition`."""
        matrix = self.of.evaluate(space)
        column = space.states.index(self.to)
        dying = {
            state: space.probability(self.probability[state], state)[..., None]
            for state in self.probability
        }
        nobody = np.zeros((1, 1, 1, 1))
        p = _stack(space, {state: dying.get(state, nobody) for state in space.states})
        made = matrix * (1 - p)
        made[..., column] += p[..., 0]
        return made


@dataclass(frozen=True, eq=False)
class Rates:
    """Transition rates; within a cycle they compete.

    Attributes
    ----------
    method
        "competing": one event a cycle at most, 1 - exp(-sum) shared out by rate. "exponential":
        the matrix exponential, in which several may follow each other.
    """

    rows: Mapping[str, Mapping[str, Cell]]
    method: str
    place: str

    def evaluate(self, space: Space) -> np.ndarray:
        """See `Definition`."""
        found = {}
        for state in space.states:
            named = {to: self._rate(space, cell, state) for to, cell in self.rows[state].items()}
            found[state] = _spread(named, space.states)
        rates = _stack(space, found)
        staying = own(space)
        if self.method == "competing":
            total = rates.sum(-1, keepdims=True)
            some = -np.expm1(-total) / np.where(total > 0, total, 1.0)
            return _restay(rates * some, space, self.place)
        if len(staying) != len(space.states):
            raise ParameterError(f"{self.place}: exponential does not go with clocks.")
        generator = rates.copy()
        diagonal = np.arange(len(staying))
        generator[..., diagonal, diagonal] -= rates.sum(-1)
        return scipy.linalg.expm(generator)

    def _rate(self, space: Space, cell: Cell, state: str) -> np.ndarray:
        quantity = space.value(cell, state)
        if np.any(quantity.value < 0):
            worst = float(quantity.value.min())
            raise ParameterError(f"{cell.place}: a rate is negative ({worst:g}).")
        per = quantity.unit.per if quantity.unit.kind == "rate" else None
        return quantity.value * (space.cycle.over(per) if per else 1.0)


def own(space: Space) -> np.ndarray:
    """Index of the state of the file that each row belongs to."""
    return np.concatenate(
        [np.full(space.rows[s].stop - space.rows[s].start, k) for k, s in enumerate(space.states)]
    )


def _stack(space: Space, rows: Mapping[str, np.ndarray]) -> np.ndarray:
    """(D|1, T|1, N, S) of the (D|1, T|1, n|1, S) of each state."""
    blocks = [rows[state] for state in space.states]
    lead = np.broadcast_shapes(*(block.shape[:2] for block in blocks))
    lengths = [space.rows[s].stop - space.rows[s].start for s in space.states]
    full = [
        np.broadcast_to(block, (*lead, n, block.shape[3]))
        for block, n in zip(blocks, lengths, strict=True)
    ]
    return np.concatenate(full, axis=2)


def _spread(named: Mapping[str, np.ndarray], states: tuple[str, ...]) -> np.ndarray:
    shape = np.broadcast_shapes((1, 1, 1), *(p.shape for p in named.values()))
    row = np.zeros((*shape, len(states)))
    for to, p in named.items():
        row[..., states.index(to)] = p
    return row


def _all_rows(space: Space, cell: Cell) -> np.ndarray:
    """Value of an expression for the rows of all states, (D|1, T|1, N, 1)."""
    rows = {state: space.number(cell, state)[..., None] for state in space.states}
    return _stack(space, rows)


def _restay(matrix: np.ndarray, space: Space, place: str) -> np.ndarray:
    made, staying = matrix.copy(), own(space)
    rows = np.arange(len(staying))
    made[..., rows, staying] = 0.0
    total = made.sum(-1)
    _room(total, place)
    made[..., rows, staying] = np.clip(1.0 - total, 0.0, 1.0)
    return made


def _room(total: np.ndarray, place: str) -> None:
    """Refuse probabilities that leave nothing for the rest."""
    if np.any(total > 1 + 1e-9):
        sums = _at(total, np.argmax(total))
        raise ParameterError(
            f"{place}: what is named sums to {sums}, more than 1, so that the rest would be "
            "negative."
        )


def _whole(total: np.ndarray, place: str) -> None:
    """Refuse a row without a rest that does not sum to one."""
    gap = np.abs(total - 1.0)
    if np.any(gap > 1e-9):
        sums = _at(total, np.argmax(gap))
        raise ParameterError(
            f"{place}: the row sums to {sums} instead of 1. Write rest for what is left, as in "
            "{well: rest, ill: 0.1}."
        )


def _at(total: np.ndarray, index: np.intp) -> str:
    """A sum, and where it is."""
    at = np.unravel_index(int(index), total.shape)
    where = f" in cycle {at[1] + 1}" if total.ndim > 1 and total.shape[1] > 1 else ""
    draw = f" of draw {at[0]}" if total.shape[0] > 1 else ""
    return f"{float(total[at]):.10g}{where}{draw}"
