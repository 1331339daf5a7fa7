"""Tables of decisions: counts by group, their rates, and gaps to the reference group.

Rates, and gaps of rates, are functions of released counts; which gaps stand when all are looked at
together is what `group_metrics` finds in resamples of whole patients.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl

from iesoresearch.analyses.fairness.derive import beside, people, with_derived
from iesoresearch.analyses.fairness.judged import EVERYBODY, RATES, Judged
from iesoresearch.analyses.recovery.columns import declared
from iesoresearch.disclosure import derived
from iesoresearch.models import proportions
from iesoresearch.models.group_metrics import GroupAudit, conflict
from iesoresearch.results import Table, Value

POPULATION = "referrals with a prediction"
KEYS = {"grouping": "Grouping", "level": "Group"}
#: The only counts, so that none is shown in two ways: heading, and which they are part of.
COUNTS = {
    "events": ("Outcome not reached", None),
    "others": ("Outcome reached", None),
    "caught": ("Flagged of those who did not reach it", "events"),
    "alarms": ("Flagged of those who did", "others"),
}


HIGHER, LOWER = "higher", "lower"


def counted(judged: Judged) -> Table:
    """Counts of decisions and outcomes of every group; all tables of counts are made of it."""
    y, flagged = judged.found.y == 1, judged.flagged
    sums = {"events": y, "others": ~y, "caught": y & flagged, "alarms": ~y & flagged}
    rows = []
    for name, level in judged.rows:
        mine = slice(None) if (name, level) == EVERYBODY else judged.one_way[name] == level
        rows.append([name, level, *(int(part[mine].sum()) for part in sums.values())])
    values = {
        name: Value("count", heading, 0, parts_of=("grouping",), within=within,
                    sensitivity=judged.sensitivity)
        for name, (heading, within) in COUNTS.items()
    }  # fmt: skip
    # estimates go with both: who sees one of them without the other would know which is small
    values["others"] = replace(values["others"], follows="events")
    schema = dict.fromkeys(KEYS, pl.String) | dict.fromkeys(COUNTS, pl.Int64)
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return Table("", frame, KEYS, values, POPULATION)


def rates(judged: Judged) -> Table:
    """TPR, FPR and PPV at the working threshold."""
    table = derived.with_rate(counted(judged), "tpr", "caught", "events", "TPR, %")
    table = derived.with_rate(table, "fpr", "alarms", "others", "FPR, %")
    values = interval("ppv", "PPV, %", 1, judged.sensitivity, "rate")
    table = with_derived(table, values, _ppv)
    return replace(table, title="Decisions by group")


def _ppv(frame: pl.DataFrame) -> dict[str, np.ndarray]:
    return dict(zip(("ppv", "ppv_low", "ppv_high"), 100 * np.array(_ppv_of(frame)), strict=True))


def _ppv_of(frame: pl.DataFrame) -> tuple[np.ndarray, ...]:
    caught, alarms = people(frame, "caught"), people(frame, "alarms")
    flagged = np.where(caught + alarms > 0, caught + alarms, np.nan)
    return (caught / flagged, *proportions.wilson(caught, flagged))


def gaps(judged: Judged) -> Table:
    """Differences of TPR, FPR and PPV to the reference group, and which of them stand."""
    shown = counted(judged)
    reference = {n: level for n, level in judged.references.items() if n in judged.one_way}
    given = {"reference": reference}
    table = derived.with_gap(shown, "tpr_gap", "caught", "events", "TPR gap, points", **given)
    table = derived.with_gap(table, "fpr_gap", "alarms", "others", "FPR gap, points", **given)
    values = interval("ppv_gap", "PPV gap, points", 1, judged.sensitivity)
    table = with_derived(table, values, partial(_ppv_gap, reference=reference))
    said = findings(judged.decisions, judged.references)
    finding = Value("model", "All comparisons together", 0, sensitivity=judged.sensitivity)
    table = with_derived(table, {"finding": finding}, partial(_found, said=said))
    return replace(table, title="Decisions: gaps to the reference group")


def _found(frame: pl.DataFrame, said: dict[tuple[str, str], str]) -> dict[str, list]:
    """Findings where all counts are shown: that there is one tells that none is small."""
    rows = frame.select(*KEYS, *COUNTS).iter_rows()
    return {"finding": [None if None in row else said.get(row[:2]) for row in rows]}


def criteria(judged: Judged) -> Table:
    """Which rates cannot be equal, as the outcome is not equally common in all groups."""
    table = counted(judged)
    kind = {"sensitivity": judged.sensitivity}
    values = {name: Value("model", heading, 1, **kind) for name, heading in _CRITERIA.items()}
    reference = {n: level for n, level in judged.references.items() if n in judged.one_way}
    table = with_derived(table, values, partial(_criteria, reference=reference))
    return replace(table, title="What equal PPV and equal TPR would ask for")


_CRITERIA = {
    "prevalence": "Outcome not reached, %",
    "fpr": "FPR, %",
    "fpr_needed": "FPR at the PPV and TPR of the reference, %",
    "ppv": "PPV, %",
    "ppv_needed": "PPV at the TPR and FPR of the reference, %",
}


def _criteria(frame: pl.DataFrame, reference: dict[str, str]) -> dict[str, np.ndarray]:
    events, others, caught, alarms = (people(frame, name) for name in COUNTS)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.array([events / (events + others), caught / events, alarms / others])
        ppv = caught / (caught + alarms)
    fine = ((shares > 0) & (shares < 1)).all(axis=0)
    columns = {"prevalence": shares[0], "fpr": shares[2], "ppv": ppv}
    columns |= {name: np.full(frame.height, np.nan) for name in ("fpr_needed", "ppv_needed")}
    for grouping, level in reference.items():
        rows = np.flatnonzero((frame["grouping"] == grouping).to_numpy() & fine)
        levels = frame["level"].gather(rows).to_list()
        if level in levels:
            found = conflict(*shares[:, rows], levels, level)
            for name in ("fpr_needed", "ppv_needed"):
                columns[name][rows] = found[name].to_numpy()
    return {name: 100 * column for name, column in columns.items()}


def findings(decisions: GroupAudit, reference: dict[str, str]) -> dict[tuple[str, str], str]:
    """By grouping and level, which rates differ when all comparisons are to hold together."""
    words: dict[tuple[str, str], list[str]] = {}
    for row in decisions.differences().iter_rows(named=True):
        if row["p_adjusted"] is None or reference.get(row["grouping"]) != row["reference"]:
            continue
        mine = words.setdefault((row["grouping"], row["level"]), [])
        if row["low_simultaneous"] > 0 or row["high_simultaneous"] < 0:
            mine.append(f"{RATES[row['metric']]} {HIGHER if row['value'] > 0 else LOWER}")
    return {key: "; ".join(found) or "not shown to differ" for key, found in words.items()}


def _ppv_gap(frame: pl.DataFrame, reference: dict[str, str]) -> dict[str, np.ndarray]:
    at, own = beside(frame, reference)
    found = np.array(_ppv_of(frame))
    other = np.where((at >= 0) & ~own, found[:, at], np.nan)
    limits = proportions.mover(found, other)
    columns = 100 * np.array([found[0] - other[0], *limits])
    return dict(zip(("ppv_gap", "ppv_gap_low", "ppv_gap_high"), columns, strict=True))


def sizes(judged: Judged, *more: str) -> Table:
    """Counts of those with, and without, the event, and both together."""
    table = counted(judged)
    kept = {name: table.values[name] for name in ("events", "others", *more)}
    table = replace(table, frame=table.frame.select(*KEYS, *kept), values=kept)
    n = Value("model", "Referrals", 0, sensitivity=judged.sensitivity)
    return with_derived(table, {"n": n}, _together)


def _together(frame: pl.DataFrame) -> dict[str, np.ndarray]:
    return {"n": people(frame, "events") + people(frame, "others")}


def note(heading: str, sensitivity: str) -> Value:
    """A column of words."""
    return Value("model", heading, 0, "others", follows="others", sensitivity=sensitivity)


def interval(name, heading, digits, sensitivity, kind="model", denominator=None) -> dict:
    """Declaration of an estimate and the ends of its interval."""
    values = declared(name, heading, digits, denominator=denominator, follows=denominator,
                      sensitivity=sensitivity)  # fmt: skip
    return values | {name: replace(values[name], kind=kind)}
