"""What a model may see: its features, their ranges and categories, in words and in order."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import polars as pl

from iesoresearch.errors import DataError, ParameterError

Change = Literal["modifiable", "not modifiable", "care process"]
CHANGES: tuple[str, ...] = ("modifiable", "not modifiable", "care process")


@dataclass(frozen=True)
class Numeric:
    """A feature that is a number.

    Attributes
    ----------
    name
        Of its column.
    low, high
        The smallest and largest value that it can have, both included.
    meaning
        In words, with the unit, such as "PHQ-9 total at the landmark, points".
    monotone
        -1 if the chance of the outcome can only fall as the feature rises, everything else held
        fixed, 1 if it can only rise, 0 if nothing is asked. Held by "xgboost" only.
    change
        Whether care can change it, or whether it describes care itself.
    spline
        Whether the logistic model bends it (see `pipelines.KNOTS`).
    """

    name: str
    low: float
    high: float
    meaning: str
    monotone: int = 0
    change: Change = "not modifiable"
    spline: bool = False


@dataclass(frozen=True)
class Categorical:
    """A feature that is one of the known categories; see `Numeric` for `meaning` and `change`."""

    name: str
    categories: tuple[str, ...]
    meaning: str
    change: Change = "not modifiable"


@dataclass(frozen=True)
class Schema:
    """The features of a model.

    Models see a matrix with one column for each numeric feature, in order and NaN where it is
    missing, then for each categorical feature one column (0 or 1) for each known category and one
    for "missing". A category that is not known is zero in all of them.

    Attributes
    ----------
    numeric, categorical
        Features in order.
    current
        Names of the numeric features that are the current scores, all that the baseline sees.

    Raises
    ------
    ParameterError
        No feature, a name twice, bounds in the wrong order, or a sign, label or current score that
        is none.
    """

    numeric: tuple[Numeric, ...]
    categorical: tuple[Categorical, ...] = ()
    current: tuple[str, ...] = ()

    def __post_init__(self):
        names = [f.name for f in (*self.numeric, *self.categorical)]
        wrong = [f.name for f in self.numeric
                 if not (np.isfinite([f.low, f.high]).all() and f.low < f.high)
                 or f.monotone not in (-1, 0, 1)]  # fmt: skip
        wrong += [f.name for f in self.categorical
                  if not f.categories or len(set(f.categories)) < len(f.categories)]  # fmt: skip
        wrong += [f.name for f in (*self.numeric, *self.categorical) if f.change not in CHANGES]
        wrong += [name for name in self.current if name not in {f.name for f in self.numeric}]
        if not names or len(set(names)) < len(names):
            raise ParameterError(
                "A schema needs at least one feature, each with a name of its own."
            )
        if wrong:
            raise ParameterError(
                f"The schema is wrong about {_listed(wrong)}: a numeric feature needs low < high "
                "and a sign of -1, 0 or 1, a categorical one different categories, each a label "
                f"of {_listed(CHANGES)}, and current scores are numeric features."
            )

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of all features: numeric ones first."""
        return tuple(f.name for f in (*self.numeric, *self.categorical))

    @cached_property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Name of every column of the matrix, with the name of its feature."""
        found = [(f.name, f.name) for f in self.numeric]
        for feature in self.categorical:
            found += [(f"{feature.name} = {c}", feature.name) for c in feature.categories]
            found.append((f"{feature.name} missing", feature.name))
        return tuple(found)

    def encode(self, X: pl.DataFrame) -> np.ndarray:
        """The (rows, columns) matrix of float64 that models see.

        Categories that are not known are no reason to refuse: models see none of the known ones.

        Raises
        ------
        DataError
            Columns that are absent, unexpected or of another type, or numbers out of range: which,
            and in how many rows.
        """
        matrix = self._matrix(X)
        found = self._out_of_range(X, matrix)
        if found:
            said = "; ".join(f"{why} in {r.sum()} of {X.height} rows" for why, r in found.items())
            raise DataError(f"Features are out of range: {said}. Mend the rows or the schema.")
        return matrix

    def check(self, X: pl.DataFrame) -> None:
        """Refuse a table that no model of this schema can be fitted to.

        Raises
        ------
        DataError
            As `encode`.
        """
        self.encode(X)

    def outside(self, X: pl.DataFrame) -> dict[str, np.ndarray]:
        """What is outside the schema, in words, with the (rows,) it is said of; found ones only.

        Numbers out of range and categories that are not known.

        Raises
        ------
        DataError
            Columns that are absent, unexpected or of another type.
        """
        matrix = self._matrix(X)
        return self._out_of_range(X, matrix) | self._unknown(matrix)

    def _matrix(self, X: pl.DataFrame) -> np.ndarray:
        self._check_columns(X)
        out = np.zeros((X.height, len(self.columns)))
        for j, feature in enumerate(self.numeric):
            out[:, j] = X[feature.name].cast(pl.Float64).to_numpy()
        j = len(self.numeric)
        for feature in self.categorical:
            texts = X[feature.name].cast(pl.String)
            codes = texts.cast(pl.Enum(feature.categories), strict=False).to_physical()
            rows = codes.is_not_null().arg_true().to_numpy()
            out[rows, j + codes.drop_nulls().to_numpy().astype(np.intp)] = 1.0
            j += len(feature.categories)
            out[:, j] = texts.is_null().to_numpy()
            j += 1
        return out

    def _out_of_range(self, X: pl.DataFrame, matrix: np.ndarray) -> dict[str, np.ndarray]:
        low, high = np.array([(f.low, f.high) for f in self.numeric]).reshape(-1, 2).T
        values, found = matrix[:, : len(self.numeric)], {}
        bad = (values < low) | (values > high)
        for feature, number, rows in zip(self.numeric, values.T, bad.T, strict=True):
            if np.isnan(number).sum() > X[feature.name].null_count():
                # null is missing, which models know; NaN is no number
                rows = rows | (np.isnan(number) & X[feature.name].is_not_null().to_numpy())
            if rows.any():
                found[f"{feature.name} is not from {feature.low:g} to {feature.high:g}"] = rows
        return found

    def _unknown(self, matrix: np.ndarray) -> dict[str, np.ndarray]:
        found, j = {}, len(self.numeric)
        for feature in self.categorical:
            width = len(feature.categories) + 1
            rows = ~matrix[:, j : j + width].any(axis=1)
            if rows.any():
                found[f"{feature.name} has a category that is not known"] = rows
            j += width
        return found

    def _check_columns(self, X: pl.DataFrame) -> None:
        if not isinstance(X, pl.DataFrame):
            raise DataError("Features must be a polars DataFrame with the columns of the schema.")
        absent = [name for name in self.names if name not in X.columns]
        more = [name for name in X.columns if name not in self.names]
        if absent or more:
            said = [f"lacks {_listed(absent)}"] * bool(absent)
            said += [f"has {_listed(more)}, which the schema does not know"] * bool(more)
            raise DataError(f"The table of features {' and '.join(said)}. Select its columns.")
        types = X.schema
        wrong = [f"{f.name} (a number)" for f in self.numeric
                 if not (types[f.name].is_numeric() or types[f.name] == pl.Null)]  # fmt: skip
        texts = (pl.String, pl.Categorical, pl.Enum, pl.Null)
        wrong += [f"{f.name} (text)" for f in self.categorical if types[f.name] not in texts]
        if wrong:
            raise DataError(f"Features have another type than they should: {_listed(wrong)}.")


def _listed(names) -> str:
    return ", ".join(names)
