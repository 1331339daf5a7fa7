"""Trajectory classes against brute force, statsmodels and simulated truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp
from scipy.stats import multivariate_normal
from statsmodels.regression.mixed_linear_model import MixedLM

from iesoresearch.errors import DataError, NotFittedError, ParameterError
from iesoresearch.models.trajectories import TrajectoryClasses, choose, em
from iesoresearch.models.trajectories.classes import FEWEST
from iesoresearch.seeds import rng

CURVES = np.array([[18.0, -1.0], [15.0, -5.0], [12.0, 1.0]])  # level, change with log(1 + t)
SHARES, BETWEEN, WITHIN = (0.3, 0.45, 0.25), 4.0, 6.0


def drawn(n, curves=CURVES, shares=SHARES, seed=1, slope=0.0, most=8):
    """Long arrays of patients in classes, with 2 to `most` sessions; and who is in which."""
    random = rng(seed, "trajectories")
    truth = random.choice(len(curves), n, p=shares)
    sessions = random.integers(2, most + 1, n)
    patient = np.repeat(np.arange(n), sessions)
    time = np.concatenate([np.arange(s) for s in sessions]).astype(float)
    own = random.normal(0, np.sqrt(BETWEEN), n)[patient]
    own += random.normal(0, 1, n)[patient] * slope * np.log1p(time)
    level, change = curves[truth[patient]].T
    noise = random.normal(0, np.sqrt(WITHIN), len(patient))
    return (patient, time, level + change * np.log1p(time) + own + noise), truth


@pytest.fixture(scope="module")
def fitted():
    data, truth = drawn(1500)
    return data, truth, TrajectoryClasses(3, scale="log", n_starts=5).fit(*data)


# The likelihood


@pytest.mark.parametrize("random_slope", [False, True])
@pytest.mark.parametrize(("scale", "degree"), [("log", 1), ("linear", 2)])
def test_the_likelihood_is_that_of_a_mixture_of_normals(random_slope, scale, degree):
    """By brute force, with scipy: one multivariate normal per patient and class."""
    (patient, time, score), _ = drawn(60, slope=1.0)
    score[::7] = np.nan
    model = TrajectoryClasses(
        2, scale=scale, degree=degree, random_slope=random_slope, n_starts=2
    ).fit(patient, time, score)
    g = {"log": np.log1p, "linear": np.asarray}[scale]
    total, probabilities = 0.0, []
    for who in model.patients_:
        rows = (patient == who) & np.isfinite(score)
        design = np.vander(g(time[rows]), len(model.between_), increasing=True)
        covariance = design @ model.between_ @ design.T + model.within_ * np.eye(rows.sum())
        means = model.curves(time[rows]).mean
        joint = np.log(model.shares_) + [
            multivariate_normal.logpdf(score[rows], mean, covariance) for mean in means
        ]
        total += logsumexp(joint)
        probabilities.append(np.exp(joint - logsumexp(joint)))
    assert model.loglik_ == pytest.approx(total, rel=1e-10)
    np.testing.assert_allclose(model.probabilities_, probabilities, atol=1e-8)
    spread = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose(model.curves(time[rows]).spread, spread, rtol=1e-10)


@pytest.mark.parametrize("random_slope", [False, True])
def test_one_class_is_the_mixed_model_of_statsmodels(random_slope):
    (patient, time, score), _ = drawn(150, slope=1.5)
    design = np.column_stack([np.ones(len(time)), time])
    random = design if random_slope else design[:, :1]
    other = MixedLM(score, design, patient, random).fit(reml=False)
    model = TrajectoryClasses(1, random_slope=random_slope, tol=1e-13).fit(patient, time, score)
    assert model.loglik_ == pytest.approx(other.llf, abs=1e-5)
    assert model.within_ == pytest.approx(other.scale, rel=2e-3)
    np.testing.assert_allclose(model.between_, other.cov_re, rtol=0.02, atol=0.01)
    curves = model.curves([0.0, 1.0])
    slope = np.diff(curves.mean[0])[0]
    np.testing.assert_allclose([curves.mean[0, 0], slope], other.fe_params, rtol=1e-3)
    error = (curves.high - curves.low)[0, 0] / (2 * 1.959964)
    assert error == pytest.approx(other.bse_fe[0], rel=1e-3)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    k=st.integers(1, 4),
    degree=st.sampled_from([1, 2]),
    random_slope=st.booleans(),
)
def test_the_likelihood_never_falls(seed, k, degree, random_slope):
    random = rng(seed, "monotone")
    n = int(random.integers(FEWEST * k, 60))
    sessions = random.integers(1, 7, n)
    sessions[0] = 6
    patient = np.repeat(np.arange(n), sessions)
    time = np.concatenate([np.arange(s) for s in sessions]).astype(float)
    score = random.integers(0, 28, len(patient)).astype(float)
    model = TrajectoryClasses(
        k, degree=degree, random_slope=random_slope, n_starts=1, max_iter=200, random_state=seed
    ).fit(patient, time, score)
    steps = np.diff(model.path_)
    assert steps.min(initial=0.0) > -1e-9 * abs(model.loglik_)
    np.testing.assert_allclose(model.probabilities_.sum(axis=1), 1.0)
    assert model.shares_.sum() == pytest.approx(1.0)
    assert 0 <= model.entropy_ <= 1


def test_the_order_of_rows_and_the_names_of_patients_do_not_matter(fitted):
    (patient, time, score), _, model = fitted
    order = rng(3, "order").permutation(len(patient))
    names = np.array([f"P{number}" for number in patient])
    again = TrajectoryClasses(3, scale="log", n_starts=5).fit(
        names[order], time[order], score[order]
    )
    assert again.loglik_ == pytest.approx(model.loglik_, rel=1e-7)
    mine = dict(zip(model.patients_, model.probabilities_[:, 0], strict=True))
    theirs = dict(zip(again.patients_, again.probabilities_[:, 0], strict=True))
    for number in range(0, 1500, 50):
        assert theirs[f"P{number}"] == pytest.approx(mine[number], abs=1e-3)


# The estimates


def test_planted_classes_are_found(fitted):
    _, truth, model = fitted
    wanted = [1, 2, 0]  # by the mean after the last session
    found = model.curves([0.0, np.e - 1])
    assert found.mean[:, 0] == pytest.approx(CURVES[wanted, 0], abs=0.8)
    assert np.diff(found.mean)[:, 0] == pytest.approx(CURVES[wanted, 1], abs=0.6)
    assert model.shares_ == pytest.approx(np.array(SHARES)[wanted], abs=0.05)
    assert model.within_ == pytest.approx(WITHIN, rel=0.05)
    assert model.between_[0, 0] == pytest.approx(BETWEEN, rel=0.15)
    assert (model.classes_ == np.argsort(wanted)[truth]).mean() > 0.8
    assert model.n_best_ >= 2
    assert model.converged_
    assert model.degenerate_ == {}


def test_intervals_of_the_curves_cover_the_truth():
    """1,200 intervals; binomial error of their coverage is 0.6 points if independent."""
    curves, shares = CURVES[[1, 0]], (0.5, 0.5)
    wanted = curves @ np.array([[1.0, 1.0, 1.0], np.log1p([0.0, 3.0, 7.0])])
    covered = []
    for seed in range(200):
        data, _ = drawn(250, curves, shares, seed=seed)
        found = TrajectoryClasses(2, scale="log", n_starts=2).fit(*data).curves([0.0, 3.0, 7.0])
        covered.append((found.low <= wanted) & (wanted <= found.high))
    assert 0.925 <= np.mean(covered) <= 0.975


def test_bic_finds_the_number_of_classes(fitted):
    data, _, model = fitted
    choice = choose(*data, max_classes=4, scale="log", n_starts=5)
    assert choice.chosen.n_classes == 3
    assert [m.n_classes for m in choice.models] == [1, 2, 3, 4]
    assert choice.models[2].loglik_ == model.loglik_  # starts are keyed by seed and classes
    k, p = 3, 2
    assert model.n_parameters_ == k * p + (k - 1) + 2
    assert model.bic_ == pytest.approx(-2 * model.loglik_ + 10 * np.log(1500))
    entropy = -(model.probabilities_ * np.log(model.probabilities_)).sum()
    assert model.icl_ == pytest.approx(model.bic_ + 2 * entropy)
    assert model.entropy_ == pytest.approx(1 - entropy / (1500 * np.log(3)))


def test_without_classes_bic_finds_one():
    data, _ = drawn(400, CURVES[:1], (1.0,), seed=5)
    assert choose(*data, max_classes=3, scale="log", n_starts=3).chosen.n_classes == 1


def test_patients_not_seen_before(fitted):
    (patient, time, score), _, model = fitted
    some = np.isin(patient, model.patients_[:20])
    who, found = model.predict_proba(patient[some], time[some], score[some])
    np.testing.assert_array_equal(who, model.patients_[:20])
    np.testing.assert_allclose(found, model.probabilities_[:20], atol=1e-10)
    _, nothing = model.predict_proba(["new"], [0.0], [np.nan])
    np.testing.assert_allclose(nothing[0], model.shares_)


def test_missing_scores_say_nothing(fitted):
    (patient, time, score), _, _ = fitted
    more = np.append(patient, [0, -1]), np.append(time, [9.0, 0.0]), np.append(score, [np.nan] * 2)
    small = patient < 100
    model = TrajectoryClasses(2, n_starts=1).fit(patient[small], time[small], score[small])
    keep = np.append(small, [True, True])
    again = TrajectoryClasses(2, n_starts=1).fit(*(column[keep] for column in more))
    assert again.loglik_ == model.loglik_
    assert -1 not in again.patients_


# What cannot be told


def test_a_class_too_small_is_named():
    data, _ = drawn(40, CURVES[:1], (1.0,), seed=2)
    data[2][data[0] == 7] += 100.0
    model = TrajectoryClasses(2, n_starts=5).fit(*data)
    assert model.degenerate_ == {1: f"fewer than {FEWEST} patients are expected in it"}
    assert choose(*data, max_classes=2, n_starts=5).chosen.n_classes == 1


def test_errors_that_cannot_be_estimated_are_nan_and_named():
    data, _ = drawn(60, CURVES[:1], (1.0,), seed=2)
    model = TrajectoryClasses(2, n_starts=1).fit(*data)
    model._beta[1] = model._beta[0]  # two classes that are one: shares cannot be told
    products = np.zeros((60, 3, 3))
    model._describe(products, np.zeros(60))
    assert set(model.degenerate_.values()) == {"the errors of the model cannot be estimated"}
    assert np.isnan(model.curves([1.0]).low).all()


def test_a_singular_class_keeps_its_curve():
    beta = np.array([[1.0, 2.0]])
    em._curves(np.zeros((3, 3, 3)), np.ones((3, 1)), np.zeros((3, 1, 1)), 1.0, beta)
    assert beta.tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_classes": 0}, r"n_classes=0 must be a whole number of at least 1"),
        ({"n_starts": 1.5}, r"n_starts=1\.5 must be a whole number"),
        ({"degree": 3}, r"degree=3 must be 1 or 2"),
        ({"scale": "sqrt"}, r"scale='sqrt' one of linear, log"),
        ({"tol": 0.0}, r"tol=0\.0 above 0"),
    ],
)
def test_options_that_cannot_be(options, message):
    data, _ = drawn(20)
    with pytest.raises(ParameterError, match=message):
        TrajectoryClasses(**options).fit(*data)


def test_criteria_that_cannot_be():
    data, _ = drawn(20)
    with pytest.raises(ParameterError, match=r"criterion='aic' must be one of bic, icl"):
        choose(*data, criterion="aic")
    with pytest.raises(ParameterError, match=r"max_classes=0 at least 1"):
        choose(*data, max_classes=0)


@pytest.mark.parametrize(
    ("patient", "time", "score", "message"),
    [
        ([1, 2], [0.0], [1.0, 2.0], r"lists of equal length"),
        ([1, 2], [0.0, -1.0], [1.0, 2.0], r"1 row\(s\) have a time that is .* negative"),
        ([1, 2], [0.0, 1.0], [1.0, np.inf], r"a score that is infinite"),
        ([1, 1], [0.0, 1.0], [1.0, 2.0], r"1 patients with a score are too few for 2"),
        (range(10), [0.0, 1.0] * 5, [1.0, 2.0] * 5, r"nobody has two scores"),
        ([1, 2, 3, 4, 5] * 2, [0.0] * 10, range(10), r"1 different time\(s\) cannot carry"),
        ([1, 2, 3, 4, 5] * 2, [0.0] * 5 + [1.0] * 5, [3.0] * 10, r"all scores are equal"),
    ],
)
def test_data_that_cannot_be(patient, time, score, message):
    classes = 2 if len(patient) == 2 else 1
    with pytest.raises(DataError, match=message):
        TrajectoryClasses(classes).fit(patient, time, score)


def test_nothing_before_the_fit():
    with pytest.raises(NotFittedError, match="Call fit first"):
        TrajectoryClasses().curves([0.0])
