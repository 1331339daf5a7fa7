"""The paper, made again: every run, and every number where it is expected to be."""

import pytest

from iesoresearch.execution import runner, verify
from iesoresearch.params import Settings, load_run, paper_runs
from iesoresearch.project import find


class Silent:
    """Progress nobody watches."""

    def start(self, run, n_cells):
        pass

    def advance(self, run):
        pass

    def end(self, outcome):
        pass


@pytest.mark.timeout(2400)  # every run, while other tests take a core
def test_every_number_of_the_paper_is_reproduced(tmp_path):
    project, settings = find(), Settings(n_jobs=2)
    names = paper_runs(project.params)
    specs = [load_run(project.params, name) for name in names]
    prepared = runner.prepare(project, specs, settings)
    outcomes = runner.run_all(project, prepared, tmp_path, settings, Silent())
    # open data that no package carries may not be here: those runs, and no others, are left out
    left = {o.run for o in outcomes if o.state == "not applicable"}
    elsewhere = {
        p.spec.name
        for p in prepared
        if p.params.survey
        or p.params.source == "metapsy"
        or (p.params.open_beside and p.params.files_beside)
    }
    assert left <= elsewhere
    assert {o.run: o.state for o in outcomes if o.run not in left} == dict.fromkeys(
        [name for name in names if name not in left], "finished"
    ), outcomes
    compared = [name for name in names if name not in left]
    assert verify.verify(tmp_path, project.expected, compared) == []
