"""Rows that one analysis hands over to another are saved, and seen nowhere."""

import json
from dataclasses import replace

import polars as pl
import pytest
from IPython.core.interactiveshell import InteractiveShell

from iesoresearch import analyses, open_analysis, stored
from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import DisclosureError
from iesoresearch.results import Number, Result, Table, Value

CANARY = "patient-4711"
ROWS = pl.DataFrame({"referral_id": [CANARY] * 20, "p": [0.5] * 20})


def seen(result, path):
    """A document writes whatever it is given."""
    path.write_text(f"{result!r} {result.private}", encoding="utf-8")


def made(_, data, params):
    """A small result, and a canary in its rows."""
    counts = {"group": ["all"], "n": [20]}
    values = {"n": Value("count", "People", 0)}
    return Result(
        tables={"counts": Table("Counts", pl.DataFrame(counts), {"group": "Group"}, values)},
        numbers={"n": Number(20, 20, kind="count")},
        text={"plain": "{n} people.", "intended_use": "For {n} people."},
        documents={"everything.txt": seen},
        evidence={"20a": ["table:counts"], "24": ["not done: of {n} people"]},
        private={"predictions": ROWS},
        provenance={"sensitivity": "patient"},
    )


@pytest.fixture
def study(sandbox, monkeypatch, tmp_path):
    monkeypatch.setattr(analyses.Analysis, "load", lambda *_: None)
    monkeypatch.setattr(analyses.Analysis, "run", made)
    monkeypatch.setenv("IESORESEARCH_OUT", str(tmp_path / "saved"))
    study = open_analysis("subtypes", {"seed": 1})
    study.run()
    return study


def test_rows_are_saved_and_in_no_other_file(study, tmp_path):
    study.save()
    saved = tmp_path / "saved"
    assert pl.read_parquet(saved / "private" / "predictions.parquet").equals(ROWS)
    others = [p for p in saved.rglob("*") if p.is_file() and p.parent.name != "private"]
    assert len(others) > 4
    for path in others:
        assert CANARY.encode() not in path.read_bytes(), path.name


def test_no_cell_can_show_the_rows(study, capsys):
    shell = InteractiveShell.instance()
    shell.user_ns["study"] = study
    for cell in ("study", "study.result", "study.result.private", "study.text", "study.save()"):
        assert shell.run_cell(cell, silent=False, store_history=False).success
    InteractiveShell.clear_instance()
    assert CANARY not in capsys.readouterr().out


def test_the_notebook_shows_what_is_for_it_and_the_model_card_the_rest(study):
    assert study.text.text == "**In plain words.** 20 people."


def test_evidence_is_written_with_the_released_numbers(study, tmp_path):
    study.save()
    described = json.loads((tmp_path / "saved" / "result.json").read_text(encoding="utf-8"))
    assert described["evidence"] == {"20a": ["table:counts"], "24": ["not done: of 20 people"]}
    assert described["text"]["intended_use"] == "For 20 people."


@pytest.mark.parametrize(("name", "written"), [("tripod", None), ("cheers", "cheers")])
def test_the_checklist_is_released_and_written_beside_the_evidence(tmp_path, name, written):
    result = release(replace(made(None, None, None), checklist=name), Policy())
    stored.write_result(result, tmp_path, draw=None)
    described = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert described.get("checklist") == written
    assert described["evidence"]["20a"] == ["table:counts"]


def test_disclosure_control_leaves_rows_as_they_are_and_refuses_them_with_the_rest():
    result = made(None, None, None)
    assert release(result, Policy()).private["predictions"] is ROWS
    with pytest.raises(DisclosureError, match="Fewer than 30 people"):
        release(result, Policy(min_count=30))
