"""Predictions for every row by a model that was tuned and fitted without its service and patient.

Tuned within the training rows and judged on none of them: tuning on what a model is judged on
makes it look better than it is (Varma & Simon 2006, doi:10.1186/1471-2105-7-91). The configuration
with the smallest mean log-loss over the inner folds is taken, plainly; the first of equals, which
is the simplest.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost
from sklearn.base import BaseEstimator, ClassifierMixin

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.evaluation.metrics import row_log_loss
from iesoresearch.models.prediction.pipelines import (
    BLAS,
    Encoder,
    Kind,
    Schema,
    build,
    configurations,
    one_class,
    outcome,
)
from iesoresearch.seeds import derive, rng


@dataclass(frozen=True)
class OutOfFold:
    """Predictions of models that knew neither service nor patient of the row.

    Attributes
    ----------
    p
        (rows,) chance of the outcome; NaN in folds that are not estimable.
    fold
        (rows,) 0-based outer fold that the row was left out with.
    chosen
        Per fold, the configuration that was taken; None where not estimable.
    losses
        (folds, configurations) mean log-loss over the inner folds; NaN where nothing was tuned.
    n_train
        (folds,) rows fitted to.
    dropped
        (folds,) rows left out of training because their patients are in the fold, too.
    reasons
        Per fold, why it is not estimable, or why nothing was tuned; None where all is well.
    """

    p: np.ndarray
    fold: np.ndarray
    chosen: tuple[dict[str, Any] | None, ...]
    losses: np.ndarray
    n_train: np.ndarray
    dropped: np.ndarray
    reasons: tuple[str | None, ...]


def nested(
    kind: Kind,
    schema: Schema,
    X,
    y,
    patient,
    service=None,
    *,
    n_outer: int = 5,
    n_inner: int = 3,
    random_state: int = 0,
    n_jobs: int = 1,
) -> OutOfFold:
    """Nested cross-validation: whole services left out, tuned in folds of patients.

    Parameters
    ----------
    kind, schema, X, y
        As in `pipelines.build`.
    patient, service
        (rows,) whose row it is. Without services, whole patients are left out.
    n_outer
        Folds that services are put into, so that folds have about as many rows; with fewer
        services, each is a fold.
    n_inner
        Folds of patients that every configuration is tried on within the training rows.
    random_state
        Of the folds of patients. Folds of services have no chance in them.
    n_jobs
        Threads; the result is the same to the bit.

    Raises
    ------
    ParameterError
        Fewer than two folds or no thread.
    DataError
        Lengths that differ, a missing patient or service, one service only, an outcome that is not
        0 or 1, or features outside the schema.
    """
    if min(n_outer, n_inner) < 2 or n_jobs < 1:
        raise ParameterError("n_outer and n_inner must be 2 or more, n_jobs 1 or more.")
    X, y, patient = _checked(schema, X, y, patient)
    fold = outer_folds(patient, service, n_outer, random_state)
    parts = []
    for k in range(fold.max() + 1):
        seed = derive(random_state, "outer", k)
        parts.append(_Part(kind, schema, X, y, patient, fold == k, n_inner, seed))
    tasks = [(part, i) for part in parts for i in range(n_inner)]
    with BLAS.limit(limits=1, user_api="blas"), ThreadPoolExecutor(n_jobs) as pool:
        losses = np.array(list(pool.map(lambda task: task[0].losses(task[1]), tasks)))
        losses = losses.reshape(len(parts), n_inner, -1)
        found = list(pool.map(lambda k: parts[k].predict(losses[k]), range(len(parts))))
    p = np.full(len(X), np.nan)
    for part, (predicted, *_) in zip(parts, found, strict=True):
        p[part.test] = predicted
    return OutOfFold(
        p=p,
        fold=fold,
        chosen=tuple(chosen for _, chosen, _ in found),
        losses=np.array([_mean(losses[k]) for k in range(len(parts))]),
        n_train=np.array([len(part.train) for part in parts]),
        dropped=np.array([part.dropped for part in parts]),
        reasons=tuple(reason for _, _, reason in found),
    )


class Tuned(ClassifierMixin, BaseEstimator):
    """A model whose `fit` chooses its configuration, in folds of patients.

    What is said of it (optimism, instability) is said of the whole procedure, tuning included.

    Parameters
    ----------
    kind, schema
        As in `pipelines.build`.
    n_inner, random_state
        As in `nested`.

    Attributes
    ----------
    estimator_
        The chosen model, fitted to all rows.
    chosen_
        Its configuration.
    losses_
        (configurations,) mean log-loss over the inner folds; NaN where nothing was tuned.
    reason_
        Why nothing was tuned; None where it was, or where there is one configuration only.
    classes_
        0 and 1.
    """

    def __init__(self, kind: Kind, schema: Schema, n_inner: int = 3, random_state: int = 0):
        self.kind = kind
        self.schema = schema
        self.n_inner = n_inner
        self.random_state = random_state

    def fit(self, X, y, patient=None) -> "Tuned":
        """Choose and fit.

        Parameters
        ----------
        X, y
            As in `pipelines.build`.
        patient
            (rows,) whose row it is; all rows of a patient, and all copies in a bootstrap sample,
            are in one fold. Without, every row is a patient.

        Raises
        ------
        DataError
            Only one outcome, or as `nested`.
        """
        X, y, patient = _checked(self.schema, X, y, patient)
        part = _Part(
            *(self.kind, self.schema, X, y, patient),
            *(np.zeros(len(X), dtype=bool), self.n_inner, self.random_state),
        )
        with BLAS.limit(limits=1, user_api="blas"):
            losses = np.array([part.losses(i) for i in range(self.n_inner)])
            self.estimator_, self.chosen_, self.reason_ = part.fit(losses)
        self.losses_, self.classes_ = _mean(losses), np.array([0, 1])
        return self

    def predict_proba(self, X) -> np.ndarray:
        """(rows, 2) chance of 0 and of 1."""
        return self.estimator_.predict_proba(X)


class _Part:
    """One outer fold: what it leaves out, what it may learn from, and its inner folds."""

    def __init__(self, kind, schema, X, y, patient, test, n_inner, seed):
        self.kind, self.schema, self.X, self.y = kind, schema, X, y
        self.test = np.flatnonzero(test)
        shared = np.isin(patient, patient[test])
        self.train, self.dropped = np.flatnonzero(~shared), int((shared & ~test).sum())
        self.inner = patient_folds(patient[self.train], n_inner, rng(seed, "inner"))
        self.why = one_class(y[self.train])

    def losses(self, i: int) -> np.ndarray:
        """(configurations,) log-loss in inner fold `i`; NaN where it cannot be computed."""
        options = configurations(self.kind)
        fit, judge = self.train[self.inner != i], self.train[self.inner == i]
        if len(options) < 2 or not len(judge) or one_class(self.y[fit]):
            return np.full(len(options), np.nan)
        paths = _trees if self.kind == "xgboost" else _penalties
        predictions = paths(self.schema, self.X[fit], self.y[fit], self.X[judge])
        return np.array([row_log_loss(self.y[judge], p.astype(float)).mean() for p in predictions])

    def fit(self, losses: np.ndarray):
        """The chosen model, fitted; its configuration; why it was not chosen by losses."""
        options, means = configurations(self.kind), _mean(losses)
        reason, best = None, 0
        if np.isfinite(means).all():
            best = int(np.argmin(means))
        elif len(options) > 1:
            reason = (
                "not tuned, because no inner fold has both outcomes to learn from: the simplest "
                "configuration was taken"
            )
        model = build(self.kind, self.schema, **options[best])
        return model.fit(self.X[self.train], self.y[self.train]), options[best], reason

    def predict(self, losses: np.ndarray):
        """Predictions for the rows left out, the configuration, and what is to be said."""
        if self.why:
            return np.full(len(self.test), np.nan), None, f"not estimable, because {self.why}"
        model, chosen, reason = self.fit(losses)
        return model.predict_proba(self.X[self.test])[:, 1], chosen, reason


def _penalties(schema, X, y, new) -> Iterable[np.ndarray]:
    """Predictions of every penalty, each fit starting where the last one ended."""
    model = build("logistic", schema)
    prepare, last = model[:-1], model[-1].set_params(warm_start=True)
    X, new = prepare.fit_transform(X), prepare.transform(new)
    for option in configurations("logistic"):
        last.set_params(**option).fit(X, y)
        yield last.predict_proba(new)[:, 1]


def _trees(schema, X, y, new) -> Iterable[np.ndarray]:
    """Predictions of every number of rounds, from one training for each depth."""
    options = configurations("xgboost")
    binned, new = xgboost.QuantileDMatrix(X, y, nthread=1), xgboost.DMatrix(new, nthread=1)
    most = {o["max_depth"]: o for o in sorted(options, key=lambda o: o["n_estimators"])}
    boosters = {}
    for depth, option in most.items():
        model = build("xgboost", schema, **option)[-1]
        parameters = model.get_xgb_params() | {"objective": "binary:logistic"}
        boosters[depth] = xgboost.train(parameters, binned, option["n_estimators"])
    for option in options:
        rounds = (0, option["n_estimators"])
        yield boosters[option["max_depth"]].predict(new, iteration_range=rounds)


def _mean(losses: np.ndarray) -> np.ndarray:
    """Over the inner folds in which there are losses."""
    there = np.isfinite(losses).all(axis=1)
    return losses[there].mean(axis=0) if there.any() else np.full(losses.shape[1], np.nan)


def outer_folds(patient, service, n_outer: int, random_state: int) -> np.ndarray:
    """(rows,) 0-based fold: of services, or of patients where there are none.

    Services are taken from the one with the most rows down, each into the fold with the fewest, so
    the folds depend on nothing but the services; equals by name.

    Raises
    ------
    DataError
        One service only, or as `nested`.
    """
    if service is None:
        fold = patient_folds(patient, n_outer, rng(random_state, "outer"))
        return np.unique(fold, return_inverse=True)[1]  # no fold without rows
    service = codes(service, len(patient), "service")
    rows = np.bincount(service)
    if len(rows) < 2:
        raise DataError(
            "All rows are of one service, so none can be left out. Leave `service` out to leave "
            "out patients, or bring another service."
        )
    filled, place = np.zeros(min(n_outer, len(rows)), dtype=int), np.empty(len(rows), dtype=int)
    for one in np.argsort(-rows, kind="stable"):
        place[one] = np.argmin(filled)
        filled[place[one]] += rows[one]
    return place[service]


def patient_folds(patient, n_folds: int, random: np.random.Generator) -> np.ndarray:
    """(rows,) 0-based fold of whole patients, in random order, with about as many rows each."""
    patient = np.unique(patient, return_inverse=True)[1]
    rows = np.bincount(patient)
    order = random.permutation(len(rows))
    place = np.empty(len(rows), dtype=int)
    before = np.cumsum(rows[order]) - rows[order]
    place[order] = before * n_folds // max(len(patient), 1)
    return place[patient]


def _checked(schema, X, y, patient):
    X, y = Encoder(schema).transform(X), outcome(y)
    if not len(X) or len(y) != len(X):
        raise DataError(f"There are {len(X)} rows of features and {len(y)} outcomes. Give as many.")
    return X, y, codes(np.arange(len(X)) if patient is None else patient, len(X), "patient")


def codes(values, n: int, what: str) -> np.ndarray:
    """Names (rows,) as whole numbers from zero, in the order of the names.

    Raises
    ------
    DataError
        Another number of them than `n`, or a missing one; `what` is what they name.
    """
    values = np.asarray(values)
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise DataError(f"A row has no {what}. Leave such rows out.")
    if values.shape != (n,):
        raise DataError(f"{what} must have one value for each of the {n} rows of features.")
    try:
        return np.unique(values, return_inverse=True)[1]
    except TypeError:  # None among names
        raise DataError(f"A row has no {what}. Leave such rows out.") from None
