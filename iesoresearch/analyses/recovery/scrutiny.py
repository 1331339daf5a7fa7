"""Tables of `recovery` that question the model: sample size, optimism, services, missing scores."""

import polars as pl

from iesoresearch.analyses.recovery.columns import (
    METRICS,
    cells,
    declared,
    finite,
    people,
    people_values,
)
from iesoresearch.analyses.recovery.fitted import SPLIT, Fitted
from iesoresearch.analyses.recovery.tables import LANDMARK, landmark_name, types
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.results import Table, Value

#: Measure of `models.validation` -> heading.
MEASURES = {
    "auc": "AUC",
    "scaled_brier": "Scaled Brier",
    "in_the_large": "Calibration in the large",
    "slope": "Calibration slope",
}
SERVICE_MEASURES = {"auc": "AUC", "observed_expected": "Observed / expected"}


def sample_size(fitted: Fitted) -> Table:
    """How many patients the criteria of Riley et al. ask for, and how many there are."""
    rows = [
        {
            "landmark": landmark_name(s),
            "parameters": float(need.n_parameters),
            "expected": need.auc,
            "needed": float(need.n),
            "n": fitted.courses.at[s].n,
            "enough": "yes" if fitted.courses.at[s].n >= need.n else "no",
        }
        for s, need in fitted.needed.items()
    ]
    shared = {"sensitivity": fitted.sensitivity}
    values = {
        "parameters": Value("model", "Candidate parameters", 0, **shared),
        "expected": Value("model", "Expected AUC", 2, **shared),
        "needed": Value("model", "Patients needed", 0, **shared),
        "n": Value("count", "Referrals there are", 0, **shared),
        "enough": Value("model", "Enough", 0, **shared),
    }
    frame = pl.DataFrame(rows, schema=types(LANDMARK, values) | {"enough": pl.String})
    return Table(
        "Sample size for a logistic regression (Riley et al. 2020)", frame, LANDMARK, values
    )


def optimism(fitted: Fitted) -> Table:
    """What the model seems to achieve where it was fitted, and what is left of it elsewhere."""
    rows = []
    for name, label in MEASURES.items():
        found = fitted.validation.optimism.measures[name]
        row = {"measure": label, "apparent": finite(found.apparent)}
        row["optimism"] = finite(found.optimism)
        rows.append(row | cells("corrected", Estimate(found.corrected, found.low, found.high)))
    shared = {"sensitivity": fitted.sensitivity}
    values = {
        "apparent": Value("model", "Apparent", 3, **shared),
        "optimism": Value("model", "Optimism", 3, **shared),
    } | declared("corrected", "Corrected", 3, **shared)
    keys = {"measure": "Measure"}
    title = f"Optimism: {fitted.params.n_refits} bootstrap refits of the whole procedure"
    return Table(title, pl.DataFrame(rows, schema=types(keys, values)), keys, values)


def instability(fitted: Fitted) -> Table:
    """How far predictions move from refit to refit, by what is predicted."""
    bins = fitted.validation.instability.bins
    columns = {
        "n": bins.n.astype(int),
        "predicted": bins.predicted,
        "least": bins.low,
        "most": bins.high,
        "mape": bins.mape,
        "flips": bins.flips[0],
    }
    frame = pl.DataFrame({"bin": [str(i + 1) for i in range(len(bins.n))]} | columns)
    shared = {"sensitivity": fitted.sensitivity}
    model = {"denominator": "n", "follows": "n"} | shared
    values = {
        "n": Value("count", "Referrals", 0, parts_of=(), **shared),
        "predicted": Value("model", "Mean prediction", 3, **model),
        "least": Value("model", "Refits, 2.5 %", 3, **model),
        "most": Value("model", "Refits, 97.5 %", 3, **model),
        "mape": Value("model", "Mean absolute difference", 3, **model),
        "flips": Value("model", f"In the other class at {SPLIT:g}", 3, **model),
    }
    title = "Instability of single predictions, referrals ordered by prediction"
    return Table(title, frame, {"bin": "Tenth"}, values)


def services(fitted: Fitted) -> Table:
    """Every service predicted by a model of the others, pooled by random effects."""
    found = fitted.validation.services
    rows = []
    for one in found.services:
        row = {"service": str(one.service)} | people(one)
        for name in SERVICE_MEASURES:
            e = one.estimates.get(name)
            low, high = (e.low, e.high) if e else (None, None)
            row |= _cells(name, e.value if e else None, low, high)
        rows.append(row)
    shared = {"sensitivity": fitted.sensitivity}
    values = people_values((), **shared)
    for name in SERVICE_MEASURES:
        values |= declared(name, *METRICS[name], denominator="n", follows="share", **shared)
    keys = {"service": "Service left out"}
    frame = pl.DataFrame(rows, schema=types(keys, values))
    return Table("Services: each predicted by a model of the others", frame, keys, values)


def pooled(fitted: Fitted) -> Table:
    """What holds for services on average, and what a further one may expect."""
    rows = []
    found = fitted.validation.services
    for name, label in SERVICE_MEASURES.items():
        one = found.pooled[name]
        row = {"measure": label} | _cells("average", one.estimate, one.low, one.high)
        row |= {"further_low": finite(one.predicted_low), "k": float(one.k)}
        rows.append(row | {"further_high": finite(one.predicted_high), "i2": finite(one.i2)})
    shared = {"sensitivity": fitted.sensitivity}
    values = declared("average", "Average", 3, **shared) | {
        "further_low": Value("model", "A further service, from", 3, **shared),
        "further_high": Value("model", "to", 3, **shared),
        "i2": Value("model", "I²", 2, **shared),
        "k": Value("model", "Services", 0, **shared),
    }
    keys = {"measure": "Measure"}
    frame = pl.DataFrame(rows, schema=types(keys, values))
    return Table("Services, pooled by random effects (REML)", frame, keys, values)


def _cells(name: str, value, low, high) -> dict[str, float | None]:
    return {name: finite(value), f"{name}_low": finite(low), f"{name}_high": finite(high)}


def learning(fitted: Fitted) -> Table:
    """Performance in the same held-out patients by how many there were to learn from."""
    found = fitted.validation.learning
    rows = []
    for i, size in enumerate(found.sizes):
        row = {"size": f"{100 * size / found.sizes[-1]:.0f} %"}
        for name in ("auc", "slope"):
            row |= _cells(name, *(getattr(found, end)[name][i] for end in ("mean", "low", "high")))
        rows.append(row)
    shared = {"sensitivity": fitted.sensitivity}
    values = declared("auc", "AUC, mean", 3, **shared) | declared(
        "slope", "Slope, mean", 2, **shared
    )
    keys = {"size": "Learnt from, of those not held out"}
    title = "Learning curve (ranges: spread over repeats)"
    return Table(title, pl.DataFrame(rows, schema=types(keys, values)), keys, values)


def missing_scores(fitted: Fitted) -> Table:
    """The same predictions judged by outcomes that treat missing last scores in three ways."""
    rows = []
    for s, ways in fitted.handled.items():
        for way in ways:
            if way.reason:
                continue
            row = {"landmark": landmark_name(s), "way": way.way, "n": way.n}
            row |= {"events": round(way.share * way.n), "share": way.share}
            for name, estimate in way.estimates.items():
                row |= cells(name, estimate)
            rows.append(row)
    shared = {"sensitivity": fitted.sensitivity}
    values = people_values(**shared)
    for name in ("auc", "observed_expected", "calibration_slope"):
        values |= declared(name, *METRICS[name], denominator="n", follows="share", **shared)
    keys = LANDMARK | {"way": "Missing last scores"}
    title = f"What hangs on missing last scores ({fitted.params.model})"
    return Table(title, pl.DataFrame(rows, schema=types(keys, values)), keys, values)


def later(fitted: Fitted) -> Table:
    """Calibration over time of a model of earlier courses, with limits of what chance allows."""
    found = fitted.drift
    columns = {
        "n": found.n.astype(int),
        "events": found.observed.round().astype(int),
        "observed": found.observed / found.n,
        "expected": found.expected / found.n,
        "difference": found.difference / found.n,
        "limit": found.alarm_limit / found.n,
    }
    keys = {"year": "Referred in"} if fitted.days_shifted else {"quarter": "Predicted in"}
    frame = pl.DataFrame({key: [str(p) for p in found.period] for key in keys} | columns)
    frame = frame.with_columns(alarm=pl.Series(["yes" if a else "no" for a in found.alarm]))
    shared = {"sensitivity": fitted.sensitivity}
    model = {"denominator": "n", "follows": "observed"} | shared
    values = {name: people_values((), **shared)[name] for name in ("n", "events")} | {
        "observed": Value("rate", "Observed", 3, "n", follows="events", **shared),
        "expected": Value("model", "Expected", 3, **model),
        "difference": Value("model", "Observed minus expected", 3, **model),
        "limit": Value("model", "Limit (3 SD)", 3, **model),
        "alarm": Value("model", "Beyond it", 0, **model),
    }
    title = "Later predictions, by a model of courses that had ended before"
    return Table(title, frame, keys, values, population="later predictions")
