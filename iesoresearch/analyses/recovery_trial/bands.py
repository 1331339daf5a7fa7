"""Tables of what is expected of patients: bands, who is outside, and predictive checks."""

import numpy as np
import polars as pl

from iesoresearch.analyses.recovery_trial.described import (
    count,
    interval,
    share_values,
    shares,
    time_label,
    value,
)
from iesoresearch.analyses.recovery_trial.expected import WIDE, share
from iesoresearch.analyses.recovery_trial.fitted import Fitted
from iesoresearch.models.growth import expected_response
from iesoresearch.results import Table

POINTS = 25  # of bands in time
PLACES = {1: "worse than expected", 0: "as expected", -1: "better than expected"}


def band(fitted: Fitted) -> Table:
    """Expected scores of a new patient with an average first score, by arm."""
    trial = fitted.trial
    time = np.linspace(0, fitted.end, POINTS)[1:]  # the first score is given
    frames = []
    for a, arm in enumerate(trial.arms):
        patient = np.append(float(a), trial.covariates[:, 1:].mean(axis=0))
        found = expected_response(
            fitted.at_random,
            time,
            covariates=patient,
            scores=[fitted.first_score],
            seen=[0.0],
            level=WIDE,
        )
        columns = {"expected": found.mean, "expected_low": found.low, "expected_high": found.high}
        given = {"arm": arm, "time": [0.0], "expected": [fitted.first_score]}
        frames += [pl.DataFrame(given), pl.DataFrame({"arm": arm, "time": time} | columns)]
    frame = pl.concat(frames, how="diagonal").with_columns(n=pl.lit(trial.n))
    values = interval("expected", f"Expected {trial.scale} (points)", 0)
    values |= {"n": count("Patients it rests on")}
    title = f"Expected of a new patient with a first {trial.scale} of {fitted.first_score:g}"
    return Table(title, frame, {"arm": "Arm", "time": time_label(trial)}, values)


def held_out(fitted: Fitted) -> Table:
    """How many scores lie in the bands expected of patients that the model had not seen."""
    occasions = fitted.trial.occasions
    columns = {f"{occasions[j]:g}": slice(j, j + 1) for j in range(1, len(occasions))}
    columns["all"] = slice(1, None)
    rows = []
    for time, part in columns.items():
        wide, narrow = fitted.expected.wide[:, part], fitted.expected.narrow[:, part]
        found = [*share(wide, 0), *share(narrow, 0), *share(narrow, 1), *share(narrow, -1)]
        rows.append((time, int(np.isfinite(wide).sum()), *found))
    labels = {
        "wide": "In the 95 % band, %",
        "narrow": "In the 80 % band, %",
        "worse": "Above the 80 % band (worse), %",
        "better": "Below it (better), %",
    }
    values = {"n": count("Scores")}
    for name, label in labels.items():
        values |= interval(name, label, 0)
    title = "Scores in the band expected from the first score, by a model of other patients"
    frame = pl.DataFrame(rows, ["time", *values], orient="row")
    return Table(title, frame, {"time": time_label(fitted.trial)}, values)


def off_track(fitted: Fitted) -> Table:
    """Who left after a score above, in or below the band that was expected."""
    places = fitted.expected.narrow[:, :-1]
    patient, occasion = np.nonzero(np.isfinite(places))
    frame = pl.DataFrame(
        {
            "place": places[patient, occasion].astype(int),
            "left": fitted.trial.last[patient] == occasion,
        }
    )
    found = shares(frame, ["place"]).sort("place", descending=True)
    found = found.select(
        pl.col("place").replace_strict(PLACES, return_dtype=pl.String).alias("group"),
        pl.exclude("place"),
    )
    values = share_values("Gave no later score, %", "Scores")
    title = "Who left after a score outside the expected 80 % band (95 % Wilson intervals)"
    return Table(title, found, {"group": "Score"}, values)


def predictive(fitted: Fitted) -> Table:
    """Mean and SD of scores by occasion, beside those that the fitted model would give."""
    found = fitted.after
    frame = pl.DataFrame(
        {
            "time": found.occasions,
            "mean": found.mean.observed,
            "model_mean": found.mean.x,
            "model_mean_low": found.mean.x_low,
            "model_mean_high": found.mean.x_high,
            "sd": found.sd.observed,
            "model_sd": found.sd.x,
            "model_sd_low": found.sd.x_low,
            "model_sd_high": found.sd.x_high,
            "n": found.n,
        }
    )
    values = {"mean": value("mean", "Mean", 1)} | interval("model_mean", "Mean, model", 0)
    values |= {"sd": value("mean", "SD", 1)} | interval("model_sd", "SD, model", 0)
    title = f"Posterior predictive check of the {fitted.trial.scale}"
    return Table(title, frame, {"time": time_label(fitted.trial)}, values | {"n": count("Scores")})
