"""Tables of what predictions are worth in each group: AUC, calibration, net benefit, sets.

Estimates of `evaluation.evaluate`, shown where ten have the event and ten have not; net benefit,
and how often prediction sets hold the truth, are functions of released counts. Differences of two
groups have limits by MOVER (Zou & Donner 2008, doi:10.1002/sim.3095) from the limits of both, which
are independent as groups share no patients, or hardly any.
"""

from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import polars as pl
from scipy import stats

from iesoresearch.analyses.fairness.derive import people, with_derived
from iesoresearch.analyses.fairness.judged import FEWEST, RATES, REST, STEP, Judged, by_level
from iesoresearch.analyses.fairness.model_tables import KEYS, findings, interval, note, sizes
from iesoresearch.analyses.recovery.columns import cells, declared, finite
from iesoresearch.disclosure import derived
from iesoresearch.models import proportions
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.results import Table, Value

TOO_FEW = f"not estimable: fewer than {FEWEST} with, or without, the event"
Z95 = float(stats.norm.ppf(0.975))
ENDS = {name: (name, f"{name}_low", f"{name}_high") for name in ("held", "net_benefit")}
GRID = tuple(round(0.1 * i, 1) for i in range(1, 10))  # risks that curves are shown at
#: The smallest of four counts of intersections is told by the largest of these that it reaches.
BANDS = (10, 50)


@dataclass(frozen=True)
class Shown:
    """An estimate of an evaluation as a column.

    Attributes
    ----------
    metric
        Its name in the evaluation.
    heading, digits
        Of the column.
    """

    metric: str
    heading: str
    digits: int


#: Column -> what it shows.
METRICS = {
    "auc": Shown("auc", "AUC", 2),  # ten and ten have pairs for every hundredth: it tells no count
    "in_the_large": Shown("calibration_intercept", "Calibration in the large (0 = right)", 2),
    "slope": Shown("calibration_slope", "Calibration slope (1 = right)", 2),
}


_CALIBRATION = {name: METRICS[name] for name in ("in_the_large", "slope")}


def performance(judged: Judged) -> Table:
    """Calibration, and net benefit at the working threshold."""
    table = sizes(judged, "caught", "alarms")
    table = with_estimates(judged, table, _CALIBRATION)
    values = interval("net_benefit", "Net benefit per 100 patients", 1, judged.sensitivity)
    odds = judged.threshold / (1 - judged.threshold)
    table = with_derived(table, values, partial(_net_benefit, odds=odds))
    fine = judged.performances
    reasons = [None if key in fine else TOO_FEW for key in table.frame.select(*KEYS).iter_rows()]
    return replace(
        table, title="Calibration and net benefit by group",
        frame=table.frame.with_columns(reason=pl.Series(reasons, dtype=pl.String)),
        values=table.values | {"reason": note("Note", judged.sensitivity)},
    )  # fmt: skip


def _net_benefit(frame: pl.DataFrame, odds: float) -> dict[str, np.ndarray]:
    """Per 100: the mean of 1 where caught, minus the odds where alarmed, else 0, and its error."""
    events, others, caught, alarms = (
        people(frame, name) for name in ("events", "others", "caught", "alarms")
    )
    n = np.where(events + others > 0, events + others, np.nan)
    value = (caught - odds * alarms) / n
    error = np.sqrt(np.maximum((caught + odds**2 * alarms) / n - value**2, 0) / n)
    columns = (value, value - Z95 * error, value + Z95 * error)
    return {name: 100 * x for name, x in zip(ENDS["net_benefit"], columns, strict=True)}


def performance_gaps(judged: Judged) -> Table:
    """Differences of AUC and calibration to the reference group."""
    table = sizes(judged)
    fine, reference = judged.performances, judged.references
    rows = []
    for grouping, level in table.frame.select(*KEYS).iter_rows():
        one = fine.get((grouping, level))
        other = fine.get((grouping, reference.get(grouping, "")))
        apart = one is not None and other is not None and one is not other
        gap = {
            name: difference(one[x.metric], other[x.metric]) if apart else _NOTHING
            for name, x in METRICS.items()
        }
        rows.append({
            k: _rounded(v, METRICS[name].digits)
            for name, e in gap.items() for k, v in cells(f"{name}_gap", e).items()
        })  # fmt: skip
    values = {}
    for name, x in METRICS.items():
        heading = f"{x.heading.partition(' (')[0]}: gap"
        values |= interval(f"{name}_gap", heading, x.digits, judged.sensitivity,
                            denominator="others")  # fmt: skip
    frame = pl.DataFrame(rows, schema=dict.fromkeys(values, pl.Float64))
    return replace(
        table, title="AUC and calibration: gaps to the reference group",
        frame=table.frame.hstack(frame), values=table.values | values,
    )  # fmt: skip


_NOTHING = Estimate(float("nan"), float("nan"), float("nan"))


def difference(one: Estimate, other: Estimate) -> Estimate:
    """Of two independent estimates, by MOVER."""
    a, b = ((e.value, e.low, e.high) for e in (one, other))
    low, high = proportions.mover(a, b)
    return Estimate(one.value - other.value, float(low), float(high))


def sets(judged: Judged) -> Table:
    """Prediction sets: how often they hold the truth in each group.

    Those of both outcomes together promise it over everybody, those by outcome for each outcome.
    """
    table, kind = sizes(judged), {"sensitivity": judged.sensitivity}
    held, values = _held(judged), {}
    for name, (heading, outcome) in _HELD.items():
        values[name] = Value("count", heading, 0, parts_of=("grouping",), within=outcome, **kind)
    columns = [[held[name].get(key) for key in table.frame.select(*KEYS).iter_rows()]
               for name in values]  # fmt: skip
    frame = table.frame.with_columns(
        pl.Series(name, column, pl.Int64) for name, column in zip(values, columns, strict=True)
    )
    table = replace(table, frame=frame, values=table.values | values,
                    title="Prediction sets that should hold the truth in 90 of 100")  # fmt: skip
    table = with_derived(table, interval("held", "Hold the truth, %", 1, **kind), _coverage)
    for outcome, heading in (("events", "not reached"), ("others", "reached")):
        table = derived.with_rate(table, f"each_{outcome}_share", f"each_{outcome}", outcome,
                                  f"By outcome: hold it where {heading}, %")  # fmt: skip
    return table


#: Counts of sets that hold the truth: heading, and which they are part of.
_HELD = {
    "held_events": ("Sets hold the truth, not reached", "events"),
    "held_others": ("Sets hold the truth, reached", "others"),
    "each_events": ("By outcome: hold it, not reached", "events"),
    "each_others": ("By outcome: hold it, reached", "others"),
}


def _held(judged: Judged) -> dict[str, dict[tuple[str, str], int]]:
    """Of each count by grouping and level."""
    crossed, found = judged.sets_by_outcome, {name: {} for name in _HELD}
    for kind, start in (("marginal", "held"), ("by outcome", "each")):
        for grouping, levels in crossed[kind].groups.items():
            for (level, y), one in levels.items():
                column = found[f"{start}_{'events' if y else 'others'}"]
                column[grouping, level] = round(one.coverage.value * one.n)
    if crossed["marginal"].overall is not None:  # nobody, where an outcome did not come
        for column in found.values():
            column |= {key: column.get(key, 0) for key in judged.rows}
    return found


def _coverage(frame: pl.DataFrame) -> dict[str, np.ndarray]:
    held = people(frame, "held_events") + people(frame, "held_others")
    n = people(frame, "events") + people(frame, "others")
    columns = (held / np.where(n > 0, n, np.nan), *proportions.wilson(held, n))
    return {name: 100 * x for name, x in zip(ENDS["held"], columns, strict=True)}


def curves(judged: Judged) -> Table:
    """Calibration curves: share that does not reach the outcome where a risk is predicted."""
    table = sizes(judged)
    fine, values, columns = judged.performances, {}, {}
    curves = [fine[k].curve if k in fine else None for k in table.frame.select(*KEYS).iter_rows()]
    for risk in GRID:
        name = f"at_{round(100 * risk)}"
        values |= interval(name, f"Observed, %, at a risk of {100 * risk:.0f} %", 0,
                            judged.sensitivity, denominator="others")  # fmt: skip
        for end, part in (("", "observed"), ("_low", "low"), ("_high", "high")):
            columns[name + end] = [_at(curve, part, risk) for curve in curves]
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Float64))
    return replace(
        table, title="Calibration curves", frame=table.frame.hstack(frame),
        values=table.values | values,
    )  # fmt: skip


def _at(curve, part: str, risk: float) -> float | None:
    """A smoothed curve at a risk, in per cent; None outside the risks that it was drawn for."""
    if curve is None or not len(curve.predicted):
        return None
    if not curve.predicted[0] <= risk <= curve.predicted[-1]:
        return None
    return finite(100 * float(np.interp(risk, curve.predicted, getattr(curve, part))))


def with_estimates(judged: Judged, table: Table, shown: dict[str, Shown]) -> Table:
    """`table` with estimates of an evaluation, empty where there are too few."""
    fine = judged.performances
    columns: dict[str, list] = {}
    values: dict[str, Value] = {}
    for name, x in shown.items():
        found = [
            cells(name, fine[key][x.metric] if key in fine else _NOTHING)
            for key in table.frame.select(*KEYS).iter_rows()
        ]
        for end in found[0]:
            columns[end] = [_rounded(row[end], x.digits) for row in found]
        values |= interval(name, x.heading, x.digits, judged.sensitivity, denominator="others")
    frame = pl.DataFrame(columns, schema=dict.fromkeys(values, pl.Float64))
    return replace(table, frame=table.frame.hstack(frame), values=table.values | values)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits) + 0.0  # no −0


def intersections(judged: Judged) -> Table:
    """Decisions and predictions by two groupings at once, where there are enough.

    No counts: those of one-way tables and of these together would tell small ones. So rows are
    those with `FEWEST` at least of caught, missed, alarms and all others, rates are rounded to
    `STEP` %, and sizes told in `BANDS`.
    """
    schema = dict.fromkeys(KEYS, pl.String) | {"at_least": pl.Int64}
    schema |= {f"{name}{end}": pl.Float64 for name in _CROSSED for end in ("", "_low", "_high")}
    schema |= {"finding": pl.String}
    rows = _crossed_rows(judged) if judged.two_way else []
    given = {"denominator": "at_least", "sensitivity": judged.sensitivity}
    values = {"at_least": Value("model", "Flagged or not, with or without the outcome: at least", 0,
                                sensitivity=judged.sensitivity)}  # fmt: skip
    for name, (heading, digits, _) in _CROSSED.items():
        values |= declared(name, heading, digits, **given)
    values["finding"] = Value("model", "All comparisons together", 0, **given)
    frame = pl.DataFrame(rows, schema=schema)
    return Table("Decisions and predictions by two groupings", frame, KEYS, values)


#: Column -> heading, decimals, and the step it is rounded to, as it is estimated.
_CROSSED = {
    **{name: (f"{heading}, %", 0, STEP / 100) for name, heading in RATES.items()},
    "auc": ("AUC", 2, 0.01),
    "in_the_large": ("Calibration in the large", 1, 0.1),
}


def _crossed_rows(judged: Judged) -> list[dict]:
    found = {
        (r["grouping"], r["level"], r["metric"]): Estimate(r["value"], r["low"], r["high"])
        for r in judged.decisions_of_pairs.to_frame().fill_null(float("nan")).to_dicts()
    }
    said = findings(judged.decisions_of_pairs, judged.references)
    least = _least(judged)
    rows = []
    for (grouping, level), p in by_level(judged.of_pairs).items():
        if level == REST:
            continue
        row = {"grouping": grouping, "level": level, "finding": said.get((grouping, level))}
        row["at_least"] = max(size for size in BANDS if size <= least[grouping, level])
        mine = {name: found[grouping, level, name] for name in RATES}
        mine |= {name: p[METRICS[name].metric] for name in ("auc", "in_the_large")}
        for name, estimate in mine.items():
            _, digits, step = _CROSSED[name]
            scale = (100 if name in RATES else 1) * step
            for end, value in cells(name, estimate).items():
                row[end] = _rounded(None if value is None else scale * round(value / step), digits)
        rows.append(row)
    return rows


def _least(judged: Judged) -> dict[tuple[str, str], int]:
    """By grouping and level, the smallest number flagged or not, with or without the outcome."""
    found = {}
    for grouping, column in judged.two_way.items():
        levels, code = np.unique(column, return_inverse=True)
        counts = judged.least(code).tolist()
        found |= {(grouping, str(x)): n for x, n in zip(levels, counts, strict=True)}
    return found
