"""Performance where inputs are extreme, and laws of it; plain values are in test_evaluating."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from iesoresearch.models.evaluation import evaluate


def drawn(n=400, seed=1):
    random = np.random.default_rng(seed)
    p = expit(random.normal(size=n) * 1.3)
    y = (random.random(n) < expit(0.7 * logit(p) + 0.2)).astype(float)
    return y, p


def evaluated(y, p, **options):
    return evaluate(y, p, n_boot=100, **options).overall


def test_intervals_of_calibration_do_not_need_predictions_that_differ_much():
    y, p = drawn(seed=4)
    near = expit(0.3 + 1e-7 * logit(p))
    far, close = evaluated(y, p)["calibration_slope"], evaluated(y, near)["calibration_slope"]
    expected = (far.value * 1e7, far.low * 1e7, far.high * 1e7)
    assert (close.value, close.low, close.high) == pytest.approx(expected, rel=1e-4)


def test_a_decision_curve_where_predictions_are_thresholds():
    """Whoever has exactly the threshold is acted on."""
    y, p = drawn(60)
    p = p.round(2)
    found = evaluated(y, p, thresholds=(0.333,))
    assert 0.333 in found.decision.thresholds
    assert len(found.decision.thresholds) == 100
    for i, t in enumerate(found.decision.thresholds):
        true = sum(1 for a, b in zip(y, p, strict=True) if b >= t and a == 1)
        false = sum(1 for a, b in zip(y, p, strict=True) if b >= t and a == 0)
        assert found.decision.net_benefit[i] == pytest.approx(true / 60 - false / 60 * t / (1 - t))


def test_a_group_absent_from_some_resamples_has_limits():
    """Three of 303 patients are in nobody's resample one time in twenty."""
    y, p = drawn(303)
    group = np.repeat(["many", "few"], [300, 3])
    y[300:], p[300:] = [0, 1, 0], [0.2, 0.3, 0.6]
    few = evaluate(y, p, groups=group, n_boot=200).groups["group"]["few"]
    assert few["net_benefit_0.5"].low < few["net_benefit_0.5"].value
    assert few.decision.low[49] == pytest.approx(few["net_benefit_0.5"].low)
    assert "1 with the event and 2 without" in few["auc"].reason


def test_predictions_of_zero_for_everybody():
    found = evaluated(np.array([0.0, 0, 1, 0]), np.zeros(4))
    assert found["observed_expected"].reason == "all 4 predictions are 0"
    assert "did not come true: 1" in found["calibration_intercept"].reason
    assert found["brier"].value == 0.25


EXTREMES = (0.0, 5e-324, 1e-300, 1e-17, 0.3, 0.5, 0.5 + 1e-16, 0.7, 1 - 1e-16, 1.0)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.booleans(), st.sampled_from(EXTREMES) | st.floats(0, 1), st.sampled_from("abc"),
            st.integers(0, 9),
        ),
        min_size=1, max_size=30,
    ),
    st.booleans(),
)  # fmt: skip
def test_whatever_cannot_be_estimated_has_a_reason(rows, clustered):
    """No input that is taken raises an error or a warning, and no interval misses its value."""
    y, p, group, cluster = zip(*rows, strict=True)
    found = evaluate(y, p, groups=group, clusters=cluster if clustered else None, n_boot=100)
    for performance in (found.overall, *found.groups["group"].values()):
        for name, e in performance.estimates.items():
            assert bool(e.reason) == np.isnan([e.value, e.low, e.high]).any(), (name, e)
            assert np.isnan(e.low) == np.isnan(e.high)
            if np.isfinite(e.low) and name not in ("e50", "e90"):
                assert e.low <= e.high


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(st.booleans(), st.integers(1, 99)), min_size=20, max_size=60))
def test_the_other_outcome_is_a_mirror(rows):
    y, p = np.array([r[0] for r in rows]), np.array([r[1] for r in rows]) / 100
    here, there = evaluated(y, p), evaluated(~y, 1 - p)
    for name in ("auc", "brier", "scaled_brier", "log_loss", "calibration_slope"):
        assert there[name].value == pytest.approx(here[name].value, rel=1e-6, nan_ok=True), name
    mirrored = -there["calibration_intercept"].value
    assert mirrored == pytest.approx(here["calibration_intercept"].value, abs=1e-8, nan_ok=True)


def test_events_of_one_cluster_only_leave_no_interval_of_the_area():
    """Resamples without that cluster have no area, and the others say nothing of its spread."""
    y, p = drawn(100)
    clusters = np.arange(100) % 10
    y[clusters > 0] = 0
    found = evaluated(y, p, clusters=clusters)["auc"]
    assert 0 < found.value < 1
    assert np.isnan(found.low)
    assert "1 clusters with the event and 10 with others" in found.reason
