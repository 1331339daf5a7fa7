"""Review of suppressed counts: what an attacker proves of them from all tables together."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import polars as pl

from iesoresearch.disclosure import attack, linking
from iesoresearch.disclosure.findings import Finding
from iesoresearch.disclosure.policy import Policy
from iesoresearch.disclosure.release import PROTECTS
from iesoresearch.results import STATUS, Table

ADVICE = "Release the run again with this version, or leave the table out."


def findings(run: str, tables: Mapping[str, Table], policy: Policy) -> list[Finding]:
    """Of every table with suppressed counts, whether they keep their whole range.

    Parameters
    ----------
    run
        Name of the run.
    tables
        Its released tables with counts of patients, by name.
    policy
        They were released under.
    """
    tables = attackable(tables)
    try:
        attacked = attack.narrowed(tables, policy)
        alone = _alone(tables)
    except ValueError as error:
        return [
            Finding(run, "run", "refuse", "tables contradict each other",
                    f"What the tables say of the same people cannot all be so ({error}). {ADVICE}")
        ]  # fmt: skip
    found = [
        Finding(run, f"table:{name}", "refuse", "stands alone",
                "Suppressed counts are the only ones of their whole: whoever knows the total works "
                f"them out. {ADVICE}", {"cells by column": columns})
        for name, columns in alone.items()
    ]  # fmt: skip
    proved = by_table(attacked.narrowed)
    for name in sorted(attacked.by_table):
        rows = proved.get(name, [])
        found.append(_judged(run, name, attacked.by_table[name], rows, policy))
    return found


def attackable(tables: Mapping[str, Table]) -> dict[str, Table]:
    """Released tables with whole counts of patients."""
    return {
        name: table
        for name, table in tables.items()
        if STATUS in table.frame.columns and (linking.counted(table))
    }


def by_table(narrowed: pl.DataFrame) -> dict[str, list[dict]]:
    """Rows of an attack by the tables they stand in."""
    found = defaultdict(list)
    for row in narrowed.to_dicts():
        for name in row["tables"]:
            found[name].append(row)
    return dict(found)


def proved_few(rows: Iterable[dict], policy: Policy) -> list[dict]:
    """Rows of an attack that are certainly below the threshold."""
    return [row for row in rows if row["high"] is not None and row["high"] < policy.min_count]


def evidence_of(rows: Iterable[dict], policy: Policy) -> dict:
    """What may be said of narrowed cells: which columns, how many, and the widest loss.

    Neither the groups nor the ranges: these are the disclosure.
    """
    columns: dict[str, int] = {}
    possible = []
    for row in rows:
        name = row["column"] if row["rest_of"] is None else f"{row['rest_of']} − {row['column']}"
        columns[name] = columns.get(name, 0) + 1
        high = policy.min_count - 1 if row["high"] is None else row["high"]
        possible.append(min(high, policy.min_count - 1) - max(row["low"], policy.fewest) + 1)
    return {
        "cells by column": columns,
        "fewest values left possible": min(possible, default=None),
        "values of a suppressed count": policy.min_count - policy.fewest,
    }


def _judged(run: str, name: str, n: int, rows: list[dict], policy: Policy) -> Finding:
    few = proved_few(rows, policy)
    output = f"table:{name}"
    if few:
        return Finding(
            run, output, "refuse", "suppressed counts",
            "What is shown proves of suppressed counts, or of what they leave, more than that they "
            f"are below {policy.min_count}. {ADVICE}", evidence_of(few, policy),
        )  # fmt: skip
    if rows:
        return Finding(
            run, output, "review", "suppressed counts",
            "Some values of suppressed counts can be ruled out, though not that they are large: "
            "look whether any of them is small.", evidence_of(rows, policy),
        )  # fmt: skip
    return Finding(
        run, output, "pass", "suppressed counts",
        "An attacker with an integer programme over all tables of the run proves of no suppressed "
        f"count, and of nothing it leaves, more than that it is below {policy.min_count}.",
        {"attacked": n, "narrowest range": [policy.fewest, policy.min_count - 1]},
    )  # fmt: skip


def _alone(tables: Mapping[str, Table]) -> dict[str, dict[str, int]]:
    """By table and column, suppressed small counts without a second one in their whole."""
    system = linking.build(tables)
    found: dict[str, dict[str, int]] = {}
    for one in system.sums:
        if not one.exact or one.whole < system.n_totals_from or len(one.parts) == 1:
            continue
        shown = {at: _shown(system, tables, at) for at in one.parts}
        hidden = [at for at, n in shown.items() if n is None]
        if len(hidden) != 1 or not any(shown.values()):
            continue
        cell = system.cells[hidden[0]]
        places = system.places[hidden[0]]
        if any(tables[name].frame[STATUS][row] == PROTECTS for name, row in places):
            continue
        if any(_others_hidden(system, tables, place, hidden[0]) for place in places):
            continue  # the small one of the row may be another
        for name in {name for name, _ in places}:
            columns = found.setdefault(name, {})
            columns[cell.column] = columns.get(cell.column, 0) + 1
    return found


def _others_hidden(system, tables: Mapping[str, Table], place: tuple[str, int], at: int) -> bool:
    cells = [one for one in system.members[place] if one < system.n_rests_from and one != at]
    return any(_shown(system, tables, one) is None for one in cells)


def _shown(system, tables: Mapping[str, Table], at: int) -> int | None:
    counts = (tables[name].frame[system.cells[at].column][row] for name, row in system.places[at])
    return next((n for n in counts if n is not None), None)
