"""What adds up to what: the counts of linked tables as unknowns with linear relations.

Anybody who sees the tables can write these relations down: rows of a grouping add up to a total
that may be known from elsewhere, totals agree across groupings and tables, narrower groups add up
to broader ones, parts and their remainders to the whole (Hundepool et al. 2012, Statistical
Disclosure Control, Wiley, doi:10.1002/9781118348239, on linked and hierarchical tables).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from iesoresearch.disclosure.policy import Policy
from iesoresearch.results import RELEASED, STATUS, Row, Table

Place = tuple[str, int]  # table and row
_REPEATED = "#"  # tells rows of the same keys apart, where a table has them


class Cell(NamedTuple):
    """A count: who is counted, what, and which of them (keys with their values)."""

    population: str
    column: str
    row: tuple[tuple[str, Any], ...]


class Rest(NamedTuple):
    """What is left of a count without a part of it; both by their position."""

    part: int
    whole: int


class Total(NamedTuple):
    """All people of a population in a column, or those of one whole of a table by itself."""

    population: str
    column: str
    group: tuple = ()


class Sum(NamedTuple):
    """Parts that add up to a whole; or do not exceed it, where they may overlap."""

    parts: tuple[int, ...]
    whole: int
    exact: bool
    where: str


@dataclass
class System:
    """Unknowns of linked tables: cells first, then rests, then totals; each by its position.

    Attributes
    ----------
    sums
        Relations between unknowns.
    places
        Of each cell, where it stands in the tables.
    members
        Of each row of a table, its cells and their rests.
    """

    cells: list[Cell]
    rests: list[Rest] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)
    sums: list[Sum] = field(default_factory=list)
    places: list[list[Place]] = field(default_factory=list)
    members: dict[Place, list[int]] = field(default_factory=dict)

    @property
    def n_rests_from(self) -> int:
        """Position of the first rest."""
        return len(self.cells)

    @property
    def n_totals_from(self) -> int:
        """Position of the first total."""
        return len(self.cells) + len(self.rests)

    def __len__(self) -> int:
        return self.n_totals_from + len(self.totals)

    def small(self, x: np.ndarray, policy: Policy) -> np.ndarray:
        """Which cells and rests may not be told; a rest is the whole where there is no part."""
        small = policy.is_small(x)
        small[self.n_totals_from :] = False
        for at, rest in enumerate(self.rests, self.n_rests_from):
            small[at] &= policy.zeros_disclosive or x[rest.part] > 0
        return small

    def known(self, x: np.ndarray, policy: Policy) -> np.ndarray:
        """Which totals anybody may know from elsewhere: those that could be published.

        A total of few people, or of all but a few, is none: whoever publishes it discloses it.
        """
        totals_of = defaultdict(list)
        for one in self.sums:
            if one.exact and one.whole >= self.n_totals_from:
                for part in one.parts:
                    totals_of[part].append(one.whole)
        known = np.zeros(len(self), dtype=bool)
        known[self.n_totals_from :] = ~policy.is_small(x[self.n_totals_from :])
        for rest in self.rests:
            for total in totals_of[rest.part]:
                name = self.totals[total - self.n_totals_from]
                for other in totals_of[rest.whole]:
                    around = self.totals[other - self.n_totals_from]
                    if (name.population, name.group) == (around.population, around.group):
                        known[total] &= not policy.is_small(x[other] - x[total])
        return known

    def values(self, tables: Mapping[str, Table]) -> np.ndarray:
        """The true value of every unknown, from tables before their release.

        Raises
        ------
        ValueError
            What is declared to add up does not, or one count has two values.
        """
        x = np.zeros(len(self), dtype=np.int64)
        for at, (cell, places) in enumerate(zip(self.cells, self.places, strict=True)):
            found = {tables[name].frame[cell.column][row] for name, row in places}
            if len(found) > 1:
                titles = " and ".join(sorted({repr(tables[name].title) for name, _ in places}))
                raise ValueError(f"Tables {titles} differ in a count of column {cell.column!r}.")
            x[at] = found.pop()
        for at, rest in enumerate(self.rests, self.n_rests_from):
            x[at] = x[rest.whole] - x[rest.part]
            if x[at] < 0:
                names = [self.cells[i].column for i in rest]
                raise ValueError(
                    f"Column {names[0]!r} exceeds {names[1]!r}, of which it is a part."
                )
        self._add_up(x)
        return x

    def _add_up(self, x: np.ndarray) -> None:
        known = np.ones(len(self), dtype=bool)
        known[self.n_totals_from :] = False
        for one in sorted(self.sums, key=lambda s: not s.exact):
            total = x[list(one.parts)].sum()
            if one.exact and not known[one.whole]:
                x[one.whole], known[one.whole] = total, True
            elif total > x[one.whole] or (one.exact and total != x[one.whole]):
                raise ValueError(
                    f"{one.where} does not add up: {total:,} for a whole of {x[one.whole]:,}."
                )


def counted(table: Table) -> list[str]:
    """Columns of whole numbers of people, open ones apart."""
    return [
        name
        for name, value in table.values.items()
        if value.kind == "count"
        and value.sensitivity != "open"
        and table.frame.schema[name].is_integer()
    ]


def components(
    system: System, known: np.ndarray, together: Iterable[list[int]] = ()
) -> list[tuple[np.ndarray, list[Sum]]]:
    """Unknowns that hang together, with their relations; a known total ties nothing together.

    Parameters
    ----------
    system, known
        The unknowns, and which of them are known.
    together
        Further unknowns of which something is known together.
    """
    leader = list(range(len(system)))

    def find(at: int) -> int:
        while leader[at] != at:
            leader[at] = leader[leader[at]]
            at = leader[at]
        return at

    sums = [[*one.parts, *([] if known[one.whole] else [one.whole])] for one in system.sums]
    for tied in [*sums, *together]:
        for other in tied[1:]:
            a, b = sorted((find(tied[0]), find(other)))
            leader[b] = a
    found: dict[int, tuple[list[int], list[Sum]]] = {}
    for at in range(len(system)):
        found.setdefault(find(at), ([], []))[0].append(at)
    for one in system.sums:
        found[find(one.parts[0])][1].append(one)
    return [(np.array(unknowns), sums) for unknowns, sums in found.values()]


def build(tables: Mapping[str, Table]) -> System:
    """The relations of these tables, released or not, whatever the order of their rows.

    Raises
    ------
    ValueError
        A population names a key that is not there, rows of the same keys, or a broader row that no
        table has.
    """
    builder = _Builder({name: tables[name] for name in sorted(tables)})
    return builder.system()


class _Row(NamedTuple):
    """A row of a table: of which population, its identity, its keys in the order of the table."""

    population: str
    identity: tuple
    keys: Row


class _Builder:
    """Collects the cells of the tables, then what they say of each other."""

    def __init__(self, tables: dict[str, Table]):
        self.tables = tables
        self.rows = {name: _rows(name, table) for name, table in tables.items()}
        self.columns = {name: counted(table) for name, table in tables.items()}
        found = defaultdict(list)
        for name, table in tables.items():
            for column in self.columns[name]:
                for i in _there(table, column):
                    found[self._cell(name, i, column)].append((name, i))
        self.cells = sorted(found, key=repr)
        self.at = {cell: i for i, cell in enumerate(self.cells)}
        self.places = [sorted(found[cell]) for cell in self.cells]

    def system(self) -> System:
        rests = self._rests()
        sums = [*self._sums()]
        summed = {whole for _, whole, exact, _ in sums if exact}
        # of overlapping groups alone nobody knows what they are parts of
        sums = [one for one in sums if one[1] in summed or not isinstance(one[1], Total)]
        totals = sorted({whole for _, whole, _, _ in sums if isinstance(whole, Total)}, key=repr)
        first = len(self.cells) + len(rests)
        at = {total: i for i, total in enumerate(totals, first)}
        # one that another table says as well is not said twice
        said = {(parts, at.get(whole, whole), exact): where for parts, whole, exact, where in sums}
        ordered = [Sum(*one, said[one]) for one in sorted(said)]
        members = defaultdict(list)
        for i, places in enumerate(self.places):
            for place in places:
                members[place].append(i)
        for i, rest in enumerate(rests, len(self.cells)):
            ordered.append(Sum((rest.part, i), rest.whole, True, "A remainder"))
            for place in self.places[rest.part]:
                members[place].append(i)
        return System(self.cells, rests, totals, ordered, self.places, dict(members))

    def _cell(self, name: str, i: int, column: str) -> Cell:
        row = self.rows[name][i]
        return Cell(row.population, column, row.identity)

    def _rests(self) -> list[Rest]:
        """A part of a count leaves a rest in every row that has both, of whichever table."""
        wholes = defaultdict(set)
        for name, table in self.tables.items():
            for column in self.columns[name]:
                if table.values[column].within in self.columns[name]:
                    for row in self.rows[name]:
                        wholes[row.population, column].add(table.values[column].within)
        rests = []
        for at, cell in enumerate(self.cells):
            for column in sorted(wholes.get((cell.population, cell.column), ())):
                whole = self.at.get(cell._replace(column=column))
                if whole is not None:
                    rests.append(Rest(at, whole))
        return rests

    def _sums(self) -> Iterable[tuple]:
        for name in self.tables:
            for column in self.columns[name]:
                yield from self._wholes(name, column)
                yield from self._broader(name, column)

    def _wholes(self, name: str, column: str) -> Iterable[tuple]:
        """Rows add up to the total; where they overlap, none exceeds it."""
        table = self.tables[name]
        apart = table.population is None
        adds_up = table.values[column].parts_of is not None
        if apart and not adds_up:
            return
        adds_up = adds_up and (apart or len(_there(table, column)) == table.frame.height)
        for (population, group), rows in self._grouped(name, column).items():
            whole = Total(population, column, group if apart else ())
            yield from self._said(name, column, rows, whole, adds_up)

    def _broader(self, name: str, column: str) -> Iterable[tuple]:
        """Rows that name the same broader row add up to it, if they are parts of a whole."""
        table = self.tables[name]
        for (population, _), rows in self._grouped(name, column).items():
            found = defaultdict(list)
            for i in rows:
                for keys in table.broader.get(self.rows[name][i].keys, ()):
                    whole = self._row_with(name, Cell(population, column, keys))
                    if whole is not None:
                        found[whole].append(i)
            adds_up = table.values[column].parts_of is not None
            for whole, parts in found.items():
                yield from self._said(name, column, parts, whole, adds_up)

    def _said(self, name: str, column: str, rows: list[int], whole, adds_up) -> Iterable[tuple]:
        where = f"Table {self.tables[name].title!r}: column {column!r}"
        parts = sorted(self.at[self._cell(name, i, column)] for i in rows)
        if adds_up:
            yield tuple(parts), whole, True, where
        else:
            yield from (((part,), whole, False, where) for part in parts)

    def _grouped(self, name: str, column: str) -> dict[tuple, list[int]]:
        """Rows of every whole."""
        table = self.tables[name]
        keys = list(table.values[column].parts_of or ())
        values = list(table.frame.select(keys).iter_rows()) if keys else [()] * table.frame.height
        groups = defaultdict(list)
        for i in _there(table, column):
            groups[self.rows[name][i].population, values[i]].append(i)
        return groups

    def _row_with(self, name: str, wanted: Cell) -> int | None:
        """The count in the row with these keys, of any table; none where its column is not."""
        seen = False
        for other in (name, *(other for other in self.tables if other != name)):
            keys = self.tables[other].keys
            if len(keys) != len(wanted.row):
                continue
            identity = _identity(dict(zip(keys, wanted.row, strict=True)))
            at = self.at.get(wanted._replace(row=identity))
            if at is not None:
                return at
            seen = seen or any(
                (r.population, r.identity) == (wanted.population, identity)
                for r in self.rows[other]
            )
        if not seen:
            raise ValueError(
                f"Table {self.tables[name].title!r}: no table of its population has the broader "
                f"row {wanted.row}."
            )
        return None


def _identity(keys: dict[str, Any]) -> tuple:
    return tuple(sorted(keys.items()))


def _rows(name: str, table: Table) -> list[_Row]:
    found, seen = [], defaultdict(int)
    for row in table.frame.select(list(table.keys)).to_dicts():
        population = f"table {name}"
        if table.population is not None:
            try:
                population = table.population.format(**row)
            except (KeyError, IndexError) as error:
                raise ValueError(
                    f"Table {table.title!r}: {error} in its population is none of its keys."
                ) from None
        identity = _identity(row)
        seen[identity] += 1
        if seen[identity] > 1:
            if table.population is not None:
                raise ValueError(f"Table {table.title!r} has two rows of the same keys.")
            identity += ((_REPEATED, seen[identity]),)
        found.append(_Row(population, identity, tuple(row.values())))
    return found


def _there(table: Table, column: str) -> list[int]:
    """Rows with a count, suppressed or not: of a released row a null was never one."""
    there = table.frame[column].is_not_null()
    if STATUS in table.frame.columns:
        there = there | (table.frame[STATUS] != RELEASED)
    return there.arg_true().to_list()
