"""The calibration curve against statsmodels with a basis of its own."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.special import expit, logit

from iesoresearch.models.evaluation import curve


def drawn(n=800, seed=1):
    random = np.random.default_rng(seed)
    x = random.normal(size=n) * 1.2
    y = (random.random(n) < expit(0.6 * x + 0.15 * x**2 - 0.1)).astype(float)
    return y, expit(x)


def natural_spline(x, knots):
    """Restricted cubic spline from the differences that make it straight beyond the knots.

    Hastie, Tibshirani & Friedman (The Elements of Statistical Learning, section 5.2.1): spans the
    same functions as Harrell's columns.
    """

    def d(k):
        above, beyond = np.maximum(x - knots[k], 0) ** 3, np.maximum(x - knots[-1], 0) ** 3
        return (above - beyond) / (knots[-1] - knots[k])

    last = d(len(knots) - 2)
    bent = [d(k) - last for k in range(len(knots) - 2)]
    return np.column_stack([np.ones_like(x), x, *bent])


@pytest.fixture(scope="module")
def fitted():
    y, p = drawn()
    knots = np.quantile(logit(p), [0.05, 0.35, 0.65, 0.95])
    model = sm.GLM(y, natural_spline(logit(p), knots), family=sm.families.Binomial())
    return y, p, knots, model


def test_curve_and_distances_as_statsmodels(fitted):
    y, p, knots, model = fitted
    known, found = model.fit(tol=1e-14), curve.fit(y, p)
    assert found.knots == pytest.approx(knots, rel=1e-12)
    assert found.observed(p) == pytest.approx(known.fittedvalues, abs=1e-9)
    far = abs(known.fittedvalues - p)
    expected = far.mean(), np.median(far), np.quantile(far, 0.9)
    assert curve.distances(found, p) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("clustered", [False, True])
def test_pointwise_limits_as_statsmodels(fitted, clustered):
    y, p, knots, model = fitted
    clusters = np.arange(len(y)) % 50 if clustered else None
    options = {"cov_type": "HC0"}
    k = len(y)
    if clustered:
        more = {"groups": clusters, "use_correction": False}
        options, k = {"cov_type": "cluster", "cov_kwds": more}, 50
    known = model.fit(tol=1e-14, **options)
    at = curve.grid(p)
    columns = natural_spline(logit(at), knots)
    error = np.sqrt(np.einsum("ij,jk,ik->i", columns, known.cov_params(), columns) * k / (k - 1))
    middle = columns @ known.params
    low, high = curve.fit(y, p, clusters).band(at, 1.96)
    assert low == pytest.approx(expit(middle - 1.96 * error), abs=1e-8)
    assert high == pytest.approx(expit(middle + 1.96 * error), abs=1e-8)


def test_the_curve_is_drawn_between_the_first_and_the_last_hundredth(fitted):
    _, p, _, _ = fitted
    at = curve.grid(p)
    assert len(at) == 50
    assert (at[0], at[-1]) == pytest.approx(tuple(np.quantile(p, [0.01, 0.99])))
    assert np.diff(at) == pytest.approx(np.diff(at)[0])


def test_the_basis_is_straight_beyond_the_knots():
    knots = np.array([-1.0, 0.0, 0.5, 2.0])
    for end in (np.array([-5.0, -4.0, -3.0, -1.5]), np.array([2.0, 3.0, 4.0, 7.0])):
        slopes = np.diff(curve.basis(end, knots), axis=0) / np.diff(end)[:, None]
        assert slopes == pytest.approx(np.tile(slopes[0], (3, 1)), abs=1e-9)


@pytest.mark.parametrize(("events", "knots"), [(30, 4), (29, 3), (20, 3), (19, 0), (10, 0)])
def test_fewer_events_have_fewer_knots(events, knots):
    random = np.random.default_rng(2)
    y = np.repeat([1.0, 0.0], [events, 300])
    found = curve.fit(y, expit(random.normal(size=len(y)) + y))
    assert len(found.knots) == knots
    words = f"{knots} knots" if knots else "regression of the outcome on logit(p)"
    assert words in found.description
    assert "unweighted" in found.description


def test_next_to_no_events_below_the_third_knot_have_fewer_knots():
    """Else coefficients run off to infinity (statsmodels: 67,211 of the constant)."""
    random = np.random.default_rng([0, 11])
    p = expit(-5.2 + 2.6 * random.normal(size=1000))
    y = (random.random(1000) < p).astype(float)
    below = y[p < np.quantile(p, 0.65)]
    assert y.sum() > 30
    assert below.sum() == 1
    found = curve.fit(y, p)
    assert len(found.knots) < 4
    assert np.abs(found.coefficients).max() < 50
    assert curve.distances(found, p)[0] < 0.02


def test_too_few_events_have_no_curve():
    y = np.repeat([1.0, 0.0], [9, 300])
    reason = curve.fit(y, np.tile(np.linspace(0.1, 0.9, 103), 3))
    assert "10 patients with the event and 10 without" in reason
    assert "are 9" in reason


def test_two_predictions_give_the_share_with_the_event_at_each():
    y = np.array([1.0] * 30 + [0] * 70 + [1] * 60 + [0] * 40)
    p = np.repeat([0.2, 0.7], 100)
    found = curve.fit(y, p)
    assert len(found.knots) == 0
    assert found.observed(np.array([0.2, 0.7])) == pytest.approx([0.3, 0.6], abs=1e-9)
    assert curve.distances(found, p) == pytest.approx((0.1, 0.1, 0.1), abs=1e-9)


@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_the_test_of_the_diagonal_is_a_likelihood_ratio_in_large_samples(shift):
    random = np.random.default_rng(3)
    x = random.normal(size=20_000)
    y = (random.random(20_000) < expit(x + shift)).astype(float)
    found = curve.fit(y, expit(x))
    p = found.observed(expit(x))
    known = 2 * np.sum(y * np.log(p / expit(x)) + (1 - y) * np.log((1 - p) / (1 - expit(x))))
    assert found.on_diagonal(20_000) == (stats.chi2.sf(known, 4) > 0.05)
    assert found.on_diagonal(20_000) == (shift == 0)
    assert found.on_diagonal(4)  # too few to tell


def test_certain_predictions_are_left_as_they_are():
    y, p = drawn()
    found = curve.fit(np.append(y, [0, 1]), np.append(p, [0.0, 1.0]))
    assert found.observed(np.array([0.0, 1.0])).tolist() == [0, 1]
    assert found.observed(p) == pytest.approx(curve.fit(y, p).observed(p))
    assert "did not come true: 1" in curve.fit(np.append(y, 1), np.append(p, 0.0))
