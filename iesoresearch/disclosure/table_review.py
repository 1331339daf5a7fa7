"""Review of one table: its shape, its counts and its statistics, from the released file alone."""

import re
from collections.abc import Iterator
from functools import partial

import numpy as np
import polars as pl

from iesoresearch.data import identifiers
from iesoresearch.disclosure import statistics
from iesoresearch.disclosure.findings import Finding
from iesoresearch.disclosure.policy import Policy
from iesoresearch.results import RELEASED, STATUS, Table

MOST_ROWS = 5_000  # OpenSAFELY's limit for released files: more are rows of people, or unreadable
_MANY_SUPPRESSED = 0.5  # share of the cells
_OF_ONE = re.compile(
    r"(?i)(?:^|_)(?:patient|person|participant|referral|course|therapist|nhs|user|subject|row|case)"
    r"_?(?:id|ids|number|no|key|pseudonym)$"
)
_PSEUDONYM = r"^[0-9a-f]{32,64}$"


def findings(run: str, name: str, table: Table, policy: Policy) -> list[Finding]:
    """What is found about a table that was released, apart from what others tell of it.

    At least one finding; "pass" comes last and only if nothing is refused.
    """
    found = partial(Finding, run, f"table:{name}")
    if not statistics.guarded(table):
        return [_open(found, table)]
    if STATUS not in table.frame.columns:
        return [
            found("refuse", "not released", "It never went through disclosure control. Bundle runs "
                  "of this version only.")
        ]  # fmt: skip
    problems = [
        *_shape(found, table),
        *_counts(found, table, policy),
        *_statistics(found, table, policy),
        *_suppressed(found, table),
    ]
    if any(one.status == "refuse" for one in problems):
        return problems
    return [*problems, _proof(found, table, policy)]


def suppressed(table: Table) -> int:
    """Guarded cells that are suppressed."""
    if STATUS not in table.frame.columns:
        return 0
    rows = table.frame.filter(pl.col(STATUS) != RELEASED)
    return sum(rows[name].null_count() for name in statistics.guarded(table))


def _open(found, table: Table) -> Finding:
    if table.frame.height > MOST_ROWS:
        return found("review", "size", f"Open data with more than {MOST_ROWS:,} rows: look whether "
                     "they are aggregates.", {"rows": table.frame.height})  # fmt: skip
    return found("pass", "open data", "Open data only.", {"rows": table.frame.height})


def _shape(found, table: Table) -> Iterator[Finding]:
    """Tables that look like rows of people."""
    rows = table.frame.height
    if rows > MOST_ROWS:
        yield found("refuse", "rows of people", f"It has more than {MOST_ROWS:,} rows: these are "
                    "no aggregates that anybody could look through.", {"rows": rows})  # fmt: skip
    keys = [key for key in table.frame.columns if _OF_ONE.search(key)]
    keys += [
        name
        for name, kind in table.frame.schema.items()
        if kind == pl.String
        and rows
        and (table.frame[name].str.contains(_PSEUDONYM).fill_null(False).mean() or 0) >= 0.5
    ]
    if keys:
        yield found("refuse", "rows of people", "A column names single people, referrals or "
                    "therapists. Give groups instead.", {"columns": sorted(set(keys))})  # fmt: skip
    # by its heading: a column "name" of predictors is none of people
    headings = {key: heading for key, heading in table.keys.items() if heading}
    headings = headings if len(set(headings.values())) == len(headings) else {}
    looks = identifiers.identifiers(table.frame.rename(headings))
    if looks:
        yield found("refuse", "identifiers", "It looks as if there were identifiers in it: "
                    + "; ".join(one.text(True) for one in looks) + ".",
                    {"columns": [one.name for one in looks]})  # fmt: skip


def _counts(found, table: Table, policy: Policy) -> Iterator[Finding]:
    """Counts that the policy does not show like this."""
    small, unrounded, zeros = {}, {}, 0
    for name, value in statistics.guarded(table).items():
        if value.kind != "count" or not table.frame.schema[name].is_numeric():
            continue
        for shown in table.frame[name].drop_nulls().to_list():
            problem = count_problem(shown, policy)
            if problem:
                of = small if problem == "small" else unrounded
                of[name] = of.get(name, 0) + 1
            zeros += shown == 0
    if small:
        yield found("refuse", "small counts", f"Counts below {policy.min_count} are shown. Release "
                    "the run again under this policy.", {"cells by column": small})  # fmt: skip
    if unrounded:
        yield found("refuse", "unrounded counts", "Counts are shown that are not rounded to "
                    f"{policy.round_to}. Release the run again under this policy.",
                    {"cells by column": unrounded})  # fmt: skip
    if zeros and not small:
        yield found("review", "zeros", "Zeros are shown, as the policy allows: look whether that "
                    "nobody is in a group tells of everybody in it.", {"zeros": zeros})  # fmt: skip


def count_problem(shown: float, policy: Policy) -> str | None:
    """Why a count cannot be shown like this under a policy: "small", "unrounded", or not at all."""
    if shown != int(shown):
        return "unrounded"
    low, high = policy.shown_as(int(shown))
    if policy.is_small(int(shown)) and high < policy.min_count:
        return "small"
    if shown == 0:
        return None
    least = max(low, policy.min_count)
    fits = least <= high and policy.rounded(least) == shown
    return None if fits else ("small" if shown < policy.min_count else "unrounded")


def _statistics(found, table: Table, policy: Policy) -> Iterator[Finding]:
    extremes = statistics.extremes(table, statistics.ENDS)
    if extremes:
        yield found("refuse", "extremes", "The least or the largest value of anybody is one "
                    "person's. Give a quantile with enough people beyond it.",
                    {"columns": extremes})  # fmt: skip
    perhaps = statistics.extremes(table, statistics.PERHAPS_ENDS)
    if perhaps:
        yield found("review", "extremes", "By its name a column may be the least or the largest "
                    "value of anybody: look whether it is one person's.",
                    {"columns": perhaps})  # fmt: skip
    yield from _explained(found, table, policy)
    alone = statistics.without_people(table)
    if alone:
        yield found("review", "no count behind it", "The table does not say how many people stand "
                    "behind its statistics: look it up before it is let out, or add a count.",
                    {"columns": alone})  # fmt: skip


def _explained(found, table: Table, policy: Policy) -> Iterator[Finding]:
    """Rates and means that released counts do not give."""
    guarded = statistics.guarded(table)
    numeric = [name for name in guarded if table.frame.schema[name].is_numeric()]
    of_total = {name: statistics.of_total(table, name, policy) for name in numeric}
    exact = [name for name, of in of_total.items() if of == "exact"]
    undone, unexplained = {}, []
    for name in (name for name, of in of_total.items() if of is None):
        value = guarded[name]
        if value.kind not in ("rate", "mean"):
            continue
        if value.kind == "rate" and statistics.given_by_counts(table, name):
            continue
        rows = statistics.undone(table, name, policy)
        if rows:
            undone[name] = rows
        elif value.kind == "rate" and value.denominator is None:
            unexplained.append(name)
    if undone:
        yield found("refuse", "rounding undone", "A rate or mean with so many digits tells how "
                    "many people there are more exactly than the rounded count beside it. Derive "
                    "it from released counts (disclosure.derived), or show fewer digits.",
                    {"rows by column": undone})  # fmt: skip
    if exact:
        yield found("refuse", "shares of exact counts", "A column is the share of each count in "
                    "its total, finer than the counts are shown, so that hidden ones come out as "
                    "the rest. Derive it from released counts, or declare it as a rate of the "
                    "total.", {"columns": exact})  # fmt: skip
    if unexplained:
        yield found("review", "rates without counts", "No two counts of the table give these "
                    "rates: look where they come from.", {"columns": unexplained})  # fmt: skip


def _suppressed(found, table: Table) -> Iterator[Finding]:
    cells = table.frame.height * len(statistics.guarded(table))
    hidden = suppressed(table)
    if cells and hidden > _MANY_SUPPRESSED * cells:
        yield found("review", "many suppressed", "More than half of it is suppressed: is it worth "
                    "showing? Fewer or broader groups would say more.",
                    {"suppressed": hidden, "cells": cells})  # fmt: skip


def _proof(found, table: Table, policy: Policy) -> Finding:
    counts = {
        name: table.frame[name].drop_nulls()
        for name, value in statistics.guarded(table).items()
        if value.kind == "count" and table.frame.schema[name].is_numeric()
    }
    shown = np.concatenate([[], *(column.to_numpy() for column in counts.values())])
    given = {
        name: list(pair)
        for name, value in statistics.guarded(table).items()
        if value.kind == "rate" and (pair := statistics.given_by_counts(table, name))
    }
    evidence = {
        "rows": table.frame.height,
        "counts shown": len(shown),
        "smallest count shown": int(shown.min()) if len(shown) else None,
        "all multiples of": policy.round_to if policy.rounding == "nearest" else None,
        "cells suppressed": suppressed(table),
        "rates given by released counts": given,
    }
    evidence = {name: said for name, said in evidence.items() if said not in (None, {})}
    sentence = "No count below the threshold, all of them rounded."
    return found("pass", "counts", sentence, evidence)
