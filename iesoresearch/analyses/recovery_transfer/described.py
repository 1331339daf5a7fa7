"""Patients in aggregates: what a model's file tells of those it was made with, and those here."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import logit

from iesoresearch.disclosure import Policy, release
from iesoresearch.models.prediction.schema import Schema
from iesoresearch.results import Result, Sensitivity, Table, Value

RECORDED = "recorded"  # level of a number; categories are levels of their own
MISSING = "missing"
OTHERS = "any other"  # categories that few were in where the model was made
LOG_ODDS = "log_odds"  # of the model: one number for all that it sees
WHAT = "Log-odds that the model gives"
_TYPES = {"name": pl.String, "level": pl.String, "n": pl.Int64, "all": pl.Int64}
_TYPES |= dict.fromkeys(("mean", "sd", "share"), pl.Float64)


@dataclass(frozen=True)
class Described:
    """Aggregates of the patients of a model.

    Attributes
    ----------
    frame
        One row for each number (level `RECORDED`) and category: ``n`` with a number, ``all``,
        ``mean`` and ``sd`` of numbers, ``share`` recorded or in the category.
    n, share
        Patients, and how many of them have the outcome, in per cent.
    """

    frame: pl.DataFrame
    n: int
    share: float

    def told(self) -> dict[str, int | float]:
        """What a model's file may tell, by name: released, so it is of no small group."""
        table = Table("training", self.frame, {"name": "", "level": ""}, values("patient"))
        policy = Policy()
        found = release(Result(tables={"training": table}), policy).tables["training"].frame
        said = {"n_detail": policy.round_to * round(self.n / policy.round_to)}
        said["share"] = round(self.share, 1)
        for row in found.to_dicts():
            for what in ("mean", "sd", "share"):
                if row[what] is not None:
                    said[key(row["name"], row["level"], what)] = row[what]
        return said


def key(name: str, level: str, what: str) -> str:
    """Name of an aggregate in the file of a model."""
    if level != RECORDED:
        return f"{name} = {level}"
    return f"{name}: {RECORDED if what == 'share' else what}"


def values(sensitivity: Sensitivity) -> dict[str, Value]:
    """What the columns of `Described.frame` are."""
    shared = {"sensitivity": sensitivity}
    return {
        "n": Value("count", "Recorded for", 0, **shared),
        "all": Value("count", "Of", 0, **shared),
        "mean": Value("mean", "Mean", 2, "n", **shared),
        "sd": Value("model", "SD", 2, "n", follows="mean", **shared),
        "share": Value("rate", "Share", 3, "all", parts_of=("name",), **shared),
    }


def described(schema: Schema, X: pl.DataFrame, y: np.ndarray, p: np.ndarray) -> Described:
    """Aggregates of what a model sees and says.

    Parameters
    ----------
    schema, X
        Of the model, (rows, features).
    y, p
        (rows,) outcome, and prediction, NaN where there is none.
    """
    with np.errstate(divide="ignore"):
        log_odds = pl.Series(logit(p)).fill_nan(None)
    columns = {f.name: X[f.name].cast(pl.Float64) for f in schema.numeric}
    rows = [_number(name, column) for name, column in (columns | {LOG_ODDS: log_odds}).items()]
    for feature in schema.categorical:
        texts = X[feature.name].cast(pl.String).fill_null(MISSING)
        for level in (*feature.categories, MISSING):
            share = float((texts == level).mean())
            rows.append({"name": feature.name, "level": level, "all": X.height, "share": share})
    frame = pl.DataFrame(rows, schema=_TYPES)
    return Described(frame, X.height, 100 * float(np.nanmean(y)))


def _number(name: str, column: pl.Series) -> dict:
    known = column.drop_nulls()
    row = {"name": name, "level": RECORDED, "n": len(known), "all": len(column)}
    row |= {"mean": known.mean(), "sd": known.std() if len(known) > 1 else None}
    return row | {"share": len(known) / len(column)}


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
    frame = pl.DataFrame(rows, schema=_TYPES | {n: pl.Float64 for n in declared if n not in _TYPES})
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
    return pl.DataFrame(rows, schema=_TYPES)


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
