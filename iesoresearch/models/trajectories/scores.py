"""Scores over time as the mixture of growth curves needs them."""

from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import DataError
from iesoresearch.models.trajectories import em

#: g(t) of the curves.
SCALES = {"linear": lambda t: t, "log": np.log1p}


@dataclass(frozen=True)
class Scores:
    """Scores of patients, one row after another, patient by patient.

    Attributes
    ----------
    patients
        (patients,) in order of first appearance.
    start
        (patients + 1,) first row of each.
    time, score
        (rows,) without missing scores.
    """

    patients: np.ndarray
    start: np.ndarray
    time: np.ndarray
    score: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """(patients,) scores of each."""
        return np.diff(self.start).astype(float)

    def with_scores(self) -> "Scores":
        """Only the patients who have a score."""
        some = self.counts > 0
        start = np.append(self.start[:-1][some], self.start[-1])
        return Scores(self.patients[some], start, self.time, self.score)

    def products(self, basis: "Basis") -> np.ndarray:
        """Cross products of basis and scores, see `em.cross_products`."""
        return em.cross_products(self.start, basis.at(self.time), self.score)


def gathered(patient, time, score) -> Scores:
    """Long arrays, one row per score, in any order; a missing score (NaN) is left out.

    Raises
    ------
    DataError
        Lengths differ, or a time is missing, infinite or negative, or a score infinite.
    """
    patient, time, score = np.asarray(patient), np.asarray(time, float), np.asarray(score, float)
    if not patient.shape == time.shape == score.shape or patient.ndim != 1:
        raise DataError(
            "Trajectories: patient, time and score must be lists of equal length, but have "
            f"{patient.shape}, {time.shape} and {score.shape}."
        )
    wrong = ~(np.isfinite(time) & (time >= 0)) | np.isinf(score)
    if wrong.any():
        raise DataError(
            f"Trajectories: {wrong.sum()} row(s) have a time that is missing, infinite or negative "
            "or a score that is infinite. Give times from 0 on; a missing score is NaN."
        )
    names, first, inverse = np.unique(patient, return_index=True, return_inverse=True)
    rank = np.empty(len(names), int)
    rank[np.argsort(first)] = np.arange(len(names))
    number, there = rank[inverse], np.isfinite(score)
    number, time, score = number[there], time[there], score[there]
    order = np.lexsort((time, number))
    start = np.concatenate([[0], np.cumsum(np.bincount(number, minlength=len(names)))])
    return Scores(names[np.argsort(first)], start, time[order], score[order])


@dataclass(frozen=True)
class Basis:
    """1, g(t), g(t)^2, …, made orthonormal over the scores they were fitted to.

    Attributes
    ----------
    scale
        Name of g, see `SCALES`.
    mix
        (p, p) upper triangular, from the powers to the orthonormal columns.
    """

    scale: str
    mix: np.ndarray

    @classmethod
    def of(cls, time: np.ndarray, scale: str, degree: int) -> "Basis":
        """Basis for scores at `time`.

        Raises
        ------
        DataError
            Too few different times.
        """
        found = len(np.unique(time))
        if found <= degree:
            raise DataError(
                f"Trajectories: scores at {found} different time(s) cannot carry curves of degree "
                f"{degree}. Bring more occasions, or ask for a lower degree."
            )
        powers = np.vander(SCALES[scale](time), degree + 1, increasing=True)
        triangle = np.linalg.qr(powers, mode="r")
        mix = np.linalg.inv(triangle * np.sign(np.diag(triangle))[:, None] / np.sqrt(len(time)))
        return cls(scale, mix)

    def at(self, time: np.ndarray) -> np.ndarray:
        """(times, p)."""
        degree = len(self.mix) - 1
        return (
            np.vander(SCALES[self.scale](np.asarray(time, float)), degree + 1, increasing=True)
            @ self.mix
        )
