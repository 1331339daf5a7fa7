"""Tables of what predictions are worth in each group: AUC, calibration, net benefit, sets.

Estimates of `evaluation.evaluate`, shown where ten have the event and ten have not. Differences of
two groups have limits by MOVER (Zou & Donner 2008, doi:10.1002/sim.3095) from the limits of both,
which are independent as groups share no patients, or hardly any.
"""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from iesoresearch.analyses.fairness.judged import EVERYBODY, FEWEST, RATES, REST, Judged, by_level
from iesoresearch.analyses.fairness.model_tables import KEYS, findings, interval, note, sizes
from iesoresearch.analyses.recovery.columns import cells, declared, finite
from iesoresearch.models import proportions
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.results import Table, Value

TOO_FEW = f"not estimable: fewer than {FEWEST} with, or without, the event"
GRID = tuple(round(0.1 * i, 1) for i in range(1, 10))  # risks that curves are shown at
#: Sizes of intersections are told by the largest of these that they reach.
BANDS = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


@dataclass(frozen=True)
class Shown:
    """An estimate of an evaluation as a column.

    Attributes
    ----------
    metric
        Its name in the evaluation.
    heading, digits
        Of the column.
    scale
        What it is multiplied by.
    """

    metric: str
    heading: str
    digits: int
    scale: float = 1.0


#: Column -> what it shows.
METRICS = {
    "auc": Shown("auc", "AUC", 3),
    "in_the_large": Shown("calibration_intercept", "Calibration in the large (0 = right)", 2),
    "slope": Shown("calibration_slope", "Calibration slope (1 = right)", 2),
}


_CALIBRATION = {name: METRICS[name] for name in ("in_the_large", "slope")}


def performance(judged: Judged) -> Table:
    """Calibration, and net benefit at the working threshold."""
    table = sizes(judged)
    benefit = Shown(f"net_benefit_{judged.threshold:g}", "Net benefit per 100 patients", 1, 100.0)
    table = with_estimates(judged, table, {**_CALIBRATION, "net_benefit": benefit})
    fine = judged.performances
    reasons = [None if key in fine else TOO_FEW for key in table.frame.select(*KEYS).iter_rows()]
    return replace(
        table, title="Calibration and net benefit by group",
        frame=table.frame.with_columns(reason=pl.Series(reasons, dtype=pl.String)),
        values=table.values | {"reason": note("Note", judged.sensitivity)},
    )  # fmt: skip


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
        rows.append({k: v for name, e in gap.items() for k, v in cells(f"{name}_gap", e).items()})
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
    """Prediction sets: how often they hold the truth in each group, and how often both outcomes."""
    table = sizes(judged)
    fine, values, columns = judged.performances, {}, {}
    for kind, name in (("marginal", "held"), ("by outcome", "held_each")):
        rows = {(EVERYBODY[0] if g == "overall" else g, level): found
                for g, level, found in judged.evaluation.conformal[kind].rows()}  # fmt: skip
        shown = [rows.get(k) if k in fine else None for k in table.frame.select(*KEYS).iter_rows()]
        coverage = [cells(name, x.coverage if x else _NOTHING) for x in shown]
        columns |= {end: [row[end] for row in coverage] for end in coverage[0]}
        columns[f"{name}_open"] = [x.undecided if x else None for x in shown]
        values |= interval(name, f"Hold the truth ({kind}), %", 0, judged.sensitivity,
                            denominator="others")  # fmt: skip
        values[f"{name}_open"] = replace(values[name], label="Hold both outcomes, %")
    frame = 100 * pl.DataFrame(columns, schema=dict.fromkeys(values, pl.Float64))
    return replace(
        table, title="Prediction sets that should hold the truth in 90 of 100",
        frame=table.frame.hstack(frame), values=table.values | values,
    )  # fmt: skip


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
            columns[end] = [None if row[end] is None else x.scale * row[end] for row in found]
        values |= interval(name, x.heading, x.digits, judged.sensitivity, denominator="others")
    frame = pl.DataFrame(columns, schema=dict.fromkeys(values, pl.Float64))
    return replace(table, frame=table.frame.hstack(frame), values=table.values | values)


def intersections(judged: Judged) -> Table:
    """Decisions and predictions by two groupings at once, where there are enough.

    No counts: those of one-way tables and of these together would tell small ones. So estimates
    are rounded to what a reader can use, and sizes told in `BANDS`.
    """
    schema = dict.fromkeys(KEYS, pl.String) | {"at_least": pl.Int64}
    schema |= {f"{name}{end}": pl.Float64 for name in _CROSSED for end in _ENDS}
    schema |= {"finding": pl.String}
    rows = _crossed_rows(judged) if judged.two_way else []
    given = {"denominator": "at_least", "sensitivity": judged.sensitivity}
    values = {"at_least": Value("model", "With, and without, the outcome: at least", 0,
                                sensitivity=judged.sensitivity)}  # fmt: skip
    for name, (heading, digits, _) in _CROSSED.items():
        values |= declared(name, heading, digits, **given)
    values["finding"] = Value("model", "All comparisons together", 0, **given)
    frame = pl.DataFrame(rows, schema=schema)
    return Table("Decisions and predictions by two groupings", frame, KEYS, values)


_ENDS = ("", "_low", "_high")
#: Column -> heading, decimals, and what it is multiplied by.
_CROSSED = {
    **{name: (f"{heading}, %", 0, 100) for name, heading in RATES.items()},
    "auc": ("AUC", 2, 1),
    "in_the_large": ("Calibration in the large", 1, 1),
}


def _crossed_rows(judged: Judged) -> list[dict]:
    found = {
        (r["grouping"], r["level"], r["metric"]): Estimate(r["value"], r["low"], r["high"])
        for r in judged.decisions_of_pairs.to_frame().fill_null(float("nan")).to_dicts()
    }
    said = findings(judged.decisions_of_pairs, judged.references)
    rows = []
    for (grouping, level), p in by_level(judged.of_pairs).items():
        if level == REST:
            continue
        fewer = min(p.events, p.n - p.events)
        row = {"grouping": grouping, "level": level, "finding": said.get((grouping, level))}
        row["at_least"] = max(size for size in BANDS if size <= fewer)
        mine = {name: found[grouping, level, name] for name in RATES}
        mine |= {name: p[METRICS[name].metric] for name in ("auc", "in_the_large")}
        for name, estimate in mine.items():
            _, digits, scale = _CROSSED[name]
            for end, value in cells(name, estimate).items():
                row[end] = None if value is None else round(scale * value, digits)
        rows.append(row)
    return rows
