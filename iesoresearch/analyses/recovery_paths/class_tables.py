"""Tables of the classes that describe the ways scores take."""

from itertools import pairwise

import numpy as np
import polars as pl

from iesoresearch.analyses.recovery_paths.columns import count, value
from iesoresearch.analyses.recovery_paths.fitted import Fitted
from iesoresearch.measures import PHQ9
from iesoresearch.measures.outcomes import wilson
from iesoresearch.results import Table

FELL = 2.0  # points; a mean curve that moves less is called level


def all_tables(fitted: Fitted) -> dict[str, Table]:
    """Tables of the classes, by name."""
    return {
        "class_choice": choice(fitted),
        "classes": classes(fitted),
        "class_curves": curves(fitted),
    }


def choice(fitted: Fitted) -> Table:
    """How well each number of classes describes the scores."""
    found = fitted.classes
    rows = [
        {
            "classes": m.n_classes,
            "bic": m.bic_ - found.models[0].bic_,
            "icl": m.icl_ - found.models[0].icl_,
            "entropy": m.entropy_ if m.n_classes > 1 else None,
            "smallest": m.shares_.min() if m.n_classes > 1 else None,
            "starts": m.n_best_,
            "remark": _remark(m, found.chosen),
            "n": m.n_patients_,
        }
        for m in found.models
    ]
    values = {
        "bic": value(fitted, "BIC, less that of one class", 0, "n"),
        "icl": value(fitted, "ICL, less that of one class", 0, "n"),
        "entropy": value(fitted, "Certainty of classes (1 = certain)", 2, "n"),
        "smallest": value(fitted, "Smallest share", 2, "n"),
        "starts": value(fitted, "Starts with the best solution", 0, "n"),
        "n": count(fitted, whole=None),
    }
    keys = {"classes": "Classes", "remark": "Remark"}
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return Table("How many classes of paths", frame, keys, values)


def _remark(model, chosen) -> str:
    if model is chosen:
        return "chosen: lowest BIC"
    if model.degenerate_:
        return "not usable: " + "; ".join(sorted(set(model.degenerate_.values())))
    return "" if model.converged_ else "did not converge"


def describe(start: float, end: float) -> str:
    """A mean curve in words, by the bands of the PHQ-9."""
    bands = [_band(start), _band(end)]
    if abs(end - start) < FELL:
        return f"{bands[0]}, level"
    return (
        " to ".join(bands)
        if bands[0] != bands[1]
        else f"{bands[0]}, " + ("falling" if end < start else "rising")
    )


def _band(total: float) -> str:
    rounded = int(np.clip(total, 0, PHQ9.highest) + 0.5)
    return next(b.name for b in PHQ9.bands if b.low <= rounded <= b.high)


def names(fitted: Fitted) -> list[str]:
    """The classes by the mean score they end at, numbered and in words."""
    ends = fitted.classes.chosen.curves(np.array([0.0, fitted.params.n_sessions])).mean
    return [f"{i + 1}: {describe(*curve)}" for i, curve in enumerate(ends)]


def classes(fitted: Fitted) -> Table:
    """How many patients are most likely in each class, and how many of them reach the outcome."""
    model = fitted.classes.chosen
    reached = fitted.patients.people[fitted.params.outcome].to_numpy()
    n = np.bincount(model.classes_, minlength=model.n_classes)
    events = np.bincount(model.classes_, weights=reached, minlength=model.n_classes)
    certain = [model.probabilities_[model.classes_ == c, c] for c in range(model.n_classes)]
    frame = pl.DataFrame({"class": names(fitted), "n": n, "events": events}).with_columns(
        share=pl.Series(model.shares_),
        certainty=pl.Series(
            [float(p.mean()) if len(p) else None for p in certain], dtype=pl.Float64
        ),
    )
    frame = frame.with_columns(**_rates("events", "n"), events=pl.col("events").cast(pl.Int64))
    values = {
        "n": count(fitted),
        "events": count(fitted, fitted.outcome.capitalize(), within="n", follows="n"),
        "share": value(fitted, "Share of the population", 2, "n"),
        "certainty": value(fitted, "Mean certainty", 2, "n"),
        "rate": value(fitted, "Share of them", 3, "n", "rate", follows="events"),
        "rate_low": value(fitted, "95 % from", 3, "n", follows="rate"),
        "rate_high": value(fitted, "to", 3, "n", follows="rate"),
    }
    title = f"What becomes of the classes: {fitted.outcome} by the official rule"
    frame = frame.select("class", *values)
    return Table(title, frame, {"class": "Class (mean PHQ-9, first to last)"}, values)


def _rates(events: str, n: str) -> dict[str, pl.Expr]:
    found = wilson(pl.col(events), pl.col(n))
    return {"rate": found["rate"], "rate_low": found["low"], "rate_high": found["high"]}


def curves(fitted: Fitted) -> Table:
    """Mean curves of the classes."""
    model = fitted.classes.chosen
    times = np.arange(fitted.params.n_sessions + 1.0)
    found = model.curves(times)
    n = np.bincount(model.classes_, minlength=model.n_classes)
    rows = [
        {"class": name, "session": int(t), "share": model.shares_[c], "mean": found.mean[c, i],
         "mean_low": found.low[c, i], "mean_high": found.high[c, i], "n": int(n[c])}
        for c, name in enumerate(names(fitted))
        for i, t in enumerate(times)
    ]  # fmt: skip
    values = {
        "share": value(fitted, "Share", 2, "n"),
        "mean": value(fitted, "Mean PHQ-9, points", 1, "n"),
        "mean_low": value(fitted, "95 % from", 1, "n"),
        "mean_high": value(fitted, "to", 1, "n"),
        "n": count(fitted, whole=("session",)),
    }
    frame = pl.DataFrame(rows).with_columns(pl.col("mean_low", "mean_high").fill_nan(None))
    keys = {"class": "Class", "session": "Session"}
    return Table("Mean curves of the classes", frame, keys, values)


def ambiguous(fitted: Fitted) -> bool:
    """Whether BIC would have gone on beyond the largest number that was tried."""
    models = fitted.classes.models
    falls = all(b.bic_ < a.bic_ for a, b in pairwise(models))
    return falls and fitted.classes.chosen is models[-1]
