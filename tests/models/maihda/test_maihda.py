"""Both models: against quadrature, statsmodels and what was planted; the same again."""

import itertools
import os
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.special import expit
from statsmodels.stats.proportion import proportion_confint

from iesoresearch.errors import ParameterError
from iesoresearch.models.maihda import TOO_SMALL, Priors, fit, model
from iesoresearch.models.maihda.strata import Strata
from iesoresearch.seeds import rng

LEVELS = {"gender": 2, "age": 3, "deprivation": 4}
ROWS = np.array(list(itertools.product(*(range(k) for k in LEVELS.values()))))
FRAME = pl.DataFrame(ROWS, schema=list(LEVELS), orient="row").cast(pl.String)
ADDITIVE = -0.1 + np.array([-0.2, 0.2])[ROWS[:, 0]] + np.array([0.3, 0.1, -0.4])[ROWS[:, 1]]
ADDITIVE = ADDITIVE + np.array([-0.3, -0.1, 0.1, 0.3])[ROWS[:, 2]]


def drawn(seed, spread, people):
    random = rng(seed, "strata")
    n = random.multinomial(people, random.dirichlet(np.full(len(ROWS), 1.5)))
    logit = ADDITIVE + spread * random.standard_normal(len(ROWS))
    return random.binomial(n, expit(logit)), n, logit


def reliable(fitted, n, logit, spread):
    """(strata,) variance of the estimated effects if spread and normal errors were known.

    Best linear unbiased prediction: u has the variance `spread`², estimates of it that of the
    residuals of generalised least squares, shrunken; the rest is left to the posterior.
    """
    p, x = expit(logit), fitted.strata.design
    error = 1 / (n * p * (1 - p))
    weight = 1 / (spread**2 + error)
    hat = x @ np.linalg.solve((x.T * weight) @ x, x.T * weight)
    left = (np.eye(len(n)) - hat) * (spread**2 * weight)[:, None]
    return ((left**2) / weight).sum(axis=1)


@pytest.fixture(scope="module")
def few():
    """Some strata have hardly anybody."""
    events, n, logit = drawn(1, 0.3, 900)
    n[0], events[0] = 3, 1
    n[1], events[1] = 0, 0
    return events, n, logit, fit(events, n, FRAME, random_state=1)


@pytest.fixture(scope="module")
def many():
    events, n, logit = drawn(2, 0.15, 200_000)
    return events, n, logit, fit(events, n, FRAME, random_state=1, n_jobs=2)


def quadrature(events, n):
    """Posterior means of intercept and spread of the null model, from a grid."""
    u, weight = np.polynomial.hermite_e.hermegauss(60)
    intercepts, spreads = np.linspace(-1.5, 1.5, 121), np.linspace(0.005, 1.6, 120)
    logit = intercepts[:, None, None] + spreads[:, None] * u
    log = np.zeros((len(intercepts), len(spreads)))
    for k, m in zip(events, n, strict=True):
        log += np.log((stats.binom.pmf(k, m, expit(logit)) * weight).sum(axis=-1))
    log += stats.norm.logpdf(intercepts, 0, 2.5)[:, None] + stats.halfnorm.logpdf(spreads, 0, 0.5)
    density = np.exp(log - log.max())
    density /= density.sum()
    return (density.sum(1) * intercepts).sum(), (density.sum(0) * spreads).sum()


def test_draws_of_the_null_model_are_those_of_the_exact_posterior(few):
    events, n, _, fitted = few
    intercept, spread = quadrature(events, n)
    assert fitted.null.coefficients.mean() == pytest.approx(intercept, abs=0.01)
    assert fitted.null.spread.mean() == pytest.approx(spread, abs=0.01)


def test_main_effects_are_those_of_a_logistic_regression():
    """Where nothing lies beside them, there are many patients and priors say little."""
    events, n, _ = drawn(3, 0.0, 400_000)
    fitted = fit(events, n, FRAME, random_state=1)
    dummies = sm.add_constant(FRAME.to_dummies(drop_first=True).to_numpy().astype(float))
    model = sm.GLM(np.column_stack([events, n - events]), dummies, family=sm.families.Binomial())
    found = fitted.to_frame()["additive"].to_numpy()
    np.testing.assert_allclose(found, model.fit().predict(), atol=0.003)
    assert fitted.summary()["vpc_interaction"].x_low == 0
    assert fitted.summary()["pcv"].x_high == 1


def test_what_was_planted_is_found(many):
    """One seed; the study shows how often."""
    _, n, logit, fitted = many
    found, p = fitted.summary(), expit(logit)
    total = ADDITIVE.var(ddof=1) + 0.15**2
    truth = {
        "spread": total**0.5,
        "vpc": total / (total + np.pi**2 / 3),
        "spread_interaction": 0.15,
        "pcv": 1 - 0.15**2 / total,
    }
    for name, x in truth.items():
        assert found[name].x_low < x < found[name].x_high, name
    frame = fitted.to_frame()
    np.testing.assert_allclose(frame["mean"].to_numpy(), p, atol=0.025)
    covered = (frame["mean_low"].to_numpy() <= p) & (p <= frame["mean_high"].to_numpy())
    assert covered.mean() > 0.8
    found_r = np.corrcoef(frame["interaction"].to_numpy(), p - expit(ADDITIVE))[0, 1]
    explained = reliable(fitted, n, logit, 0.15).mean() / 0.15**2
    below = stats.norm.isf(0.01) / np.sqrt(len(n) - 3)  # Fisher's z, one in a hundred
    assert np.arctanh(found_r) > np.arctanh(np.sqrt(explained)) - below
    assert found["auc"].x > found["auc_main_effects"].x
    assert found["vpc_probability"].x < found["vpc"].x


def test_the_change_in_variance_is_about_that_of_two_models(many):
    """The usual one takes a variance from each model."""
    *_, fitted = many
    usual = 1 - (np.median(fitted.main.spread) / np.median(fitted.null.spread)) ** 2
    assert fitted.summary()["pcv"].x == pytest.approx(usual, abs=0.06)


def test_flags_are_those_whose_interval_excludes_zero(many):
    *_, fitted = many
    frame, flags = fitted.to_frame(), fitted.flags()
    outside = (frame["effect_low"] > 0) | (frame["effect_high"] < 0)
    assert flags.flagged == outside.sum() == frame["flagged"].sum()
    assert flags.estimated == len(ROWS)
    assert flags.by_chance == pytest.approx(0.05 * len(ROWS))
    other_sign = np.minimum(frame["above"], 1 - frame["above"]).filter(frame["flagged"])
    assert flags.wrong_sign == pytest.approx(other_sign.sum())
    assert 0 <= flags.wrong_sign < 0.025 * flags.flagged


def test_as_many_are_flagged_as_the_power_of_each_says():
    """Six draws together: within 99 % of the binomial distribution with that power."""
    flagged, power = 0, []
    for seed in range(10, 16):
        events, n, logit = drawn(seed, 0.15, 200_000)
        fitted = fit(events, n, FRAME, random_state=seed, draws=500, chains=2)
        known = reliable(fitted, n, logit, 0.15)
        power.append(2 * stats.norm.cdf(-1.96 * np.sqrt((0.15**2 - known) / known)))
        flagged += fitted.flags().flagged
    low, high = stats.binom.ppf((0.005, 0.995), np.size(power), np.mean(power))
    assert 10 < low <= flagged <= high


def test_raw_rates_have_wilsons_interval_and_small_strata_no_estimate(few):
    events, n, _, fitted = few
    frame = fitted.to_frame()
    small = n < 5
    assert small[:2].all()
    assert (frame["reason"].is_not_null().to_numpy() == small).all()
    assert set(frame["reason"].drop_nulls()) == {TOO_SMALL}
    for name in ("raw", "mean", "mean_low", "interaction", "above"):
        assert (frame[name].is_null().to_numpy() == small).all(), name
    assert not frame["flagged"].to_numpy()[small].any()
    low, high = proportion_confint(events[~small], n[~small], method="wilson")
    known = frame.filter(~small)
    np.testing.assert_allclose(known["raw_low"].to_numpy(), low, atol=1e-9)
    np.testing.assert_allclose(known["raw_high"].to_numpy(), high, atol=1e-9)


def test_rates_are_shrunken_towards_main_effects_the_more_the_fewer_patients(few):
    _, n, _, fitted = few
    known = n >= 5
    frame = fitted.to_frame().filter(known)
    raw, mean, additive = (frame[c].to_numpy() for c in ("raw", "mean", "additive"))
    moved = np.abs(mean - additive) < np.abs(raw - additive)
    assert moved.mean() > 0.9
    kept = np.abs(mean - additive).sum() / np.abs(raw - additive).sum()
    largest = np.argsort(n[known])[-6:]
    kept_large = np.abs(mean - additive)[largest].sum() / np.abs(raw - additive)[largest].sum()
    assert kept < kept_large < 1


def test_chains_pass_their_diagnostics(few, many):
    for *_, fitted in (few, many):
        for name, found in fitted.diagnostics().items():
            assert found.passed, (name, found.failures())


def test_draws_do_not_depend_on_jobs(few):
    events, n, _, fitted = few
    again = fit(events, n, FRAME, random_state=1, n_jobs=2)
    np.testing.assert_array_equal(again.main.logit, fitted.main.logit)
    other = fit(events, n, FRAME, random_state=2)
    assert not np.array_equal(other.main.spread, fitted.main.spread)


def test_a_prior_that_is_none():
    with pytest.raises(ParameterError, match=r"prior of spread has the standard deviation 0\.0"):
        Priors(spread=0.0)


def test_nothing_heavy_is_imported_before_a_fit():
    code = "import sys, iesoresearch.models.maihda\n"
    code += "print({'pymc', 'pytensor', 'nutpie', 'arviz_stats'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout.strip() == "set()"


def test_the_last_digits_of_a_processor_do_not_reach_the_sampler(monkeypatch):
    """Draws depend on every digit of what they start from."""
    strata = Strata.of(*drawn(8, 0.2, 3000)[:2], FRAME)

    def packed():
        return model._Laid.of(strata, strata.design.shape[1], Priors()).padded(64, 16)

    before, solve = packed(), model.solve
    monkeypatch.setattr(model, "solve", lambda *x: solve(*x) * (1 + 4e-16))
    assert not np.array_equal(model.solve(np.eye(1), [0.3]), [0.3])
    assert np.array_equal(packed(), before)
