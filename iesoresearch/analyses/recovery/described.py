"""Patients in aggregates: what the file of a model tells of those it was made with."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import logit

from iesoresearch.disclosure import Policy, amounts, release
from iesoresearch.models.prediction.schema import Schema
from iesoresearch.results import Result, Sensitivity, Table, Value

RECORDED = "recorded"  # level of a number; categories are levels of their own
MISSING = "missing"
LOG_ODDS = "log_odds"  # of the model: one number for all that it sees
#: Types of the columns of `Described.frame`.
TYPES = {"name": pl.String, "level": pl.String, "n": pl.Int64, "all": pl.Int64}
_LARGEST = amounts.columns("mean")
TYPES |= dict.fromkeys(("mean", "sd", "share", *_LARGEST), pl.Float64)


@dataclass(frozen=True)
class Described:
    """Aggregates of the patients of a model.

    Attributes
    ----------
    frame
        One row for each number (level `RECORDED`) and category: ``n`` with a number, ``all``,
        ``mean`` and ``sd`` of numbers, ``share`` recorded or in the category; and of amounts, the
        largest sums of one patient.
    n, share
        Patients, and how many of them have the outcome, in per cent.
    """

    frame: pl.DataFrame
    n: int
    share: float

    def told(self, policy: Policy) -> dict[str, int | float]:
        """What a model's file may tell, by name: released, so it is of no small group."""
        table = Table("training", self.frame, {"name": "", "level": ""}, values("patient"))
        found = release(Result(tables={"training": table}), policy).tables["training"].frame
        n, events = self.n, round(self.n * self.share / 100)
        said = {"n_detail": policy.rounded(n)}
        said["share"] = round(100 * policy.rounded(events) / policy.rounded(n), 1)
        return said | self.shown(found)

    def shown(self, released: pl.DataFrame) -> dict[str, float]:
        """What is shown of `frame`, released row by row, by name."""
        said = {}
        names = self.frame.select("name", "level").rows()
        for (name, level), row in zip(names, released.to_dicts(), strict=True):
            for what in ("mean", "sd", "share"):
                if row[what] is not None:
                    said[key(name, level, what)] = row[what]
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
        "mean": Value("mean", "Mean", 2, "n", contributions=_LARGEST, **shared),
        "sd": Value("model", "SD", 2, "n", follows="mean", **shared),
        "share": Value("rate", "Share", 3, "all", parts_of=("name",), **shared),
    }


def described(
    schema: Schema, X: pl.DataFrame, y: np.ndarray, p: np.ndarray, patient: np.ndarray
) -> Described:
    """Aggregates of what a model sees and says.

    Parameters
    ----------
    schema, X
        Of the model, (rows, features).
    y, p
        (rows,) outcome, and prediction, NaN where there is none.
    patient
        (rows,) whose row it is.
    """
    with np.errstate(divide="ignore"):
        log_odds = pl.Series(logit(p)).fill_nan(None)
    columns = {f.name: X[f.name].cast(pl.Float64) for f in schema.numeric}
    numbers = columns | {LOG_ODDS: log_odds}
    rows = [_number(name, column, pl.Series(patient)) for name, column in numbers.items()]
    for feature in schema.categorical:
        texts = X[feature.name].cast(pl.String).fill_null(MISSING)
        for level in (*feature.categories, MISSING):
            share = float((texts == level).mean())
            rows.append({"name": feature.name, "level": level, "all": X.height, "share": share})
    frame = pl.DataFrame(rows, schema=TYPES)
    return Described(frame, X.height, 100 * float(np.nanmean(y)))


def _number(name: str, column: pl.Series, patient: pl.Series) -> dict:
    known = column.drop_nulls()
    row = {"name": name, "level": RECORDED, "n": len(known), "all": len(column)}
    row |= {"mean": known.mean(), "sd": known.std() if len(known) > 1 else None}
    row |= amounts.largest("mean", column, patient)
    return row | {"share": len(known) / len(column)}
