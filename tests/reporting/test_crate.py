"""The RO-Crate, read back by the library that others would read it with."""

import hashlib

import pytest
from rocrate.rocrate import ROCrate

from iesoresearch.results import SIMULATED


@pytest.fixture(scope="module")
def crate(built):
    return ROCrate(built[1].parent)


def actions(crate):
    return {run.id: run for run in crate.root_dataset["mentions"]}


def test_every_listed_file_is_there_and_is_the_one_described(crate, built):
    site = built[1].parent
    files = [entity for entity in crate.data_entities if "File" in entity.type]
    assert len(files) > 20
    for entity in files:
        content = (site / entity.id).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entity["sha256"], entity.id
        assert str(len(content)) == entity["contentSize"]


def test_every_run_is_an_action_on_data_with_a_notebook(crate):
    assert set(actions(crate)) == {
        *("#run-shown", "#run-simulated", "#run-model", "#run-evaluation", "#run-a-site")
    }
    run = actions(crate)["#run-shown"]
    assert run.type == "CreateAction"
    assert (run["startTime"], run["endTime"]) == ("2026-11-22T12:13:01Z", "2026-11-22T12:13:38Z")
    assert run["instrument"].id == "runs/shown/10_tiny.ipynb"
    assert "SoftwareSourceCode" in run["instrument"].type
    inputs = {entity.id: entity for entity in run["object"]}
    assert inputs["#data-shown"]["identifier"] == "abc"
    assert "not part of this report" in inputs["#data-shown"]["license"]["description"]
    assert inputs["#parameter-shown-n_starts"]["value"] == "10"
    versions = {e["name"]: e["version"] for e in run["instrument"]["softwareRequirements"]}
    assert versions == {"iesoresearch": "0.1.0", "numpy": "2.5.5"}


def test_simulated_runs_say_so(crate):
    assert actions(crate)["#run-simulated"]["description"].startswith(SIMULATED)
    assert actions(crate)["#run-shown"]["description"] == "Made by: iesoresearch run shown"


def test_results_are_named_and_those_of_patients_hold_no_notebook(crate):
    results = {name: {e.id for e in run["result"]} for name, run in actions(crate).items()}
    expected = {"numbers.json", "tables/short.csv", "figures/dots.svg", "notebook.ipynb"}
    assert {f"runs/shown/{name}" for name in expected} <= results["#run-shown"]
    assert {f"runs/model/{n}.html" for n in ("model_card", "tripod_ai")} <= results["#run-model"]
    assert "runs/evaluation/cheers.html" in results["#run-evaluation"]
    assert not [name for name in results["#run-a-site"] if "notebook" in name]


def test_the_crate_says_what_it_is_and_under_which_licence(crate):
    assert crate.root_dataset["license"].id == "https://spdx.org/licenses/MIT"
    assert crate.root_dataset["datePublished"] == "2026-11-22T12:13:01Z"
    assert crate.root_dataset["conformsTo"].id == "https://w3id.org/ro/wfrun/process/0.5"
    assert crate.root_dataset["mainEntity"].id == "index.html"
