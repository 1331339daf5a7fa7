"""Net benefit, and how sure a decision is at each willingness to pay.

Ours rather than heormodel's `ceac`, `expected_loss` and `evpi`: those build a frame with a row per
draw and strategy (5.3 million for 100,000 draws and 53 waits) and go over it once per willingness
to pay, and where strategies tie the first one gets all the probability. `benchmarks/decision.py`
has the times.
"""

from dataclasses import dataclass

import numba
import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.decision.checks import numbers, outcomes, strategies, willingness


def net_benefit(costs, effects, wtp: float) -> np.ndarray:
    """Net monetary benefit, ``wtp * effect − cost``, of each draw and strategy (D, K).

    Stinnett & Mullahy 1998, Med Decis Making 18:S68–S80.

    Raises
    ------
    ParameterError
        NaN, shapes that differ, one strategy, a negative or more than one `wtp`.
    """
    cost, effect = outcomes(costs, effects)
    return _one(wtp) * effect - cost


def incremental_net_benefit(costs, effects, wtp: float, reference: int = 0) -> np.ndarray:
    """Net benefit less that of the strategy in column `reference`, (D, K)."""
    nb = net_benefit(costs, effects, wtp)
    return nb - nb[:, [_column(reference, nb.shape[1])]]


@dataclass(frozen=True)
class Acceptability:
    """Uncertainty of a decision over a grid of W values of willingness to pay, K strategies.

    Attributes
    ----------
    wtps : (W,)
    probability : (W, K)
        Share of draws in which each strategy has the highest net benefit (acceptability curve,
        CEAC); a draw in which several tie counts for them in equal parts. Rows sum to one.
    best : (W,)
        Column with the highest expected net benefit; the first of several that tie.
    expected_loss : (W, K)
        What choosing each strategy loses on average against the best one of each draw.
    evpi : (W,)
        Expected value of perfect information: the smallest expected loss.
    """

    wtps: np.ndarray
    probability: np.ndarray
    best: np.ndarray
    expected_loss: np.ndarray
    evpi: np.ndarray

    @property
    def frontier(self) -> np.ndarray:
        """Acceptability frontier (CEAF): probability of the best strategy, (W,)."""
        return self.probability[np.arange(len(self.best)), self.best]


def acceptability(costs, effects, wtps) -> Acceptability:
    """Acceptability curves and frontier, expected loss and EVPI.

    The frontier (Fenwick, Claxton, Sculpher 2001, doi:10.1002/hec.635) is the curve of the strategy
    with the highest expected net benefit, which is not always the one most often best.

    One pass over the draws, without a copy of them: time goes with D × K × W, memory with K × W.

    Parameters
    ----------
    costs, effects : (D, K)
    wtps : (W,)
        Values of willingness to pay, none negative.

    Raises
    ------
    ParameterError
        NaN, shapes that differ, one strategy, a negative willingness to pay.
    """
    cost, effect = outcomes(costs, effects)
    grid = willingness(wtps)
    wins, loss = _compare(cost, effect, grid)
    loss /= len(cost)
    return Acceptability(grid, wins / len(cost), loss.argmin(axis=1), loss, loss.min(axis=1))


def evpi(nb) -> float:
    """Expected value of perfect information from net benefits (D, K), in their unit per decision.

    Raises
    ------
    ParameterError
        NaN, not two axes, one strategy.
    """
    values = strategies(numbers(nb, "net benefits", 2), "net benefits")
    return float((values.max(axis=1, keepdims=True) - values).mean(axis=0).min())


@dataclass(frozen=True)
class Plane:
    """Differences from a reference on the cost-effectiveness plane, one of each per strategy (K,).

    Attributes
    ----------
    cost, effect
        Mean difference in cost and effect.
    cost_interval, effect_interval : (2, K)
        2.5 % and 97.5 % of the draws.
    north_east, north_west, south_east, south_west
        Share of draws dearer and better, dearer and worse, cheaper and better (dominant), cheaper
        and worse. No difference counts as "not dearer" and "not better", so the shares sum to one.
    """

    cost: np.ndarray
    effect: np.ndarray
    cost_interval: np.ndarray
    effect_interval: np.ndarray
    north_east: np.ndarray
    north_west: np.ndarray
    south_east: np.ndarray
    south_west: np.ndarray


def plane(costs, effects, reference: int = 0) -> Plane:
    """Summary of the cost-effectiveness plane against the strategy in column `reference`.

    Raises
    ------
    ParameterError
        NaN, shapes that differ, one strategy, no such column.
    """
    cost, effect = outcomes(costs, effects)
    column = [_column(reference, cost.shape[1])]
    cost, effect = cost - cost[:, column], effect - effect[:, column]
    dearer, better = cost > 0, effect > 0
    return Plane(
        cost.mean(axis=0),
        effect.mean(axis=0),
        np.quantile(cost, [0.025, 0.975], axis=0),
        np.quantile(effect, [0.025, 0.975], axis=0),
        (dearer & better).mean(axis=0),
        (dearer & ~better).mean(axis=0),
        (~dearer & better).mean(axis=0),
        (~dearer & ~better).mean(axis=0),
    )


def _one(wtp):
    value = willingness(wtp)
    if len(value) != 1:
        raise ParameterError(
            f"One willingness to pay is wanted, not {len(value)}; `acceptability` takes a grid."
        )
    return value[0]


def _column(reference, n):
    if not 0 <= reference < n:
        raise ParameterError(
            f"reference {reference} is no column: there are {n} strategies, counted from 0."
        )
    return int(reference)


@numba.njit(cache=True)
def _compare(cost, effect, wtps):
    """Draws won, ties in equal parts, and loss summed over draws; both (W, K)."""
    n, k = cost.shape
    wins, loss = np.zeros((len(wtps), k)), np.zeros((len(wtps), k))
    nb = np.empty(k)
    for d in range(n):
        for w in range(len(wtps)):
            top = -np.inf
            for j in range(k):
                nb[j] = wtps[w] * effect[d, j] - cost[d, j]
                top = max(top, nb[j])
            ties = 0
            for j in range(k):
                loss[w, j] += top - nb[j]
                ties += nb[j] == top
            for j in range(k):
                if nb[j] == top:
                    wins[w, j] += 1.0 / ties
    return wins, loss
