"""Strata: what is counted in each, whether they can be analysed, and how they are coded."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from iesoresearch.errors import DataError, ParameterError


@dataclass(frozen=True)
class Strata:
    """Counts of people by stratum.

    Attributes
    ----------
    frame
        One row per stratum, one column per dimension.
    events, n
        (strata,) people with the outcome, and all.
    design
        (strata, 1 + sum of levels - 1) intercept and main effects. Each dimension has orthonormal
        contrasts that sum to zero over its levels, so that no level is the reference and a prior
        treats all alike.
    names
        Of the columns of `design`.
    """

    frame: pl.DataFrame
    events: np.ndarray
    n: np.ndarray
    design: np.ndarray
    names: tuple[str, ...]

    @classmethod
    def of(cls, events, n, frame: pl.DataFrame) -> "Strata":
        """Check counts and strata.

        Raises
        ------
        ParameterError
            Columns of different lengths, or fewer than two dimensions.
        DataError
            Counts that are none, an outcome that everybody or nobody has, a dimension that is
            constant, not known for some strata or told by the others, a stratum that is there
            twice, or too few strata to tell interactions from main effects.
        """
        events, n = (np.asarray(x, dtype=float) for x in (events, n))
        if not events.shape == n.shape == (frame.height,):
            raise ParameterError(
                f"{frame.height} strata, but the events have the shape {events.shape} and the "
                f"numbers of people {n.shape}: give one of each per stratum."
            )
        if frame.width < 2:
            raise ParameterError(
                "An intersection needs two dimensions or more: give a column for each."
            )
        _check_counts(events, n)
        _check_levels(frame)
        design, names = _design(frame)
        _check_design(frame, design[n > 0], names)
        return cls(frame, events, n, design, names)


def _check_counts(events: np.ndarray, n: np.ndarray) -> None:
    both = np.concatenate([events, n])
    if not (np.isfinite(both).all() and (both == both.round()).all() and (events >= 0).all()):
        raise DataError("Counts of strata must be whole numbers from 0, none missing.")
    if (events > n).any():
        raise DataError("In some stratum more people have the outcome than there are people.")
    if not 0 < events.sum() < n.sum():
        raise DataError(
            "Everybody or nobody has the outcome, so strata cannot differ: choose another outcome."
        )


def _check_levels(frame: pl.DataFrame) -> None:
    for name in frame.columns:
        if frame[name].null_count():
            raise DataError(
                f"Some strata have no level of {name!r}. Leave them out, or give those who are "
                "not known a level of their own."
            )
        if frame[name].n_unique() < 2:
            raise DataError(
                f"The dimension {name!r} is constant: everybody has the same level, so it makes "
                "no strata. Leave it out."
            )
    if frame.is_duplicated().any():
        raise DataError(
            "Some strata are there twice. Strata must not overlap: count everybody in one stratum "
            "only, and add up the counts of each."
        )


def _design(frame: pl.DataFrame) -> tuple[np.ndarray, tuple[str, ...]]:
    """Intercept and main effects of every dimension, with the names of the columns."""
    columns, names = [np.ones((frame.height, 1))], ["intercept"]
    for dimension in frame.columns:
        levels, place = np.unique(frame[dimension].cast(pl.String).to_numpy(), return_inverse=True)
        columns.append(contrasts(len(levels))[place])
        names += [f"{dimension}, contrast {i + 1}" for i in range(len(levels) - 1)]
    return np.hstack(columns), tuple(names)


def contrasts(n: int) -> np.ndarray:
    """(n, n - 1) orthonormal contrasts of `n` levels, each summing to zero (Helmert's)."""
    found = np.zeros((n, n - 1))
    for i in range(n - 1):
        found[: i + 1, i], found[i + 1, i] = 1.0, -(i + 1.0)
        found[:, i] /= np.sqrt((i + 1.0) * (i + 2.0))
    return found


def _check_design(frame: pl.DataFrame, design: np.ndarray, names: tuple[str, ...]) -> None:
    rank = np.linalg.matrix_rank(design)
    if rank < design.shape[1]:
        told = [
            d
            for d in frame.columns
            if np.linalg.matrix_rank(design[:, [not n.startswith(f"{d}, ") for n in names]])
            > rank - (frame[d].n_unique() - 1)
        ]
        raise DataError(
            f"The dimensions {', '.join(map(repr, told))} tell each other, as a finer grouping "
            "tells a coarser one, so their effects cannot be told apart. Keep one of them."
        )
    if len(design) <= rank:
        raise DataError(
            f"{len(design)} strata have people, and main effects alone take {rank} numbers, so "
            "nothing is left to tell interactions from. Use fewer dimensions or levels."
        )
