"""What studies/likelihood_ratio.py found: the level is kept, the power is there."""

import numpy as np
import pytest
from scipy import stats


@pytest.fixture(scope="module")
def rejected(reported):
    """Whether p <= 1 / 20, by condition."""
    found = {}
    for row in reported("likelihood_ratio"):
        found.setdefault(row["condition"], []).append(row["p"] <= 1 / 20)
    return {name: np.array(values) for name, values in found.items()}


@pytest.mark.parametrize("condition", ["one state, one tested", "two states, two tested"])
def test_a_true_null_is_rejected_in_one_data_set_of_twenty(rejected, condition):
    values = rejected[condition]
    assert stats.binomtest(int(values.sum()), len(values), 1 / 20).pvalue > 0.01


def test_states_that_are_there_are_found(rejected):
    near, far = (
        stats.binomtest(int(values.sum()), len(values)).proportion_ci(0.95)
        for values in (rejected[f"two {how} states, one tested"] for how in ("near", "far"))
    )
    assert near.low > 0.3
    assert far.low > 0.9


def test_nearly_all_fits_converged(reported):
    fits = [row["not_converged"] for row in reported("likelihood_ratio")]
    assert np.sum(fits) < 0.01 * 20 * len(fits)


def test_it_can_be_computed_again(assert_again):
    assert_again("likelihood_ratio")
