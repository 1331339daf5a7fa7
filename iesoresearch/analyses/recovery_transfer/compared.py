"""Patients here beside what the file of a model tells of those it was made with."""

import numpy as np
import polars as pl

from iesoresearch.analyses.recovery.described import (
    LOG_ODDS,
    RECORDED,
    TYPES,
    Described,
    key,
    values,
)
from iesoresearch.models.prediction.schema import Schema
from iesoresearch.results import Sensitivity, Table, Value

OTHERS = "any other"  # categories that few were in where the model was made
WHAT = "Log-odds that the model gives"


def compared(here: Described, told: dict, schema: Schema, sensitivity: Sensitivity) -> Table:
    """Patients here beside what the model's file tells of those it was made with.

    Differences are in standard deviations of those it was made with.
    """
    meaning = {f.name: f.meaning for f in (*schema.numeric, *schema.categorical)}
    rows = []
    for row in _lumped(here.frame, told).to_dicts():
        made = {what: _plain(told, row, what) for what in ("mean", "sd", "share")}
        spread = made["share"] and np.sqrt(made["share"] * (1 - made["share"]))
        row["apart"] = _standardised(row["mean"], made["mean"], made["sd"])
        row["shifted"] = _standardised(row["share"], made["share"], spread)
        row |= {f"made_{what}": value for what, value in made.items()}
        rows.append(row | {"name": meaning.get(row["name"], WHAT)})
    shared = {"sensitivity": sensitivity}
    declared = values(sensitivity) | {
        "made_mean": Value("model", "Mean where made", 2, **shared),
        "made_sd": Value("model", "SD where made", 2, **shared),
        "made_share": Value("model", "Share where made", 3, **shared),
        "apart": Value("model", "Means apart, SD", 2, "n", follows="mean", **shared),
        "shifted": Value("model", "Shares apart, SD", 2, "all", follows="share", **shared),
    }
    frame = pl.DataFrame(rows, schema=TYPES | {n: pl.Float64 for n in declared if n not in TYPES})
    title = "Patients here and where the model was made"
    return Table(title, frame, {"name": "Predictor", "level": "Level"}, declared)


def _lumped(frame: pl.DataFrame, told: dict) -> pl.DataFrame:
    """The same with categories that the file does not tell of as one, if it tells of any."""
    mentioned = {name for name in frame["name"] if any(k.startswith(f"{name} = ") for k in told)}
    rows, others = [], {}
    for row in frame.to_dicts():
        rare = row["name"] in mentioned and key(row["name"], row["level"], "share") not in told
        if rare and row["level"] != RECORDED:
            other = others.setdefault(row["name"], row | {"level": OTHERS, "share": 0.0})
            other["share"] += row["share"]
        else:
            rows.append(row)
    order = {name: i for i, name in enumerate(frame["name"].unique(maintain_order=True))}
    rows = sorted([*rows, *others.values()], key=lambda row: order[row["name"]])
    return pl.DataFrame(rows, schema=TYPES)


def _plain(told: dict, row: dict, what: str) -> float | None:
    if row["level"] == OTHERS and what == "share":
        first = f"{row['name']} = "
        return max(1 - sum(v for k, v in told.items() if k.startswith(first)), 0.0)
    if row["level"] != RECORDED and what != "share":
        return None
    value = told.get(key(row["name"], row["level"], what))
    return float(value) if isinstance(value, int | float) else None


def _standardised(here, made, spread) -> float | None:
    if here is None or made is None or not spread:
        return None
    return (here - made) / float(spread)


def described_in(told: dict) -> bool:
    """Whether a model's file tells of the patients it was made with."""
    return key(LOG_ODDS, RECORDED, "mean") in told
