"""Would other people, another method or another number of states say the same."""

import numpy as np
import polars as pl

from iesoresearch.analyses.subtypes.cells import grid, value
from iesoresearch.analyses.subtypes.fitted import ITEM_NAMES, PROFILE, Fitted, Quality
from iesoresearch.models import grouping
from iesoresearch.models.stability import jaccard_words
from iesoresearch.results import Table

THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3)  # at which states are grouped, around the stated one
_NAMES = "ABCDEFGHIJKLMNOPQRST"


def stability(fitted: Fitted) -> Table:
    """Agreement of assignments (adjusted Rand index): over resamples, halves and methods."""
    quality = fitted.quality
    splits, methods = len(quality.halves.ari), quality.methods
    better = float(quality.replicates.fresh["better"].mean())
    rows = [
        ("resamples, refitted from this solution: ARI, middle 95 %", *_spread(quality)),
        (f"halves, fitted afresh: ARI, range of {splits} splits", *_range(quality.halves.ari)),
        *(
            (
                f"{a} and {b}: ARI, about {round(methods.n_sessions, -1):,} sessions",
                methods.ari[i, j],
                None,
                None,
            )
            for i, a in enumerate(methods.names)
            for j, b in enumerate(methods.names)
            if i < j
        ),
        ("resamples in which random starts found something better, share", better, None, None),
    ]
    if quality.test is not None:
        p, error = quality.test.p_value, 1.96 * quality.test.standard_error
        name = f"one state fewer: p of the likelihood-ratio test, {len(quality.test.draws)} draws"
        rows.append((name, p, max(p - error, 0.0), min(p + error, 1.0)))
    schema = {"measure": pl.String, "value": pl.Float64, "from": pl.Float64, "to": pl.Float64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    frame = frame.with_columns(n=pl.lit(fitted.data.n_people))
    estimated = {"parameters": fitted.model.n_parameters_}
    values = {
        "value": value(fitted, "model", "Value", 2, "n", **estimated),
        "from": value(fitted, "model", "from", 2, "n", **estimated),
        "to": value(fitted, "model", "to", 2, "n", **estimated),
        "n": value(fitted, "count", "People", 0),
    }
    return Table("Stability of the states", frame, {"measure": "Measure"}, values)


def _spread(quality: Quality) -> tuple[float, float, float]:
    """Median agreement in resamples, and the middle 95 %."""
    found = np.quantile(quality.replicates.ari, [0.5, 0.025, 0.975], method="weibull")
    return tuple(float(q) for q in found)


def _range(values: np.ndarray) -> tuple[float, float, float]:
    """Median, smallest and largest."""
    return float(np.median(values)), float(values.min()), float(values.max())


def state_stability(fitted: Fitted) -> Table:
    """How well each state is found again in resamples."""
    quality = fitted.quality
    mean = quality.replicates.mean_jaccard
    frame = grid(state=range(1, fitted.chosen + 1)).with_columns(
        jaccard=pl.Series(mean).fill_nan(None),
        dissolved=pl.Series(quality.replicates.dissolved),
        reading=pl.Series(jaccard_words(mean)),
        n=pl.Series(fitted.people_in_state),
    )
    values = {
        "jaccard": value(fitted, "model", "Mean Jaccard index", 2, "n", parameters=PROFILE),
        "dissolved": value(fitted, "model", "Share of resamples in which it dissolves", 2, "n"),
        "reading": value(fitted, "model", "Reading", 0, "n"),
        "n": value(fitted, "count", "Expected people", 0),
    }
    return Table("Stability of each state", frame, {"state": "State"}, values)


def subtypes(fitted: Fitted) -> Table:
    """Subtype of every state at several thresholds."""
    found = grouping.sensitivity(fitted.deviations, THRESHOLDS)
    frame = grid(state=range(1, fitted.chosen + 1)).with_columns(
        n=pl.Series(fitted.people_in_state)
    )
    values = {}
    for threshold, groups in zip(found.thresholds, found.groups, strict=True):
        name = f"at_{threshold:.2f}".replace(".", "_")
        frame = frame.with_columns(pl.Series(name, [_name(g) for g in groups]))
        shown = f"{threshold:.2f} SD" + (" (the rule)" if threshold == grouping.THRESHOLD else "")
        values[name] = value(fitted, "model", f"Subtype at {shown}", 0, "n")
    values["n"] = value(fitted, "count", "Expected people", 0)
    title = "Subtypes: states of a like symptom profile, whatever their severity"
    return Table(title, frame, {"state": "State"}, values)


def _name(group: int) -> str:
    return "typical" if group == grouping.TYPICAL else _NAMES[group - 1]


def other_assumptions(fitted: Fitted) -> Table:
    """Other assumptions about moves and drop-out, beside the model shown."""
    rows = [(v.name, v.parameters, v.gain, v.bic, v.change) for v in fitted.variants]
    columns = ["assumption", "parameters", "gain", "bic", "change"]
    most = max((v.parameters for v in fitted.variants), default=0)
    estimated = {"parameters": fitted.model.n_parameters_ + most}
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    frame = frame.with_columns(n=pl.lit(fitted.data.n_people))
    values = {
        "parameters": value(fitted, "model", "More parameters", 0, "n"),
        "gain": value(fitted, "model", "Gain in log-likelihood, nats", 1, "n", **estimated),
        "bic": value(fitted, "model", "Change of BIC (n = people)", 1, "n", **estimated),
        "change": value(
            fitted, "model", "Largest change of a transition probability", 3, "n", **estimated
        ),
        "n": value(fitted, "count", "People", 0),
    }
    return Table("Other assumptions", frame, {"assumption": "Assumption"}, values)


def residuals(fitted: Fitted) -> Table:
    """Which pairs of items go together beyond what the states explain, the strongest first."""
    found = fitted.quality.residuals
    names = [[ITEM_NAMES[i] for i in pair] for pair in found.pairs]
    frame = pl.DataFrame(names, schema=["item", "other"], orient="row").with_columns(
        residual=pl.Series(found.residual).fill_nan(None),
        statistic=pl.Series(found.statistic).fill_nan(None),
        n=pl.lit(fitted.data.n_people),
    )
    frame = frame.sort(pl.col("residual").abs(), descending=True, nulls_last=True)
    estimated = {"parameters": fitted.model.n_parameters_}
    values = {
        "residual": value(fitted, "model", "Residual correlation", 3, "n", **estimated),
        "statistic": value(fitted, "model", "Bivariate residual (χ² per degree)", 1, "n",
                           **estimated),
        "n": value(fitted, "count", "People", 0),
    }  # fmt: skip
    keys = {"item": "Item", "other": "and item"}
    return Table("Pairs of items beyond the states", frame, keys, values)
