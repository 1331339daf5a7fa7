"""Expected response of a new patient, and who is not on track."""

import math
from dataclasses import dataclass

import numba
import numpy as np

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.growth import kernel
from iesoresearch.models.growth.curves import Curve, _level
from iesoresearch.models.growth.estimator import GrowthFit


def expected_response(
    fit: GrowthFit,
    times,
    *,
    covariates=None,
    scores=(),
    seen=(),
    level: float = 0.8,
) -> Curve:
    """Expected scores of a new patient, with a band that a score lies in with probability `level`.

    The patient has a therapist and a service that were not among the data. What the scores so far
    say of the patient is taken in by normal conditioning, draw by draw, and the band is that of the
    mixture over the draws, exact and without further random numbers. Kept within the scale.

    Parameters
    ----------
    times
        (times,) at which to predict, between 0 and the last occasion.
    covariates
        (covariates,) of the patient as in the data; by default at their mean.
    scores, seen
        Scores so far, and when they were made.
    level
        Of the band.

    Raises
    ------
    ParameterError
        Times outside the course, scores and times that do not match, or a level outside 0 … 1.
    """
    data, times = fit.data, np.atleast_1d(np.asarray(times, dtype=float))
    scores, seen = np.asarray(scores, dtype=float), np.asarray(seen, dtype=float)
    if scores.shape != seen.shape or not np.isfinite(scores).all():
        raise ParameterError("Give one time in `seen` for each of the scores, none missing.")
    for when in (times, seen):
        if not ((when >= 0) & (when <= data.occasions[-1])).all():
            raise ParameterError(
                f"Times must be between 0 and {data.occasions[-1]:g}, the last occasion of the "
                "data: the model says nothing beyond."
            )
    x = np.zeros(len(data.names))
    if covariates is not None:
        x = _centred(fit, covariates, x.shape)
    sums = kernel.moments(np.zeros(len(seen), dtype=np.int64), data.growth(seen), scores, 1)
    n = len(times)
    found = _bands(fit, np.repeat(sums, n, axis=0), data.growth(times), np.tile(x, (n, 1)), level)
    return Curve(times, *found, level)


@dataclass(frozen=True)
class OffTrack:
    """Scores beside what the first score of the patient let expect, one row per score.

    Attributes
    ----------
    flagged
        Whether the score is above the band: the patient is not on track.
    judged
        Whether there is a band: not for first scores, of patients without a score at time 0, and
        after the last occasion of the data.
    mean, low, high
        Expected score and band; NaN where not judged.
    level
        Of the band.
    """

    flagged: np.ndarray
    judged: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    level: float


def off_track(
    fit: GrowthFit, score, time, patient, *, covariates=None, level: float = 0.8
) -> OffTrack:
    """Which scores lie above the band that is expected from the *first* score.

    The band starts from the first score only, as in expected treatment response (Finch, Lambert &
    Schaalje 2001, Clinical Psychology & Psychotherapy 8:231-242), not from all scores so far: a
    band that moves along with a worsening patient would call the path that led there expected, and
    only sudden jumps would stand out. No score of a row can change another row, except the first.

    Parameters
    ----------
    score, time, patient
        (rows,) of any patients, also those of the fit; `patient` are labels of any kind.
    covariates
        (patients, covariates) in the sorted order of the labels; by default at their mean.
    level
        Of the band; a share (1 - level) / 2 of patients who go on as expected is above it.

    Raises
    ------
    DataError
        Columns of different lengths, values that are not finite, two first scores of a patient.
    """
    data = fit.data
    score, time = np.asarray(score, dtype=float), np.asarray(time, dtype=float)
    labels, who = np.unique(np.asarray(patient), return_inverse=True)
    if not (score.ndim == 1 and score.shape == time.shape == who.shape):
        raise DataError("Scores, times and patients must be columns of the same length.")
    if not (np.isfinite(score).all() and np.isfinite(time).all()):
        raise DataError("Some scores or times are missing or not finite: leave those rows out.")
    start = time == 0
    if np.bincount(who[start], minlength=1).max() > 1:
        raise DataError("Some patients have two scores at time 0: keep one.")
    first = np.full(len(labels), np.nan)
    first[who[start]] = score[start]
    shape = (len(labels), len(data.names))
    x = np.zeros(shape) if covariates is None else _centred(fit, covariates, shape)
    judged = ~start & (time > 0) & (time <= data.occasions[-1]) & np.isfinite(first[who])
    # one band for all who are alike
    alike = np.column_stack([time, first[who], x[who]])[judged]
    alike, member = np.unique(alike, axis=0, return_inverse=True)
    began, ones = alike[:, 1], np.ones(len(alike))
    sums = np.column_stack([ones, 0 * ones, 0 * ones, began, 0 * ones, began**2])
    bands = _bands(fit, sums, data.growth(alike[:, 0]), alike[:, 2:], level)
    columns = np.full((3, len(score)), np.nan)
    columns[:, judged] = np.stack(bands)[:, member.ravel()]
    with np.errstate(invalid="ignore"):
        flagged = score > columns[2]
    return OffTrack(flagged, judged, *columns, level)


def _centred(fit: GrowthFit, covariates, shape: tuple[int, ...]) -> np.ndarray:
    x = np.asarray(covariates, dtype=float)
    if x.shape != shape or not np.isfinite(x).all():
        raise ParameterError(
            f"Covariates must have the shape {shape}, in the order of {list(fit.data.names)}, none "
            "missing."
        )
    return x - fit.data.centre


def _bands(fit: GrowthFit, sums, g, x, level: float):
    """Mean and limits of a score at g(t) of each target, given the `sums` of earlier scores."""
    data, n = fit.data, len(fit.kept("level"))

    def effects(first: str, others: str) -> np.ndarray:
        columns = [fit.kept(first)[:, None]]
        return np.hstack(columns + ([fit.kept(others)] if others in fit.draws else []))

    patient, rate_sd = fit.kept("patient_level_sd"), fit.kept("patient_rate_sd")
    level_sd = np.sqrt(
        patient**2 + fit.kept("therapist_level_sd") ** 2 + fit.kept("service_level_sd") ** 2
    )
    all_rate_sd = np.sqrt(rate_sd**2 + fit.kept("therapist_rate_sd") ** 2)
    shared = patient * rate_sd / (level_sd * all_rate_sd)  # only patients' effects are correlated
    correlation = fit.kept("patient_correlation") * shared
    p = np.column_stack([level_sd, all_rate_sd, correlation, fit.kept("residual_sd")])
    ones, none = np.ones((len(g), 1)), np.zeros((n, 0))
    found = _quantiles(
        np.ascontiguousarray(sums, dtype=float),
        np.ascontiguousarray(g, dtype=float),
        np.hstack([ones, x[:, data.on_level]]),
        np.hstack([ones, x]),
        np.hstack([effects("level", "level_effect"), none]),
        np.hstack([effects("rate", "rate_effect"), none]),
        p,
        (1 - _level(level)) / 2,
    )
    return tuple(np.clip(found, fit.priors.low, fit.priors.high))


@numba.njit(error_model="numpy")  # no cache: it would not notice another kernel
def predictive(m, g, level, rate, p):
    """Mean and standard deviation of a score at g(t), given the scores behind `m`.

    Arguments as of `kernel.conditional`, `p` holding the spread of all effects together.
    """
    _, q00, q10, q11, w0, w1, _, _, _ = kernel.conditional(m, level, rate, p)
    a, b = p[kernel.SD_LEVEL], p[kernel.CORRELATION] * p[kernel.SD_RATE]
    c = math.sqrt(1 - p[kernel.CORRELATION] ** 2) * p[kernel.SD_RATE]
    u0 = (a + b * g) / q00  # Q^-1 L' (1, g)
    u1 = (c * g - q10 * u0) / q11
    sd = math.sqrt(u0 * u0 + u1 * u1 + p[kernel.RESIDUAL] ** 2)
    return level + rate * g + u0 * w0 + u1 * w1, sd


@numba.njit(error_model="numpy")  # no cache: it would not notice another kernel
def _quantiles(sums, g, x_level, x_rate, on_level, on_rate, p, tail):
    """(3, targets) mean, and the quantiles `tail` and 1 - `tail` of the mixture over draws."""
    found = np.empty((3, len(g)))
    mean, sd = np.empty(len(p)), np.empty(len(p))
    for i in range(len(g)):
        for d in range(len(p)):
            level, rate = 0.0, 0.0
            for c in range(x_level.shape[1]):
                level += x_level[i, c] * on_level[d, c]
            for c in range(x_rate.shape[1]):
                rate += x_rate[i, c] * on_rate[d, c]
            mean[d], sd[d] = predictive(sums[i], g[i], level, rate, p[d])
        found[0, i] = mean.mean()
        found[1, i] = _mixture_quantile(mean, sd, tail)
        found[2, i] = _mixture_quantile(mean, sd, 1 - tail)
    return found


@numba.njit(cache=True, error_model="numpy")
def _mixture_quantile(mean, sd, share):
    """Quantile of an equal mixture of normal distributions: Newton steps inside a bracket."""
    low, high = (mean - 9 * sd).min(), (mean + 9 * sd).max()
    at = mean.mean()
    for _ in range(100):
        below, slope = 0.0, 0.0
        for d in range(len(mean)):
            z = (at - mean[d]) / sd[d]
            below += 0.5 * math.erfc(-z / math.sqrt(2))
            slope += math.exp(-0.5 * z * z) / (sd[d] * math.sqrt(2 * math.pi))
        excess = below / len(mean) - share
        if excess > 0:
            high = at
        else:
            low = at
        step = at - excess / (slope / len(mean))
        new = step if low < step < high else 0.5 * (low + high)
        if abs(new - at) < 1e-9:
            return new
        at = new
    return at
