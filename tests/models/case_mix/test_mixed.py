"""The random-intercept model beside lme4, direct integration, statsmodels and a planted truth."""

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy import integrate, stats
from scipy.special import expit, xlogy

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.case_mix import fit_mixed, kernels

# Contagious bovine pleuropneumonia in herds of cattle (Lesnoff et al. 2004; the example of the R
# package lme4): new cases and animals at risk of each herd, in periods 1, 2, …
HERDS = [
    ([2, 3, 4, 0], [14, 12, 9, 5]),
    ([3, 1, 1], [22, 18, 21]),
    ([8, 2, 0, 2], [22, 16, 16, 20]),
    ([2, 0, 2, 0], [10, 10, 9, 6]),
    ([5, 0, 0, 1], [18, 25, 24, 4]),
    ([3, 0, 0, 1], [17, 17, 18, 20]),
    ([8, 1, 3, 0], [16, 10, 9, 5]),
    ([12], [34]),
    ([2, 0, 0, 0], [9, 6, 8, 6]),
    ([1, 1, 0, 2], [22, 22, 18, 22]),
    ([0, 5, 3, 1], [25, 27, 22, 22]),
    ([2, 1, 0, 0], [10, 8, 6, 5]),
    ([1, 2, 0, 0], [21, 24, 19, 23]),
    ([11, 0, 0, 0], [19, 2, 3, 2]),
    ([1, 1, 1, 0], [19, 15, 15, 15]),
]
EVENTS = np.concatenate([cases for cases, _ in HERDS]).astype(float)
N = np.concatenate([at_risk for _, at_risk in HERDS]).astype(float)
HERD = np.repeat(np.arange(15), [len(cases) for cases, _ in HERDS])
PERIOD = np.concatenate([np.arange(len(cases)) for cases, _ in HERDS])
X = pl.DataFrame({f"period {k + 1}": (k == PERIOD).astype(float) for k in (1, 2, 3)})


@pytest.fixture(scope="module")
def herds():
    return fit_mixed(X, EVENTS, N, HERD)


def eta_of(beta):
    return np.column_stack([np.ones(len(N)), X.to_numpy()]) @ beta


def integral(beta, tau, herd):
    """Of the likelihood over the intercept of one herd, by scipy."""
    eta, n, events = (x[herd == HERD] for x in (eta_of(beta), N, EVENTS))

    def density(b):
        p = expit(eta + b)
        inside = (xlogy(events, p) + xlogy(n - events, 1 - p)).sum()
        return np.exp(inside + 30) * stats.norm.pdf(b, scale=tau)

    return integrate.quad(density, -9, 9, points=[-1, 0, 1], epsabs=0, epsrel=1e-11, limit=400)[0]


def log_likelihood(beta, tau):
    """By the trapezoid rule on a fixed fine grid, which for such smooth integrands is exact."""
    b = np.linspace(-9, 9, 2401) * tau
    p = expit(eta_of(beta)[:, None] + b)
    inside = EVENTS[:, None] * np.log(p) + (N - EVENTS)[:, None] * np.log1p(-p)
    herds = np.add.reduceat(inside, np.searchsorted(HERD, np.arange(15)))
    return np.log((np.exp(herds) * stats.norm.pdf(b, scale=tau)).sum(axis=1) * (b[1] - b[0])).sum()


def test_the_estimates_are_those_of_lme4(herds):
    """Coefficients and deviance with 25 nodes from lme4's own tests.

    https://github.com/lme4/lme4, tests/glmer-1.R at commit 09a2476, model m2. Its deviance is
    relative to a model that fits every row. Here 15 nodes.
    """
    expected = [-1.39922533406847, -0.991407294757321, -1.12782184600404, -1.57946627431248]
    assert herds.coefficients == pytest.approx(expected, abs=2e-5)
    full = (xlogy(EVENTS, EVENTS / N) + xlogy(N - EVENTS, 1 - EVENTS / N)).sum()
    assert 2 * (full - herds.log_likelihood) == pytest.approx(100.010030538022, abs=1e-8)


def test_the_likelihood_is_the_integral(herds):
    beta, tau = herds.coefficients, herds.tau
    expected = sum(np.log(integral(beta, tau, herd)) - 30 for herd in range(15))
    assert herds.log_likelihood == pytest.approx(expected, abs=1e-8)
    assert log_likelihood(beta, tau) == pytest.approx(expected, abs=1e-10)


def test_it_is_the_highest_point_and_the_covariance_its_curvature(herds):
    theta = np.append(herds.coefficients, np.log(herds.tau))

    def level(moved):
        return log_likelihood(moved[:-1], np.exp(moved[-1]))

    step, k = 1e-3, len(theta)
    unit = np.eye(k) * step
    gradient = [(level(theta + e) - level(theta - e)) / (2 * step) for e in unit]
    assert gradient == pytest.approx(np.zeros(k), abs=1e-4)
    curvature = np.empty((k, k))
    for i in range(k):
        for j in range(i + 1):
            both = level(theta + unit[i] + unit[j]) + level(theta - unit[i] - unit[j])
            across = level(theta + unit[i] - unit[j]) + level(theta - unit[i] + unit[j])
            curvature[i, j] = curvature[j, i] = (both - across) / (4 * step**2)
    assert herds.joint == pytest.approx(np.linalg.inv(-curvature), rel=1e-3, abs=1e-5)
    assert herds.covariance == pytest.approx(herds.joint[:-1, :-1])


def test_derivatives_away_from_the_top():
    random = np.random.default_rng(1)
    x = np.column_stack([np.ones(60), random.normal(size=(60, 2))])
    n = random.integers(1, 5, 60).astype(float)
    events = random.binomial(n.astype(int), 0.4).astype(float)
    starts = np.array([0, 10, 25, 26, 60])
    points, weights = np.polynomial.hermite.hermgauss(30)
    gradient, hessian = np.empty(4), np.empty((4, 4))

    def level(theta):
        return kernels.evaluate(
            x,
            n,
            events,
            starts,
            theta[:3],
            theta[3],
            points,
            weights,
            np.zeros(4),
            gradient,
            hessian,
        )

    theta = np.array([0.3, -0.5, 0.8, 0.7])
    level(theta)
    first, second = gradient.copy(), hessian.copy()
    assert second == pytest.approx(second.T)
    for j, e in enumerate(np.eye(4) * 1e-5):
        up, slopes_up = level(theta + e), gradient.copy()
        down, slopes_down = level(theta - e), gradient.copy()
        assert (up - down) / 2e-5 == pytest.approx(first[j], abs=1e-6)
        assert (slopes_up - slopes_down) / 2e-5 == pytest.approx(second[j], abs=1e-5)


def draw(seed, clusters=150, size=40, tau=0.6, beta=(-0.4, 0.8)):
    random = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(clusters), size)
    x = random.normal(size=len(cluster)) + 0.3 * (cluster % 3)
    b = random.normal(0, tau, clusters)
    y = random.random(len(cluster)) < expit(beta[0] + beta[1] * x + b[cluster])
    return x, y.astype(float), cluster


def test_planted_values_are_found_again():
    """30 draws of 150 services with 40 patients each: bias within 3 standard errors of the mean."""
    truth, found, covered = np.array([-0.4, 0.8, 0.6]), [], []
    for seed in range(30):
        x, y, cluster = draw(seed)
        fitted = fit_mixed(x[:, None], y, np.ones(len(y)), cluster)
        found.append([*fitted.coefficients, fitted.tau])
        error = np.sqrt(fitted.covariance[1, 1])
        covered.append(abs(fitted.coefficients[1] - 0.8) < 1.96 * error)
    found = np.array(found)
    assert np.abs(found.mean(axis=0) - truth)[:2] == pytest.approx([0, 0], abs=0.02)
    assert found[:, 2].mean() == pytest.approx(0.6, abs=0.02)
    assert np.mean(covered) > 0.83  # 95 %, Monte Carlo error 4


def test_services_that_do_not_differ():
    """At the boundary everything is the plain logistic regression of statsmodels."""
    random = np.random.default_rng(5)
    x = random.normal(size=900)
    # exactly alike: the same patients in each of three services, but for the order
    y = (random.random(300) < expit(x[:300])).astype(float)
    x, y = np.tile(x[:300], 3), np.tile(y, 3)
    found = fit_mixed(x[:, None], y, np.ones(900), np.repeat(["a", "b", "c"], 300))
    plain = sm.GLM(y, sm.add_constant(x), sm.families.Binomial()).fit()
    assert found.tau == 0
    assert found.coefficients == pytest.approx(plain.params)
    assert found.covariance == pytest.approx(plain.cov_params())
    assert found.log_likelihood == pytest.approx(plain.llf)
    assert not found.joint[-1].any()


def test_chance_is_called_chance():
    """No differences planted: none found in about half of the draws."""
    fitted = []
    for seed in range(60):
        x, y, cluster = draw(seed, clusters=40, size=25, tau=0.0)
        fitted.append(fit_mixed(x[:, None], y, np.ones(len(y)), cluster))
    assert 0.35 < np.mean([one.tau == 0 for one in fitted]) < 0.75


def test_adding_rows_up_and_their_order_change_nothing():
    x, y, cluster = draw(3, clusters=30)
    x = np.round(x)
    single = fit_mixed(x[:, None], y, np.ones(len(y)), cluster)
    order = np.random.default_rng(1).permutation(len(y))
    names = np.array([f"service {c}" for c in cluster])
    frame = pl.DataFrame({"x": x, "y": y, "c": names})[order]
    cells = frame.group_by("x", "c").agg(pl.col("y").sum(), n=pl.len()).sort("x", descending=True)
    added = fit_mixed(cells.select("x"), cells["y"], cells["n"], cells["c"])
    assert added.coefficients == pytest.approx(single.coefficients, abs=1e-8)
    assert added.tau == pytest.approx(single.tau, abs=1e-8)
    assert added.log_likelihood == pytest.approx(single.log_likelihood, abs=1e-7)


def test_large_differences_between_small_services_are_found():
    x, y, cluster = draw(8, clusters=300, size=6, tau=2.5)
    found = fit_mixed(x[:, None], y, np.ones(len(y)), cluster)
    assert found.tau == pytest.approx(2.5, abs=0.5)
    assert found.coefficients[1] == pytest.approx(0.8, abs=0.3)


def test_what_cannot_be_had_is_refused():
    x, y, cluster = draw(1, clusters=4)
    n = np.ones(len(y))
    with pytest.raises(DataError, match="at least two clusters"):
        fit_mixed(x[:, None], y, n, np.zeros(len(y)))
    with pytest.raises(DataError, match="The column '2' follows"):
        fit_mixed(np.column_stack([x, 2 * x]), y, n, cluster)
    with pytest.raises(DataError, match="The column '1' tells"):
        fit_mixed(y[:, None] * 2 - 1 + x[:, None] / 99, y, n, cluster)
    for columns in (x, [["low"], ["high"]]):
        with pytest.raises(ParameterError, match="a table of numbers of two dimensions"):
            fit_mixed(columns, y, n, cluster)
    with pytest.raises(ParameterError, match="more events than people"):
        fit_mixed(x[:, None], 2 * y, n, cluster)
    with pytest.raises(ParameterError, match="infinite numbers"):
        fit_mixed(np.where(x > 0, x, np.inf)[:, None], y, n, cluster)
    with pytest.raises(DataError, match="empty cells in the column '1'"):
        fit_mixed(np.where(x > 0, x, np.nan)[:, None], y, n, cluster)
