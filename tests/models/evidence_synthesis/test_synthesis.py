"""Draws from the posterior: against quadrature, against what was planted, and the same again."""

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from iesoresearch.errors import ParameterError
from iesoresearch.models.evidence_synthesis import (
    Comparisons,
    Priors,
    Synthesis,
    coefficients,
    diagnose,
    draw_effects,
    new_trial,
    posterior_check,
    prior_check,
    restricted,
)
from iesoresearch.seeds import rng

MODEL = Synthesis(draws=800, tune=400)
TRUTH = {"between": 0.4, "within": 0.2}
RISE = 2.5


def drawn(seed, rise=0.0, n_trials=90):
    random = rng(seed, "trials")
    trial = np.repeat(np.arange(n_trials), random.choice([1, 2, 3], n_trials))
    groups = 8 + random.integers(0, 80, (2, n_trials))[:, trial]
    error = np.sqrt((1 / groups).sum(axis=0))
    effect = draw_effects(random, error, trial, mean=0.6 + rise * error, **TRUTH)
    return Comparisons.of(effect, error, trial, groups)


@pytest.fixture(scope="module")
def data():
    return drawn(1)


@pytest.fixture(scope="module")
def plain(data):
    return MODEL.fit(data, seed=1)


@pytest.fixture(scope="module")
def rising():
    return MODEL.fit(drawn(2, RISE), small_study="error", seed=1)


def covariance(data, total, share):
    same = data.trial[:, None] == data.trial[None, :]
    spread = total**2 * (share * same + (1 - share) * np.eye(data.n))
    return spread + np.diag(data.error**2)


def quadrature(data, n=40):
    """Posterior mean of mean and total by a grid, the mean integrated out by hand."""
    totals, shares = np.linspace(0.2, 0.8, n), (np.arange(n) + 0.5) / n
    logs, centres = np.empty((n, n)), np.empty((n, n))
    for i, total in enumerate(totals):
        for j, share in enumerate(shares):
            v = covariance(data, total, share)
            marginal = stats.multivariate_normal(np.zeros(data.n), v + 1.0)  # prior N(0, 1)
            logs[i, j] = marginal.logpdf(data.effect) + stats.halfnorm.logpdf(total)
            solved = np.linalg.solve(v, np.column_stack([np.ones(data.n), data.effect]))
            centres[i, j] = solved[:, 1].sum() / (solved[:, 0].sum() + 1)
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    return (weight * centres).sum(), (weight * totals[:, None]).sum()


def test_draws_are_those_of_the_exact_posterior(data, plain):
    small = data.part(data.trial < 30)
    fit = MODEL.fit(small, seed=3)
    mean, total = quadrature(small)
    found = coefficients(fit, MODEL.priors)["mean"]
    assert found.x == pytest.approx(mean, abs=0.003)
    assert fit.flat("mean").mean() == pytest.approx(mean, abs=0.015)
    assert fit.total.mean() == pytest.approx(total, abs=0.01)


def test_what_was_planted_is_found(plain, rising):
    """One seed; the study shows how often."""
    for fit, truth in ((plain, {"mean": 0.6}), (rising, {"mean": 0.6, "small_study": RISE})):
        found = fit.summary()
        for name, x in (truth | TRUTH).items():
            assert found[name].x_low <= x <= found[name].x_high, name
        assert diagnose(fit).passed, diagnose(fit).failures()


@pytest.mark.parametrize("kind", ["plain", "rising"])
def test_it_agrees_with_restricted_likelihood(kind, request):
    fit = request.getfixturevalue(kind)
    other = restricted(fit.data, small_study=fit.small_study)
    found = coefficients(fit, MODEL.priors)
    assert found["mean"].x == pytest.approx(other.mean, abs=0.2 * other.error)
    width = found["mean"].x_high - found["mean"].x_low
    assert width == pytest.approx(other.high - other.low, rel=0.1)
    assert fit.total.mean() == pytest.approx(np.hypot(other.between, other.within), abs=0.05)


@pytest.mark.parametrize("kind", ["plain", "rising"])
def test_averaged_coefficients_are_those_of_the_draws(kind, request):
    fit = request.getfixturevalue(kind)
    drawn_summary = fit.summary()
    for name, found in coefficients(fit, MODEL.priors).items():
        sd = fit.flat(name).std()
        assert found.x == pytest.approx(drawn_summary[name].x, abs=0.1 * sd)
        assert found.x_low == pytest.approx(drawn_summary[name].x_low, abs=0.25 * sd)
        assert found.x_high == pytest.approx(drawn_summary[name].x_high, abs=0.25 * sd)
    ahead, of_draws = new_trial(fit, MODEL.priors), fit.predictive(rng(1, "new"))
    assert ahead.x_low == pytest.approx(np.quantile(of_draws, 0.025), abs=0.1)
    assert ahead.x_high == pytest.approx(np.quantile(of_draws, 0.975), abs=0.1)


def test_ignoring_that_small_trials_differ_is_seen(rising):
    ignored = MODEL.fit(rising.data, seed=1)
    assert ignored.summary()["mean"].x_low > 0.6
    by_name = {check.name: check for check in posterior_check(ignored, 1)}
    assert not by_name["correlation of g with its SE"].inside
    assert all(check.inside for check in posterior_check(rising, 1))
    before = prior_check(rising.data, Priors(), 1, small_study="error")
    assert all(check.inside for check in before)
    assert all(0 <= check.above <= 1 for check in before)


def test_size_of_groups_as_predictor(rising):
    """Here standard errors are those of the sizes, so that it is the same model."""
    by_size = MODEL.fit(rising.data, small_study="size", seed=1)
    np.testing.assert_allclose(by_size.flat("mean"), rising.flat("mean"), atol=1e-6)


def test_correlated_errors_leave_less_between_trials(data):
    """What comparisons of a trial share is then partly their controls' sampling error."""
    fit = MODEL.fit(data, correlation=0.5, seed=1)
    other = restricted(data, correlation=0.5)
    assert fit.summary()["mean"].x == pytest.approx(other.mean, abs=0.2 * other.error)
    assert other.between < restricted(data).between


def test_draws_do_not_depend_on_jobs_or_on_what_was_fitted_before(plain, data):
    again = MODEL.fit(data, seed=1, n_jobs=2)
    for name, values in plain.draws.items():
        np.testing.assert_array_equal(values, again.draws[name])
    other = MODEL.fit(data, seed=2)
    assert not np.array_equal(other.draws["mean"], plain.draws["mean"])


def test_joint_summary(plain):
    joint = plain.joint()
    logs = np.log([plain.flat("between"), plain.flat("within")])
    expected = np.cov(np.stack([plain.flat("mean"), *logs]))
    sd = np.sqrt(np.diag(expected))
    np.testing.assert_allclose(joint.sd, sd)
    np.testing.assert_allclose(joint.correlation * np.outer(sd, sd), expected)


def test_options_that_are_refused(data):
    with pytest.raises(ParameterError, match=r"correlation=1\.0: sampling errors .* 0 to below 1"):
        MODEL.fit(data, correlation=1.0, seed=1)
    with pytest.raises(ParameterError, match="small_study='egger' is none of"):
        MODEL.fit(data, small_study="egger", seed=1)
    with pytest.raises(ParameterError, match=r"prior of total has the standard deviation 0\.0"):
        Priors(total=0.0)


def test_nothing_heavy_is_imported_before_a_fit():
    code = "import sys, iesoresearch.models.evidence_synthesis\n"
    code += "print({'pymc', 'pytensor', 'nutpie', 'arviz_stats'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "set()"
