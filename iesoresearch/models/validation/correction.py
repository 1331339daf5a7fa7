"""How much better a model looks on the people it was fitted to than it is: optimism."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from iesoresearch.models.validation.performance import THRESHOLDS, check_thresholds, measures
from iesoresearch.models.validation.refits import Refits

#: Measures whose error is that of the model's level alone: in the people that it is fitted to by
#: maximum likelihood, as many events are predicted as there were.
LEVELS = ("observed_expected", "in_the_large")
JUDGED = "1.96 standard deviations of refits, each judged in a further sample of the patients"
WITHIN = "1.96 standard deviations of refits judged in the original rows"
_Z95 = float(stats.norm.ppf(0.975))


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
        How the interval was made: `JUDGED`, or `WITHIN` for the measures of `LEVELS`.
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

    Harrell, Lee & Mark 1996 (Stat Med 15:361-387). The interval adds what two chances bring: other
    patients to fit to, and other patients to judge in; so every refit is judged once more, in a
    bootstrap sample of its own, and the spread of that is laid around the corrected value. For
    calibration in the large and observed over expected the second chance has cancelled out of the
    corrected value, and the refits are judged in the original rows. The location-shifted interval
    of Noma et al. 2021 (doi:10.1002/sim.9148) has nothing for calibration, and where a model is
    overfitted it is too high, for refits are overfitted more; `studies/optimism.py` shows what
    either covers.

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
    draws = np.empty((3, len(refits.draws), len(apparent)))
    for i, p in enumerate(refits.draws):
        for k, sample in enumerate((refits.sample(i), slice(None), refits.sample(i, "judged"))):
            draws[k, i] = list(measures(y[sample], p[sample], thresholds).values())
    found = {
        name: _corrected(name, value, *draws[:, :, j])
        for j, (name, value) in enumerate(apparent.items())
    }
    return Optimism(found, refits.n_boot, refits.failed)


def _corrected(
    name: str, apparent: float, own: np.ndarray, original: np.ndarray, judged: np.ndarray
) -> Corrected:
    known = np.isfinite(own) & np.isfinite(original)
    n = int(known.sum())
    spread, interval = (original, WITHIN) if name in LEVELS else (judged, JUDGED)
    spread = spread[np.isfinite(spread)]
    if not n:
        return Corrected(apparent, *[float("nan")] * 4, 0, interval)
    optimism = float(np.mean(own[known] - original[known]))
    corrected = apparent - optimism
    half = _Z95 * float(spread.std(ddof=1)) if len(spread) > 1 else float("nan")
    return Corrected(apparent, optimism, corrected, corrected - half, corrected + half, n, interval)
