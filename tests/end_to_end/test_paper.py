"""The paper, made again: every run, and every number where it is expected to be."""

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


def test_every_number_of_the_paper_is_reproduced(tmp_path):
    project, settings = find(), Settings(n_jobs=2)
    names = paper_runs(project.params)
    specs = [load_run(project.params, name) for name in names]
    prepared = runner.prepare(project, specs, settings)
    outcomes = runner.run_all(project, prepared, tmp_path, settings, Silent())
    assert [o.state for o in outcomes] == ["finished"] * len(names), outcomes
    differences = verify.verify(tmp_path, project.expected, names)
    assert differences == []
