"""Random effects against published numbers, closed forms, another program and known truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats
from statsmodels.stats.meta_analysis import combine_effects

from iesoresearch.errors import DataError
from iesoresearch.models.pooling.effects import fixed_effect, leave_one_out, random_effects

#: Thirteen trials of BCG vaccine against tuberculosis (Colditz et al. 1994, JAMA 271:698): ill and
#: well among the vaccinated, ill and well among the others.
BCG = np.array([
    (4, 119, 11, 128), (6, 300, 29, 274), (3, 228, 11, 209), (62, 13536, 248, 12619),
    (33, 5036, 47, 5761), (180, 1361, 372, 1079), (8, 2537, 10, 619), (505, 87886, 499, 87892),
    (29, 7470, 45, 7232), (17, 1699, 65, 1600), (186, 50448, 141, 27197), (5, 2493, 3, 2338),
    (27, 16886, 29, 17825),
], dtype=float)  # fmt: skip


def log_risk_ratios():
    a, b, c, d = BCG.T
    return np.log(a / (a + b) / (c / (c + d))), np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))


def test_published_numbers_of_the_bcg_trials():
    """Viechtbauer 2010, Journal of Statistical Software 36(3), and the manual of metafor."""
    found = random_effects(*log_risk_ratios())
    assert found.k == 13
    assert found.estimate == pytest.approx(-0.7145, abs=5e-5)
    assert found.tau2 == pytest.approx(0.3132, abs=5e-5)
    assert found.i2 == pytest.approx(0.9222, abs=5e-5)
    assert found.q == pytest.approx(152.2330, abs=5e-5)
    assert found.q_df == 12


def test_the_variance_is_at_the_top_of_the_likelihood_of_contrasts():
    """REML by its definition: the density of contrasts that know nothing of the mean."""
    y, errors = log_risk_ratios()
    contrasts = np.linalg.svd(np.ones((1, len(y))))[2][1:]

    def loss(tau2):
        covariance = contrasts @ np.diag(errors**2 + tau2) @ contrasts.T
        return -stats.multivariate_normal(cov=covariance).logpdf(contrasts @ y)

    best = optimize.minimize_scalar(loss, bounds=(0, 5), options={"xatol": 1e-10}).x
    assert random_effects(y, errors).tau2 == pytest.approx(best, abs=1e-6)


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=8), st.floats(0.1, 2))
@settings(deadline=None, max_examples=50)
def test_equal_errors_have_a_closed_form(y, error):
    """Then the variance between is the sample variance less that within, or zero."""
    found = random_effects(y, np.full(len(y), error))
    assert found.estimate == pytest.approx(np.mean(y), abs=1e-9)
    assert found.tau2 == pytest.approx(max(np.var(y, ddof=1) - error**2, 0), abs=1e-8)


def test_statsmodels_where_the_estimators_are_the_same():
    """With equal errors its Paule-Mandel variance is REML; its HKSJ error is ours."""
    y, variance = np.array([0.3, -0.2, 1.4, 0.8, 0.1]), np.full(5, 0.09)
    theirs = combine_effects(y, variance, method_re="iterated", use_t=True, atol=1e-12)
    found = random_effects(y, np.sqrt(variance))
    assert found.tau2 == pytest.approx(theirs.tau2, abs=1e-6)
    assert found.estimate == pytest.approx(theirs.mean_effect_re, abs=1e-9)
    assert found.error == pytest.approx(theirs.sd_eff_w_re_hksj, abs=1e-7)
    assert found.q == pytest.approx(theirs.q, abs=1e-9)


def test_intervals_by_hand():
    """Two degrees of freedom: t has the quantile 4.3027; one: 12.7062."""
    found = random_effects([0.0, 1.0, 2.0], [0.1, 0.1, 0.1])
    # variance 1, so 0.99 between; error of the mean the root of 1/3
    assert found.error == pytest.approx(np.sqrt(1 / 3))
    assert found.high - found.estimate == pytest.approx(4.302653 * np.sqrt(1 / 3), rel=1e-6)
    ahead = 12.706205 * np.sqrt(0.99 + 1 / 3)
    assert found.predicted_high - found.estimate == pytest.approx(ahead, rel=1e-6)
    assert found.tau == pytest.approx(np.sqrt(0.99))
    assert found.i2 == pytest.approx(0.99)


def test_estimates_that_agree_too_well_get_no_narrower_interval_than_their_errors_give():
    found = random_effects([1.0, 1.001, 0.999], [0.3, 0.3, 0.3])
    assert found.tau2 == 0
    assert found.error == pytest.approx(0.3 / np.sqrt(3))


def test_intervals_cover_and_predictions_hold():
    random, inside, ahead = np.random.default_rng(5), 0, 0
    for _ in range(300):
        errors = random.uniform(0.1, 0.4, 8)
        y = random.normal(0.5, 0.3, 8) + random.normal(0, errors)
        found = random_effects(y, errors)
        inside += found.low <= 0.5 <= found.high
        ahead += found.predicted_low <= random.normal(0.5, 0.3) <= found.predicted_high
    assert stats.binomtest(inside, 300, 0.95).pvalue > 0.01
    assert 0.9 < ahead / 300 < 0.985


def test_another_scale_moves_the_limits_only():
    found = random_effects([0.5, 1.0, 2.0], [0.2, 0.3, 0.2])
    moved = found.on_scale(special.expit)
    assert moved.estimate == special.expit(found.estimate)
    assert moved.predicted_low == special.expit(found.predicted_low)
    assert (moved.tau, moved.error) == (found.tau, found.error)


def test_what_is_not_known_is_left_out():
    whole = random_effects([0.5, 1.0, 2.0], [0.2, 0.3, 0.2])
    assert random_effects([0.5, np.nan, 1.0, 2.0], [0.2, 0.1, 0.3, 0.2]) == whole


def test_too_few_are_no_error_but_a_reason():
    two = random_effects([0.0, 1.0], [0.1, 0.1])
    assert np.isfinite([two.low, two.high]).all()
    assert np.isnan(two.predicted_low)
    assert "needs three estimates" in two.reason
    one = random_effects([0.0, np.nan], [0.1, 0.1])
    assert np.isnan(one.estimate)
    assert "there is 1" in one.reason
    assert "there are none" in random_effects([], []).reason


@pytest.mark.parametrize("error", [0.0, -1.0, np.inf])
def test_an_estimate_without_weight_is_refused(error):
    with pytest.raises(DataError, match="standard error is zero, negative or infinite"):
        random_effects([0.1, 0.2], [0.1, error])


def test_other_lengths_are_refused():
    with pytest.raises(DataError, match="2 estimates and 1 standard errors"):
        random_effects([0.1, 0.2], [0.1])


def test_paule_mandel_is_that_of_statsmodels():
    y, errors = log_risk_ratios()
    theirs = combine_effects(y, errors**2, method_re="iterated", use_t=True, atol=1e-12)
    found = random_effects(y, errors, method="paule-mandel")
    assert found.tau2 == pytest.approx(theirs.tau2, abs=1e-7)
    assert found.estimate == pytest.approx(theirs.mean_effect_re, abs=1e-7)
    assert found.error == pytest.approx(theirs.sd_eff_w_re_hksj, abs=1e-7)


def test_a_fixed_effect_is_that_of_statsmodels():
    y, errors = log_risk_ratios()
    theirs = combine_effects(y, errors**2)
    found = fixed_effect(y, errors)
    assert found.estimate == pytest.approx(theirs.mean_effect_fe, abs=1e-12)
    assert found.error == pytest.approx(theirs.sd_eff_w_fe, abs=1e-12)
    assert (found.q, found.k) == (pytest.approx(theirs.q), 13)
    assert np.isnan(found.predicted_low)
    assert fixed_effect([0.3], [0.2]).estimate == 0.3


def test_intervals_of_the_variance_are_where_q_is_too_large_and_too_small():
    """Viechtbauer's definition, by another root finder."""
    y, errors = log_risk_ratios()
    found = random_effects(y, errors)
    for end, tail in ((found.tau2_low, 0.975), (found.tau2_high, 0.025)):
        w = 1 / (errors**2 + end)
        q = w @ (y - w @ y / w.sum()) ** 2
        assert q == pytest.approx(stats.chi2.ppf(tail, 12), rel=1e-9)
    w = 1 / errors**2
    typical = 12 * w.sum() / (w.sum() ** 2 - w @ w)
    assert found.i2_high == pytest.approx(found.tau2_high / (found.tau2_high + typical))


def test_weights_are_shares_and_nobody_s_is_none():
    found = random_effects([0.5, np.nan, 1.0, 2.0], [0.2, 0.1, 0.3, 0.2])
    assert np.nansum(found.weights) == pytest.approx(1)
    assert np.isnan(found.weights[1])


def test_each_is_left_out_in_turn():
    y, errors = log_risk_ratios()
    found = leave_one_out(y, errors)
    assert len(found) == 13
    assert found[3] == random_effects(np.delete(y, 3), np.delete(errors, 3))
