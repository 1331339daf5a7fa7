"""Tables of `pooling`: a model judged, states, and what suppression costs."""

import numpy as np
from scipy import special

from iesoresearch.analyses.pooling import parts
from iesoresearch.analyses.pooling.computed import MAIN, OUTCOMES, WORDS, Computed, Row, likely
from iesoresearch.analyses.pooling.sites import visible
from iesoresearch.analyses.pooling.tables import (
    FURTHER,
    POOLED,
    Maker,
    further,
    tells_further,
    three,
)
from iesoresearch.models.pooling import rare
from iesoresearch.models.pooling.counts import Count
from iesoresearch.models.pooling.effects import Pooled
from iesoresearch.models.pooling.mixture import Likely
from iesoresearch.results import Table

RELEASED, DROPPED, EXACT = (
    "as released",
    "suppressed sites left out",
    "exact counts, never released",
)
_SCORES = np.arange(len(parts.LEVELS))


def performance(found: Computed) -> Table:
    """How good the model is at each site that is shown, on average, and at a further one."""
    make, rows = Maker(found.sensitivity), []
    for measure, (heading, _, back, _) in parts.MEASURES.items():
        having = found.performance[measure]
        pooled = parts.pooled(having, back)
        for part, weight in zip(having, pooled.weights or [None] * len(having), strict=True):
            if part.label is not None:
                rows.append(
                    {"measure": heading, "label": part.label, "value": part.estimate,
                     "value_low": part.low, "value_high": part.high, "n": part.n,
                     "weight": None if weight is None else 100 * weight}
                )  # fmt: skip
        rows.append({"measure": heading, "label": POOLED, **three("value", pooled, float),
                     "weight": 100.0})  # fmt: skip
        if tells_further(pooled):
            rows.append(
                {"measure": heading, "label": FURTHER, "value": pooled.estimate,
                 "value_low": pooled.predicted_low, "value_high": pooled.predicted_high}
            )  # fmt: skip
    values = {
        **make.interval("value", "Value", 3),
        "n": make.value("Patients", 0),
        "weight": make.value("Weight, %", 0),
    }
    keys = {"measure": "Measure", "label": "Site"}
    return make.table("One model at every site", rows, keys, values)


def matched(found: Computed) -> Table:
    """Which state of each site that is shown is which, how far apart, and which it lacks."""
    make, rows, states = Maker(found.sensitivity), [], found.states
    for (_, label), match in zip(states.sites, states.matched, strict=True):
        if label is None:
            continue
        for i, (place, distance) in enumerate(zip(match.place, match.distance, strict=True)):
            rows.append(
                {"label": label, "own": str(i + 1), "state": _word(place), "distance": distance}
            )
        rows += [{"label": label, "own": "not found", "state": str(i + 1)} for i in match.lacking]
    values = {
        "state": make.value("State of all sites", 0),
        "distance": make.value("Hellinger distance", 3),
    }
    return make.table("States matched", rows, {"label": "Site", "own": "State there"}, values)


def _word(place: int) -> str:
    return "none" if place < 0 else str(place + 1)


def profiles(found: Computed) -> Table:
    """Expected score of every item in each matched state, at every site that is shown."""
    make, rows, states = Maker(found.sensitivity), [], found.states
    for state in range(states.n):
        for i, (_, label) in enumerate(states.sites):
            at = states.state_at(i, state)
            if label is None or at is None:
                continue
            for item, score in zip(states.items, states.answers[i][at] @ _SCORES, strict=True):
                rows.append(
                    {"state": str(state + 1), "label": label, "item": item, "score": float(score)}
                )
    values = {"score": make.value("Expected item score (0–3)", 2)}
    keys = {"state": "State", "label": "Site", "item": "PHQ-9 item"}
    return make.table("Profiles of the matched states", rows, keys, values)


def state_shares(found: Computed) -> Table:
    """Share of people who start in each state, all sites with the same states."""
    states = found.states
    rows = [
        {"state": str(state + 1)} | _pooled(parts.shares(states, state))
        for state in range(states.n)
    ]
    return _of_states("Where people start, all sites", rows, {"state": "State"}, found)


def moves(found: Computed) -> Table:
    """Probability of each move from one session to the next, all sites with the same states."""
    states = found.states
    rows = [
        {"origin": str(a + 1), "destination": str(b + 1)} | _pooled(parts.moves(states, a, b))
        for a in range(states.n)
        for b in range(states.n)
    ]
    keys = {"origin": "From state", "destination": "To state"}
    return _of_states("Moves from one session to the next, all sites", rows, keys, found)


def _pooled(having: list[parts.Part]) -> dict[str, float | None]:
    having = visible(having, lambda part: part.label)
    pooled = parts.pooled(having, lambda x: 100 * float(special.expit(x)))
    cells = {"k": float(len(having)), **three("share", pooled, float), **further(pooled, float)}
    return cells | {"tau": pooled.tau}


def _of_states(title: str, rows: list[dict], keys: dict[str, str], found: Computed) -> Table:
    make = Maker(found.sensitivity)
    values = {
        "k": make.value("Sites", 0),
        **make.interval("share", "%", 1),
        "further_from": make.value("A further site, from", 1),
        "further_to": make.value("to", 1),
        "tau": make.value("SD between, log odds", 2),
    }
    return make.table(title, rows, keys, values)


def cost(found: Computed) -> Table:
    """How much wider suppression and rounding make the interval of each outcome."""
    make, rows = Maker(found.sensitivity), []
    for name, sited, exact in _questions(found):
        dropped = _without_suppressed(sited)
        ways = {RELEASED: sited, DROPPED: dropped} | ({EXACT: exact} if exact else {})
        for way, having in ways.items():
            pooled = likely(having, rare.proportion)
            row = {"question": name, "way": way}
            row["k"] = float(sum(one.says_something for one in having))
            rows.append(row | three("rate", pooled) | {"width": width(pooled)})
    values = {
        "k": make.value("Sites that tell", 0),
        **make.interval("rate", "Rate, %", 1),
        "width": make.value("Width, points", 1),
    }
    keys = {"question": "Rate", "way": "Counts"}
    return make.table("What suppression costs", rows, keys, values)


def width(pooled: Likely | Pooled | None) -> float | None:
    """Of an interval of a rate, in percentage points."""
    if pooled is None:
        return None
    return 100 * float(special.expit(pooled.high) - special.expit(pooled.low))


def _questions(found: Computed):
    """Rates in words, their counts as released and, of drawn sites, as they are."""
    for outcome, denominator in OUTCOMES.items():
        sited = found.rows(outcome)
        yield WORDS[outcome], sited, _exact(found, sited, (outcome, denominator), None)
    if not found.levels:
        return
    level = max(found.levels, key=lambda x: sum(r.is_suppressed for r in found.group(x)))
    name = f"{WORDS[MAIN]}: {level}"
    sited = found.group(level)
    yield name, sited, _exact(found, sited, (MAIN, OUTCOMES[MAIN]), level)


def _exact(
    found: Computed, sited: list[Row], columns: tuple[str, str], level: str | None
) -> list[Row]:
    """Counts of the same drawn sites that nobody outside of them knows; none of others."""
    if found.drawn is None:
        return []
    rows, records = [], found.drawn.records
    for row in sited:
        closed = records[row.site].closed
        if level is not None:
            closed = closed.filter(closed[found.params.grouping] == level)
        events, n = (int(closed[column].sum()) for column in columns)
        rows.append(Row("", rare.Proportion(Count.exact(events), Count.exact(n))))
    return rows


def _without_suppressed(rows: list[Row]) -> list[Row]:
    """Those whose counts are shown; of hidden ones all or none, or the rest would tell one."""
    hides = any(row.is_suppressed for row in rows if row.label is None)
    return [row for row in rows if not (hides if row.label is None else row.is_suppressed)]
