"""What is read from run folders, and whether they are up to date."""

import json
from dataclasses import replace

import pytest

from iesoresearch import project as projects
from iesoresearch import registration
from iesoresearch.analyses import get
from iesoresearch.execution import cache
from iesoresearch.params import Settings, load_run
from iesoresearch.reporting import facts, machine, pages, rerun, runs, start
from iesoresearch.reporting.freshness import Today

from . import sample

TOTALS = "Only totals are there. Add the answers."


def read(project, name="shown"):
    found, _ = runs.read(project.out, project)
    return next(run for run in found if run.name == name)


def test_hashes_are_those_of_the_cache():
    """What the report calls up to date is what the runner would not run again."""
    project = projects.find()
    spec = load_run(project.params, "subtypes")
    params = get(spec.analysis).Params.check(spec.parameters, "test")
    expected = cache.inputs(project, spec, params, Settings())
    found = Today(project).inputs(spec.notebook)
    assert found == {name: expected[name] for name in found}
    assert expected.keys() - found.keys() == {"analysis", "data", "parameters", "versions"}


@pytest.mark.parametrize(
    ("path", "content", "changed"),
    [
        ("params/disclosure.yaml", "min_count: 5", "disclosure policy"),
        ("requirements.lock", "numpy==2.5.6", "locked versions"),
        ("notebooks/10_tiny.ipynb", '{"cells": []}', "notebook"),
    ],
)
def test_a_changed_input_makes_a_run_out_of_date(project, path, content, changed):
    sample.make_run(project, "shown", "open")
    assert read(project).changed == ()
    (project.root / path).write_text(content, encoding="utf-8")
    assert read(project).changed == (changed,)


def test_outputs_of_the_notebook_do_not_make_a_run_out_of_date(project):
    sample.make_run(project, "shown", "open")
    other = json.dumps(sample.notebook("another output"))
    (project.notebooks / "10_tiny.ipynb").write_text(other, encoding="utf-8")
    assert read(project).changed == ()


def test_a_run_with_another_parameter_says_so_and_is_made_again_with_it(project):
    parameters = sample.PARAMETERS | {"criterion": "icl", "n_states": 2}
    sample.make_run(project, "shown", "open", parameters=parameters)
    run = read(project)
    assert run.changed == ("parameter n_states", "parameter criterion")
    assert rerun.command(run) == "iesoresearch run shown -p n_states=2 -p 'criterion=\"icl\"'"


@pytest.mark.parametrize("folder", ["/srv/jane", "C:\\Users\\jane"])
def test_a_file_that_was_named_by_its_whole_path_is_shown_by_its_name(project, folder):
    parameters = sample.PARAMETERS | {"criterion": f"{folder}/m.yaml", "source": "a/m.yaml"}
    sample.make_run(project, "shown", "open", parameters=parameters)
    run = read(project)
    assert rerun.in_order(run)["criterion"] == "m.yaml"
    assert rerun.in_order(run)["source"] == "a/m.yaml"
    assert "jane" not in rerun.command(run) + pages.run_page(run)
    assert "parameter criterion" in run.changed


def test_the_example_is_a_value_that_is_allowed(project):
    parameters = sample.PARAMETERS | {"max_states": 3}
    sample.make_run(project, "other", "open", parameters=parameters)
    assert rerun.command_with_change(read(project, "other")).endswith("-p n_states=3")
    parameters |= {"n_states": 2}
    sample.make_run(project, "other", "open", parameters=parameters)
    assert rerun.command_with_change(read(project, "other")).endswith("-p n_patients=2001")


def test_of_records_of_a_site_a_command_says_that_it_needs_them(project):
    parameters = sample.PARAMETERS | {"source": "folder"}
    sample.make_run(project, "shown", "patient", parameters=parameters)
    run = read(project)
    assert "iesoresearch run shown -p 'source=\"folder\"' --site SITE --data DIR\n" in (
        pages.run_page(run)
    )
    page = start.start_page([run], [], project)
    assert "`iesoresearch run --all --site SITE --data DIR`" in page
    assert "make paper" not in page


def test_only_results_are_public(project):
    folder = sample.make_run(project, "shown", "open")
    status = json.loads((folder / "status.json").read_text(encoding="utf-8"))
    extra = {"tables/private/rows.csv": "x", "private/tables/a.csv": "x", "figures/x.py": "x"}
    run = runs.Run(folder, {**status, "files": {**status["files"], **extra}}, {}, {}, [])
    assert set(run.public_files) == {
        *("checks.json", "numbers.json", "result.json", "tables/long.csv", "tables/short.csv"),
        *(f"figures/dots.{suffix}" for suffix in ("csv", "pdf", "png", "svg")),
    }


def test_data_that_do_not_say_what_they_are_count_as_patients(project):
    result = sample.described("open")
    del result["provenance"]["sensitivity"]
    sample.make_run(project, "shown", "open", result=result)
    run = read(project)
    assert run.sensitivity == "patient"
    assert not run.shows_notebook


def test_a_run_that_the_data_cannot_answer_is_not_called_missing(project):
    sample.record(project, "never", TOTALS)
    _, missing = runs.read(project.out, project)
    (found,) = [run for run in missing if not run.applicable]
    assert (found.name, found.reason) == ("never", TOTALS)
    page = start.start_page([], missing, project)
    section = page.split("## Not applicable here")[1].split("## ")[0]
    assert "- never: Only totals are there" in section
    missing_ones = page.split("## Missing")[1].split("## ")[0]
    assert "never:" not in missing_ones
    assert "- shown: it was never finished." in missing_ones


def test_a_run_of_a_site_that_failed_is_called_so_with_the_whole_command(project):
    content = "runs:\n  site-shown: {run: shown}\n  site-never: {run: never}\n"
    (project.params / "site.yaml").write_text(content, encoding="utf-8")
    sample.make_run(project, "site-shown", "patient")
    (project.out / "failed").mkdir()
    (project.out / "failed" / "site-never.ipynb").write_text("{}", encoding="utf-8")
    found, missing = runs.read(project.out, project)
    page = start.start_page(found, missing, project)
    assert (
        ": it failed, and says why when it is made. Make it: "
        "`iesoresearch run site-never --site SITE --data DIR`"
    ) in page


def test_what_was_recorded_with_other_parameters_does_not_count(project):
    sample.record(project, "never", TOTALS, seed=99)
    _, missing = runs.read(project.out, project)
    assert all(run.applicable for run in missing)


def test_where_data_were_looked_for_is_not_published(project):
    for folder in ("/mnt/data", r"D:\data"):
        sample.record(
            project, "never", f"Looked for DPQ_J.XPT in: {folder}. See https://x.example/a."
        )
        (found,) = [run for run in runs.read(project.out, project)[1] if not run.applicable]
        assert found.reason == "The data it needs are not here; iesoresearch run never says which."
    sample.record(project, "never", "Answers and/or totals: see https://x.example/a.")
    (found,) = [run for run in runs.read(project.out, project)[1] if not run.applicable]
    assert found.reason == "Answers and/or totals: see https://x.example/a."


def test_a_result_whose_data_are_gone_is_not_up_to_date(project):
    sample.make_run(project, "shown", "open")
    sample.record(project, "shown", TOTALS, seed=99)
    assert read(project).changed == ()
    sample.record(project, "shown", TOTALS)
    assert read(project).changed == ("data",)


@pytest.mark.parametrize("text", ["in {root}/lib", '"{root}"', "file://{root}/x", "{root}\n"])
def test_folders_of_the_machine_are_found_in_text(project, tmp_path, text):
    file = tmp_path / "result.json"
    file.write_text(text.format(root=project.root), encoding="utf-8")
    assert str(project.root) in machine.named_in(file, project)


@pytest.mark.parametrize("text", ["and/tmp", "../tmp/x", "a.tmp", "see {root}-2"])
def test_other_words_are_no_folders_of_the_machine(project, tmp_path, monkeypatch, text):
    monkeypatch.setattr(machine.tempfile, "gettempdir", lambda: "/tmp")
    file = tmp_path / "result.json"
    file.write_text(text.format(root=project.root), encoding="utf-8")
    assert str(project.root) not in machine.named_in(file, project)
    if "{root}" not in text:
        assert machine.named_in(file, project) == ()


def test_a_run_without_people_names_no_number_of_them(project):
    sample.make_run(project, "shown", "open")
    run = read(project)
    assert "1,234 people" in pages.run_page(run)
    nobody = {name: number | {"n": None} for name, number in run.numbers.items()}
    assert "people ·" not in pages.run_page(replace(run, numbers=nobody))


def test_a_run_says_what_was_planned_before(project):
    sample.make_run(project, "shown", "open")
    assert facts.planned(read(project)) == ""
    assert "Pre-registration" not in pages.run_page(read(project))
    status = read(project).status
    planned = {"analysis": "subtypes", "parameters": status["parameters"]}
    planned |= {"inputs": {k: v for k, v in status["inputs"].items() if k != "data"}}
    when = "2026-01-02T03:04:05Z"
    registration.freeze(project.params, {"shown": planned}, {}, when)
    said = "planned: frozen on 2 January 2026, 03:04 UTC; nothing changed since"
    assert facts.planned(read(project)) == said
    assert pages.run_page(read(project)).count(said) == 2
    parameters = status["parameters"] | {"n_states": 2}
    other = {"shown": planned | {"parameters": parameters}}
    registration.freeze(project.params, other, {"shown": when}, when, "More <people>.")
    said = facts.planned(read(project))
    assert "after a result of these data was there already" in said
    assert "amended 1 time(s): More &lt;people&gt;." in said
    assert "changed since: parameter n_states: 2 planned, null used" in said
    registration.freeze(project.params, {}, {}, when, "None.")
    assert "not planned: not among the runs that were frozen" in facts.planned(read(project))
