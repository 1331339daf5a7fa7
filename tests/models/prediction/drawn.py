"""A made-up table of referrals that the tests of this folder share."""

import numpy as np
import polars as pl

from iesoresearch.models.prediction.schema import Categorical, Numeric, Schema

SCHEMA = Schema(
    (
        Numeric("phq9", 0, 27, "PHQ-9 total, points", -1, "modifiable", True),
        Numeric("gad7", 0, 21, "GAD-7 total, points", -1, "modifiable"),
        Numeric("age", 16, 100, "Age at referral, years"),
        Numeric("wait", 0, 400, "Wait until the assessment, days", 0, "care process"),
    ),
    (
        Categorical("gender", ("female", "male", "other"), "Gender"),
        Categorical("step", ("low", "high"), "Intensity of the first treatment", "care process"),
    ),
    ("phq9", "gad7"),
)


def draw(n, seed=0, missing=0.1):
    """Features, outcomes, patients and services of `n` referrals."""
    random = np.random.default_rng(seed)
    severity = random.normal(size=n)
    columns = {
        "phq9": np.clip(np.round(13 + 5 * severity + random.normal(size=n)), 0, 27),
        "gad7": np.clip(np.round(11 + 4 * severity + random.normal(size=n) * 2), 0, 21),
        "age": np.clip(np.round(random.normal(42, 14, n)), 16, 100),
        "wait": np.round(random.exponential(30, n).clip(0, 400)),
        "gender": random.choice(["female", "male", "other"], n, p=[0.6, 0.35, 0.05]),
        "step": random.choice(["low", "high"], n),
    }
    logit = -1.2 * severity + 0.02 * (columns["age"] - 42) + 0.4 * (columns["gender"] == "male")
    y = random.random(n) < 1 / (1 + np.exp(-logit))
    hidden = {name: random.random(n) < missing for name in columns}
    X = pl.DataFrame(columns).with_columns(
        pl.when(~pl.Series(rows)).then(pl.col(name)).alias(name) for name, rows in hidden.items()
    )
    patient = random.integers(0, max(n * 3 // 4, 1), n).astype(str)
    service = random.choice(["A", "B", "C", "D", "E", "F", "G"], n)
    return X, y, patient, service
