"""Two releases cell by cell: how many people may have come, left, or lie between two groups.

A count that is shown is known to lie within its rounding, a suppressed one below the threshold. So
their difference lies between two numbers, and nothing else is known of it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from iesoresearch.disclosure import nested, statistics
from iesoresearch.disclosure.policy import Policy
from iesoresearch.disclosure.release import PROTECTS, small_status
from iesoresearch.results import STATUS, Row, Table

_NEAR = 1e-9


class Seen(NamedTuple):
    """What is known of a count: least, largest (None: nothing), whether it is shown."""

    low: int
    high: int | None
    shown: bool


@dataclass(frozen=True)
class Change:
    """A difference between two counts, at least `low` and at most `high` people.

    Attributes
    ----------
    column, row
        Of the count in the newer table; `row` only where both are shown.
    kind
        "changed", "now shown", "now suppressed", "within" (one group lies in the other) or
        "statistic" (a mean or rate changed, and the people behind it hardly).
    """

    column: str
    row: Row | None
    kind: str
    low: int
    high: int

    def status(self, policy: Policy, many: bool = False) -> str:
        """By how many people stand behind it: surely few, perhaps few, or enough.

        Parameters
        ----------
        policy
            Of the newer release.
        many
            Whether enough people came or left altogether. Then few of them in one cell are told as
            a suppressed count is, if no more is told than that they are few.
        """
        if self.kind == "statistic":
            return "review"
        if self.kind in ("now shown", "now suppressed"):
            return "review" if self.low < policy.min_count else "pass"
        few = self.high < policy.min_count
        if self.kind == "within" and few:
            return "refuse"
        if many and self.kind == "changed":
            if not (few and self.low):
                return "pass"
            return "review" if (self.low, self.high) == (1, policy.min_count - 1) else "refuse"
        if self.low and few:
            return "refuse"
        return "review" if 0 < self.low < policy.min_count else "pass"


def seen(table: Table, policy: Policy) -> dict[tuple[str, Row], Seen]:
    """What is known of every guarded count of a released table, by column and keys."""
    found = {}
    rows = table.frame.select(list(table.keys)).rows()
    for name, value in statistics.guarded(table).items():
        if value.kind != "count" or not table.frame.schema[name].is_integer():
            continue
        for row, n, status in zip(rows, table.frame[name], table.frame[STATUS], strict=True):
            found[name, row] = _seen(n, status, policy)
    return found


def _seen(n: int | None, status: str, policy: Policy) -> Seen:
    if n is not None:
        low, high = policy.shown_as(n)
        return Seen(0 if n == 0 else max(low, policy.min_count), high if n else 0, True)
    if status == small_status(policy):
        return Seen(policy.fewest, policy.min_count - 1, False)
    return Seen(policy.min_count if status == PROTECTS else 0, None, False)


def contradicts(a: dict[tuple[str, Row], Seen], b: dict[tuple[str, Row], Seen]) -> bool:
    """Whether two tables cannot count the same people: some count of both cannot be one number."""
    return any(
        _apart(a[key], b[key]) for key in a.keys() & b.keys() if a[key].shown and b[key].shown
    )


def _apart(a: Seen, b: Seen) -> bool:
    return (a.high is not None and a.high < b.low) or (b.high is not None and b.high < a.low)


def same_cells(new: Table, old: Table, policy: Policy, before: Policy) -> list[Change]:
    """Differences between cells of the same keys, of tables that count people of other data.

    Parameters
    ----------
    new, old
        Released, with the same keys.
    policy, before
        They were released under.
    """
    now, then = seen(new, policy), seen(old, before)
    found = []
    for key in sorted(now.keys() & then.keys(), key=str):
        a, b = now[key], then[key]
        if not (a.shown or b.shown) or a.high is None or b.high is None:
            continue
        up, down = (a.low - b.high, a.high - b.low), (b.low - a.high, b.high - a.low)
        low, high = max(up[0], down[0], 0), max(up[1], down[1])
        kind = "changed" if a.shown and b.shown else "now shown" if a.shown else "now suppressed"
        found.append(Change(key[0], key[1] if kind == "changed" else None, kind, low, high))
    return [*found, *_statistics(new, old, found)]


def came(new: Table, old: Table, policy: Policy, before: Policy) -> int:
    """How many people certainly came, or how many left, between two tables of the same keys.

    Rows that add up to a whole (`iesoresearch.results.Value.parts_of`) have nobody in common, so
    what came to each of them is added.

    Parameters
    ----------
    new, old, policy, before
        As of `same_cells`.
    """
    now, then, keys = seen(new, policy), seen(old, before), list(new.keys)
    n: Counter = Counter()
    for (column, row), a in now.items():
        b, parts = then.get((column, row)), new.values[column].parts_of
        if b is None or a.high is None or b.high is None:
            continue
        whole = row if parts is None else tuple(row[keys.index(k)] for k in parts if k in keys)
        n["came", column, whole] += max(0, a.low - b.high)
        n["left", column, whole] += max(0, b.low - a.high)
    return max(n.values(), default=0)


def _statistics(new: Table, old: Table, counts: list[Change]) -> Iterator[Change]:
    """Means and estimates that changed while no count of their row is known to have."""
    changed = [one for one in counts if one.kind == "changed"]
    moved = {one.row for one in changed if one.low > 0}
    most = {one.row: one.high for one in changed if one.row not in moved}
    for name, value in statistics.guarded(new).items():
        plain = value.kind in ("mean", "quantile", "model") and name in old.values
        if not plain or not new.frame.schema[name].is_float():
            continue
        then = dict(_by_row(old, name))
        for row, x in _by_row(new, name):
            y = then.get(row)
            if row in most and x is not None and y is not None and abs(x - y) > _NEAR:
                yield Change(name, row, "statistic", 0, most[row])


def _by_row(table: Table, name: str) -> Iterator[tuple[Row, float | None]]:
    keys = table.frame.select(list(table.keys)).rows()
    return zip(keys, table.frame[name], strict=True)


def nested_rows(new: Table, old: Table, policy: Policy, before: Policy) -> list[Change]:
    """What is left between groups of two releases that lie within each other, as 66+ in 65+.

    Parameters
    ----------
    new, old
        Released, with the same keys.
    policy, before
        They were released under.
    """
    then, found = _by_number(seen(old, before)), []
    for key, rows in _by_number(seen(new, policy)).items():
        # levels of one table exclude each other, whatever their names
        levels = [{level for _, level, _ in of} for of in (rows, then.get(key, ()))]
        pairs = ((a, b) for a in rows for b in then.get(key, ()))
        for (row, level, a), (_, other, b) in pairs:
            if any({level, other} <= of for of in levels):
                continue
            if nested.lies_within(level, other):
                found.append(_left(key[0], row, a, b))
            elif nested.lies_within(other, level):
                found.append(_left(key[0], row, b, a))
    return [one for one in found if one.high >= 0]  # else they do not count the same people


def nested_columns(new: Table, old: Table, policy: Policy, before: Policy) -> list[Change]:
    """What is left between counts of two releases that lie within each other, as reliable recovery.

    Parameters
    ----------
    new, old, policy, before
        As of `nested_rows`; of other data, since of the same data the linked attack tells more.
    """
    now, then = seen(new, policy), seen(old, before)
    wholes = nested.wholes(new, old)
    found = []
    for small, large in ((now, then), (then, now)):
        names = {column for column, _ in small}
        for column, row in sorted(small, key=str):
            # of counts that stand in one table, that release saw to what is left
            for whole in sorted(wholes.get(column, set()) - names):
                pair = small[column, row], large.get((whole, row))
                if pair[1] is None or (column, row) in large or not _shown(*pair):
                    continue
                found.append(_left(f"{whole} − {column}", row, *pair))
    return [one for one in found if one.high >= 0]


def _shown(*counts: Seen) -> bool:
    return all(one.shown and one.high is not None for one in counts)


def _left(column: str, row: Row, small: Seen, large: Seen) -> Change:
    return Change(column, row, "within", max(large.low - small.high, 0), large.high - small.low)


def _by_number(counts: dict[tuple[str, Row], Seen]) -> dict[tuple, list[tuple]]:
    """Shown counts of groups cut at numbers, by column and all keys but the one that is cut."""
    found = defaultdict(list)
    for (column, row), of in counts.items():
        for at, level in enumerate(row):
            if of.shown and nested.span(level) is not None:
                found[column, at, row[:at] + row[at + 1 :]].append((row, level, of))
    return found
