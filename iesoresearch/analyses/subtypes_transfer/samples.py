"""The two samples of `subtypes_transfer`: where states are fitted, and where they are assigned."""

from dataclasses import dataclass

import numpy as np

from iesoresearch.data.cohort import Cohort
from iesoresearch.errors import DataError
from iesoresearch.measures import PHQ9
from iesoresearch.seeds import rng


@dataclass(frozen=True)
class Data:
    """PHQ-9 answers of people seen once, in two samples without a person in common.

    Attributes
    ----------
    fit_name, new_name
        Of the data they come from, such as "NHANES 2015-16".
    fit_items, new_items
        int8, (people, items); -1 = missing.
    halved
        Whether the new sample is one half of people whose other half is in the fitted one.
    """

    fit_name: str
    new_name: str
    fit_items: np.ndarray
    new_items: np.ndarray
    halved: bool
    sensitivity: str
    licence: str
    fingerprint: str
    n_jobs: int = 1

    @classmethod
    def of(cls, old: Cohort, new: Cohort, seed: int, fingerprint: str, n_jobs: int) -> "Data":
        """Answers of two cohorts; people who are in both are dealt out to either at random.

        Raises
        ------
        DataError
            Nobody answered, or somebody was seen more than once.
        """
        old_ids, old_items = _answers(old)
        new_ids, new_items = _answers(new)
        in_both = np.isin(new_ids, old_ids)
        keep_new, keep_old = np.ones(len(new_ids), bool), np.ones(len(old_ids), bool)
        if in_both.any():
            shared = np.flatnonzero(in_both)
            stays = rng(seed, "halves", len(shared)).permutation(len(shared)) < len(shared) // 2
            keep_new[shared[stays]] = False
            keep_old = ~np.isin(old_ids, new_ids[keep_new])
        return cls(
            fit_name=old.name,
            new_name=new.name,
            fit_items=old_items[keep_old],
            new_items=new_items[keep_new],
            halved=bool(in_both.any()),
            sensitivity=new.sensitivity,
            licence=new.licence if len(new.licence) > len(old.licence) else old.licence,
            fingerprint=fingerprint,
            n_jobs=n_jobs,
        )

    @property
    def item_sd(self) -> np.ndarray:
        """Standard deviation of each item over the answers of both samples."""
        both = np.concatenate([self.fit_items, self.new_items])
        return np.array([column[column >= 0].std() for column in both.T])


def _answers(cohort: Cohort) -> tuple[np.ndarray, np.ndarray]:
    """Pseudonyms and answers, one row per person."""
    sequences = cohort.sequences(PHQ9)
    if (sequences.lengths > 1).any():
        raise DataError(
            f"{cohort.name}: people were seen more than once. States are carried over between "
            "samples of people who were seen once."
        )
    return cohort.patients["patient_id"].to_numpy()[sequences.people], sequences.items
