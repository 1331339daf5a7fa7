"""What is named and not there is no evidence."""

import json

import pytest

from iesoresearch.reporting import evidence, runs

from . import sample


@pytest.fixture
def run(project):
    sample.make_model(project, "shown", "synthetic")
    return runs.read(project.out, project)[0][0]


@pytest.mark.parametrize(
    ("reference", "html"),
    [
        ("table:short", 'table <a href="index.html#table-short">A short table</a>'),
        ("figure:dots", 'figure <a href="index.html#figure-dots">Dots</a>'),
        ("number:gain", "gain</a>: 1.5 SD"),
        ("number:few", "few</a>: (suppressed)"),
        ("check:a claim", "✗&nbsp;failed</span>"),
        ("text:limits", '<a href="index.html#text-limits">What it cannot say</a>'),
        ("text:not_for", '<a href="model_card.html#text-not_for">What it is not for</a>'),
        ("param:seed", f"seed</a>: {sample.PARAMETERS['seed']}"),
        ("provenance:data_fingerprint", "data fingerprint</a>: abc"),
        ("file:model.json", "file <code>model.json</code> of the run"),
        ("file:numbers.json", 'file <a href="numbers.json">numbers.json</a>'),
        ("notebook:Question", 'notebook, <a href="executed.html">Question</a>'),
    ],
)
def test_what_is_there_is_linked(run, reference, html):
    found = evidence.find(run, reference)
    assert found.state == "evidenced"
    assert html in found.html


@pytest.mark.parametrize("kind", sorted(evidence._FINDERS))
@pytest.mark.parametrize("name", ["performnce", "", "<b>"])
def test_what_is_not_there_is_missing(run, kind, name):
    found = evidence.find(run, f"{kind}:{name}")
    assert found.state == "missing"
    assert "is not in the run" in found.html
    assert "<b>" not in found.html


@pytest.mark.parametrize(
    "reference",
    ["", "short", "tabel:short", "not done:", "not applicable: ", "file:private/rows.parquet"],
)
def test_what_names_nothing_that_may_be_seen_is_missing(run, reference):
    assert evidence.find(run, reference).state == "missing"


def test_a_table_without_rows_a_figure_without_picture_a_blank_text_are_no_evidence(project):
    text = sample.CARD_TEXT | {"plain": "", "reading": "", "limits": " "}
    figures = {"gone": {"title": "Gone", "caption": "", "table": "short"}}
    folder = sample.make_model(project, "shown", "open", text=text, figures=figures)
    path = folder / "tables" / "short.csv"
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    content = {k: json.loads((folder / f"{k}.json").read_text()) for k in ("status", "result")}
    run = runs.Run(folder, content["status"], content["result"], {}, [])
    for reference in ("table:short", "figure:gone", "text:limits"):
        assert evidence.find(run, reference).state == "missing"


def test_reasons_are_taken_as_such(run):
    found = evidence.find(run, "not done: for <a> reason: time")
    assert (found.state, found.html) == ("not done", "for &lt;a&gt; reason: time")
    found = evidence.find(run, "figure:waves")
    assert (found.state, found.html) == ("not applicable", "Waves: not applicable, nothing moved.")


def test_the_notebook_of_patients_data_is_linked_without_outputs(project):
    sample.make_model(project, "shown", "patient")
    run = runs.read(project.out, project)[0][0]
    assert '<a href="10_tiny.ipynb">Question</a>' in evidence.find(run, "notebook:Question").html
