"""Whether a model refuses what it was not made for, tried on made-up patients."""

import numpy as np
import polars as pl

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.prediction.shared import SharedModel

UNKNOWN = "none of the known ones"


def refuses(model: SharedModel) -> bool:
    """Whether a typical patient is predicted, and each change that leaves the schema refused."""
    asked = {"outcome": model.outcome, "landmark": model.landmark}
    row = made_up(model)
    fine = bool(np.isfinite(model.predict(row, **asked).p[0]))
    for change in _outside(model):
        fine &= bool(model.predict(row.with_columns(change), **asked).refused)
    fine &= _raises(DataError, model, row.drop(model.schema.names[0]), asked)
    fine &= _raises(ParameterError, model, row, asked | {"landmark": model.landmark + 1})
    return bool(fine & _raises(ParameterError, model, row, asked | {"outcome": "another"}))


def made_up(model: SharedModel) -> pl.DataFrame:
    """One row in the middle of every range, of the first of every category."""
    row = {f.name: (f.low + f.high) / 2 for f in model.schema.numeric}
    return pl.DataFrame(row | {f.name: f.categories[0] for f in model.schema.categorical})


def _outside(model: SharedModel) -> list[pl.Expr]:
    beyond = [pl.lit(f.high + 1.0).alias(f.name) for f in model.schema.numeric]
    return beyond + [pl.lit(UNKNOWN).alias(f.name) for f in model.schema.categorical]


def _raises(error: type[Exception], model: SharedModel, row: pl.DataFrame, asked: dict) -> bool:
    try:
        model.predict(row, **asked)
    except error:
        return True
    return False
