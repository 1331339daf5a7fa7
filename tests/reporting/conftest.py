"""One report, built once, for all tests that look at it."""

import shutil

import pytest

from iesoresearch.reporting import build

from . import sample


@pytest.fixture
def project(tmp_path):
    """A project without runs."""
    return sample.make_project(tmp_path / "project")


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """A project and its report.

    Open, simulated and patients' runs, one of a prediction model, one of an economic evaluation,
    two that are not valid, one that the data cannot answer.
    """
    project = sample.make_project(tmp_path_factory.mktemp("site") / "project")
    sample.make_run(project, "shown", "open")
    maths = sample.notebook(markdown="No heading, but $x^2$.")
    sample.make_run(project, "simulated", "synthetic", notebook=maths)
    sample.make_model(project, "model", "synthetic")
    sample.make_evaluation(project, "evaluation", "open")
    sample.state(project, **{"18b": {"not done": "Nobody <asked> & nobody said."}})
    sample.make_run(project, "a-site", "patient", analysis="gone", parameters={"k": [1, "a"]})
    spoilt = sample.make_run(project, "spoilt", "open")
    (spoilt / "numbers.json").write_text("{}", encoding="utf-8")
    shutil.copy(project.params / "never.yaml", project.params / "totals.yaml")
    sample.record(project, "totals", "Only totals: *answers* & more are lacking.")
    (project.out / ".report.partial-99999999").mkdir()  # of a killed process
    return project, build(project.out, project)
