"""Multiple imputation by chained equations, and Rubin's rules for what comes out.

Each incomplete variable is regressed on all others in turn; a missing value takes the observed
value of one of the people whose predictions are closest (predictive mean matching, Little 1988,
doi:10.1080/07350015.1988.10509663). Parameters are drawn from their posterior before every
prediction, so that the imputations differ by as much as we do not know. Five donors follow Morris,
White & Royston 2014, doi:10.1186/1471-2288-14-75. It assumes that, given the predictors, those who
did not answer are like those who did, and that the two groups overlap: there is no donor where
everybody is silent.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from iesoresearch.errors import DataError
from iesoresearch.seeds import rng

DONORS = 5
_ALIKE = 9  # decimals
CYCLES = 10  # rounds through the incomplete variables


def fewest(n_variables: int) -> int:
    """Observed values each incomplete variable needs, with `n_variables` of all sorts."""
    return n_variables + 2 * DONORS


def impute(
    targets: np.ndarray,
    predictors: np.ndarray,
    n_imputations: int,
    seed: int,
) -> np.ndarray:
    """Complete the incomplete variables several times over.

    Parameters
    ----------
    targets
        (people, variables), NaN = missing.
    predictors
        (people, predictors), complete.
    n_imputations
        How often.
    seed
        Equal seeds give equal imputations.

    Returns
    -------
    numpy.ndarray
        (imputations, people, variables), without NaN; observed values are unchanged.

    Raises
    ------
    DataError
        A predictor is incomplete, or too few values of a variable were observed.
    """
    targets, predictors = np.asarray(targets, float), np.asarray(predictors, float)
    if np.isnan(predictors).any():
        raise DataError("Imputation needs complete predictors. Leave out the incomplete ones.")
    needed = fewest(targets.shape[1] + predictors.shape[1])
    observed = (~np.isnan(targets)).sum(axis=0)
    if observed.min() < needed:
        raise DataError(
            f"Imputation needs at least {needed} observed values of every variable; there are "
            f"{observed.min()} of one. Bring more data or fewer predictors."
        )
    return np.stack(
        [
            _complete(targets, predictors, rng(seed, "imputation", number))
            for number in range(n_imputations)
        ]
    )


def _complete(targets: np.ndarray, predictors: np.ndarray, random) -> np.ndarray:
    missing = np.isnan(targets)
    filled = targets.copy()
    for j in range(targets.shape[1]):  # to start the chain: values of other people at random
        gaps = missing[:, j]
        filled[gaps, j] = random.choice(targets[~gaps, j], gaps.sum())
    incomplete = np.flatnonzero(missing.any(axis=0))
    # with one incomplete variable nothing is left to be chained
    for _ in range(CYCLES if len(incomplete) > 1 else 1):
        for j in incomplete:
            x = np.column_stack([predictors, np.delete(filled, j, axis=1)])
            filled[missing[:, j], j] = _matched(x, targets[:, j], missing[:, j], random)
    return filled


def _matched(x: np.ndarray, y: np.ndarray, missing: np.ndarray, random) -> np.ndarray:
    """An observed value for every missing one, from a person with a like prediction."""
    scale = x.std(axis=0)
    x = (x - x.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    x = np.column_stack([np.ones(len(x)), x])
    known, answers = x[~missing], y[~missing]
    # einsum adds up in one order, whatever the number of threads
    size, axes = np.linalg.eigh(np.einsum("ij,ik->jk", known, known))
    kept = size > size[-1] * 1e-10  # collinear predictors share what they say
    size, axes = size[kept], axes[:, kept]
    best = axes @ (axes.T @ np.einsum("ij,i->j", known, answers) / size)
    predicted = np.einsum("ij,j->i", known, best)
    freedom = max(len(answers) - len(size), 1)
    spread = ((answers - predicted) ** 2).sum() / random.chisquare(freedom)
    # the symmetric root: which way axes point, and which of equal ones, differs by processor
    turned = axes.T @ random.standard_normal(len(best))
    drawn = best + np.sqrt(spread) * (axes @ (turned / np.sqrt(size)))
    donors = _closest(np.einsum("ij,j->i", x[missing], drawn), predicted)
    chosen = random.integers(0, donors.shape[1], len(donors))
    return answers[donors[np.arange(len(donors)), chosen]]


def _closest(wanted: np.ndarray, offered: np.ndarray) -> np.ndarray:
    """For every wanted number the places of the `DONORS` closest of those offered.

    What differs by less than processors reckon alike is a tie, and the earlier is taken.
    """
    wanted, offered = np.round(wanted, _ALIKE), np.round(offered, _ALIKE)
    order = np.argsort(offered, kind="stable")
    ranked = offered[order]
    place = np.searchsorted(ranked, wanted)
    first = np.clip(place - DONORS, 0, max(len(ranked) - 2 * DONORS, 0))
    window = first[:, None] + np.arange(min(2 * DONORS, len(ranked)))
    apart = np.round(np.abs(ranked[window] - wanted[:, None]), _ALIKE)
    nearest = np.argsort(apart, axis=1, kind="stable")[:, :DONORS]
    return order[np.take_along_axis(window, nearest, axis=1)]


@dataclass(frozen=True)
class Pooled:
    """An estimate over imputations.

    Attributes
    ----------
    low, high
        95 % interval.
    degrees_of_freedom
        Of its t distribution.
    missing_information
        Share of the variance that is due to what is missing.
    """

    estimate: float
    standard_error: float
    degrees_of_freedom: float
    low: float
    high: float
    missing_information: float


def pool(estimates, variances, complete_df: float) -> Pooled:
    """Combine estimates by Rubin's rules (Rubin 1987, doi:10.1002/9780470316696).

    Parameters
    ----------
    estimates, variances
        One of each per imputation, at least two.
    complete_df
        Degrees of freedom there would be had nothing been missing; the interval allows for them
        (Barnard & Rubin 1999, doi:10.1093/biomet/86.4.948).
    """
    estimates, variances = np.asarray(estimates, float), np.asarray(variances, float)
    m = len(estimates)
    within, between = variances.mean(), estimates.var(ddof=1)
    total = within + (1 + 1 / m) * between
    share = (1 + 1 / m) * between / total if total > 0 else 0.0
    observed = (complete_df + 1) / (complete_df + 3) * complete_df * (1 - share)
    # without variance between imputations the data are as good as complete
    freedom = observed if share == 0 else 1 / (share**2 / (m - 1) + 1 / max(observed, 1e-9))
    half = stats.t.ppf(0.975, freedom) * np.sqrt(total)
    centre = estimates.mean()
    return Pooled(
        estimate=float(centre),
        standard_error=float(np.sqrt(total)),
        degrees_of_freedom=float(freedom),
        low=float(centre - half),
        high=float(centre + half),
        missing_information=float(share),
    )
