"""Values of the expressions of a case, for one strategy and many draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.cases.case import Case, Cell, Finding, StrategySpec
from iesoresearch.models.cases.quantities import (
    NUMBER,
    Quantity,
    Unit,
    UnitAlgebra,
    wanted_per_cycle,
)
from iesoresearch.models.markov_cohort import Duration

#: Codes of findings that a model may have and still be computed.
REMARKS = frozenset(
    {"death-implausible", "probability-divided", "distribution-mean", "parameter-unused"}
)


@dataclass
class Findings:
    """Collects findings, each once."""

    found: dict[tuple[str, str, str], Finding] = field(default_factory=dict)

    def add(self, code: str, place: str, text: str) -> None:
        """Keep a finding."""
        blocking = code not in REMARKS
        self.found.setdefault((code, place, text), Finding(code, blocking, place, text))


class Scope:
    """Evaluates expressions to arrays (D|1, T|1, n|1): draws, times, cycles in the state.

    Parameters
    ----------
    case, strategy
        Whose expressions.
    draws
        Drawn values (D,) by parameter (``strategy.parameter`` where a strategy has its own).
    cycles
        Number of the cycle at each time, from 0; None where no cycles pass.
    findings
        Where what units forbid is kept.
    """

    def __init__(
        self,
        case: Case,
        strategy: StrategySpec | None,
        draws: Mapping[str, np.ndarray],
        cycles: np.ndarray | None,
        findings: Findings,
    ) -> None:
        self.case, self.strategy, self.draws, self.findings = case, strategy, draws, findings
        self.states = case.states
        self.cycle: Duration = case.cycle  # type: ignore[assignment]  # not asked where None
        self.rows = rows(case)
        self.parameters = {**case.parameters, **(strategy.parameters if strategy else {})}
        self._cycles = cycles
        self._memo: dict[tuple[str, int], Quantity] = {}
        self._tables = {name: (table, table.unit) for name, table in case.tables.items()}

    def named(self, name: str):
        """A definition of transitions by name."""
        return self.case.transitions if name == "base" else self.case.matrices[name]

    def value(self, cell: Cell, state: str | None = None) -> Quantity:
        """Value with unit; `state` says whose time in state it may read.

        Raises
        ------
        ParameterError
            A result that is not finite.
        """
        quantity = self._evaluate(cell, self.case.clock(state) if state else 1)
        value = np.asarray(quantity.value, float)
        value = value.reshape((1,) * (3 - value.ndim) + value.shape)
        if not np.isfinite(value).all():
            raise ParameterError(f"{cell.place}: {self._not_finite(cell, value)}")
        return Quantity(value, quantity.unit)

    def number(self, cell: Cell, state: str | None = None) -> np.ndarray:
        """Value alone."""
        return self.value(cell, state).value

    def probability(self, cell: Cell, state: str | None = None) -> np.ndarray:
        """Value as a probability per cycle.

        Raises
        ------
        ParameterError
            Outside 0 … 1.
        """
        quantity = self.value(cell, state)
        why = wanted_per_cycle(quantity.unit, "probability", self.case.cycle)
        if why:
            code = "rate-as-probability" if quantity.unit.kind == "rate" else "probability-period"
            self.findings.add(code, cell.place, f"{cell.expression.text!r} {why}")
        wrong = (quantity.value < 0) | (quantity.value > 1 + 1e-9)
        if wrong.any():
            at = tuple(int(k) for k in np.argwhere(wrong)[0])
            raise ParameterError(
                f"{cell.place}: {cell.expression.text!r} is {quantity.value[at]:.6g}"
                f"{self._when(at, quantity.value.shape)}, which is no probability."
            )
        return quantity.value

    def counts(self, place: str, counts: np.ndarray) -> np.ndarray:
        """(D|1, S) shares of a row of counts, drawn if there are draws of it."""
        return self.draws.get(place, (counts / counts.sum())[None])

    def scalar(self, cell: Cell) -> np.ndarray:
        """(D|1,) value that no time passes in."""
        return self.number(cell)[:, 0, 0]

    def _evaluate(self, cell: Cell, length: int) -> Quantity:
        algebra = UnitAlgebra(
            cycle=self.case.cycle,
            lookup=lambda name: self._variable(name, length),
            tables=self._tables,
            note=self._note(cell),
        )
        return algebra.evaluate(cell.expression)

    def _note(self, cell: Cell) -> Callable[[str, str], None]:
        def note(code: str, text: str) -> None:
            self.findings.add(code, cell.place, f"{cell.expression.text!r} {text}")

        return note

    def _variable(self, name: str, length: int) -> Quantity:
        if (name, length) not in self._memo:
            self._memo[name, length] = self._parameter(name, length)
        return self._memo[name, length]

    def _parameter(self, name: str, length: int) -> Quantity:
        for key in (f"{self.strategy.name}.{name}" if self.strategy else name, name):
            own = self.strategy is not None and name in self.strategy.parameters
            if key in self.draws and not (own and key == name):
                unit = self.parameters[name].unit if name in self.parameters else None
                return Quantity(self.draws[key][:, None, None], unit or NUMBER)
        if name in self.parameters:
            parameter = self.parameters[name]
            quantity = self._evaluate(parameter.cell, length)
            return self._declared(parameter.cell, quantity, parameter.unit)
        return Quantity(self._time(name, length))

    def _declared(self, cell: Cell, quantity: Quantity, unit: Unit | None) -> Quantity:
        """What a parameter is said to be, which what it is made of must not contradict."""
        if unit is None:
            return quantity
        made = quantity.unit
        if made.kind not in ("number", unit.kind) or (
            made.per and unit.per and made.per != unit.per
        ):
            text = f"{cell.expression.text!r} makes a {made}, but the unit given is {unit}"
            self.findings.add("units-mixed", cell.place, text)
        return Quantity(quantity.value, unit)

    def _time(self, name: str, length: int) -> np.ndarray:
        if name == "time_in_state":
            return np.arange(1.0, length + 1)[None, None, :]
        if self._cycles is None:
            raise ParameterError(f"{name!r} is not known where no cycles pass.")
        cycles = self._cycles[None, :, None].astype(float)
        if name == "cycle":
            return cycles
        if name == "time":
            return cycles + 1
        years = cycles * self.cycle.years
        if name == "years":
            return years
        start = self._variable_of(self.case.start_age)
        return start + years

    def _variable_of(self, cell: Cell | None) -> np.ndarray:
        if cell is None:
            raise ParameterError("age is not known: give start_age.")
        return self._evaluate(cell, 1).value

    def _not_finite(self, cell: Cell, value: np.ndarray) -> str:
        at = tuple(int(k) for k in np.argwhere(~np.isfinite(value))[0])
        why = "a division by 0, or the logarithm or root of what has none"
        if cell.expression.calls & set(self._tables):
            why = "a look-up outside the table"
        return (
            f"{cell.expression.text!r} is no finite number{self._when(at, value.shape)}; the usual "
            f"reason is {why}."
        )

    def _when(self, at: tuple[int, ...], shape: tuple[int, ...]) -> str:
        words = []
        if self.strategy is not None:
            words.append(f"strategy {self.strategy.name}")
        if shape[1] > 1:
            words.append(f"cycle {at[1] + 1}")
        if shape[2] > 1:
            words.append(f"time_in_state {at[2] + 1}")
        if shape[0] > 1:
            words.append(f"draw {at[0]}")
        return f" ({', '.join(words)})" if words else ""


def rows(case: Case) -> dict[str, slice]:
    """Where the rows of each state are, once states with a clock are split."""
    found, first = {}, 0
    for state in case.states:
        length = case.clock(state)
        found[state] = slice(first, first + length)
        first += length
    return found
