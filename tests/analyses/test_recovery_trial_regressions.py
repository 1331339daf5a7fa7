"""Differences by least squares against statsmodels, direct maximisation and simulated truth."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize
from scipy.stats import multivariate_normal, t
from statsmodels.tools.numdiff import approx_hess

from iesoresearch.analyses.recovery_trial.regressions import ancova, sequential
from iesoresearch.errors import DataError
from iesoresearch.seeds import rng


def drawn(n, seed, effect=-3.0, leave=0.0):
    """Scores of two arms at four occasions; who has a high score leaves more often."""
    random = rng(seed, "trial")
    arm = np.arange(n) % 2
    own = random.normal(0, 5, n)
    means = np.array([20.0, 16.0, 13.0, 11.0]) + np.outer(arm, effect * np.array([0, 0.5, 0.8, 1]))
    scores = means + own[:, None] + random.normal(0, 4, (n, 4))
    for j in range(1, 4):
        high = 1 / (1 + np.exp(-(scores[:, j - 1] - 18) / 4))
        gone = (random.random(n) < leave * high) | np.isnan(scores[:, j - 1])
        scores[gone, j:] = np.nan
    return scores, arm


def none(arm):
    return np.empty((len(arm), 0))


def test_ancova_is_that_of_statsmodels():
    scores, arm = drawn(60, 1, leave=0.6)
    known = rng(1, "known").normal(size=(60, 2))
    there = np.isfinite(scores[:, -1])
    design = sm.add_constant(np.column_stack([arm, scores[:, 0], known])[there])
    other = sm.OLS(scores[there, -1], design).fit()
    found = ancova(scores, arm, known, "T")
    assert found.estimate == pytest.approx(other.params[1], rel=1e-10)
    assert [found.low, found.high] == pytest.approx(other.conf_int()[1], rel=1e-10)
    assert found.n == there.sum() < 60


def test_without_missing_scores_both_are_one():
    scores, arm = drawn(80, 2)
    plain, by_steps = (
        ancova(scores, arm, none(arm), "T"),
        sequential(scores, arm, none(arm), "T")[-1],
    )
    assert by_steps.estimate == pytest.approx(plain.estimate, rel=1e-8)


def test_sequential_regressions_maximise_the_normal_likelihood():
    """By brute force, with scipy: scores after the first, given the first, any covariance."""
    scores, arm = drawn(60, 3, leave=0.7)
    scores = scores[:, :3]

    def parts(free):
        intercept, effect, slope = free[:2], free[2:4], free[4:6]
        factor = np.array([[np.exp(free[6]), 0.0], [free[7], np.exp(free[8])]])
        return intercept, effect, slope, factor @ factor.T

    def minus(free):
        intercept, effect, slope, covariance = parts(free)
        total = 0.0
        for row, a in zip(scores, arm, strict=True):
            mean = intercept + effect * a + slope * row[0]
            m = int(np.isfinite(row[1:]).sum())
            if m:
                total -= multivariate_normal.logpdf(row[1 : 1 + m], mean[:m], covariance[:m, :m])
        return total

    best = minimize(minus, np.array([3, 3, 0, 0, 0.5, 0.5, 1, 1, 1.0]), method="BFGS")
    first, found = sequential(scores, arm, none(arm), "T")
    assert [first.estimate, found.estimate] == pytest.approx(best.x[2:4], abs=1e-3)
    error = np.sqrt(np.linalg.inv(approx_hess(best.x, minus))[3, 3])  # variances over n, not n - p
    half = (found.high - found.low) / 2 / t.ppf(0.975, np.isfinite(scores[:, 2]).sum() - 4)
    assert 1.0 < half / error < 1.1


def test_it_is_right_where_leaving_depends_on_scores_and_the_plain_mean_is_not():
    """300 trials: coverage within Monte Carlo error of 95 %; the mean of the leavers is missed."""
    estimates, plain, covered = [], [], []
    for seed in range(300):
        scores, arm = drawn(120, seed, leave=0.8)
        found = sequential(scores, arm, none(arm), "T")[-1]
        estimates.append(found.estimate)
        covered.append(found.low <= -3.0 <= found.high)
        plain.append(np.nanmean(scores[arm == 1, -1]) - 8.0)
    assert np.mean(estimates) == pytest.approx(-3.0, abs=4 * np.std(estimates) / np.sqrt(300))
    assert 0.91 <= np.mean(covered) <= 0.985
    assert np.mean(plain) < -1.0


def test_too_few_patients():
    scores, arm = drawn(10, 1)
    scores[3:, -1] = np.nan
    with pytest.raises(DataError, match=r"T: the 3 patients with that score are too few"):
        ancova(scores, arm, none(arm), "T")
    with pytest.raises(DataError, match="are too few, or too much alike"):
        sequential(scores, arm, none(arm), "T")
