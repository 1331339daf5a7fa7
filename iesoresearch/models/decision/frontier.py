"""Incremental analysis: who is dominated, and what the others cost per unit of effect gained.

heormodel 0.7.4 gives the same on all published cases, but not at ties: of two equal strategies it
calls dominated whichever comes second, and a strategy on the straight line between two others is on
its frontier or off it by round-off, so that pounds and pence may disagree. Hence ours; the tests
compare the two wherever no tie is involved.
"""

from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.decision.checks import labels, numbers, strategies

ON_FRONTIER = "on frontier"
DOMINATED = "dominated"
EXTENDEDLY_DOMINATED = "extendedly dominated"

ROUND_OFF = 1e-12  # of the largest value: differences below it are those of summing in other orders


@dataclass(frozen=True)
class Strategy:
    """One row of an incremental analysis.

    Attributes
    ----------
    name, cost, effect
        As given.
    status
        ``"on frontier"``, ``"dominated"`` (another costs no more and does no less, and is better in
        one of them) or ``"extendedly dominated"`` (not so, yet at no willingness to pay the best).
    icer
        Extra cost per extra unit of effect against `compared_with`; None for the cheapest strategy
        of the frontier and for dominated ones.
    compared_with
        Name of the next cheaper strategy on the frontier, None where there is no `icer`.
    dominated_by
        Of a dominated strategy the cheapest one that dominates it; of an extendedly dominated one
        the two neighbours on the frontier whose mixture does; otherwise empty.
    """

    name: str
    cost: float
    effect: float
    status: str
    icer: float | None
    compared_with: str | None
    dominated_by: tuple[str, ...] = ()


def incremental(costs_mean, effects_mean, names) -> tuple[Strategy, ...]:
    """Incremental cost-effectiveness analysis with strong and extended dominance.

    The rules are those of Karlsson & Johannesson 1996, PharmacoEconomics 9:113–120; the frontier is
    found as a convex hull.

    Strategies that cost and do the same share a place: both are on the frontier, with one ICER, or
    neither is. A strategy on the line between two others is on the frontier (it is among the best
    at one willingness to pay). Differences below 1e-12 of the largest value count as none.

    Parameters
    ----------
    costs_mean, effects_mean : (K,)
        Expected cost and effect per strategy, K ≥ 2; negative values are fine.
    names
        K different names.

    Returns
    -------
    tuple of Strategy
        Cheapest first; equal cost: the more effective first, then by name.

    Raises
    ------
    ParameterError
        NaN, different lengths, one strategy, a name twice.
    """
    cost = strategies(numbers(costs_mean, "mean costs", 1), "mean costs")
    effect = numbers(effects_mean, "mean effects", 1)
    if cost.shape != effect.shape:
        raise ParameterError(
            f"{len(cost)} mean costs but {len(effect)} mean effects; one of each per strategy."
        )
    names = labels(names, len(cost), "strategies")
    c, e = _snap(cost), _snap(effect)
    order = sorted(range(len(c)), key=lambda k: (c[k], -e[k], names[k]))
    hull = _frontier(c, e, order)
    steps = dict(zip(hull[1:], hull, strict=False))
    place = {(c[k], e[k]): k for k in hull}
    rows = []
    for k in order:
        status, icer, before, by = ON_FRONTIER, None, None, ()
        twin = place.get((c[k], e[k]))
        if twin is None:
            status, by = _dominance(k, c, e, order, hull)
        elif twin in steps:
            before = steps[twin]
            icer = float((cost[twin] - cost[before]) / (effect[twin] - effect[before]))
        rows.append(
            Strategy(
                names[k],
                float(cost[k]),
                float(effect[k]),
                status,
                icer,
                None if before is None else names[before],
                tuple(names[j] for j in by),
            )
        )
    return tuple(rows)


def _snap(values):
    """Values that differ by round-off made equal: all take the smallest of them."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    first = np.r_[True, np.diff(ordered) > ROUND_OFF * np.abs(values).max()]
    snapped = np.empty_like(values)
    snapped[order] = ordered[first][np.cumsum(first) - 1]
    return snapped


def _frontier(c, e, order):
    """Places on the lower right convex hull, cheapest first; one strategy for each place."""
    tolerance = ROUND_OFF * np.abs(c).max() * np.abs(e).max()
    hull = []
    for k in order:
        if hull and e[k] <= e[hull[-1]]:
            continue  # dearer or equal, and does no more
        while len(hull) > 1:
            a, b = hull[-2:]
            above = (c[b] - c[a]) * (e[k] - e[a]) - (c[k] - c[a]) * (e[b] - e[a])
            if above <= tolerance:
                break
            hull.pop()
        hull.append(k)
    return hull


def _dominance(k, c, e, order, hull):
    """Status of a strategy that is off the frontier, and who is to thank for it."""
    for j in order:
        if c[j] <= c[k] and e[j] >= e[k] and (c[j] < c[k] or e[j] > e[k]):
            return DOMINATED, (j,)
    above = next(i for i, j in enumerate(hull) if e[j] > e[k])
    return EXTENDEDLY_DOMINATED, (hull[above - 1], hull[above])
