"""Subgroups and equity weights against hand calculation, and what must add up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.errors import ParameterError
from iesoresearch.models import decision

# Two draws, two groups, two strategies: the second costs 100 and helps the severe group only.
COSTS = np.array([[[0.0, 100], [0, 100]], [[0, 100], [0, 100]]])
EFFECTS = np.array([[[1.0, 1.0], [0.5, 0.52]], [[1.0, 1.0], [0.5, 0.50]]])
WHO = {"groups": ["mild", "severe"], "shares": [3, 1]}


def test_subgroups_by_hand():
    found = decision.by_subgroup(COSTS, EFFECTS, 20_000, names=["wait", "treat"], **WHO)
    mild, severe = found.groups
    assert (mild.share, severe.share) == (0.75, 0.25)
    assert mild.net_benefit == pytest.approx([20_000, 19_900])
    assert severe.net_benefit == pytest.approx([10_000, 10_100])
    assert (mild.best, severe.best, found.best) == (0, 1, 0)
    assert severe.probability.tolist() == [0.5, 0.5]
    assert [row.status for row in mild.incremental] == [decision.ON_FRONTIER, decision.DOMINATED]
    assert severe.incremental[1].icer == pytest.approx(100 / 0.01)
    # All alike: nobody treated. By group: a quarter gain 100 each.
    assert found.value_of_choosing == pytest.approx(25)


def test_choosing_is_worth_nothing_where_groups_agree():
    effects = EFFECTS + np.array([0, 0.1])
    found = decision.by_subgroup(COSTS, effects, 20_000, names=["wait", "treat"], **WHO)
    assert [group.best for group in found.groups] == [1, 1] == [found.best] * 2
    assert found.value_of_choosing == pytest.approx(0, abs=1e-9)


def test_distribution_by_hand():
    """100 ÷ 20,000 = 0.005 of health forgone by everybody; the severe gain 0.02 or nothing."""
    found = decision.distributional(COSTS, EFFECTS, 20_000, weights=[1, 3], **WHO)
    assert found.gain == pytest.approx([-0.005, 0.01 - 0.005])
    assert found.total == pytest.approx(-0.75 * 0.005 + 0.25 * 0.005)
    # weights 1 and 3 over shares 3/4 and 1/4 average 1.5
    assert found.weights == pytest.approx([2 / 3, 2])
    assert found.weighted_total == pytest.approx(-0.75 * 0.005 * 2 / 3 + 0.25 * 0.005 * 2)
    assert found.probability_of_gain.tolist() == [0, 0.5]
    # by draw: (−0.005 × 2/3 × 3/4) + (0.015 × 2 × 1/4) > 0, then a loss for both groups
    assert found.weighted_probability == 0.5
    assert (found.gainers, found.losers) == (("severe",), ("mild",))
    # At 40,000 half as much is forgone: 0.02 × 1/4 − 0.0025 > 0, then 0 − 0.0025
    assert decision.distributional(COSTS, EFFECTS, 40_000, weights=[1, 3], **WHO).probability == 0.5


def test_burden_moves_what_is_forgone():
    """All that is forgone falls on the mild group: 0.005 per head of all, over 3/4 of the heads."""
    found = decision.distributional(COSTS, EFFECTS, 20_000, weights=[1, 1], burden=[1, 0], **WHO)
    assert found.gain == pytest.approx([-0.005 / 0.75, 0.01])
    assert found.total == pytest.approx(0.25 * 0.01 - 0.005)


shares = st.lists(st.floats(0.1, 10), min_size=3, max_size=3)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), shares, shares)
def test_what_adds_up(seed, share, burden):
    random = np.random.default_rng(seed)
    costs, effects = random.normal(size=(2, 5, 3, 3))
    who = {"groups": ["a", "b", "c"], "shares": share}
    split = decision.by_subgroup(costs, effects, 2.0, names=["x", "y", "z"], **who)
    assert split.value_of_choosing >= -1e-12
    equal, other = (
        decision.distributional(costs, effects, 2.0, weights=[1, 1, 1], burden=b, **who)
        for b in (None, burden)
    )
    assert equal.total == pytest.approx(equal.weighted_total)
    assert equal.total == pytest.approx(other.total)
    benefit = np.array(share) / sum(share) @ np.array([g.net_benefit for g in split.groups])
    assert equal.total * 2.0 == pytest.approx(benefit[1] - benefit[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"costs": COSTS[0]}, "costs must have 3 axes, not 2"),
        ({"effects": EFFECTS[:, :, :1]}, r"costs have shape \(2, 2, 2\), effects \(2, 2, 1\)"),
        ({"costs": np.where(COSTS > 0, np.inf, 0)}, "first in draw 0, group 0, strategy 1"),
        ({"groups": ["mild"]}, "1 names for 2 groups"),
        ({"shares": [1, 0]}, "shares must be 2 numbers, one per group, above 0"),
        ({"shares": [1, 1, 1]}, "shares must be 2 numbers"),
        ({"weights": [-1, 1]}, "weights must be 2 numbers, one per group, not negative"),
        ({"weights": [0, 0]}, "weights must be 2 numbers, .* and not all 0"),
        ({"burden": [1]}, "burden must be 2 numbers"),
        ({"wtp": 0}, "At a willingness to pay of 0 no health is forgone"),
        ({"strategy": 5}, "Strategy 5 is no column: there are 2"),
    ],
)
def test_what_is_refused(change, message):
    given = {"costs": COSTS, "effects": EFFECTS, "wtp": 1, "weights": [1, 1]} | WHO | change
    with pytest.raises(ParameterError, match=message):
        decision.distributional(**given)


def test_one_strategy_is_refused():
    with pytest.raises(ParameterError, match="costs are of one strategy"):
        decision.by_subgroup(COSTS[:, :, :1], EFFECTS[:, :, :1], 1, names=["wait"], **WHO)
