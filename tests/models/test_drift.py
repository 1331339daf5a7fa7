"""Drift against hand calculations, plain loops and simulations of a model that is right."""

import datetime as dt

import numpy as np
import polars as pl
import pytest
from scipy import special, stats
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.drift import calibration_drift, temporal_validation

FEW = {"n_simulated": 200}


def drawn(n=1200, periods=6, seed=1, shift=0.0, after=3):
    """Outcomes, predictions and periods; from period `after` on the odds are shifted."""
    random = np.random.default_rng(seed)
    x, period = random.normal(-0.3, 1.0, n), np.arange(n) * periods // n
    y = random.random(n) < special.expit(x + shift * (period >= after))
    return y, special.expit(x), period


def test_two_periods_by_hand():
    y, p = [1, 0, 1, 0, 0], [0.5, 0.5, 0.8, 0.2, 0.1]
    found = calibration_drift(y, p, ["a", "a", "b", "b", "b"], **FEW)
    assert found.period == ["a", "b"]
    assert found.n.tolist() == [2, 3]
    assert found.observed.tolist() == [1, 1]
    assert found.expected == pytest.approx([1.0, 1.1])
    assert found.oe == pytest.approx([1, 1 / 1.1])
    sd = np.sqrt([0.5, 0.16 + 0.16 + 0.09])
    assert found.difference == pytest.approx([0, -0.1])
    assert found.z == pytest.approx([0, -0.1] / sd)
    assert found.warning_limit == pytest.approx(2 * sd)
    assert found.alarm_limit == pytest.approx(3 * sd)
    assert not found.warning.any()
    assert found.chance_of_alarm == pytest.approx(1 - 0.9973002**2, abs=1e-6)
    assert np.isnan(found.slope).all()
    assert "all 2 predictions are equal" in found.reason[0]
    assert found.in_the_large[0] == pytest.approx(0, abs=1e-9)


def test_the_cusum_is_the_sum_of_log_likelihood_ratios_kept_above_zero():
    """Steiner et al. 2000, equation 3: for an event R / (1 - p + R p), else 1 / (1 - p + R p)."""
    y, p, period = drawn(300)
    found = calibration_drift(y, p, period, odds_ratio=1.7, **FEW)
    for cusum, ratio in ((found.more, 1.7), (found.fewer, 1 / 1.7)):
        height, ends, tops = 0.0, [], []
        for k in range(6):
            top = 0.0
            for event, risk in zip(y[period == k], p[period == k], strict=True):
                score = np.log((ratio if event else 1.0) / (1 - risk + ratio * risk))
                height = max(0.0, height + score)
                top = max(top, height)
            ends.append(height)
            tops.append(top)
        assert cusum.value == pytest.approx(ends, abs=1e-12)
        assert cusum.highest == pytest.approx(tops, abs=1e-12)
        assert cusum.alarm.tolist() == [top > cusum.limit for top in tops]


def test_a_model_that_is_right_raises_few_alarms():
    """One CUSUM in twenty, and a point of the chart as often as it says."""
    runs = [calibration_drift(*drawn(600, seed=i), random_state=i, **FEW) for i in range(200)]
    more = sum(bool(run.more.alarm.any()) for run in runs)
    fewer = sum(bool(run.fewer.alarm.any()) for run in runs)
    for alarms in (more, fewer):
        assert stats.binomtest(alarms, 200, 0.05).pvalue > 0.01
    points = sum(int(run.warning.sum()) for run in runs)
    assert stats.binomtest(points, 1200, 2 * stats.norm.sf(2)).pvalue > 0.01
    assert sum(bool(run.alarm.any()) for run in runs) <= 10


def test_a_planted_shift_is_found_and_named_in_its_direction():
    found = calibration_drift(*drawn(3000, shift=0.6), **FEW)
    assert found.alarm[3:].all()
    assert found.more.alarm[3:].all()
    assert not found.fewer.alarm.any()
    assert not found.alarm[:3].any()
    assert not found.more.alarm[:3].any()
    assert found.in_the_large[3:].mean() == pytest.approx(0.6, abs=0.15)
    fewer = calibration_drift(*drawn(3000, shift=-0.6), **FEW)
    assert fewer.fewer.alarm[-1]
    assert not fewer.more.alarm.any()


def test_the_cusum_sees_a_small_shift_that_lasts_before_the_chart_does():
    runs = [
        calibration_drift(*drawn(1800, 12, i, shift=0.3, after=6), odds_ratio=1.35, **FEW)
        for i in range(20)
    ]
    assert sum(run.more.alarm.any() for run in runs) > sum(run.alarm.any() for run in runs) + 5


def test_the_order_of_periods_is_found_and_draws_are_keyed():
    y, p, period = drawn(400)
    dates = np.array([dt.date(2025, 1 + int(k), 1) for k in period])
    found = calibration_drift(y, p, dates, **FEW)
    order = np.random.default_rng(1).permutation(6)
    moved = np.concatenate([np.flatnonzero(period == k) for k in order])
    again = calibration_drift(y[moved], p[moved], dates[moved], **FEW)
    assert found.period[1] == dt.date(2025, 2, 1)
    assert again.more.value.tolist() == found.more.value.tolist()
    assert again.more.limit == found.more.limit


def test_what_cannot_be_monitored_is_refused():
    y, p, period = drawn(60)
    with pytest.raises(DataError, match="an outcome and a prediction for each"):
        calibration_drift(y[1:], p, period)
    with pytest.raises(DataError, match="period needs a label for each of the 60 rows"):
        calibration_drift(y, p, period[1:])
    with pytest.raises(DataError, match="probabilities, none missing"):
        calibration_drift(y, p * 3, period)
    with pytest.raises(ParameterError, match="odds_ratio must be above 1"):
        calibration_drift(y, p, period, odds_ratio=0.5)


# Temporal validation


def courses(n=900, seed=2, shift=0.0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 3))
    day = np.sort(random.integers(0, 365, n))
    y = random.random(n) < special.expit(X[:, 0] + 0.5 * X[:, 1] + shift * (day >= 200))
    return pl.DataFrame(X, schema=["a", "b", "c"]), y, day


def test_the_model_is_fitted_before_and_judged_after():
    X, y, day = courses()
    found = temporal_validation(LogisticRegression(), X, y, day, 200)
    before = day < 200
    model = LogisticRegression().fit(X.filter(before), y[before])
    p = model.predict_proba(X.filter(~before))[:, 1]
    assert found.p == pytest.approx(p)
    assert found.rows.tolist() == np.flatnonzero(~before).tolist()
    assert (found.n_before, found.events_before) == (before.sum(), y[before].sum())
    assert (found.n_after, found.events_after) == ((~before).sum(), y[~before].sum())
    assert found.n_excluded == 0
    assert found.estimates["auc"].value == pytest.approx(roc_auc_score(y[~before], p))


def test_a_change_at_the_cut_shows():
    still = temporal_validation(LogisticRegression(), *courses(), 200).estimates["in_the_large"]
    moved = temporal_validation(LogisticRegression(), *courses(shift=0.8), 200).estimates
    assert still.low < 0 < still.high
    assert moved["in_the_large"].low > 0.3
    assert moved["observed_expected"].low > 1.05


def test_patients_of_both_sides_are_judged_on_neither():
    X, y, day = courses(400)
    patients = np.arange(400) % 250  # 150 come back
    found = temporal_validation(LogisticRegression(), X, y, day, 200, clusters=patients)
    before = set(patients[day < 200])
    assert not before & set(patients[found.rows])
    assert found.n_excluded == sum(p in before for p in patients[day >= 200])
    assert found.n_before == (day < 200).sum()


def test_without_a_model_there_is_a_reason():
    X, y, day = courses(200)
    found = temporal_validation(LogisticRegression(), X, y & (day >= 100), day, 100)
    assert found.reason == "no model before the cut: one outcome only"
    assert np.isnan(found.p).all()
    assert found.estimates["slope"].reason == found.reason
    flat = temporal_validation(DummyClassifier(), *courses(200), 100)
    assert "predictions are equal" in flat.estimates["slope"].reason
    assert np.isfinite(flat.estimates["observed_expected"].value)


def test_a_cut_with_nobody_on_one_side_is_refused():
    X, y, day = courses(50)
    with pytest.raises(DataError, match="patients on both sides of the cut"):
        temporal_validation(LogisticRegression(), X, y, day, 1000)
    with pytest.raises(DataError, match="patients on both sides of the cut"):
        temporal_validation(LogisticRegression(), X, y, day, 200, clusters=np.zeros(50))
