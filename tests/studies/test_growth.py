"""What studies/growth.py found: intervals cover, and the bias by drop-out is corrected for."""

import numpy as np
import pytest
from scipy import stats


@pytest.fixture(scope="module")
def rows(reported):
    return reported("growth")


@pytest.fixture(scope="module")
def truth(load_study):
    return load_study("growth").TRUTH


def column(rows, name):
    return np.array([row[name] for row in rows])


def bias(values, truth):
    """Mean deviation and its Monte Carlo standard error."""
    return np.mean(values) - truth, np.std(values, ddof=1) / np.sqrt(len(values))


def test_many_leave(rows):
    assert 0.3 < column(rows, "left").mean() < 0.8


def test_intervals_of_the_shared_parameter_model_cover(rows, truth):
    """Each as often as 95 %, within Monte Carlo error; ten parameters."""
    assert len(rows) >= 40
    for name, value in truth.items():
        _, low, high = column(rows, f"shared {name}").T
        inside = int(((low <= value) & (value <= high)).sum())
        assert stats.binomtest(inside, len(rows), 0.95).pvalue > 0.005, (name, inside)


def test_spread_of_therapists_and_patients_is_covered_with_either_model(rows, truth):
    for name in ("therapist_level_sd", "therapist_rate_sd", "patient_level_sd", "residual_sd"):
        _, low, high = column(rows, f"random {name}").T
        inside = int(((low <= truth[name]) & (truth[name] <= high)).sum())
        assert stats.binomtest(inside, len(rows), 0.95).pvalue > 0.005, (name, inside)


def test_the_shared_parameter_model_removes_the_bias_of_the_mean_rate(rows, truth):
    """Those who improve stay: without them all seem to improve faster."""
    complete, error = bias(column(rows, "complete_cases"), truth["rate"])
    assert complete < -10 * error
    at_random, error = bias(column(rows, "random rate")[:, 0], truth["rate"])
    assert complete < at_random < -4 * error
    shared, error = bias(column(rows, "shared rate")[:, 0], truth["rate"])
    assert abs(shared) < 3 * error
    assert abs(shared) < 0.5 * abs(at_random)


def test_missing_at_random_covers_the_mean_rate_less_often(rows, truth):
    def covered(model):
        _, low, high = column(rows, f"{model} rate").T
        return ((low <= truth["rate"]) & (truth["rate"] <= high)).mean()

    assert covered("random") < covered("shared")


def test_that_drop_out_depends_on_the_rate_is_found(rows):
    _, low, _ = column(rows, "shared hazard_rate").T
    assert (low > 0).mean() > 0.9


def test_it_can_be_computed_again(assert_again):
    """Within the Monte Carlo error of the chains: on another machine they are other chains."""
    assert_again("growth", rel=0.0, abs=0.35)
