"""Scores of patients over the occasions of a course, checked, for the growth model."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from iesoresearch.errors import DataError

FEW_UNITS = 5  # with fewer therapists or services their spread rests on its prior
MIN_PATIENTS = 10
MAX_OCCASIONS = 500


@dataclass(frozen=True)
class GrowthData:
    """Repeated scores of patients, one row per score; made by `GrowthData.of`.

    Attributes
    ----------
    score, time
        (rows,) as given.
    patient, occasion
        (rows,) patient 0 … patients - 1, and index into `occasions`.
    occasions
        (occasions,) times at which a score was due, ascending, the first 0.
    therapist, service
        (patients,) codes, or None; None also where there is only one of them.
    covariates
        (patients, covariates) less `centre`.
    centre
        (covariates,) means over patients.
    names, rate_only
        Names of the covariates, and of those among them that shift the rate, not the level.
    dropped_out
        (patients,) whether the course ended early, or None.
    notes
        Sentences on what the data can say little about.
    """

    score: np.ndarray
    time: np.ndarray
    patient: np.ndarray
    occasion: np.ndarray
    occasions: np.ndarray
    therapist: np.ndarray | None
    service: np.ndarray | None
    covariates: np.ndarray
    centre: np.ndarray
    names: tuple[str, ...]
    rate_only: tuple[str, ...]
    dropped_out: np.ndarray | None
    notes: tuple[str, ...]

    @classmethod
    def of(
        cls,
        score,
        time,
        patient,
        *,
        therapist=None,
        service=None,
        covariates=None,
        names: tuple[str, ...] = (),
        rate_only: tuple[str, ...] = (),
        dropped_out=None,
        occasions=None,
    ) -> "GrowthData":
        """Check the data of a course.

        Parameters
        ----------
        score
            (rows,) finite; scores that were not seen have no row.
        time
            (rows,) sessions or months since the first score, which is at 0.
        patient
            (rows,) codes 0 … patients - 1; at most one score per patient and time.
        therapist, service
            (patients,) codes from 0 without gaps; optional.
        covariates
            (patients, covariates) what is known before the first score, 0/1 or standardised. Leave
            out the first score itself: it is among the rows, and predictions condition on it.
        names
            Of the covariates.
        rate_only
            Names of covariates that shift the rate only, such as the arm of a randomised trial,
            which cannot have moved the scores at time 0.
        dropped_out
            (patients,) bool: whether the course ended before it should have; needed for
            ``dropout="shared"`` and for every `delta`. False where it ended as planned, even before
            the last occasion: such a patient is no longer at risk of leaving.
        occasions
            Times at which scores were due; by default those at which there is any.

        Raises
        ------
        DataError
            Data that the model cannot be fitted to; the sentence says which and what to do.
        """
        score, time, patient = _rows(score, time, patient)
        n = patient.max() + 1
        occasions = np.unique(time) if occasions is None else np.asarray(occasions, dtype=float)
        occasion = _occasion(time, patient, occasions)
        notes: list[str] = []
        therapist = _units(therapist, n, "therapist", notes)
        service = _units(service, n, "service", notes)
        x = _covariates(covariates, names, rate_only, n)
        _not_the_first_score(x, names, score, time, patient)
        if dropped_out is not None:
            dropped_out = _as_bool(dropped_out, n)
        return cls(
            score=score,
            time=time,
            patient=patient,
            occasion=occasion,
            occasions=occasions,
            therapist=therapist,
            service=service,
            covariates=x - x.mean(axis=0),
            centre=x.mean(axis=0),
            names=tuple(names),
            rate_only=tuple(rate_only),
            dropped_out=dropped_out,
            notes=tuple(notes),
        )

    @property
    def n_patients(self) -> int:
        """Number of patients."""
        return len(self.covariates)

    @property
    def n_therapists(self) -> int:
        """Number of therapists, 0 where the model has none."""
        return 0 if self.therapist is None else int(self.therapist.max()) + 1

    @property
    def n_services(self) -> int:
        """Number of services, 0 where the model has none."""
        return 0 if self.service is None else int(self.service.max()) + 1

    @property
    def on_level(self) -> np.ndarray:
        """(covariates,) which of them shift the level."""
        return np.array([name not in self.rate_only for name in self.names], dtype=bool)

    def growth(self, time) -> np.ndarray:
        """Growth function g at `time`: 0 at the first occasion, 1 at the last."""
        return np.log1p(np.asarray(time, dtype=float)) / np.log1p(self.occasions[-1])

    @cached_property
    def end(self) -> np.ndarray:
        """(patients,) index of the last occasion with a score."""
        end = np.zeros(self.n_patients, dtype=np.int64)
        np.maximum.at(end, self.patient, self.occasion)
        return end

    @cached_property
    def left(self) -> np.ndarray:
        """(patients,) who dropped out before the last occasion; nobody can after it."""
        if self.dropped_out is None:
            raise DataError(
                "Nothing says who dropped out: give dropped_out, one value per patient, for the "
                "shared-parameter model and for every delta."
            )
        return self.dropped_out & (self.end < len(self.occasions) - 1)

    @cached_property
    def course(self) -> tuple[np.ndarray, np.ndarray]:
        """(patients,) after how many occasions a patient stayed; 1 where left after the next.

        Nobody can leave after the last occasion, and whoever ended as planned before it was at
        risk until then.
        """
        return self.end, self.left.astype(np.int64)

    @cached_property
    def since_leaving(self) -> np.ndarray:
        """(patients, occasions) number of occasions since a patient left, 0 while there."""
        after = np.arange(len(self.occasions)) - self.end[:, None]
        return np.where(self.left[:, None], np.maximum(after, 0), 0)


def _rows(score, time, patient) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    score, time = np.asarray(score, dtype=float), np.asarray(time, dtype=float)
    patient = np.asarray(patient)
    if not (score.ndim == 1 and score.shape == time.shape == patient.shape and len(score)):
        raise DataError(
            "Scores, times and patients must be three columns of the same length, one row per "
            f"score; they have the shapes {score.shape}, {time.shape} and {patient.shape}."
        )
    if not (np.isfinite(score).all() and np.isfinite(time).all()):
        raise DataError(
            "Some scores or times are missing or not finite: leave the rows of scores out that "
            "were not seen."
        )
    patient = _codes(patient, "patient")
    counts = np.bincount(patient)
    if counts.max() < 2:
        raise DataError(
            f"None of the {len(counts)} patients has more than one score, so nothing can be said "
            "about change: give at least two sessions."
        )
    if len(counts) < MIN_PATIENTS:
        raise DataError(
            f"{len(counts)} patients are too few to say how patients differ: give at least "
            f"{MIN_PATIENTS}."
        )
    if np.ptp(score) == 0:
        raise DataError("All scores are the same, so there is no change to model.")
    return score, time, patient


def _codes(codes, unit: str) -> np.ndarray:
    """Codes as integers, checked to be 0 … n - 1 without gaps."""
    found = np.unique(codes)
    if not (np.issubdtype(found.dtype, np.integer) and np.array_equal(found, range(len(found)))):
        raise DataError(
            f"Codes of {unit}s must be the integers 0 … n - 1, each used; "
            "numpy.unique(…, return_inverse=True) makes such codes."
        )
    return np.asarray(codes, dtype=np.int64)


def _occasion(time, patient, occasions) -> np.ndarray:
    if len(occasions) < 2 or occasions[0] != 0 or not (np.diff(occasions) > 0).all():
        raise DataError(
            "Occasions must start at 0, the time of the first scores, and ascend: count sessions "
            "or months since the first score."
        )
    if len(occasions) > MAX_OCCASIONS:
        raise DataError(
            f"Scores were made at {len(occasions)} different times: round them to the occasions at "
            f"which scores were due, at most {MAX_OCCASIONS}."
        )
    if not np.isin(time, occasions).all():
        raise DataError(
            "Some scores were made at a time that is not among the occasions: round times to the "
            "occasions at which scores were due, or give all of them."
        )
    occasion = np.searchsorted(occasions, time)
    if len(np.unique(patient * len(occasions) + occasion)) < len(time):
        raise DataError(
            "Some patients have two scores at one time: keep one, such as the last of the day."
        )
    return occasion


def _units(codes, n_patients: int, unit: str, notes: list[str]) -> np.ndarray | None:
    """Codes of therapists or services; None, with a note, where there is but one."""
    if codes is None:
        return None
    codes = _codes(np.asarray(codes), unit)
    if codes.shape != (n_patients,):
        raise DataError(
            f"There are {len(codes)} {unit}s for {n_patients} patients: give one {unit} per "
            "patient, not per score."
        )
    counts = np.bincount(codes)
    if len(counts) == 1:
        notes.append(f"All patients have the same {unit}: what {unit}s add is not estimable.")
        return None
    if counts.max() == 1:
        raise DataError(
            f"Every {unit} has one patient only, so {unit}s cannot be told from patients: leave "
            f"the {unit} out."
        )
    if (counts == 1).any():
        notes.append(
            f"{(counts == 1).sum()} of {len(counts)} {unit}s have one patient only; they say "
            f"little about how {unit}s differ."
        )
    if len(counts) < FEW_UNITS:
        notes.append(
            f"With {len(counts)} {unit}s, how much {unit}s differ rests largely on its prior."
        )
    return codes


def _covariates(covariates, names, rate_only, n_patients: int) -> np.ndarray:
    shape = (n_patients, len(names))
    x = np.zeros(shape) if covariates is None else np.asarray(covariates, dtype=float)
    if x.shape != shape:
        raise DataError(
            f"Covariates have the shape {x.shape}; with {n_patients} patients and {len(names)} "
            f"names it must be {shape}."
        )
    unknown = set(rate_only) - set(names)
    if unknown:
        raise DataError(f"No covariate is called {', '.join(sorted(unknown))} (rate_only).")
    for name, column in zip(names, x.T, strict=True):
        if not np.isfinite(column).all():
            raise DataError(
                f"Covariate {name} is missing for some patients: impute it or leave it out."
            )
        if np.ptp(column) == 0:
            raise DataError(f"Covariate {name} is the same for all patients: leave it out.")
    return x


def _not_the_first_score(x, names, score, time, patient) -> None:
    """A score cannot be explained by itself: all spread of the level would seem accounted for."""
    first = np.full(len(x), np.nan)
    first[patient[time == 0]] = score[time == 0]
    known = np.isfinite(first)
    for name, column in zip(names, x.T, strict=True):
        there, value = column[known], first[known]
        varies = len(there) > 2 and np.ptp(there) > 0 and np.ptp(value) > 0
        if varies and abs(np.corrcoef(there, value)[0, 1]) > 1 - 1e-9:
            raise DataError(
                f"Covariate {name} is the first score, which is among the scores already: leave "
                "it out; predictions condition on the first score anyway."
            )


def _as_bool(dropped_out, n_patients: int) -> np.ndarray:
    values = np.asarray(dropped_out)
    if values.shape != (n_patients,) or not np.isin(values, (0, 1)).all():
        raise DataError(f"dropped_out must be true or false for each of the {n_patients} patients.")
    return values.astype(bool)
