"""Expressions of a case: reading them, and checking their names before anything is computed."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping

from iesoresearch.errors import ParameterError
from iesoresearch.models.cases.case import Cell
from iesoresearch.models.cases.document import Document, Part, shown, suggestion
from iesoresearch.models.cases.expressions import compile_expression
from iesoresearch.models.cases.functions import FUNCTIONS

#: Variables the model itself has, where cycles pass.
TIME = frozenset({"cycle", "time", "years", "age"})
RESERVED = TIME | {"time_in_state", "t"}

#: How the format says what other languages call by these names.
ELSEWHERE = {
    "ln": " (the natural logarithm is log)",
    "power": " (write a ** b)",
    "ifelse": " (write a if condition else b)",
    "IF": " (write a if condition else b)",
    "round": " (write floor(x + 0.5))",
}


def cell(part: Part, local: Iterable[str] = ()) -> Cell | None:
    """Expression at a place; problems are kept.

    Parameters
    ----------
    local
        Which `RESERVED` names it may use.
    """
    value = part.value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        part.problem(f"must be a number or an expression, not {shown(value)}.")
        return None
    if isinstance(value, float) and not math.isfinite(value):
        part.problem("must be a finite number.")
        return None
    try:
        expression = compile_expression(value if isinstance(value, str) else repr(value))
    except ParameterError as error:
        part.problem(str(error))
        return None
    made = Cell(expression, part.place)
    part.document.cells.append((made, frozenset(local)))
    return made


def constant(part: Part) -> float:
    """A plain number."""
    if isinstance(part.value, int | float) and not isinstance(part.value, bool):
        return float(part.value)
    part.problem(f"must be a number, not {shown(part.value)}.")
    return 0.0


def check_names(
    document: Document,
    parameters: Iterable[str],
    tables: Iterable[str],
    bodies: Iterable[Mapping[str, Cell]],
) -> None:
    """Keep a problem for every name, function or number of arguments that cannot be.

    Parameters
    ----------
    parameters
        Names that are defined.
    tables
        Functions beside those of the format.
    bodies
        Per strategy: the expressions of all parameters.
    """
    parameters, tables = set(parameters), set(tables)
    for made, local in document.cells:
        _known(document, made, parameters, tables, local)
    if document.problems:
        return  # what names mean is not known
    for body in bodies:
        reach = _reach(document, body)
        for made, local in document.cells:
            used = set().union(*(reach.get(name, {name}) for name in made.expression.names))
            for name in sorted(used & RESERVED - local - RESERVED.intersection(body)):
                document.problems.append(f"{made.place}: {_why_not(name)}")


def _why_not(name: str) -> str:
    if name == "time_in_state":
        return "time_in_state needs a state with a clock, which this one has not (see clocks)."
    if name == "age":
        return "age is not known here: give start_age, in a model with cycles."
    if name == "t":
        return "t is for the exponent of a discount; write cycle or time."
    return f"{name} is not known here: no cycles pass."


def _known(document, made: Cell, parameters: set, tables: set, local: frozenset) -> None:
    for name in sorted(made.expression.names - parameters - RESERVED):
        close = suggestion(name, sorted(parameters | local))
        document.problems.append(f"{made.place}: {name!r} is not defined{close}.")
    missing = made.expression.calls - tables - set(FUNCTIONS)
    for name in sorted(missing):
        close = ELSEWHERE.get(name) or suggestion(name, sorted({*tables, *FUNCTIONS}))
        document.problems.append(f"{made.place}: there is no function {name!r}{close}.")
    for name, count in sorted(a for a in _arguments(made) if a[0] not in missing):
        least, most = (1, 1)
        if name not in tables and name in FUNCTIONS:
            least, most = FUNCTIONS[name].least, FUNCTIONS[name].most
        if not least <= count <= most:
            wanted = least if least == most else f"{least} to {most}"
            document.problems.append(f"{made.place}: {name} takes {wanted} values, not {count}.")


def _arguments(made: Cell) -> set[tuple[str, int]]:
    calls = [node for node in ast.walk(made.expression.tree) if isinstance(node, ast.Call)]
    return {(call.func.id, len(call.args)) for call in calls}


def _reach(document: Document, body: Mapping[str, Cell]) -> dict[str, set[str]]:
    """Everything a parameter reads, through others; circles are problems."""
    reach: dict[str, set[str]] = {}

    def visit(name: str, path: tuple[str, ...]) -> set[str]:
        if name in path:
            circle = " → ".join((*path[path.index(name) :], name))
            document.problems.append(f"{body[name].place}: is defined by itself: {circle}.")
            return set()
        if name not in body:
            return {name}
        if name not in reach:
            found = {name}
            for other in sorted(body[name].expression.names):
                found |= visit(other, (*path, name))
            reach[name] = found
        return reach[name]

    for name in body:
        visit(name, ())
        if document.problems:
            break
    return reach
