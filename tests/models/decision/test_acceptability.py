"""Net benefit and acceptability: hand calculation, heormodel, closed forms, laws."""

import numpy as np
import pandas as pd
import pytest
from heormodel import cea, voi
from heormodel.models import Outcomes
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from iesoresearch.errors import ParameterError
from iesoresearch.models import decision

GRID = [0, 5_000, 20_000, 25_000, 30_000, 35_000, 100_000]


@pytest.fixture(scope="module")
def draws():
    random = np.random.default_rng(4)
    return random.gamma(4, 300, size=(500, 4)), random.normal(1, 0.05, size=(500, 4))


def test_net_benefit_by_hand():
    costs, effects = [[100.0, 300.0]], [[1.0, 1.01]]
    assert decision.net_benefit(costs, effects, 20_000) == pytest.approx(
        np.array([[19_900, 19_900]])
    )
    assert decision.incremental_net_benefit(costs, effects, 30_000) == pytest.approx(
        np.array([[0, 100]])
    )
    assert decision.incremental_net_benefit(costs, effects, 30_000, reference=1)[0, 0] == (
        pytest.approx(-100)
    )


def test_curves_are_those_of_heormodel(draws):
    frames = [pd.DataFrame(values, columns=list("ABCD")) for values in draws]
    outcomes = Outcomes.from_wide(*frames)
    ours = decision.acceptability(*draws, GRID)
    assert ours.probability == pytest.approx(cea.ceac(outcomes, GRID).to_numpy())
    assert ours.expected_loss == pytest.approx(cea.expected_loss(outcomes, GRID).to_numpy())
    assert ours.evpi == pytest.approx(voi.evpi(outcomes, GRID).to_numpy())
    theirs = cea.ceaf(outcomes, GRID)
    assert ["ABCD"[k] for k in ours.best] == list(theirs["intervention"])
    assert ours.frontier == pytest.approx(theirs["prob"].to_numpy())


def test_ties_count_in_equal_parts():
    result = decision.acceptability([[1, 1, 2], [3, 1, 1]], [[1, 1, 1], [1, 1, 1]], [10])
    assert result.probability[0] == pytest.approx([0.25, 0.5, 0.25])
    assert result.best[0] == 1


def test_normal_difference_has_the_probability_and_evpi_of_the_closed_form():
    """Difference N(1000, 2500²), sampled: within 4 standard errors."""
    n, random = 40_000, np.random.default_rng(5)
    difference = random.normal(1000, 2500, n)
    zero = np.zeros(n)
    result = decision.acceptability(
        np.column_stack([zero, -difference]), np.column_stack([zero, zero]), [0]
    )
    p, value = 0.6554217416, 576.0970924
    assert result.probability[0, 1] == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / n))
    error = np.maximum(-difference, 0).std() / np.sqrt(n)
    assert result.evpi[0] == pytest.approx(value, abs=4 * error)
    assert decision.evpi(np.column_stack([zero, difference])) == pytest.approx(result.evpi[0])


def test_plane_by_hand():
    """Four draws, one in each quadrant; then one without any difference."""
    costs, effects = np.zeros((4, 2)), np.zeros((4, 2))
    costs[:, 1], effects[:, 1] = [1, 1, -1, -3], [2, -1, 3, -2]
    found = decision.plane(costs, effects)
    for quadrant in (found.north_east, found.north_west, found.south_east, found.south_west):
        assert quadrant[1] == 0.25
    assert (found.cost[1], found.effect[1]) == (-0.5, 0.5)
    assert found.cost_interval[:, 1] == pytest.approx(np.quantile([1, 1, -1, -3], [0.025, 0.975]))
    assert (found.south_west[0], found.north_east[0]) == (1, 0)


# Laws

laws = settings(deadline=None, max_examples=50)
shapes = st.tuples(st.integers(1, 12), st.integers(2, 5))
whole = st.integers(-20, 20).map(float)


@st.composite
def outcomes(draw):
    shape = draw(shapes)
    return draw(hnp.arrays(float, shape, elements=whole)), draw(
        hnp.arrays(float, shape, elements=whole)
    )


wtps = st.lists(st.integers(0, 30).map(float), min_size=1, max_size=4)


@laws
@given(outcomes(), wtps)
def test_curves_add_up(drawn, grid):
    result = decision.acceptability(*drawn, grid)
    assert result.probability.sum(axis=1) == pytest.approx(np.ones(len(grid)))
    assert (result.frontier <= result.probability.max(axis=1)).all()
    assert (result.expected_loss >= 0).all()
    assert (result.evpi == result.expected_loss.min(axis=1)).all()
    for wtp, best, value in zip(grid, result.best, result.evpi, strict=True):
        nb = decision.net_benefit(*drawn, wtp)
        assert nb.mean(axis=0)[best] == pytest.approx(nb.mean(axis=0).max())
        assert value == pytest.approx(nb.max(axis=1).mean() - nb.mean(axis=0).max(), abs=1e-9)
        assert decision.evpi(nb) == pytest.approx(value, abs=1e-9)


@laws
@given(outcomes(), st.integers(-50, 50))
def test_evpi_does_not_see_what_all_strategies_share(drawn, shared):
    nb = drawn[0]
    assert decision.evpi(nb + shared) == pytest.approx(decision.evpi(nb), abs=1e-9)
    by_draw = nb + shared * np.arange(len(nb))[:, None]
    assert decision.evpi(by_draw) == pytest.approx(decision.evpi(nb), abs=1e-9)


@laws
@given(outcomes(), st.integers(0, 5))
def test_a_strategy_worse_in_every_draw_changes_nothing(drawn, less):
    costs, effects = drawn
    more = [
        np.column_stack([costs, costs[:, 0] + 1]),
        np.column_stack([effects, effects[:, 0] - less]),
    ]
    plain, with_it = (decision.acceptability(*pair, [0, 3]) for pair in (drawn, more))
    assert with_it.probability[:, :-1] == pytest.approx(plain.probability)
    assert with_it.probability[:, -1] == pytest.approx(0)
    assert with_it.evpi == pytest.approx(plain.evpi)


@laws
@given(whole, whole, st.integers(1, 40))
def test_sign_of_net_benefit_is_the_icer_rule(cost, effect, wtp):
    """Dearer and better pays below the willingness to pay; cheaper and worse, above it."""
    found = decision.incremental_net_benefit([[0, cost]], [[0, effect]], wtp)[0, 1]
    if effect > 0:
        assert (found > 0) == (cost / effect < wtp)
    elif effect < 0:
        assert (found > 0) == (cost / effect > wtp)
    else:
        assert (found > 0) == (cost < 0)


@laws
@given(outcomes(), st.integers(1, 5))
def test_best_is_on_the_frontier(drawn, wtp):
    costs, effects = (values.mean(axis=0) for values in drawn)
    names = [str(k) for k in range(len(costs))]
    rows = {row.name: row.status for row in decision.incremental(costs, effects, names)}
    best = decision.acceptability(*drawn, [wtp]).best[0]
    benefit = wtp * effects - costs
    tied = np.flatnonzero(np.isclose(benefit, benefit.max()))
    assert decision.ON_FRONTIER in {rows[str(k)] for k in [best, *tied]}


# What is refused

FINE = np.zeros((3, 2))


@pytest.mark.parametrize(
    ("costs", "effects", "wtp", "message"),
    [
        (FINE, np.zeros((3, 3)), 1, r"costs have shape \(3, 2\), effects \(3, 3\)"),
        (FINE[:, :1], FINE[:, :1], 1, "costs are of one strategy"),
        (FINE[0], FINE, 1, "costs must have 2 axes, not 1"),
        (FINE, FINE, -1, "must not be negative, but -1 was given"),
        (FINE, FINE, np.nan, r"willingness to pay \(wtp\) hold 1 values that are NaN"),
        (FINE, [[0, 0], [0, np.nan], [0, 0]], 1, "effects hold 1 .* first in row 1, column 1"),
    ],
)
def test_what_cannot_be_decided(costs, effects, wtp, message):
    with pytest.raises(ParameterError, match=message):
        decision.acceptability(costs, effects, [wtp])
    with pytest.raises(ParameterError, match=message):
        decision.net_benefit(costs, effects, wtp)


def test_one_willingness_to_pay_and_columns_that_exist():
    with pytest.raises(ParameterError, match="One willingness to pay is wanted, not 2"):
        decision.net_benefit(FINE, FINE, [1, 2])
    with pytest.raises(ParameterError, match="reference 2 is no column: there are 2"):
        decision.plane(FINE, FINE, reference=2)
    with pytest.raises(ParameterError, match="net benefits are of one strategy"):
        decision.evpi(FINE[:, :1])
