"""Results by group of people, and who gains: subgroups and equity weights.

Assumed here, and to be said with every result: the shares of groups are known, groups do not
differ in what else they forgo unless that is given, and net health benefits add up over people
(with equity weights: after weighting). No weight is suggested; what society wants is not data.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.decision.checks import labels, numbers, strategies, willingness
from iesoresearch.models.decision.frontier import Strategy, incremental


@dataclass(frozen=True)
class Subgroup:
    """Decision analysis of one group.

    Attributes
    ----------
    name, share
        Of the group.
    incremental
        Its own frontier, from mean costs and effects.
    net_benefit : (K,)
        Expected, per person of the group.
    best
        Column of the highest, the first of several that tie.
    probability : (K,)
        Share of draws in which each strategy is best; ties count in equal parts.
    """

    name: str
    share: float
    incremental: tuple[Strategy, ...]
    net_benefit: np.ndarray
    best: int
    probability: np.ndarray


@dataclass(frozen=True)
class Subgroups:
    """All groups, what is best for all alike, and what choosing by group adds.

    Attributes
    ----------
    groups
    best
        Column of the highest net benefit averaged over groups by their shares.
    value_of_choosing
        Net benefit per person gained if each group gets what is best for it instead.
    """

    groups: tuple[Subgroup, ...]
    best: int
    value_of_choosing: float


def by_subgroup(
    costs, effects, wtp: float, *, groups: Sequence[str], shares, names: Sequence[str]
) -> Subgroups:
    """Decision analysis within each group, and over all.

    Parameters
    ----------
    costs, effects : (D, G, K)
        Per draw, group and strategy, per person of the group.
    wtp
        Willingness to pay per unit of effect, the same for all groups.
    groups, names
        Names of the G groups and the K strategies.
    shares : (G,)
        Of the people, above 0; made to sum to one.

    Raises
    ------
    ParameterError
        NaN, shapes or names that do not fit, a share of 0 or less, one strategy.
    """
    cost, effect, groups, share = _grouped(costs, effects, groups, shares)
    benefit = float(willingness([wtp])[0]) * effect - cost
    mean = benefit.mean(axis=0)
    top = benefit == benefit.max(axis=2, keepdims=True)
    probability = (top / top.sum(axis=2, keepdims=True)).mean(axis=0)
    rows = tuple(
        Subgroup(
            name,
            float(share[g]),
            incremental(cost[:, g].mean(axis=0), effect[:, g].mean(axis=0), names),
            mean[g],
            int(mean[g].argmax()),
            probability[g],
        )
        for g, name in enumerate(groups)
    )
    overall = share @ mean
    return Subgroups(rows, int(overall.argmax()), float(share @ mean.max(axis=1) - overall.max()))


@dataclass(frozen=True)
class Distribution:
    """Who gains from a strategy, in units of effect (health) per person of the group.

    Attributes
    ----------
    groups, shares, weights
        As given, shares summing to one and weights to an average of one over people.
    gain : (G,)
        Expected net health benefit: effect gained less the health forgone for what it costs.
    interval : (2, G)
        2.5 % and 97.5 % of the draws.
    probability_of_gain : (G,)
        Share of draws with a gain above 0.
    total, weighted_total
        Averages over people, plain and by equity weight.
    probability, weighted_probability
        Share of draws in which these are above 0.
    gainers, losers
        Names of groups whose expected gain is above, and below, 0.
    """

    groups: tuple[str, ...]
    shares: np.ndarray
    weights: np.ndarray
    gain: np.ndarray
    interval: np.ndarray
    probability_of_gain: np.ndarray
    total: float
    weighted_total: float
    probability: float
    weighted_probability: float
    gainers: tuple[str, ...]
    losers: tuple[str, ...]


def distributional(
    costs,
    effects,
    wtp: float,
    *,
    groups: Sequence[str],
    shares,
    weights,
    burden=None,
    strategy: int = 1,
    reference: int = 0,
) -> Distribution:
    """Net health benefit of a strategy against its reference, by group and by equity weight.

    All money comes from one budget: the average extra cost, divided by `wtp`, is health forgone,
    and `burden` says by whom (Asaria, Griffin, Cookson 2016, doi:10.1177/0272989X15583266; here
    with plain weights, not an index of inequality aversion).

    Parameters
    ----------
    costs, effects : (D, G, K)
        Per draw, group and strategy, per person of the group.
    wtp
        Above 0: what one unit of health costs elsewhere in the budget.
    groups
        Names of the G groups, such as fifths of deprivation.
    shares : (G,)
        Of the people, above 0; made to sum to one.
    weights : (G,)
        Worth of one unit of health in each group, relative to each other, none negative.
    burden : (G,), optional
        Share of the health forgone that falls on each group; made to sum to one. By default it
        falls on all people alike, that is by `shares`.

    Raises
    ------
    ParameterError
        NaN, shapes or names that do not fit, a share of 0 or less, negative weights, `wtp` of 0.
    """
    cost, effect, groups, share = _grouped(costs, effects, groups, shares)
    price = float(willingness([wtp])[0])
    if price == 0:
        raise ParameterError("At a willingness to pay of 0 no health is forgone for any cost.")
    for column in (strategy, reference):
        if not 0 <= column < cost.shape[2]:
            raise ParameterError(
                f"Strategy {column} is no column: there are {cost.shape[2]}, counted from 0."
            )
    weight = _positive(weights, len(groups), "weights", zero=True)
    weight = weight / (share @ weight)
    falls = share if burden is None else _positive(burden, len(groups), "burden", zero=True)
    falls = falls / falls.sum()
    forgone = (cost[:, :, strategy] - cost[:, :, reference]) @ share / price
    gain = effect[:, :, strategy] - effect[:, :, reference] - np.outer(forgone, falls / share)
    total, weighted = gain @ share, gain @ (share * weight)
    mean = gain.mean(axis=0)
    return Distribution(
        groups,
        share,
        weight,
        mean,
        np.quantile(gain, [0.025, 0.975], axis=0),
        (gain > 0).mean(axis=0),
        float(total.mean()),
        float(weighted.mean()),
        float((total > 0).mean()),
        float((weighted > 0).mean()),
        tuple(name for name, value in zip(groups, mean, strict=True) if value > 0),
        tuple(name for name, value in zip(groups, mean, strict=True) if value < 0),
    )


def _grouped(costs, effects, groups, shares):
    cost = strategies(numbers(costs, "costs", 3), "costs")
    effect = numbers(effects, "effects", 3)
    if cost.shape != effect.shape:
        raise ParameterError(
            f"costs have shape {cost.shape}, effects {effect.shape}; both must be (draws, groups, "
            "strategies)."
        )
    groups = labels(groups, cost.shape[1], "groups")
    share = _positive(shares, len(groups), "shares")
    return cost, effect, groups, share / share.sum()


def _positive(values, n, label, *, zero=False):
    array = numbers(values, label, 1)
    if (
        len(array) != n
        or (array < 0).any()
        or array.sum() == 0
        or (not zero and (array == 0).any())
    ):
        raise ParameterError(
            f"{label} must be {n} numbers, one per group, {'not negative' if zero else 'above 0'}"
            f"{' and not all 0' if zero else ''}."
        )
    return array
