"""Counts and groups that lie within each other, by their names: what two releases leave of them.

Analyses declare which counts are parts of which (`iesoresearch.results.Value.within`). The outcomes
of a course of therapy are nested whoever declares it, and so are groups cut at numbers.
"""

import re
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from iesoresearch.measures.outcomes import FLAGS
from iesoresearch.results import Table

_OF_FINISHED = ("caseness", "at_caseness", "reliable_improvement", "reliable_deterioration",
                "no_reliable_change", "judged")  # fmt: skip
#: Outcome -> those it lies within, as the definitions in `iesoresearch.measures.outcomes` have it.
WITHIN = {
    "reliable_recovery": ("recovery", "reliable_improvement"),
    "recovery": ("caseness", "at_caseness"),
    **dict.fromkeys(_OF_FINISHED, ("finished",)),
    "finished": ("started", "referred"),
    "started": ("referred",),
}
#: Outcome -> one that has nobody in common with it.
APART_FROM = {
    "reliable_deterioration": "reliable_improvement",
    "no_reliable_change": "reliable_improvement",
}
assert set(FLAGS) <= WITHIN.keys()  # a new flag has to be put into its place

_NUMBER = r"(\d+(?:\.\d+)?)"
_RANGE = re.compile(rf"(?:.*?\D)?{_NUMBER}\s*(?:-|–|to|/)\s*{_NUMBER}\D*")
_MORE = r"(?:\+|(?:and|or) (?:over|older|more)).*"
_FROM = re.compile(rf"(?:≥|>=|from)\s*{_NUMBER}\D*|{_NUMBER}\s*{_MORE}")
_ABOVE = re.compile(rf"(?:>|over|above|older than)\s*{_NUMBER}\D*")
_UP_TO = re.compile(rf"(?:≤|<=|up to)\s*{_NUMBER}\D*")
_BELOW = re.compile(rf"(?:<|under|below|younger than)\s*{_NUMBER}\D*")

Span = tuple[float, float]


def declared(table: Table) -> Table:
    """The table with what the names of its counts say of each other, beside its own words."""
    values = {}
    for name, value in table.values.items():
        if value.kind == "count" and name in WITHIN:
            further = tuple(w for w in WITHIN[name] if _is_count(table, w))
            values[name] = replace(
                value,
                within=tuple(dict.fromkeys((*value.wholes, *further))),
                apart_from=value.apart_from or _apart(table, name),
            )
    return replace(table, values=table.values | values)


def wholes(*tables: Table) -> dict[str, set[str]]:
    """Of every count the counts it lies within, however far up: by its name, or as tables say."""
    above: dict[str, set[str]] = {name: set(of) for name, of in WITHIN.items()}
    for table in tables:
        for name, value in table.values.items():
            above.setdefault(name, set()).update(value.wholes)
    found = {}
    for name in above:
        reached, ahead = set(), set(above[name])
        while ahead:
            reached |= ahead
            ahead = {w for one in ahead for w in above.get(one, ())} - reached
        found[name] = reached - {name}
    return found


def _is_count(table: Table, name: str) -> bool:
    return name not in table.values or table.values[name].kind == "count"


def _apart(table: Table, name: str) -> str | None:
    other = APART_FROM.get(name)
    return other if other is not None and _is_count(table, other) else None


@cache
def span(level: Any) -> Span | None:
    """The numbers a level stands for, such as 65 and infinity for "65+"; None if for none.

    Both ends are included; whole numbers are meant, as years of age are.
    """
    words = str(level).strip().lower()
    if found := _RANGE.fullmatch(words):
        return float(found[1]), float(found[2])
    for pattern, ends in (
        (_ABOVE, lambda n: (n + 1, np.inf)),
        (_UP_TO, lambda n: (-np.inf, n)),
        (_BELOW, lambda n: (-np.inf, n - 1)),
    ):
        if found := pattern.fullmatch(words):
            return ends(float(found[1]))
    if found := _FROM.fullmatch(words):
        return float(found[1] or found[2]), np.inf
    return None


def lies_within(inner: Any, outer: Any) -> bool:
    """Whether one level is a part of another, not the same, by the numbers they stand for."""
    a, b = span(inner), span(outer)
    return a is not None and b is not None and a != b and b[0] <= a[0] and a[1] <= b[1]
