"""What studies/optimism.py found: corrected performance is hardly biased, apparent one is."""

import numpy as np
import pytest

#: Measure, and the least share of its apparent bias that the correction must take away.
CORRECTED = {"auc": 0.8, "brier": 0.8, "scaled_brier": 0.8, "log_loss": 0.8, "slope": 0.8}


@pytest.fixture(scope="module")
def rows(reported):
    found = reported("optimism")
    assert len(found) >= 200
    return found


def column(rows, name, key):
    return np.array([row[name][key] for row in rows])


def error(values):
    """Monte Carlo standard error of a mean."""
    return values.std(ddof=1) / np.sqrt(len(values))


@pytest.mark.parametrize("name", CORRECTED)
def test_the_correction_takes_the_bias_away(rows, name):
    true = column(rows, name, "true")
    apparent = column(rows, name, "apparent") - true
    left = column(rows, name, "corrected") - true
    assert abs(apparent.mean()) > 10 * error(apparent)
    assert abs(left.mean()) < (1 - CORRECTED[name]) * abs(apparent.mean()) + 2 * error(left)


def test_an_overfitted_model_has_an_apparent_slope_of_one_and_a_true_one_below(rows):
    assert column(rows, "slope", "apparent") == pytest.approx(1, abs=1e-3)
    assert column(rows, "slope", "true").mean() < 0.85
    assert (column(rows, "slope", "corrected") < 0.9).mean() > 0.95


def covered(rows, name):
    true = column(rows, name, "true")
    return ((column(rows, name, "low") <= true) & (true <= column(rows, name, "high"))).mean()


@pytest.mark.parametrize(
    "name", ["auc", "brier", "scaled_brier", "log_loss", "in_the_large", "slope"]
)
def test_intervals_cover_nine_times_in_ten_or_more(rows, name):
    """Eleven events to a feature; with so few, the spread of refits is a little small."""
    assert covered(rows, name) > 0.9 - 2 * np.sqrt(0.09 / len(rows))


def test_shifted_intervals_would_cover_less(rows):
    low, high = np.array([row["shifted"] for row in rows]).T
    true = column(rows, "auc", "true")
    assert ((low <= true) & (true <= high)).mean() < covered(rows, "auc") - 0.1


def test_it_can_be_computed_again(assert_again):
    assert_again("optimism", rel=1e-3, abs=1e-4)
