"""What `subtypes` works on."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from iesoresearch.data.cohort import Cohort, Sequences


@dataclass(frozen=True)
class Data:
    """What the analysis works on: the cohort, its PHQ-9 answers as sequences, threads to use."""

    cohort: Cohort
    sequences: Sequences
    n_jobs: int = 1

    @property
    def sensitivity(self):
        """Of the cohort."""
        return self.cohort.sensitivity

    @property
    def n_people(self) -> int:
        """People with at least one answer."""
        return len(self.sequences.lengths)

    @property
    def sessions(self) -> np.ndarray:
        """Numbers of all sessions that somebody had."""
        sequences = self.sequences
        return np.unique(sequences.session[sequences.rows >= 0])

    def by_session(self, posterior: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Weighted mean of `posterior` over those who had each session: (sessions, states).

        `weights` are those of the people. A session that none of them had is NaN.
        """
        sequences = self.sequences
        seen = sequences.rows >= 0
        by_row = np.repeat(weights, sequences.lengths)[seen]
        place = np.searchsorted(self.sessions, sequences.session[seen])
        n = np.bincount(place, by_row, minlength=len(self.sessions))
        sums = [
            np.bincount(place, column * by_row, minlength=len(self.sessions))
            for column in posterior[seen].T
        ]
        return np.stack(sums, axis=1) / np.where(n > 0, n, np.nan)[:, None]

    @cached_property
    def people_by_session(self) -> np.ndarray:
        """How many people had each session."""
        sequences = self.sequences
        return np.unique(sequences.session[sequences.rows >= 0], return_counts=True)[1]

    @property
    def first_rows(self) -> np.ndarray:
        """Row of the sequences that is each person's first session."""
        lengths = self.sequences.lengths
        return np.cumsum(lengths) - lengths

    @property
    def referral_ids(self) -> pl.Series:
        """Referral that each person contributes."""
        return self.cohort.contacts["referral_id"][self.sequences.rows[self.first_rows]]

    @cached_property
    def weights(self) -> np.ndarray | None:
        """Survey weights of the people with mean one; None where nobody is weighted."""
        weights = self.cohort.patients["weight"][self.sequences.people]
        if weights.is_null().all():
            return None
        return (weights / weights.mean()).to_numpy()

    @property
    def design(self) -> tuple[np.ndarray, np.ndarray]:
        """Survey stratum, and sampling unit within it, of the people."""
        patients = self.cohort.patients[self.sequences.people]
        return patients["stratum"].to_numpy(), patients["sampling_unit"].to_numpy()

    @cached_property
    def units(self) -> np.ndarray | None:
        """Number of the sampling unit of each person; None where nobody is weighted."""
        if self.weights is None:
            return None
        return np.unique(np.stack(self.design).astype(str), axis=1, return_inverse=True)[1]

    @property
    def counting(self) -> np.ndarray:
        """How often each person counts: her weight, or once."""
        return np.ones(self.n_people) if self.weights is None else self.weights

    @cached_property
    def item_sd(self) -> np.ndarray:
        """Weighted standard deviation of each item over all its answers."""
        by_row = np.repeat(self.counting, self.sequences.lengths)
        moments = []
        for column in self.sequences.items.T:
            seen = column >= 0
            mean = np.average(column[seen], weights=by_row[seen])
            moments.append(np.average((column[seen] - mean) ** 2, weights=by_row[seen]))
        return np.sqrt(moments)
