"""What moves the predictions of a model: SHAP values on the scale of log-odds.

A SHAP value shares the difference between a prediction and the average one among the features
(Lundberg & Lee 2017, Advances in Neural Information Processing Systems 30). For the logistic models
it is weight × (value − training mean); for boosted trees the package shap computes it exactly along
their paths (Lundberg et al. 2020, doi:10.1038/s42256-019-0138-9). Columns of one feature
(categories, bends, missing) are summed. All of it describes the model: an association is not an
effect.
"""

import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.prediction.nested import Tuned, codes
from iesoresearch.models.prediction.pipelines import (
    BLAS,
    Encoder,
    Schema,
    features_of,
    one_class,
    outcome,
)
from iesoresearch.seeds import rng

TOP = 5
#: Rows that refits are compared on; more change means of |SHAP| by little.
MOST_ROWS = 2000
#: What the labels of the schema mean, and what a SHAP value does not.
WORDS = {
    "modifiable": "may change during care; an association, not an effect of changing it",
    "not modifiable": "cannot be changed by care; an association, not a cause",
    "care process": "part of care, given by need; an association, not an effect of changing it",
}


def words(schema: Schema, features) -> tuple[str, ...]:
    """Whether care can change each of the features (names), and what that does not mean."""
    change = {f.name: f.change for f in (*schema.numeric, *schema.categorical)}
    return tuple(WORDS[change[name]] for name in features)


@dataclass(frozen=True)
class Contributions:
    """SHAP values.

    Attributes
    ----------
    features
        Names, in the order of the schema.
    values
        (rows, features) log-odds; with `base` they sum to the log-odds of each prediction.
    base
        Log-odds of the average prediction.
    """

    features: tuple[str, ...]
    values: np.ndarray
    base: float


def contributions(model, X) -> Contributions:
    """SHAP values of every row and feature. Rows of patients: not for any report.

    Parameters
    ----------
    model
        Fitted: of `pipelines.build`, or `Tuned`.
    X
        Table of features or its matrix.

    Raises
    ------
    DataError
        No row.
    """
    model = pipeline_of(model)
    with BLAS.limit(limits=1, user_api="blas"):
        matrix = model[:-1].transform(X)
        if not len(matrix):
            raise DataError("There is no row whose prediction could be explained.")
        last = model[-1]
        if hasattr(last, "get_booster"):
            explainer = _shap().TreeExplainer(last)
            values = explainer.shap_values(matrix).astype(float)
            base = float(explainer.expected_value)
        else:
            values, base = matrix * last.coef_[0], float(last.intercept_[0])
    owners, schema = np.array(features_of(model)), model[0].schema
    features = tuple(name for name in schema.names if name in owners)
    summed = [values[:, owners == name].sum(axis=1) for name in features]
    return Contributions(features, np.stack(summed, axis=1), base)


def _shap():
    """The package `shap`, whose import takes seconds and warns of a progress bar it lacks."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")
        import shap
    return shap


def pipeline_of(model):
    """The fitted pipeline, which is what a `Tuned` model chose."""
    return model.estimator_ if isinstance(model, Tuned) else model


@dataclass(frozen=True)
class Importance:
    """How much each feature moves predictions, and how surely.

    Attributes
    ----------
    features
        Names, in the order of the schema.
    words
        For each, whether care can change it and what that does not mean.
    value, value_low, value_high
        (features,) mean |SHAP|, log-odds, of the model; 95 % interval over the refits.
    rank, rank_low, rank_high
        (features,) 1 for the feature with the largest mean; interval over the refits.
    top
        (features,) share of the refits in which the feature is among the first five.
    n_refits, n_failed
        Refits, and samples of patients in which there was one outcome only.
    """

    features: tuple[str, ...]
    words: tuple[str, ...]
    value: np.ndarray
    value_low: np.ndarray
    value_high: np.ndarray
    rank: np.ndarray
    rank_low: np.ndarray
    rank_high: np.ndarray
    top: np.ndarray
    n_refits: int
    n_failed: int


def importance(
    model, X, y, patient, *, n_boot: int = 100, random_state: int = 0, n_jobs: int = 1
) -> Importance:
    """Mean |SHAP| of every feature, and of refits to samples of patients.

    The model is fitted to all rows, then to `n_boot` samples of as many patients, with replacement;
    a `Tuned` model tunes in each. All are looked at on the same rows (at most `MOST_ROWS`).
    Intervals are percentiles of the refits: how much the explanation depends on who was there.

    Parameters
    ----------
    model
        As in `contributions`; need not be fitted.
    X, y, patient
        As in `nested.nested`.
    n_boot
        Refits.
    random_state
        Of the samples and rows.
    n_jobs
        Threads; the result is the same.

    Raises
    ------
    ParameterError
        No refit or no thread.
    DataError
        As `nested.nested`, or only one outcome.
    """
    if n_boot < 1 or n_jobs < 1:
        raise ParameterError("n_boot and n_jobs must be 1 or more.")
    schema = model.schema if isinstance(model, Tuned) else model[0].schema
    X, y = Encoder(schema).transform(X), outcome(y)
    patient = codes(patient, len(X), "patient")
    random = rng(random_state, "explanation", "rows")
    looked = X[np.sort(random.permutation(len(X))[:MOST_ROWS])]
    by_patient = np.argsort(patient, kind="stable")
    ends = np.cumsum(np.bincount(patient))

    def means(rows):
        if one_class(y[rows]):
            return None
        fitted = _refit(model, X[rows], y[rows], patient[rows])
        return np.abs(contributions(fitted, looked).values).mean(axis=0)

    def refit(b):
        drawn = rng(random_state, "explanation", b).integers(0, len(ends), len(ends))
        starts = np.concatenate([[0], ends[:-1]])
        return means(np.concatenate([by_patient[starts[i] : ends[i]] for i in drawn]))

    fitted = _refit(model, X, y, patient)
    shares = contributions(fitted, looked)  # before the threads: it imports shap
    with BLAS.limit(limits=1, user_api="blas"), ThreadPoolExecutor(n_jobs) as pool:
        found = [values for values in pool.map(refit, range(n_boot)) if values is not None]
    value = np.abs(shares.values).mean(axis=0)
    values = np.array(found).reshape(-1, len(value))
    ranks = np.array([_ranks(row) for row in values]).reshape(values.shape)
    low, high = _interval(values)
    rank_low, rank_high = _interval(ranks)
    return Importance(
        features=shares.features,
        words=words(schema, shares.features),
        **{"value": value, "value_low": low, "value_high": high},
        **{"rank": _ranks(value), "rank_low": rank_low, "rank_high": rank_high},
        top=(ranks <= TOP).mean(axis=0) if len(ranks) else np.full(len(value), np.nan),
        n_refits=len(values),
        n_failed=n_boot - len(values),
    )


def _refit(model, X, y, patient):
    model = clone(model)
    return model.fit(X, y, patient) if isinstance(model, Tuned) else model.fit(X, y)


def _ranks(values: np.ndarray) -> np.ndarray:
    """1 for the largest; equals in the order of the schema."""
    ranks = np.empty(len(values), dtype=int)
    ranks[np.argsort(-values, kind="stable")] = np.arange(1, len(values) + 1)
    return ranks


def _interval(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if not len(values):
        return (np.full(values.shape[1], np.nan),) * 2
    low, high = np.quantile(values, [0.025, 0.975], axis=0)
    return low, high
