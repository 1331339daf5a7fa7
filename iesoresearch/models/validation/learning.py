"""Whether more patients would help: performance in held-out patients by size of the training."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.evaluation import metrics
from iesoresearch.models.validation.refits import Rows, attempt, check_pipeline, in_parallel
from iesoresearch.seeds import rng

HELD_OUT = 0.25  # of the patients, in every repeat
SHARES = (0.1, 0.2, 0.4, 0.7, 1.0)  # of the others, by default
MEASURES = ("auc", "log_loss", "slope")


@dataclass(frozen=True)
class LearningCurve:
    """Performance in held-out patients by number of patients to learn from.

    Attributes
    ----------
    sizes
        (sizes,) patients to learn from.
    events
        (sizes,) rows with the outcome among theirs, mean over repeats.
    mean, low, high
        By measure (`MEASURES`): (sizes,) mean, and 2.5 % and 97.5 % quantile over repeats. They are
        a spread, no interval of the mean: repeats share patients.
    used
        By measure: (sizes,) repeats that have it.
    failed
        (sizes,) repeats without a model.
    """

    sizes: np.ndarray
    events: np.ndarray
    mean: dict[str, np.ndarray]
    low: dict[str, np.ndarray]
    high: dict[str, np.ndarray]
    used: dict[str, np.ndarray]
    failed: np.ndarray


def learning_curve(
    pipeline,
    X,
    y,
    clusters=None,
    *,
    sizes: Sequence[int] | None = None,
    repeats: int = 10,
    random_state: int = 0,
    n_jobs: int = 1,
) -> LearningCurve:
    """Fit to ever more patients, and judge in the same held-out ones.

    In every repeat a quarter of the patients is held out at random; of the others the first of a
    random order are learnt from, so that a larger size holds a smaller one.

    Parameters
    ----------
    pipeline, X, y, clusters, n_jobs
        As in `refit`.
    sizes
        Patients to learn from, ascending; by default 10, 20, 40, 70 and 100 % of those not held
        out.
    repeats
        Of the whole.
    random_state
        Of the random orders.

    Raises
    ------
    DataError
        As `Rows.of`.
    ParameterError
        No classifier, no repeats, or sizes that are not ascending or more than there are.
    """
    check_pipeline(pipeline)
    rows = Rows.of(X, y, clusters)
    patients = int(rows.clusters.max()) + 1
    most = patients - round(HELD_OUT * patients)
    if sizes is None:
        sizes = sorted({max(1, round(share * most)) for share in SHARES})
    if repeats < 1 or not _ascending([0, *sizes, most + 0.5]):
        raise ParameterError(
            f"sizes must be ascending numbers of patients from 1 to {most}, which is what is left "
            f"of {patients} with a quarter held out, and repeats at least 1."
        )
    tasks = [(repeat, size) for repeat in range(repeats) for size in sizes]
    found = np.array(in_parallel(_Step(pipeline, rows, most, random_state), tasks, n_jobs))
    found = found.reshape(repeats, len(sizes), -1)
    return _summary(np.array(sizes), found)


def _ascending(values: Sequence[float]) -> bool:
    return all(a < b for a, b in pairwise(values))


@dataclass(frozen=True)
class _Step:
    pipeline: Any
    rows: Rows
    most: int
    random_state: int

    def __call__(self, task: tuple[int, int]) -> list[float]:
        """Events, whether there is a model, and its measures."""
        repeat, size = task
        order = rng(self.random_state, "learning", repeat).permutation(self.rows.clusters.max() + 1)
        train = self._of(order[:size])
        test = self._of(order[self.most :])
        p = attempt(self.pipeline, train, test.X)
        if isinstance(p, str):
            return [train.y.sum(), 0.0] + [float("nan")] * len(MEASURES)
        values = metrics.auc(test.y, p), metrics.log_loss(test.y, p)
        return [train.y.sum(), 1.0, *values, metrics.calibration(test.y, p).slope]

    def _of(self, patients: np.ndarray) -> Rows:
        return self.rows.take(np.flatnonzero(np.isin(self.rows.clusters, patients)))


def _summary(sizes: np.ndarray, found: np.ndarray) -> LearningCurve:
    mean, low, high, used = {}, {}, {}, {}
    for j, name in enumerate(MEASURES, start=2):
        each = [column[np.isfinite(column)] for column in found[:, :, j].T]
        used[name] = np.array([len(values) for values in each])
        three = [
            (values.mean(), *np.quantile(values, [0.025, 0.975])) if len(values) else [np.nan] * 3
            for values in each
        ]
        mean[name], low[name], high[name] = np.array(three).T
    failed = (found[:, :, 1] == 0).sum(axis=0)
    return LearningCurve(sizes, found[:, :, 0].mean(axis=0), mean, low, high, used, failed)
