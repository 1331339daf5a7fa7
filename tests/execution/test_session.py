"""What a scientist sees in a notebook: rounded tables, captions, sentences for mistakes."""

import re

import polars as pl
import pytest
from IPython.core.interactiveshell import InteractiveShell

from iesoresearch import analyses, open_analysis
from iesoresearch.data import synthetic
from iesoresearch.errors import AnalysisError, NotApplicable, ParameterError
from iesoresearch.execution.display import FigureView, MarkdownView
from iesoresearch.measures import PHQ9

VALUES = {
    "source": "synthetic",
    "n_patients": 80,
    "max_states": 1,
    "n_starts": 1,
    "n_folds": 2,
    "n_bootstrap": 20,
    "seed": 1,
}


@pytest.fixture
def study(sandbox):
    return open_analysis("subtypes", VALUES)


def test_parameters_are_shown_with_their_meaning(study):
    assert "n_patients" in repr(study.params)
    assert "80" in repr(study.params)
    assert "patients to draw, synthetic only" in study.params.shown()["text/html"]


def test_data_summary_is_released(study):
    """Of 80 people referred, those with and without an answer, to the nearest 5."""
    contacts = synthetic.make(80, seed=1).contacts
    answered = contacts.filter(pl.any_horizontal(pl.col(PHQ9.columns).is_not_null()))
    n = answered["patient_id"].n_unique()
    shown = repr(study.summary)
    assert re.search(f"people with at least one PHQ-9 answer +{5 * round(n / 5)}\n", shown)
    assert re.search(f"people left out, no PHQ-9 answer at all +{5 * round((80 - n) / 5)}\n", shown)


def test_nothing_before_run(study):
    with pytest.raises(AnalysisError, match=r"Run the cell with .run\(\) first"):
        study.table("states")


def test_results(study, monkeypatch, tmp_path):
    checks = study.run()
    assert "EM converged" in repr(checks)
    assert "{" not in repr(checks)
    assert "Share at the first session" in repr(study.table("states"))
    assert isinstance(study.figure("item_profiles"), FigureView)
    assert re.search(r"n = \d[05] people", repr(study.figure("item_profiles")))
    assert study.text.text.startswith("**SIMULATED: shows that the method works")
    with pytest.raises(AnalysisError, match="no figure called 'profile'; it has criteria"):
        study.figure("profile")
    monkeypatch.setenv("IESORESEARCH_OUT", str(tmp_path / "saved"))
    kinds = ("tables", "figures", "numbers", "checks")
    counted = ", ".join(f"{len(getattr(study.result, kind))} {kind}" for kind in kinds)
    assert repr(study.save()) == f"Saved: {counted}."
    assert (tmp_path / "saved" / "figures" / "transitions.svg").is_file()
    assert not (tmp_path / "saved" / "status.json").exists()


def test_figure_that_does_not_apply(sandbox):
    study = open_analysis("subtypes", VALUES | {"source": "nhanes"})
    study.run()
    view = study.figure("transitions")
    assert isinstance(view, MarkdownView)
    assert (
        view.text
        == "*Moves from one session to the next: not applicable, everybody was seen once.*"
    )


def test_saving_from_the_lab_never_looks_like_a_run(study, monkeypatch, sandbox):
    monkeypatch.delenv("IESORESEARCH_OUT", raising=False)
    study.run()
    study.save()
    saved = sandbox.out / "notebook-subtypes"
    assert (saved / "numbers.json").is_file()
    assert not (saved / "status.json").exists()


def test_a_wrong_parameter_is_one_sentence_in_the_notebook(sandbox, capsys):
    shell = InteractiveShell.instance()
    shell.run_cell(
        "import iesoresearch\niesoresearch.open_analysis('subtypes', {'n_sttaes': 3})", silent=True
    )
    InteractiveShell.clear_instance()
    shown = capsys.readouterr().out
    assert "Parameters of subtypes: n_sttaes is not a parameter (did you mean n_states?)." in shown
    assert "Traceback" not in shown
    assert len(shown.strip().splitlines()) == 1


def test_data_that_cannot_answer_are_one_sentence_in_the_notebook(sandbox, capsys, monkeypatch):
    def load(*_):
        raise NotApplicable("Only totals are there, and this needs the answers. Add them.")

    monkeypatch.setattr(analyses.Analysis, "load", load)
    shell = InteractiveShell.instance()
    code = "import iesoresearch\niesoresearch.open_analysis('subtypes', {}).summary"
    result = shell.run_cell(code, silent=True)
    InteractiveShell.clear_instance()
    shown = capsys.readouterr().out.strip()
    assert shown == "Only totals are there, and this needs the answers. Add them."
    assert not result.success


def test_unknown_analysis(sandbox):
    with pytest.raises(ParameterError, match="no analysis called 'subtype'; the analyses are"):
        open_analysis("subtype", {})
