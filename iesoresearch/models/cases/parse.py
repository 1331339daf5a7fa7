"""From the text of a case file to a checked `Case`."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

from iesoresearch.models.cases import lint
from iesoresearch.models.cases.asked import asked
from iesoresearch.models.cases.case import (
    Case,
    Cell,
    Clock,
    Expected,
    Sampling,
    Source,
    StrategySpec,
)
from iesoresearch.models.cases.cells import TIME, cell, check_names, constant
from iesoresearch.models.cases.definitions import OPERATIONS, States, definition
from iesoresearch.models.cases.document import Document, Part, read
from iesoresearch.models.cases.expected import expected
from iesoresearch.models.cases.parameters import (
    attempt,
    distributions,
    groups,
    joints,
    parameters,
    tables,
)
from iesoresearch.models.cases.quantities import parse_period
from iesoresearch.models.cases.rewards import rewards
from iesoresearch.models.cases.tree import node
from iesoresearch.models.markov_cohort import Duration

KINDS = ("markov_cohort", "decision_tree", "frontier", "value_of_information")
FORMAT = 1
_ALWAYS = (
    *("format", "id", "title", "kind", "complete", "not_found", "source", "currency"),
    *("price_year", "perspective", "notes", "parameters", "joint", "tables", "checks"),
    *("expected", "findings_expected", "variants", "wtp"),
)
_OF_KIND = {
    "markov_cohort": (
        *("people", "cycle", "cycles", "start_age", "states", "clocks", "start", "count"),
        *("discount", "matrices", "transitions", "rewards", "strategies", "psa"),
        *("individuals", "groups", "microsimulation"),
    ),
    "decision_tree": ("rewards", "strategies", "psa"),
    "frontier": ("rewards", "strategies"),
    "value_of_information": ("questions",),
}
_NEEDS = {
    "markov_cohort": ("cycle", "cycles", "states", "transitions", "rewards", "strategies"),
    "decision_tree": ("rewards", "strategies"),
    "frontier": ("rewards", "strategies"),
    "value_of_information": ("questions",),
}
_SOURCE = ("citation", "doi", "licence", "repo", "commit", "file", "pmcid", "url", "note", "second")


def parse(text: str, name: str) -> Case:
    """Read a case in the format of ``params/cases/README.md``.

    Parameters
    ----------
    text
        Of the file.
    name
        Of the file, for messages.

    Returns
    -------
    Case
        Checked as far as it can be without a run, units included.

    Raises
    ------
    ParameterError
        Naming every problem with its place.
    """
    document = read(text, name)
    if not isinstance(document.value, dict):
        document.root.problem("must hold the sections of a case, such as format: 1.")
    document.raise_problems()
    case = _case(document)
    document.raise_problems()
    given = document.root.at("variants", document.value.get("variants") or {})
    variants = {label: _variant(document, label, part.value) for label, part in given.items()}
    document.raise_problems()
    return dataclasses.replace(case, variants=variants)


def _variant(document: Document, label: str, changes: Any) -> Case:
    """The case with some parts replaced, read as a case of its own."""
    base = {k: v for k, v in document.value.items() if k not in ("variants", "expected", "checks")}
    path = ("variants", label)
    inner = Document(document.name, None, document.lines, prefix=path)
    if not isinstance(changes, dict):
        inner.root.problem("must hold what changes, and expected.")
        inner.raise_problems()
    inner.value = _merged(base, changes)
    case = _case(inner)
    inner.raise_problems()
    return case


def _merged(base: dict, changes: dict) -> dict:
    """Mappings are merged, all else is replaced; an empty value removes.

    What makes sense only as a whole (discount, start, a way to write transitions) is replaced.
    """
    result = copy.deepcopy(base)
    for key, value in changes.items():
        old = result.get(key)
        either = {
            *(old if isinstance(old, dict) else ()),
            *(value if isinstance(value, dict) else ()),
        }
        if value is None:
            result.pop(key, None)
        elif key in ("discount", "start") or either & set(OPERATIONS):
            result[key] = value
        elif isinstance(value, dict) and isinstance(old, dict):
            result[key] = _merged(old, value)
        elif (
            isinstance(value, dict | list | str) or not isinstance(old, dict) or "value" not in old
        ):
            result[key] = value
        else:
            result[key] = {**old, "value": value}
    return result


def _case(document: Document) -> Case:
    root = document.root
    kind = root.value.get("kind")
    kind = root.at("kind", kind).choice(KINDS) if kind is not None else "markov_cohort"
    keys = root.keys((*_ALWAYS, *_OF_KIND[kind]), ("format", "id", "title", "kind", "source"))
    if "format" in keys and keys["format"].value != FORMAT:
        keys["format"].problem(f"this is format {FORMAT}.")
    complete = keys["complete"].truth() if "complete" in keys else True
    fields = _head(keys, complete)
    if complete:
        root.keys(root.value, _NEEDS[kind])
        for key in ("expected",):
            if key not in keys and "checks" not in keys and "questions" not in keys:
                root.problem("needs expected: the published results, each with its tolerance.")
    document.raise_problems()
    cycle = None
    if "cycle" in keys:
        cycle = attempt(keys["cycle"], lambda text: parse_period(text, None))
        document.raise_problems()
    fields |= _inputs(keys, cycle)
    case = Case(name=document.name, kind=kind, complete=complete, cycle=cycle, **fields)
    if complete or "strategies" in keys:
        case = _model(case, keys)
    case = dataclasses.replace(case, **_results(case, keys))
    _check(document, case)
    document.raise_problems()
    return lint.checked(case, document) if complete else case


def _head(keys: dict[str, Part], complete: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in ("id", "title", "currency", "price_year"):
        if key in keys:
            found[key] = keys[key].text()
    missing = ()
    if "not_found" in keys:
        missing = tuple(entry.text() for entry in keys["not_found"].elements())
    if bool(missing) == complete:
        part = keys.get("complete", keys.get("not_found"))
        if part is not None:
            part.problem("complete: false goes with not_found, the list of what is missing.")
    found["not_found"] = missing
    if "wtp" in keys:
        found["wtp"] = constant(keys["wtp"])
    found["source"] = _source(keys["source"]) if "source" in keys else Source()
    for key, option in (("notes", "notes"), ("findings_expected", "findings_expected")):
        if key in keys:
            found[option] = tuple(entry.text() for entry in keys[key].elements())
    return found


def _source(part: Part) -> Source:
    keys = part.keys(_SOURCE)
    words = {name: entry.text() for name, entry in keys.items()}
    if not set(words) & {"citation", "doi", "repo", "url", "note"}:
        part.problem("must say where the model is from: citation, doi, repo, url or note.")
    if "licence" not in words:
        part.problem("needs licence: that of the source, or what is known of it.")
    first = {key: words.pop(key, "") for key in ("citation", "doi", "licence")}
    return Source(**first, more=words)


def _inputs(keys: dict[str, Part], cycle: Duration | None) -> dict[str, Any]:
    found: dict[str, Any] = {"parameters": {}, "tables": {}}
    if "parameters" in keys:
        found["parameters"] = parameters(keys["parameters"], cycle)
    if "tables" in keys:
        found["tables"] = tables(keys["tables"], cycle)
        for name in sorted(set(found["tables"]) & set(found["parameters"])):
            keys["tables"].problem(f"{name!r} is a parameter too; choose another name.")
    if "joint" in keys:
        found["joints"] = joints(keys["joint"], found["parameters"])
    if "individuals" in keys:
        found["individuals"] = distributions(keys["individuals"])
        for name in found["individuals"]:
            if name not in found["parameters"]:
                keys["individuals"].problem(f"{name!r} must be a parameter too: its mean.")
    if "groups" in keys:
        found["groups"] = groups(keys["groups"], found["parameters"])
        if "individuals" in keys:
            keys["groups"].problem("groups and individuals do not go together.")
    return found | _sizes(keys)


def _sizes(keys: dict[str, Part]) -> dict[str, Sampling]:
    found = {}
    for key, word in (("psa", "draws"), ("microsimulation", "individuals")):
        if key in keys:
            inner = keys[key].keys((word, "seed"), (word, "seed"))
            if len(inner) == 2:
                sizes = inner[word].whole(2), inner["seed"].whole(0, 2**63 - 1)
                found[key] = Sampling(*sizes)
    return found


def _model(case: Case, keys: dict[str, Part]) -> Case:
    """The parts that make a model, read in the order in which they need each other."""
    states = States((), ())
    changes: dict[str, Any] = {}
    if case.kind == "markov_cohort":
        states, changes = _states(keys)
        case = dataclasses.replace(case, **changes)
        if "states" in keys:
            keys["states"].document.raise_problems()
    general = {key: keys[key] for key in ("count", "discount") if key in keys}
    if "rewards" in keys:
        made = rewards(keys["rewards"], states, case.cycle, case.cycles, general)
        case = dataclasses.replace(case, rewards=made)
    if case.kind == "markov_cohort" and "transitions" in keys:
        case = dataclasses.replace(case, **_transitions(keys, states))
    if "strategies" in keys:
        made = tuple(
            _strategy(entry, name, case, states) for name, entry in keys["strategies"].items()
        )
        case = dataclasses.replace(case, strategies=made)
        if not made:
            keys["strategies"].problem("there must be at least one.")
    if "start" not in keys and case.kind == "markov_cohort":
        for strategy in case.strategies:
            if strategy.start is None and strategy.tree is None:
                keys["strategies"].problem(f"{strategy.name} has no start, and the case has none.")
    return case


def _states(keys: dict[str, Part]) -> tuple[States, dict[str, Any]]:
    names: tuple[str, ...] = ()
    if "states" in keys:
        names = tuple(entry.text() for entry in keys["states"].elements())
        for name in names:
            if names.count(name) > 1 or name in (*OPERATIONS, "any", "others") or "->" in name:
                keys["states"].problem(f"{name!r} is there twice, or is a word of the format.")
    clocks = _clocks(keys["clocks"], names) if "clocks" in keys else ()
    changes: dict[str, Any] = {"states": names, "clocks": clocks}
    changes["cycles"] = keys["cycles"].whole(1, 100_000) if "cycles" in keys else 1
    time = TIME if "start_age" in keys else TIME - {"age"}
    if "start_age" in keys:
        changes["start_age"] = cell(keys["start_age"])
    if "people" in keys:
        changes["people"] = constant(keys["people"])
    states = States(names, clocks, frozenset(time))
    if "start" in keys:
        changes["start"] = _start(keys["start"], states)
    return states, changes


def _clocks(part: Part, names: tuple[str, ...]) -> tuple[Clock, ...]:
    found: list[Clock] = []
    for name, entry in part.items():
        group, length = (name,), entry
        if isinstance(entry.value, dict):
            keys = entry.keys(("states", "cycles"), ("states", "cycles"))
            if len(keys) < 2:
                continue
            group = tuple(element.text() for element in keys["states"].elements())
            length = keys["cycles"]
        taken = [state for clock in found for state in clock.states]
        for state in group:
            if state not in names or state in taken:
                entry.problem(f"{state!r} is no state, or has a clock already.")
        found.append(Clock(group, length.whole(1, 5_000)))
    return tuple(found)


def _start(part: Part, states: States) -> dict[str, Cell | str]:
    found: dict[str, Cell | str] = {}
    for state, entry in states.by_state(part).items():
        made = "rest" if entry.value == "rest" else cell(entry)
        if made is not None:
            found[state] = made
    if sum(made == "rest" for made in found.values()) > 1:
        part.problem("more than one state has the rest.")
    return found


def _transitions(keys: dict[str, Part], states: States) -> dict[str, Any]:
    names: list[str] = []
    found = {}
    if "matrices" in keys:
        for name, entry in keys["matrices"].items():
            if name == "base":
                entry.problem("base means the transitions of the case; choose another name.")
            found[name] = definition(entry, states, names)
            names.append(name)
    return {"matrices": found, "transitions": definition(keys["transitions"], states, names)}


def _strategy(part: Part, name: str, case: Case, states: States) -> StrategySpec:
    known = {
        "markov_cohort": ("parameters", "transitions", "start", "tree", "note"),
        "decision_tree": ("parameters", "tree", "note"),
        "frontier": (*(reward.name for reward in case.rewards), "note"),
    }[case.kind]
    if part.value is None:
        part = part.at("", {})
        part = Part({}, part.path[:-1], part.document)
    needs = {"decision_tree": ("tree",), "frontier": known[:-1]}.get(case.kind, ())
    if isinstance(part.value, dict) and "states" in part.value:
        part.problem("has states of its own; all strategies share those of the case (see README).")
        return StrategySpec(name)
    keys = part.keys(known, needs)
    if case.kind == "frontier":
        outcomes = {key: cell(entry) for key, entry in keys.items() if key != "note"}
        return StrategySpec(name, outcomes=outcomes)
    changed, transitions, tree, start = {}, None, None, None
    if "parameters" in keys:
        changed = parameters(keys["parameters"], case.cycle, case.parameters)
    if "transitions" in keys:
        named = ["base", *case.matrices]
        transitions = definition(keys["transitions"], states, named, case.transitions)
    if "tree" in keys:
        tree = node(keys["tree"], [reward.name for reward in case.rewards], states.names)
    if "start" in keys:
        start = _start(keys["start"], states)
        if tree is not None:
            part.problem("has a start and a tree, whose paths end in states.")
    return StrategySpec(name, changed, transitions, start, {}, tree)


def _results(case: Case, keys: dict[str, Part]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    outcomes: list[Expected] = []
    if "expected" in keys:
        names = [reward.name for reward in case.rewards]
        outcomes += expected(keys["expected"], names, case.names, case.states, case.cycles)
    checks = {}
    if "questions" in keys:
        found["questions"] = _questions(keys["questions"])
    if "checks" in keys:
        for name, entry in keys["checks"].items():
            inner = entry.keys(
                ("value", "expected", "tolerance", "note"), ("value", "expected", "tolerance")
            )
            if {"value", "expected", "tolerance"} <= set(inner):
                checks[name] = cell(inner["value"])
                value, tolerance = constant(inner["expected"]), constant(inner["tolerance"])
                outcomes.append(Expected(name, ("check", name), value, tolerance, entry.place))
    return {**found, "expected": tuple(outcomes), "checks": checks}


def _questions(part: Part) -> dict[str, tuple[str, Cell, Cell]]:
    found = {}
    for name, entry in part.items():
        keys = entry.keys(("is", "mean", "sd", "note"), ("is", "mean", "sd"))
        if {"is", "mean", "sd"} <= set(keys):
            what = keys["is"].choice(("value", "probability_best"))
            mean, sd = cell(keys["mean"]), cell(keys["sd"])
            if mean is not None and sd is not None:
                found[name] = (what, mean, sd)
    return found


def _check(document: Document, case: Case) -> None:
    bodies = []
    for strategy in case.strategies or (StrategySpec(""),):
        merged = {**case.parameters, **strategy.parameters}
        bodies.append({name: parameter.cell for name, parameter in merged.items()})
    check_names(document, case.parameters, case.tables, bodies)
    asked(document, case)
