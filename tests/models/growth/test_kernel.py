"""The likelihood and its gradient against multivariate normal distributions and differences."""

import itertools

import numpy as np
import pytest
from scipy import integrate, special, stats

from iesoresearch.models.growth import Priors, kernel, layout
from iesoresearch.models.growth.checks import _given_leaving
from iesoresearch.models.growth.prediction import predictive

P = np.array([5.0, 4.0, -0.4, 3.0])  # spread of level and rate, correlation, residual
COVARIANCE = np.array([[25.0, -8.0], [-8.0, 16.0]])


def one_patient(seed, n=4):
    random = np.random.default_rng(seed)
    g = np.sort(random.random(n))
    score = random.normal(10, 5, n)
    return g, score, kernel.moments(np.zeros(n, dtype=int), g, score, 1)[0]


def design(g):
    return np.column_stack([np.ones(len(g)), g])


@pytest.mark.parametrize("n", [1, 2, 5])
def test_scores_are_jointly_normal(n):
    g, score, m = one_patient(n, n)
    z = design(g)
    expected = stats.multivariate_normal(z @ [12, -4], z @ COVARIANCE @ z.T + 9 * np.eye(n)).logpdf(
        score
    )
    assert kernel.conditional(m, 12.0, -4.0, P)[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_predictions_condition_a_joint_normal_distribution(n):
    """The next score given the earlier ones, from the whole covariance matrix."""
    g, score, m = one_patient(7, n) if n else (np.zeros(0), np.zeros(0), np.zeros(6))
    z = design(np.append(g, 0.7))
    whole = z @ COVARIANCE @ z.T + 9 * np.eye(n + 1)
    mean = z @ [12, -4]
    weights = np.linalg.solve(whole[:n, :n], whole[:n, n])
    found = predictive(m, 0.7, 12.0, -4.0, P)
    assert found[0] == pytest.approx(mean[n] + weights @ (score - mean[:n]))
    assert found[1] ** 2 == pytest.approx(whole[n, n] - weights @ whole[:n, n])


def test_effects_made_of_z_have_the_right_joint_density():
    """p(scores) N(z) = p(scores | effects) p(effects) |d effects / d z|, for any z."""
    g, score, m = one_patient(3)
    found = kernel.conditional(m, 12.0, -4.0, P)
    spread = np.array([5.0, 4.0])

    def effects(z):
        return spread * kernel.standard_effects(found, z[0], z[1], -0.4)

    z = np.array([0.3, -1.2])
    jacobian = np.column_stack([effects(z + e) - effects(z) for e in np.eye(2)])  # linear
    u = effects(z)
    given = stats.norm(design(g) @ (u + np.array([12, -4])), 3).logpdf(score).sum()
    prior = stats.multivariate_normal([0, 0], COVARIANCE).logpdf(u)
    joint = given + prior + np.log(np.linalg.det(jacobian))
    assert found[0] + stats.norm.logpdf(z).sum() == pytest.approx(joint)


def test_leaving_is_a_bernoulli_trial_after_each_occasion():
    times, own = np.array([-0.5, 0.0, 0.25]), 0.4
    odds = np.exp(-1 + 2 * times)
    hazard = special.expit(-1 + 2 * times + own)
    stayed = kernel.leaving(3, 0, times, odds, own)[0]
    assert stayed == pytest.approx((1 - hazard).prod())
    left = kernel.leaving(1, 1, times, odds, own)[0]
    assert left == pytest.approx((1 - hazard[0]) * hazard[1])


@pytest.mark.parametrize("course", [(0, 1), (2, 0), (3, 1)])
@pytest.mark.parametrize("seen", [0, 1, 4])
def test_drop_out_is_averaged_over_what_the_scores_leave_open(course, seen):
    """Against an integral over both patient effects, given the scores."""
    _, _, m = one_patient(5, seen) if seen else (None, None, np.zeros(6))
    p = np.concatenate([P, [-1.5, 0.5, 0.4, 1.2]])
    times = np.linspace(-0.5, 0.3, 4)
    odds = np.exp(p[4] + p[5] * times)
    found = kernel.conditional(m, 12.0, -4.0, p)

    z, step = np.linspace(-7, 7, 71, retstep=True)
    expected = 0.0
    for z0, z1 in itertools.product(z, z):
        first, second = kernel.standard_effects(found, z0, z1, -0.4)
        value = kernel.leaving(*course, times, odds, 0.3 + 0.4 * first + 1.2 * second)[0]
        expected += step**2 * value * np.exp(-0.5 * (z0**2 + z1**2)) / (2 * np.pi)
    value = kernel._drop_out(found, p, course, times, odds, 0.3, np.zeros(5), np.zeros(8))[0]
    assert np.exp(value) == pytest.approx(expected, rel=5e-4)


@pytest.mark.parametrize("course", [(0, 1), (3, 0)])
def test_effects_of_who_left_are_drawn_from_their_distribution(course):
    times = np.linspace(-0.5, 0.3, 4)
    odds = np.exp(-1.0 + times)

    def density(z):
        return kernel.leaving(*course, times, odds, 0.2 + 1.5 * z)[0] * stats.norm.pdf(z)

    total = integrate.quad(density, -8, 8)[0]
    for share in (0.025, 0.5, 0.975):
        z = _given_leaving(*course, times, odds, 0.2, 1.5, share)
        assert integrate.quad(density, -8, z)[0] / total == pytest.approx(share, abs=2e-3)


def test_the_spread_of_unit_effects_changes_no_density():
    z, sd, spread = np.array([0.7, -0.2]), 1.4, 0.5
    by = np.zeros(2)
    added, _ = kernel._units_reverse(z, by, sd, spread)
    scale, _ = kernel.unit_scale(sd, spread)
    expected = stats.norm(0, sd).logpdf(scale * z).sum() + 2 * np.log(scale)
    assert added + stats.norm.logpdf(z).sum() == pytest.approx(expected)


@pytest.mark.parametrize("shared", [False, True])
def test_the_gradient_is_that_of_differences(course, shared):
    data = course(1, 40, 4, hazard_rate=0.5, arm_effect=1.0)
    where = layout.Layout.of(data, Priors(-20, 60), shared=shared)
    given = list(layout.given(data, shared=shared).values())
    random = np.random.default_rng(2)
    at = [
        where.mean + 0.5 * where.sd * random.normal(size=len(where.mean)),
        random.uniform(1, 3, len(where.half_normal)),
        np.array([-0.3]),
    ]
    gradient = kernel.packed(*at, *given)[1:]
    for part, found in zip(at, gradient, strict=True):
        for i in random.permutation(len(part))[:25]:
            step, kept = 1e-5, part[i]
            values = []
            for part[i] in (kept + step, kept - step):
                values.append(kernel.packed(*at, *given)[0])
            part[i] = kept
            assert found[i] == pytest.approx((values[0] - values[1]) / (2 * step), abs=1e-4)


def test_all_patients_together_are_the_sum_of_the_patients(course):
    """The packed likelihood, for therapists' effects given, against scipy patient by patient."""
    data = course(3, 30, 3)
    priors = Priors(-20, 60)
    where = layout.Layout.of(data, priors, shared=False)
    random = np.random.default_rng(4)
    free, sd = random.normal(size=len(where.mean)), np.array([5.0, 4.0, 3.0, 1.2, 0.8])
    given = layout.given(data, shared=False)
    draws = where.by_name(free[None], sd[None], np.array([0.3]))
    # as in the likelihood, without what the prior of the therapists' numbers adds
    added = sum(
        kernel._units_reverse(free[2 + 3 * k : 5 + 3 * k], np.zeros(3), sd[3 + k], s)[0]
        for k, s in enumerate(given["spread"][:2])
    )
    expected = 0.0
    for i in range(data.n_patients):
        here = data.patient == i
        z = design(data.growth(data.time[here]))
        k = data.therapist[i]
        line = [
            draws["level"][0] + draws["therapist_level"][0, k],
            draws["rate"][0] + draws["therapist_rate"][0, k],
        ]
        covariance = z @ COVARIANCE @ z.T + 9 * np.eye(here.sum())
        expected += stats.multivariate_normal(z @ line, covariance).logpdf(data.score[here])
    value = kernel.packed(free, sd, np.array([-0.4]), *given.values())[0]
    assert value - added == pytest.approx(expected, rel=1e-10)
