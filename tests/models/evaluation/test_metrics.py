"""Single numbers against scikit-learn, statsmodels and hand calculation."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn import metrics as sklearn

from iesoresearch.models.evaluation import metrics


def drawn(n=400, seed=1, digits=None):
    random = np.random.default_rng(seed)
    p = expit(random.normal(size=n) * 1.3)
    y = (random.random(n) < expit(0.7 * logit(p) + 0.2)).astype(float)
    return y, p if digits is None else np.round(p, digits)


@pytest.mark.parametrize("digits", [None, 2, 1])
@pytest.mark.parametrize("seed", range(5))
def test_as_scikit_learn(seed, digits):
    y, p = drawn(seed=seed, digits=digits)
    assert metrics.auc(y, p) == pytest.approx(sklearn.roc_auc_score(y, p), abs=1e-12)
    assert metrics.brier(y, p) == pytest.approx(sklearn.brier_score_loss(y, p), abs=1e-12)
    assert metrics.log_loss(y, p) == pytest.approx(sklearn.log_loss(y, p), rel=1e-12)


def test_the_log_loss_of_a_certain_error_is_that_of_scikit_learn():
    y, p = np.array([0, 1, 1.0]), np.array([1, 0.3, 0.0])
    assert metrics.log_loss(y, p) == pytest.approx(sklearn.log_loss(y, p), rel=1e-12)


pairs = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=60)


@settings(deadline=None, max_examples=50)
@given(pairs)
def test_auc_counts_pairs(rows):
    y, p = np.array([r[0] for r in rows]), np.array([r[1] for r in rows]) / 6
    with_event, without = p[y], p[~y]
    found = metrics.auc(y, p)
    if not len(with_event) or not len(without):
        assert np.isnan(found)
        return
    above = np.subtract.outer(with_event, without)
    assert found == np.mean((above > 0) + 0.5 * (above == 0))
    assert metrics.auc(~y, p) == pytest.approx(1 - found)
    assert metrics.auc(y, p**3) == found  # of ranks only


@settings(deadline=None, max_examples=50)
@given(pairs)
def test_the_brier_score_is_miscalibration_and_what_no_prediction_could_avoid(rows):
    """Murphy's decomposition by prediction; the second part bounds the score from below."""
    y, p = np.array([r[0] for r in rows]), np.array([r[1] for r in rows]) / 6
    values, which = np.unique(p, return_inverse=True)
    share = np.bincount(which) / len(y)
    rate = np.bincount(which, y) / np.bincount(which)
    off, noise = np.sum(share * (values - rate) ** 2), np.sum(share * rate * (1 - rate))
    assert metrics.brier(y, p) == pytest.approx(off + noise)
    assert metrics.brier(y, rate[which]) == pytest.approx(noise)
    assert noise <= y.mean() * (1 - y.mean()) + 1e-12


def test_by_hand():
    y, p = np.array([1, 0, 1, 0]), np.array([0.9, 0.8, 0.4, 0.1])
    assert metrics.observed_expected(y, p) == pytest.approx(2 / 2.2)
    assert metrics.brier(y, p) == pytest.approx((0.01 + 0.64 + 0.36 + 0.01) / 4)
    assert metrics.scaled_brier(y, p) == pytest.approx(1 - 0.255 / 0.25)
    # of those with at least 0.4 two have the event and one has not
    assert metrics.net_benefit(y, p, 0.4) == pytest.approx(2 / 4 - 1 / 4 * (0.4 / 0.6))
    assert metrics.net_benefit_treat_all(y, 0.4) == pytest.approx(2 / 4 - 2 / 4 * (0.4 / 0.6))


@pytest.mark.parametrize("seed", range(5))
def test_calibration_as_statsmodels(seed):
    y, p = drawn(seed=seed)
    x, binomial = logit(p), sm.families.Binomial()
    shift = sm.GLM(y, np.ones(len(y)), family=binomial, offset=x).fit(tol=1e-14)
    line = sm.GLM(y, sm.add_constant(x), family=binomial).fit(tol=1e-14)
    found = metrics.calibration(y, p)
    assert found.in_the_large == pytest.approx(shift.params[0], abs=1e-6)
    assert (found.intercept, found.slope) == pytest.approx(tuple(line.params), abs=1e-6)


@pytest.mark.parametrize("far", [1e-3, 1e-9, 1e-300])
def test_calibration_solves_the_equations_of_the_scores_with_extreme_predictions(far):
    y, p = drawn(seed=3)
    p[:20] = far
    found = metrics.calibration(y, p)
    x = logit(p)
    assert abs(np.sum(y - expit(found.in_the_large + x))) < 1e-8
    off = y - expit(found.intercept + found.slope * x)
    assert abs(np.sum(off)) < 1e-8
    assert abs(np.sum(off * x)) < 1e-6


def test_calibration_of_predictions_that_hardly_differ():
    y, p = drawn(seed=4)
    near = expit(0.3 + 1e-7 * logit(p))
    assert metrics.calibration(y, near).slope == pytest.approx(
        1e7 * metrics.calibration(y, p).slope, rel=1e-5
    )


def test_too_extreme_predictions_have_a_slope_below_one():
    """Logits twice as large as they should be: the slope is a half."""
    random = np.random.default_rng(5)
    x = random.normal(size=20_000)
    y = random.random(20_000) < expit(x)
    assert metrics.calibration(y, expit(2 * x)).slope == pytest.approx(0.5, abs=0.03)


def test_an_overfitted_model_has_a_slope_below_one_on_other_people():
    random = np.random.default_rng(6)
    x = sm.add_constant(random.normal(size=(5_000, 25)))
    y = random.random(5_000) < expit(x[:, 1])
    model = sm.GLM(y[:150], x[:150], family=sm.families.Binomial()).fit()
    here = metrics.calibration(y[:150], model.predict(x[:150]))
    elsewhere = metrics.calibration(y[150:], model.predict(x[150:]))
    assert here.slope == pytest.approx(1, abs=1e-6)  # always so of maximum likelihood
    assert elsewhere.slope < 0.8


def test_predictions_of_0_and_1_that_came_true_are_the_limit():
    y, p = drawn(seed=7)
    certain = np.concatenate([p, [0, 0, 1]])
    near = np.concatenate([p, [1e-13, 1e-13, 1 - 1e-13]])
    outcomes = np.concatenate([y, [0, 0, 1]])
    exact, limit = metrics.calibration(outcomes, certain), metrics.calibration(outcomes, near)
    assert exact.slope == pytest.approx(limit.slope, abs=1e-6)
    assert exact.in_the_large == pytest.approx(limit.in_the_large, abs=1e-6)


@pytest.mark.parametrize(
    ("y", "p", "reason", "slope_reason"),
    [
        ([0, 0, 0], [0.2, 0.4, 0.1], "0 events among 3 patients", "0 events among 3 patients"),
        ([1, 1], [0.2, 0.4], "2 events among 2 patients", "2 events among 2 patients"),
        ([0, 1, 0], [0.3, 0.3, 0.3], "", "all 3 predictions are equal"),
        (
            [0, 1, 1],
            [0.1, 0.3, 0.3],
            "",
            "separate patients with the event (2)",
        ),
        ([0, 1, 1], [0.1, 0.0, 0.3], "0 or 1 that did not come true: 1", "true: 1"),
        ([0, 1], [0.0, 1.0], "0 events among 0 patients", "0 events among 0 patients"),
    ],
)
def test_what_cannot_be_estimated_says_why(y, p, reason, slope_reason):
    found = metrics.calibration(np.array(y), np.array(p))
    assert reason in found.reason
    assert slope_reason in found.slope_reason
    assert np.isnan(found.in_the_large) == bool(reason)
    assert np.isnan(found.slope) == np.isnan(found.intercept) == bool(slope_reason)


def test_one_class_and_nobody():
    y, p = np.ones(3), np.array([0.1, 0.2, 0.3])
    assert np.isnan(metrics.auc(y, p))
    assert np.isnan(metrics.scaled_brier(y, p))
    assert np.isnan(metrics.observed_expected(np.zeros(2), np.zeros(2)))
    for function in (metrics.auc, metrics.brier, metrics.scaled_brier, metrics.log_loss):
        assert np.isnan(function(np.array([]), np.array([])))
    assert np.isnan(metrics.net_benefit(np.array([]), np.array([]), 0.5))
