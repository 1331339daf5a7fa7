"""One key per run: equal keys mean that running again would change nothing."""

from iesoresearch import analyses, hashes
from iesoresearch.errors import ParameterError
from iesoresearch.params import AnalysisParams, RunSpec, Settings, canonical_json
from iesoresearch.project import Project


def inputs(
    project: Project, spec: RunSpec, params: AnalysisParams, settings: Settings
) -> dict[str, str]:
    """Hashes of everything a result depends on: code, notebook, policy, lock, parameters, data.

    Raises
    ------
    ParameterError
        The notebook is absent or is none.
    DataError
        The data are absent.
    """
    notebook = project.notebooks / spec.notebook
    found = hashes.project_hashes(project.root, notebook)
    if found["notebook"] == hashes.ABSENT:
        raise ParameterError(
            f"Run {spec.name}: {notebook} is absent or not a notebook. Correct 'notebook' in "
            f"params/{spec.name}.yaml, or restore the file from git."
        )
    return found | {
        "parameters": hashes.digest(canonical_json(params.model_dump()).encode()),
        "data": analyses.get(spec.analysis).fingerprint(params, settings),
    }


def key(found: dict[str, str]) -> str:
    """The cache key made of `inputs`."""
    return hashes.digest(canonical_json(found).encode())
