"""A model with what it is for, which predicts within its schema and refuses beyond it.

Made of a fitted model by `share`, written and read by `saved`. Nothing in it is of single people
(see `portable`); whoever shares it gives the description of the training data as it left disclosure
control.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from scipy.special import expit, logit

from iesoresearch.errors import ParameterError
from iesoresearch.models.prediction.nested import Tuned
from iesoresearch.models.prediction.pipelines import Kind, Schema
from iesoresearch.models.prediction.portable import fewest, parameters, predictor

PACKAGES = ("iesoresearch", "numpy", "scikit-learn", "xgboost")
FEWEST = "fewest"  # name of what `least` tells


class Update(BaseModel):
    """Recalibration on top: log-odds = intercept + slope × log-odds of the model."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    intercept: float
    slope: float = Field(gt=0)
    said: str = Field(min_length=1)


@dataclass(frozen=True)
class Predictions:
    """What a shared model says of a table.

    Attributes
    ----------
    p
        (rows,) chance of the outcome; NaN where the model refuses.
    refused
        For every reason in words, how many rows it holds for; a row may have several.
    """

    p: np.ndarray
    refused: dict[str, int]


@dataclass(frozen=True)
class SharedModel:
    """A model with what is to be known of it.

    Attributes
    ----------
    kind, schema
        As in `pipelines.build`.
    outcome, landmark
        What it predicts, and after which session (0: at assessment).
    intended_use, not_for
        In words.
    training, performance
        Named numbers and words about the data it was fitted to, and how well it did.
    parameters
        See `portable.parameters`.
    update
        Recalibration at another site.
    versions
        Of the packages that it was made with.
    remark
        What is to be said after reading it with other versions.
    """

    kind: Kind
    schema: Schema
    outcome: str
    landmark: int
    intended_use: str
    not_for: str
    training: dict[str, int | float | str | None]
    performance: dict[str, int | float | str | None]
    parameters: dict[str, Any]
    versions: dict[str, str]
    update: Update | None = None
    remark: str | None = None

    @cached_property
    def _chances(self):
        return predictor(self.kind, self.schema, self.parameters)

    def predict(self, X: pl.DataFrame, *, outcome: str, landmark: int) -> Predictions:
        """Chance of the outcome for every row that is within the schema.

        Parameters
        ----------
        X
            Table of the features of the schema.
        outcome, landmark
            What is asked for; must be what the model predicts.

        Raises
        ------
        ParameterError
            The model is of another outcome or landmark.
        DataError
            A column is absent, unexpected, or of another type.
        """
        if (outcome, landmark) != (self.outcome, self.landmark):
            raise ParameterError(
                f"The model predicts {self.outcome!r} at landmark {self.landmark}, and not "
                f"{outcome!r} at landmark {landmark}. Read the model of that outcome and landmark."
            )
        outside = self.schema.outside(X)
        inside = ~np.any([np.zeros(X.height, dtype=bool), *outside.values()], axis=0)
        p = np.full(X.height, np.nan)
        if inside.any():
            p[inside] = self._updated(self._chances(self.schema.encode(X.filter(inside))))
        return Predictions(p, {reason: int(rows.sum()) for reason, rows in outside.items()})

    def _updated(self, p: np.ndarray) -> np.ndarray:
        if self.update is None:
            return p
        return expit(self.update.intercept + self.update.slope * logit(p))

    def recalibrated(self, intercept: float, slope: float, said: str) -> "SharedModel":
        """The same model with a recalibration on top of what it predicts now.

        Parameters
        ----------
        intercept, slope
            Of the log-odds of its present predictions, as a logistic regression at the new site
            finds them; the slope above zero.
        said
            Where, when and on whom, in words.

        Raises
        ------
        ParameterError
            No number, no slope above zero, or nothing said.
        """
        old = self.update or Update(intercept=0.0, slope=1.0, said="none")
        try:
            new = Update(intercept=float(intercept), slope=float(slope), said=said)
        except ValidationError:
            raise ParameterError(
                "A recalibration needs an intercept, a slope above zero, and words that say where "
                "it is from."
            ) from None
        both = {
            "intercept": new.intercept + new.slope * old.intercept,
            "slope": new.slope * old.slope,
        }
        return replace(self, update=Update(**both, said=said))


def share(
    model,
    *,
    outcome: str,
    landmark: int,
    intended_use: str,
    not_for: str,
    training: dict[str, int | float | str | None],
    performance: dict[str, int | float | str | None],
) -> SharedModel:
    """A model that can be written to a file.

    Parameters
    ----------
    model
        Fitted: of `pipelines.build`, or `Tuned`.
    outcome, landmark, intended_use, not_for
        See `SharedModel`; no words may be empty.
    training, performance
        Named numbers and words; as released by disclosure control, because they are shared as is.

    Raises
    ------
    ParameterError
        A model that cannot be shared (see `portable.parameters`), or a description that is none.
    """
    pipeline = model.estimator_ if isinstance(model, Tuned) else model
    schema, last = pipeline[0].schema, pipeline[-1]
    kind = "xgboost" if hasattr(last, "get_booster") else "logistic"
    if kind == "logistic" and pipeline[1].features != schema.names:
        kind = "current score"
    if not (outcome and intended_use and not_for) or landmark < 0:
        raise ParameterError(
            "A shared model needs an outcome, a landmark from 0, what it is for and what it is not "
            "for, in words."
        )
    for said in (training, performance):
        if not all(_plain(value) for value in said.values()):
            raise ParameterError("training and performance are named numbers and words only.")
    versions = {name: version(name) for name in PACKAGES}
    said = {"intended_use": intended_use, "not_for": not_for}
    said |= {"training": dict(training), "performance": dict(performance)}
    return SharedModel(
        kind, schema, outcome, int(landmark), **said, parameters=parameters(pipeline),
        versions=versions,
    )  # fmt: skip


def least(model, X, step: int) -> dict[str, int]:
    """What the description of the training tells of how few rows anything in a model rests on.

    Parameters
    ----------
    model, X
        Fitted, and the table it was fitted to.
    step
        The number is rounded down to a multiple of it.

    Returns
    -------
    dict
        Name and number: rows of the smallest leaf of all trees, or of the rarest indicator with a
        weight.
    """
    found = fewest(model.estimator_ if isinstance(model, Tuned) else model, X)
    return {FEWEST: found // step * step}


def _plain(value) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return math.isfinite(value)
    return value is None or isinstance(value, str)
