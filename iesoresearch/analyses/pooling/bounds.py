"""What is known of every count in the released tables of a site: exact, a range, or two ranges.

Only what is certain is used: how counts are rounded, what a status says, that parts are no larger
than their whole and that groups add up to the total. So the truth always lies inside.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from iesoresearch.disclosure import Policy
from iesoresearch.disclosure.release import PROTECTS, small_status
from iesoresearch.models.pooling.counts import Count, total
from iesoresearch.models.pooling.rare import Proportion
from iesoresearch.results import STATUS, Table

ALL = ("all patients", "all patients")
_MOST = 10**9
_ROUNDS = 6  # of narrowing; ranges that are not settled by then are valid, only wider


@dataclass(frozen=True)
class Known:
    """Ranges of one column: (rows,) ``low`` and ``high``, and which cells are shown."""

    low: np.ndarray
    high: np.ndarray
    shown: np.ndarray


def proportions(
    tables: Mapping[str, Table], policy: Policy, numerator: str, denominator: str
) -> dict[tuple[str, str], Proportion]:
    """Events and people by grouping and level, those of everybody under `ALL`.

    Parameters
    ----------
    tables
        Of a released result of `fairness`.
    policy
        They were released under.
    numerator, denominator
        Columns of ``gaps`` (where it has them) and ``outcomes``.
    """
    found, totals = {}, {}
    for column in (denominator, numerator):
        totals[column] = _total(tables, policy, column)
    found[ALL] = _everybody(tables, policy, numerator, denominator, totals)
    gaps = tables.get("gaps")
    if gaps is None or not {numerator, denominator} <= set(gaps.values):
        return found
    people = _groups(gaps, policy, denominator, totals[denominator])
    events = _groups(gaps, policy, numerator, totals[numerator])
    high = np.minimum(events.high, people.high)
    low = np.maximum(people.low, events.low)
    alone = _only_its_own(tables, numerator, denominator)
    for row, key in enumerate(gaps.frame.select("grouping", "level").rows()):
        n = Count.between(low[row], max(people.high[row], low[row]))
        count = Count.between(events.low[row], max(high[row], events.low[row]))
        if alone and people.shown[row] and not events.shown[row]:
            count = _small(gaps, row, policy, n, count)
        found[key] = Proportion(count, n)
    return found


def _total(tables: Mapping[str, Table], policy: Policy, column: str) -> tuple[int, int]:
    """Range of everybody in a column, from the total and from every grouping."""
    outcomes, gaps = tables["outcomes"], tables.get("gaps")
    known = _cells(outcomes, policy, column)
    low, high = int(known.low[0]), int(known.high[0])
    for whole in outcomes.values[column].wholes:  # they are no fewer
        if whole in outcomes.values:
            high = min(high, _total(tables, policy, whole)[1])
    if gaps is None or column not in gaps.values:
        return low, max(high, low)
    cells = _cells(gaps, policy, column)
    for rows in _by_grouping(gaps):
        low = max(low, int(cells.low[rows].sum()))
        high = min(high, int(np.minimum(cells.high[rows], _MOST).sum()))
    return low, max(high, low)


def _groups(table: Table, policy: Policy, column: str, total: tuple[int, int]) -> Known:
    """Ranges of a column, narrowed by what its groups add up to."""
    cells = _cells(table, policy, column)
    low, high = cells.low.copy(), cells.high.copy()
    for rows in _by_grouping(table):
        for _ in range(_ROUNDS):
            below, above = low[rows].sum(), np.minimum(high[rows], _MOST).sum()
            high[rows] = np.minimum(high[rows], total[1] - (below - low[rows]))
            low[rows] = np.maximum(low[rows], total[0] - (above - np.minimum(high[rows], _MOST)))
            high[rows] = np.maximum(high[rows], low[rows])
    return Known(low, high, cells.shown)


def _cells(table: Table, policy: Policy, column: str) -> Known:
    """Ranges of a column, each cell by itself."""
    shown, low, high = [], [], []
    for value, status in table.frame.select(column, STATUS).rows():
        shown.append(value is not None)
        if value is None:
            ends = (policy.min_count if status == PROTECTS else 0, _MOST)
        elif value == 0:  # a few people are never shown as none
            ends = (0, 0)
        else:
            least, most = policy.shown_as(value)
            ends = (max(least, policy.min_count), most)
        low.append(ends[0])
        high.append(ends[1])
    return Known(np.array(low), np.array(high), np.array(shown))


def _everybody(tables, policy, numerator, denominator, totals) -> Proportion:
    """Events and people of everybody."""
    table = tables["outcomes"]
    people, events = totals[denominator], totals[numerator]
    n = Count.between(max(people[0], events[0]), max(people))
    count = Count.between(events[0], max(min(events[1], n.high), events[0]))
    people_shown, events_shown = (table.frame[c][0] is not None for c in (denominator, numerator))
    if people_shown and not events_shown and _stands_alone(tables, numerator, denominator):
        count = _small(table, 0, policy, n, count)
    return Proportion(count, n)


def _stands_alone(tables: Mapping[str, Table], numerator: str, denominator: str) -> bool:
    """Whether a part is in one table only, of one whole: hidden, it is hidden for its own sake."""
    having = [table for table in tables.values() if numerator in table.values]
    return len(having) == 1 and set(having[0].values[numerator].wholes) == {denominator}


def _small(table: Table, row: int, policy: Policy, n: Count, count: Count) -> Count:
    """Of a part that is hidden beside its whole: itself or what it leaves is small, if so said."""
    if table.frame[STATUS][row] != small_status(policy):
        return count
    most = policy.min_count - 1
    found = Count.small_or_rest(policy.fewest, most, n.low, n.high)
    if len(found.ranges) == 1 or count.low > most or count.high < found.ranges[1][0]:
        return count
    return found


def _only_its_own(tables: Mapping[str, Table], numerator: str, denominator: str) -> bool:
    """Whether no table by group holds another whole of the part than the one beside it.

    Else a row may be said to hold a small number for the sake of what that one leaves.
    """
    wholes = {w for t in tables.values() if numerator in t.values
              for w in t.values[numerator].wholes}  # fmt: skip
    others = wholes - {denominator}
    groups = [t for t in tables.values() if "grouping" in t.keys]
    return not any(others & set(table.values) for table in groups)


def _by_grouping(table: Table) -> list[np.ndarray]:
    rows = table.frame.with_row_index("_row").group_by("grouping", maintain_order=True)
    return [part["_row"].to_numpy() for _, part in rows]


def pooled_rate(rows: list[Proportion]) -> tuple[Count, Count]:
    """Events and people of all sites together, with exact bounds."""
    return total(row.events for row in rows), total(row.n for row in rows)


def frame_of(rows: Mapping[tuple[str, str], Proportion]) -> pl.DataFrame:
    """Ranges as a frame, for tests and tables."""
    found = [(*key, p.events.low, p.events.high, p.n.low, p.n.high) for key, p in rows.items()]
    names = ["grouping", "level", "events_low", "events_high", "n_low", "n_high"]
    return pl.DataFrame(found, schema=names, orient="row")
