"""From tables to relations: which of their counts are the same, and what adds up to what."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from iesoresearch.disclosure.relations import Cell, Rest, Sum, System, Total
from iesoresearch.results import RELEASED, STATUS, At, Row, Table

_REPEATED = "#"  # tells rows of the same keys apart, where a table has them


def counted(table: Table) -> list[str]:
    """Columns of whole numbers of people, open ones apart."""
    return [name for name in _whole(table) if table.values[name].sensitivity != "open"]


def published(table: Table) -> list[str]:
    """Columns of whole numbers of people that anybody knows exactly, such as national figures.

    Open counts of a table that names a population and holds no other counts.
    """
    return [] if counted(table) or table.population is None else _whole(table)


def _whole(table: Table) -> list[str]:
    return [
        name
        for name, value in table.values.items()
        if value.kind == "count" and table.frame.schema[name].is_integer()
    ]


def linked(tables: Mapping[str, Table]) -> dict[str, Table]:
    """Tables that say more of their counts than what their own columns and rows do."""
    named = {
        name
        for table in tables.values()
        for whole, parts, _ in table.related
        for name, *_ in (whole, *parts)
    }
    return {n: t for n, t in tables.items() if t.population is not None or n in named}


def build(tables: Mapping[str, Table]) -> System:
    """The relations of these tables, released or not, whatever the order of their rows.

    Raises
    ------
    ValueError
        A population names a key that is not there, rows of the same keys, a broader row that no
        table has, or a relation a count that its table has not.
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
        self.open = self._published()
        self.columns = {
            name: published(t) if name in self.open else counted(t) for name, t in tables.items()
        }
        found = defaultdict(list)
        for name, table in tables.items():
            for column in self.columns[name]:
                for i in _there(table, column):
                    found[self._cell(name, i, column)].append((name, i))
        self.cells = sorted(found, key=repr)
        self.at = {cell: i for i, cell in enumerate(self.cells)}
        self.places = [sorted(found[cell]) for cell in self.cells]
        self.related = list(self._related())

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
        exact = {
            i
            for i, places in enumerate(self.places)
            if any(name in self.open for name, _ in places)
        }
        return System(
            self.cells, rests, totals, ordered, self.places, dict(members), frozenset(exact)
        )

    def _published(self) -> set[str]:
        """Tables of open counts of people who are counted in others as well."""
        guarded = {
            row.population
            for name, table in self.tables.items()
            if counted(table)
            for row in self.rows[name]
        }
        return {
            name
            for name, table in self.tables.items()
            if published(table) and {row.population for row in self.rows[name]} & guarded
        }

    def _cell(self, name: str, i: int, column: str) -> Cell:
        row = self.rows[name][i]
        return Cell(row.population, column, row.identity)

    def _rests(self) -> list[Rest]:
        """A part of a count leaves a rest in every row that has both, of whichever table.

        A part of a part leaves one of the whole where what is between them is not counted: else it
        is the sum of two rests. Two parts with nobody in common leave one of the other's rest.
        """
        inside, apart = self._declared()
        rests = []
        for at, cell in enumerate(self.cells):
            rests += [Rest(at, whole) for whole in self._around(inside, cell)]
        position = {rest: i for i, rest in enumerate(rests, len(self.cells))}
        for at, cell in enumerate(self.cells):
            for other in sorted(apart.get((cell.population, cell.column), ())):
                beside = self.at.get(cell._replace(column=other))
                for column in sorted(inside[cell.population, cell.column]):
                    whole = self.at.get(cell._replace(column=column))
                    if (beside, whole) in position:
                        rests.append(Rest(at, position[beside, whole]))
        others = [
            Rest(at, whole) for parts, whole, exact, _ in self.related if not exact for at in parts
        ]
        return list(dict.fromkeys([*rests, *others]))

    def _around(self, inside: Mapping[tuple, set[str]], cell: Cell) -> list[int]:
        """The nearest counts of the row that a cell is a part of, over however many steps."""
        found, seen, ahead = set(), {cell.column}, sorted(inside[cell.population, cell.column])
        while ahead:
            column = ahead.pop()
            if column in seen:
                continue
            seen.add(column)
            whole = self.at.get(cell._replace(column=column))
            if whole is None:
                ahead += sorted(inside[cell.population, column])
            else:
                found.add(whole)
        return sorted(found)

    def _declared(self) -> tuple[dict[tuple, set[str]], dict[tuple, set[str]]]:
        """Of each population and column: of what it is a part, and what has nobody of it."""
        inside, apart = defaultdict(set), defaultdict(set)
        for name, table in self.tables.items():
            for population in {row.population for row in self.rows[name]}:
                for column in self.columns[name]:
                    value = table.values[column]
                    inside[population, column].update(value.wholes)
                    apart[population, column].update({value.apart_from} - {None})
        return inside, apart

    def _related(self) -> Iterable[tuple]:
        """Relations of tables, where all the counts in them are there."""
        for name, table in self.tables.items():
            for whole, parts, exact in table.related:
                found = [self._found(name, at) for at in (whole, *parts)]
                if None not in found and found[0] not in found[1:]:  # a count is itself
                    where = f"Table {table.title!r}: column {whole[1]!r}"
                    yield tuple(sorted(found[1:])), found[0], exact, where

    def _found(self, name: str, at: At) -> int | None:
        """A count that a relation names; none where its table, or the count in it, is not."""
        other, column, row = at
        if other not in self.tables:
            return None
        rows = [i for i, one in enumerate(self.rows[other]) if one.keys == row]
        if not rows or column not in self.columns[other]:
            raise ValueError(
                f"Table {self.tables[name].title!r} is related to a count that table "
                f"{self.tables[other].title!r} has not: {column!r} of {row}."
            )
        return self.at.get(self._cell(other, rows[0], column))

    def _sums(self) -> Iterable[tuple]:
        yield from (one for one in self.related if one[2])
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
