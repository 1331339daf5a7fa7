"""Covariates of people and of moves, as classes of equal rows."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from iesoresearch.errors import DataError


@dataclass(frozen=True)
class Design:
    """Distinct rows of covariates.

    Attributes
    ----------
    rows
        (classes, 1 + covariates): an intercept, and the covariates as they were given.
    classes
        (people,) or (rows of the data,): which row each has. In a person's first session the
        class of the move means nothing.
    """

    rows: np.ndarray
    classes: np.ndarray

    @classmethod
    def of(cls, covariates: np.ndarray, used: np.ndarray | None = None) -> "Design":
        """Of `covariates` (n, p), of which only those `used` (n,) mean something."""
        used = np.ones(len(covariates), dtype=bool) if used is None else used
        rows, inverse = np.unique(covariates[used], axis=0, return_inverse=True)
        classes = np.zeros(len(covariates), dtype=np.int64)
        classes[used] = inverse.ravel()
        return cls(np.column_stack([np.ones(len(rows)), rows]), classes)

    @cached_property
    def to_raw(self) -> np.ndarray:
        """(m, m): turns coefficients of the standardised rows into those of the rows as given."""
        centre, spread = self.rows[:, 1:].mean(axis=0), self.rows[:, 1:].std(axis=0)
        matrix = np.diag(np.append(1.0, 1.0 / np.where(spread > 0, spread, 1.0)))
        matrix[0, 1:] = -centre * np.diagonal(matrix)[1:]
        return matrix

    @cached_property
    def standardised(self) -> np.ndarray:
        """Rows with covariates of mean 0 and spread 1, so that no scale is too large or small."""
        return self.rows @ self.to_raw

    def check_rank(self, name: str) -> None:
        """Refuse covariates that are constant, or determine one another."""
        rank = np.linalg.matrix_rank(self.standardised)
        if rank < self.rows.shape[1]:
            raise DataError(
                f"{name} has {self.rows.shape[1] - 1} columns of which only {rank - 1} say "
                "something of their own: a column is constant, or follows from the others. Leave "
                "such columns out; an intercept is always there."
            )


def check_covariates(covariates, name: str, of: str, used: np.ndarray) -> np.ndarray | None:
    """Covariates (n, p) as floats, with none missing where they are `used` (n,)."""
    if covariates is None:
        return None
    array = np.asarray(covariates)
    if array.ndim != 2 or len(array) != len(used) or array.shape[1] == 0:
        raise DataError(
            f"{name} has shape {array.shape}; it must have one row for each of the {len(used)} "
            f"{of} and one column per covariate."
        )
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"{name} holds {array.dtype} values; covariates must be numbers. Code categories as "
            "columns of 0 and 1, one fewer than there are categories."
        )
    array = array.astype(float)
    missing = (~np.isfinite(array[used])).any(axis=1)
    if missing.any():
        columns = (~np.isfinite(array[used])).sum(axis=0)
        by_column = ", ".join(f"{n} in column {j}" for j, n in enumerate(columns) if n)
        raise DataError(
            f"{missing.sum()} of {used.sum()} rows of {name} that are used have a covariate that "
            f"is missing or not finite: {by_column}. Impute them or leave these people out, and "
            "report how many they were."
        )
    return array


def moved_into(bounds: np.ndarray) -> np.ndarray:
    """(rows,): whether a row has one of the same person before it."""
    moved = np.ones(bounds[-1], dtype=bool)
    moved[bounds[:-1]] = False
    return moved
