"""Reading parameters, what is drawn together, and tables."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.cases.case import Group, Joint, Parameter
from iesoresearch.models.cases.cells import RESERVED, TIME, cell, constant
from iesoresearch.models.cases.distributions import Distribution, parse_distribution
from iesoresearch.models.cases.document import Part, shown, suggestion
from iesoresearch.models.cases.functions import FUNCTIONS
from iesoresearch.models.cases.quantities import NUMBER, Unit, parse_unit
from iesoresearch.models.cases.tables import Table
from iesoresearch.models.markov_cohort import Duration

_KEYS = ("value", "unit", "distribution", "source", "note", "label")
_LOOKUPS = ("step", "linear", "exact")


def parameters(part: Part, cycle: Duration | None, base=None) -> dict[str, Parameter]:
    """Parameters of a case or, with those of the `base`, the changes of a strategy."""
    found = {}
    for name, entry in part.items():
        if base is None:
            _fit_name(name, entry)
        elif name not in base:
            entry.problem(f"is no parameter of the case{suggestion(name, base)}.")
            continue
        made = _parameter(name, entry, cycle)
        if made is not None:
            if base is not None and made.unit is None:
                made = Parameter(name, made.cell, base[name].unit, made.distribution, made.source)
            found[name] = made
    return found


def _fit_name(name: str, part: Part) -> None:
    if not name.isidentifier() or keyword.iskeyword(name):
        part.problem(f"{name!r} cannot be a name: letters, digits and _ only, and no Python word.")
    elif name in RESERVED or name in FUNCTIONS:
        part.problem(f"{name!r} is a word of the format; choose another name.")


def _parameter(name: str, part: Part, cycle: Duration | None) -> Parameter | None:
    local = {*TIME, "time_in_state"}
    if not isinstance(part.value, dict):
        made = cell(part, local)
        return made and Parameter(name, made)
    keys = part.keys(_KEYS, ["value"])
    if "value" not in keys:
        return None
    made = cell(keys["value"], local)
    unit = distribution = None
    if "unit" in keys:
        unit = attempt(keys["unit"], lambda text: parse_unit(text, cycle))
    if "distribution" in keys:
        number = keys["value"].value
        number = float(number) if isinstance(number, int | float) else None
        distribution = attempt(
            keys["distribution"], lambda text: parse_distribution(text, number), "."
        )
    if part.value.get("source", "unsaid") in ("", None):
        part.problem("has an empty source: say where the value is from, or leave the key out.")
    source = keys["source"].text() if "source" in keys else ""
    return made and Parameter(name, made, unit, distribution, source)


def attempt(part: Part, make: Callable[[str], object], end: str = ""):
    """What `make` makes of a text; its ParameterError becomes a problem of the place."""
    text = part.text()
    try:
        return make(text) if text else None
    except ParameterError as error:
        part.problem(f"{error}{end}")
        return None


def distributions(part: Part) -> dict[str, Distribution]:
    """Distributions by name."""
    found = {}
    for name, entry in part.items():
        _fit_name(name, entry)
        made = attempt(entry, lambda text: parse_distribution(text, None), ".")
        if made is not None:
            found[name] = made
    return found


def groups(part: Part, known: Mapping[str, Parameter]) -> tuple[Group, ...]:
    """Parts of the people: their share, and their values of parameters."""
    found = []
    for name, entry in part.items():
        keys = entry.keys(("share", *known), ("share",))
        values = {key: constant(value) for key, value in keys.items()}
        found.append(Group(name, values.pop("share", 0.0), values))
    for group in found:
        for name in sorted(set().union(*(other.values for other in found)) - set(group.values)):
            part.problem(f"{group.name} lacks {name}, which another group has.")
    shares = [group.share for group in found]
    if not shares or min(shares) <= 0 or abs(sum(shares) - 1) > 1e-9:
        part.problem(f"the shares must be above 0 and sum to 1, not to {sum(shares):.10g}.")
    return tuple(found)


def joints(part: Part, known: Iterable[str]) -> tuple[Joint, ...]:
    """Parameters that are drawn together."""
    found, known = [], list(known)
    for name, entry in part.items():
        keys = entry.keys(("multinormal", "dirichlet"))
        for kind, inner in keys.items():
            made = (_multinormal if kind == "multinormal" else _dirichlet)(name, inner)
            if made is None:
                continue
            for other in made.names:
                if other not in known:
                    inner.problem(f"{other!r} is no parameter{suggestion(other, known)}.")
            found.append(made)
    return tuple(found)


def _dirichlet(name: str, part: Part) -> Joint | None:
    counts = {key: constant(entry) for key, entry in part.items()}
    if len(counts) < 2 or not all(count > 0 for count in counts.values()):
        part.problem("a Dirichlet distribution needs two or more counts, all above 0.")
        return None
    return Joint(name, "dirichlet", tuple(counts), tuple(counts.values()))


def _multinormal(name: str, part: Part) -> Joint | None:
    keys = part.keys(("names", "mean", "covariance"), ("names", "mean", "covariance"))
    if len(keys) < 3:
        return None
    names = tuple(entry.text() for entry in keys["names"].elements())
    mean = tuple(constant(entry) for entry in keys["mean"].elements())
    rows = [[constant(x) for x in row.elements()] for row in keys["covariance"].elements()]
    if len(mean) != len(names) or [len(row) for row in rows] != [len(names)] * len(names):
        part.problem(f"needs {len(names)} means and {len(names)} rows of as many covariances.")
        return None
    matrix = np.array(rows)
    if not np.allclose(matrix, matrix.T) or np.linalg.eigvalsh(matrix).min() < -1e-12:
        part.problem("the covariance is not symmetric, or no variables have it (not definite).")
        return None
    return Joint(name, "multinormal", names, mean, tuple(tuple(row) for row in rows))


def tables(part: Part, cycle: Duration | None) -> dict[str, Table]:
    """Columns of tables by the name they are called with."""
    found = {}
    for name, entry in part.items():
        keys = entry.keys(("by", "lookup", "unit", "at", "values", "columns", "source", "note"))
        if not {"at", "lookup"} <= set(keys) or ("values" in keys) == ("columns" in keys):
            entry.problem("needs at, lookup, and either values or columns.")
            continue
        lookup = keys["lookup"].choice(_LOOKUPS)
        unit = NUMBER
        if "unit" in keys:
            unit = attempt(keys["unit"], lambda text: parse_unit(text, cycle)) or NUMBER
        columns = [(name, keys["values"])] if "values" in keys else []
        if "columns" in keys:
            columns = [(f"{name}_{key}", column) for key, column in keys["columns"].items()]
        for column, values in columns:
            _fit_name(column, values)
            made = _column(keys["at"], values, lookup, unit)
            if made is not None:
                found[column] = made
    return found


def _column(at: Part, part: Part, lookup: str, unit: Unit) -> Table | None:
    values = np.array([constant(entry) for entry in part.elements()])
    points = _points(at, len(values))
    if points is None or len(points) != len(values) or len(values) == 0:
        count = 0 if points is None else len(points)
        part.problem(f"has {len(values)} values for {count} points.")
        return None
    if np.any(np.diff(points) <= 0):
        at.problem("must ascend.")
        return None
    if unit.kind == "rate" and values.min() < 0:
        part.problem(f"holds a negative rate, {shown(float(values.min()))}.")
    if unit.kind == "probability" and not (values.min() >= 0 and values.max() <= 1):
        part.problem("holds a probability outside 0 … 1.")
    return Table(points, values, lookup, unit)


def _points(at: Part, count: int) -> np.ndarray | None:
    if isinstance(at.value, dict):
        keys = at.keys(("from", "step"), ("from",))
        if "from" not in keys:
            return None
        step = constant(keys["step"]) if "step" in keys else 1.0
        return constant(keys["from"]) + step * np.arange(count)
    return np.array([constant(entry) for entry in at.elements()])
