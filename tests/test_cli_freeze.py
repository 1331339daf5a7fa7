"""``iesoresearch freeze``, and the runs that a site makes on its own records."""

import json
import shutil

import pytest
import yaml

from iesoresearch import analyses, files, registration
from iesoresearch.cli import main
from iesoresearch.errors import ParameterError
from iesoresearch.execution import cache
from iesoresearch.params import load_run, site_runs
from iesoresearch.project import find


@pytest.fixture
def home(tmp_path, monkeypatch):
    real, root = find(), tmp_path / "project"
    shutil.copytree(real.params, root / "params", ignore=shutil.ignore_patterns("cases", "sites"))
    (root / "notebooks").symlink_to(real.notebooks)
    monkeypatch.setenv("IESORESEARCH_PROJECT", str(root))
    return root


def command(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["iesoresearch", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


def test_parameters_of_a_site_are_frozen_before_its_data_are_there(home, monkeypatch, capsys):
    assert command(monkeypatch, "freeze", "--site", "riverside") == 0
    said = capsys.readouterr().out
    frozen = registration.read(home / "params")
    assert f"{len(site_runs(home / 'params'))} run(s) frozen" in said
    assert frozen.hash in said
    assert frozen.opened == {}
    for name, planned in frozen.runs.items():
        spec = load_run(home / "params", name)
        params = analyses.get(spec.analysis).Params.check(spec.parameters, name)
        assert planned["parameters"] == params.model_dump()
        assert planned["parameters"]["source"] == "folder"
        assert registration.changes(frozen, name, planned) == []
        inputs = cache.without_data(find(), spec, params)
        assert planned["inputs"].keys() == inputs.keys()
        assert planned["inputs"]["notebook"] == inputs["notebook"] != "absent"
    assert command(monkeypatch, "freeze", "--site", "riverside") == 6
    assert "was left as it is" in capsys.readouterr().err
    assert command(monkeypatch, "freeze", "subtypes", "-p", "max_states=3", "--amend", "Few.") == 0
    assert registration.read(home / "params").runs["subtypes"]["parameters"]["max_states"] == 3


def test_data_that_were_opened_before_are_named(home, monkeypatch, capsys):
    out = find().of_site("riverside")
    part = files.partial(out / "site-cohort")
    content = {"provenance": {"sensitivity": "patient"}}
    (part / "result.json").write_text(json.dumps(content), encoding="utf-8")
    files.finish(part, out / "site-cohort", {"started": "2025-01-01T00:00:00Z"})
    assert command(monkeypatch, "freeze", "--site", "riverside") == 0
    assert registration.read(home / "params").opened == {"site-cohort": "2025-01-01T00:00:00Z"}
    assert "site-cohort had a result of patients’ records on 2025-01-01" in capsys.readouterr().out


def test_a_wrong_name_is_refused(home, monkeypatch, capsys):
    assert command(monkeypatch, "freeze", "--site", "../x") == 2
    assert "cannot be the name of a site" in capsys.readouterr().err
    assert command(monkeypatch, "freeze", "site-cohrt") == 2
    assert "(did you mean" in capsys.readouterr().err
    assert registration.read(home / "params") is None


@pytest.mark.parametrize(
    "content", ["runs: [a]", "[]", "runs: {a: cohort}", "runs: {a: {run: cohort, x: 1}}"]
)
def test_runs_of_sites_in_another_form_are_refused(home, content):
    (home / "params" / "site.yaml").write_text(content)
    with pytest.raises(ParameterError, match=r"must hold runs by their names|must name a run"):
        load_run(home / "params", "cohort")


def test_a_run_of_a_site_is_a_run_of_the_paper_with_its_changes(home):
    content = {"runs": {"mine": {"run": "subtypes", "parameters": {"max_states": 3}}}}
    (home / "params" / "site.yaml").write_text(yaml.safe_dump(content))
    run, base = (load_run(home / "params", name) for name in ("mine", "subtypes"))
    assert (run.name, run.analysis, run.notebook) == ("mine", base.analysis, base.notebook)
    assert run.parameters == base.parameters | {"source": "folder", "max_states": 3}
