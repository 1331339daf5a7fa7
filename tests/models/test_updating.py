"""Recalibration against statsmodels, and how often the closed test does what."""

import json

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.updating import AS_IS, BOTH, CLOSED_TEST, INTERCEPT, Update, recalibrate


def drawn(n=800, intercept=0.0, slope=1.0, seed=1):
    """Outcomes, and predictions that are off by an intercept and slope."""
    random = np.random.default_rng(seed)
    x = random.normal(-0.3, 1.2, n)
    return random.random(n) < special.expit(intercept + slope * x), special.expit(x)


def test_the_new_intercept_is_that_of_statsmodels():
    y, p = drawn(intercept=-0.7)
    found = recalibrate(y, p, INTERCEPT)
    theirs = sm.GLM(y, np.ones(len(y)), sm.families.Binomial(), offset=special.logit(p)).fit()
    assert found.intercept == pytest.approx(theirs.params[0], abs=1e-6)
    assert found.intercept_error == pytest.approx(theirs.bse[0], abs=1e-6)
    assert [found.intercept_low, found.intercept_high] == pytest.approx(theirs.conf_int()[0])
    assert (found.slope, found.slope_error, found.n, found.events) == (1, 0, 800, y.sum())


def test_intercept_and_slope_are_those_of_statsmodels():
    y, p = drawn(intercept=0.4, slope=0.6)
    found = recalibrate(y, p, BOTH)
    theirs = sm.GLM(y, sm.add_constant(special.logit(p)), sm.families.Binomial()).fit()
    assert [found.intercept, found.slope] == pytest.approx(theirs.params, abs=1e-6)
    assert [found.intercept_error, found.slope_error] == pytest.approx(theirs.bse, abs=1e-6)
    assert [found.slope_low, found.slope_high] == pytest.approx(theirs.conf_int()[1])
    assert found.apply(p) == pytest.approx(theirs.fittedvalues, abs=1e-6)


def test_the_tests_are_likelihood_ratios():
    y, p = drawn(intercept=0.4, slope=0.6)
    x = special.logit(p)
    both = sm.GLM(y, sm.add_constant(x), sm.families.Binomial()).fit().llf
    one = sm.GLM(y, np.ones(len(y)), sm.families.Binomial(), offset=x).fit().llf
    none = stats.bernoulli(p).logpmf(y).sum()
    first, second = recalibrate(y, p).tests
    assert (first.smaller, first.df, second.smaller, second.df) == (AS_IS, 2, INTERCEPT, 1)
    assert first.statistic == pytest.approx(2 * (both - none), abs=1e-8)
    assert second.statistic == pytest.approx(2 * (both - one), abs=1e-8)
    assert second.p == pytest.approx(stats.chi2(1).sf(2 * (both - one)))


@pytest.mark.parametrize(
    ("truth", "right"), [((0.0, 1.0), AS_IS), ((1.0, 1.0), INTERCEPT), ((0.5, 0.4), BOTH)]
)
def test_the_closed_test_does_what_is_needed_and_seldom_more(truth, right):
    chosen = [recalibrate(*drawn(1000, *truth, seed=i)).method for i in range(300)]
    wrong = sum(method != right for method in chosen)
    assert stats.binomtest(wrong, 300, 0.05, "greater").pvalue > 0.01


def test_a_model_that_is_right_is_left_as_it_is():
    y, p = drawn(seed=3)
    found = recalibrate(y, p)
    assert (found.asked, found.method) == (CLOSED_TEST, AS_IS)
    assert found.apply(p).tolist() == p.tolist()
    assert recalibrate(y, p, level=0.9999).method == BOTH


def test_an_update_travels_as_json():
    y, p = drawn(intercept=0.5)
    found = recalibrate(y, p)
    again = Update.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again == found
    assert again.apply(p).tolist() == found.apply(p).tolist()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
@settings(deadline=None, max_examples=50)
def test_updated_predictions_are_probabilities_in_the_same_order(p):
    found = recalibrate(*drawn(intercept=0.4, slope=0.6), BOTH)
    updated = found.apply(np.sort(p))
    assert ((updated >= 0) & (updated <= 1)).all()
    assert (np.diff(updated) >= 0).all()


def test_certain_predictions_that_came_true_do_not_count():
    y, p = drawn(intercept=0.4)
    more = recalibrate(np.append(y, [True, False]), np.append(p, [1.0, 0.0]), BOTH)
    assert more == recalibrate(y, p, BOTH)


def test_certain_predictions_that_did_not_come_true_cannot_be_mended():
    y, p = drawn()
    with pytest.raises(DataError, match=r"did not come true: 1\. A new model"):
        recalibrate(np.append(y, True), np.append(p, 0.0), INTERCEPT)


def test_too_few_events_are_refused_by_what_is_to_be_estimated():
    p = np.linspace(0.1, 0.6, 60)
    y = np.arange(60) % 4 == 0  # 15 events
    assert recalibrate(y, p, INTERCEPT).events == 15
    for method in (BOTH, CLOSED_TEST):
        with pytest.raises(DataError, match=r"2 parameters and needs 20 patients .* 15 and 45"):
            recalibrate(y, p, method)
    assert recalibrate(y[:8], p[:8], AS_IS).method == AS_IS


def test_constant_predictions_get_an_intercept_only():
    y, p = drawn()[0], np.full(800, 0.3)
    found = recalibrate(y, p, INTERCEPT)
    assert found.apply(p) == pytest.approx(np.full(800, y.mean()))
    with pytest.raises(DataError, match="all 800 predictions are equal"):
        recalibrate(y, p, BOTH)


def test_predictions_that_rank_the_wrong_way_are_warned_of():
    y, p = drawn(slope=-1.0)
    assert "the wrong way round" in recalibrate(y, p).warning
    assert recalibrate(*drawn()).warning == ""


def test_what_is_no_outcome_prediction_or_method_is_refused():
    y, p = drawn()
    with pytest.raises(DataError, match="Outcomes must be 0 or 1"):
        recalibrate(y * 2.0, p)
    with pytest.raises(DataError, match="Outcomes must be 0 or 1"):
        recalibrate(y[1:], p)
    with pytest.raises(DataError, match="list of probabilities"):
        recalibrate(y, p + 0.5)
    with pytest.raises(DataError, match="list of probabilities"):
        recalibrate(y, p).apply([np.nan])
    with pytest.raises(ParameterError, match="method must be one of closed test, as is"):
        recalibrate(y, p, "refit")
