"""SHAP values against other computations of them, and what refits say of them."""

import warnings

import numpy as np
import polars as pl
import pytest
import xgboost

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.prediction.explanation import WORDS, contributions, importance
from iesoresearch.models.prediction.nested import Tuned
from iesoresearch.models.prediction.pipelines import KINDS, build, features_of

from .drawn import SCHEMA, draw

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of a progress bar that it does not find
    import shap


def summed(model, values):
    """Columns of one feature added up, in the order of the schema."""
    owners = np.array(features_of(model))
    names = [name for name in SCHEMA.names if name in owners]
    return np.stack([values[:, owners == name].sum(axis=1) for name in names], axis=1)


def test_trees_are_explained_as_by_xgboost_itself():
    X, y, *_ = draw(500)
    model = build("xgboost", SCHEMA, max_depth=4, n_estimators=40).fit(X, y)
    data = xgboost.DMatrix(SCHEMA.encode(X[:200]))
    theirs = model[-1].get_booster().predict(data, pred_contribs=True)
    ours = contributions(model, X[:200])
    np.testing.assert_allclose(ours.values, summed(model, theirs[:, :-1]), atol=2e-5)  # float32
    assert ours.base == pytest.approx(theirs[0, -1], abs=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["logistic", "current score"])
def test_linear_models_are_explained_as_by_shap(kind):
    X, y, *_ = draw(500)
    model = build(kind, SCHEMA).fit(X, y)
    matrix = model[:-1].transform(X)
    masker = shap.maskers.Independent(matrix, max_samples=500)
    theirs = shap.LinearExplainer(model[-1], masker)
    ours = contributions(model, X)
    np.testing.assert_allclose(ours.values, summed(model, theirs.shap_values(matrix)), atol=1e-10)
    assert ours.base == pytest.approx(theirs.expected_value, abs=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_contributions_sum_to_the_prediction(kind):
    X, y, *_ = draw(300)
    model = build(kind, SCHEMA).fit(X, y)
    found = contributions(model, X)
    p = model.predict_proba(X)[:, 1]
    np.testing.assert_allclose(
        found.base + found.values.sum(axis=1), np.log(p / (1 - p)), atol=1e-5
    )
    assert found.features == (SCHEMA.current if kind == "current score" else SCHEMA.names)
    with pytest.raises(DataError, match="no row whose prediction could be explained"):
        contributions(model, X[:0])


@pytest.mark.parametrize("kind", ["logistic", "xgboost"])
def test_what_matters_by_construction_matters(kind):
    X, y, patient, _ = draw(600)
    model = build(kind, SCHEMA)
    found = importance(model, X, y, patient, n_boot=12)
    at = dict(zip(found.features, range(6), strict=True))
    assert found.rank[at["phq9"]] == 1
    assert found.top[at["phq9"]] == 1
    assert sorted(found.rank) == [1, 2, 3, 4, 5, 6]
    assert (found.value_low <= found.value_high).all()
    assert (found.rank_low <= found.rank_high).all()
    assert found.value_low[at["phq9"]] > found.value_high[at["step"]]
    assert found.top.sum() == pytest.approx(5)
    assert (found.n_refits, found.n_failed) == (12, 0)
    assert found.words[at["phq9"]] == WORDS["modifiable"]
    assert "not an effect of changing it" in found.words[at["wait"]]
    expected = np.abs(contributions(model.fit(X, y), X).values).mean(axis=0)
    np.testing.assert_allclose(found.value, expected, rtol=1e-12)


def test_threads_and_the_order_of_rows_change_nothing():
    X, y, patient, _ = draw(200)
    one = importance(build("logistic", SCHEMA), X, y, patient, n_boot=6)
    two = importance(build("logistic", SCHEMA), SCHEMA.encode(X), y, patient, n_boot=6, n_jobs=2)
    for name in ("value", "value_low", "value_high", "rank_low", "top"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_patients_are_drawn_and_not_rows():
    """With two patients, a sample is one of four; with the same rows twice, the same fits."""
    X, y, *_ = draw(80, missing=0)
    patient = np.repeat([0, 1], 40)
    found = importance(build("current score", SCHEMA), X, y, patient, n_boot=20)
    whole = build("current score", SCHEMA)
    possible = []
    for rows in (np.arange(80), np.tile(np.arange(40), 2), np.tile(np.arange(40, 80), 2)):
        fitted = whole.fit(X[rows], y[rows])
        possible.append(np.abs(contributions(fitted, X).values).mean(axis=0))
    low, high = np.min(possible, axis=0), np.max(possible, axis=0)
    np.testing.assert_allclose(found.value_low, low, rtol=0.05)
    np.testing.assert_allclose(found.value_high, high, rtol=0.05)


def test_tuned_models_tune_in_every_refit():
    X, y, patient, _ = draw(150)
    found = importance(Tuned("logistic", SCHEMA), X, y, patient, n_boot=2)
    assert found.n_refits == 2
    assert np.isfinite(found.value_high).all()


def test_samples_with_one_outcome_are_counted():
    X, *_ = draw(60)
    y, patient = np.arange(60) < 30, np.repeat([0, 1], 30)
    found = importance(build("current score", SCHEMA), X, y, patient, n_boot=8)
    assert found.n_failed > 0
    assert found.n_refits == 8 - found.n_failed
    never = importance(build("current score", SCHEMA), X, y, np.zeros(60), n_boot=2)
    assert never.n_failed == 0


def test_nothing_estimable_is_nan_and_refusals():
    X, y, patient, _ = draw(60)
    model = build("logistic", SCHEMA)
    events = np.arange(60) == 0
    found = importance(model, X, events, np.minimum(np.arange(60), 1), n_boot=1, random_state=3)
    if found.n_failed:
        assert np.isnan(found.value_low).all()
        assert np.isnan(found.top).all()
    with pytest.raises(ParameterError, match="n_boot and n_jobs must be 1 or more"):
        importance(model, X, y, patient, n_boot=0)
    with pytest.raises(DataError, match="the outcome is the same in all 60 rows"):
        importance(model, X, np.ones(60), patient)
    with pytest.raises(DataError, match="patient must have one value"):
        importance(model, X, y, patient[:5])
    with pytest.raises(DataError, match="lacks age"):
        importance(model, X.drop("age"), y, patient)
    with pytest.raises(DataError, match="out of range"):
        importance(model, X.with_columns(age=pl.lit(5.0)), y, patient)
