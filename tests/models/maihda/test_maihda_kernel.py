"""The log-posterior: against scipy's densities, and derivatives against differences."""

import numpy as np
import pytest
from scipy import optimize, stats
from scipy.special import expit

from iesoresearch.models.maihda import kernel
from iesoresearch.seeds import rng

STRATA, COEFFICIENTS = 7, 3


@pytest.fixture
def case():
    random = rng(1, "kernel")
    n = np.array([0, 1, 5, 20, 100, 1000, 40])
    events = random.binomial(n, 0.4)
    counts = np.stack(
        [events, n, np.log((events + 0.5) / (n - events + 0.5)), 0.1 + random.random(STRATA)]
    )
    offset, slopes = random.normal(size=STRATA), random.normal(size=(COEFFICIENTS, STRATA))
    prior, at = random.normal(size=(COEFFICIENTS, COEFFICIENTS)), random.normal(size=COEFFICIENTS)
    return counts, offset, slopes, prior, at


def by_scipy(free, spread, case):
    """The density of logits and coefficients, times that of the change of coordinates."""
    counts, offset, slopes, prior, at = case
    events, n, y, v = counts
    coefficients, z = free[:COEFFICIENTS], free[COEFFICIENTS:]
    mu, total = offset + coefficients @ slopes, spread**2 + v
    # mean and standard deviation of what counts and spread together say, as normal
    centre = (mu * v + y * spread**2) / total
    width = spread * np.sqrt(v / total)
    logit = centre + width * z
    return (
        stats.binom.logpmf(events, n, expit(logit)).sum()
        + stats.norm.logpdf(logit, mu, spread).sum()
        + np.log(width).sum()
        + stats.norm.logpdf(at + prior @ coefficients).sum()
    )


@pytest.mark.parametrize("spread", [0.05, 0.4, 2.0])
def test_it_is_the_density_of_the_model(case, spread):
    data, random = kernel.pack(*case), rng(2, "kernel")
    free = random.normal(size=(2, COEFFICIENTS + STRATA))
    ours = [kernel.log_posterior(x, spread, data)[0] for x in free]
    theirs = [by_scipy(x, spread, case) for x in free]
    assert ours[0] - ours[1] == pytest.approx(theirs[0] - theirs[1], rel=1e-9)


def test_the_spread_moves_it_as_in_the_model(case):
    data, free = kernel.pack(*case), rng(3, "kernel").normal(size=COEFFICIENTS + STRATA)
    ours = [kernel.log_posterior(free, s, data)[0] for s in (0.2, 0.9)]
    theirs = [by_scipy(free, s, case) for s in (0.2, 0.9)]
    assert ours[0] - ours[1] == pytest.approx(theirs[0] - theirs[1], rel=1e-9)


@pytest.mark.parametrize("spread", [0.01, 0.5])
def test_derivatives(case, spread):
    data, free = kernel.pack(*case), rng(4, "kernel").normal(size=COEFFICIENTS + STRATA)
    _, by_free, by_spread = kernel.log_posterior(free, spread, data)
    at = np.append(free, spread)
    found = optimize.approx_fprime(at, lambda x: kernel.log_posterior(x[:-1], x[-1], data)[0], 1e-7)
    np.testing.assert_allclose(np.append(by_free, by_spread), found, rtol=1e-4, atol=2e-4)


def test_no_spread_at_all_is_no_singularity(case):
    value, by_free, by_spread = kernel.log_posterior(
        np.ones(COEFFICIENTS + STRATA), 0.0, kernel.pack(*case)
    )
    assert np.isfinite([value, by_spread, *by_free]).all()
