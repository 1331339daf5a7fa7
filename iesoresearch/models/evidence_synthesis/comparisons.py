"""Effects of comparisons within trials, as a synthesis needs them."""

from dataclasses import dataclass, replace
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
    size
        (comparisons,) sqrt(1/n + 1/m) of the sizes n and m of the groups, where it is known: the
        part of the standard error that does not depend on the effect.
    """

    effect: np.ndarray
    error: np.ndarray
    trial: np.ndarray
    size: np.ndarray | None = None

    def __post_init__(self) -> None:
        lists = (self.effect, self.error, self.trial, self.size)
        shapes = {np.shape(x) for x in lists if x is not None}
        if len(shapes) != 1 or self.effect.ndim != 1:
            raise DataError(
                "Effects, standard errors, trials and sizes must be lists of the same length, one "
                "entry for each comparison."
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
    def of(cls, effect, error, trial, groups=None) -> "Comparisons":
        """Comparisons whose trials have any labels, and whose `groups` have (2, comparisons) sizes.

        Raises
        ------
        DataError
            Lists of different length, effects, standard errors or sizes that cannot be, fewer than
            three trials.
        """
        if groups is not None and not (np.asarray(groups) > 0).all():
            raise DataError("A group of a comparison has no patients. Mend its size.")
        size = None if groups is None else np.sqrt((1 / np.asarray(groups, float)).sum(axis=0))
        _, first, number = np.unique(np.asarray(trial), return_index=True, return_inverse=True)
        rank = np.argsort(np.argsort(first))  # in the order in which they come
        return cls(np.asarray(effect, float), np.asarray(error, float), rank[number], size)

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
        part = Comparisons.of(self.effect[keep], self.error[keep], self.trial[keep])
        return part if self.size is None else replace(part, size=self.size[keep])

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
