"""Complex surveys: replicate weights, linearised variance, folds, effective sample size.

People come in primary sampling units (PSUs), and those in strata; a PSU is known by the label of
its stratum *and* its own. Whatever is resampled or held out is whole PSUs, because people of one
resemble each other.
"""

import numpy as np

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.seeds import rng


def rescaling_bootstrap(strata, units, seed: int) -> np.ndarray:
    """What one replicate multiplies the survey weights by.

    The rescaling bootstrap of Rao, Wu and Yue (1992, Survey Methodology 18:209–217): of the n PSUs
    of each stratum n - 1 are drawn with replacement, and a PSU drawn m times counts m n / (n - 1)
    times. The variance of a total over replicates is then, on average, the usual one for PSUs drawn
    with replacement; no finite population correction.

    A stratum with a single PSU has no variance of its own. It is joined to the next stratum (the
    last one to the one before), in the order of their labels, which overstates the variance rather
    than leaving it out.

    Parameters
    ----------
    strata, units : (people,) array_like
        Labels of the stratum and, within it, of the PSU.
    seed
        Of this replicate.

    Returns
    -------
    (people,) array

    Raises
    ------
    DataError
        There are fewer than two PSUs.
    """
    unit, stratum = _design(strata, units)
    random = rng(seed, "rescaling bootstrap")
    multiplier = np.empty(len(stratum))
    for s in range(stratum[-1] + 1):
        (inside,) = np.nonzero(stratum == s)
        n = len(inside)
        drawn = np.bincount(random.integers(0, n, n - 1), minlength=n)
        multiplier[inside] = drawn * n / (n - 1)
    return multiplier[unit]


def folds_by_unit(strata, units, n_folds: int, seed: int) -> np.ndarray:
    """Number of the fold of each person, whole PSUs dealt out at random, stratum by stratum.

    Every fold then holds a like part of the design (Wieczorek, Guerin and McMahon 2022,
    doi:10.1002/sta4.454). Single-PSU strata are dealt out with their neighbour, as in
    `rescaling_bootstrap`.

    Parameters
    ----------
    strata, units : (people,) array_like
        Labels of the stratum and, within it, of the PSU.
    n_folds
        At least 2, at most the number of PSUs.
    seed
        Of the deal.

    Returns
    -------
    (people,) array of int, 0 … n_folds - 1

    Raises
    ------
    ParameterError
        More folds than PSUs, or fewer than two.
    DataError
        There are fewer than two PSUs.
    """
    unit, stratum = _design(strata, units)
    if not 2 <= n_folds <= len(stratum):
        raise ParameterError(
            f"{len(stratum)} sampling units cannot be dealt into {n_folds} folds. Ask for 2 to "
            f"{len(stratum)} folds."
        )
    random = rng(seed, "folds by unit")
    shuffled = np.lexsort((random.random(len(stratum)), stratum))
    fold = np.empty(len(stratum), dtype=np.int64)
    # one deal goes on through all strata, so that folds differ by at most one PSU
    fold[shuffled] = random.permutation(n_folds)[np.arange(len(stratum)) % n_folds]
    return fold[unit]


def covariance_of_totals(values, strata, units) -> np.ndarray:
    """Covariance of the totals of `values`, by the PSUs of each stratum.

    The usual one for PSUs drawn with replacement (Taylor linearisation, where `values` are weighted
    derivatives): n / (n - 1) times the squares of the totals of the n PSUs about their mean,
    stratum by stratum. Strata of a single PSU are joined as in `rescaling_bootstrap`.

    Parameters
    ----------
    values : (people, p) array_like
        Weights included.
    strata, units : (people,) array_like
        Labels of the stratum and, within it, of the PSU.

    Returns
    -------
    (p, p) array

    Raises
    ------
    DataError
        There are fewer than two PSUs.
    """
    values = np.asarray(values, dtype=float)
    unit, stratum = _design(strata, units)
    totals = np.zeros((len(stratum), values.shape[1]))
    np.add.at(totals, unit, values)
    n = np.bincount(stratum)
    means = np.zeros((len(n), values.shape[1]))
    np.add.at(means, stratum, totals / n[stratum][:, None])
    apart = (totals - means[stratum]) * np.sqrt(n / (n - 1))[stratum][:, None]
    return apart.T @ apart


def degrees_of_freedom(strata, units) -> int:
    """PSUs less strata, those of a single PSU joined to a neighbour."""
    _, stratum = _design(strata, units)
    return len(stratum) - int(stratum[-1]) - 1


def effective_sample_size(weights) -> float:
    """Size of the unweighted sample that estimates a mean as precisely (Kish 1965, section 11.7).

    The square of the sum over the sum of squares: what unequal weights cost, clustering apart.

    Parameters
    ----------
    weights : (people,) array_like
        Not negative, and not all zero.

    Raises
    ------
    DataError
        A weight is negative or not finite, or all are zero.
    """
    weights = np.asarray(weights, dtype=float)
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise DataError(
            "Survey weights must be finite and not negative, and one at least above zero. Check "
            "the column weight."
        )
    weights = weights / weights.max()  # squares of large weights stay in range
    return float(weights.sum() ** 2 / (weights**2).sum())


def _design(strata, units) -> tuple[np.ndarray, np.ndarray]:
    """PSU of each person, numbered by stratum and label, and stratum of each PSU, ascending."""
    strata, units = np.asarray(strata), np.asarray(units)
    if strata.ndim != 1 or strata.shape != units.shape:
        raise ParameterError("strata and units must be two lists of one label per person.")
    _, stratum = np.unique(strata, return_inverse=True)
    labels, own = np.unique(units, return_inverse=True)
    codes, unit = np.unique(stratum * max(len(labels), 1) + own, return_inverse=True)
    if len(codes) < 2:
        raise DataError(
            f"A survey design needs at least two sampling units; there is {len(codes)}. Check the "
            "columns stratum and sampling_unit."
        )
    return unit, _joined(codes // len(labels))


def _joined(stratum: np.ndarray) -> np.ndarray:
    """Strata of PSUs, ascending from 0, those of a single PSU joined to a neighbour."""
    groups: list[int] = []  # PSUs in each
    for n in np.bincount(stratum):
        if groups and groups[-1] == 1:
            groups[-1] += int(n)
        else:
            groups.append(int(n))
    if groups[-1] == 1:
        last = groups.pop()
        groups[-1] += last
    return np.repeat(np.arange(len(groups)), groups)
