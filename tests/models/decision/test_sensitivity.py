"""One-way, two-way, thresholds and scenarios against hand calculation on models written out."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.errors import ParameterError
from iesoresearch.models import decision

BASE = {"price": 100, "gain": 0.01, "extra": 5}


def model(x):
    """Two strategies: nothing, and one that costs price + extra and gains `gain`."""
    zero = np.zeros_like(x["price"])
    cost = x["price"] + x["extra"]
    return np.column_stack([zero, cost]), np.column_stack([zero, x["gain"]])


def test_one_way_by_hand():
    ranges = {"price": (50, 200), "gain": (-0.01, 0.02), "extra": (5, 6)}
    bars = decision.one_way(model, BASE, ranges, 20_000)
    assert [bar.name for bar in bars] == ["gain", "price", "extra"]
    gain, price, extra = bars
    assert price.cost == (55, 205)
    assert price.effect == (0.01, 0.01)
    assert price.net_benefit == pytest.approx((145, -5))
    assert price.icer == pytest.approx((5500, 20_500))
    assert gain.net_benefit == pytest.approx((-305, 295))
    assert gain.icer == (None, pytest.approx(5250))
    assert (extra.base_cost, extra.base_effect) == (105, 0.01)
    assert extra.base_net_benefit == pytest.approx(95)
    assert [bar.changes_decision for bar in bars] == [True, True, False]


def test_tornado_of_costs_and_of_effects():
    bars = decision.one_way(model, BASE, {"price": (50, 200), "gain": (0, 0.02)}, 20_000)
    assert [bar.name for bar in decision.tornado(bars, "cost")] == ["price", "gain"]
    assert [bar.name for bar in decision.tornado(bars, "effect")] == ["gain", "price"]
    with pytest.raises(ParameterError, match="no tornado of 'icer'; choose net_benefit, cost"):
        decision.tornado(bars, "icer")


def test_other_columns_and_the_sign_of_the_comparison():
    there = decision.one_way(model, BASE, {"gain": (0, 0.02)}, 20_000)[0]
    back = decision.one_way(model, BASE, {"gain": (0, 0.02)}, 20_000, strategy=0, reference=1)[0]
    assert back.net_benefit == tuple(-value for value in there.net_benefit)


def test_two_way_by_hand():
    found = decision.two_way(model, BASE, {"price": [0, 100, 300], "gain": [0.001, 0.01]}, 20_000)
    assert found.names == ("price", "gain")
    assert found.net_benefit.shape == (3, 2, 2)
    by_hand = [[20 - 5, 200 - 5], [20 - 105, 200 - 105], [20 - 305, 200 - 305]]
    assert found.net_benefit[:, :, 1] == pytest.approx(np.array(by_hand))
    assert found.best.tolist() == [[1, 1], [0, 1], [0, 0]]


def curve(function):
    def shaped(x):
        zero = np.zeros_like(x["x"])
        return np.column_stack([zero, -function(x["x"])]), np.column_stack([zero, zero])

    return shaped


def crossings(function, low, high, target=0.0):
    return decision.threshold(curve(function), {"x": 1}, "x", low, high, target, wtp=1)


def test_one_threshold():
    found = decision.threshold(model, BASE, "price", 0, 1000, wtp=20_000)
    assert found.values == (pytest.approx(195),)
    assert found.text == "Net benefit meets 0 at price = 195, the only place between 0 and 1000."
    higher = decision.threshold(model, BASE, "price", 0, 1000, 50, wtp=20_000)
    assert higher.values == (pytest.approx(145),)


def test_no_several_and_endless_crossings():
    none = crossings(lambda x: x**2 + 1, -1, 1)
    assert none.values == ()
    assert none.text == "No crossing: net benefit stays above 0 for x between -1 and 1."
    assert "stays below 0" in crossings(lambda x: -(x**2) - 1, -1, 1).text
    several = crossings(np.cos, 0, 10)
    assert several.values == pytest.approx(np.pi * np.array([0.5, 1.5, 2.5]))
    assert several.text.startswith("Net benefit meets 0 at 3 values of x between 0 and 10: 1.5708")
    everywhere = crossings(lambda x: 0 * x, 0, 1)
    assert everywhere.text == "Net benefit is 0 wherever x lies between 0 and 1."


def test_thresholds_at_a_point_of_the_grid_and_at_a_jump():
    assert crossings(lambda x: x, -1, 1).values == (0.0,)
    assert crossings(lambda x: x, 0, 1).values == (0.0,)
    jump = crossings(lambda x: np.where(x < 0.3333, -1.0, 2.0), 0, 1)
    assert jump.values == (pytest.approx(0.3333),)


@settings(deadline=None, max_examples=30)
@given(st.floats(-5, 5), st.floats(0.1, 10), st.floats(-3, 3))
def test_threshold_of_a_line_is_its_root(root, slope, target):
    found = crossings(lambda x: slope * (x - root) + target, -6, 6, target)
    assert found.values == (pytest.approx(root, abs=1e-9),)


def test_scenarios_by_hand():
    rows = decision.scenarios(model, BASE, {"dear": {"price": 300}, "idle": {"gain": 0}}, 20_000)
    assert [row.name for row in rows] == ["base", "dear", "idle"]
    assert [row.net_benefit[1] for row in rows] == pytest.approx([95, -105, -105])
    assert [row.best for row in rows] == [1, 0, 0]
    assert rows[1].cost.tolist() == [0, 305]


def ignores_arrays(x):
    return np.zeros((1, 2)), np.zeros((1, 2))


def breaks(x):
    return model(x | {"gain": np.full_like(x["gain"], np.nan)})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: decision.one_way(model, BASE, {"prise": (1, 2)}, 1), "'prise' is no input of the"),
        (lambda: decision.one_way(model, BASE, {"price": (2, 1)}, 1), "must be .low, high. with"),
        (lambda: decision.one_way(model, BASE, {}, 1), "There is no range of any input"),
        (lambda: decision.one_way(model, BASE, {"gain": (0, 1)}, -1), "must not be negative"),
        (
            lambda: decision.one_way(model, BASE, {"gain": (0, 1)}, 1, strategy=2),
            "Strategy 2 is no column: the model has 2",
        ),
        (
            lambda: decision.one_way(model, {"price": np.inf}, {"price": (0, 1)}, 1),
            "input 'price' hold 1 values that are NaN or infinite",
        ),
        (
            lambda: decision.one_way(ignores_arrays, BASE, {"gain": (0, 1)}, 1),
            "The model gave 1 rows for 3 scenarios",
        ),
        (lambda: decision.one_way(breaks, BASE, {"gain": (0, 1)}, 1), "effects hold 3 values"),
        (lambda: decision.two_way(model, BASE, {"gain": [1]}, 1), "takes two inputs, not 1"),
        (
            lambda: decision.two_way(model, BASE, {"gain": [1], "cost": [1]}, 1),
            "'cost' is no input of the base case, which has: extra, gain, price",
        ),
        (
            lambda: decision.threshold(model, BASE, "gain", 2, 1, wtp=1),
            "'gain' is to go from 2 to 1; low must be below high",
        ),
        (lambda: decision.scenarios(model, BASE, {"base": {}}, 1), "A scenario is called 'base'"),
        (lambda: decision.scenarios(model, BASE, {"s": {"x": 1}}, 1), "'x' is no input"),
    ],
)
def test_what_is_refused(call, message):
    with pytest.raises(ParameterError, match=message):
        call()


def test_heormodel_is_not_loaded_before_it_is_needed_and_does_not_warn():
    code = (
        "import sys; from iesoresearch.models import decision;"
        "assert 'heormodel' not in sys.modules;"
        "import numpy as np;"
        "decision.one_way(lambda x: (np.outer(x['a'], [0, 1]),) * 2, {'a': 1}, {'a': (0, 2)}, 1)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
