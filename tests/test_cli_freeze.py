"""``iesoresearch freeze``, and the runs that a site makes on its own records."""

import json
import os
import shutil

import pytest
import yaml

from iesoresearch import analyses, files, registration
from iesoresearch.cli import freezing, main
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
        made = planned | {"started": frozen.when}
        assert registration.changes(frozen, name, made) == []
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


def opened(folder, when=None, sensitivity="patient", **status):
    """A result below reports, that of a notebook where no status is given."""
    result = json.dumps({"provenance": {"sensitivity": sensitivity}})
    if not status:
        folder.mkdir(parents=True)
        (folder / "result.json").write_text(result, encoding="utf-8")
        os.utime(folder / "result.json", (1_700_000_000,) * 2)
        return
    part = files.partial(folder)
    (part / "result.json").write_text(result, encoding="utf-8")
    files.finish(part, folder, status)


def test_results_of_the_same_question_are_found_wherever_they_are(home):
    """Of another site, of a notebook, under another name; the first of them counts."""
    here = find()
    made = {"run": "cohort", "analysis": "cohort"}
    opened(here.of_site("riverside") / "mine", started="2025-03-01T00:00:00Z", **made)
    opened(here.of_site("hill") / "site-cohort", started="2025-02-01T00:00:00Z", **made)
    opened(here.out / "cohort", None, "synthetic", started="2025-01-01T00:00:00Z", **made)
    opened(here.out / "notebook-subtypes")
    opened(here.of_site("hill") / "notebook-fairness", None, "open")
    planned = {f"site-{name}": {"analysis": name} for name in ("subtypes", "cohort", "fairness")}
    assert freezing._opened(here, planned) == {
        "site-subtypes": "2023-11-14T22:13:20Z",
        "site-cohort": "2025-02-01T00:00:00Z",
    }


def test_bundles_are_not_named_in_what_others_can_see(home, monkeypatch, capsys):
    chosen = ["source=bundles", "bundles=[/in/riverside, hill]", "trusted=/in/keys.txt"]
    options = [word for text in chosen for word in ("-p", text)]
    assert command(monkeypatch, "freeze", "pooling", *options) == 0, capsys.readouterr().err
    written = (home / "params" / registration.FILE).read_text(encoding="utf-8")
    assert "(2, not named)" in written
    assert not [word for word in ("riverside", "hill", "keys.txt") if word in written]


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
