"""Tables of the trajectory classes."""

import numpy as np
import polars as pl

from iesoresearch.analyses.recovery_trial.described import count, time_label, value
from iesoresearch.data.trials import Trial
from iesoresearch.measures.outcomes import wilson
from iesoresearch.models.trajectories import Choice, TrajectoryClasses
from iesoresearch.results import Table

POINTS = 25  # of the curves in time


def names(model: TrajectoryClasses, last: float) -> list[str]:
    """Classes by number and by their means at the start and at the end."""
    start, end = model.curves([0.0, last]).mean.T
    return [f"{c + 1}: {a:.0f} to {b:.0f}" for c, (a, b) in enumerate(zip(start, end, strict=True))]


def choice_table(choice: Choice, slopes: TrajectoryClasses) -> Table:
    """How well models with more and more classes describe the scores, beside one without any."""
    models = [*choice.models, slopes]
    labels = [f"{m.n_classes} class{'es' if m.n_classes > 1 else ''}" for m in choice.models]
    frame = pl.DataFrame(
        {
            "model": [*labels, "no classes, but patients differ in slope"],
            "parameters": [m.n_parameters_ for m in models],
            "bic": [m.bic_ for m in models],
            "icl": [m.icl_ for m in models],
            "entropy": [float(m.entropy_) for m in models],
            "smallest": [float(m.probabilities_.sum(axis=0).min()) for m in models],
            "note": ["; ".join(sorted(set(m.degenerate_.values()))) or "sound" for m in models],
            "n": [m.n_patients_ for m in models],
        }
    )
    values = {
        "parameters": value("model", "Parameters", 0),
        "bic": value("model", "BIC (less is better)", 1),
        "icl": value("model", "ICL (less is better)", 1),
        "entropy": value("model", "Entropy (1 = all certain)", 2),
        "smallest": value("model", "Patients expected in the smallest", 0),
        "note": value("model", "Is a class degenerate?", 0),
        "n": count(),
    }
    return Table("How many trajectory classes", frame, {"model": "Model"}, values)


def curves_table(model: TrajectoryClasses, trial: Trial) -> Table:
    """Mean curve of each class, with 95 % intervals."""
    last = float(trial.occasions[-1])
    time = np.linspace(0, last, POINTS)
    found = model.curves(time)
    sizes = np.bincount(model.classes_, minlength=model.n_classes)
    frame = pl.concat(
        pl.DataFrame(
            {
                "class": name,
                "time": time,
                "mean": found.mean[c],
                "mean_low": found.low[c],
                "mean_high": found.high[c],
                "n": int(sizes[c]),
            }
        )
        for c, name in enumerate(names(model, last))
    ).with_columns(pl.col("mean_low", "mean_high").fill_nan(None))
    values = {
        "mean": value("model", f"Mean {trial.scale}", 1),
        "mean_low": value("model", "95 % from", 1),
        "mean_high": value("model", "to", 1),
        "n": count("Patients most likely in it"),
    }
    keys = {"class": "Class", "time": time_label(trial)}
    return Table("Mean curves of the trajectory classes", frame, keys, values)


def members_table(model: TrajectoryClasses, trial: Trial) -> Table:
    """Who is in the classes, by most likely class."""
    frame = (
        pl.DataFrame(
            {
                "class": np.array(names(model, float(trial.occasions[-1])))[model.classes_],
                "probability": model.probabilities_.max(axis=1),
                "treated": trial.arm,
                "left": trial.left,
            }
        )
        .group_by("class")
        .agg(
            n=pl.len(),
            probability=pl.col("probability").mean(),
            treated=pl.col("treated").sum(),
            left=pl.col("left").sum(),
        )
        .sort("class")
    )
    for name in ("treated", "left"):
        interval = wilson(pl.col(name), pl.col("n"))
        frame = frame.with_columns(
            (100 * interval["rate"]).alias(f"{name}_share"),
            (100 * interval["low"]).alias(f"{name}_share_low"),
            (100 * interval["high"]).alias(f"{name}_share_high"),
        )
    values = {
        "n": count("Patients most likely in it"),
        "probability": value("model", "Their mean probability of it", 2),
        "treated_share": value("mean", f"Given {trial.arms[1]}, %", 0),
        "treated_share_low": value("mean", "95 % from", 0),
        "treated_share_high": value("mean", "to", 0),
        "left_share": value("mean", "Left before the end, %", 0),
        "left_share_low": value("mean", "95 % from", 0),
        "left_share_high": value("mean", "to", 0),
    }
    keys = {"class": f"Class (mean {trial.scale} from start to end)"}
    shown = frame.select("class", *values)
    return Table("Who is in the trajectory classes (95 % Wilson intervals)", shown, keys, values)
