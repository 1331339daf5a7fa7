"""Incremental analysis against published tables, brute force, another program and its own laws."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from heormodel.cea import icer_table
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.errors import ParameterError
from iesoresearch.models.decision import (
    DOMINATED,
    EXTENDEDLY_DOMINATED,
    ON_FRONTIER,
    incremental,
)

# Numbers of dampack (DARTH group), tests/testthat/test_calculate_icers.R, vignettes/basic_cea.Rmd
# and cdiff_icers.csv, commit 0430fee: costs, effects, ICERs of the frontier in order, the others.
PUBLISHED = {
    "five drugs": (
        {"UC": 5000, "A": 12000, "B": 10000, "C": 25000, "D": 35000, "E": 55000},
        {"UC": 1, "A": 1.5, "B": 2, "C": 3, "D": 4, "E": 5},
        {"UC": None, "B": 5000, "D": 12500, "E": 20000},
        {"C": EXTENDEDLY_DOMINATED, "A": DOMINATED},
    ),
    # Paltiel 2006: effects in quality-adjusted life-months
    "HIV screening": (
        {"never": 26000, "once": 27000, "5 years": 28020, "3 years": 28440, "annual": 29440},
        {
            "never": 277.25 / 12,
            "once": 277.57 / 12,
            "5 years": 277.78 / 12,
            "3 years": 277.83 / 12,
            "annual": 277.76 / 12,
        },
        {"never": None, "once": 37500, "5 years": 58285.71429, "3 years": 100800},
        {"annual": DOMINATED},
    ),
    "cheapest is best": (
        {"none": 163771.0, "all": 164848.7, "tested": 163765.1},
        {"none": 6.48273, "all": 6.52861, "tested": 6.52861},
        {"tested": None},
        {"none": DOMINATED, "all": DOMINATED},
    ),
    "C. difficile": (
        {
            "s3": 57336.0059896538,
            "s27": 57541.2526373815,
            "s33": 57642.2587507842,
            "s31": 57934.0743411241,
            "s43": 58072.1137208494,
            "s44": 58665.7823044647,
            "s39": 57814.6470919581,
            "s4": 57887.481549326,
            "s13": 58018.6252420203,
            "s37": 58081.7947984323,
            "s20": 58634.2026441398,
        },
        {
            "s3": 12.9399639202408,
            "s27": 13.0140640696275,
            "s33": 13.0389116321918,
            "s31": 13.0966257932217,
            "s43": 13.11285766912,
            "s44": 13.1283328397025,
            "s39": 13.0462790163185,
            "s4": 12.9970657153765,
            "s13": 13.0650412387992,
            "s37": 13.1029711156978,
            "s20": 13.1100568867995,
        },
        {
            "s3": None,
            "s27": 2769.85470915263,
            "s33": 4065.03105249231,
            "s31": 5056.2216470406,
            "s43": 8504.2160616553,
            "s44": 38362.6519947134,
        },
        {
            "s39": EXTENDEDLY_DOMINATED,
            "s4": DOMINATED,
            "s13": DOMINATED,
            "s37": DOMINATED,
            "s20": DOMINATED,
        },
    ),
}


@pytest.mark.parametrize("case", PUBLISHED)
def test_published_tables(case):
    cost, effect, icers, others = PUBLISHED[case]
    rows = incremental(list(cost.values()), list(effect.values()), list(cost))
    there = [row for row in rows if row.status == ON_FRONTIER]
    assert [row.name for row in there] == list(icers)
    for row, before in zip(there, [None, *there], strict=False):
        assert row.compared_with == (None if before is None else before.name)
    found = [row.icer for row in there]
    assert found[0] is None
    assert found[1:] == pytest.approx(list(icers.values())[1:], abs=1e-5)
    assert {row.name: row.status for row in rows if row.status != ON_FRONTIER} == others
    assert [row.cost for row in rows] == sorted(cost.values())


def statuses(cost, effect):
    names = [chr(65 + k) for k in range(len(cost))]
    return {row.name: row.status for row in incremental(cost, effect, names)}


def icers(cost, effect):
    names = [chr(65 + k) for k in range(len(cost))]
    return {row.name: row.icer for row in incremental(cost, effect, names)}


def test_who_dominates_is_named():
    cost, effect, _, _ = PUBLISHED["five drugs"]
    rows = incremental(list(cost.values()), list(effect.values()), list(cost))
    by = {row.name: row.dominated_by for row in rows}
    assert by["A"] == ("B",)
    assert by["C"] == ("B", "D")
    assert by["UC"] == by["E"] == ()


def test_equal_strategies_share_their_place():
    """heormodel calls whichever of the two comes second dominated."""
    rows = incremental([0, 10, 10, 20], [0, 1, 1, 1.5], list("ABCD"))
    assert [row.icer for row in rows] == [None, 10, 10, 20]
    assert [row.compared_with for row in rows] == [None, "A", "A", "B"]
    assert set(statuses([5, 5], [1, 1]).values()) == {ON_FRONTIER}


def test_a_strategy_on_the_line_between_two_others_is_on_the_frontier():
    """In pounds and in pence; ratios of 0.7/0.1 and 2.1/0.3 differ by round-off."""
    cost, effect = np.array([0, 0.7, 2.1, 2.8]), np.array([0, 0.1, 0.3, 0.4])
    for unit in (1, 100):
        assert set(statuses(cost * unit, effect).values()) == {ON_FRONTIER}
        assert list(icers(cost * unit, effect).values())[1:] == pytest.approx([7 * unit] * 3)


def test_three_in_a_row_can_be_extendedly_dominated():
    found = statuses([0, 10, 19, 27, 30], [0, 1, 2, 3, 6])
    assert [name for name, status in found.items() if status == ON_FRONTIER] == ["A", "E"]
    assert icers([0, 10, 19, 27, 30], [0, 1, 2, 3, 6])["E"] == 5


def test_costs_may_be_negative():
    assert icers([-5, 10, -7], [1, 2, 0]) == {"C": None, "A": 2, "B": 15}


def test_of_equal_effects_the_cheapest_and_of_equal_costs_the_most_effective_stays():
    assert statuses([1, 2, 3], [1, 1, 1]) == {"A": ON_FRONTIER, "B": DOMINATED, "C": DOMINATED}
    assert statuses([1, 1, 1], [1, 2, 3]) == {"C": ON_FRONTIER, "B": DOMINATED, "A": DOMINATED}


def test_round_off_in_means_is_no_difference():
    draws = np.random.default_rng(0).normal(1e4, 1, 1000)
    forwards, backwards = sum(draws) / 1000, sum(draws[::-1]) / 1000
    assert forwards != backwards
    assert set(statuses([forwards, backwards], [1, 1]).values()) == {ON_FRONTIER}


@pytest.mark.parametrize("seed", range(20))
def test_agrees_with_heormodel_where_nothing_ties(seed):
    random = np.random.default_rng(seed)
    cost, effect = random.normal(size=(2, 9)) + np.array([[10], [5]])
    names = [f"s{k}" for k in range(9)]
    theirs = icer_table(pd.DataFrame({"cost": cost, "effect": effect}, index=names))
    short = {ON_FRONTIER: "ND", DOMINATED: "D", EXTENDEDLY_DOMINATED: "ED"}
    rows = incremental(cost, effect, names)
    assert [row.name for row in rows] == list(theirs.index)
    assert [short[row.status] for row in rows] == list(theirs["status"])
    ours = [np.nan if row.icer is None else row.icer for row in rows]
    assert ours == pytest.approx(theirs["icer"].to_numpy(), nan_ok=True)


# Laws, on whole numbers so that ties are exact and common

points = st.lists(st.tuples(st.integers(-6, 6), st.integers(-6, 6)), min_size=2, max_size=7)
laws = settings(deadline=None, max_examples=50)


def split(points):
    cost, effect = zip(*points, strict=True)
    return list(cost), list(effect)


@laws
@given(points)
def test_on_the_frontier_means_best_at_some_willingness_to_pay(points):
    """Brute force in exact fractions: at all ratios, between them and beyond."""
    ratios = {Fraction(c - d, e - f) for c, e in points for d, f in points if e != f and c != d} | {
        Fraction(0),
        Fraction(20),
    }
    ratios = sorted(ratio for ratio in ratios if ratio >= 0)
    tried = ratios[1:] + [(a + b) / 2 for a, b in pairwise(ratios)]
    best = set()
    for wtp in tried:
        benefit = [wtp * e - c for c, e in points]
        best |= {k for k, value in enumerate(benefit) if value == max(benefit)}
    found = statuses(*split(points))
    assert {ord(name) - 65 for name, status in found.items() if status == ON_FRONTIER} == best


@laws
@given(points, st.randoms(use_true_random=False))
def test_frontier_does_not_depend_on_order(points, shuffler):
    names = [chr(65 + k) for k in range(len(points))]
    cost, effect = split(points)
    order = list(range(len(points)))
    shuffler.shuffle(order)
    mixed = incremental(
        [cost[k] for k in order], [effect[k] for k in order], [names[k] for k in order]
    )
    assert mixed == incremental(cost, effect, names)


@laws
@given(points, st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_frontier_does_not_depend_on_units(points, money, health):
    cost, effect = (np.array(values, float) for values in split(points))
    assert statuses(cost * money, effect * health) == statuses(cost, effect)
    plain = pd.Series(icers(cost, effect), dtype=float)
    scaled = pd.Series(icers(cost * money, effect * health), dtype=float)
    wanted = (plain * money / health)[scaled.index]
    assert scaled.to_numpy() == pytest.approx(wanted.to_numpy(), rel=1e-9, nan_ok=True)


@laws
@given(points, st.integers(0, 6), st.integers(0, 3), st.integers(1, 3))
def test_a_dominated_strategy_more_changes_nothing(points, which, less, dearer):
    cost, effect = split(points)
    which %= len(points)
    more = icers([*cost, cost[which] + dearer], [*effect, effect[which] - less])
    found = statuses([*cost, cost[which] + dearer], [*effect, effect[which] - less])
    name = chr(65 + len(points))
    assert found.pop(name) == DOMINATED
    assert more.pop(name) is None
    assert found == statuses(cost, effect)
    assert more == icers(cost, effect)


@laws
@given(points)
def test_icers_rise_along_the_frontier(points):
    found = [value for value in icers(*split(points)).values() if value is not None]
    assert found == sorted(found)
    assert all(value > 0 for value in found)


@pytest.mark.parametrize(
    ("cost", "effect", "names", "message"),
    [
        ([1, np.nan], [1, 2], "AB", "1 values that are NaN or infinite, the first in place 1"),
        ([1, 2], [1, 2, 3], "AB", "2 mean costs but 3 mean effects"),
        ([1], [1], "A", "one strategy; a decision needs two"),
        ([1, 2], [1, 2], "ABC", "3 names for 2 strategies"),
        ([1, 2], [1, 2], "AA", "must differ; given twice: A"),
        ([[1, 2]], [1, 2], "AB", "mean costs must have 1 axis, not 2"),
        (["x", 2], [1, 2], "AB", "mean costs must be numbers"),
        ([], [], "", "mean costs are empty"),
    ],
)
def test_what_cannot_be_compared(cost, effect, names, message):
    with pytest.raises(ParameterError, match=message):
        incremental(cost, effect, list(names))


def test_one_text_is_no_list_of_names():
    with pytest.raises(ParameterError, match="must be a list, not one text 'AB'"):
        incremental([1, 2], [1, 2], "AB")
