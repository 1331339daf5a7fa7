"""Pooling rare events by their likelihood: proportions and odds ratios, zero cells and ranges.

Counts enter as binomial, never as estimates with standard errors, so nothing is added to a zero. A
count that is known within ranges enters with the probability of all values that it may have. Where
the number of people is itself known within a range, each of its values counts alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from iesoresearch.errors import DataError
from iesoresearch.models.pooling.counts import Count
from iesoresearch.models.pooling.mixture import LIMIT, Likely, Site, pool_sites, profiled

_MOST_SIZES = 400  # possible numbers of people that are gone through


@dataclass(frozen=True)
class Proportion:
    """People with the event among all, of one site."""

    events: Count
    n: Count

    def __post_init__(self):
        if self.events.low > self.n.high:
            raise DataError("More people with the event than people: the counts are of others.")


@dataclass(frozen=True)
class TwoGroups:
    """The same of two groups of one site: the odds ratio is of the first against the second."""

    first: Proportion
    second: Proportion


def proportion(rows: Sequence[Proportion], common: bool = False) -> Likely:
    """Binomial-normal model: log odds of the sites are normal around their average.

    The generalised linear mixed model of Stijnen, Hamza & Özdemir 2010 (Statistics in Medicine 29)
    with the exact marginal likelihood.

    Parameters
    ----------
    rows
        Sites; those that say nothing (`says_nothing`) are passed over.
    common
        One proportion for all sites.

    Raises
    ------
    DataError
        No site says anything.
    """
    return pool_sites([_of_proportion(row) for row in rows if not says_nothing(row)], common)


def odds_ratio(rows: Sequence[TwoGroups], common: bool = False) -> Likely:
    """Hypergeometric-normal model: log odds ratios of the sites are normal around their average.

    The exact conditional model of Stijnen, Hamza & Özdemir 2010 (Statistics in Medicine 29): given
    how many of a site have the event, the noncentral hypergeometric distribution, free of the
    site's own odds. Where that number is known within a range, each of its values counts alike;
    numbers of people are taken at the middle of theirs.
    Sites in which nobody or everybody may have the event say nothing.

    Parameters and errors as of `proportion`.
    """
    return pool_sites([_of_groups(row) for row in rows if not _silent(row)], common)


def beta_binomial(rows: Sequence[Proportion]) -> Likely:
    """Proportions of the sites follow a beta distribution, its mean in log odds.

    ``tau`` is the correlation within sites, 1 / (a + b + 1), from 0 to 1, in place of a standard
    deviation, and there is no prediction interval. Beside `proportion` it tells how much hangs on
    the shape of the distribution between sites.

    Parameters and errors as of `proportion`.
    """
    parts = [_combinations(row) for row in rows if not says_nothing(row)]
    if not parts:
        raise DataError("No site says anything of this, so there is nothing to pool.")

    x, n, w = (np.concatenate(column) for column in zip(*parts, strict=True))
    first = np.cumsum([0, *(len(part[0]) for part in parts)])[:-1]

    def value(mean: float, rho: float) -> float:
        if rho < 1e-9:
            terms = w + x * mean - n * np.logaddexp(0.0, mean)
        else:
            scale, p = 1 / min(rho, 1 - 1e-9) - 1, special.expit(mean)
            a, b = p * scale, (1 - p) * scale
            terms = w + special.betaln(x + a, n - x + b) - special.betaln(a, b)
        top = np.maximum.reduceat(terms, first)
        sizes = np.diff([*first, len(terms)])
        sums = np.add.reduceat(np.exp(terms - np.repeat(top, sizes)), first)
        return float((np.log(sums) + top).sum())

    found = profiled(value, len(parts), LIMIT, 0.999 if len(parts) > 1 else 0.0)
    nan = float("nan")
    return Likely(**(vars(found) | {"predicted_low": nan, "predicted_high": nan}))


def says_nothing(row: Proportion) -> bool:
    """Whether a site's ranges allow every share of people: then it moves nothing."""
    everything = row.events.low == 0 and len(row.events.ranges) == 1
    return row.n.low == 0 or (everything and row.events.high >= row.n.high)


def _silent(row: TwoGroups) -> bool:
    if says_nothing(row.first) or says_nothing(row.second):
        return True
    total = row.first.events.high + row.second.events.high
    least = row.first.events.low + row.second.events.low
    return total == 0 or least >= row.first.n.high + row.second.n.high


def _combinations(row: Proportion) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Every pair of events and people, and the log of its weight with its binomial coefficient."""
    sizes = row.n.values()
    if len(sizes) > _MOST_SIZES:
        raise DataError(
            f"The number of people is known to lie between {row.n.low} and {row.n.high} only: too "
            "little to pool it. Leave that site out."
        )
    events = row.events.values()
    x, n = (part.ravel() for part in np.meshgrid(events, sizes))
    x, n = x[x <= n].astype(float), n[x <= n].astype(float)
    choose = special.gammaln(n + 1) - special.gammaln(x + 1) - special.gammaln(n - x + 1)
    return x, n, choose - np.log(len(sizes))


def _binomial(x: np.ndarray, n: np.ndarray, w: np.ndarray, at: np.ndarray) -> np.ndarray:
    """(values,) log-probability of the counts at log odds `at`."""
    tail = np.logaddexp(0.0, at)
    return special.logsumexp(w + x * at[:, None] - n * tail[:, None], axis=1)


@lru_cache(maxsize=256)  # the same site is asked in several ways
def _of_proportion(row: Proportion) -> Site:
    x, n, w = _combinations(row)
    events, people = x.mean(), n.mean()
    if len(row.events.ranges) > 1:  # of two ranges the grid is laid about the wider peak: the first
        events = row.events.ranges[0][1] / 2
    share = (events + 0.5) / (people + 1)
    width = (people * share * (1 - share)) ** -0.5
    return Site(lambda at: _binomial(x, n, w, at), float(special.logit(share)), float(width))


def _of_groups(row: TwoGroups) -> Site:
    first, second = row.first, row.second
    sizes = (first.n.low + first.n.high) // 2, (second.n.low + second.n.high) // 2
    events = [
        np.minimum(part.events.values(), n) for part, n in zip((first, second), sizes, strict=True)
    ]
    allowed = [set(values.tolist()) for values in events]
    totals = range(int(events[0][0] + events[1][0]), int(events[0][-1] + events[1][-1]) + 1)
    tables = [_table(total, sizes, allowed) for total in totals]
    tables = [table for table in tables if table is not None]

    def log_likelihood(at: np.ndarray) -> np.ndarray:
        each = [_conditional(*table, at) for table in tables]
        return special.logsumexp(each, axis=0) - np.log(len(each))

    a, b = (float(np.mean(values)) for values in events)
    cells = np.array([a, sizes[0] - a, b, sizes[1] - b]) + 0.5
    top = float(np.log(cells[0] * cells[3] / cells[1] / cells[2]))
    return Site(log_likelihood, top, float(np.sqrt((1 / cells).sum())))


def _table(total: int, sizes: tuple[int, int], allowed) -> tuple | None:
    """First cells that go with a total, which of them are allowed, and log weights; None if none.

    `sizes` are numbers of people of both groups.
    """
    a = np.arange(max(0, total - sizes[1]), min(sizes[0], total) + 1)
    possible = np.isin(a, list(allowed[0])) & np.isin(total - a, list(allowed[1]))
    if not possible.any():
        return None
    weights = sum(
        special.gammaln(n + 1) - special.gammaln(x + 1) - special.gammaln(n - x + 1)
        for n, x in ((sizes[0], a), (sizes[1], total - a))
    )
    return a.astype(float), possible, weights


def _conditional(a, possible, weights, at: np.ndarray) -> np.ndarray:
    """(values,) log-probability that the first cell is one of those possible."""
    powers = weights + a * at[:, None]
    return special.logsumexp(powers[:, possible], axis=1) - special.logsumexp(powers, axis=1)
