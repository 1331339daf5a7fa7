"""Tables of `recovery`: who is at risk, what becomes of them, how good predictions are."""

from dataclasses import replace

import polars as pl

from iesoresearch.analyses.recovery.columns import (
    cells,
    declared,
    finite,
    metric_values,
    metrics,
    people,
    people_values,
)
from iesoresearch.analyses.recovery.data import Courses
from iesoresearch.analyses.recovery.fitted import BASELINE, THRESHOLDS, Fitted
from iesoresearch.measures.outcomes.landmarks import AT_RISK, OUTCOMES, REASONS
from iesoresearch.models.evaluation.metrics import auc, scaled_brier
from iesoresearch.models.prediction.pipelines import KINDS
from iesoresearch.results import Table, Value

OUTCOME_NAMES = {name: name.replace("_", " ").replace("drop out", "drop-out") for name in OUTCOMES}
BEST = "best attainable"
LANDMARK = {"landmark": "Landmark"}
#: What else becomes of those at risk, or is not known of them.
NEITHER, UNCLEAR = "neither improved nor deteriorated", "end not known"
NO_SECOND = "no second score (counts as not recovered)"
LANDMARK_LAST = "last score is that of the landmark"
EVERYBODY = ("overall", "all")  # row of `sets`


def landmark_name(landmark: int) -> str:
    """A landmark in words."""
    return "assessment" if landmark == 0 else f"session {landmark}"


def summary(courses: Courses) -> Table:
    """How many referrals there are, and how many are at risk at each landmark."""
    rows = {"referrals": courses.cohort.referrals.height}
    rows |= {f"at risk at: {landmark_name(s)}": at.n for s, at in courses.at.items()}
    frame = pl.DataFrame({"what": list(rows), "count": list(rows.values())})
    count = Value("count", "Number", 0, sensitivity=courses.cohort.sensitivity)
    return Table(f"The data: {courses.cohort.name}", frame, {"what": ""}, {"count": count})


def flow(fitted: Fitted) -> Table:
    """Why referrals are not at risk, by landmark."""
    found = fitted.courses.found.flow.filter(pl.col("landmark").is_in(fitted.params.landmarks))
    names = [landmark_name(s) for s in found["landmark"]]
    found = found.with_columns(pl.Series("at", names)).pivot(on="at", index="step", values="n")
    order = {step: i for i, step in enumerate([*REASONS, AT_RISK])}
    found = found.sort(pl.col("step").replace_strict(order))
    count = {
        name: Value("count", name.capitalize(), 0, parts_of=(), sensitivity=fitted.sensitivity)
        for name in found.columns[1:]
    }
    return Table("Who is at risk at each landmark (referrals)", found, {"step": ""}, count)


def outcomes(fitted: Fitted) -> Table:
    """What becomes of those at risk, and what the outcome rests on."""
    changed = pl.col("reliable_improvement") | pl.col("reliable_deterioration")
    found = {label: pl.col(name) for name, label in OUTCOME_NAMES.items()} | {
        NEITHER: ~changed,
        UNCLEAR: pl.col("drop_out").is_null(),
        NO_SECOND: ~pl.col("second_score"),
        LANDMARK_LAST: ~pl.col("later_score"),
    }
    rows = []
    for s, at in fitted.courses.at.items():
        for label, which in found.items():
            events = at.rows.select(which.sum()).item()
            row = {"landmark": landmark_name(s), "outcome": label, "n": at.n}
            rows.append(row | {"events": events, "share": events / at.n})
    values = people_values(at_risk=True, sensitivity=fitted.sensitivity)
    values |= {"events": replace(values["events"], label="With it")}
    keys = LANDMARK | {"outcome": "What becomes of them, or is known"}
    frame = pl.DataFrame(rows, schema=types(keys, values))
    return Table("What becomes of those at risk", frame, keys, values)


def performance(fitted: Fitted) -> Table:
    """How good every model is at every landmark, on services it was not fitted to."""
    rows = []
    for (s, kind), judged in fitted.judged.items():
        overall = judged.evaluation.overall
        row = {"landmark": landmark_name(s), "model": kind} | people(overall) | metrics(overall)
        if kind != BASELINE:
            row |= cells("gain", fitted.gain(s, kind))
        rows.append(row)
    for s, p in fitted.best.items():
        at = fitted.courses.at[s]
        y = at.y(fitted.outcome)
        row = {"landmark": landmark_name(s), "model": BEST, "n": at.n, "events": int(y.sum())}
        row |= {"share": y.mean()}
        rows.append(row | {"auc": auc(y, p), "scaled_brier": scaled_brier(y, p)})
    keys = LANDMARK | {"model": "Model"}
    title = f"How well {OUTCOME_NAMES[fitted.outcome]} is predicted"
    label = "Gain over the current score, thousandths of log-loss"
    more = declared("gain", label, 1, denominator="n", follows="share",
                    sensitivity=fitted.sensitivity)  # fmt: skip
    return _performance(fitted, title, rows, keys, more=more)


def other_outcomes(fitted: Fitted) -> Table:
    """The same model for the other outcomes, of all at risk: whose end is not known has none."""
    rows = []
    for (s, outcome), judged in fitted.others.items():
        overall = judged.evaluation.overall
        row = {"outcome": OUTCOME_NAMES[outcome], "landmark": landmark_name(s)}
        rows.append(row | people(overall, fitted.courses.at[s].n) | metrics(overall))
    keys = {"outcome": "Outcome"} | LANDMARK
    return _performance(fitted, f"Other outcomes ({fitted.params.model})", rows, keys)


def groups(fitted: Fitted) -> Table:
    """The model looked at closely, by group of patients."""
    rows = []
    for grouping, levels in fitted.by_group.groups.items():
        for level, found in levels.items():
            row = {"grouping": grouping, "level": level}
            rows.append(row | people(found) | metrics(found))
    keys = {"grouping": "Group", "level": "Level"}
    at = landmark_name(fitted.params.detail)
    return _performance(fitted, f"Performance by group ({fitted.params.model}, {at})", rows, keys,
                        parts_of=("grouping",))  # fmt: skip


def _performance(fitted, title, rows, keys, parts_of=None, more=None) -> Table:
    """A table of performances; none where few have the outcome, or few have not."""
    shared = {"sensitivity": fitted.sensitivity}
    values = people_values(parts_of, at_risk=True, **shared)
    values |= metric_values(denominator="n", follows="share", **shared)
    values |= more or {}
    return Table(title, pl.DataFrame(rows, schema=types(keys, values)), keys, values)


def types(keys, values) -> dict[str, type]:
    """Types of the columns of a table."""
    types = dict.fromkeys(keys, pl.String)
    return types | {n: pl.Int64 if v.kind == "count" else pl.Float64 for n, v in values.items()}


def calibration(fitted: Fitted) -> Table:
    """Calibration curves of all models at the landmark looked at closely."""
    rows = []
    for kind in KINDS:
        curve = fitted.judged[fitted.params.detail, kind].evaluation.overall.curve
        every = slice(None, None, 5)
        points = (curve.predicted, curve.observed, curve.low, curve.high)
        for predicted, observed, low, high in zip(*(x[every] for x in points), strict=True):
            row = {"model": kind, "predicted": predicted, "observed": finite(observed)}
            rows.append(row | {"observed_low": finite(low), "observed_high": finite(high)})
    shared = {"sensitivity": fitted.sensitivity}
    values = {"predicted": Value("model", "Predicted chance", 3, **shared)}
    values |= declared("observed", "Observed share (smoothed)", 3, **shared)
    frame = pl.DataFrame(rows, schema={"model": pl.String} | dict.fromkeys(values, pl.Float64))
    at = landmark_name(fitted.params.detail)
    return Table(f"Calibration at: {at}", frame, {"model": "Model"}, values)


def net_benefit(fitted: Fitted) -> Table:
    """Net benefit of acting on those unlikely to reach the outcome, by threshold of their risk."""
    rows = []
    for t in THRESHOLDS:
        row = {"threshold": f"{t:.2f}"}
        for kind in KINDS:
            overall = fitted.decisions[kind].overall
            row |= cells(kind.replace(" ", "_"), overall[f"net_benefit_{t:g}"])
            row["treat_all"] = finite(overall[f"treat_all_{t:g}"].value)
        rows.append(row)
    shared = {"sensitivity": fitted.sensitivity}
    values = {}
    for kind in KINDS:
        values |= declared(kind.replace(" ", "_"), kind.capitalize(), 3, **shared)
    values["treat_all"] = Value("model", "Acting on everybody", 3, **shared)
    keys = {"threshold": "Risk of not reaching it"}
    title = f"Net benefit per patient at: {landmark_name(fitted.params.detail)}"
    return Table(title, pl.DataFrame(rows, schema=types(keys, values)), keys, values)


def sets(fitted: Fitted) -> Table:
    """Prediction sets: how often they hold the truth, and how often they leave it open."""
    rows = []
    for name, conformal in fitted.by_group.conformal.items():
        for grouping, level, found in conformal.rows():
            row = {"kind": name, "grouping": grouping, "level": level, "n": found.n}
            row |= {"covered": round(found.coverage.value * found.n)}
            row |= {"undecided": round(found.undecided * found.n)}
            rows.append(row | cells("coverage", found.coverage) | {"open": found.undecided})
    shared = {"sensitivity": fitted.sensitivity}
    counts = {"parts_of": ("kind", "grouping")} | shared
    values = {
        "n": Value("count", "Referrals", 0, **counts),
        "covered": Value("count", "Sets with the truth", 0, within="n", follows="n", **counts),
        "undecided": Value("count", "Sets of both", 0, within="covered", follows="n", **counts),
        "coverage": Value("rate", "Holds the truth", 3, "n", follows="covered", **shared),
    }
    for end, label in (("low", "95 % from"), ("high", "to")):
        values[f"coverage_{end}"] = Value("model", label, 3, "n", follows="coverage", **shared)
    values["open"] = Value("rate", "Leaves it open", 3, "n", follows="undecided", **shared)
    keys = {"kind": "Sets", "grouping": "Group", "level": "Level"}
    frame = pl.DataFrame(rows, schema=types(keys, values))
    return Table("Prediction sets at a level of 90 %", frame, keys, values)
