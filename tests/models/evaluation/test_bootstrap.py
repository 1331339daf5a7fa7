"""Resamples against numpy, scikit-learn and statsmodels with the same counts."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit, logit
from sklearn import metrics as sklearn

from iesoresearch.models.evaluation import bootstrap, curve, kernels, metrics, views

THRESHOLDS = np.array([0.2, 0.35, 0.5, 0.8])


def drawn(n=300, seed=1, digits=None):
    random = np.random.default_rng(seed)
    p = expit(random.normal(size=n) * 1.3)
    y = (random.random(n) < expit(0.7 * logit(p) + 0.2)).astype(float)
    return y, p if digits is None else np.round(p, digits)


def laid_out(y, p, clusters=None, index=None):
    """One view, of everybody by default, and the layout of everybody's units."""
    order = np.lexsort((y, p))
    unit = np.empty(len(y), dtype=np.int64)
    unit[order] = np.arange(len(y))
    unit = unit if clusters is None else clusters
    mine = order if index is None else order[np.isin(order, index)]
    view = views.View(mine, curve.fit(y[mine], p[mine]))
    return views.layout([view], y, p, unit, int(unit.max()) + 1, THRESHOLDS), unit


# Counts


def splitmix(key, number, n):
    """Counts by whole numbers of Python: SplitMix64 and Lemire's multiplication."""
    whole = 2**64 - 1

    def mixed(z):
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & whole
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & whole
        return z ^ (z >> 31)

    state, found = mixed((key + 0x9E3779B97F4A7C15 * (number + 1)) & whole), np.zeros(n, int)
    left, i = n, 0
    while left:
        i += 1
        z = mixed((state + 0x9E3779B97F4A7C15 * i) & whole)
        for half in (z % 2**32, z >> 32):
            if left and half * n % 2**32 >= 2**32 % n:
                found[half * n >> 32] += 1
                left -= 1
    return found


@pytest.mark.parametrize("n", [1, 7, 1000, 3001])
def test_counts_are_those_of_splitmix(n):
    key = bootstrap.key_of(3)
    for number in (0, 5):
        found = bootstrap.counts(3, number, n)
        assert found.sum() == n
        assert found.tolist() == splitmix(int(key), number, n).tolist()


def test_counts_are_multinomial():
    n, resamples = 50, 2000
    found = np.array([bootstrap.counts(1, r, n) for r in range(resamples)]).astype(float)
    # of one unit: binomial, with n chances of 1 / n
    expected = stats.binom.pmf(np.arange(6), n, 1 / n) * n * resamples
    seen = np.bincount(found.astype(int).ravel(), minlength=6)[:6]
    assert seen == pytest.approx(expected, rel=0.1, abs=60)
    assert stats.chisquare(found.sum(axis=0)).pvalue > 0.001
    between = np.cov(found.T)
    off = between[~np.eye(n, dtype=bool)]
    assert np.diag(between).mean() == pytest.approx(1 - 1 / n, rel=0.02)
    assert off.mean() == pytest.approx(-1 / n, rel=0.1)


def test_neither_threads_nor_the_number_of_resamples_move_a_resample():
    laid, _ = laid_out(*drawn())
    one = bootstrap.bootstrap(laid, THRESHOLDS, 120, 5, 1)[0]
    three = bootstrap.bootstrap(laid, THRESHOLDS, 200, 5, 3)[0]
    for name, values in one.values.items():
        assert np.array_equal(values, three.values[name][:120], equal_nan=True), name
    assert np.array_equal(one.net_benefit, three.net_benefit[:120])
    other = bootstrap.bootstrap(laid, THRESHOLDS, 120, 6, 1)[0]
    assert not np.array_equal(one.values["auc"], other.values["auc"])


# What is computed from them


def reference(y, p, weights):
    """One resample, written out row by row."""
    rows = np.repeat(np.arange(len(y)), weights)
    y, p = y[rows], p[rows]
    rate = y.mean()
    return {
        "auc": sklearn.roc_auc_score(y, p),
        "brier": sklearn.brier_score_loss(y, p),
        "scaled_brier": 1 - sklearn.brier_score_loss(y, p) / (rate * (1 - rate)),
        "log_loss": sklearn.log_loss(y, p),
        "observed_expected": y.sum() / p.sum(),
    }, rows


@pytest.mark.parametrize("digits", [None, 1])
@pytest.mark.parametrize("clustered", [False, True])
def test_as_scikit_learn_on_the_rows_drawn(digits, clustered):
    y, p = drawn(digits=digits)
    clusters = np.random.default_rng(2).integers(0, 40, len(y)) if clustered else None
    laid, unit = laid_out(y, p, clusters)
    found = bootstrap.bootstrap(laid, THRESHOLDS, 100, 9, 1)[0]
    for r in (0, 1, 50, 99):
        weights = bootstrap.counts(9, r, unit.max() + 1)[unit]  # of whole clusters
        expected, rows = reference(y, p, weights)
        for name, value in expected.items():
            assert found.values[name][r] == pytest.approx(value, rel=1e-12), name
        for t, threshold in enumerate(THRESHOLDS):
            one = metrics.net_benefit(y[rows], p[rows], threshold)
            everybody = metrics.net_benefit_treat_all(y[rows], threshold)
            assert found.net_benefit[r, t] == pytest.approx(one, abs=1e-12)
            assert found.treat_all[r, t] == pytest.approx(everybody, abs=1e-12)
            assert found.over_treat_all[r, t] == pytest.approx(one - everybody, abs=1e-12)


def test_a_group_has_the_same_resamples_as_everybody():
    y, p = drawn()
    index = np.flatnonzero(np.arange(len(y)) % 3 == 0)
    laid, unit = laid_out(y, p, index=index)
    found = bootstrap.bootstrap(laid, THRESHOLDS, 100, 9, 1)[0]
    weights = bootstrap.counts(9, 4, len(y))[unit[index]]
    expected, _ = reference(y[index], p[index], weights)
    for name, value in expected.items():
        assert found.values[name][4] == pytest.approx(value, rel=1e-12), name


def refitted(y, p, knots):
    """ICI, E50, E90 of statsmodels on the rows given, with the basis of these knots."""
    columns = curve.basis(logit(p), knots)  # compared with another basis in test_curve
    model = sm.GLM(y, columns, family=sm.families.Binomial()).fit(tol=1e-13)
    far = abs(model.fittedvalues - p)
    return far.mean(), *np.quantile(far, [0.5, 0.9])


@pytest.mark.parametrize("digits", [None, 2])
def test_the_curve_is_fitted_anew_in_every_resample(digits):
    y, p = drawn(600, digits=digits)
    p = np.clip(p, 0.01, 0.99)
    laid, unit = laid_out(y, p)
    knots = curve.fit(y, p).knots
    found = bootstrap.bootstrap(laid, THRESHOLDS, 100, 9, 1)[0].values
    for r in (0, 7):
        rows = np.repeat(np.arange(len(y)), bootstrap.counts(9, r, len(y))[unit])
        expected = refitted(y[rows], p[rows], knots)
        assert [found[name][r] for name in ("ici", "e50", "e90")] == pytest.approx(expected, 1e-6)


def test_cells_of_many_people_hardly_move_the_curve():
    y, p = drawn(20_000)
    laid, unit = laid_out(y, p)
    found = bootstrap.bootstrap(laid, THRESHOLDS, 100, 9, 1)[0].values
    rows = np.repeat(np.arange(len(y)), bootstrap.counts(9, 0, len(y))[unit])
    expected = refitted(y[rows], p[rows], curve.fit(y, p).knots)
    here = [found[name][0] for name in ("ici", "e50", "e90")]
    assert here == pytest.approx(expected, abs=2e-4)  # a hundredth of the interval
    assert found["brier"][0] == pytest.approx(np.mean((y[rows] - p[rows]) ** 2), rel=1e-12)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 4)), min_size=1, max_size=30),
    st.floats(0, 1),
)
def test_weighted_quantiles_are_those_of_repeated_values(rows, share):
    values, weights = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    total = weights.sum()
    if total == 0:
        return
    found = kernels.weighted_quantile(values, np.argsort(values), weights, total, share)
    expected = np.quantile(np.repeat(values, weights.astype(int)), share)
    assert found == pytest.approx(expected, abs=1e-9)


def test_certain_predictions_that_came_true_add_no_distance():
    y, p = drawn(200)
    more_y, more_p = np.append(y, [0, 0, 1]), np.append(p, [0.0, 0.0, 1.0])
    laid, unit = laid_out(more_y, more_p)
    found = bootstrap.bootstrap(laid, THRESHOLDS, 100, 2, 1)[0].values["ici"]
    rows = np.repeat(np.arange(len(more_y)), bootstrap.counts(2, 0, len(more_y))[unit])
    inside = rows[rows < 200]
    mean = refitted(y[inside], p[inside], curve.fit(y, p).knots)[0]
    assert found[0] == pytest.approx(mean * len(inside) / len(rows), rel=1e-6)
