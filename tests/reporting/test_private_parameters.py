"""What a pool was made of is not on the page of its run: bundles are called after sites."""

import pytest

from iesoresearch import registration
from iesoresearch.analyses.pooling import Params
from iesoresearch.reporting import facts, pages, rerun, runs

from . import sample

WORDS = ("riverside", "hill", "keys.txt")


@pytest.fixture
def run(project):
    params = Params(source="bundles", bundles=["riverside", "/in/hill.zip"], trusted="keys.txt")
    sample.make_run(project, "shown", "patient", analysis="pooling", parameters=params.model_dump())
    planned = {"analysis": "pooling", "parameters": Params().model_dump(), "inputs": {}}
    when = "2999-01-02T03:04:05Z"
    registration.freeze(project.params, {"shown": planned}, {}, when)
    (found,) = [run for run in runs.read(project.out, project)[0] if run.name == "shown"]
    return found


def test_bundles_are_counted_and_not_named(run):
    assert rerun.in_order(run)["bundles"] == "(2, not named)"
    assert "(2, not named)" in facts.planned(run)
    said = pages.run_page(run) + rerun.command_with_change(run) + facts.planned(run)
    assert not [word for word in WORDS if word in said]


def test_a_run_from_before_the_freeze_was_not_planned_by_it(run):
    assert "changed since: run before the freeze; parameter source" in facts.planned(run)
