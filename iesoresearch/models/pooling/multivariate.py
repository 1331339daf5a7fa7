"""Pooling whole regressions: vectors of coefficients with their covariance matrices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from iesoresearch.errors import DataError

_SYMMETRIC = 1e-6  # relative: rounding to a few digits leaves no more


@dataclass(frozen=True)
class Coefficients:
    """A regression of one site.

    Attributes
    ----------
    names
        Of the coefficients.
    values
        (names,).
    covariance
        (names, names).
    """

    names: tuple[str, ...]
    values: np.ndarray
    covariance: np.ndarray

    def __post_init__(self):
        k, found = len(self.names), np.asarray(self.covariance, dtype=float)
        if np.shape(self.values) != (k,) or found.shape != (k, k):
            raise DataError(f"{k} names need {k} coefficients and a {k} × {k} covariance.")
        if not (np.isfinite(found).all() and np.isfinite(self.values).all()):
            raise DataError("A coefficient or its covariance is no number: leave that site out.")
        scale = np.sqrt(np.abs(np.outer(found.diagonal(), found.diagonal())))
        if (np.abs(found - found.T) > _SYMMETRIC * scale).any():
            raise DataError("A covariance matrix is not symmetric.")
        if np.linalg.eigvalsh(found).min() <= 0:
            raise DataError(
                "A covariance matrix is not positive definite: it was damaged, or rounded to too "
                "few digits."
            )

    def among(self, names: Sequence[str]) -> "Coefficients":
        """Only those named: the others are marginalised, not fixed."""
        at = [self.names.index(name) for name in names]
        return Coefficients(tuple(names), self.values[at], self.covariance[np.ix_(at, at)])


@dataclass(frozen=True)
class PooledCoefficients:
    """Common coefficients of several sites.

    Attributes
    ----------
    names, values, covariance
        As of `Coefficients`; of every name that any site has.
    sites
        (names,) sites that have each.
    q, q_df, q_p
        Test that all sites have the same coefficients.
    """

    names: tuple[str, ...]
    values: np.ndarray
    covariance: np.ndarray
    sites: np.ndarray
    q: float
    q_df: int
    q_p: float

    @property
    def errors(self) -> np.ndarray:
        """(names,) standard errors."""
        return np.sqrt(self.covariance.diagonal())


def inverse_variance(sites: Sequence[Coefficients]) -> PooledCoefficients:
    """Generalised least squares: the vector that all sites share, weighted by their information.

    With the same model at each site it is the joint fit with a constant of each site, but for terms
    of second order (Becker & Wu 2007, Statistical Science 22): the constants of the sites are
    marginalised away, not pooled. A coefficient that a site lacks is estimated from the others.

    Raises
    ------
    DataError
        No site.
    """
    if not sites:
        raise DataError("There are no coefficients to pool.")
    names = tuple(dict.fromkeys(name for site in sites for name in site.names))
    information, weighted = np.zeros((len(names),) * 2), np.zeros(len(names))
    for site in sites:
        at, precision = _placed(names, site)
        information[np.ix_(at, at)] += precision
        weighted[at] += precision @ site.values
    values = np.linalg.solve(information, weighted)
    q = 0.0
    for site in sites:
        at, precision = _placed(names, site)
        apart = site.values - values[at]
        q += float(apart @ precision @ apart)
    df = sum(len(site.names) for site in sites) - len(names)
    counted = np.array([sum(name in site.names for site in sites) for name in names])
    p = float(stats.chi2.sf(q, df)) if df else float("nan")
    return PooledCoefficients(names, values, np.linalg.inv(information), counted, q, df, p)


def _placed(names: tuple[str, ...], site: Coefficients) -> tuple[list[int], np.ndarray]:
    return [names.index(name) for name in site.names], np.linalg.inv(site.covariance)
