"""Bivariate residuals: which items depend on one another beyond what the states explain."""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from iesoresearch.models.bootstrap import drawn_like, start_values
from iesoresearch.models.ladder import SeverityLadder
from iesoresearch.models.latent_markov import LatentMarkov
from iesoresearch.models.latent_markov.checks import check_items, check_lengths, check_weights
from iesoresearch.seeds import derive

#: `z` of a pair that is called dependent. States are fitted to the same tables, so that under a
#: model that holds z has a standard deviation well below one.
CLEAR = 2.0
_NO_VARIANCE = 1e-12


@dataclass(frozen=True)
class BivariateResiduals:
    """Observed against expected two-way tables of all pairs of items of one session.

    Attributes
    ----------
    pairs : (pairs, 2) array of int
        Columns of the items.
    residual : (pairs,) array
        Observed less expected correlation of their scores; above 0 they go together more than the
        states say. NaN where an item does not vary.
    z : (pairs,) array
        Observed less expected sum of products of the centred scores over its standard deviation
        under the model, its parameters taken as known: a guide to size and sign, no test.
    statistic : (pairs,) array
        Pearson's chi-squared over (levels - 1) * (levels - 1) (Vermunt & Magidson, *Technical Guide
        for Latent GOLD*). It does not follow a chi-squared distribution (Oberski, van Kollenburg &
        Vermunt 2013, doi:10.1007/s11634-013-0146-2).
    p_value, p_positive : (pairs,) array or None
        Share of data sets drawn from the model, the data counted as one, whose `statistic`, or
        `z`, is at least as large. The second looks for one thing only, items that go together
        more than the states say, and finds it more often.
    """

    pairs: np.ndarray
    residual: np.ndarray
    z: np.ndarray
    statistic: np.ndarray
    p_value: np.ndarray | None = None
    p_positive: np.ndarray | None = None

    @property
    def dependent(self) -> np.ndarray:
        """Whether each pair goes together more than the states say: (pairs,).

        A `z` of at least `CLEAR` and, where data sets were drawn, one that 5 % of them reach.
        """
        clear = self.z >= CLEAR
        return clear if self.p_positive is None else clear & (self.p_positive <= 0.05)


def bivariate_residuals(
    model: LatentMarkov,
    items,
    lengths=None,
    *,
    weights=None,
    n_bootstrap: int = 0,
    seed: int | None = None,
) -> BivariateResiduals:
    """Residuals of every pair of items under a fitted model.

    A table holds the sessions in which both items were answered. Expected is the sum over states of
    the expected number of these sessions in the state times the joint probability of the two items
    there, so that neither drop-out nor weights look like dependence.

    Parameters
    ----------
    model
        Fitted, without covariates or drop-out.
    items, lengths, weights
        What it was fitted to, as in `LatentMarkov.fit`.
    n_bootstrap
        Data sets to draw from the model, each fitted again from `model` (a ladder from random
        starts, for it takes no others); 0 for no p values. With weights none are drawn: survey
        weights are no model of how people came about.
    seed
        Of the draws.

    Raises
    ------
    DataError
        As in `LatentMarkov.fit`.
    """
    items = check_items(items)
    lengths = np.diff(check_lengths(items, lengths))
    found = _residuals(model, items, lengths, check_weights(weights, len(lengths)))
    if not n_bootstrap or weights is not None:
        return found
    draws = []
    for b in range(n_bootstrap):
        drawn_by = derive(seed, "bivariate residuals", b)
        drawn = drawn_like(model, items, lengths, drawn_by)
        refit = _refit(model, drawn_by).fit(drawn, lengths)
        draws.append(_residuals(refit, drawn, lengths, None))
    return replace(
        found,
        p_value=_share([draw.statistic for draw in draws], found.statistic),
        p_positive=_share([draw.z for draw in draws], found.z),
    )


def _share(draws: list[np.ndarray], observed: np.ndarray) -> np.ndarray:
    """Share of draws, the data counted as one, that are at least as large."""
    return (1 + (np.stack(draws) >= observed).sum(axis=0)) / (1 + len(draws))


def _refit(model: LatentMarkov, seed: int) -> LatentMarkov:
    levels = model.item_probs_.shape[2] if model.n_categories is None else model.n_categories
    if isinstance(model, SeverityLadder):
        start = {"random_state": seed}
    else:
        start = {"init": start_values(model)}
    return type(model)(**model.get_params() | {"n_categories": levels} | start)


def _residuals(model, items, lengths, weights) -> BivariateResiduals:
    by_row = np.ones(len(items)) if weights is None else np.repeat(weights, lengths)
    posterior = model.predict_proba(items, lengths)
    emission = model._emission()
    pairs = np.array(list(combinations(range(items.shape[1]), 2)))
    values = []
    for one, other in pairs:
        both = (items[:, one] >= 0) & (items[:, other] >= 0)
        joint = emission.two_way(one, other)
        observed = np.zeros(joint.shape[1:])
        np.add.at(observed, (items[both, one], items[both, other]), by_row[both])
        expected = np.tensordot(by_row[both] @ posterior[both], joint, axes=1)
        values.append(_compared(observed, expected, by_row[both]))
    residual, z, statistic = np.array(values).T
    return BivariateResiduals(pairs, residual, z, statistic)


def _compared(observed: np.ndarray, expected: np.ndarray, weights: np.ndarray):
    """Residual correlation, z and chi-squared over its degrees of freedom of one table."""
    possible = expected > 0
    chi = ((observed - expected)[possible] ** 2 / expected[possible]).sum()
    freedom = (possible.any(axis=1).sum() - 1) * (possible.any(axis=0).sum() - 1)
    rows, columns = np.indices(expected.shape)
    share = expected / expected.sum()
    products = (rows - (rows * share).sum()) * (columns - (columns * share).sum())
    mean = (products * share).sum()
    variance = (products**2 * share).sum() - mean**2
    apart = (products * (observed - expected)).sum()
    z = apart / np.sqrt(variance * (weights**2).sum()) if variance > 0 else np.nan
    return _correlation(observed) - _correlation(expected), z, chi / max(freedom, 1)


def _correlation(table: np.ndarray) -> float:
    """Of the scores behind a two-way table; NaN where one of them does not vary."""
    share = table / table.sum()
    rows, columns = np.indices(table.shape)
    rows, columns = rows - (rows * share).sum(), columns - (columns * share).sum()
    variances = (rows**2 * share).sum() * (columns**2 * share).sum()
    if variances < _NO_VARIANCE:
        return np.nan
    return float((rows * columns * share).sum() / np.sqrt(variances))
