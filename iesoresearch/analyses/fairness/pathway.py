"""Where on the way from referral to recovery a gap arises, and how steep the social gradient is."""

from dataclasses import replace
from functools import lru_cache, partial

import numpy as np
import polars as pl

from iesoresearch.analyses.fairness import Params
from iesoresearch.analyses.fairness.data import Audited, references
from iesoresearch.analyses.fairness.derive import POINTS, Columns, beside, people, with_derived
from iesoresearch.analyses.fairness.outcomes import DENOMINATORS, STAGES, table_of
from iesoresearch.data.groups import QUINTILES
from iesoresearch.errors import DataError
from iesoresearch.models import inequality, proportions
from iesoresearch.results import Number, Table, Value

ENDS = ("", "_low", "_high")
DEPRIVATION = "Deprivation quintile"
#: Steps that say more than the name of their stage: who cannot be judged is lost here as well.
STEPS = {"judged": "who can be judged", "at_caseness": "who is at caseness and can be judged"}
#: What the gradient is looked at for: events, people they are among, heading.
GRADIENTS = {
    "started": ("referred", "starting treatment"),
    "finished": ("started", "finishing it"),
    "reliable_recovery": ("at_caseness", "reliable recovery"),
    "reliable_improvement": ("judged", "reliable improvement"),
}


def stages_of(outcome: str) -> tuple[str, ...]:
    """From referral to an outcome: each stage counts some of the one before."""
    return ("referred", "started", "finished", DENOMINATORS[outcome], outcome)


def pathway(data: Audited, params: Params) -> Table:
    """Of every group the gap in outcomes per 100 referred, and the part of every step in it."""
    stages = stages_of(params.outcome)
    table = table_of(data, _title(params.outcome), {name: STAGES[name] for name in stages})
    shown = {"sensitivity": data.sensitivity}
    values = {"per_100": Value("rate", "Known to, per 100 referred", 1, **shown)}
    headings = {"gap": "Gap, points", **{f"from_{s}": _step(s) for s in stages[1:]}}
    for name, heading in headings.items():
        for end, label in zip(ENDS, (heading, "from", "to"), strict=True):
            values[name + end] = Value("model", label, 1, **shown)
    compute = partial(_parts, stages=stages, reference=references(data, params))
    return with_derived(table, values, compute)


def _title(outcome: str) -> str:
    return f"Where a gap arises: known to have {STAGES[outcome].lower()}, per 100 referred"


def _step(stage: str) -> str:
    return f"at: {STEPS.get(stage, STAGES[stage].lower())}"


def _parts(frame: pl.DataFrame, stages: tuple[str, ...], reference: dict[str, str]) -> Columns:
    """All columns of the pathway; NaN where a count of the group or its reference is not shown."""
    at, is_reference = beside(frame, reference)
    counts = np.column_stack([people(frame, stage) for stage in stages])
    per_100 = POINTS * counts[:, -1] / np.where(counts[:, 0] > 0, counts[:, 0], np.nan)
    found = np.full((len(counts), 3 * len(stages)), np.nan)
    for i in np.flatnonzero((at >= 0) & ~is_reference):
        found[i] = decomposed(tuple(counts[i]), tuple(counts[at[i]]), stages)
    names = [f"{n}{end}" for n in ("gap", *(f"from_{s}" for s in stages[1:])) for end in ENDS]
    return {"per_100": per_100} | dict(zip(names, found.T, strict=True))


@lru_cache(maxsize=4096)  # asked once for every column
def decomposed(group: tuple, other: tuple, stages: tuple[str, ...]) -> np.ndarray:
    """Gap and parts, each with the ends of its interval, of `group` against `other`.

    NaN where a stage is not shown, or grows by rounding.

    Parameters
    ----------
    group, other
        Counts by stage, NaN where they are not shown.
    stages
        Their names, from referral to the outcome.
    """
    empty = np.full(3 * len(stages), np.nan)
    if np.isnan([*group, *other]).any():
        return empty
    try:
        found = inequality.pathway(
            dict(zip(stages, group, strict=True)), dict(zip(stages, other, strict=True)), stages,
            nested=True,
        )  # fmt: skip
    except DataError:
        return empty
    return np.array([x for e in (found.gap, *found.points) for x in (e.value, e.low, e.high)])


def _gradients(outcome: str) -> dict[str, tuple[str, str]]:
    """Those of the way to an outcome."""
    return {event: GRADIENTS[event] for event in ("started", "finished", outcome)}


def deprivation(data: Audited, outcome: str) -> Table:
    """Who gets how far, by fifths of deprivation, with the line behind the slope index."""
    gradients = _gradients(outcome)
    names = tuple(dict.fromkeys([*(n for n, _ in gradients.values()), *gradients]))
    whole = table_of(data, "By deprivation", {name: STAGES[name] for name in names})
    values = {}
    for event, (_, heading) in gradients.items():
        capital = heading[0].upper() + heading[1:]
        for end, label in zip(ENDS, (f"{capital}, %", "from", "to"), strict=True):
            values[f"{event}_rate{end}"] = Value("model", label, 1, sensitivity=data.sensitivity)
        values[f"{event}_line"] = Value("model", "line, %", 1, sensitivity=data.sensitivity)
    fifths = replace(whole, frame=whole.frame.filter(grouping=DEPRIVATION), broader={})
    return with_derived(fifths, values, partial(_lines, gradients=gradients))


def _lines(frame: pl.DataFrame, gradients: dict[str, tuple[str, str]]) -> Columns:
    columns: Columns = {}
    for event, (whole, _) in gradients.items():
        events, n = people(frame, event), people(frame, whole)
        limits = proportions.wilson(events, n)
        for end, share in zip(ENDS, (events / np.where(n > 0, n, np.nan), *limits), strict=True):
            columns[f"{event}_rate{end}"] = POINTS * share
        line = np.full(frame.height, np.nan)
        index = slope(frame, event)
        if index is not None:
            fifths = np.array([level in QUINTILES for level in frame["level"]])
            line[fifths] = index.most + (index.least - index.most) * index.ridits
        columns[f"{event}_line"] = line
    return columns


def slope(frame: pl.DataFrame, event: str) -> inequality.Inequality | None:
    """Slope and relative index over the fifths; None unless all of them are shown."""
    whole = GRADIENTS[event][0]
    fifths = frame.filter(pl.col("level").is_in(QUINTILES))
    events, n = people(fifths, event), people(fifths, whole)
    if fifths.height < len(QUINTILES) or np.isnan([*events, *n]).any():
        return None
    return _slope(tuple(events), tuple(n))


@lru_cache(maxsize=256)  # asked once for every column and number
def _slope(events: tuple, n: tuple) -> inequality.Inequality | None:
    try:
        return inequality.slope_index(events, n)
    except DataError:
        return None


def indices(outcome: str) -> dict[str, Number]:
    """Slope and relative index of inequality of every gradient, from the released table."""
    found = {}
    for event in _gradients(outcome):
        for measure, unit, digits in (("sii", "points", 1), ("rii", "", 2)):
            for end in ENDS:
                derive = partial(_told, event=event, measure=measure, end=end, digits=digits)
                found[f"{measure}_{event}{end}"] = Number(
                    None, unit="" if end else unit, digits=digits, derive=derive
                )
    return found


def _told(tables, event: str, measure: str, end: str, digits: int) -> Number:
    table = tables["deprivation"]
    index = slope(table.frame, event)
    value = None
    if index is not None:
        estimate = getattr(index, measure)
        value = {"": estimate.value, "_low": estimate.low, "_high": estimate.high}[end]
        value = float(value) if np.isfinite(value) else None
    unit = "points" if measure == "sii" and not end else ""
    return Number(value, unit=unit, digits=digits, sensitivity=table.values["referred"].sensitivity)
