"""How much better a model looks on the people it was fitted to than it is: optimism."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from iesoresearch.models.validation.performance import (
    CALIBRATION,
    THRESHOLDS,
    check_thresholds,
    measures,
)
from iesoresearch.models.validation.refits import Refits

SHIFTED = "percentiles of the refits in their own samples, less the optimism"
#: For the measures of `CALIBRATION`, which have no spread there.
AROUND = "percentiles of the refits in the original rows, moved to the corrected value"


@dataclass(frozen=True)
class Corrected:
    """A measure as it appears and as it is to be expected in new people of the same kind.

    Attributes
    ----------
    apparent
        Of the model in the people it was fitted to.
    optimism
        Mean over refits of the measure in the refit's own sample less that in the original rows.
    corrected, low, high
        Apparent less optimism, with 95 % interval.
    n
        Refits with this measure.
    interval
        How the interval was made: `SHIFTED` or `AROUND`.
    """

    apparent: float
    optimism: float
    corrected: float
    low: float
    high: float
    n: int
    interval: str


@dataclass(frozen=True)
class Optimism:
    """Every measure corrected, and what became of the refits.

    Attributes
    ----------
    measures
        `Corrected` by name of the measure.
    n_boot
        Refits tried.
    failed
        Of these without a model, by reason.
    """

    measures: dict[str, Corrected]
    n_boot: int
    failed: dict[str, int]


def optimism(refits: Refits, thresholds: Sequence[float] = THRESHOLDS) -> Optimism:
    """Harrell's bootstrap correction of all measures.

    Harrell, Lee & Mark 1996 (Stat Med 15:361-387). Intervals are the location-shifted ones of Noma
    et al. 2021 (doi:10.1002/sim.9148): the bootstrap distribution of the apparent measure, moved by
    the optimism; they take no account of the error of the optimism and are somewhat narrow. The
    calibration slope, its intercept and observed over expected are the same in every sample that a
    model is fitted to by maximum likelihood, so that nothing could be shifted. Their intervals say
    instead how the measure varies in the original rows from refit to refit.

    Parameters
    ----------
    refits
        From `refit`.
    thresholds
        Of the net benefit.

    Raises
    ------
    ParameterError
        Thresholds that are none.
    """
    thresholds = check_thresholds(thresholds)
    y = refits.rows.y
    apparent = measures(y, refits.p, thresholds)
    own, original = np.empty((2, len(refits.draws), len(apparent)))
    for i, p in enumerate(refits.draws):
        sample = refits.sample(i)
        own[i] = list(measures(y[sample], p[sample], thresholds).values())
        original[i] = list(measures(y, p, thresholds).values())
    found = {
        name: _corrected(name, value, own[:, j], original[:, j])
        for j, (name, value) in enumerate(apparent.items())
    }
    return Optimism(found, refits.n_boot, refits.failed)


def _corrected(name: str, apparent: float, own: np.ndarray, original: np.ndarray) -> Corrected:
    known = np.isfinite(own) & np.isfinite(original)
    own, original = own[known], original[known]
    interval = AROUND if name in CALIBRATION else SHIFTED
    if not len(own):
        return Corrected(apparent, *[float("nan")] * 4, 0, interval)
    optimism = float(np.mean(own - original))
    if interval == AROUND:
        low, high = np.quantile(original, [0.025, 0.975]) + apparent - own.mean()
    else:
        low, high = np.quantile(own, [0.025, 0.975]) - optimism
    corrected = apparent - optimism
    return Corrected(
        apparent, optimism, corrected, float(low), float(high), len(own), interval
    )  # fmt: skip
