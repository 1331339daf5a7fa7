"""Internal-external validation: each service in turn is new, and what they show is pooled."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from iesoresearch.errors import DataError
from iesoresearch.models.pooling.effects import Pooled, random_effects
from iesoresearch.models.validation.performance import SCALES, Estimate, estimates, not_estimable
from iesoresearch.models.validation.refits import (
    Rows,
    attempt,
    check_pipeline,
    in_parallel,
    labelled,
)


@dataclass(frozen=True)
class Service:
    """One service, predicted by a model of the others.

    Attributes
    ----------
    service
        Its label.
    n, events
        Its rows, and those with the outcome.
    n_training
        Rows that the model was fitted to.
    n_excluded
        Rows of other services that were kept from the model because their patients were seen here
        too.
    estimates
        `Estimate` by measure (`performance.SCALES`).
    reason
        Why there are none; else empty.
    """

    service: Any
    n: int
    events: int
    n_training: int
    n_excluded: int
    estimates: dict[str, Estimate]
    reason: str


@dataclass(frozen=True)
class InternalExternal:
    """All services, and their pooled measures.

    Attributes
    ----------
    services
        In the order of their labels.
    pooled
        By measure; average and intervals on its own scale, tau on that of `performance.SCALES`:
        logit AUC, log of observed over expected.
    not_estimable
        Per measure, the services that could not be pooled, with the reason.
    """

    services: list[Service]
    pooled: dict[str, Pooled]
    not_estimable: dict[str, dict[Any, str]]


def internal_external(
    pipeline, X, y, services, clusters=None, *, n_jobs: int = 1
) -> InternalExternal:
    """Leave each service out in turn, predict it, and pool by random effects.

    Internal-external cross-validation (Steyerberg & Harrell 2016,
    doi:10.1016/j.jclinepi.2015.04.005). A patient seen in several services is never in both parts:
    in training her rows are left out. A service with fewer than `performance.FEWEST` rows of either
    outcome is named and left out of the pooling, but not of training.

    Parameters
    ----------
    pipeline, X, y, clusters, n_jobs
        As in `refit`.
    services
        (rows,) labels; at least two different ones.

    Raises
    ------
    DataError
        As `Rows.of`; fewer than two services, or a row without one.
    ParameterError
        No classifier.
    """
    check_pipeline(pipeline)
    rows = Rows.of(X, y, clusters)
    labels, inside = labelled("services", services, len(rows.y))
    if len(labels) < 2:
        raise DataError(
            "Internal-external validation needs at least two services; there is 1. Validate by "
            "bootstrap alone."
        )
    found = in_parallel(_Left(pipeline, rows, labels, inside), range(len(labels)), n_jobs)
    pooled, lost = {}, {}
    for name, (_, back) in SCALES.items():
        each = [service.estimates[name] for service in found]
        summary = random_effects([e.scaled for e in each], [e.error for e in each])
        pooled[name] = summary.on_scale(back)
        lost[name] = {s.service: e.reason for s, e in zip(found, each, strict=True) if e.reason}
    return InternalExternal(found, pooled, lost)


@dataclass(frozen=True)
class _Left:
    pipeline: Any
    rows: Rows
    labels: list
    inside: np.ndarray

    def __call__(self, k: int) -> Service:
        out = np.flatnonzero(self.inside == k)
        train, excluded = apart(self.rows.clusters, out)
        test = self.rows.take(out)
        p = attempt(self.pipeline, self.rows.take(train), test.X) if len(train) else "nobody left"
        reason = f"no model without this service: {p}" if isinstance(p, str) else ""
        found = not_estimable(reason) if reason else estimates(test.y, p, test.clusters)
        events = int(test.y.sum())
        return Service(self.labels[k], len(out), events, len(train), excluded, found, reason)


def apart(clusters: np.ndarray, out: np.ndarray) -> tuple[np.ndarray, int]:
    """Rows for training when `out` is held out, and how many more its patients' rows cost."""
    kept = ~np.isin(clusters, clusters[out])
    return np.flatnonzero(kept), int((~kept).sum()) - len(out)
