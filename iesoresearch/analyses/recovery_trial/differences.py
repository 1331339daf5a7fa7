"""Tables of the growth model: curves of the arms, their difference, and what leaving goes with."""

import numpy as np
import polars as pl

from iesoresearch.analyses.recovery_trial import described
from iesoresearch.analyses.recovery_trial.described import count, interval, time_label
from iesoresearch.analyses.recovery_trial.fitted import ARM, Fitted
from iesoresearch.analyses.recovery_trial.leavers import BOTH, TREATED
from iesoresearch.models.growth import Estimate
from iesoresearch.results import Table

POINTS = 25  # of curves in time
OF_LEAVING = {
    "level": "level, per SD of patients",
    "rate": "change over the course, per SD of patients",
}


def differences(fitted: Fitted) -> Table:
    """Difference between the arms at the last occasion, by what is assumed of those who left."""
    trial, arm = fitted.trial, f"rate: {ARM}"  # the change to the last occasion is one unit of it
    found = {
        "nothing: only who gave a last score (least squares)": fitted.ancova,
        "missing at random (least squares)": fitted.sequential[-1],
        "missing at random (growth model)": fitted.at_random.summary()[arm],
    }
    if fitted.renamed is not None:
        found["the same with the other months"] = fitted.renamed.summary()[arm]
    shared = "leaving goes with level and change (shared-parameter model)"
    found[shared] = fitted.shared.summary()[arm]
    rows = [(name, *_three(e), getattr(e, "n", trial.n)) for name, e in found.items()]
    columns = ["analysis", "difference", "difference_low", "difference_high", "n"]
    title = (
        f"Difference of the {trial.scale} at {fitted.end:g} {trial.unit}, adjusted for the start: "
        f"{trial.arms[1]} minus {trial.arms[0]}"
    )
    return Table(
        title,
        pl.DataFrame(rows, columns, orient="row"),
        {"analysis": "Assumed of those who left"},
        interval("difference", f"Difference of the {trial.scale} (points)", 0) | {"n": count()},
    )


def by_occasion(fitted: Fitted) -> Table:
    """Difference at every occasion, with the shape of the growth model and without any shape."""
    trial = fitted.trial
    growth = fitted.at_random.data.growth(trial.occasions[1:])
    effect = fitted.at_random.flat("rate_effect")[:, :1] * growth
    low, high = np.quantile(effect, (0.025, 0.975), axis=0)
    frame = pl.DataFrame(
        {
            "time": trial.occasions[1:],
            "plain": [d.estimate for d in fitted.sequential],
            "plain_low": [d.low for d in fitted.sequential],
            "plain_high": [d.high for d in fitted.sequential],
            "growth": effect.mean(axis=0),
            "growth_low": low,
            "growth_high": high,
            "n": trial.n,
        }
    )
    values = interval("plain", "Least squares, no shape (points)", 1)
    values |= interval("growth", "Growth model (points)", 0) | {"n": count()}
    title = (
        f"Difference of the {trial.scale} by occasion, {trial.arms[1]} minus {trial.arms[0]}, if "
        "scores are missing at random"
    )
    return Table(title, frame, {"time": time_label(trial)}, values)


def _three(estimate) -> tuple[float, float, float]:
    if isinstance(estimate, Estimate):
        return estimate.x, estimate.x_low, estimate.x_high
    return estimate.estimate, estimate.low, estimate.high


def curves(fitted: Fitted) -> Table:
    """Mean curves of the arms if scores are missing at random, beside the means that were seen."""
    trial, fit = fitted.trial, fitted.at_random
    time = np.unique(np.append(np.linspace(0, fitted.end, POINTS), trial.occasions))
    seen = described.observed(trial).select(
        "arm", "time", "n", seen="mean", seen_low="mean_low", seen_high="mean_high"
    )
    frames = []
    for a, arm in enumerate(trial.arms):
        rate = fit.flat("rate") + (a - trial.arm.mean()) * fit.flat("rate_effect")[:, 0]
        draws = fit.flat("level")[:, None] + rate[:, None] * fit.data.growth(time)
        low, high = np.quantile(draws, (0.025, 0.975), axis=0)
        columns = {"time": time, "mean": draws.mean(axis=0), "mean_low": low, "mean_high": high}
        frames.append(pl.DataFrame({"arm": arm} | columns))
    frame = pl.concat(frames).join(seen, on=["arm", "time"], how="left", maintain_order="left")
    label = f"Mean {trial.scale}"
    values = interval("mean", f"{label}, all patients (points)", 0)
    values |= interval("seen", f"{label} of those who gave it", 1) | {"n": count("Gave a score")}
    keys = {"arm": "Arm", "time": time_label(trial)}
    return Table(
        "Expected mean curves by arm, if scores are missing at random", frame, keys, values
    )


def tipping(fitted: Fitted) -> Table:
    """Difference at the last occasion, by how much worse those who left are assumed to be."""
    trial = fitted.trial
    rows = [
        (whom.format(treated=trial.arms[1]), float(delta), *_three(found), trial.n)
        for whom in (BOTH, TREATED)
        for delta in fitted.params.deltas
        for found in [fitted.leavers.estimate(delta, whom)]
    ]
    columns = ["whom", "delta", "difference", "difference_low", "difference_high", "n"]
    return Table(
        f"Difference at {fitted.end:g} {trial.unit} if patients were worse after they left: "
        f"{trial.arms[1]} minus {trial.arms[0]}",
        pl.DataFrame(rows, columns, orient="row"),
        {"whom": "Worse", "delta": "Worse than expected after leaving by (points)"},
        interval("difference", f"Difference of the {trial.scale} (points)", 0) | {"n": count()},
    )


def leaving(fitted: Fitted) -> Table:
    """What the chance of leaving after an occasion goes with: shared-parameter model."""
    found = {OF_LEAVING.get(name, name): estimate for name, estimate in hazards(fitted).items()}
    rows = [(name, *_three(e), fitted.trial.n) for name, e in found.items()]
    columns = ["what", "log_odds", "log_odds_low", "log_odds_high", "n"]
    values = interval("log_odds", "Log odds ratio of leaving (0 = no relation)", 1)
    return Table(
        "What leaving goes with (shared-parameter model)",
        pl.DataFrame(rows, columns, orient="row"),
        {"what": "Of the patient"},
        values | {"n": count()},
    )


def hazards(fitted: Fitted) -> dict[str, Estimate]:
    """Log odds ratios of leaving: by level and rate, arm, and what was known at the start."""
    found = fitted.shared.summary()
    named = {name: found[f"hazard_{name}"] for name in OF_LEAVING}
    for name in fitted.shared.data.names:
        shown = f"given {fitted.trial.arms[1]}" if name == ARM else name
        named[shown] = found[f"hazard: {name}"]
    return named
