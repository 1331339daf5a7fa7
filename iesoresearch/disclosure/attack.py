"""The attacker: what can be proved of every suppressed count from all that was released.

She knows the policy, the rounded counts, the zeros, which rows are said to hold a small count, what
adds up to what, and totals from elsewhere. Rates, gaps and intervals that are derived from released
counts tell her nothing more. Every range is the answer of two integer programmes (HiGHS), so it is
exact: no cleverer argument from the same facts narrows it.
"""

from collections.abc import Collection, Mapping

import numpy as np
import polars as pl

from iesoresearch.disclosure import linking, relations, solver
from iesoresearch.disclosure.policy import Policy
from iesoresearch.disclosure.relations import Cell, Place, Sum, System, Total
from iesoresearch.disclosure.release import PROTECTS, UNSAID, small_status
from iesoresearch.results import STATUS, Table

_FREE = 10  # times as many people as could be told apart from more


def ranges(
    tables: Mapping[str, Table],
    policy: Policy,
    totals: Mapping[Total, int] | None = None,
    cells: Collection[Cell] | None = None,
) -> pl.DataFrame:
    """Least and largest value of every suppressed count, and of what is left of its whole.

    Parameters
    ----------
    tables
        Released together, by name.
    policy
        They were released under.
    totals
        What the attacker knows from elsewhere, such as exact national figures.
    cells
        Only these and their rests; all without.

    Returns
    -------
    polars.DataFrame
        ``population``, ``column``, ``row`` (keys in words), ``rest_of`` (column of the whole; null
        for the count itself), ``low``, ``high`` (null where nothing bounds it).

    Raises
    ------
    ValueError
        The tables contradict each other, the policy or the totals.
    """
    attack = _Attack(dict(tables), policy, dict(totals or {}))
    system, found = attack.system, []
    parts = [*range(system.n_rests_from), *(rest.part for rest in system.rests)]
    for unknowns, sums in relations.components(system, attack.known, attack.said):
        inside = _Programme(attack, unknowns.tolist(), sums)
        for at in unknowns.tolist():
            if at >= system.n_totals_from or not attack.is_hidden(parts[at]):
                continue
            cell = system.cells[parts[at]]
            if cells is None or cell in cells:
                found.append(_described(system, at, cell) | inside.range(at))
    return pl.DataFrame(found, schema=_SCHEMA)


_SCHEMA = dict.fromkeys(("population", "column", "row", "rest_of"), pl.String)
_SCHEMA |= {"low": pl.Int64, "high": pl.Int64}


def _described(system: System, at: int, cell: Cell) -> dict:
    rest_of = None
    if at >= system.n_rests_from:
        rest_of = system.named(system.rests[at - system.n_rests_from].whole)
    row = ", ".join(f"{key} {value}" for key, value in cell.row)
    return {"population": cell.population, "column": cell.column, "row": row, "rest_of": rest_of}


class _Attack:
    """What is known of each unknown by itself."""

    def __init__(self, tables: dict[str, Table], policy: Policy, totals: dict[Total, int]):
        self.tables, self.policy = tables, policy
        self.system = linking.build(tables)
        self.shown = [
            next((v for name, row in places if (v := self._cell(name, row, at)) is not None), None)
            for at, places in enumerate(self.system.places)
        ]
        self.known = np.zeros(len(self.system), dtype=bool)
        self.totals = {}
        for at, total in enumerate(self.system.totals, self.system.n_totals_from):
            if total in totals:
                self.known[at], self.totals[at] = True, totals[total]
        seen = [*self.totals.values(), *(v for v in self.shown if v is not None)]
        #: No count that is bounded exceeds `most`; one that is not may reach `free`.
        self.most = max(seen, default=0) + (policy.min_count + policy.round_to) * len(self.system)
        self.free = _FREE * self.most
        #: Of every row that is said to hold a small count, the counts that may be it.
        self.said = [few for p in sorted(self.system.members) if (few := self.few_among(p))]

    def _cell(self, name: str, row: int, at: int) -> int | None:
        return self.tables[name].frame[self.system.cells[at].column][row]

    def status(self, place: Place) -> str:
        return self.tables[place[0]].frame[STATUS][place[1]]

    def is_hidden(self, cell: int) -> bool:
        return self.shown[cell] is None

    def bounds(self, at: int) -> tuple[int, int]:
        """Lowest and highest value; nobody but zero may lie below the lowest."""
        if at >= self.system.n_totals_from:
            return (self.totals[at],) * 2 if self.known[at] else (0, self.free)
        rest = at >= self.system.n_rests_from
        cell = self.system.rests[at - self.system.n_rests_from].part if rest else at
        few = self.policy.min_count
        if not self.is_hidden(cell):
            if self.shown[cell] == 0:  # without a part that is none, the rest is the whole
                return 0, self.free * rest
            if rest:
                return few, self.free
            low, high = self.policy.shown_as(self.shown[cell])
            return max(low, few), high
        said = {self.status(place) for place in self.system.places[cell]}
        if PROTECTS in said:
            return few, self.free
        return 0 if rest or said == {UNSAID} else self.policy.fewest, self.free

    def may_be_zero(self, at: int) -> bool:
        """Rests that are not few may be none where none is not few."""
        rest = self.system.n_rests_from <= at < self.system.n_totals_from
        return rest and not self.policy.zeros_disclosive and self.bounds(at)[0] > 0

    def few_among(self, place: Place) -> list[int]:
        """The unknowns of a row one of which is said to be small; none if that is not said."""
        if self.status(place) != small_status(self.policy):
            return []
        table = self.tables[place[0]]
        counted = linking.counted(table)
        for column, value in table.values.items():
            rate = value.kind == "rate" and value.denominator
            elsewhere = value.denominator not in (None, *counted)
            if rate or elsewhere or (value.kind == "count" and column not in counted):
                return []  # it may be said because of this column
        found = []
        for at in self.system.members[place]:
            rest = at >= self.system.n_rests_from
            cell = self.system.rests[at - self.system.n_rests_from].part if rest else at
            if self.is_hidden(cell):
                found.append(at)
        return found


class _Programme:
    """The integer programme of unknowns that hang together."""

    def __init__(self, attack: _Attack, unknowns: list[int], sums: list[Sum]):
        self.attack = attack
        self.local = {at: i for i, at in enumerate(unknowns)}
        self.low, self.high, self.sums = [], [], []
        for at in unknowns:
            self._add(*attack.bounds(at))
        for at in unknowns:
            if attack.may_be_zero(at):
                self._zero_or_more(self.local[at])
        for one in sums:
            self._sum(one)
        for few in attack.said:
            if few[0] in self.local:
                self._one_is_small([self.local[at] for at in few])
        self.rows = solver.Rows.of(self.sums, len(self.low))

    def range(self, at: int) -> dict[str, int | None]:
        """Least and largest value; without relations they are known at once."""
        i = self.local[at]
        low, high = self.low[i], self.high[i]
        if self.sums:
            low, high = (self._extreme(i, sign) for sign in (1.0, -1.0))
        return {"low": low, "high": None if high > self.attack.most else high}

    def _extreme(self, i: int, sign: float) -> int:
        cost = np.zeros(len(self.low))
        cost[i] = sign
        bounds = np.array(self.low, dtype=float), np.array(self.high, dtype=float)
        found = solver.least(cost, bounds, self.rows)
        if found is None:
            raise ValueError("The tables contradict each other, the policy or the totals.")
        return int(found[i])

    def _add(self, low: int, high: int) -> int:
        self.low.append(low)
        self.high.append(high)
        return len(self.low) - 1

    def _row(self, positions: list[int], coefficients: list[float], low: float, high: float):
        self.sums.append((np.array(positions), np.array(coefficients), low, high))

    def _sum(self, one: Sum) -> None:
        positions, coefficients = [self.local[at] for at in one.parts], [1.0] * len(one.parts)
        whole = 0.0
        if one.whole in self.local:
            positions.append(self.local[one.whole])
            coefficients.append(-1.0)
        else:
            whole = float(self.attack.totals[one.whole])
        self._row(positions, coefficients, whole if one.exact else -np.inf, whole)

    def _zero_or_more(self, i: int) -> None:
        some, low = self._add(0, 1), self.low[i]
        self.low[i] = 0
        self._row([i, some], [1.0, -float(low)], 0.0, np.inf)
        self._row([i, some], [1.0, -float(self.high[i])], -np.inf, 0.0)

    def _one_is_small(self, few: list[int]) -> None:
        most, fewest = self.attack.policy.min_count - 1, self.attack.policy.fewest
        flags = []
        for i in few:
            flag = self._add(0, 1)
            flags.append(flag)
            spare = float(max(self.high[i] - most, 0))
            self._row([i, flag], [1.0, spare], -np.inf, most + spare)
            self._row([i, flag], [1.0, -float(fewest)], 0.0, np.inf)
        self._row(flags, [1.0] * len(flags), 1.0, np.inf)
