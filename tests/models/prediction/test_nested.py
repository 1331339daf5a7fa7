"""Tuning against scikit-learn's grid search, folds that share nobody, and folds without events."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.prediction.nested import (
    Tuned,
    nested,
    outer_folds,
    patient_folds,
)
from iesoresearch.models.prediction.pipelines import KINDS, build, configurations
from iesoresearch.seeds import derive, rng

from .drawn import SCHEMA, draw


@pytest.mark.parametrize("kind", ["logistic", "xgboost"])
def test_the_choice_is_that_of_an_exhaustive_search(kind):
    """GridSearchCV refits every configuration from nothing, on the same folds."""
    X, y, patient, _ = draw(700, 3)
    fold = patient_folds(patient, 3, rng(5, "inner"))
    splits = [(np.flatnonzero(fold != i), np.flatnonzero(fold == i)) for i in range(3)]
    ours = Tuned(kind, SCHEMA, random_state=5).fit(X, y, patient)
    model = build(kind, SCHEMA)
    grid = [{f"model__{k}": [v] for k, v in c.items()} for c in configurations(kind)]
    search = GridSearchCV(model, grid, scoring="neg_log_loss", cv=splits)
    search.fit(SCHEMA.encode(X), y.astype(int))
    losses = -search.cv_results_["mean_test_score"]
    np.testing.assert_allclose(ours.losses_, losses, rtol=1e-7)  # trees predict in float32
    assert {f"model__{k}": v for k, v in ours.chosen_.items()} == search.best_params_
    expected = search.best_estimator_.predict_proba(SCHEMA.encode(X))
    np.testing.assert_array_equal(ours.predict_proba(X), expected)
    assert ours.reason_ is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_fold_is_predicted_by_a_model_tuned_on_the_others(kind):
    X, y, patient, service = draw(600, 1)
    found = nested(kind, SCHEMA, X, y, patient, service, random_state=2)
    assert np.isfinite(found.p).all()
    assert found.reasons == (None,) * 5
    for k in (0, 3):
        test = found.fold == k
        train = ~np.isin(service, service[test]) & ~np.isin(patient, patient[test])
        assert train.sum() == found.n_train[k]
        assert found.dropped[k] == 600 - train.sum() - test.sum() > 0
        model = Tuned(kind, SCHEMA, random_state=derive(2, "outer", k))
        model = clone(model).fit(X.filter(train), y[train], patient[train])
        assert model.chosen_ == found.chosen[k]
        np.testing.assert_array_equal(model.losses_, found.losses[k])
        expected = model.predict_proba(X.filter(test))[:, 1]
        np.testing.assert_allclose(found.p[test], expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("kind", KINDS)
def test_threads_and_encoding_before_change_no_bit(kind):
    X, y, patient, service = draw(300, 4)
    one = nested(kind, SCHEMA, X, y, patient, service)
    two = nested(kind, SCHEMA, SCHEMA.encode(X), list(y), list(patient), service, n_jobs=2)
    np.testing.assert_array_equal(one.p, two.p)
    np.testing.assert_array_equal(one.losses, two.losses)
    assert one.chosen == two.chosen


def test_predictions_know_nothing_of_the_outcomes_of_their_fold():
    X, y, patient, service = draw(400, 6)
    for services in (service, None):
        first = nested("logistic", SCHEMA, X, y, patient, services)
        here = first.fold == 1
        other = nested("logistic", SCHEMA, X, np.where(here, ~y, y), patient, services)
        np.testing.assert_array_equal(first.fold, other.fold)
        np.testing.assert_array_equal(first.p[here], other.p[here])
        assert (first.p[~here] != other.p[~here]).any()


# ---- folds


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 1000),
    n=st.integers(2, 200),
    people=st.integers(2, 100),
    services=st.integers(2, 12),
    n_outer=st.integers(2, 6),
)
def test_folds_share_no_service_and_no_patient(seed, n, people, services, n_outer):
    random = np.random.default_rng(seed)
    patient, service = random.integers(0, people, n), random.integers(0, services, n)
    service[:2] = 0, 1
    fold = outer_folds(patient, service.astype(str), n_outer, seed)
    assert set(fold) == set(range(min(n_outer, len(np.unique(service)))))
    for one in np.unique(service):
        assert len(np.unique(fold[service == one])) == 1
    # no fold is larger than an even share and one more service
    assert np.bincount(fold).max() <= n / len(np.unique(fold)) + np.bincount(service).max()
    order = random.permutation(n)
    np.testing.assert_array_equal(
        outer_folds(patient[order], service.astype(str)[order], n_outer, seed + 1), fold[order]
    )
    for folds in (patient_folds(patient, n_outer, rng(seed)), outer_folds(patient, None, 3, seed)):
        for one in np.unique(patient):
            assert len(np.unique(folds[patient == one])) == 1


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_training_rows_share_nobody_with_the_fold(seed):
    X, y, patient, service = draw(120, seed)
    found = nested("current score", SCHEMA, X, y, patient, service)
    for k in range(found.fold.max() + 1):
        test = found.fold == k
        left = ~test & ~np.isin(patient, patient[test])
        assert found.n_train[k] == left.sum()
        assert not set(service[left]) & set(service[test])


# ---- bad input


def test_a_fold_with_one_outcome_to_learn_from_is_not_estimable_and_the_others_are():
    X, y, patient, _ = draw(300, 2)
    patient = np.arange(300)
    service = np.repeat(["A", "B", "C"], 100)
    y = np.where(service == "A", y, False)  # outside A there is no event
    found = nested("logistic", SCHEMA, X, y, patient, service)
    gone = int(found.fold[0])
    assert np.isnan(found.p[service == "A"]).all()
    assert np.isfinite(found.p[service != "A"]).all()
    assert found.chosen[gone] is None
    said = "not estimable, because the outcome is the same in all 200 rows to learn from"
    assert [r for r in found.reasons if r] == [said] == [found.reasons[gone]]
    nothing = nested("xgboost", SCHEMA, X, np.zeros(300), patient, service)
    assert np.isnan(nothing.p).all()
    assert all(nothing.reasons)


def test_what_cannot_be_tuned_is_fitted_as_simply_as_possible():
    X, *_ = draw(60)
    y = np.zeros(60)
    y[:3] = 1
    patient = np.where(np.arange(60) < 3, 0, np.arange(60))  # one patient has all events
    model = Tuned("logistic", SCHEMA).fit(X, y, patient)
    assert model.chosen_ in configurations("logistic")
    assert model.reason_ is None  # the folds without the patient have no event, the others do
    alone = Tuned("logistic", SCHEMA).fit(X[:6], y[:6], np.array([0, 0, 0, 1, 1, 1]))
    assert alone.chosen_ == configurations("logistic")[0]
    assert "no inner fold has both outcomes to learn from" in alone.reason_
    with pytest.raises(DataError, match="the outcome is the same in all 60 rows"):
        Tuned("logistic", SCHEMA).fit(X, np.ones(60))


def test_a_service_with_five_patients_and_a_constant_feature():
    X, y, patient, service = draw(200, 8)
    service = np.where(np.arange(200) < 5, "tiny", service)
    X = X.with_columns(age=pl.lit(40.0))
    found = nested("xgboost", SCHEMA, X, y, patient, service, n_inner=2)
    assert np.isfinite(found.p).all()


def test_refusals():
    X, y, patient, service = draw(60)

    def run(**changed):
        given = {"X": X, "y": y, "patient": patient, "service": service} | changed
        return nested("logistic", SCHEMA, **given)

    with pytest.raises(ParameterError, match="n_outer and n_inner must be 2 or more"):
        run(n_outer=1)
    with pytest.raises(ParameterError, match="n_jobs 1 or more"):
        run(n_jobs=0)
    with pytest.raises(DataError, match="All rows are of one service"):
        run(service=np.full(60, "A"))
    with pytest.raises(DataError, match="60 rows of features and 3 outcomes"):
        run(y=y[:3])
    with pytest.raises(DataError, match="patient must have one value for each of the 60 rows"):
        run(patient=patient[:5])
    with pytest.raises(DataError, match="A row has no patient"):
        run(patient=[None, *patient[1:]])
    with pytest.raises(DataError, match="A row has no service"):
        run(service=np.where(np.arange(60) < 3, np.nan, 1.0))
    with pytest.raises(DataError, match="must be 0 or 1 in every row"):
        run(y=np.arange(60))
    with pytest.raises(DataError, match="lacks phq9"):
        run(X=X.drop("phq9"))
    with pytest.raises(DataError, match="0 rows of features"):
        run(X=X[:0], y=y[:0], patient=patient[:0], service=service[:0])
