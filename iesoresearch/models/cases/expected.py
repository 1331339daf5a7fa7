"""Reading the published numbers of a case, each with its tolerance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from iesoresearch.models.cases.case import Expected
from iesoresearch.models.cases.cells import constant
from iesoresearch.models.cases.document import Part, shown, suggestion

SECTIONS = (
    *("tolerance", "totals", "undiscounted", "incremental", "frontier", "status", "icers"),
    *("trace", "paths", "values", "thresholds", "psa", "microsimulation"),
)
STATUSES = ("on frontier", "dominated", "extendedly dominated")
VERDICTS = ("dominant", "dominated", "ratio")
_SUMMARIES = ("mean", "sd", "low", "high")
#: Of a probabilistic analysis: what each needs beside its value, and its words.
_PROBABILITIES = {
    "probability_cost_effective": (("wtp", "versus"), "is better than {versus} at {wtp:g}"),
    "probability_best": (("wtp",), "is best at {wtp:g}"),
    "probability_dominant": (("versus",), "dominates {versus}"),
    "probability_less_costly": (("versus",), "costs less than {versus}"),
    "probability_more_effective": (("versus",), "does more than {versus}"),
}


@dataclass
class _Reader:
    """Reads values; a tolerance stands beside a value, or once per quantity."""

    tolerances: dict[str, float | str]
    rewards: tuple[str, ...]
    strategies: tuple[str, ...]
    states: tuple[str, ...]
    cycles: int
    found: list[Expected] = field(default_factory=list)

    def add(self, part: Part, quantity: str, key: tuple, of: str) -> None:
        """One value: a number, or {value, tolerance}."""
        given = self.tolerances.get(of)
        number = part
        if isinstance(part.value, dict):
            keys = part.keys(("value", "tolerance", "note"), ("value",))
            number = keys.get("value", part.at("value", 0.0))
            if "tolerance" in keys:
                given = _tolerance(keys["tolerance"])
        value = constant(number)
        if given is None:
            part.problem(f"needs a tolerance: here, or expected.tolerance.{of}.")
            return
        relative = isinstance(given, str)
        tolerance = abs(value) * float(given.rstrip("%")) / 100 if relative else given
        self.found.append(Expected(quantity, key, value, tolerance, part.place))

    def strategy(self, part: Part, name: str) -> bool:
        """Whether a strategy is known; if not, a problem."""
        if name not in self.strategies:
            part.problem(f"{name!r} is no strategy{suggestion(name, self.strategies)}.")
        return name in self.strategies

    def per_strategy(self, part: Part) -> Iterable[tuple[str, Part]]:
        """Entries of known strategies."""
        return [(name, entry) for name, entry in part.items() if self.strategy(entry, name)]

    @property
    def totals(self) -> tuple[str, ...]:
        """Names that totals have."""
        return tuple(dict.fromkeys([*self.rewards, "cost", "effect"]))

    def reward(self, part: Part, name: str) -> bool:
        """Whether a total is known; if not, a problem."""
        if name not in self.totals:
            part.problem(f"{name!r} is no reward{suggestion(name, self.totals)}.")
        return name in self.totals


def expected(part: Part, rewards, strategies, states, cycles: int) -> tuple[Expected, ...]:
    """Published numbers of a case.

    Parameters
    ----------
    rewards, strategies, states
        Names that may be used.
    """
    keys = part.keys(SECTIONS)
    tolerances = {}
    if "tolerance" in keys:
        tolerances = {name: _tolerance(entry) for name, entry in keys["tolerance"].items()}
    reader = _Reader(tolerances, tuple(rewards), tuple(strategies), tuple(states), cycles)
    readers = {
        "totals": _totals,
        "undiscounted": _totals,
        "microsimulation": _totals,
        "incremental": _incremental,
        "frontier": _frontier,
        "status": _status,
        "icers": _icers,
        "trace": _trace,
        "paths": _paths,
        "values": _values,
        "thresholds": _thresholds,
        "psa": _psa,
    }
    for name, entry in keys.items():
        if name in readers:
            readers[name](reader, entry, name)
    return tuple(reader.found)


def _tolerance(part: Part) -> float | str:
    """Absolute, or a text such as "0.1%" of the value."""
    value = part.value
    if isinstance(value, str) and value.endswith("%"):
        try:
            if float(value[:-1]) >= 0:
                return value
        except ValueError:
            pass
    elif isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    part.problem(f"a tolerance is a number of 0 or more, or a text like 0.1%, not {shown(value)}.")
    return 0.0


def _totals(reader: _Reader, part: Part, section: str) -> None:
    words = {"totals": "", "undiscounted": "undiscounted ", "microsimulation": "microsimulated "}
    for strategy, entry in reader.per_strategy(part):
        for name, value in entry.items():
            if reader.reward(value, name):
                text = f"{words[section]}{name} of {strategy}"
                reader.add(value, text, (section, strategy, name), name)


def _incremental(reader: _Reader, part: Part, section: str) -> None:
    drawn, after = (("psa",), " in the PSA") if section == "psa" else ((), "")
    for strategy, entry in reader.per_strategy(part):
        versus = entry.value.get("versus") if isinstance(entry.value, dict) else None
        if versus is None:
            entry.problem("needs versus: the strategy it is compared with.")
            continue
        if not reader.strategy(entry, versus):
            continue
        for name, value in entry.items():
            key = (*drawn, "incremental", strategy, versus, name)
            words = f"of {strategy} versus {versus}{after}"
            if name == "verdict":
                word = value.choice(VERDICTS)
                reader.found.append(Expected(f"verdict {words}", key, word, None, value.place))
            elif name in ("icer", "inmb"):
                reader.add(value, f"{name} {words}", key, name)
            elif name != "versus" and reader.reward(value, name):
                reader.add(value, f"difference in {name} {words}", key, name)


def _frontier(reader: _Reader, part: Part, _) -> None:
    names = tuple(entry.text() for entry in part.elements())
    for name in names:
        reader.strategy(part, name)
    reader.found.append(Expected("frontier", ("frontier",), names, None, part.place))


def _status(reader: _Reader, part: Part, _) -> None:
    for strategy, entry in reader.per_strategy(part):
        word = entry.choice(STATUSES)
        key = ("status", strategy)
        reader.found.append(Expected(f"status of {strategy}", key, word, None, entry.place))


def _icers(reader: _Reader, part: Part, _) -> None:
    for strategy, entry in reader.per_strategy(part):
        reader.add(entry, f"icer of {strategy} on the frontier", ("icer", strategy), "icer")


def _trace(reader: _Reader, part: Part, _) -> None:
    for strategy, entry in reader.per_strategy(part):
        for cycle, row in entry.items():
            if not (cycle.isdigit() and int(cycle) <= reader.cycles):
                row.problem(f"{cycle!r} is no point of 0 to {reader.cycles}.")
                continue
            for state, value in _named(row, reader.states):
                if state not in reader.states:
                    value.problem(f"{state!r} is no state{suggestion(state, reader.states)}.")
                    continue
                text = f"share in {state} of {strategy} after cycle {cycle}"
                reader.add(value, text, ("trace", strategy, int(cycle), state), "trace")


def _named(part: Part, names: tuple[str, ...]) -> list[tuple[str, Part]]:
    if not isinstance(part.value, list):
        return list(part.items())
    if len(part.value) != len(names):
        part.problem(f"has {len(part.value)} values for {len(names)} states.")
        return []
    return list(zip(names, part.elements(), strict=True))


def _paths(reader: _Reader, part: Part, _) -> None:
    for strategy, entry in reader.per_strategy(part):
        for path, value in entry.items():
            text = f"probability of {path} of {strategy}"
            reader.add(value, text, ("path", strategy, path), "path")


def _values(reader: _Reader, part: Part, _) -> None:
    for name, value in part.items():
        reader.add(value, name, ("value", name), "value")


def _thresholds(reader: _Reader, part: Part, _) -> None:
    known = ("parameter", "between", "strategy", "versus", "of", "is", "value", "tolerance", "note")
    for name, entry in part.items():
        keys = entry.keys(known, known[:5])
        if not set(known[:5]) <= set(keys):
            continue
        between = tuple(constant(end) for end in keys["between"].elements())
        strategy, versus = keys["strategy"].text(), keys["versus"].text()
        of = keys["of"].text()
        fine = [
            reader.strategy(keys["strategy"], strategy),
            reader.strategy(keys["versus"], versus),
        ]
        if of != "inmb":
            fine.append(reader.reward(keys["of"], of))
        if len(between) != 2:
            keys["between"].problem("needs a lower and an upper end.")
            continue
        target = constant(keys["is"]) if "is" in keys else 0.0
        key = ("threshold", keys["parameter"].text(), between, strategy, versus, of, target)
        if all(fine):
            reader.add(_bare(entry), f"threshold {name}", key, "threshold")


def _psa(reader: _Reader, part: Part, _) -> None:
    keys = part.keys((*_SUMMARIES, "incremental", "evpi", *_PROBABILITIES))
    if "incremental" in keys:
        _incremental(reader, keys["incremental"], "psa")
    if "evpi" in keys:
        _evpi(reader, keys["evpi"])
    for section in _SUMMARIES:
        if section in keys:
            for strategy, entry in reader.per_strategy(keys[section]):
                for name, value in entry.items():
                    if reader.reward(value, name):
                        key = ("psa", section, strategy, name)
                        reader.add(value, f"{section} {name} of {strategy} in the PSA", key, name)
    for section in _PROBABILITIES:
        if section in keys:
            _probabilities(reader, keys[section], section)


def _evpi(reader: _Reader, part: Part) -> None:
    keys = part.keys(("wtp", "value", "tolerance", "note"), ("wtp", "value"))
    if {"wtp", "value"} <= set(keys):
        wtp = constant(keys["wtp"])
        reader.add(_bare(part), f"EVPI at {wtp:g}", ("psa", "evpi", "", wtp), "evpi")


def _bare(part: Part) -> Part:
    """A value and its tolerance, without what says which value it is."""
    inner = {k: v for k, v in part.value.items() if k in ("value", "tolerance")}
    return Part(inner, part.path, part.document)


def _probabilities(reader: _Reader, part: Part, section: str) -> None:
    needs, words = _PROBABILITIES[section]
    for strategy, entry in reader.per_strategy(part):
        keys = entry.keys((*needs, "value", "tolerance", "note"), (*needs, "value"))
        if not {*needs, "value"} <= set(keys):
            continue
        versus = keys["versus"].text() if "versus" in keys else None
        if versus is not None and not reader.strategy(keys["versus"], versus):
            continue
        wtp = constant(keys["wtp"]) if "wtp" in keys else 0.0
        text = f"probability that {strategy} {words.format(versus=versus, wtp=wtp)}"
        key = ("psa", section, strategy, versus, wtp)
        reader.add(_bare(entry), text, key, "probability")
