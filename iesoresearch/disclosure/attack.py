"""The attacker: what can be proved of every suppressed count from all that was released.

She knows the policy, the rounded counts, the zeros, which rows are said to hold a small count, what
adds up to what, and totals from elsewhere. Rates, gaps and intervals that are derived from released
counts tell her nothing more. Every range is the answer of two integer programmes (HiGHS), so it is
exact: no cleverer argument from the same facts narrows it. Tables of several releases, each under a
policy of its own, are attacked together; nobody has seen to what one of them leaves of another.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from iesoresearch.disclosure import linking, relations
from iesoresearch.disclosure.policy import Policy
from iesoresearch.disclosure.programme import Programme
from iesoresearch.disclosure.relations import Cell, Place, System, Total
from iesoresearch.disclosure.release import PROTECTS, UNSAID, small_status
from iesoresearch.results import STATUS, Table

_FREE = 10  # times as many people as could be told apart from more


@dataclass(frozen=True)
class Knowledge:
    """What the attacker knows beside the tables and the policy.

    Attributes
    ----------
    totals
        From elsewhere, such as exact national figures.
    releases
        Release of each table, where they are not of one.
    policies
        Policy of a release, where it is not that of the others.
    released
        Tables as they were when their release was guarded, where relations were added since.
    """

    totals: Mapping[Total, int] = field(default_factory=dict)
    releases: Mapping[str, str] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)
    released: Mapping[str, Table] = field(default_factory=dict)


@dataclass(frozen=True)
class Attacked:
    """An attack on small counts.

    Attributes
    ----------
    by_table
        Table -> how many suppressed counts, and remainders, of it were attacked.
    narrowed
        Those of which more can be proved than that they are few, as of `ranges`.
    """

    by_table: dict[str, int]
    narrowed: pl.DataFrame


def ranges(
    tables: Mapping[str, Table],
    policy: Policy,
    totals: Mapping[Total, int] | None = None,
    cells: Collection[Cell] | None = None,
    knowledge: Knowledge | None = None,
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
    knowledge
        In place of `totals`, of tables of several releases.

    Returns
    -------
    polars.DataFrame
        ``population``, ``column``, ``row`` (keys in words), ``rest_of`` (column of the whole; null
        for the count itself), ``low``, ``high`` (null where nothing bounds it), ``tables`` (names
        of those it stands in).

    Raises
    ------
    ValueError
        The tables contradict each other, the policy or the totals.
    """
    attack = _Attack(dict(tables), policy, totals, knowledge)
    found = [
        attack.described(at, *programme.range(at))
        for programme, asked in attack.programmes(cells)
        for at in asked
    ]
    return pl.DataFrame(found, schema=_SCHEMA)


def narrowed(
    tables: Mapping[str, Table],
    policy: Policy,
    knowledge: Knowledge | None = None,
    cells: Collection[Cell] | None = None,
) -> Attacked:
    """Suppressed counts and remainders that cannot be as few, or not as many, as is suppressed.

    The same answer as that of `ranges`, in much less time: most small counts are shown to keep
    their whole range by worlds that fit with all that is seen.

    Parameters
    ----------
    tables, policy, knowledge, cells
        As of `ranges`.

    Raises
    ------
    ValueError
        The tables contradict each other, the policy or the totals.
    """
    attack, found, n = _Attack(dict(tables), policy, None, knowledge), [], Counter()
    few = range(policy.fewest, policy.min_count)
    for programme, asked in attack.programmes(cells):
        few_at_all = [at for at in asked if attack.bounds(at)[0] < policy.min_count]
        n.update(name for at in asked for name in attack.tables_of(at))
        found += programme.narrowed(few_at_all, few).items()
    rows = [attack.described(at, *ends) for at, ends in found]
    return Attacked(dict(n), pl.DataFrame(rows, schema=_SCHEMA))


def excluded(
    tables: Mapping[str, Table],
    policy: Policy,
    knowledge: Knowledge | None = None,
    cells: Collection[Cell] | None = None,
) -> pl.DataFrame:
    """Values below the threshold that a suppressed count or remainder cannot have.

    Parameters
    ----------
    tables, policy, knowledge, cells
        As of `ranges`.

    Returns
    -------
    polars.DataFrame
        ``population``, ``column``, ``row``, ``rest_of`` as of `ranges`, and ``values``, of every
        one that was asked for; also between the ends of a range nothing may be told.

    Raises
    ------
    ValueError
        The tables contradict each other, the policy or the totals.
    """
    attack, found = _Attack(dict(tables), policy, None, knowledge), []
    few = range(policy.fewest, policy.min_count)
    for programme, asked in attack.programmes(cells):
        for at, values in programme.possible(asked, few).items():
            row = attack.described(at, 0, 0) | {"values": sorted(set(few) - values)}
            found.append({name: row[name] for name in _EXCLUDED})
    return pl.DataFrame(found, schema=_EXCLUDED)


_NAMED = dict.fromkeys(("population", "column", "row", "rest_of"), pl.String)
_SCHEMA = _NAMED | {"low": pl.Int64, "high": pl.Int64, "tables": pl.List(pl.String)}
_EXCLUDED = _NAMED | {"values": pl.List(pl.Int64)}


class _Attack:
    """What is known of each unknown by itself."""

    def __init__(
        self,
        tables: dict[str, Table],
        policy: Policy,
        totals: Mapping[Total, int] | None,
        knowledge: Knowledge | None = None,
    ):
        self.tables, self.policy = tables, policy
        self.knowledge = knowledge or Knowledge(totals or {})
        self.system = linking.build(tables)
        self.known = np.zeros(len(self.system), dtype=bool)
        self.totals = {}
        for at, total in enumerate(self.system.totals, self.system.n_totals_from):
            if total in self.knowledge.totals:
                self.known[at], self.totals[at] = True, self.knowledge.totals[total]
        self.shown = [
            {place: self._cell(place, at) for place in places}
            for at, places in enumerate(self.system.places)
        ]
        seen = [n for places in self.shown for n in places.values() if n is not None]
        policies = [policy, *self.knowledge.policies.values()]
        blur = max(one.min_count + one.round_to for one in policies)
        #: No count that is bounded exceeds `most`; one that is not may reach `free`.
        self.most = max([*self.totals.values(), *seen], default=0) + blur * len(self.system)
        self.free = _FREE * self.most
        self._guarded = self._rests_of_releases()
        #: Of every row that is said to hold a small count, the counts that may be it.
        self.said, self.said_under = [], []
        for place in sorted(self.system.members):
            if few := self.few_among(place):
                self.said.append(few)
                self.said_under.append(self.policy_of(place))

    def programmes(self, cells: Collection[Cell] | None):
        """Every programme with what is asked of it: suppressed counts, and remainders."""
        system = self.system
        for unknowns, sums in relations.components(system, self.known, self.said):
            asked = [
                at
                for at in unknowns.tolist()
                if at < system.n_totals_from
                and (cells is None or system.cells[self._part(at)] in cells)
                and (self.is_hidden(self._part(at)) or not self._guards(at))
            ]
            if asked and self._is_asked(unknowns.tolist()):
                yield Programme(self, unknowns.tolist(), sums), asked

    def _is_asked(self, unknowns: list[int]) -> bool:
        """Of several releases, only what hangs together across them: each was attacked before."""
        releases = {self.release(name) for name in self.tables}
        cells = [at for at in unknowns if at < self.system.n_totals_from]
        seen = {self.release(name) for at in cells for name in self.tables_of(at)}
        return len(releases) == 1 or len(seen) > 1

    def described(self, at: int, low: int, high: int | None) -> dict:
        """A row of `ranges`."""
        system, cell, rest_of = self.system, self.system.cells[self._part(at)], None
        if at >= system.n_rests_from:
            rest_of = system.named(system.rests[at - system.n_rests_from].whole)
        row = ", ".join(f"{key} {value}" for key, value in cell.row)
        return {
            "population": cell.population, "column": cell.column, "row": row, "rest_of": rest_of,
            "low": low, "high": high, "tables": self.tables_of(at),
        }  # fmt: skip

    def tables_of(self, at: int) -> list[str]:
        """Tables in which a cell stands, or that which leaves a rest, and of what it leaves it."""
        if at < self.system.n_rests_from:
            return sorted({name for name, _ in self.system.places[at]})
        part, whole = self.system.rests[at - self.system.n_rests_from]
        return sorted({*self.tables_of(part), *self.tables_of(whole)})

    def _part(self, at: int) -> int:
        """The cell that an unknown is, or is left by."""
        rests = self.system.n_rests_from
        return at if at < rests else self.system.rests[at - rests].part

    def _cell(self, place: Place, at: int) -> int | None:
        return self.tables[place[0]].frame[self.system.cells[at].column][place[1]]

    def status(self, place: Place) -> str:
        return self.tables[place[0]].frame[STATUS][place[1]]

    def release(self, table: str) -> str:
        return self.knowledge.releases.get(table, "")

    def policy_of(self, place: Place) -> Policy:
        return self.knowledge.policies.get(self.release(place[0]), self.policy)

    def is_hidden(self, cell: int) -> bool:
        """Whether a release has it and does not show it."""
        shown = defaultdict(list)
        for place, n in self.shown[cell].items():
            shown[self.release(place[0])].append(n)
        return any(all(n is None for n in counts) for counts in shown.values())

    def bounds(self, at: int) -> tuple[int, int]:
        """Lowest and highest value; nobody but zero may lie below the lowest."""
        if at >= self.system.n_totals_from:
            return (self.totals[at],) * 2 if self.known[at] else (0, self.free)
        rest = at >= self.system.n_rests_from
        ends = [
            self._bounds(place, n, rest)
            for place, n in self.shown[self._part(at)].items()
            if not rest or self._guards(at, place)
        ]
        return max((low for low, _ in ends), default=0), min(
            (e[1] for e in ends), default=self.free
        )

    def _bounds(self, place: Place, n: int | None, rest: bool) -> tuple[int, int]:
        """What one table says of a count, or of what it leaves."""
        policy, status = self.policy_of(place), self.status(place)
        if linking.published(self.tables[place[0]]):
            return (0, self.free) if rest else (n, n)
        if n is None:
            if status == PROTECTS:
                return policy.min_count, self.free
            return 0 if rest or status == UNSAID else policy.fewest, self.free
        if n == 0:  # without a part that is none, the rest is the whole
            return 0, self.free * rest
        if rest:
            return policy.min_count, self.free
        low, high = policy.shown_as(n)
        return max(low, policy.min_count), high

    def may_be_zero(self, at: int) -> bool:
        """Rests that are not few may be none where none is not few."""
        rest = self.system.n_rests_from <= at < self.system.n_totals_from
        if not rest or self.bounds(at)[0] == 0:
            return False
        places = [place for place in self.shown[self._part(at)] if self._guards(at, place)]
        return not any(self.policy_of(place).zeros_disclosive for place in places)

    def few_among(self, place: Place) -> list[int]:
        """The unknowns of a row one of which is said to be small; none if that is not said."""
        if self.status(place) != small_status(self.policy_of(place)):
            return []
        table = self.tables[place[0]]
        counted = linking.counted(table)
        for column, value in table.values.items():
            rate = value.kind == "rate" and value.denominator
            elsewhere = value.denominator not in (None, *counted)
            if rate or elsewhere or (value.kind == "count" and column not in counted):
                return []  # it may be said because of this column
        return [
            at
            for at in self.system.members[place]
            if self.shown[self._part(at)].get(place) is None
            and (at < self.system.n_rests_from or self._guards(at, place))
        ]

    def _guards(self, at: int, place: Place | None = None) -> bool:
        """Whether a release (that of `place`) saw to it that a rest is not few, or is hidden."""
        if not self._guarded:
            return True
        named = self._named(self.system, at)
        if place is not None:
            return named in self._guarded[self.release(place[0])]
        return at < self.system.n_rests_from or any(named in of for of in self._guarded.values())

    def _rests_of_releases(self) -> dict[str, set]:
        """Of each release the remainders that it guarded; of a single one all are."""
        of = defaultdict(dict)
        for name, table in self.tables.items():
            of[self.release(name)][name] = self.knowledge.released.get(name, table)
        if len(of) == 1 and not self.knowledge.released:
            return {}
        systems = {release: linking.build(tables) for release, tables in of.items()}
        return {
            release: {self._named(s, at) for at in range(s.n_rests_from, s.n_totals_from)}
            for release, s in systems.items()
        }

    def _named(self, system: System, at: int):
        """A cell, or part and whole of a rest, whatever its position."""
        if at < system.n_rests_from:
            return system.cells[at]
        part, whole = system.rests[at - system.n_rests_from]
        return system.cells[part], self._named(system, whole)
