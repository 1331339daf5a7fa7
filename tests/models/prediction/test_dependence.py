"""Groups of patients by hand, and a made-up patient whose parts sum to the prediction."""

import numpy as np
import polars as pl
import pytest

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.prediction.dependence import dependence, made_up_patient, waterfall
from iesoresearch.models.prediction.explanation import WORDS, contributions
from iesoresearch.models.prediction.nested import Tuned
from iesoresearch.models.prediction.pipelines import FEWEST, KINDS, build

from .drawn import SCHEMA, draw


@pytest.fixture(scope="module")
def fitted():
    X, y, patient, _ = draw(800)
    return build("logistic", SCHEMA).fit(X, y), X, patient


def test_bins_by_hand(fitted):
    model, X, patient = fitted
    found = dependence(model, X, patient, "age", n_bins=4)
    shap = contributions(model, X).values[:, 2]
    seen = X["age"].drop_nulls().to_numpy()
    edges = [16, *np.quantile(seen, [0.25, 0.5, 0.75]), 100]  # the ends are those of the schema
    np.testing.assert_array_equal(found.low[:4], edges[:-1])
    np.testing.assert_array_equal(found.high[:4], edges[1:])
    ages = X["age"].to_numpy()
    rows = (ages >= edges[1]) & (ages < edges[2])
    assert found.mean[1] == pytest.approx(shap[rows].mean(), rel=1e-12)
    assert found.lower[1] == pytest.approx(np.quantile(shap[rows], 0.25), rel=1e-12)
    assert found.n_patients[1] == len(set(patient[rows]))
    assert found.groups[-1] == "missing"
    assert found.n_patients[-1] == len(set(patient[X["age"].is_null().to_numpy()]))
    assert found.groups[0] == f"16 to below {edges[1]:g}"
    assert found.groups[3] == f"{edges[3]:g} to 100"


def test_worse_scores_go_with_lower_chances(fitted):
    found = dependence(*fitted, "phq9", n_bins=5)
    assert (np.diff(found.mean[:-1]) < 0).all()


def test_categories_and_groups_too_small_to_be_described(fitted):
    model, X, patient = fitted
    few = X.with_columns(
        gender=pl.when(pl.int_range(pl.len()) < FEWEST - 1)
        .then(pl.lit("other"))
        .otherwise(pl.lit("female"))
    )
    found = dependence(model, few, patient, "gender")
    assert found.groups == ("female", "male", "other", "missing")
    assert np.isnan(found.low).all()
    assert np.isfinite(found.mean).tolist() == [True, False, False, False]
    assert found.n_patients[1] == 0
    one = dependence(model, X[:100], np.zeros(100), "age")
    assert np.isnan(one.mean).all()  # all rows of one patient


def test_constant_missing_and_heaped_values(fitted):
    model, X, patient = fitted
    constant = dependence(model, X.with_columns(age=pl.lit(40.0)), patient, "age")
    assert constant.groups == ("16 to below 40", "40 to 100", "missing")
    nothing = X.with_columns(age=pl.lit(None, dtype=pl.Float64))
    assert dependence(model, nothing, patient, "age").groups == ("16 to 100", "missing")
    highest = dependence(model, X.with_columns(phq9=pl.lit(27.0)), patient, "phq9")
    assert highest.groups == ("0 to below 27", "27 to 27", "missing")
    assert highest.n_patients[1] == len(set(patient))


def test_unknown_features_are_refused(fitted):
    model, X, patient = fitted
    with pytest.raises(ParameterError, match="sees no feature called 'wage'"):
        dependence(model, X, patient, "wage")
    with pytest.raises(ParameterError, match="n_bins is below 1"):
        dependence(model, X, patient, "age", n_bins=0)


# ---- one made-up patient


def test_the_made_up_patient_is_typical_in_everything():
    X, *_ = draw(500)
    row = made_up_patient(SCHEMA, X)
    assert row["phq9"][0] == X["phq9"].median()
    assert row["gender"][0] == "female"
    assert made_up_patient(SCHEMA, X, phq9=20.0, gender=None)["phq9"][0] == 20
    SCHEMA.check(row)
    few = made_up_patient(SCHEMA, X[: FEWEST - 1])
    assert all(few[name][0] is None for name in SCHEMA.names)
    with pytest.raises(ParameterError, match="no feature called wage"):
        made_up_patient(SCHEMA, X, wage=3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_waterfall_sums_to_the_prediction(kind):
    X, y, *_ = draw(400)
    model = build(kind, SCHEMA).fit(X, y)
    row = made_up_patient(SCHEMA, X, phq9=20.0, wait=None)
    found = waterfall(model, row)
    assert found.base + found.contributions.sum() == pytest.approx(found.total, abs=1e-12)
    assert found.p == pytest.approx(model.predict_proba(row)[0, 1], abs=1e-5)
    assert (np.diff(np.abs(found.contributions)) <= 0).all()
    said = dict(zip(found.features, zip(found.values, found.words, strict=True), strict=True))
    assert said["phq9"] == ("20", WORDS["modifiable"])
    if kind != "current score":
        assert said["wait"] == ("missing", WORDS["care process"])
        assert said["gender"] == ("female", WORDS["not modifiable"])


def test_tuned_models_and_tables_of_several():
    X, y, patient, _ = draw(150)
    model = Tuned("current score", SCHEMA).fit(X, y, patient)
    assert waterfall(model, made_up_patient(SCHEMA, X)).p > 0
    with pytest.raises(DataError, match="of one made-up patient; the table has 150"):
        waterfall(model, X)
