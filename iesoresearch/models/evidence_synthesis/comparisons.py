"""Effects of comparisons within trials, as a synthesis needs them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from iesoresearch.errors import DataError


class Padded(NamedTuple):
    """Arrays (trials, most comparisons of a trial); `there` is 1 where there is a comparison."""

    effect: np.ndarray
    error: np.ndarray
    there: np.ndarray


@dataclass(frozen=True)
class Comparisons:
    """Standardised mean differences of comparisons that belong to trials.

    Attributes
    ----------
    effect
        (comparisons,) differences, such as Hedges' g.
    error
        (comparisons,) their standard errors, above zero.
    trial
        (comparisons,) numbers 0, 1, … of the trials; use `of` for other labels.
    """

    effect: np.ndarray
    error: np.ndarray
    trial: np.ndarray

    def __post_init__(self) -> None:
        shapes = {np.shape(x) for x in (self.effect, self.error, self.trial)}
        if len(shapes) != 1 or self.effect.ndim != 1:
            raise DataError(
                "Effects, standard errors and trials must be lists of the same length, one entry "
                "for each comparison."
            )
        if not np.isfinite(self.effect).all():
            raise DataError("An effect is missing or infinite. Leave that comparison out.")
        if not (np.isfinite(self.error) & (self.error > 0)).all():
            raise DataError(
                "A standard error is missing, infinite, zero or negative, so its effect has no "
                "weight. Mend it, or leave that comparison out."
            )
        if self.n_trials < 3:
            raise DataError(
                f"The synthesis needs comparisons from at least three trials; there are "
                f"{self.n_trials}."
            )

    @classmethod
    def of(cls, effect, error, trial) -> "Comparisons":
        """Comparisons whose trials have any labels.

        Raises
        ------
        DataError
            Lists of different length, effects or standard errors that cannot be, fewer than three
            trials.
        """
        _, first, number = np.unique(np.asarray(trial), return_index=True, return_inverse=True)
        rank = np.argsort(np.argsort(first))  # in the order in which they come
        return cls(np.asarray(effect, float), np.asarray(error, float), rank[number])

    @property
    def n(self) -> int:
        """Number of comparisons."""
        return len(self.effect)

    @property
    def n_trials(self) -> int:
        """Number of trials."""
        return len(np.unique(self.trial))

    def part(self, keep: np.ndarray) -> "Comparisons":
        """Only the comparisons at `keep`, a mask or an index."""
        return Comparisons.of(self.effect[keep], self.error[keep], self.trial[keep])

    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """Row (trial) and column of every comparison in padded arrays."""
        order = np.argsort(self.trial, kind="stable")
        ordered = self.trial[order]
        column = np.empty(self.n, dtype=np.int64)
        column[order] = np.arange(self.n) - np.searchsorted(ordered, ordered)
        return self.trial, column

    def spread(self, values: np.ndarray, empty: float) -> np.ndarray:
        """`values` of the comparisons as (trials, most comparisons of a trial)."""
        row, column = self.places()
        found = np.full((self.n_trials, column.max() + 1), empty)
        found[row, column] = values
        return found

    def padded(self) -> Padded:
        """Effects, standard errors (1 where there is no comparison) and where they are."""
        return Padded(
            self.spread(self.effect, 0.0),
            self.spread(self.error, 1.0),
            self.spread(np.ones(self.n), 0.0),
        )
