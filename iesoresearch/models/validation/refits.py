"""Fitting a whole pipeline again and again: the one pass that optimism and instability share."""

import inspect
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from joblib import Parallel, delayed
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.seeds import rng

#: Parameters of `fit` by which a pipeline may ask whose row it is.
ASKED_AS = ("patient", "groups", "clusters")
FITTED = "refit"  # name of the draws that refits are fitted to
_BATCHES = 4  # per worker: few enough to hand data over seldom, enough to end together


@dataclass(frozen=True)
class Rows:
    """Features, outcomes and whose they are.

    Attributes
    ----------
    X
        (rows,) polars table or matrix.
    y
        (rows,) 0 or 1.
    clusters
        (rows,) 0-based patient, or whatever is resampled whole.
    """

    X: Any
    y: np.ndarray
    clusters: np.ndarray

    @classmethod
    def of(cls, X, y, clusters=None) -> "Rows":
        """Checked; without clusters every row is a patient.

        Raises
        ------
        DataError
            Lengths that differ, outcomes other than 0 and 1, the same outcome for all, or a row
            without a cluster.
        """
        y = np.asarray(y, dtype=float)
        if y.ndim != 1 or len(y) != len(X) or not np.isin(y, (0.0, 1.0)).all():
            raise DataError(
                f"Validation needs an outcome, 0 or 1, for each of the {len(X)} rows of features."
            )
        if len(y) == 0 or y.min() == y.max():
            raise DataError(
                f"The outcome is the same in all {len(y)} rows, so no model can be fitted or "
                "judged. Check how the outcome was made, or take more patients."
            )
        codes = np.arange(len(y)) if clusters is None else labelled("clusters", clusters, len(y))[1]
        return cls(X, y.astype(np.int64), codes)

    def take(self, rows: np.ndarray) -> "Rows":
        """Some rows, in this order, with the numbers of their clusters."""
        return replace(self, X=self.X[rows], y=self.y[rows], clusters=self.clusters[rows])

    def resample(self, random: np.random.Generator) -> np.ndarray:
        """Rows of as many clusters as there are, drawn with replacement."""
        k = int(self.clusters.max()) + 1
        order = np.argsort(self.clusters, kind="stable")
        ends = np.cumsum(np.bincount(self.clusters, minlength=k))
        members = np.split(order, ends[:-1])
        return np.concatenate([members[c] for c in random.integers(0, k, k)])


def labelled(name: str, values, n: int) -> tuple[list, np.ndarray]:
    """Labels in order, and the number of the label of every row.

    Raises
    ------
    DataError
        Not one for each of `n` rows, or one is missing.
    """
    series = pl.Series(name, np.asarray(values))
    if (
        len(series) != n
        or series.is_null().any()
        or (series.dtype.is_float() and series.is_nan().any())
    ):
        raise DataError(f"{name} needs a label for each of the {n} rows, none missing.")
    labels, codes = np.unique(series.to_numpy(), return_inverse=True)
    return labels.tolist(), codes


def fitted(pipeline, rows: Rows):
    """A fitted clone of the pipeline, told whose rows they are if its `fit` asks."""
    return clone(pipeline).fit(rows.X, rows.y, **_asked(pipeline, rows.clusters))


def predicted(model, X) -> np.ndarray:
    """(rows,) predictions of outcome 1.

    Raises
    ------
    DataError
        They are no probabilities.
    """
    p = np.asarray(model.predict_proba(X), dtype=float)[:, list(model.classes_).index(1)]
    if not ((p >= 0) & (p <= 1)).all():
        raise DataError("The pipeline predicts values that are missing or outside 0 … 1.")
    return p


def _asked(pipeline, clusters: np.ndarray) -> dict[str, np.ndarray]:
    for name in ASKED_AS:
        if name in inspect.signature(pipeline.fit).parameters:
            return {name: clusters}
    cv = getattr(pipeline, "cv", None)  # of a search, whose fit hides what it takes
    if hasattr(cv, "get_metadata_routing"):
        return dict.fromkeys(cv.get_metadata_routing().consumes("split", {"groups"}), clusters)
    return {}


def check_pipeline(pipeline) -> None:
    """Refuse what cannot be validated.

    Raises
    ------
    ParameterError
        No `fit`, or no `predict_proba`.
    """
    if not (hasattr(pipeline, "fit") and hasattr(pipeline, "predict_proba")):
        raise ParameterError(
            "The pipeline must be a scikit-learn classifier with fit and predict_proba."
        )


def attempt(pipeline, train: Rows, X) -> np.ndarray | str:
    """Predictions for `X` of a model fitted to `train`, or why there are none.

    Only the kind of an error is told: its message may quote a row.
    """
    if train.y.min() == train.y.max():
        return "one outcome only"
    try:
        return predicted(fitted(pipeline, train), X)
    except (ValueError, ArithmeticError) as error:
        return f"the pipeline failed with {type(error).__name__}"


def in_parallel(function, tasks: Sequence, n_jobs: int) -> list:
    """``[function(task) for task in tasks]``, the same to the bit for any number of jobs.

    Threads by default; `joblib.parallel_config` chooses otherwise. Linear algebra has one thread
    each, since sums of products may differ in the last bit with their number.
    """
    workers = min(abs(n_jobs) or 1, len(tasks))
    batches = np.array_split(np.arange(len(tasks)), min(len(tasks), _BATCHES * workers))
    with threadpool_limits(1, user_api="blas"):
        done = Parallel(n_jobs=n_jobs, prefer="threads")(
            delayed(_batch)(function, [tasks[i] for i in batch]) for batch in batches
        )
    return [result for batch in done for result in batch]


def _batch(function, tasks) -> list:
    with threadpool_limits(1, user_api="blas"):  # again: a process has limits of its own
        return [function(task) for task in tasks]


@dataclass(frozen=True)
class Refits:
    """Predictions for the original rows by the model and by its bootstrap refits.

    Attributes
    ----------
    rows
        The original rows.
    p
        (rows,) predictions of the model fitted to all of them.
    draws
        (refits, rows) predictions of the refits.
    numbers
        (refits,) replicate that each came from.
    failed
        Number of replicates without a refit, by reason.
    random_state
        Of the resampling.
    """

    rows: Rows
    p: np.ndarray
    draws: np.ndarray
    numbers: np.ndarray
    failed: dict[str, int]
    random_state: int

    @property
    def n_boot(self) -> int:
        """Replicates tried."""
        return len(self.numbers) + sum(self.failed.values())

    def sample(self, i: int, purpose: str = FITTED) -> np.ndarray:
        """Rows that refit `i` was fitted to, or as many that are drawn for another purpose."""
        return self.rows.resample(rng(self.random_state, purpose, int(self.numbers[i])))


@dataclass(frozen=True)
class _Replicate:
    pipeline: Any
    rows: Rows
    random_state: int

    def __call__(self, number: int) -> np.ndarray | str:
        sample = self.rows.resample(rng(self.random_state, FITTED, number))
        return attempt(self.pipeline, self.rows.take(sample), self.rows.X)


def refit(
    pipeline, X, y, *, clusters=None, n_boot: int = 200, random_state: int = 0, n_jobs: int = 1
) -> Refits:
    """Fit the whole pipeline to all rows, and to `n_boot` samples of the clusters.

    Clusters are drawn with replacement, with all their rows; copies of a patient keep the patient's
    number, so that a pipeline which tunes in folds of patients keeps them in one fold. Replicate b
    is the same whatever the number of replicates or jobs.

    Parameters
    ----------
    pipeline
        A scikit-learn classifier with `predict_proba`; it is cloned, and everything that looks at
        outcomes must be part of it. If its `fit` takes one of `ASKED_AS`, or it is a search over a
        splitter that takes groups, it gets the clusters. Fix its own `random_state`.
    X, y
        (rows,) polars table or matrix, and outcomes 0 or 1.
    clusters
        (rows,) patient of each row; by default every row is a patient.
    n_boot
        Replicates.
    random_state
        Of the resampling.
    n_jobs
        Jobs at a time.

    Raises
    ------
    DataError
        As `Rows.of`; no replicate could be fitted. An error of the fit to all rows is passed on.
    ParameterError
        No classifier, or `n_boot` below 1.
    """
    check_pipeline(pipeline)
    if n_boot < 1:
        raise ParameterError(f"n_boot must be at least 1; it is {n_boot}.")
    rows = Rows.of(X, y, clusters)
    with threadpool_limits(1, user_api="blas"):
        p = predicted(fitted(pipeline, rows), rows.X)
    results = in_parallel(_Replicate(pipeline, rows, random_state), range(n_boot), n_jobs)
    numbers = [b for b, result in enumerate(results) if not isinstance(result, str)]
    failed = Counter(result for result in results if isinstance(result, str))
    if not numbers:
        why = "; ".join(f"{reason} ({n})" for reason, n in failed.items())
        raise DataError(f"None of {n_boot} bootstrap samples could be fitted: {why}.")
    draws = np.array([results[b] for b in numbers])
    return Refits(rows, p, draws, np.array(numbers), dict(failed), random_state)
