"""A whole evaluation: everybody and groups, what cannot be estimated, the same for any threads."""

import dataclasses

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.special import expit, logit

from iesoresearch.models.evaluation import evaluate, metrics

PLAIN = ("auc", "brier", "scaled_brier", "log_loss", "observed_expected")
FAR = ("ici", "e50", "e90")
CALIBRATION = ("calibration_intercept", "calibration_slope")


def drawn(n=600, seed=1, slope=1.0):
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    return random.random(n) < expit(x), expit(slope * x)


@pytest.fixture(scope="module")
def data():
    y, p = drawn()
    return y, p, np.where(np.arange(len(y)) % 3 == 0, "a", "b"), np.arange(len(y)) % 60


@pytest.fixture(scope="module")
def evaluation(data):
    y, p, group, _ = data
    both = {"letter": group, "number": np.arange(len(y)) % 2}
    return evaluate(y, p, groups=both, thresholds=(0.5, 0.3), n_boot=200)


def test_values_are_those_of_the_metrics(data, evaluation):
    y, p, group, _ = data
    here = group == "a"
    of_group = evaluation.groups["letter"]["a"]
    for found, (y_, p_) in ((evaluation.overall, (y, p)), (of_group, (y[here], p[here]))):
        assert (found.n, found.events, found.units) == (len(y_), y_.sum(), len(y_))
        for name in PLAIN:
            assert found[name].value == pytest.approx(getattr(metrics, name)(y_, p_), rel=1e-12)
            assert found[name].low < found[name].value < found[name].high
        known = metrics.calibration(y_, p_)
        assert found["calibration_intercept"].value == pytest.approx(known.in_the_large)
        assert found["calibration_slope"].value == pytest.approx(known.slope)
        for t in (0.3, 0.5):
            one, everybody = metrics.net_benefit(y_, p_, t), metrics.net_benefit_treat_all(y_, t)
            assert found[f"net_benefit_{t}"].value == pytest.approx(one)
            assert found[f"treat_all_{t}"].value == pytest.approx(everybody)
            more = found[f"net_benefit_over_treat_all_{t}"]
            assert more.value == pytest.approx(one - everybody)


@pytest.mark.parametrize("clustered", [False, True])
def test_intervals_of_calibration_are_those_of_statsmodels(data, clustered):
    y, p, _, clusters = data
    options, k = {"cov_type": "HC0"}, len(y)
    if clustered:
        more = {"groups": clusters, "use_correction": False}
        options, k = {"cov_type": "cluster", "cov_kwds": more}, 60
    x, binomial = logit(p), sm.families.Binomial()
    shift = sm.GLM(y, np.ones(len(y)), binomial, offset=x).fit(tol=1e-14, **options)
    line = sm.GLM(y, sm.add_constant(x), binomial).fit(tol=1e-14, **options)
    found = evaluate(y, p, clusters=clusters if clustered else None, n_boot=100).overall
    wide = stats.t.ppf(0.975, k - 1) * np.sqrt(k / (k - 1))
    for name, model in (("calibration_intercept", shift), ("calibration_slope", line)):
        expected = model.params[-1] + wide * model.bse[-1] * np.array([-1, 1])
        assert (found[name].low, found[name].high) == pytest.approx(tuple(expected), abs=1e-6)


def test_the_decision_curve_is_the_formula(data, evaluation):
    y, p, _, _ = data
    found = evaluation.overall.decision
    assert found.thresholds == pytest.approx(np.arange(1, 100) / 100)
    for i in (4, 29, 49, 94):
        t = (i + 1) / 100
        true, false = np.sum(y & (p >= t)), np.sum(~y & (p >= t))
        assert found.net_benefit[i] == pytest.approx((true - false * t / (1 - t)) / len(y))
        everybody = y.mean() - (1 - y.mean()) * t / (1 - t)
        assert found.treat_all[i] == pytest.approx(everybody)
    drawn_ = np.isfinite(found.low)
    assert drawn_[10:90].all()
    assert (found.low < found.net_benefit)[drawn_].all()
    assert found.low[29] == evaluation.overall["net_benefit_0.3"].low


def test_neither_threads_nor_the_order_of_the_people_move_anything(data):
    y, p, group, _ = data
    one = evaluate(y, p, groups=group, n_boot=150)
    two = evaluate(y, p, groups=group, n_boot=150, n_jobs=3)
    assert one.to_frame().equals(two.to_frame())
    for part in ("curve", "decision"):
        left, right = (getattr(e.overall, part) for e in (one, two))
        assert np.array_equal(left.low, right.low, equal_nan=True)
        assert np.array_equal(left.high, right.high, equal_nan=True)
    assert one.conformal == two.conformal
    order = np.random.default_rng(1).permutation(len(y))
    moved = evaluate(y[order], p[order], groups=group[order], n_boot=150)
    for column in ("value", "low", "high"):
        known = one.to_frame()[column].to_numpy()
        assert moved.to_frame()[column].to_numpy() == pytest.approx(known, rel=1e-9, abs=1e-12)
    other = evaluate(y, p, groups=group, n_boot=150, random_state=1)
    assert not one.to_frame().equals(other.to_frame())


def test_clusters_are_resampled_whole():
    """Everybody four times: the intervals are about those of one time."""
    y, p = drawn(300)
    once = evaluate(y, p, n_boot=400).overall
    people = np.repeat(np.arange(300), 4)
    many = evaluate(y[people], p[people], clusters=people, n_boot=400).overall
    assert (many.n, many.units) == (1200, 300)
    naive = evaluate(y[people], p[people], n_boot=400).overall
    for name in (*PLAIN, *CALIBRATION, "net_benefit_0.5"):
        assert many[name].value == pytest.approx(once[name].value, rel=1e-9)
        width, known = many[name].high - many[name].low, once[name].high - once[name].low
        assert width == pytest.approx(known, rel=0.2), name
        assert naive[name].high - naive[name].low < 0.7 * width, name


def test_too_extreme_predictions_are_found():
    y, p = drawn(4000, slope=2.0)
    found = evaluate(y, p, n_boot=200).overall
    assert found["calibration_slope"].high < 0.6
    assert found["ici"].low > 0.02
    y, p = drawn(4000)
    found = evaluate(y, p, n_boot=200).overall
    assert found["calibration_slope"].low < 1 < found["calibration_slope"].high
    assert found["ici"].low == 0


def test_an_overfitted_model_has_a_slope_below_one():
    random = np.random.default_rng(6)
    x = sm.add_constant(random.normal(size=(3_000, 25)))
    y = random.random(3_000) < expit(x[:, 1])
    model = sm.GLM(y[:150], x[:150], family=sm.families.Binomial()).fit()
    found = evaluate(y[150:], model.predict(x[150:]), n_boot=200).overall
    assert found["calibration_slope"].high < 1
    assert found["ici"].low > 0


# What cannot be estimated


def refused(estimate, reason):
    assert np.isnan(estimate.value)
    assert np.isnan(estimate.low)
    assert reason in estimate.reason
    assert str(estimate).startswith("not estimable: ")


@pytest.fixture(scope="module")
def awkward():
    """A group with no event, one of five patients, one of equal predictions, and the others."""
    y, p = drawn(900)
    group = np.repeat(["others", "none", "five", "equal"], [700, 95, 5, 100])
    y, p = y.copy(), p.copy()
    y[group == "none"] = False
    y[group == "five"] = [True, False, False, True, False]
    p[group == "equal"] = 0.5
    return evaluate(y, p, groups={"kind": group}, n_boot=200)


def test_a_group_without_events(awkward):
    found = awkward.groups["kind"]["none"]
    assert (found.n, found.events) == (95, 0)
    for name in ("auc", "scaled_brier", *CALIBRATION, *FAR):
        refused(found[name], "0 events among 95 patients")
    assert found["observed_expected"].value == 0
    assert np.isnan(found["observed_expected"].low)
    assert "0 events among 95 patients" in str(found["observed_expected"])
    for name in ("brier", "log_loss", "net_benefit_0.5"):
        assert found[name].low < found[name].value < found[name].high
    assert len(found.curve.predicted) == 0
    assert "0 events" in found.curve.reason


def test_a_group_of_five(awkward):
    found = awkward.groups["kind"]["five"]
    assert (found.n, found.events) == (5, 2)
    refused(found["ici"], "the fewer of them are 2")
    assert found["brier"].low < found["brier"].value < found["brier"].high
    assert 0 <= found["auc"].low < found["auc"].high <= 1


def test_a_constant_predictor(awkward):
    found = awkward.groups["kind"]["equal"]
    assert found["auc"].value == 0.5
    assert found["auc"].low < 0.5 < found["auc"].high
    for name in ("calibration_slope", *FAR):
        refused(found[name], "all 100 predictions are equal")
    assert found["calibration_intercept"].low < found["calibration_intercept"].high
    assert found["brier"].value == pytest.approx(0.25)
    over = found["net_benefit_over_treat_all_0.25"]
    assert over.value == 0
    assert "the same in every resample" in over.reason


def test_the_others_and_everybody_are_there(awkward):
    for found in (awkward.overall, awkward.groups["kind"]["others"]):
        for estimate in found.estimates.values():
            assert estimate.reason == ""
            assert estimate.low <= estimate.value <= estimate.high


def test_one_outcome_only():
    _, p = drawn(50)
    found = evaluate(np.ones(50), p, n_boot=100)
    refused(found.overall["auc"], "50 events among 50 patients")
    assert found.overall["brier"].high > 0
    assert "one outcome only" in found.conformal["marginal"].reason


def test_one_cluster():
    y, p = drawn(200)
    found = evaluate(y, p, clusters=np.zeros(200), groups=np.arange(200) % 2, n_boot=100)
    for performance in (found.overall, *found.groups["group"].values()):
        assert performance.units == 1
        for name in (*PLAIN, *CALIBRATION, *FAR, "net_benefit_0.5"):
            estimate = performance[name]
            assert np.isfinite(estimate.value)
            assert np.isnan(estimate.low)
            assert "1 cluster" in estimate.reason
            assert "(no interval: " in str(estimate)
        assert np.isnan(performance.decision.low).all()
        assert np.isnan(performance.curve.low).all()


def test_predictions_that_separate_the_outcomes():
    y = np.arange(60) >= 30
    p = np.linspace(0.1, 0.9, 60)
    found = evaluate(y, p, n_boot=100).overall
    assert found["auc"].value == found["auc"].high == 1
    assert 0.8 < found["auc"].low < 1
    refused(found["calibration_slope"], "separate patients with the event (30)")


def test_a_missing_level_has_a_name(data):
    y, p, group, _ = data
    with_missing = pl.Series(group).replace("a", None)
    found = evaluate(y, p, groups=with_missing, n_boot=100).groups["group"]
    assert list(found) == ["b", "missing"]
    assert found["missing"].n == 200


# Handling


def test_as_a_table(evaluation):
    frame = evaluation.to_frame()
    columns = ["grouping", "level", "metric", "value", "low", "high", "n", "events", "reason"]
    assert frame.columns == columns
    assert frame["grouping"].unique(maintain_order=True).to_list() == [
        "overall", "letter", "number",
    ]  # fmt: skip
    assert frame.height == 5 * len(evaluation.overall.estimates)
    row = frame.row(by_predicate=(pl.col("level") == "b") & (pl.col("metric") == "auc"), named=True)
    assert row["value"] == evaluation.groups["letter"]["b"]["auc"].value
    assert row["reason"] is None


def test_an_estimate_reads_well(evaluation):
    e = evaluation.overall["auc"]
    assert str(e) == f"{e.value:.3f} ({e.low:.3f} to {e.high:.3f})"


def test_levels_that_are_numbers_stay_numbers(evaluation):
    assert list(evaluation.groups["number"]) == [0, 1]
    assert evaluation.thresholds == (0.3, 0.5)


def test_nothing_can_be_changed(evaluation):
    with pytest.raises(dataclasses.FrozenInstanceError):
        evaluation.n_boot = 3
