"""Referrals of a folder by a saved prediction model, on the command line."""

import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from iesoresearch.analyses.recovery.schemas import schema
from iesoresearch.analyses.recovery_transfer.site import at_risk
from iesoresearch.data import synthetic
from iesoresearch.models.prediction import saved, shared
from iesoresearch.models.prediction.pipelines import build
from iesoresearch.project import find

OUTCOME, LANDMARK = "reliable_recovery", 2


@pytest.fixture
def home(tmp_path, monkeypatch):
    root = tmp_path / "project"
    (root / "notebooks").mkdir(parents=True)
    (root / "params").mkdir()
    for name in ("paper.yaml", "disclosure.yaml"):
        shutil.copy(find().params / name, root / "params")
    monkeypatch.setenv("IESORESEARCH_PROJECT", str(root))
    monkeypatch.delenv("IESORESEARCH_DATA", raising=False)
    return root


@pytest.fixture(scope="module")
def cohort():
    return synthetic.make(700, 4)


@pytest.fixture(scope="module")
def at(cohort):
    return at_risk(cohort, LANDMARK)


@pytest.fixture(scope="module")
def model(at):
    fitted = build("logistic", schema(LANDMARK, OUTCOME), C=0.01)
    fitted.fit(at.features(OUTCOME), at.y(OUTCOME))
    said = {"intended_use": "To be tried.", "not_for": "Anything else.", "performance": {}}
    return shared.share(fitted, outcome=OUTCOME, landmark=LANDMARK, training={}, **said)


@pytest.fixture
def files(home, cohort, model, tmp_path):
    cohort.write(tmp_path / "tables")
    saved.write(tmp_path / "model.json", model)
    return tmp_path


def asked(files, out="new.csv", model="model.json"):
    return "data", "predict", files / model, files / "tables", files / out


def test_predictions_are_those_of_the_library(call, files, at, model):
    code, text, _ = call(*asked(files))
    assert code == 0
    found = pl.read_csv(files / "new.csv")
    assert found.columns == ["referral_id", "chance", "refused"]
    mine = at.rows.select("referral_id").join(found, on="referral_id", how="left")
    expected = model.predict(at.features(OUTCOME), outcome=OUTCOME, landmark=LANDMARK).p
    np.testing.assert_allclose(mine["chance"], expected, rtol=0, atol=5e-7)
    assert found["refused"].null_count() == len(found)
    assert f"{len(found)} at risk, {len(found)} predicted, fewer than 10 refused" in text
    assert "chance of reliable recovery at session 2" in text
    assert "Not for: Anything else." in text


def test_referrals_still_in_care_are_predicted(call, files, cohort, at):
    """They are whom predictions are for, though no outcome is known yet."""
    never = {
        name: pl.lit(None, cohort.referrals.schema[name])
        for name in ("discharge_date", "end_reason")
    }
    referrals = cohort.referrals.with_columns(**never)
    shutil.rmtree(files / "tables")
    replace(cohort, referrals=referrals).write(files / "tables")
    code, _, _ = call(*asked(files))
    assert code == 0
    found = pl.read_csv(files / "new.csv")
    assert set(at.rows["referral_id"]) <= set(found["referral_id"])
    assert found["chance"].null_count() == 0


def test_whom_the_model_does_not_know_it_refuses_with_the_reason(call, files, model):
    numeric = tuple(replace(f, high=40.0) if f.name == "age" else f for f in model.schema.numeric)
    saved.write(files / "young.json", replace(model, schema=replace(model.schema, numeric=numeric)))
    code, text, _ = call(*asked(files, model="young.json"))
    assert code == 0
    found = pl.read_csv(files / "new.csv")
    refused = found.filter(pl.col("chance").is_null())
    assert set(refused["refused"]) == {"age is not from 0 to 40"}
    assert found.filter(pl.col("chance").is_not_null())["refused"].null_count() == len(found) - len(
        refused
    )
    assert f"{len(refused)} refused" in text


def test_nothing_is_overwritten(call, files):
    (files / "new.csv").write_text("mine")
    code, _, error = call(*asked(files))
    assert code == 6
    assert "exists. Name a new file; nothing was overwritten" in error
    assert (files / "new.csv").read_text() == "mine"


def test_a_file_that_is_no_model(call, files):
    code, _, error = call(*asked(files, model="none.json"))
    assert code == 3
    assert "none.json cannot be read" in error
    (files / "other.json").write_text('{"format": "something else"}')
    code, _, error = call(*asked(files, model="other.json"))
    assert code == 3
    assert "other.json is no shared model" in error


def test_a_damaged_model(call, files):
    text = (files / "model.json").read_text(encoding="utf-8")
    (files / "model.json").write_text(text.replace("To be tried", "To be used"))
    code, _, error = call(*asked(files))
    assert code == 3
    assert "was changed or damaged after it was written" in error


def test_a_model_that_asks_for_what_is_not_computed_here(call, files, model):
    linear = dict(model.parameters)
    for part in ("medians", "weights"):
        linear[part] = {
            name.replace("self_harm", "hope"): value for name, value in linear[part].items()
        }
    numeric = tuple(
        replace(f, name="hope") if f.name == "self_harm" else f for f in model.schema.numeric
    )
    other = replace(model, schema=replace(model.schema, numeric=numeric), parameters=linear)
    saved.write(files / "hope.json", other)
    code, _, error = call(*asked(files, model="hope.json"))
    assert code == 3
    assert "The model asks for hope, which this version of the package does not" in error


def test_a_folder_without_tables(call, files):
    shutil.rmtree(files / "tables")
    code, _, error = call(*asked(files))
    assert code == 3
    assert "No folder with contacts.parquet or contacts.csv was found" in error


def test_nobody_at_the_landmark(call, files, cohort):
    shutil.rmtree(files / "tables")
    purpose = pl.lit("assessment", cohort.contacts.schema["purpose"])
    untreated = cohort.contacts.with_columns(purpose=purpose)
    replace(cohort, contacts=untreated).write(files / "tables")
    code, _, error = call(*asked(files))
    assert code == 3
    assert "nobody is at risk at landmark 2 (session 2)" in error


def test_a_place_that_cannot_be_written(call, files):
    code, _, error = call(*asked(files, out="nowhere/new.csv"))
    assert code == 6
    assert "cannot be written" in error
