"""Parameters are checked before anything runs, and every refusal says what to do."""

import ast
import re

import pytest
import yaml

from iesoresearch import analyses
from iesoresearch.errors import ParameterError
from iesoresearch.params import known_runs, load_run, paper_runs, parse_assignments, site_runs
from iesoresearch.project import find

Params = analyses.get("subtypes").Params


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_sttaes": 4}, "n_sttaes is not a parameter (did you mean n_states?)"),
        ({"qqq": 4}, "qqq is not a parameter (the names are source, n_patients"),
        ({"n_starts": "many"}, "n_starts='many' should be a valid integer"),
        ({"n_starts": 4.0}, "n_starts=4.0 should be a valid integer"),
        ({"n_starts": True}, "n_starts=True should be a valid integer"),
        ({"n_starts": 0}, "n_starts=0 should be greater than or equal to 1"),
        ({"max_states": 21}, "max_states=21 should be less than or equal to 20"),
        ({"source": "nhane"}, "source='nhane' should be 'nhanes', 'synthetic' or 'folder'"),
        ({"n_states": 5, "max_states": 4}, "n_states=5 is beyond max_states=4: raise max_states"),
    ],
)
def test_bad_values_are_refused_in_a_sentence(values, message):
    with pytest.raises(ParameterError, match=re.escape(message)) as caught:
        Params.check(values, "Run x")
    assert str(caught.value).startswith("Run x: ")
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_all_problems_are_named_at_once():
    with pytest.raises(ParameterError) as caught:
        Params.check({"n_sttaes": 4, "n_starts": 0, "seed": -1}, "Run x")
    assert all(name in str(caught.value) for name in ("n_states", "n_starts=0", "seed=-1"))


def test_the_cell_is_the_model():
    """Running the parameters cell gives exactly the defaults, each with its meaning."""
    cell = Params.cell()
    namespace = {}
    exec(cell, namespace)  # the cell is our own
    assert Params.from_namespace(namespace, "x") == Params()
    assert len(ast.parse(cell).body) == len(Params.model_fields)
    assert all(field.description in cell for field in Params.model_fields.values())


def test_a_near_miss_in_a_notebook_is_not_ignored():
    namespace = {"max_states": 3, "max_state": 5, "In": [], "_1": 3, "unrelated": 7}
    with pytest.raises(
        ParameterError, match=r"max_state is not a parameter \(did you mean max_states"
    ):
        Params.from_namespace(namespace, "Parameters of subtypes")
    # once the cell has been corrected and run again, nothing of the slip is left
    assert Params.from_namespace(namespace, "Parameters of subtypes").max_states == 3


def test_every_committed_run_is_valid():
    project = find()
    names = known_runs(project.params)
    assert set(paper_runs(project.params)) <= set(names)
    for name in names:
        spec = load_run(project.params, name)
        assert (project.notebooks / spec.notebook).is_file()
        analyses.get(spec.analysis).Params.check(spec.parameters, name)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("analysis: [", "is not readable as YAML near line"),
        ("analysis: subtypes", "must hold exactly the keys analysis, notebook, parameters"),
        ("[1, 2]", "must hold exactly the keys"),
        ("analysis: 1\nnotebook: a\nparameters: {}", "analysis must be a str, not 1"),
    ],
)
def test_unreadable_run_files(tmp_path, content, message):
    (tmp_path / "mine.yaml").write_text(content)
    with pytest.raises(ParameterError, match=message):
        load_run(tmp_path, "mine")


def test_binary_run_file(tmp_path):
    (tmp_path / "mine.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ParameterError, match="is not readable as YAML"):
        load_run(tmp_path, "mine")


def test_run_file_that_is_a_folder(tmp_path):
    (tmp_path / "mine.yaml").mkdir()
    with pytest.raises(ParameterError, match="cannot be read"):
        load_run(tmp_path, "mine")


def test_unknown_run_names_the_nearest(tmp_path):
    (tmp_path / "subtypes.yaml").write_text(yaml.dump({}))
    with pytest.raises(
        ParameterError, match=r"no run called 'subtype' .*\(did you mean subtypes\?\)"
    ):
        load_run(tmp_path, "subtype")


def test_paper_without_runs(tmp_path):
    (tmp_path / "paper.yaml").write_text("version: 1")
    with pytest.raises(ParameterError, match="must hold a list of run names under 'runs:'"):
        paper_runs(tmp_path)


def test_assignments():
    parsed = parse_assignments(["n_states=4", "source=nhanes", "x=[1, 2]", "y=null", "z=a=b"])
    assert parsed == {"n_states": 4, "source": "nhanes", "x": [1, 2], "y": None, "z": "a=b"}


@pytest.mark.parametrize(
    ("text", "message"),
    [("n_states", "is not of the form name=value"), ("x=[1", "neither a YAML scalar nor a list")],
)
def test_bad_assignments(text, message):
    with pytest.raises(ParameterError, match=message):
        parse_assignments([text])


@pytest.mark.parametrize(
    "name", ["cohort", "report", "failed", "not-applicable", "notebook-x", "../x", "Ä"]
)
def test_no_run_of_a_site_is_called_as_something_else(tmp_path, name):
    (tmp_path / "cohort.yaml").write_text("analysis: cohort", encoding="utf-8")
    (tmp_path / "site.yaml").write_text(f"runs: {{{name!r}: {{run: cohort}}}}", encoding="utf-8")
    with pytest.raises(ParameterError, match="no run of a site can be called"):
        site_runs(tmp_path)
