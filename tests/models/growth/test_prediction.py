"""Bands, signals, curves and shares of fits whose draws are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.growth import (
    Assumed,
    Estimate,
    diagnose,
    expected_response,
    mean_curve,
    off_track,
    posterior_check,
    sensitivity,
    tipping_point,
    variance_shares,
)


@pytest.fixture(scope="module")
def data(course):
    return course(1, 120, 12)


@pytest.fixture(scope="module")
def fit(made, data):
    return made(data)


# Bands


def test_a_band_holds_as_many_new_patients_as_it_says(course, made, fit):
    """New patients of new therapists, drawn from the parameters that the fit has."""
    later = course(2, 4000, 2000)
    found = off_track(fit, later.score, later.time, later.patient, level=0.8)
    inside = (later.score >= found.low) & (later.score <= found.high)
    n = int(found.judged.sum())
    assert stats.binomtest(int(inside[found.judged].sum()), n, 0.8).pvalue > 0.001
    # scores of a patient are alike, so the share of patients flagged at one session
    at = found.judged & (later.time == 3)
    assert stats.binomtest(int(found.flagged[at].sum()), int(at.sum()), 0.1).pvalue > 0.001


def test_the_limits_are_quantiles_of_the_mixture_over_draws(made, data):
    random = np.random.default_rng(3)
    level, residual = random.normal(20, 3, 50), random.uniform(1, 5, 50)
    fit = made(data, level=level, residual_sd=residual)
    found = expected_response(fit, [0.0], level=0.9)
    sd = np.sqrt(4**2 + 1**2 + residual**2)

    def quantile(share):
        return optimize.brentq(lambda y: stats.norm.cdf((y - level) / sd).mean() - share, -99, 99)

    assert found.mean[0] == pytest.approx(level.mean())
    assert [found.low[0], found.high[0]] == pytest.approx([quantile(0.05), quantile(0.95)])


def test_more_scores_narrow_the_band(fit):
    times = [5]
    bands = [
        expected_response(fit, times, scores=[24.0, 23, 22][:n], seen=[0, 1, 2][:n])
        for n in range(4)
    ]
    widths = [float(band.high[0] - band.low[0]) for band in bands]
    assert widths == sorted(widths, reverse=True)
    assert bands[3].mean[0] > bands[0].mean[0]  # who is worse than average stays so


def test_signals_agree_with_the_curve_from_the_first_score(fit):
    found = off_track(fit, [30.0, 24, 29], [0, 2, 5], ["a", "a", "a"])
    curve = expected_response(fit, [2, 5], scores=[30.0], seen=[0])
    assert found.mean[1:] == pytest.approx(curve.mean)
    assert found.high[1:] == pytest.approx(curve.high)
    assert found.judged.tolist() == [False, True, True]
    assert np.isnan(found.high[0])


def test_covariates_are_taken_as_they_were_given(course, made):
    data = course(4, 100, 10, arm_effect=2.0)
    fit = made(data, rate_effect=np.full((50, 1), 2.0))
    at_mean, treated = (expected_response(fit, [5], covariates=x) for x in (None, [1.0]))
    # half of the patients are in either arm
    assert treated.mean[0] - at_mean.mean[0] == pytest.approx(2.0 * 0.5)
    rows = off_track(fit, [20.0, 20], [0, 5], [7, 7], covariates=[[1.0]])
    alone = expected_response(fit, [5], covariates=[1.0], scores=[20.0], seen=[0])
    assert rows.high[1] == pytest.approx(alone.high[0])


def test_nothing_is_said_without_a_first_score_or_beyond_the_course(fit):
    found = off_track(fit, [20.0, 60, 20, 60], [1, 2, 0, 17], [1, 1, 2, 2])
    assert not found.judged.any()
    assert not found.flagged.any()


@settings(deadline=None, max_examples=40)
@given(
    scores=st.lists(st.floats(-15, 55), min_size=6, max_size=6),
    other=st.lists(st.floats(-15, 55), min_size=6, max_size=6),
    moved=st.integers(1, 5),
)
def test_later_scores_never_change_an_earlier_signal(fit, scores, other, moved):
    """Nor any score but the first the band of another."""
    time, patient = np.tile(np.arange(6), 2), np.repeat([0, 1], 6)
    before = off_track(fit, scores + other, time, patient)
    changed = [*scores[:moved], *other[moved:], *other]
    after = off_track(fit, changed, time, patient)
    same = np.ones(12, dtype=bool)
    same[moved:6] = False
    np.testing.assert_array_equal(before.flagged[same], after.flagged[same])
    np.testing.assert_array_equal(before.high, after.high)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"score": [1.0]}, "columns of the same length"),
        ({"score": [np.nan, 2]}, "leave those rows out"),
        ({"time": [0, 0]}, "two scores at time 0"),
    ],
)
def test_rows_that_cannot_be_judged(fit, change, sentence):
    rows = {"score": [1.0, 2], "time": [0, 1], "patient": [0, 0]}
    with pytest.raises(DataError, match=sentence):
        off_track(fit, **(rows | change))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"times": [6]}, "between 0 and 5, the last occasion"),
        ({"scores": [1.0]}, "one time in `seen` for each"),
        ({"level": 1.0}, "must be between 0 and 1, not 1.0"),
        ({"covariates": [1.0]}, r"shape \(0,\)"),
    ],
)
def test_predictions_that_cannot_be_made(fit, change, sentence):
    with pytest.raises(ParameterError, match=sentence):
        expected_response(fit, **({"times": [1]} | change))


# Curves


def test_delta_of_zero_is_missing_at_random(fit):
    plain = mean_curve(fit)
    for kind in ("flat", "step"):
        zero = mean_curve(fit, assumed=Assumed(0.0, kind))
        np.testing.assert_array_equal(plain.mean, zero.mean)
        np.testing.assert_array_equal(plain.high, zero.high)
    assert plain.mean == pytest.approx(20 - 6 * fit.data.growth(fit.data.occasions))


def test_delta_shifts_the_curve_by_the_share_that_has_left(made, data):
    fit = made(data, n=2000)
    flat, step = (mean_curve(fit, assumed=Assumed(2.0, kind)) for kind in ("flat", "step"))
    end, left = data.end, data.left
    for j in range(6):
        gone = left & (end < j)
        error = 4 * 2 / np.sqrt(120 * 2000)  # of the bootstrap
        assert flat.mean[j] - mean_curve(fit).mean[j] == pytest.approx(2 * gone.mean(), abs=error)
        occasions = np.where(gone, j - end, 0).mean()
        assert step.mean[j] - mean_curve(fit).mean[j] == pytest.approx(2 * occasions, abs=5 * error)
    nobody = mean_curve(fit, assumed=Assumed(2.0, worse=np.zeros(120, dtype=bool)))
    np.testing.assert_array_equal(nobody.mean, mean_curve(fit).mean)


def test_the_difference_of_arms_is_their_effect(course, made):
    data = course(5, 100, 10, arm_effect=2.0)
    fit = made(data, rate_effect=np.full((50, 1), 2.0))
    arm = data.covariates[:, 0] > 0
    apart = mean_curve(fit, among=arm, minus=~arm)
    assert apart.mean == pytest.approx(2.0 * data.growth(data.occasions), abs=1e-12)


def test_the_tipping_point_is_where_the_interval_reaches_the_target(made, data):
    random = np.random.default_rng(6)
    fit = made(data, n=400, rate=random.normal(-6, 0.4, 400))
    found = tipping_point(fit, 16.0)
    at = mean_curve(fit, assumed=Assumed(found.delta))
    assert found.reason == ""
    assert at.high[-1] == pytest.approx(16.0, abs=1e-4)
    never = tipping_point(fit, 95.0)
    assert np.isnan(never.delta)
    assert never.reason == "the interval is below the target up to 80 points"
    assert tipping_point(fit, 10.0).reason == "the interval is not below the target to begin with"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"among": np.zeros(120, dtype=bool)}, "true for some"),
        ({"minus": np.ones(3, dtype=bool)}, "for each of the 120 patients"),
        ({"assumed": Assumed(1.0, "steep")}, 'must be "flat" or "step", not "steep"'),
        ({"level": 0}, "between 0 and 1, not 0"),
    ],
)
def test_curves_that_cannot_be_drawn(fit, options, sentence):
    with pytest.raises(ParameterError, match=sentence):
        mean_curve(fit, **options)


def test_fits_in_the_wrong_place(fit):
    with pytest.raises(ParameterError, match='first fit must have dropout="random"'):
        sensitivity(fit, fit, (0.0,))


# Shares, checks


def test_shares_of_variance_by_hand(made, data):
    fit = made(data)
    found = variance_shares(fit)
    level = {name: share.x for name, share in found.level.items()}
    total = 16 + 1 + 0 + 6.25
    assert level == pytest.approx(
        {"patient": 16 / total, "therapist": 1 / total, "service": 0, "residual": 6.25 / total}
    )
    assert found.rate["therapist"].x == pytest.approx(4 / 20)
    fit.draws.pop("service_level_sd")
    assert np.isnan(variance_shares(fit).level["service"].x)


def test_an_estimate_of_nothing_is_nan():
    assert np.isnan([Estimate.of([]).x, Estimate.of([1, np.nan]).x_low]).all()


def test_the_truth_passes_its_posterior_check_and_a_wrong_model_does_not(course, made, data):
    therapists = {name: np.zeros((50, 12)) for name in ("therapist_level", "therapist_rate")}
    good = posterior_check(made(data, **therapists), caseness=15)
    assert good.mean.inside.sum() >= 5
    assert good.sd.inside.sum() >= 5
    assert good.caseness.inside.sum() >= 5
    assert good.n.sum() == len(data.score)
    assert good.outside == 0
    noisy = made(data, residual_sd=np.full(50, 8.0), **therapists)
    assert not posterior_check(noisy).sd.inside.any()
    assert posterior_check(noisy).caseness is None


# Diagnostics


def test_chains_that_disagree_fail(made, data):
    random = np.random.default_rng(7)
    apart = random.normal(size=1000) + np.repeat([0.0, 3.0], 500)
    drifting = np.cumsum(random.normal(size=1000))
    others = ("patient_level_sd", "patient_rate_sd", "patient_correlation", "residual_sd")
    others += ("therapist_level_sd", "therapist_rate_sd", "service_level_sd")
    good = {name: random.normal(size=1000) for name in others}
    fit = made(data, n=1000, level=apart, rate=drifting, **good)
    object.__setattr__(fit, "divergences", 3)
    object.__setattr__(fit, "energy", np.cumsum(random.normal(size=(2, 500)), axis=1))
    found = diagnose(fit)
    assert not found.passed
    failures = " ".join(found.failures())
    for sentence in ("R-hat of level, rate:", "ESS of the bulk of level, rate:"):
        assert sentence in failures
    assert "3 divergent transitions, limit 0." in failures
    assert "missing information: least 0.0" in failures


def test_independent_draws_pass(made, data):
    random = np.random.default_rng(8)
    names = list(made(data).draws)
    fit = made(data, n=2000, **{name: random.normal(size=2000) for name in names})
    object.__setattr__(fit, "energy", random.normal(size=(2, 1000)))
    found = diagnose(fit)
    assert found.passed, found.failures()
    assert found.ess_bulk.min() > 1000
