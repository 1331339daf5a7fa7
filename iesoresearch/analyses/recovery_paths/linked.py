"""What counts of `recovery_paths` are made of, over all its tables: they are protected together.

Three rules flag the same patients, and safety is watched in these and others, so what is hidden of
one rule must not follow from another.
"""

from collections.abc import Iterable, Mapping

from iesoresearch.analyses._linked import cells, rows_of, same, together
from iesoresearch.analyses.recovery_paths.fitted import DETERIORATED, HARM, NEW_HARM
from iesoresearch.analyses.recovery_paths.flags import MODEL, RULES
from iesoresearch.analyses.recovery_paths.growth_tables import SEEN
from iesoresearch.analyses.recovery_paths.signal_tables import BY_GROUP, CELLS, EVER
from iesoresearch.results import At, Related, Table

_ALL = ("overall", "")  # group and level of everybody in `safety`


def linked(tables: Mapping[str, Table]) -> dict[str, Table]:
    """The tables with what their counts are made of."""
    relations = [
        *_cells(tables),
        *_rules(tables),
        *_groups(tables),
        *_safety(tables),
        *_safety_flags(tables),
        *_classes(tables),
        *_growth(tables),
    ]
    return together(tables, relations)


def _cells(tables: Mapping[str, Table]) -> Iterable[Related]:
    """Flagged or not; and who missed the outcome was."""
    for name in ("rules", *BY_GROUP.values()):
        for row in rows_of(tables[name]):
            n, bad, *parts = ((name, column, row) for column in CELLS)
            yield n, tuple(parts[:2]), True
            yield bad, tuple(parts[2:]), True


def _rule(column: str, rule: str, when: str = EVER) -> At:
    return "rules", column, (when, rule)


def _rules(tables: Mapping[str, Table]) -> Iterable[Related]:
    """The same patients by every rule; who is flagged after a session is among those ever."""
    for when, rule in rows_of(tables["rules"]):
        for column in ("n", "bad"):
            yield from same(_rule(column, RULES[0], when), _rule(column, rule, when))
        if when != EVER:
            for column in ("n", "bad", "flagged", "hits"):
                yield _rule(column, rule), (_rule(column, rule, when),), False
    for (landmark,) in rows_of(tables["coverage"]):
        at = _rule("n", RULES[0], f"after session {landmark}")
        yield from same(at, ("coverage", "n", (landmark,)))
    sessions = tuple(
        _rule("flagged", MODEL, when) for when, rule in rows_of(tables["rules"])
        if rule == MODEL and when != EVER
    )  # fmt: skip
    for rule in RULES:
        yield ("equal_work", "flags", (rule,)), sessions, True
        yield from same(_rule("n", rule), ("equal_work", "n", (rule,)))
        yield ("equal_work", "n", (rule,)), (("equal_work", "flagged", (rule,)),), False
        yield from same(_rule("n", rule), *cells(tables, "benefit", "n", rule=rule))
        yield from same(_rule("flagged", rule), *cells(tables, "benefit", "flagged", rule=rule))
    yield from same(_rule("flagged", MODEL), ("equal_work", "flagged", (MODEL,)))


def _groups(tables: Mapping[str, Table]) -> Iterable[Related]:
    """Groups add up to all that a rule judges, and are the same by every rule."""
    first = BY_GROUP[RULES[0]]
    for rule, name in BY_GROUP.items():
        for group in tables[name].frame["group"].unique(maintain_order=True):
            for column in CELLS:
                parts = cells(tables, name, column, group=group)
                yield _rule(column, rule), tuple(parts), True
        for row in rows_of(tables[name]) if name != first else ():
            for column in ("n", "bad"):
                yield from same((first, column, row), (name, column, row))
    for row in rows_of(tables[first]):
        yield _watched("n", DETERIORATED, *row), ((first, "n", row),), False


def _watched(column: str, signal: str, group: str = _ALL[0], level: str = _ALL[1]) -> At:
    return "safety", column, (signal, group, level)


def _safety(tables: Mapping[str, Table]) -> Iterable[Related]:
    """With a signal or without; new is a signal in those who did not have it at first."""
    for row in rows_of(tables["safety"]):
        n, *parts = (("safety", column, row) for column in ("n", "events", "without"))
        yield n, tuple(parts), True
        if row[0] == DETERIORATED:
            yield from same(n, _watched("n", HARM, *row[1:]))
            without = _watched("without", HARM, *row[1:])
            yield from same(without, _watched("n", NEW_HARM, *row[1:]))
    groups = tables["safety"].frame.select("signal", "group").unique(maintain_order=True)
    for signal, group in groups.rows():
        if group != _ALL[0]:
            for column in ("n", "events", "without"):
                parts = cells(tables, "safety", column, signal=signal, group=group)
                yield _watched(column, signal), tuple(parts), True


def _safety_flags(tables: Mapping[str, Table]) -> Iterable[Related]:
    """Of those with a signal, whom a rule could judge; who deteriorated missed the outcome."""
    for signal, rule in rows_of(tables["safety_flags"]):
        n, flagged = (("safety_flags", column, (signal, rule)) for column in ("n", "flagged"))
        yield from same(("safety_flags", "n", (signal, RULES[0])), n)
        yield _watched("events", signal), (n,), False
        bad, hits = ("bad", "hits") if signal == DETERIORATED else ("n", "flagged")
        yield _rule(bad, rule), (n,), False
        yield _rule(hits, rule), (flagged,), False


def _classes(tables: Mapping[str, Table]) -> Iterable[Related]:
    """All patients, each in one class."""
    everybody = _watched("n", DETERIORATED)
    yield everybody, tuple(cells(tables, "classes", "n")), True
    yield from same(everybody, *cells(tables, "class_choice", "n"))
    for (name,) in rows_of(tables["classes"]):
        curve = {"class": name}
        yield from same(("classes", "n", (name,)), *cells(tables, "class_curves", "n", **curve))


def _growth(tables: Mapping[str, Table]) -> Iterable[Related]:
    """Patients of the growth model; all of them have a first score, and not all a later one."""
    everybody = ("prior_check", "n", rows_of(tables["prior_check"])[0])
    for name in ("expected", "variance", "leaving", "priors", "sampling", "prior_check"):
        yield from same(everybody, *cells(tables, name, "n"))
    for row in rows_of(tables["curve"]):
        at = ("curve", "n", row)
        if row[0] != SEEN or row[1] == 0:
            yield from same(everybody, at)
        else:
            yield everybody, (at,), False
        if row[0] == SEEN:
            for other in ("predictive", "predictive_cases"):
                yield from same(at, *cells(tables, other, "n", session=row[1]))
