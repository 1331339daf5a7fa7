"""Validation of pipelines against plain loops, other programs and known truth."""

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models import validation
from iesoresearch.models.evaluation import metrics
from iesoresearch.models.pooling.effects import random_effects
from iesoresearch.models.validation import performance
from iesoresearch.models.validation.refits import Refits, Rows
from iesoresearch.models.validation.services import apart
from iesoresearch.models.validation.stability import GRID
from iesoresearch.seeds import rng

PLAIN = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)


def courses(n=300, features=4, seed=1, noise=0):
    """Features as a table, of which two matter, and outcomes."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, features + noise))
    y = random.random(n) < special.expit(X[:, 0] - 0.5 * X[:, 1])
    return pl.DataFrame(X, schema=[f"x{j}" for j in range(features + noise)]), y


@pytest.fixture(scope="module")
def refits():
    X, y = courses()
    return validation.refit(PLAIN, X, y, clusters=np.arange(300) // 2, n_boot=30, random_state=4)


# One pass of refits


def test_whole_patients_are_drawn(refits):
    """As many as there are, each with all rows; together with replacement."""
    for i in range(5):
        sample = refits.sample(i)
        counts = np.bincount(sample, minlength=300).reshape(150, 2)
        assert (counts[:, 0] == counts[:, 1]).all()
        assert len(sample) == 300
        assert counts.max() > 1


@given(st.lists(st.integers(0, 6), min_size=2, max_size=30), st.integers(0, 99))
@settings(deadline=None, max_examples=50)
def test_clusters_of_any_size_stay_whole(clusters, seed):
    y = np.arange(len(clusters)) % 2
    rows = Rows.of(np.zeros((len(clusters), 1)), y, clusters)
    counts = np.bincount(rows.resample(np.random.default_rng(seed)), minlength=len(clusters))
    for patient in set(clusters):
        assert len(set(counts[np.array(clusters) == patient])) == 1
    drawn = {patient: counts[clusters.index(patient)] for patient in clusters}
    assert sum(drawn.values()) == len(drawn)


def test_jobs_and_number_of_replicates_change_no_bit(refits):
    X, y = courses()
    again = validation.refit(
        PLAIN, X, y, clusters=np.arange(300) // 2, n_boot=12, random_state=4, n_jobs=2
    )
    assert again.draws.tobytes() == refits.draws[:12].tobytes()
    assert again.p.tobytes() == refits.p.tobytes()
    other = validation.refit(
        PLAIN, X, y, clusters=np.arange(300) // 2, n_boot=12, random_state=5
    )  # fmt: skip
    assert other.draws.tobytes() != again.draws.tobytes()


def test_refits_are_those_of_the_whole_pipeline(refits):
    X, y = courses()
    rows = refits.sample(3)
    model = sm.GLM(y[rows], sm.add_constant(X[rows].to_numpy()), sm.families.Binomial()).fit()
    p = model.predict(sm.add_constant(X.to_numpy()))
    assert refits.draws[3] == pytest.approx(p, abs=1e-4)


def test_samples_that_cannot_be_fitted_are_counted():
    X, y = courses(30)
    y = np.arange(30) < 2  # in some samples neither of the two
    found = validation.refit(LogisticRegression(), X, y, n_boot=40)
    lost = sum(not y[found.rows.resample(rng(0, "refit", b))].any() for b in range(40))
    assert lost > 0
    assert found.failed == {"one outcome only": lost}
    assert len(found.draws) == 40 - lost
    assert validation.optimism(found).failed == found.failed


class Recorder(ClassifierMixin, BaseEstimator):
    """Notes what it was given; fails where it is told to."""

    seen: list = []  # noqa: RUF012 – clones share it

    def __init__(self, fail=False):
        self.fail = fail

    def fit(self, X, y, patient=None):
        self.seen.append(patient)
        self.classes_ = np.array([0, 1])
        if self.fail and len(self.seen) > 1:
            raise ValueError("row of a patient: 17, secret")
        return self

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)


def test_a_pipeline_that_tunes_is_told_whose_rows_they_are():
    X, y = courses(20)
    Recorder.seen.clear()
    patients = np.repeat(list("abcde"), 4)
    found = validation.refit(Recorder(), X, y, clusters=patients, n_boot=1)
    assert Recorder.seen[0].tolist() == np.repeat(np.arange(5), 4).tolist()
    assert Recorder.seen[1].tolist() == (found.sample(0) // 4).tolist()


@pytest.mark.parametrize("folds", [GroupKFold(3), StratifiedKFold(3)])
def test_a_search_gets_groups_if_its_folds_take_them(folds):
    X, y = courses(120)
    search = GridSearchCV(LogisticRegression(), {"C": [0.01, 1.0]}, cv=folds)
    found = validation.refit(search, X, y, clusters=np.arange(120) // 3, n_boot=3)
    rows = found.sample(0)
    groups = rows // 3 if isinstance(folds, GroupKFold) else None
    by_hand = GridSearchCV(LogisticRegression(), {"C": [0.01, 1.0]}, cv=folds)
    by_hand.fit(X[rows], y[rows].astype(int), groups=groups)
    assert found.draws[0] == pytest.approx(by_hand.predict_proba(X)[:, 1])


def test_errors_of_a_pipeline_are_told_without_what_they_say():
    X, y = courses(20)
    Recorder.seen.clear()
    with pytest.raises(DataError, match=r"None of 3 .* failed with ValueError \(3\)") as caught:
        validation.refit(Recorder(fail=True), X, y, n_boot=3)
    assert "secret" not in str(caught.value)


def test_what_cannot_be_validated_is_refused():
    X, y = courses(20)
    with pytest.raises(DataError, match="an outcome, 0 or 1, for each of the 20 rows"):
        validation.refit(PLAIN, X, y[1:])
    with pytest.raises(DataError, match="an outcome, 0 or 1"):
        validation.refit(PLAIN, X, y * 2.0)
    with pytest.raises(DataError, match="the same in all 20 rows"):
        validation.refit(PLAIN, X, y & False)
    with pytest.raises(DataError, match="clusters needs a label for each of the 20 rows"):
        validation.refit(PLAIN, X, y, clusters=[None, *range(19)])
    with pytest.raises(DataError, match="clusters needs a label"):
        validation.refit(PLAIN, X, y, clusters=[np.nan] * 20)
    with pytest.raises(ParameterError, match="classifier with fit and predict_proba"):
        validation.refit(LinearRegression(), X, y)
    with pytest.raises(ParameterError, match="n_boot must be at least 1"):
        validation.refit(PLAIN, X, y, n_boot=0)


def test_predictions_that_are_none_are_no_model():
    class Wrong(Recorder):
        def predict_proba(self, X):
            return np.full((len(X), 2), np.nan)

    X, y = courses(20)
    with pytest.raises(DataError, match="missing or outside 0"):
        validation.refit(Wrong(), X, y)


# Optimism


def test_optimism_is_that_of_a_plain_loop(refits):
    """Refits by statsmodels, measures by scikit-learn and statsmodels."""
    X, y = courses()
    design = sm.add_constant(X.to_numpy())

    def measured(outcome, p):
        logit = special.logit(p)
        line = sm.GLM(outcome, sm.add_constant(logit), sm.families.Binomial()).fit()
        shift = sm.GLM(outcome, np.ones(len(p)), sm.families.Binomial(), offset=logit).fit()
        hits, false = ((p >= 0.4) & (outcome == v) for v in (1, 0))
        brier = brier_score_loss(outcome, p)
        base = brier_score_loss(outcome, np.full(len(p), outcome.mean()))
        return np.array([
            roc_auc_score(outcome, p), brier, 1 - brier / base, log_loss(outcome, p),
            shift.params[0], line.params[1], hits.mean() - 0.4 / 0.6 * false.mean(),
        ])  # fmt: skip

    differences, spread = [], []
    for i in range(len(refits.draws)):
        rows, others = refits.sample(i), refits.sample(i, "judged")
        model = sm.GLM(y[rows], design[rows], sm.families.Binomial()).fit()
        own, original = (measured(y[k], model.predict(design[k])) for k in (rows, slice(None)))
        differences.append(own - original)
        judged = measured(y[others], model.predict(design[others]))
        judged[4] = original[4]  # of the level, which is not judged anew
        spread.append(judged)
    found = validation.optimism(refits, [0.4]).measures
    names = ["auc", "brier", "scaled_brier", "log_loss", "in_the_large", "slope"]
    names += ["net_benefit at 0.4"]
    for j, name in enumerate(names):
        one, expected = found[name], np.mean(differences, axis=0)[j]
        assert one.optimism == pytest.approx(expected, abs=2e-4), name
        assert one.corrected == one.apparent - one.optimism
        assert one.n == 30
        half = 1.959964 * np.std(spread, axis=0, ddof=1)[j]
        limits = [one.corrected - half, one.corrected + half]
        assert [one.low, one.high] == pytest.approx(limits, abs=1e-3), name


def test_an_overfitted_model_is_found_out():
    """Twenty-two features for 300 patients; the truth is the slope in 20,000 new ones."""
    X, y = courses(300, noise=18)
    found = validation.optimism(validation.refit(PLAIN, X, y, n_boot=100)).measures
    new, outcome = courses(20_000, noise=18, seed=99)
    p = PLAIN.fit(X, y).predict_proba(new)[:, 1]
    slope = found["slope"]
    assert slope.apparent == pytest.approx(1, abs=1e-4)
    assert slope.high < 1
    assert slope.low < metrics.calibration(outcome, p).slope < slope.high
    assert found["auc"].apparent > found["auc"].corrected + 0.02
    assert found["auc"].low < metrics.auc(outcome, p) < found["auc"].high
    assert found["brier"].optimism < 0


def test_a_simple_model_of_many_has_hardly_any_optimism():
    X, y = courses(4000)
    found = validation.optimism(validation.refit(PLAIN, X, y, n_boot=30)).measures
    assert abs(found["auc"].optimism) < 0.003
    assert found["slope"].corrected == pytest.approx(1, abs=0.02)


def test_a_model_of_nothing_has_what_it_can_have():
    X, y = courses(60)
    found = validation.optimism(validation.refit(DummyClassifier(), X, y, n_boot=5)).measures
    assert found["auc"].corrected == 0.5
    assert np.isnan(found["slope"].corrected)
    assert found["slope"].n == 0


# Instability


def hand_made():
    draws = np.array([[0.1, 0.6, 0.4, 0.9], [0.3, 0.4, 0.6, 0.7]])
    rows = Rows.of(np.zeros((4, 1)), np.array([0, 1, 1, 0]))
    return Refits(rows, np.array([0.2, 0.5, 0.45, 0.8]), draws, np.arange(2), {}, 0)


def test_instability_by_hand():
    found = validation.instability(hand_made(), [0.5])
    assert found.mape == pytest.approx([0.1, 0.1, 0.1, 0.1])
    assert found.mean_mape == pytest.approx(0.1)
    # of two values: 2.5 % of the way from one to the other
    assert found.low == pytest.approx([0.105, 0.405, 0.405, 0.705])
    assert found.high == pytest.approx([0.295, 0.595, 0.595, 0.895])
    assert found.flips.tolist() == [[0, 0.5, 0.5, 0]]
    assert found.flip_share.tolist() == [0.25]
    assert found.bins.n.tolist() == [4]
    assert found.bins.mape == pytest.approx([0.1])
    assert found.bins.flips.tolist() == [[0.25]]
    assert found.calibration.missing == 2
    assert "10 patients with the event" in found.smoother


def test_decision_curves_are_those_of_net_benefit(refits):
    found = validation.instability(refits).decision
    y = courses()[1]
    for at in (4, 49, 90):
        assert found.model[at] == pytest.approx(metrics.net_benefit(y, refits.p, GRID[at]))
        each = [metrics.net_benefit(y, p, GRID[at]) for p in refits.draws]
        assert found.draws[:, at] == pytest.approx(each)
        assert found.low[at] == pytest.approx(np.quantile(each, 0.025))
    assert found.missing == 0


def test_calibration_curves_surround_that_of_the_model(refits):
    found = validation.instability(refits)
    curves = found.calibration
    assert curves.draws.shape == (30, len(curves.at))
    assert (curves.low < curves.high).all()
    inside = (curves.low <= curves.model) & (curves.model <= curves.high)
    assert inside.mean() > 0.9
    assert "spline" in found.smoother


def test_bins_hold_everybody_once_and_nobody_alone(refits):
    bins = validation.instability(refits).bins
    assert bins.n.sum() == 300
    assert bins.n.min() >= 20
    assert bins.predicted.tolist() == sorted(bins.predicted)
    assert bins.n @ bins.mape / 300 == pytest.approx(validation.instability(refits).mean_mape)


def test_more_patients_make_predictions_more_stable():
    few, many = (
        validation.instability(validation.refit(PLAIN, *courses(n, 12), n_boot=20))
        for n in (150, 2400)
    )
    assert few.mean_mape > 2 * many.mean_mape


def test_thresholds_are_checked(refits):
    for wrong in ([0.0], [1.0], [0.5, 0.5]):
        with pytest.raises(ParameterError, match="different numbers between 0 and 1"):
            validation.instability(refits, wrong)
        with pytest.raises(ParameterError, match="different numbers between 0 and 1"):
            validation.optimism(refits, wrong)


# Performance with standard errors


def test_the_error_of_the_auc_is_delongs():
    """Every pair compared, ties half; variances of the placements of events and of others."""
    random = np.random.default_rng(6)
    y, p = random.random(80) < 0.4, random.integers(0, 12, 80) / 12
    wins = (p[y][:, None] > p[~y]) + 0.5 * (p[y][:, None] == p[~y])
    expected = wins.mean(1).var(ddof=1) / y.sum() + wins.mean(0).var(ddof=1) / (~y).sum()
    assert performance.auc_variance(y, p, np.arange(80)) == pytest.approx(expected)


def test_copies_of_a_patient_add_no_precision():
    random = np.random.default_rng(7)
    y, p = (random.random(80) < 0.4).astype(float), random.random(80)
    once = performance.estimates(y, p, np.arange(80))
    twice = performance.estimates(np.tile(y, 2), np.tile(p, 2), np.tile(np.arange(80), 2))
    for name, one in once.items():
        assert twice[name].error == pytest.approx(one.error), name
        assert twice[name].value == pytest.approx(one.value), name


def test_errors_with_clusters_are_those_of_leaving_each_out():
    """The jackknife over patients, which agrees in large samples."""
    random = np.random.default_rng(8)
    patients = np.repeat(np.arange(300), 3)
    x = np.repeat(random.normal(0, 1.2, 300), 3)
    y = (random.random(900) < special.expit(x)).astype(float)
    p = special.expit(0.8 * x + 0.3 * random.normal(size=900))
    found = performance.estimates(y, p, patients)
    left = [performance.estimates(y[k], p[k], patients[k])
            for k in (patients != c for c in range(300))]  # fmt: skip
    for name, one in found.items():
        each = np.array([e[name].scaled for e in left])
        assert one.error == pytest.approx(each.std() * np.sqrt(299), rel=0.03), name


def test_what_cannot_be_estimated_has_its_reason():
    p = np.linspace(0.1, 0.9, 40)
    few = performance.estimates(np.arange(40) < 4, p, np.arange(40))
    assert few["auc"].reason == "4 with and 36 without the outcome; 10 of each are needed"
    apart_ = performance.estimates(p > 0.5, p, np.arange(40))
    assert "separate" in apart_["auc"].reason
    assert "separate" in apart_["slope"].reason
    assert np.isfinite(apart_["observed_expected"].value)
    none = performance.estimates(np.arange(40) % 2, np.zeros(40), np.arange(40))
    assert none["observed_expected"].reason == "no events are predicted"
    alone = performance.estimates(np.arange(40) % 2, p, np.zeros(40, dtype=int))
    assert "so few patients" in alone["auc"].reason
    assert "so few patients" in alone["slope"].reason


# Services


def seen(n=600):
    X, y = courses(n)
    random = np.random.default_rng(3)
    service = np.array(["north", "south", "east", "west"], dtype=object)[random.integers(0, 4, n)]
    service[:5] = "tiny"
    return X, y, service, random.integers(0, 450, n)


def test_services_are_left_out_as_in_a_plain_loop():
    X, y, service, patients = seen()
    found = validation.internal_external(PLAIN, X, y, service, patients, n_jobs=2)
    assert [s.service for s in found.services] == ["east", "north", "south", "tiny", "west"]
    scaled = {name: [] for name in performance.SCALES}
    for one in found.services:
        here = service == one.service
        train = ~here & ~np.isin(patients, patients[here])
        assert (one.n, one.events) == (here.sum(), y[here].sum())
        assert one.n_training == train.sum()
        assert one.n_excluded == (~here & ~train).sum()
        if one.service == "tiny":
            continue
        model = sm.GLM(
            y[train], sm.add_constant(X.filter(train).to_numpy()), sm.families.Binomial()
        )
        p = model.fit().predict(sm.add_constant(X.filter(here).to_numpy()))
        _, codes = np.unique(patients[here], return_inverse=True)
        robust = {"cov_type": "cluster", "cov_kwds": {"groups": codes, "use_correction": False}}
        line = sm.GLM(y[here], sm.add_constant(special.logit(p)), sm.families.Binomial())
        line = line.fit(**robust)
        k = codes.max() + 1
        slope = one.estimates["slope"]
        assert slope.value == pytest.approx(line.params[1], abs=1e-4)
        assert slope.error == pytest.approx(line.bse[1] * np.sqrt(k / (k - 1)), rel=1e-3)
        assert one.estimates["auc"].value == pytest.approx(roc_auc_score(y[here], p), abs=1e-4)
        ratio = y[here].sum() / p.sum()
        assert one.estimates["observed_expected"].value == pytest.approx(ratio, abs=1e-4)
        for name, values in scaled.items():
            values.append((one.estimates[name].scaled, one.estimates[name].error))
    for name, values in scaled.items():
        pooled = random_effects(*np.transpose(values)).on_scale(performance.SCALES[name][1])
        assert found.pooled[name] == pooled
        assert set(found.not_estimable[name]) == {"tiny"}
    assert 0.5 < found.pooled["auc"].low < found.pooled["auc"].estimate < 1


@given(st.lists(st.tuples(st.integers(0, 8), st.integers(0, 3)), min_size=2, max_size=40))
@settings(deadline=None, max_examples=50)
def test_no_patient_is_ever_on_both_sides(rows):
    patients, service = np.array(rows).T
    for k in np.unique(service):
        out = np.flatnonzero(service == k)
        train, excluded = apart(patients, out)
        assert not set(patients[train]) & set(patients[out])
        assert len(train) + len(out) + excluded == len(rows)


def test_services_that_differ_are_heterogeneous():
    X, y, service, _ = seen(2000)
    random = np.random.default_rng(9)
    y = random.random(2000) < special.expit(X["x0"].to_numpy() + np.where(service == "east", 2, 0))
    found = validation.internal_external(PLAIN, X, y, service)
    assert found.pooled["in_the_large"].tau > 0.5
    assert found.pooled["auc"].tau < 0.5
    east = next(s for s in found.services if s.service == "east")
    assert east.estimates["observed_expected"].low > 1.1


def test_services_without_a_model_are_named():
    X, y, *_ = seen(100)
    service = np.where(y, "all well", "none well")
    found = validation.internal_external(PLAIN, X, y, service)
    assert found.services[0].reason == "no model without this service: one outcome only"
    assert "there are none" in found.pooled["auc"].reason
    together = validation.internal_external(PLAIN, X, y, np.arange(100) % 2, np.zeros(100))
    assert together.services[0].reason == "no model without this service: nobody left"


def test_one_service_is_refused():
    X, y, *_ = seen(40)
    with pytest.raises(DataError, match="at least two services; there is 1"):
        validation.internal_external(PLAIN, X, y, ["a"] * 40)


# More patients


def test_the_learning_curve_rises():
    X, y = courses(800, 15)
    found = validation.learning_curve(PLAIN, X, y, repeats=6, n_jobs=2)
    assert found.sizes.tolist() == [60, 120, 240, 420, 600]
    assert found.mean["auc"][-1] > found.mean["auc"][0] + 0.03
    assert found.mean["log_loss"][-1] < found.mean["log_loss"][0]
    assert found.mean["slope"][0] < found.mean["slope"][-1]
    assert (found.low["auc"] <= found.mean["auc"]).all()
    assert found.failed.tolist() == [0] * 5
    assert found.events[-1] == pytest.approx(600 * y.mean(), rel=0.05)


def test_sizes_are_patients_with_all_their_rows_and_held_out_ones_are_others():
    X, y = courses(200)
    Recorder.seen.clear()
    validation.learning_curve(Recorder(), X, y, np.arange(200) // 4, sizes=[5, 20], repeats=2)
    first, second, *_ = Recorder.seen
    assert len(first) == 20
    assert len(second) == 80
    assert set(first) < set(second)


def test_sizes_that_are_too_small_are_counted():
    X, y = courses(80)
    found = validation.learning_curve(PLAIN, X, y, sizes=[1, 50], repeats=3)
    assert found.failed.tolist() == [3, 0]
    assert found.used["auc"].tolist() == [0, 3]
    assert np.isnan(found.mean["auc"][0])


@pytest.mark.parametrize("sizes", [[0, 10], [20, 10], [10, 61]])
def test_impossible_sizes_are_refused(sizes):
    X, y = courses(80)
    with pytest.raises(ParameterError, match="ascending numbers of patients from 1 to 60"):
        validation.learning_curve(PLAIN, X, y, sizes=sizes)


# All of it


def test_all_parts_in_one_call():
    X, y, service, patients = seen(300)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    settings = {"clusters": patients, "services": service, "n_boot": 5, "n_repeats": 2}
    found = validation.validate(pipeline, X, y, **settings, thresholds=[0.5])
    refits = validation.refit(pipeline, X, y, clusters=patients, n_boot=5)
    assert found.optimism == validation.optimism(refits, [0.5])
    assert found.instability.mape.tolist() == validation.instability(refits).mape.tolist()
    assert found.services.pooled["auc"].k == 4
    assert found.learning.used["auc"][-1] == 2
    short = validation.validate(pipeline, X, y, n_boot=2, n_repeats=0)
    assert short.services is None
    assert short.learning is None
