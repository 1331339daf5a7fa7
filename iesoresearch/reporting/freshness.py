"""What of a finished run is different in the project today, data apart: a report sees no data."""

from functools import cached_property
from typing import Any

from iesoresearch import analyses, hashes, registration
from iesoresearch.errors import ParameterError
from iesoresearch.params import all_runs, load_run
from iesoresearch.project import Project


class Today:
    """The project as it is, for comparison with what runs were made with."""

    def __init__(self, project: Project):
        self._project = project

    @cached_property
    def frozen(self) -> registration.Frozen | None:
        """What was planned before data were opened, if anything was."""
        return registration.read(self._project.params)

    def inputs(self, notebook: str) -> dict[str, str]:
        """Hashes of code, notebook, disclosure policy and lock."""
        return hashes.project_hashes(self._project.root, self._project.notebooks / notebook)

    def changed(self, status: dict[str, Any]) -> tuple[str, ...]:
        """What the run with `status` was made with and is different now, in words."""
        recorded, today = status["inputs"], self.inputs(status["notebook"])
        words = {"lock": "locked versions", "disclosure": "disclosure policy"}
        changed = [words.get(k, k) for k, digest in today.items() if recorded.get(k) != digest]
        others = self.other_parameters(status)
        if others is None:
            return (*changed, "parameters")
        return (*changed, *(f"parameter {name}" for name in others))

    def other_parameters(self, status: dict[str, Any]) -> dict[str, Any] | None:
        """Parameters that the run has and its file in params/ has not; None: not comparable."""
        values, folder = status["parameters"], self._project.params
        if status["run"] not in all_runs(folder):
            return {}  # a run of its own: there is no file to differ from
        try:
            spec = load_run(folder, status["run"])
            params = analyses.get(spec.analysis).Params.check(spec.parameters, spec.name)
        except ParameterError:
            return None
        filed = params.model_dump()
        if filed.keys() != values.keys():
            return None
        return {name: value for name, value in values.items() if value != filed[name]}
