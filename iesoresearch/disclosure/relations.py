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
from iesoresearch.results import Table

Place = tuple[str, int]  # table and row


class Cell(NamedTuple):
    """A count: who is counted, what, and which of them (keys with their values)."""

    population: str
    column: str
    row: tuple[tuple[str, Any], ...]


class Rest(NamedTuple):
    """What is left of a count, or of another rest, without a part of it; by their position."""

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
    exact
        Cells that anybody knows, from a table of open counts.
    """

    cells: list[Cell]
    rests: list[Rest] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)
    sums: list[Sum] = field(default_factory=list)
    places: list[list[Place]] = field(default_factory=list)
    members: dict[Place, list[int]] = field(default_factory=dict)
    exact: frozenset[int] = frozenset()

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

    def named(self, at: int) -> str:
        """Column of a cell or of a rest."""
        if at < self.n_rests_from:
            return self.cells[at].column
        rest = self.rests[at - self.n_rests_from]
        return f"{self.named(rest.whole)} without {self.named(rest.part)}"

    def small(self, x: np.ndarray, policy: Policy) -> np.ndarray:
        """Which cells and rests may not be told; a rest is the whole where there is no part."""
        small = policy.is_small(x)
        small[self.n_totals_from :] = False
        for at, rest in enumerate(self.rests, self.n_rests_from):
            small[at] &= policy.zeros_disclosive or x[rest.part] > 0
            small[at] &= rest.part not in self.exact
        small[list(self.exact)] = False
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
                raise ValueError(
                    f"Column {self.named(rest.part)!r} exceeds {self.named(rest.whole)!r}, of "
                    "which it is a part."
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
