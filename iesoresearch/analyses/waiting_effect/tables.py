"""Tables of `waiting_effect`."""

import numpy as np
import polars as pl

from iesoresearch.analyses.waiting_effect import course
from iesoresearch.analyses.waiting_effect.cases import BASE, CASES, CONTROLS, rows
from iesoresearch.analyses.waiting_effect.fitted import CHECKED, Evidence, Fitted
from iesoresearch.models.growth import Estimate
from iesoresearch.results import Sensitivity, Table, Value


def all_tables(fitted: Fitted) -> dict[str, Table]:
    """By name, in the order of the notebook."""
    return {
        "estimates": estimates(fitted),
        "spread": spread(fitted),
        "rise": rise(fitted),
        "funnel": funnel(fitted),
        "predictive": predictive(fitted),
        "course": course.hazards(),
        "remission": course.curves(),
    }


def count(label: str) -> Value:
    """Declaration of a number of trials or comparisons, not of people."""
    return Value("count", label, 0, sensitivity="open")


def interval(name: str, label: str, digits: int, sensitivity: Sensitivity) -> dict[str, Value]:
    """Declarations of an estimate and its 95 % interval."""
    labels = {name: label, f"{name}_low": "95 % from", f"{name}_high": "to"}
    return {
        column: Value("model", text, digits, sensitivity=sensitivity)
        for column, text in labels.items()
    }


def summary(evidence: Evidence) -> Table:
    """How many comparisons and trials there are for every control."""
    table = evidence.trials.table
    found = [("all", table.height, table["trial"].n_unique())]
    for control, words in CONTROLS.items():
        part = table.filter(pl.col("control_type") == control)
        found.append((words.lower(), part.height, part["trial"].n_unique()))
    if evidence.trials.unknown_control:
        found.append(("control not recorded, left out", evidence.trials.unknown_control, None))
    values = {"comparisons": count("Comparisons"), "trials": count("Trials")}
    frame = pl.DataFrame(found, ["control", *values], orient="row")
    return Table(f"The data: {evidence.name}", frame, {"control": "Control"}, values)


def _ends(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.x, estimate.x_low, estimate.x_high


def _by_case(fitted: Fitted, title: str, cells, values: dict[str, Value], cases=CASES) -> Table:
    found = [(CONTROLS[c.control], c.label, *cells(c.name)) for c in cases]
    keys = {"control": "Control", "analysis": "Analysis"}
    frame = pl.DataFrame(found, [*keys, *values], orient="row", infer_schema_length=None)
    return Table(title, frame, keys, values)


def estimates(fitted: Fitted) -> Table:
    """Mean effect of every case, by both methods, and what a further trial may be about."""
    sensitivity = fitted.evidence.sensitivity

    def cells(name):
        data, likely = fitted.posteriors[name].data, fitted.likely[name]
        new = fitted.new_trial[name]
        return (data.n, data.n_trials, *_ends(fitted.mean(name)), *_ends(new), likely.mean)

    values = {"n": count("Comparisons"), "trials": count("Trials")}
    values |= interval("mean", "Mean g", 2, sensitivity)
    values |= interval("new", "True g of a new trial", 1, sensitivity)
    values |= {"reml": Value("model", "REML", 2, sensitivity=sensitivity)}
    title = "Hedges' g of therapy against each control; above 0 therapy is better"
    return _by_case(fitted, title, cells, values)


def spread(fitted: Fitted) -> Table:
    """Standard deviations of true effects of every case."""
    sensitivity = fitted.evidence.sensitivity

    def cells(name):
        posterior, likely = fitted.posteriors[name], fitted.likely[name]
        found = posterior.summary()
        total = Estimate.of(posterior.total)
        parts = [x for part in ("between", "within") for x in _ends(found[part])]
        return (*parts, *_ends(total), np.hypot(likely.between, likely.within))

    values = interval("between", "Between trials", 1, sensitivity)
    values |= interval("within", "Within trials", 1, sensitivity)
    values |= interval("total", "Together", 1, sensitivity)
    values |= {"reml": Value("model", "Together, REML", 2, sensitivity=sensitivity)}
    return _by_case(fitted, "Standard deviation of true effects", cells, values)


def rise(fitted: Fitted) -> Table:
    """How much larger the effects of small trials are."""
    sensitivity = fitted.evidence.sensitivity

    def cells(name):
        found = fitted.coefficients[name]["small_study"]
        return (*_ends(found), *_ends(fitted.mean(name)))

    values = interval("rise", "Rise of g per unit of SE, or of SE²", 1, sensitivity)
    values |= interval("mean", "Limit at SE 0", 2, sensitivity)
    cases = [case for case in CASES if case.small_study != "none"]
    return _by_case(fitted, "How much larger effects of small trials are", cells, values, cases)


def funnel(fitted: Fitted) -> Table:
    """Every comparison with a waiting list, and lines of the models; number 0 is their limit."""
    sensitivity = fitted.evidence.sensitivity
    part = rows(fitted.evidence.trials.table, BASE).sort("SE", "g", maintain_order=True)
    error = np.append(0.0, part["SE"].to_numpy())

    def line(name, power):
        found = fitted.coefficients[name]
        return found["mean"].x + found["small_study"].x * error**power

    frame = pl.DataFrame(
        {
            "comparison": range(len(error)),
            "g": [None, *part["g"]],
            "error": error,
            "mean": np.full(len(error), fitted.mean("base").x),
            "by_error": line("limit_error", 1),
            "by_variance": line("limit_variance", 2),
        }
    )
    labels = {
        "g": "Hedges' g",
        "error": "Standard error",
        "mean": "Mean, no small-study effect",
        "by_error": "Expected, by SE",
        "by_variance": "Expected, by SE²",
    }
    values = {
        name: Value("model", label, 2, sensitivity=sensitivity) for name, label in labels.items()
    }
    title = "Comparisons with a waiting list, by standard error"
    return Table(title, frame, {"comparison": "Comparison"}, values)


def predictive(fitted: Fitted) -> Table:
    """What the models would give for the same trials, before and after the effects were seen."""
    sensitivity = fitted.evidence.sensitivity
    sets = {"before any effect was seen (prior)": fitted.before}
    sets |= {words: fitted.after[name] for name, words in CHECKED.items()}
    found = [
        (words, check.name, check.found, *_ends(check.expected))
        for words, checks in sets.items()
        for check in checks
    ]
    values = {"found": Value("model", "Found", 1, sensitivity=sensitivity)}
    values |= interval("drawn", "Drawn from the model", 1, sensitivity)
    keys = {"model": "Model", "statistic": "Statistic"}
    frame = pl.DataFrame(found, [*keys, *values], orient="row")
    title = "Predictive checks: comparisons with a waiting list"
    return Table(title, frame, keys, values)
