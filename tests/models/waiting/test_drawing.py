"""Draws have the moments of their inputs, an order, and streams of their own."""

import numpy as np
import pytest

from iesoresearch.data.health_economics import load_effect, load_inputs
from iesoresearch.errors import ParameterError
from iesoresearch.models.waiting import at_end, base_case, draw_inputs, groups

INPUTS = load_inputs()
N = 4000
DRAWS = draw_inputs(INPUTS, N, 7)


@pytest.mark.parametrize("x", INPUTS, ids=lambda x: x.name)
def test_every_input_has_its_mean(x):
    drawn = DRAWS[x.name]
    assert drawn.shape == (N,)
    if x.distribution == "lognormal":
        assert np.median(drawn) == pytest.approx(x.value, rel=0.03)
        return
    # Utilities put in order lose a little in the tails.
    assert abs(drawn.mean() - x.value) <= 4 * drawn.std() / np.sqrt(N) + 1e-4 * abs(x.value) + 1e-9


def test_utilities_keep_the_order_of_the_bands_and_shares_their_sum():
    for prefix in ("utility_sf6d_depression", "utility_eq5d_depression", "utility_sf6d_anxiety"):
        utilities = np.stack([v for k, v in DRAWS.items() if k.startswith(prefix)])
        assert (np.diff(utilities, axis=0) <= 0).all()
        assert utilities.max() <= 1
        # Moved together: rank correlation of one wherever the order was not mended.
        assert np.corrcoef(utilities[0], utilities[2])[0, 1] > 0.97
    shares = sum(v for k, v in DRAWS.items() if k.startswith("second_wait_share"))
    assert shares == pytest.approx(1)


def test_what_is_not_said_to_move_together_is_independent():
    a, b = DRAWS["background_depression_mild"], DRAWS["background_depression_severe"]
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(N)
    a, b = DRAWS["utility_sf6d_depression_mild"], DRAWS["utility_eq5d_depression_mild"]
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(N)


def test_the_effect_has_the_correlation_of_the_posterior():
    found = np.corrcoef(DRAWS["effect_mean"], np.log(DRAWS["effect_tau"]))[0, 1]
    assert abs(found - load_effect().correlation) < 4 / np.sqrt(N)


def test_an_input_keeps_its_draws_whatever_else_is_drawn():
    few = draw_inputs(INPUTS, N, 7, "anxiety")
    assert set(few) == {x.name for x in INPUTS if x.condition in ("anxiety", "both")}
    assert all((few[name] == DRAWS[name]).all() for name in few)
    other = draw_inputs(INPUTS, N, 8)
    assert (other["dropout_per_week"] != DRAWS["dropout_per_week"]).any()


def test_groups_base_case_and_ends():
    found = groups(INPUTS)
    assert [x.name for x in found["therapy effect"]] == ["effect_mean", "effect_tau"]
    assert len(found["SF-6D, depression"]) == 5
    assert found["dropout_per_week"][0].name == "dropout_per_week"
    assert base_case(INPUTS)["treatment_weeks"] == [15]
    low = at_end(INPUTS, "SF-6D, depression", "low")
    values = np.concatenate(list(low.values()))
    assert len(values) == 5
    assert (np.diff(values) < 0).all()


def test_bad_requests():
    with pytest.raises(ParameterError, match="n_draws must be 1 or more; found 0"):
        draw_inputs(INPUTS, 0, 1)
    with pytest.raises(ParameterError, match='"sun" at its "low" end cannot be had'):
        at_end(INPUTS, "sun", "low")
