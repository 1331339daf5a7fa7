"""Shared models: the same predictions after a round trip, refusals beyond, broken files."""

import json
import math

import numpy as np
import polars as pl
import pytest
import xgboost

from iesoresearch.errors import DataError, OutputError, ParameterError
from iesoresearch.hashes import digest
from iesoresearch.models.prediction import saved
from iesoresearch.models.prediction.nested import Tuned
from iesoresearch.models.prediction.pipelines import KINDS, build
from iesoresearch.models.prediction.saved import FORMAT, LARGEST, read, write
from iesoresearch.models.prediction.schema import Categorical, Schema
from iesoresearch.models.prediction.shared import share

from .drawn import SCHEMA, draw

ASKED = {"outcome": "reliable recovery", "landmark": 2}
WORDS = {
    "intended_use": "Tests of this package.",
    "not_for": "Anybody's care.",
    "training": {"referrals": 600, "events": 290, "population": "drawn"},
    "performance": {"auc": 0.71, "auc_low": None},
}


def shared(kind, n=600, seed=0, **configuration):
    X, y, *_ = draw(n, seed)
    model = build(kind, SCHEMA, **configuration).fit(X, y)
    return model, share(model, **ASKED, **WORDS)


@pytest.fixture(scope="module", params=KINDS)
def written(request, tmp_path_factory):
    """A fitted model, and the file that it is in."""
    model, made = shared(request.param)
    path = tmp_path_factory.mktemp("models") / f"{request.param}.json"
    write(path, made)
    return model, path


def test_the_same_predictions_after_a_round_trip(written):
    model, path = written
    X, *_ = draw(2000, 9, missing=0.3)
    expected = model.predict_proba(X)[:, 1]
    found = read(path)
    assert found.remark is None
    p = found.predict(X, **ASKED).p
    if found.kind == "xgboost":
        np.testing.assert_array_equal(p, expected)
    else:
        np.testing.assert_allclose(p, expected, rtol=0, atol=1e-12)
    again = path.with_suffix(".again.json")
    write(again, found)
    np.testing.assert_array_equal(read(again).predict(X, **ASKED).p, p)


def test_everything_that_was_said_is_there(written):
    _, path = written
    found = read(path)
    assert (found.outcome, found.landmark) == tuple(ASKED.values())
    assert {name: getattr(found, name) for name in WORDS} == WORDS
    assert found.schema == SCHEMA
    assert set(found.versions) == {"iesoresearch", "numpy", "scikit-learn", "xgboost"}
    text = path.read_text(encoding="utf-8")
    assert list(json.loads(text))[:3] == ["format", "version", "hash"]
    assert "made-up patients" in text


def test_trees_are_in_the_format_of_xgboost_and_do_not_count_people(tmp_path):
    model, made = shared("xgboost")
    write(tmp_path / "model.json", made)
    parameters = json.loads((tmp_path / "model.json").read_text())["parameters"]
    theirs = xgboost.Booster()
    theirs.load_model(bytearray(json.dumps(parameters), "utf-8"))
    X, *_ = draw(100, 3)
    expected = model.predict_proba(X)[:, 1]
    np.testing.assert_array_equal(theirs.predict(xgboost.DMatrix(SCHEMA.encode(X))), expected)
    for tree in parameters["learner"]["gradient_booster"]["model"]["trees"]:
        assert not any(tree["sum_hessian"])
        assert not any(tree["base_weights"])


def test_a_weight_can_be_read_and_a_prediction_made_by_hand():
    X, y, *_ = draw(500)
    gender = Schema((), (Categorical("gender", ("female", "male"), "Gender"),))
    X = X.select("gender")
    made = share(build("logistic", gender, C=1.0).fit(X, y), **ASKED, **WORDS)
    weights = made.parameters["weights"]
    assert list(weights) == ["gender = female", "gender = male", "gender missing"]
    by_hand = 1 / (1 + math.exp(-made.parameters["intercept"] - weights["gender = male"]))
    p = made.predict(pl.DataFrame({"gender": ["male"]}), **ASKED).p
    assert p[0] == pytest.approx(by_hand, abs=1e-14)


def test_rows_outside_the_schema_get_no_prediction_and_a_reason(written):
    model, path = written
    X, *_ = draw(6, 5, missing=0)
    X = X.with_columns(
        phq9=pl.Series([28.0, 3, 4, 5, None, 7]),
        gender=pl.Series(["male", "robot", "male", "male", None, "female"]),
        age=pl.Series([30.0, 30, math.nan, 15, 40, 40]),
    )
    found = read(path).predict(X, **ASKED)
    assert np.isnan(found.p).tolist() == [True] * 4 + [False] * 2
    assert found.refused == {
        "phq9 is not from 0 to 27": 1,
        "age is not from 16 to 100": 2,
        "gender has a category that is not known": 1,
    }
    np.testing.assert_allclose(found.p[4:], model.predict_proba(X[4:])[:, 1], atol=1e-12)
    assert len(read(path).predict(X[:0], **ASKED).p) == 0
    assert np.isnan(read(path).predict(X[:1], **ASKED).p).all()


def test_tables_that_are_of_something_else_are_refused(written):
    model = read(written[1])
    X, *_ = draw(3)
    with pytest.raises(DataError, match="lacks age"):
        model.predict(X.drop("age"), **ASKED)
    with pytest.raises(DataError, match=r"gad7 \(a number\)"):
        model.predict(X.with_columns(gad7=pl.lit("high")), **ASKED)
    with pytest.raises(
        ParameterError, match="predicts 'reliable recovery' at landmark 2, and not 'drop-out' at"
    ):
        model.predict(X, outcome="drop-out", landmark=2)
    with pytest.raises(ParameterError, match="at landmark 2, and not 'reliable recovery' at land"):
        model.predict(X, outcome="reliable recovery", landmark=3)


def test_recalibration_comes_on_top_and_is_shipped(tmp_path):
    _, made = shared("logistic")
    X, *_ = draw(200, 7)
    p = made.predict(X, **ASKED).p
    once = made.recalibrated(-0.3, 0.8, "Site B, 2030")
    write(tmp_path / "new.json", once)
    found = read(tmp_path / "new.json")
    assert found.update.said == "Site B, 2030"
    by_hand = 1 / (1 + np.exp(0.3 - 0.8 * np.log(p / (1 - p))))
    np.testing.assert_allclose(found.predict(X, **ASKED).p, by_hand, atol=1e-12)
    twice = found.recalibrated(0.1, 2.0, "Site C").predict(X, **ASKED).p
    again = 1 / (1 + np.exp(-0.1 - 2 * np.log(by_hand / (1 - by_hand))))
    np.testing.assert_allclose(twice, again, atol=1e-12)
    for wrong in [(0, 0, "x"), (0, -1, "x"), (math.nan, 1, "x"), (0, math.inf, "x"), (0, 1, "")]:
        with pytest.raises(ParameterError, match="a slope above zero, and words that say where"):
            made.recalibrated(*wrong)


def test_tuned_models_are_shared_as_what_they_chose():
    X, y, patient, _ = draw(200)
    model = Tuned("logistic", SCHEMA).fit(X, y, patient)
    p = share(model, **ASKED, **WORDS).predict(X, **ASKED).p
    np.testing.assert_allclose(p, model.predict_proba(X)[:, 1], atol=1e-12)


# ---- what is not shared


def test_models_and_descriptions_that_are_refused(tmp_path):
    X, y, *_ = draw(300)
    small = build("xgboost", SCHEMA, min_child_weight=1).fit(X, y)
    with pytest.raises(ParameterError, match="hold fewer than 10 rows cannot be shared"):
        share(small, **ASKED, **WORDS)
    model, made = shared("logistic", 300)
    for name, wrong in [("intended_use", ""), ("not_for", ""), ("outcome", ""), ("landmark", -1)]:
        with pytest.raises(ParameterError, match="what it is for and what it is not for"):
            share(model, **ASKED | WORDS | {name: wrong})
    for value in (math.nan, math.inf, [1, 2], True, {"a": 1}):
        with pytest.raises(ParameterError, match="named numbers and words only"):
            share(model, **ASKED, **WORDS | {"training": {"n": value}})
    with pytest.raises(OutputError):
        write(tmp_path / "nowhere" / "model.json", made)


# ---- what is not read


def changed(path, where, value, *, hashed=True):
    """Content of the file with one entry replaced (... takes it away), and a hash that fits."""
    content = json.loads(path.read_text(encoding="utf-8"))
    *outer, last = where
    inner = content
    for key in outer:
        inner = inner[key]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    if hashed:
        plain = {name: part for name, part in content.items() if name != "hash"}
        content["hash"] = digest(json.dumps(plain, sort_keys=True).encode())
    return content


def refused(path, content, message):
    broken = path.with_name("broken.json")
    broken.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(DataError, match=message) as raised:
        read(broken)
    assert "broken.json" in str(raised.value)
    assert "\n" not in str(raised.value)


ANY = [
    (["format"], "another", "its format is not"),
    (["format"], ..., "its format is not"),
    (["version"], 2, "another version of the format than 1"),
    (["kind"], "oracle", "at kind"),
    (["landmark"], -1, "at landmark"),
    (["landmark"], "2", "at landmark"),
    (["intended_use"], ..., "at intended_use"),
    (["colour"], "blue", "at colour"),
    (["training", "n"], [1], "at training → n"),
    (["update"], {"intercept": 0.0, "slope": 0.0, "said": "x"}, "at update → slope"),
    (["features", "numeric", 0, "low"], 30, "wrong about phq9"),
    (["features", "numeric", 0, "low"], "a", "at features → numeric → 0 → low"),
    (["features", "numeric", 0, "change"], "perhaps", "at features → numeric → 0 → change"),
    (["features", "numeric"], [], "current scores are numeric features"),
    (["features", "categorical"], [], "examples are not of its features|is no model"),
    (["examples", "features", "age", 0], "old", "examples are not of its features"),
    (["examples", "features", "age"], [1.0], "examples are not of its features"),
    (["examples", "features", "age"], ..., "does not predict here|is no model"),
    (["examples", "p", 0], 0.99, "does not predict here what it predicted"),
    (["examples", "p"], [], "does not predict here what it predicted"),
    (["parameters"], {}, "is no model: "),
]


@pytest.mark.parametrize(("where", "value", "message"), ANY)
def test_what_could_not_have_been_written(written, where, value, message):
    refused(written[1], changed(written[1], where, value), message)


LINEAR = [
    (["parameters", "weights", "age"], "0.1", "at parameters → weights → age"),
    (["parameters", "weights", "age"], ..., "medians, knots or weights are not those"),
    (["parameters", "weights", "age"], 0.5, "does not predict here"),
    (["parameters", "medians", "wage"], 0.5, "medians, knots or weights are not those"),
    (["parameters", "knots", "phq9"], [1.0, 2.0], "medians, knots or weights are not those"),
    (["parameters", "knots", "phq9"], [4.0, 3.0, 2.0, 1.0], "medians, knots or weights"),
    (["parameters", "colour"], 1.0, "at parameters → colour"),
    (["kind"], "xgboost", "its trees are none of its features"),
    (["kind"], "current score", "medians, knots or weights are not those"),
]


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    path = tmp_path_factory.mktemp("linear") / "model.json"
    write(path, shared("logistic")[1])
    return path


@pytest.mark.parametrize(("where", "value", "message"), LINEAR)
def test_linear_models_that_are_none(linear, where, value, message):
    refused(linear, changed(linear, where, value), message)


@pytest.fixture(scope="module")
def trees(tmp_path_factory):
    path = tmp_path_factory.mktemp("trees") / "model.json"
    write(path, shared("xgboost", n_estimators=3)[1])
    return path


LEARNER = ["parameters", "learner"]
TREE = [*LEARNER, "gradient_booster", "model", "trees", 0]
TREES = [
    ([*LEARNER, "objective", "name"], "reg:squarederror", "trees are none of its features"),
    ([*LEARNER, "learner_model_param", "num_feature"], "3", "trees are none of its features"),
    ([*LEARNER, "gradient_booster", "name"], "dart", "trees are none of its features"),
    ([*LEARNER, "gradient_booster", "model", "tree_info"], ..., "XGBoost cannot read its trees"),
    ([*TREE, "left_children", 0], 10_000, "trees are none of its features"),
    ([*TREE, "left_children", 0], 0, "trees are none of its features"),
    ([*TREE, "right_children", 0], -1, "trees are none of its features"),
    ([*TREE, "split_indices", 0], 10_000, "trees are none of its features"),
    ([*TREE, "split_indices", 0], -1, "trees are none of its features"),
    ([*TREE, "split_conditions", 0], "high", "trees are none of its features"),
    ([*TREE, "split_conditions"], [], "trees are none of its features"),
    ([*TREE, "sum_hessian"], [0.0], "trees are none of its features"),
    ([*TREE, "tree_param", "num_nodes"], "10000", "trees are none of its features"),
    ([*TREE, "split_type", 0], 1, "trees are none of its features"),
    (TREE, None, "trees are none of its features"),
    ([*LEARNER, "gradient_booster", "model", "trees"], [], "trees are none of its features"),
    (["kind"], "logistic", "at parameters → intercept"),
]


@pytest.mark.parametrize(("where", "value", "message"), TREES)
def test_trees_that_are_none(trees, where, value, message):
    refused(trees, changed(trees, where, value), message)


def test_a_changed_file_is_noticed(written):
    content = changed(written[1], ["landmark"], 3, hashed=False)
    refused(written[1], content, "was changed or damaged after it was written")


@pytest.mark.parametrize("text", ["", "[]", "no json", "[" * 100_000, "\udcff", '{"format": 1}'])
def test_what_is_no_json_and_no_model(tmp_path, text):
    file = tmp_path / "broken.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(DataError, match=r"is no JSON file|is no shared model"):
        read(file)


def test_files_that_are_not_there_or_huge(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "nothing.json")
    huge = tmp_path / "huge.json"
    with huge.open("wb") as stream:
        stream.truncate(LARGEST + 1)
    with pytest.raises(DataError, match="is larger than 20,000,000 bytes"):
        read(huge)


def test_other_versions_of_packages_are_said(linear, monkeypatch):
    there = saved.version
    monkeypatch.setattr(saved, "version", lambda n: "99.0" if n == "numpy" else there(n))
    remark = read(linear).remark
    assert remark.endswith("(99.0 here); its example predictions are the same here.")
    content = changed(linear, ["examples", "p", 0], 0.987)
    refused(linear, content, r"was written, with numpy .* \(99.0 here\). Install the versions")
    assert FORMAT in linear.read_text()
