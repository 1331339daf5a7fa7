"""Models against scikit-learn by hand, and that a fit knows nothing of other rows."""

import pickle

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.prediction.pipelines import (
    FEWEST,
    KINDS,
    Prepared,
    build,
    configurations,
    expand,
    feature_names,
    features_of,
)
from iesoresearch.models.prediction.schema import Categorical, Numeric, Schema

from .drawn import SCHEMA, draw


def chance(model, X):
    return model.predict_proba(X)[:, 1]


def test_logistic_is_scikit_learn_by_hand():
    X, y, *_ = draw(800)
    numeric = [f.name for f in SCHEMA.numeric]
    flat = Schema(tuple(Numeric(f.name, f.low, f.high, "") for f in SCHEMA.numeric))
    values = X.select(numeric).to_numpy()
    filled = SimpleImputer(strategy="median", add_indicator=True).fit_transform(values)
    scaled = StandardScaler().fit_transform(filled)
    # another solver: lbfgs
    by_hand = LogisticRegression(C=0.1, tol=1e-10, max_iter=10_000).fit(scaled, y)
    ours = build("logistic", flat, C=0.1).fit(X.select(numeric), y)
    expected = by_hand.predict_proba(scaled)
    np.testing.assert_allclose(ours.predict_proba(X.select(numeric)), expected, atol=1e-6)


def test_the_baseline_sees_the_current_scores_only():
    X, y, *_ = draw(500)
    model = build("current score", SCHEMA).fit(X, y)
    assert set(features_of(model)) == {"phq9", "gad7"}
    other = X.with_columns(age=pl.lit(99.0), gender=pl.lit("male"))
    np.testing.assert_array_equal(chance(model, X), chance(model, other))
    with pytest.raises(ParameterError, match="names no current score"):
        build("current score", Schema(SCHEMA.numeric))


@pytest.mark.parametrize("kind", KINDS)
def test_tables_and_matrices_give_the_same_bits_and_copies_too(kind):
    X, y, *_ = draw(400)
    model = build(kind, SCHEMA, **configurations(kind)[-1])
    p = chance(clone(model).fit(X, y), X)
    matrix = SCHEMA.encode(X)
    np.testing.assert_array_equal(p, chance(clone(model).fit(matrix, y), matrix))
    np.testing.assert_array_equal(p, chance(clone(model).fit(X, y.astype(float)), X))
    fitted = clone(model).fit(X, y)
    np.testing.assert_array_equal(p, chance(pickle.loads(pickle.dumps(fitted)), X))
    rows = np.random.default_rng(0).integers(0, 400, 400)
    assert np.isfinite(chance(clone(model).fit(X[rows], y[rows]), X)).all()
    assert len(feature_names(fitted)) == len(features_of(fitted)) == fitted[-1].n_features_in_


# ---- nothing is learnt from other rows


def test_imputation_learns_from_training_rows_only():
    X, y, *_ = draw(300)
    train, test = np.arange(200), np.arange(200, 300)
    changed = X.with_columns(
        pl.when(pl.int_range(pl.len()) >= 200).then(27.0).otherwise("phq9").alias("phq9"),
        pl.when(pl.int_range(pl.len()) >= 200).then(None).otherwise("wait").alias("wait"),
    )
    first = build("logistic", SCHEMA).fit(X[train], y[train])
    second = build("logistic", SCHEMA).fit(changed[train], y[train])
    for name in ("medians_", "knots_", "mean_", "scale_"):
        np.testing.assert_array_equal(getattr(first[1], name), getattr(second[1], name))
    seen = X[train]["phq9"].drop_nulls()
    assert first[1].medians_[0] == seen.median()
    np.testing.assert_allclose(first[1].knots_[0], np.quantile(seen, [0.05, 0.35, 0.65, 0.95]))
    # a prediction does not depend on the rows beside it
    np.testing.assert_allclose(
        chance(first, X[test])[:1], chance(first, X[test[:1]]), rtol=0, atol=1e-15
    )


# ---- splines


def test_splines_are_linear_outside_their_knots_and_smooth_inside():
    knots = np.array([[2.0, 5.0, 9.0, 14.0]])
    x = np.linspace(-5, 25, 3001)
    columns = expand(x[:, None], np.empty((len(x), 0)), np.zeros(1), np.array([True]), knots)
    for bend in columns[:, 1:3].T:
        second = np.diff(bend, 2) / np.diff(x)[0] ** 2
        middle = x[1:-1]
        np.testing.assert_allclose(second[(middle < 1.9) | (middle > 14.1)], 0, atol=1e-6)
        assert np.abs(np.diff(second)).max() < 0.01  # the second derivative has no jump
    # by hand at x = 10: cubes of what is beyond a knot, and of what is beyond the last but one
    first = 8**3 - 1**3 * (14 - 2) / (14 - 9)
    second = 5**3 - 1**3 * (14 - 5) / (14 - 9)
    at_ten = columns[np.argmin(np.abs(x - 10)), 1:3]
    np.testing.assert_allclose(at_ten, np.array([first, second]) / 144, rtol=1e-12)


def test_splines_whose_knots_coincide_do_not_bend():
    knots = np.array([[0.0, 0.0, 3.0, 9.0]])
    x = np.arange(5.0)[:, None]
    columns = expand(x, np.empty((5, 0)), np.zeros(1), np.array([True]), knots)
    assert not columns[:, 1:3].any()


# ---- monotone


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_boosted_trees_keep_their_signs(seed):
    """Even where the data say the opposite."""
    X, y, *_ = draw(300, seed)
    random = np.random.default_rng(seed)
    y = random.random(300) < 1 / (1 + np.exp(-(X["phq9"].fill_null(13).to_numpy() - 13) / 3))
    model = build("xgboost", SCHEMA, max_depth=4, n_estimators=60).fit(X, y)
    for name, high in (("phq9", 27), ("gad7", 21)):
        grid = X[:8].join(pl.DataFrame({"to": np.arange(high + 1.0)}), how="cross")
        grid = grid.with_columns(pl.col("to").alias(name)).drop("to")
        p = chance(model, grid).reshape(8, -1)
        assert (np.diff(p, axis=1) <= 0).all()


# ---- bad input


@pytest.mark.parametrize("kind", KINDS)
def test_categories_that_are_not_known_have_no_weight(kind):
    X, y, *_ = draw(400)
    model = build(kind, SCHEMA).fit(X, y)
    odd = X.with_columns(gender=pl.lit("robot"))
    assert np.isfinite(chance(model, odd)).all()
    matrix = SCHEMA.encode(X)
    matrix[:, 4:8] = 0
    np.testing.assert_array_equal(chance(model, odd), chance(model, matrix))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [None, 7.0])
def test_columns_that_are_missing_or_constant_say_nothing(kind, value):
    X, y, *_ = draw(300)
    same = X.with_columns(
        *(pl.lit(value, dtype=pl.Float64).alias(name) for name in ("phq9", "wait")),
        gender=pl.lit(None, dtype=pl.String),
    )
    model = build(kind, SCHEMA).fit(same, y)
    assert np.isfinite(chance(model, X)).all()
    later = same.with_columns(phq9=pl.lit(20.0), wait=pl.lit(0.0))
    np.testing.assert_allclose(chance(model, later), chance(model, same), atol=1e-12)


def test_no_weight_is_about_single_people():
    X, y, *_ = draw(500)
    rare = X.with_columns(
        gender=pl.when(pl.int_range(pl.len()) < FEWEST - 1)
        .then(pl.lit("other"))
        .otherwise(pl.lit("female"))
    )
    weights = dict(
        zip(feature_names(m := build("logistic", SCHEMA).fit(rare, y)), m[-1].coef_[0], strict=True)
    )
    assert weights["gender = other"] == weights["gender = female"] == 0
    assert weights["step = low"] != 0
    few = X.with_columns(wait=pl.when(pl.int_range(pl.len()) < FEWEST - 1).then(3.0))
    assert Prepared(SCHEMA, SCHEMA.names).fit(SCHEMA.encode(few)).medians_[3] == 200  # the middle


def test_leaves_hold_at_least_twenty_rows():
    X, y, *_ = draw(400)
    model = build("xgboost", SCHEMA, max_depth=6, n_estimators=1).fit(X, y)
    leaves = model[-1].apply(model[:-1].transform(X))
    assert np.unique(leaves, return_counts=True)[1].min() >= 20


@pytest.mark.parametrize("kind", KINDS)
def test_one_outcome_only_and_outcomes_that_are_none(kind):
    X, *_ = draw(40)
    for same in (0, 1):
        with pytest.raises(DataError, match="the outcome is the same in all 40 rows"):
            build(kind, SCHEMA).fit(X, np.full(40, same))
    for wrong in (np.full(40, 2), np.full(40, np.nan), ["yes"] * 40, np.zeros((40, 2))):
        with pytest.raises(DataError, match="must be 0 or 1 in every row"):
            build(kind, SCHEMA).fit(X, wrong)


def test_features_out_of_range_matrices_of_another_width_and_unknown_kinds():
    X, y, *_ = draw(40)
    model = build("logistic", SCHEMA).fit(X, y)
    with pytest.raises(DataError, match="phq9 is not from 0 to 27 in 40 of 40 rows"):
        model.predict_proba(X.with_columns(phq9=pl.lit(28.0)))
    with pytest.raises(DataError, match="a table, or the matrix of it"):
        model.predict_proba(np.zeros((3, 2)))
    with pytest.raises(ParameterError, match="kind must be one of current score, logistic"):
        build("oracle", SCHEMA)
    with pytest.raises(ParameterError, match="got 'oracle'"):
        configurations("oracle")


def test_only_categories_will_do():
    X, y, *_ = draw(200)
    schema = Schema((), (Categorical("gender", ("female", "male"), "Gender"),))
    for kind in ("logistic", "xgboost"):
        p = chance(build(kind, schema).fit(X.select("gender"), y), X.select("gender"))
        assert len(np.unique(p)) <= 4


def test_at_most_six_configurations_from_the_simplest():
    assert [len(configurations(kind)) for kind in KINDS] == [1, 6, 6]
    penalties = [c["C"] for c in configurations("logistic")]
    assert penalties == sorted(penalties)
