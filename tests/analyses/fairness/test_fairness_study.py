"""The audit as a whole: of referrals, or of a file of predictions alone, through the notebook."""

import nbformat
import numpy as np
import polars as pl
import pytest

from iesoresearch import project
from iesoresearch.analyses.fairness import (
    Params,
    access_audit,
    captions,
    intersections,
    outcome_audit,
    study,
)
from iesoresearch.analyses.fairness.data import load
from iesoresearch.errors import DataError
from iesoresearch.params import Settings

ROWS = 1200
FILE = {"source": "predictions", "predictions": "predictions.parquet", "n_bootstrap": 100}


@pytest.fixture
def folder(tmp_path):
    """Predictions of a model, without referrals."""
    random = np.random.default_rng(1)
    p = random.random(ROWS)
    frame = pl.DataFrame(
        {
            "y": (random.random(ROWS) < p).astype(int),
            "p": p,
            "patient_id": [f"P{i // 2}" for i in range(ROWS)],
            "Gender": ["female", "male", "male"] * (ROWS // 3),
            "Deprivation quintile": ["1 (most deprived)", "3", "5 (least deprived)", "3"]
            * (ROWS // 4),
        }
    )
    frame.write_parquet(tmp_path / "predictions.parquet")
    return tmp_path


def test_the_notebook_runs_with_only_a_file_of_predictions(folder, monkeypatch):
    """Every cell, as a run executes them; what needs referrals is a sentence."""
    monkeypatch.setenv("IESORESEARCH_DATA", str(folder))
    monkeypatch.setenv("IESORESEARCH_OUT", str(folder / "out"))
    monkeypatch.setenv("IESORESEARCH_JOBS", "1")
    notebook = nbformat.read(project.find().notebooks / "40_fairness.ipynb", as_version=4)
    shown = []
    variables = {"display": lambda *views: shown.extend(map(repr, views))}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        exec(cell.source, variables)
        if "parameters" in cell.metadata.get("tags", []):
            variables |= FILE
    reasons = [view for view in shown if study.ONLY_PREDICTIONS in view]
    assert len(reasons) >= 10
    session = variables["study"]
    summary = repr(session.summary)
    assert summary.split()[-4:] == ["predictions", f"{ROWS:,}", "patients", f"{ROWS // 2:,}"]
    assert "referrals" not in summary
    result = session.result
    assert set(result.not_applicable) >= set(study.NAMES_OF_REFERRALS)
    assert {"model_rates", "statement"} <= set(result.tables)
    assert "Official" not in repr(session.table("statement"))
    assert (folder / "out" / "result.json").exists()


def test_a_file_that_cannot_be_used_is_refused_before_anything_is_shown(tmp_path):
    with pytest.raises(DataError, match=r"predictions\.parquet"):
        study.load(Params(**FILE), Settings(search_path=(tmp_path,)))


def test_what_needs_referrals_is_what_their_parts_make():
    """No table or figure of referrals is forgotten, so that a notebook can ask for each."""
    params = Params(n_referrals=2000, groupings=["Gender", "Deprivation quintile"])
    data = load(params, Settings())
    parts = [outcome_audit.audit(data, params), access_audit.audit(data, params)]
    made = {
        name
        for part in parts
        for name in (*part.tables, *part.figures, *part.not_applicable)
    }  # fmt: skip
    made |= {*captions.outcomes(data, params), *captions.access(params)}
    strata = {"strata", "strata_shares", "intersections", "shrinkage", "interactions"}
    assert made | strata == set(study.NAMES_OF_REFERRALS)
    assert study.OF_REFERRALS[1] is intersections.intersections
