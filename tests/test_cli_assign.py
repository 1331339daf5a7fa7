"""Patients of a folder to the states of a saved model, on the command line."""

import shutil

import numpy as np
import polars as pl
import pytest

from iesoresearch.data import synthetic
from iesoresearch.measures import PHQ9
from iesoresearch.models import LatentMarkov
from iesoresearch.models.latent_markov import saved
from iesoresearch.project import find


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
    return synthetic.make(120, 4)


@pytest.fixture(scope="module")
def model(cohort):
    sequences = cohort.sequences(PHQ9)
    return LatentMarkov(2, n_categories=4, n_starts=2, random_state=1).fit(
        sequences.items, sequences.lengths
    )


@pytest.fixture
def files(home, cohort, model, tmp_path):
    cohort.write(tmp_path / "tables")
    saved.save(tmp_path / "model.json", model, items=PHQ9.columns, fitted_to="drawn people")
    return tmp_path


def test_everybody_with_answers_is_assigned_or_uncertain(call, files, cohort, model):
    out = files / "states.csv"
    code, text, _ = call("data", "assign", files / "model.json", files / "tables", out)
    assert code == 0
    found = pl.read_csv(out)
    sequences = cohort.sequences(PHQ9)
    assert (
        found["patient_id"].to_list() == cohort.patients["patient_id"][sequences.people].to_list()
    )
    last = model.predict_proba(sequences.items, sequences.lengths)[np.cumsum(sequences.lengths) - 1]
    np.testing.assert_allclose(found["current_probability_2"], last[:, 1], rtol=0, atol=5e-5)
    expected = np.where(last.max(axis=1) >= 0.8, (last.argmax(axis=1) + 1).astype(str), "uncertain")
    assert found["current_state"].cast(pl.String).to_list() == expected.tolist()
    assert f"{len(sequences.lengths)} patients" in text
    few = (expected == "uncertain").sum()
    assert ("uncertain fewer than 10" in text) == (few < 10)


def test_nothing_is_overwritten(call, files):
    (files / "states.csv").write_text("mine")
    code, _, error = call(
        "data", "assign", files / "model.json", files / "tables", files / "states.csv"
    )
    assert code == 6
    assert "exists. Name a new file; nothing was overwritten" in error
    assert (files / "states.csv").read_text() == "mine"


def test_a_model_of_other_items_is_refused(call, files, model):
    saved.save(files / "other.json", model, items=list("abcdefghi"), fitted_to="others")
    code, _, error = call("data", "assign", files / "other.json", files / "tables", files / "x.csv")
    assert code == 3
    assert "a model of other answers than the nine of the PHQ-9" in error


def test_a_file_that_is_no_model(call, files):
    code, _, error = call("data", "assign", files / "none.json", files / "tables", files / "x.csv")
    assert code == 3
    assert "Name a saved model" in error


def test_a_place_that_cannot_be_written(call, files):
    out = files / "nowhere" / "x.csv"
    code, _, error = call("data", "assign", files / "model.json", files / "tables", out)
    assert code == 6
    assert "cannot be written" in error
