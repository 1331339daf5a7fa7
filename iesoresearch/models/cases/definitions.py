"""Reading transitions (see `matrices` for what the ways to write them mean)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from iesoresearch.models.cases import matrices
from iesoresearch.models.cases.case import Cell, Clock
from iesoresearch.models.cases.cells import TIME, cell, constant
from iesoresearch.models.cases.document import Part, shown, suggestion

OPERATIONS = (
    *("counts", "mix", "switch", "relative_risk", "hazard_ratio", "odds_ratio"),
    *("dying", "competing", "exponential", "of"),
)


@dataclass(frozen=True)
class States:
    """States and what may stand in their rows.

    Attributes
    ----------
    names
        In order.
    clocks
        Groups of states with a clock.
    time
        Names an expression of time may use.
    """

    names: tuple[str, ...]
    clocks: tuple[Clock, ...]
    time: frozenset[str] = TIME

    def local(self, state: str) -> frozenset[str]:
        """Names that an expression for a state may use."""
        clocked = any(state in clock.states for clock in self.clocks)
        return self.time | {"time_in_state"} if clocked else self.time

    def by_state(self, part: Part, *, others: bool = False) -> dict[str, Part]:
        """Entries by state, from a mapping or from a list in the order of the states.

        With `others` every state must be there, or ``others`` stands for those that are not.
        """
        if isinstance(part.value, list):
            elements = part.elements()
            if len(elements) != len(self.names):
                part.problem(f"has {len(elements)} entries for {len(self.names)} states.")
                return {}
            return dict(zip(self.names, elements, strict=True))
        found = dict(part.items())
        default = found.pop("others", None) if others else None
        for name in [name for name in found if name not in self.names]:
            found.pop(name).problem(f"is no state{suggestion(name, self.names)}.")
        missing = [name for name in self.names if name not in found]
        if others and missing and isinstance(part.value, dict):
            if default is None:
                part.problem(f"lacks {', '.join(missing)}; others: 0 stands for the rest.")
            else:
                found.update(dict.fromkeys(missing, default))
        return found


def definition(part: Part, states: States, named: Iterable[str], base=None):
    """A way to write transitions; None if it has problems.

    Parameters
    ----------
    named
        Names that ``of`` may use.
    base
        Rows that a mapping of states changes, entry by entry; None if they stand alone.
    """
    if isinstance(part.value, str):
        return _named(part, named)
    if isinstance(part.value, list):
        return _rows(part, states, None)
    if not isinstance(part.value, dict):
        part.problem("must hold the rows of the states, or one way to make them (see README).")
        return None
    operation = next((key for key in part.value if key in OPERATIONS and key != "of"), None)
    if operation is None and set(part.value) == {"of"}:
        return definition(part.at("of", part.value["of"]), states, named)
    if operation is None:
        return _rows(part, states, base)
    inner = part.at(operation, part.value[operation])
    for key in part.value:
        if key != operation:
            part.at(key, part.value[key]).problem(f"cannot stand beside {operation}.")
    makers = {"counts": _counts, "mix": _mix, "switch": _switch, "dying": _dying}
    if operation in makers:
        return makers[operation](inner, states, named)
    if operation in ("competing", "exponential"):
        return _rates(inner, states, operation)
    return _relative(inner, states, named, operation)


def _named(part: Part, named: Iterable[str]):
    named = list(named)
    if part.value not in named:
        part.problem(f"{part.value!r} is none of the matrices{suggestion(part.value, named)}.")
        return None
    return matrices.Named(part.value)


def _rows(part: Part, states: States, base) -> matrices.RowsOf | None:
    if base is not None and not isinstance(base, matrices.RowsOf):
        part.problem("changes rows, but the transitions of the case are no rows: use of: base.")
        return None
    rows = {state: dict(row) for state, row in base.rows.items()} if base else {}
    places = dict(base.places) if base else {}
    for state, row in states.by_state(part).items():
        places[state] = row.place
        rows.setdefault(state, {}).update(_row(row, state, states))
    for state in states.names:
        if state not in rows:
            part.problem(f"has no row for {state}; write {state}: stay if nobody leaves it.")
        elif sum(entry == matrices.REST for entry in rows[state].values()) > 1:
            part.problem(f"the row of {state} has more than one rest.")
    complete = all(None not in row.values() for row in rows.values())
    return matrices.RowsOf(rows, places) if complete and len(rows) == len(states.names) else None


def _row(part: Part, state: str, states: States) -> dict[str, Cell | str | None]:
    if part.value == "stay":
        return {state: matrices.REST}
    found: dict[str, Cell | str | None] = {}
    if isinstance(part.value, str):
        part.problem(f"{shown(part.value)} is no row: write stay, or states with probabilities.")
        return found
    for to, entry in states.by_state(part).items():
        rest = entry.value == matrices.REST
        found[to] = matrices.REST if rest else cell(entry, states.local(state))
    return found


def _counts(part: Part, states: States, _) -> matrices.Counts | None:
    rows = {}
    for state, row in states.by_state(part).items():
        if row.value == "stay":
            rows[state] = tuple(float(name == state) for name in states.names)
            continue
        given = {to: constant(entry) for to, entry in states.by_state(row).items()}
        rows[state] = tuple(given.get(to, 0.0) for to in states.names)
        if min(rows[state], default=0) < 0 or sum(rows[state]) <= 0:
            row.problem("holds a negative count, or none at all.")
    for state in states.names:
        if state not in rows:
            part.problem(f"has no row for {state}.")
    return matrices.Counts(rows, ".".join(part.path)) if len(rows) == len(states.names) else None


def _mix(part: Part, states: States, named) -> matrices.Mix | None:
    parts = []
    for element in part.elements():
        keys = element.keys(("weight", "of"), ("weight", "of"))
        if len(keys) < 2:
            continue
        rest = keys["weight"].value == matrices.REST
        weight = matrices.REST if rest else cell(keys["weight"], states.time)
        parts.append((weight, definition(keys["of"], states, named)))
    if sum(weight == matrices.REST for weight, _ in parts) > 1 or not parts:
        part.problem("needs parts with weights, at most one of them rest.")
    return matrices.Mix(tuple(parts), part.place) if _whole(parts) else None


def _switch(part: Part, states: States, named) -> matrices.Switch | None:
    parts, elements = [], part.elements()
    for k, element in enumerate(elements):
        last = k == len(elements) - 1
        keys = element.keys(
            ("of",) if last else ("when", "of"), ("of",) if last else ("when", "of")
        )
        when = cell(keys["when"], states.time) if "when" in keys else None
        if "of" in keys:
            parts.append((when, definition(keys["of"], states, named)))
    if len(elements) < 2:
        part.problem("needs two parts or more, all but the last with when.")
    return matrices.Switch(tuple(parts)) if all(d is not None for _, d in parts) else None


def _whole(parts) -> bool:
    return bool(parts) and all(item is not None for pair in parts for item in pair)


def _relative(part: Part, states: States, named, kind: str) -> matrices.Relative | None:
    keys = part.keys(("value", "of", "from", "to"), ("value", "of"))
    if not {"value", "of"} <= set(keys):
        return None
    chosen = {}
    for key in ("from", "to"):
        if key in keys:
            names = [entry.text() for entry in keys[key].elements()]
            for name in names:
                if name not in states.names:
                    keys[key].problem(f"{name!r} is no state{suggestion(name, states.names)}.")
            chosen[key] = tuple(name for name in names if name in states.names)
    value = cell(keys["value"], states.time)
    of = definition(keys["of"], states, named)
    if value is None or of is None:
        return None
    return matrices.Relative(kind, value, of, chosen.get("from"), chosen.get("to"), part.place)


def _dying(part: Part, states: States, named) -> matrices.Dying | None:
    keys = part.keys(("to", "probability", "of"), ("to", "probability", "of"))
    if len(keys) < 3:
        return None
    to = keys["to"].choice(states.names)
    given = keys["probability"]
    if isinstance(given.value, dict):
        cells = {s: cell(p, states.local(s)) for s, p in states.by_state(given).items()}
    else:
        cells = {s: cell(given, states.local(s)) for s in states.names if s != to}
    of = definition(keys["of"], states, named)
    return matrices.Dying(to, cells, of) if of and None not in cells.values() else None


def _rates(part: Part, states: States, method: str) -> matrices.Rates | None:
    rows = {}
    for state, row in states.by_state(part).items():
        entries = {} if row.value == "stay" else states.by_state(row)
        if state in entries:
            entries.pop(state).problem("is no move: give the rates of leaving only.")
        rows[state] = {to: cell(entry, states.local(state)) for to, entry in entries.items()}
    for state in states.names:
        if state not in rows:
            part.problem(f"has no row for {state}; write {state}: stay if nobody leaves it.")
    whole = all(None not in row.values() for row in rows.values())
    return (
        matrices.Rates(rows, method, part.place)
        if whole and len(rows) == len(states.names)
        else None
    )
