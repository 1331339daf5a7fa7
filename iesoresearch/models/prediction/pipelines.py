"""Three kinds of model, each a scikit-learn pipeline that learns everything from its training rows.

"current score" is a logistic regression on the current scores, hard to beat and always reported;
"logistic" a logistic regression on all features with a ridge penalty; "xgboost" boosted trees
(Chen & Guestrin 2016, doi:10.1145/2939672.2939785) that keep the clinical signs of the schema.
Imputation, missing indicators, knots and scales are part of the pipeline, so that a fit on some
rows knows nothing of others.
"""

from typing import Any, Literal

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from threadpoolctl import ThreadpoolController
from xgboost import XGBClassifier

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.prediction.schema import Categorical, Numeric, Schema

__all__ = [
    "FEWEST",
    "KINDS",
    "KNOTS",
    "Categorical",
    "Encoder",
    "Kind",
    "Numeric",
    "Prepared",
    "Schema",
    "build",
    "configurations",
    "expand",
    "feature_names",
    "features_of",
    "one_class",
    "outcome",
]

Kind = Literal["current score", "logistic", "xgboost"]
KINDS: tuple[str, ...] = ("current score", "logistic", "xgboost")

#: Quantiles of the knots of a restricted cubic spline: four, as Harrell 2015, Regression Modeling
#: Strategies (doi:10.1007/978-3-319-19425-7), places them.
KNOTS = (0.05, 0.35, 0.65, 0.95)
#: An indicator that is 1, or 0, in fewer training rows says nothing: its weight would be about
#: single people. A median or knots of fewer values are not learnt either.
FEWEST = 10
#: With at most 1/4 per row, so at least 20 rows in every leaf.
LEAF_WEIGHT = 5.0
_BASELINE = 1000.0  # so weak a penalty that it only keeps separable data finite

_PENALTIES = (0.0005, 0.002, 0.01, 0.05, 0.2, 1.0)
_DEPTHS, _ROUNDS = (2, 4), (30, 80, 200)

# Sums of products may differ in the last bit with the number of threads; one is fast enough here.
BLAS = ThreadpoolController()


def configurations(kind: Kind) -> tuple[dict[str, Any], ...]:
    """What is tried in tuning, from the simplest model to the most flexible one.

    Parameters
    ----------
    kind
        "current score" has nothing to tune; "logistic" six penalties `C`, from strong to weak;
        "xgboost" trees of depth 2 and 4 in 30, 80 and 200 rounds at a learning rate of 0.1.

    Raises
    ------
    ParameterError
        Not one of `KINDS`.
    """
    _check_kind(kind)
    if kind == "logistic":
        return tuple({"C": c} for c in _PENALTIES)
    if kind == "xgboost":
        return tuple({"max_depth": d, "n_estimators": n} for d in _DEPTHS for n in _ROUNDS)
    return ({},)


def build(kind: Kind, schema: Schema, **configuration) -> Pipeline:
    """A model that is not fitted: `fit(X, y)`, `predict_proba(X)`.

    `X` is the table of features, or the matrix that `schema.encode` made of it, which spares doing
    so again when rows of the same table are used often. A category that is not known is none of
    the known ones. `y` is 0 or 1 for each row.

    Parameters
    ----------
    kind
        One of `KINDS`.
    schema
        What the model sees; "current score" sees `schema.current` only.
    **configuration
        One of `configurations`, or other parameters of the `LogisticRegression` or `XGBClassifier`
        at the end of the pipeline.

    Raises
    ------
    ParameterError
        Not one of `KINDS`, or a baseline without current scores.
    """
    _check_kind(kind)
    if kind == "xgboost":
        return _Model([("encode", Encoder(schema)), ("model", _boosted(schema, configuration))])
    features = schema.current if kind == "current score" else schema.names
    if not features:
        raise ParameterError("The schema names no current score for the baseline to see.")
    settings = {"C": _BASELINE, "solver": "newton-cholesky", "tol": 1e-8, "max_iter": 200}
    model = LogisticRegression(**settings | configuration)
    prepare = Prepared(schema, features)
    return _Model([("encode", Encoder(schema)), ("prepare", prepare), ("model", model)])


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise ParameterError(f"kind must be one of {', '.join(KINDS)}; got {kind!r}.")


def _boosted(schema: Schema, configuration: dict[str, Any]) -> XGBClassifier:
    signs = [f.monotone for f in schema.numeric]
    signs += [0] * (len(schema.columns) - len(signs))
    settings = {
        **{"tree_method": "hist", "learning_rate": 0.1, "n_jobs": 1, "random_state": 0},
        **{"max_depth": 2, "n_estimators": 100, "min_child_weight": LEAF_WEIGHT},
        "monotone_constraints": tuple(signs),
    }
    return XGBClassifier(**settings | configuration)


class _Model(Pipeline):
    """A pipeline that says what is wrong with an outcome, in the same bits for any threads."""

    def fit(self, X, y, **params):
        y = outcome(y)
        if why := one_class(y):
            raise DataError(f"No model can be fitted, because {why}. Take more rows.")
        with BLAS.limit(limits=1, user_api="blas"):
            return super().fit(X, y, **params)


def outcome(y) -> np.ndarray:
    """The outcome as (rows,) of 0 and 1.

    Raises
    ------
    DataError
        Something else than 0 and 1.
    """
    try:
        y = np.asarray(y, dtype=float)
    except (TypeError, ValueError):
        y = np.full(1, np.nan)
    if y.ndim != 1 or not np.isin(y, (0.0, 1.0)).all():
        raise DataError("The outcome must be 0 or 1 in every row, without missing values.")
    return y.astype(np.int64)


def one_class(y: np.ndarray) -> str | None:
    """Why nothing can be learnt from an outcome; None if something can."""
    if not len(y):
        return "there is no row to learn from"
    if y.min() == y.max():
        return f"the outcome is the same in all {len(y)} rows to learn from"
    return None


class Encoder(TransformerMixin, BaseEstimator):
    """The matrix of a schema from a table of features; learns nothing.

    Parameters
    ----------
    schema
        Of the table. A matrix of its width is taken for an encoded table and handed on.
    """

    def __init__(self, schema: Schema):
        self.schema = schema

    def fit(self, X, y=None):
        """Nothing to learn: what is known of categories is in the schema."""
        return self

    def transform(self, X) -> np.ndarray:
        """Matrix of `Schema.encode`.

        Raises
        ------
        DataError
            As `Schema.encode`; a matrix of another width.
        """
        if isinstance(X, pl.DataFrame):
            return self.schema.encode(X)
        if np.ndim(X) != 2 or np.shape(X)[1] != len(self.schema.columns):
            raise DataError("Features must be a table, or the matrix of it that the schema makes.")
        return np.asarray(X, dtype=float)

    def __sklearn_is_fitted__(self) -> bool:
        return True


class Prepared(TransformerMixin, BaseEstimator):
    """Imputed, bent and standardised columns of the matrix, for a linear model.

    Numeric features get the median of the training rows where they are missing, and an indicator
    of that; those the schema says bend, two further columns (see `expand`). Then every column is
    standardised. A column that is constant in training is zero, and so is an indicator that is 1,
    or 0, in fewer than `FEWEST` training rows. With fewer than `FEWEST` values a feature is imputed
    by the middle of its range.

    Parameters
    ----------
    schema
        Of the matrix.
    features
        Names of the features to keep.

    Attributes
    ----------
    medians_
        (numeric features,)
    knots_
        (splines, 4)
    mean_, scale_
        (columns,); infinite scales make columns zero.
    """

    def __init__(self, schema: Schema, features: tuple[str, ...]):
        self.schema = schema
        self.features = features

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Name of every prepared column, with the name of its feature."""
        numeric = [f for f in self.schema.numeric if f.name in self.features]
        bent = [(f"{f.name}, bend {i}", f.name) for f in numeric if f.spline for i in (1, 2)]
        absent = [(f"{f.name} missing", f.name) for f in numeric]
        dummies = self.schema.columns[len(self.schema.numeric) :]
        kept = [pair for pair in dummies if pair[1] in self.features]
        return (*((f.name, f.name) for f in numeric), *bent, *absent, *kept)

    def fit(self, X: np.ndarray, y=None):
        """Learn medians, knots and scales from the rows of an encoded matrix."""
        values = self._kept(X)[0]
        middle = [(f.low + f.high) / 2 for f in self._numeric]
        self.medians_ = np.array(middle)
        knots = []
        for j, feature in enumerate(self._numeric):
            seen = values[~np.isnan(values[:, j]), j]
            enough = len(seen) >= FEWEST
            if enough:
                self.medians_[j] = np.median(seen)
            if feature.spline:
                knots.append(np.quantile(seen, KNOTS) if enough else np.full(4, middle[j]))
        self.knots_ = np.array(knots).reshape(-1, len(KNOTS))
        expanded = self._expanded(X)
        self.mean_, sd = expanded.mean(axis=0), expanded.std(axis=0)
        ones = expanded[:, len(self.medians_) + 2 * len(knots) :].sum(axis=0)
        few = np.minimum(ones, len(X) - ones) < FEWEST
        nothing = sd <= 1e-12 * np.maximum(1.0, np.abs(self.mean_))
        nothing[len(sd) - len(few) :] |= few
        self.scale_ = np.where(nothing, np.inf, sd)
        return self

    def indicators(self, X: np.ndarray) -> np.ndarray:
        """The columns of an encoded matrix that say whether something is missing, or so."""
        return self._expanded(X)[:, len(self.medians_) + 2 * len(self.knots_) :]

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Prepared rows of an encoded matrix."""
        return (self._expanded(X) - self.mean_) / self.scale_

    @property
    def _numeric(self) -> list[Numeric]:
        return [f for f in self.schema.numeric if f.name in self.features]

    def _kept(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Numeric and other columns of the kept features."""
        keep = np.array([feature in self.features for _, feature in self.schema.columns])
        n = len(self.schema.numeric)
        return X[:, :n][:, keep[:n]], X[:, n:][:, keep[n:]]

    def _expanded(self, X: np.ndarray) -> np.ndarray:
        values, dummies = self._kept(X)
        bent = np.array([f.spline for f in self._numeric], dtype=bool)
        return expand(values, dummies, self.medians_, bent, self.knots_)


def expand(values, dummies, medians, bent, knots) -> np.ndarray:
    """Columns of the linear models before they are standardised.

    A restricted cubic spline is linear beyond its outer knots; the two columns beside the feature
    itself are those of Harrell 2015 (doi:10.1007/978-3-319-19425-7), in units of
    the feature. Where knots coincide there is nothing to bend, and both are zero.

    Parameters
    ----------
    values
        (rows, numeric features), NaN where missing.
    dummies
        (rows, indicators of categories).
    medians
        (numeric features,) put where values are missing.
    bent
        (numeric features,) whether it has a spline.
    knots
        (splines, 4)

    Returns
    -------
    ndarray
        (rows, numeric + 2 × splines + numeric + indicators)
    """
    absent = np.isnan(values)
    filled = np.where(absent, medians, values)
    bends = [_bends(x, t) for x, t in zip(filled[:, bent].T, knots, strict=True)]
    return np.concatenate([filled, *bends, absent.astype(float), dummies], axis=1)


def _bends(x: np.ndarray, t: np.ndarray) -> np.ndarray:
    if len(np.unique(t)) < len(t):
        return np.zeros((len(x), len(t) - 2))

    def cube(knot):
        return np.maximum(x - knot, 0.0) ** 3

    last, before = t[-1], t[-2]
    columns = [
        cube(knot)
        - cube(before) * (last - knot) / (last - before)
        + cube(last) * (before - knot) / (last - before)
        for knot in t[:-2]
    ]
    return np.stack(columns, axis=1) / (last - t[0]) ** 2


def feature_names(estimator: Pipeline) -> tuple[str, ...]:
    """Name of every column that the last step of the pipeline sees."""
    return tuple(name for name, _ in _columns(estimator))


def features_of(estimator: Pipeline) -> tuple[str, ...]:
    """Name of the feature that every column of `feature_names` belongs to."""
    return tuple(feature for _, feature in _columns(estimator))


def _columns(estimator: Pipeline) -> tuple[tuple[str, str], ...]:
    if "prepare" in estimator.named_steps:
        return estimator.named_steps["prepare"].columns
    return estimator.named_steps["encode"].schema.columns
