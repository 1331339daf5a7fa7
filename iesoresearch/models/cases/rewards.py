"""Reading rewards: what is counted, when, and how it is discounted."""

from __future__ import annotations

import re

from iesoresearch.models.cases.case import Cell, Discount, RewardSpec
from iesoresearch.models.cases.cells import cell, constant
from iesoresearch.models.cases.definitions import States
from iesoresearch.models.cases.document import Part, suggestion
from iesoresearch.models.cases.parameters import attempt
from iesoresearch.models.cases.quantities import parse_period
from iesoresearch.models.markov_cohort import CONVENTIONS, Duration

#: Ways to count: those of the engine, and every point once.
COUNTS = (*CONVENTIONS, "all")
KINDS = ("cost", "effect", "other")
_KEYS = (
    *("kind", "per", "values", "transitions", "entry", "once", "count", "transition_count"),
    *("discount", "better", "unit", "note"),
)
_TIMES = ("end", "start", "with states")
_MOVE = re.compile(r"\s*(.+?)\s*->\s*(.+?)\s*")


def rewards(
    part: Part, states: States, cycle: Duration | None, cycles: int, general: dict[str, Part]
) -> tuple[RewardSpec, ...]:
    """Rewards of a case.

    Parameters
    ----------
    general
        ``count`` and ``discount`` of the whole case, if given.
    """
    found = []
    for name, entry in part.items():
        keys = entry.keys(_KEYS, ["kind"])
        kind = keys["kind"].choice(KINDS) if "kind" in keys else "other"
        if name in ("cost", "effect", "icer", "inmb", "versus") and name != kind:
            entry.problem(f"only a reward of kind {name} may be called {name}.")
        qaly = "qaly" in name.lower() or ("unit" in keys and keys["unit"].text() == "QALY")
        lower = "better" in keys and keys["better"].choice(("higher", "lower")) == "lower"
        if cycle is None:
            for key in sorted(set(keys) - {"kind", "better", "unit", "note"}):
                keys[key].problem("is for models with cycles.")
            found.append(RewardSpec(name, kind, entry.place, lower_is_better=lower, qaly=qaly))
            continue
        found.append(
            RewardSpec(
                name=name,
                kind=kind,
                place=entry.place,
                per=_period(keys, "per", cycle),
                values=_values(keys.get("values"), states),
                transitions=_moves(keys, states),
                once=cell(keys["once"]) if "once" in keys else None,
                count=_count(keys.get("count", general.get("count")), entry, cycles),
                transition_count=_transition_count(keys),
                discount=_discount(
                    keys.get("discount", general.get("discount")), entry, kind, cycle
                ),
                lower_is_better=lower,
                qaly=qaly,
            )
        )
    return tuple(found)


def _period(keys: dict[str, Part], key: str, cycle: Duration) -> Duration:
    if key not in keys:
        return cycle
    return attempt(keys[key], lambda text: parse_period(text, cycle)) or cycle


def _transition_count(keys: dict[str, Part]) -> str:
    return keys["transition_count"].choice(_TIMES) if "transition_count" in keys else "end"


def _values(part: Part | None, states: States) -> dict[str, Cell]:
    if part is None:
        return {}
    found = {
        state: cell(entry, states.local(state))
        for state, entry in states.by_state(part, others=True).items()
    }
    return {state: made for state, made in found.items() if made is not None}


def _moves(keys: dict[str, Part], states: States):
    found = []
    if "transitions" in keys:
        for name, entry in keys["transitions"].items():
            match = _MOVE.fullmatch(name)
            if match is None:
                entry.problem(f"{name!r} is not written like H -> S1 or any -> D.")
                continue
            ends = [_end(side, entry, states) for side in match.groups()]
            local = states.time if ends[0] is None else states.local(ends[0])
            made = cell(entry, local)
            if made is not None:
                found.append((ends[0], ends[1], made))
    if "entry" in keys:
        for state, entry in states.by_state(keys["entry"]).items():
            made = cell(entry, states.time)
            if made is not None:
                found.append((None, state, made))
    return tuple(found)


def _end(side: str, part: Part, states: States) -> str | None:
    if side == "any":
        return None
    if side not in states.names:
        part.problem(f"{side!r} is no state{suggestion(side, states.names)}.")
    return side


def _count(part: Part | None, entry: Part, cycles: int) -> str | tuple[float, ...]:
    if part is None:
        entry.problem(f"needs count, here or for the whole case: {', '.join(COUNTS)}, or a list.")
        return "start"
    if isinstance(part.value, list):
        weights = tuple(constant(element) for element in part.elements())
        if len(weights) != cycles + 1:
            part.problem(f"has {len(weights)} weights for the {cycles + 1} points 0 to {cycles}.")
        return weights
    count = part.choice(COUNTS)
    if count == "simpson" and cycles % 2:
        part.problem("Simpson's rule needs an even number of cycles (see darth_simpson).")
    return count


def _discount(part: Part | None, entry: Part, kind: str, cycle: Duration) -> Discount | None:
    if part is None:
        entry.problem("needs discount, here or for the whole case: none, or rate and per.")
        return None
    if isinstance(part.value, dict) and set(part.value) <= set(KINDS):
        own = "effect" if kind == "other" and "other" not in part.value else kind
        if own not in part.value:
            part.problem(f"says nothing of {own}.")
            return None
        part = part.at(own, part.value[own])
    if part.value == "none":
        return None
    if not isinstance(part.value, dict):
        part.problem("must be none, {rate: 0.035, per: year} or {factor: …}.")
        return None
    if "factor" in part.value:
        inner = part.keys(("factor",))
        factor = cell(inner["factor"], {"t"})
        return factor and Discount(None, cycle, factor, factor)
    keys = part.keys(("rate", "per", "exponent"), ("rate", "per"))
    if not {"rate", "per"} <= set(keys):
        return None
    rate = cell(keys["rate"])
    inner = keys.get("exponent", part.at("exponent", "t"))
    exponent = cell(inner, {"t"})
    if rate is None or exponent is None:
        return None
    return Discount(rate, _period(keys, "per", cycle), exponent)
