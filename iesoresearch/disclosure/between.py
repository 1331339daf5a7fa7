"""Two releases of a site table by table: what the difference of the same counts tells.

Tables are matched by the people they count and by their keys, so that another name of a table or of
a run hides nothing. Where enough people certainly came or left between the two, few of them in one
cell are no more than a suppressed count tells, and what lies between nested groups tells nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from iesoresearch.disclosure import changes, nested, statistics
from iesoresearch.disclosure.findings import Finding
from iesoresearch.disclosure.policy import Policy
from iesoresearch.results import STATUS, Result, Table

#: Fingerprints of new and of earlier data -> whether enough people came or left between them.
Many = Mapping[tuple[str | None, str | None], bool]


class Placed(NamedTuple):
    """A released table: of which run and name, under which policy, of which data."""

    run: str
    name: str
    table: Table
    policy: Policy
    data: str | None


class _Pair(NamedTuple):
    """Two tables that count the same people, or the same but for those who came and left."""

    new: Placed
    old: Placed
    cells: bool  # whether cells are compared too, and not nested groups alone

    @property
    def same_data(self) -> bool:
        return self.new.data is not None and self.new.data == self.old.data

    @property
    def given(self) -> tuple[Table, Table, Policy, Policy]:
        return self.new.table, self.old.table, self.new.policy, self.old.policy


@dataclass(frozen=True)
class Compared:
    """What two releases tell cell by cell.

    Attributes
    ----------
    findings
        About tables of the new one.
    many
        By fingerprints of both.
    """

    findings: list[Finding]
    many: Many


def is_compared(table: Table) -> bool:
    """Whether it went through disclosure control."""
    return STATUS in table.frame.columns


def compare(new: Sequence[Placed], old: Sequence[Placed], name: str) -> Compared:
    """Differences between the tables of a new release and those of an earlier one.

    Parameters
    ----------
    new, old
        Their tables.
    name
        Of the earlier one.
    """
    pairs = [pair for table in new for pair in _pairs(table, old)]
    many: dict = {}
    for pair in pairs:
        if pair.cells and not pair.same_data:
            of = pair.new.data, pair.old.data
            enough = pair.new.policy.min_count
            many[of] = many.get(of, False) or changes.came(*pair.given) >= enough
    found: dict[tuple, tuple[Placed, list[tuple[changes.Change, bool]]]] = {}
    for pair in pairs:
        here = many.get((pair.new.data, pair.old.data), False) and not pair.same_data
        for rule, change in _changes(pair, here):
            place = pair.new.run, pair.new.name, rule
            found.setdefault(place, (pair.new, []))[1].append((change, here))
    findings = [
        one for (_, _, rule), (at, of) in found.items() for one in _counted(at, rule, of, name)
    ]
    return Compared(findings, many)


def slack(
    new: Iterable[Result], old: Iterable[Result], policy_of: Callable[[Result], Policy]
) -> int:
    """The most by which a count must have changed, of those that changed by few."""
    now, then, few = {}, {}, 0
    for results, found in ((new, now), (old, then)):
        for result in results:
            policy = policy_of(result)
            few = max(few, policy.min_count)
            for table in filter(is_compared, result.tables.values()):
                if table.population is not None:
                    seen = changes.seen(table, policy)
                    found |= {(table.population, *key): of for key, of in seen.items()}
    both = [(now[key], then[key]) for key in now.keys() & then.keys()]
    gaps = [max(a.low - b.high, b.low - a.high) for a, b in both if a.shown and b.shown]
    return max((gap for gap in gaps if 0 < gap < few), default=0)


def _pairs(new: Placed, old: Sequence[Placed]) -> Iterator[_Pair]:
    """Tables to compare a new one with; none if it was released before as it is."""
    same = [one for one in old if (one.run, one.name) == (new.run, new.name)]
    own = next((one for one in same if list(one.table.keys) == list(new.table.keys)), None)
    if own and own.policy == new.policy and own.table.frame.equals(new.table.frame):
        return
    for one in old:
        if one is own or _alike(new.table, one.table):
            yield _Pair(new, one, own is None or one is own)


def _alike(a: Table, b: Table) -> bool:
    """Whether two tables count the same people, as far as they say whom they count."""
    if list(a.keys) != list(b.keys) or a.population != b.population:
        return False
    here, there = _counts(a), _counts(b)
    return a.population is not None or here == there or _within(here, there, nested.wholes(a, b))


def _counts(table: Table) -> set[str]:
    return {name for name, of in statistics.guarded(table).items() if of.kind == "count"}


def _within(here: set[str], there: set[str], wholes: Mapping[str, set[str]]) -> bool:
    """Whether tables of different counts hold such as lie within each other."""
    pairs = [(a, b) for a in here for b in there] if not here & there else []
    return any(a in wholes.get(b, ()) or b in wholes.get(a, ()) for a, b in pairs)


def _changes(pair: _Pair, many: bool) -> Iterator[tuple[str, changes.Change]]:
    new, old, now, then = pair.given
    if pair.cells:
        other = not pair.same_data or changes.contradicts(
            changes.seen(new, now), changes.seen(old, then)
        )
        for change in changes.same_cells(*pair.given) if other else ():
            yield "changed data", change
    if not many:
        within = changes.nested_rows(*pair.given)
        within += [] if pair.same_data else changes.nested_columns(*pair.given)
        for change in within:
            yield "groups within groups", change


_CHANGED = {
    "refuse": "few people certainly stand behind the difference. Wait until there are more, or "
    "leave the table out.",
    "review": "few people may stand behind the difference: look at it.",
}
_AMONG_MANY = (
    "enough people came or left altogether, and few of them in some cells, of whom no more is told "
    "than that they are few. Look whether anybody could know who they are."
)


def _counted(
    at: Placed, rule: str, found: list[tuple[changes.Change, bool]], name: str
) -> Iterator[Finding]:
    """The differences of a table, counted by column; those of shown cells are named."""
    for status, sentence in _CHANGED.items():
        those = [(one, many) for one, many in found if one.status(at.policy, many) == status]
        if not those:
            continue
        among = status == "review" and all(many for _, many in those)
        evidence = {
            "cells by column": dict(Counter(one.column for one, _ in those)),
            "kinds": dict(Counter(one.kind for one, _ in those)),
            "compared": len(found),
            "compared with": [name],
        }
        yield Finding(at.run, f"table:{at.name}", status, rule,
                      f"Beside {name}: {_AMONG_MANY if among else sentence}", evidence)  # fmt: skip
        break
