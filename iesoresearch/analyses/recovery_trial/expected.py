"""Which scores were expected of patients whom the model had not seen, given their first score."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from iesoresearch.data.trials import Trial
from iesoresearch.measures.outcomes import wilson
from iesoresearch.models.growth import GrowthFit, off_track

WIDE, NARROW = 0.95, 0.8  # of the bands; outside the narrow one a patient is called off track


@dataclass(frozen=True)
class Expected:
    """Where scores lie: -1 below the band, 0 in it, 1 above it; NaN = no score, or the first.

    Attributes
    ----------
    wide, narrow
        (patients, occasions), of the bands that hold 95 and 80 % of patients.
    """

    wide: np.ndarray
    narrow: np.ndarray

    @classmethod
    def empty(cls, shape: tuple[int, int]) -> "Expected":
        """No score judged yet."""
        return cls(np.full(shape, np.nan), np.full(shape, np.nan))

    def judge(self, fit: GrowthFit, trial: Trial, whom: np.ndarray) -> None:
        """Fill in the rows of `whom` (a mask) by a model of other patients."""
        patients = np.flatnonzero(whom)
        patient, occasion = np.nonzero(np.isfinite(trial.scores[whom]))
        patient = patients[patient]
        rows = trial.scores[patient, occasion], trial.occasions[occasion], patient
        covariates = trial.covariates[whom]
        for places, level in ((self.wide, WIDE), (self.narrow, NARROW)):
            found = off_track(fit, *rows, covariates=covariates, level=level)
            side = np.where(rows[0] > found.high, 1.0, np.where(rows[0] < found.low, -1.0, 0.0))
            places[patient, occasion] = np.where(found.judged, side, np.nan)


def share(places: np.ndarray, place: int) -> tuple[float, float, float]:
    """Share of scores at a `place` of `Expected`, %, with a 95 % interval.

    Scores of one patient are alike: the interval is Wilson's for as many independent scores as
    would give the share the variance of a ratio of sums over patients. Where all scores, or none,
    are at the place, every patient counts as one score.
    """
    scores = np.isfinite(places).sum(axis=1)
    hits = (places == place).sum(axis=1)
    found, n = hits.sum() / scores.sum(), len(hits)
    variance = n / (n - 1) * ((hits - found * scores) ** 2).sum() / scores.sum() ** 2
    independent = found * (1 - found) / variance if variance > 0 else float((scores > 0).sum())
    ends = pl.select(**wilson(pl.lit(found * independent), pl.lit(independent))).row(0)
    return tuple(100 * float(x) for x in ends)
