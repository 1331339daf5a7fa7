"""Tables of `recovery_transfer`: whom the model meets, how good it is, what updating does."""

import math

import polars as pl

from iesoresearch.analyses.recovery.columns import (
    cells,
    declared,
    finite,
    metric_values,
    metrics,
)
from iesoresearch.analyses.recovery.tables import types
from iesoresearch.analyses.recovery_transfer.compared import compared
from iesoresearch.analyses.recovery_transfer.fitted import SHIPPED, UPDATED, Fitted
from iesoresearch.analyses.recovery_transfer.site import ACHIEVED, Site, in_words
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.results import Table, Value

EVERYBODY, HALF = "everybody here", "the judging half"
MADE_THERE, MADE_HERE = "where it was made", "made anew here"
NO_ENDS = (math.nan, math.nan)
EVERY = 5  # points of a calibration curve that are shown: each fifth


def summary(site: Site) -> Table:
    """How many referrals there are, and how many of them at risk at the model's landmark."""
    rows = {"referrals of the site": site.cohort.referrals.height}
    rows["of these at risk at the landmark"] = site.at.n
    frame = pl.DataFrame({"what": list(rows), "count": list(rows.values())})
    count = Value("count", "Number", 0, sensitivity=site.cohort.sensitivity)
    title = f"{site.cohort.name}; a model of {in_words(site.model)}"
    return Table(title, frame, {"what": ""}, {"count": count})


def patients(fitted: Fitted) -> Table:
    """Patients here beside what the model's file tells of those it was made with."""
    model = fitted.site.model
    return compared(fitted.described, model.training, model.schema, fitted.sensitivity)


def refused(fitted: Fitted) -> Table:
    """Why the model refuses to predict; a referral may be here more than once."""
    rows = [{"reason": why, "n": int(rows.sum())} for why, rows in fitted.outside.items()]
    values = {"n": Value("count", "Referrals", 0, sensitivity=fitted.sensitivity)}
    keys = {"reason": "Why"}
    frame = pl.DataFrame(rows, schema=types(keys, values))
    return Table("Whom the model refuses", frame, keys, values)


def performance(fitted: Fitted) -> Table:
    """The model where it was made, here as shipped, updated, and beside one of this site."""
    found = {(SHIPPED, EVERYBODY): fitted.shipped}
    if fitted.own_everybody is not None:
        found[MADE_HERE, EVERYBODY] = fitted.own_everybody
    if fitted.update is not None:
        found |= {(SHIPPED, HALF): fitted.before, (UPDATED, HALF): fitted.after}
        if fitted.own_judged is not None:
            found[MADE_HERE, HALF] = fitted.own_judged
    rows = [_where_made(fitted)]
    for (model, judged), evaluation in found.items():
        overall = evaluation.overall
        row = {"model": model, "judged": judged, "n": overall.n}
        rows.append(row | {"share": overall.events / overall.n} | metrics(overall))
    title = f"How good predictions are: {in_words(fitted.site.model)}"
    return _performance(fitted, title, rows, {"model": "Model", "judged": "Judged on"})


def _where_made(fitted: Fitted) -> dict:
    """What the model's file says of it."""
    model = fitted.site.model
    n, share = (_told(model.training, name) for name in ("n_detail", "share"))
    row = {"model": SHIPPED, "judged": MADE_THERE, "n": None if n is None else int(n)}
    row["share"] = None if share is None else share / 100
    for name, metric in ACHIEVED.items():
        for end in ("", "_low", "_high"):
            row[metric + end] = _told(model.performance, name + end)
    return row


def _told(said: dict, name: str) -> float | None:
    value = said.get(name)
    return float(value) if isinstance(value, int | float) else None


def groups(fitted: Fitted) -> Table:
    """The model as shipped, by group of patients."""
    rows = []
    for grouping, levels in fitted.shipped.groups.items():
        for level, found in levels.items():
            row = {"grouping": grouping, "level": level, "n": found.n}
            rows.append(row | {"share": found.events / found.n} | metrics(found))
    keys = {"grouping": "Group", "level": "Level"}
    return _performance(fitted, "As shipped, by group", rows, keys, parts_of=("grouping",))


def _performance(fitted, title, rows, keys, parts_of=None) -> Table:
    """A table of performances; none where few have the outcome, or few have not."""
    shared = {"sensitivity": fitted.sensitivity}
    values = {
        "n": Value("count", "Referrals", 0, parts_of=parts_of, at_risk=True, **shared),
        "share": Value("rate", "With the outcome", 3, "n", parts_of=parts_of, follows="n",
                       **shared),
    } | metric_values(denominator="n", follows="share", **shared)  # fmt: skip
    return Table(title, pl.DataFrame(rows, schema=types(keys, values)), keys, values)


def calibration(fitted: Fitted) -> Table:
    """Calibration curves, before and after the update."""
    found = {SHIPPED: fitted.shipped}
    if fitted.update is not None:
        found = {SHIPPED: fitted.before, UPDATED: fitted.after}
    rows = []
    for model, evaluation in found.items():
        curve = evaluation.overall.curve
        points = (curve.predicted, curve.observed, curve.low, curve.high)
        for x, *observed in zip(*(c[::EVERY] for c in points), strict=True):
            rows.append({"model": model, "predicted": x} | cells("observed", Estimate(*observed)))
    shared = {"sensitivity": fitted.sensitivity}
    values = {"predicted": Value("model", "Predicted chance", 3, **shared)}
    values |= declared("observed", "Observed share (smoothed)", 3, **shared)
    keys = {"model": "Model"}
    where = EVERYBODY if fitted.update is None else HALF
    frame = pl.DataFrame(rows, schema=types(keys, values))
    return Table(f"Calibration, {where}", frame, keys, values)


def update(fitted: Fitted) -> Table:
    """What the update does to the log-odds, and the tests that chose it."""
    done = fitted.update
    # what was not estimated has no interval
    rows = [
        {"what": name} | cells("estimate", Estimate(value, *(ends if error else NO_ENDS)))
        for name, value, error, *ends in (
            ("intercept", done.intercept, done.intercept_error, done.intercept_low,
             done.intercept_high),
            ("slope", done.slope, done.slope_error, done.slope_low, done.slope_high),
        )
    ]  # fmt: skip
    for test in done.tests:
        rows.append(
            {
                "what": f"test of “{test.smaller}” against intercept and slope",
                **{"statistic": test.statistic, "df": float(test.df), "p": test.p},
            }
        )
    shared = {"sensitivity": fitted.sensitivity}
    values = declared("estimate", "Log-odds", 3, **shared) | {
        "statistic": Value("model", "Likelihood ratio", 1, **shared),
        "df": Value("model", "Degrees of freedom", 0, **shared),
        "p": Value("model", "p", 4, **shared),
    }
    keys = {"what": ""}
    frame = pl.DataFrame(rows, schema=types(keys, values))
    return Table(f"The update that the closed test chose: {done.method}", frame, keys, values)


def local(fitted: Fitted) -> Table:
    """What updating does by the number of local patients, over draws of them."""
    rows = []
    for one in fitted.few:
        row = {"size": str(one.size), "method": one.method}
        row |= cells("gain", Estimate(float(one.gain.mean()), *one.spread))
        row |= {"worse": one.worse, "off": finite(one.off.mean()), "left": float(one.left.mean())}
        rows.append(row)
    shared = {"sensitivity": fitted.sensitivity}
    label = "Gain over the model as shipped, thousandths of log-loss"
    values = declared("gain", label, 1, **shared) | {
        "worse": Value("model", "Draws in which it did harm", 2, **shared),
        "off": Value("model", "Observed / expected off 1 by", 3, **shared),
        "left": Value("model", "Draws that left it as it is", 2, **shared),
    }
    values["gain_low"] = Value("model", "95 % of draws from", 1, **shared)
    keys = {"size": "Local patients", "method": "Update"}
    frame = pl.DataFrame(rows, schema=types(keys, values))
    draws = fitted.params.n_draws
    return Table(f"Updating with few patients ({draws} draws of each)", frame, keys, values)


def drift(fitted: Fitted) -> Table:
    """Observed against expected by quarter with the running sums, or by financial year."""
    period = "year" if fitted.days_shifted else "quarter"
    parts = []
    for model, found in fitted.drift.items():
        columns = {
            period: [str(q) for q in found.period],
            "n": found.n.astype(int),
            "observed": found.observed / found.n,
            "expected": found.expected / found.n,
            "z": found.z,
            "more": found.more.highest / found.more.limit,
            "fewer": found.fewer.highest / found.fewer.limit,
        }
        parts.append(pl.DataFrame({"model": [model] * len(found.n)} | columns))
    shared = {"sensitivity": fitted.sensitivity}
    seen = {"denominator": "n", "follows": "observed"} | shared
    whole = ("model",)
    values = {
        "n": Value("count", "Patients", 0, parts_of=whole, **shared),
        "observed": Value("rate", "Observed", 3, "n", parts_of=whole, follows="n", **shared),
        "expected": Value("model", "Expected", 3, **seen),
        "z": Value("model", "Difference in SD of chance", 1, **seen),
        "more": Value("model", "Running sum for more, 1 = alarm", 2, **seen),
        "fewer": Value("model", "For fewer, 1 = alarm", 2, **seen),
    }
    keys = {"model": "Model", "quarter": "Predicted in"}
    if fitted.days_shifted:  # within a year nobody comes first: there is no running sum
        keys = {"model": "Model", "year": "Referred in"}
        values = {name: v for name, v in values.items() if name not in ("more", "fewer")}
    title = f"Calibration by {period}"
    frame = pl.concat(parts).select(*keys, *values).with_columns(pl.col(pl.Float64).fill_nan(None))
    return Table(title, frame, keys, values)
