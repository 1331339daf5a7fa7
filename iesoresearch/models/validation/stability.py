"""How much predictions would change had other people been in the data: instability.

Riley & Collins 2023 (doi:10.1002/bimj.202200302): the refits of a bootstrap predict for the people
that the model was fitted to, and their predictions, calibration curves, classes and decision curves
are laid beside those of the model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from iesoresearch.models.evaluation import curve
from iesoresearch.models.validation.performance import THRESHOLDS, check_thresholds
from iesoresearch.models.validation.refits import Refits

BINS = 20  # of rows with like predictions, where there are so many
FEWEST = 20  # rows in a bin
GRID = np.arange(1, 100) / 100  # thresholds of the decision curve
RANGE = (0.025, 0.5, 0.975)


@dataclass(frozen=True)
class Bins:
    """Rows put together by the model's prediction, lowest first; nothing of one person.

    Attributes
    ----------
    n
        (bins,) rows.
    predicted
        (bins,) mean prediction of the model.
    low, high, mape
        (bins,) means of those of the rows.
    flips
        (thresholds, bins) mean share of refits that put a row into the other class.
    """

    n: np.ndarray
    predicted: np.ndarray
    low: np.ndarray
    high: np.ndarray
    mape: np.ndarray
    flips: np.ndarray


@dataclass(frozen=True)
class Curves:
    """Curves of the refits beside that of the model, pointwise.

    Attributes
    ----------
    at
        (points,) predictions, or thresholds.
    model
        (points,) of the model; NaN where it has none.
    draws
        (curves, points) of the refits.
    low, middle, high
        (points,) 2.5 %, 50 % and 97.5 % of `draws`.
    missing
        Refits without a curve.
    """

    at: np.ndarray
    model: np.ndarray
    draws: np.ndarray
    low: np.ndarray
    middle: np.ndarray
    high: np.ndarray
    missing: int


@dataclass(frozen=True)
class Instability:
    """What the refits make of the original rows.

    `low`, `high`, `mape` and `flips` are of single people: not for a report, where `bins` are.

    Attributes
    ----------
    low, high
        (rows,) 2.5 % and 97.5 % of the refits' predictions.
    mape
        (rows,) mean absolute difference of the refits' predictions from the model's.
    mean_mape
        Mean of these.
    thresholds
        (thresholds,) at or above which a prediction is of the upper class.
    flips
        (thresholds, rows) share of refits that put the row into the other class.
    flip_share
        (thresholds,) means of these.
    bins
        Of rows with like predictions.
    calibration
        Curves by the smoother of `evaluation.curve`; `smoother` says which the model's is, or why
        there is none.
    decision
        Net benefit over thresholds from 0.01 to 0.99.
    n_boot, failed
        As in `Optimism`.
    """

    low: np.ndarray
    high: np.ndarray
    mape: np.ndarray
    mean_mape: float
    thresholds: np.ndarray
    flips: np.ndarray
    flip_share: np.ndarray
    bins: Bins
    calibration: Curves
    smoother: str
    decision: Curves
    n_boot: int
    failed: dict[str, int]


def instability(refits: Refits, thresholds: Sequence[float] = THRESHOLDS) -> Instability:
    """Compare the refits with the model on the original rows.

    Parameters
    ----------
    refits
        From `refit`.
    thresholds
        Of classes.

    Raises
    ------
    ParameterError
        Thresholds that are none.
    """
    thresholds = np.array(check_thresholds(thresholds))
    p, draws = refits.p, refits.draws
    low, high = np.quantile(draws, [RANGE[0], RANGE[2]], axis=0)
    mape = np.abs(draws - p).mean(axis=0)
    flips = np.array([((draws >= t) != (p >= t)).mean(axis=0) for t in thresholds])
    flips = flips.reshape(len(thresholds), len(p))
    calibration, smoother = _calibration(refits)
    return Instability(
        low=low,
        high=high,
        mape=mape,
        mean_mape=float(mape.mean()),
        thresholds=thresholds,
        flips=flips,
        flip_share=flips.mean(axis=1),
        bins=_bins(p, low, high, mape, flips),
        calibration=calibration,
        smoother=smoother,
        decision=_decision(refits),
        n_boot=refits.n_boot,
        failed=refits.failed,
    )


def _bins(p, low, high, mape, flips) -> Bins:
    order = np.argsort(p, kind="stable")
    parts = np.array_split(order, max(1, min(BINS, len(p) // FEWEST)))

    def means(values):
        return np.stack([values[..., rows].mean(axis=-1) for rows in parts], axis=-1)

    n = np.array([len(rows) for rows in parts])
    return Bins(n, means(p), means(low), means(high), means(mape), means(flips))


def _calibration(refits: Refits) -> tuple[Curves, str]:
    y = refits.rows.y
    own = curve.fit(y, refits.p)
    if isinstance(own, str):
        return _curves(np.empty(0), np.empty(0), np.empty((0, 0)), len(refits.draws)), own
    at = curve.grid(refits.p)
    fits = [curve.fit(y, p) for p in refits.draws]
    draws = np.array([fit.observed(at) for fit in fits if not isinstance(fit, str)])
    draws = draws.reshape(-1, len(at))
    return _curves(at, own.observed(at), draws, len(fits) - len(draws)), own.description


def _decision(refits: Refits) -> Curves:
    y = refits.rows.y
    own, *draws = (_benefits(y, p) for p in (refits.p, *refits.draws))
    return _curves(GRID, own, np.array(draws), 0)


def _benefits(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """`metrics.net_benefit` at all thresholds of `GRID` from one sorting."""
    order = np.argsort(p, kind="stable")
    below = np.searchsorted(p[order], GRID)  # rows under each threshold
    hits = y.sum() - np.append(0, np.cumsum(y[order]))[below]
    return (hits - GRID / (1 - GRID) * (len(y) - below - hits)) / len(y)


def _curves(at, model, draws, missing: int) -> Curves:
    if not len(draws):
        return Curves(at, model, draws, *[np.full(len(at), np.nan)] * 3, missing)
    return Curves(at, model, draws, *np.quantile(draws, RANGE, axis=0), missing)
