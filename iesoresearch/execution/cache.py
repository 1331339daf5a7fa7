"""One key per run: equal keys mean that running again would change nothing."""

from importlib.metadata import version

from iesoresearch import analyses, hashes
from iesoresearch.errors import ParameterError
from iesoresearch.params import AnalysisParams, RunSpec, Settings, canonical_json
from iesoresearch.project import Project

_PACKAGES = (
    *("iesoresearch", "numpy", "scipy", "numba", "polars", "scikit-learn", "matplotlib"),
    *("xgboost", "shap", "pymc", "pytensor", "nutpie"),
)


def inputs(
    project: Project, spec: RunSpec, params: AnalysisParams, settings: Settings
) -> dict[str, str]:
    """Hashes of everything a result depends on: code, notebook, policy, lock, parameters, data.

    Raises
    ------
    ParameterError
        The notebook is absent or is none.
    NotApplicable
        The data are absent, and the run is for those who have them.
    DataError
        The data are absent or damaged.
    """
    found = without_data(project, spec, params)
    return found | {"data": analyses.get(spec.analysis).fingerprint(params, settings)}


def without_data(project: Project, spec: RunSpec, params: AnalysisParams) -> dict[str, str]:
    """The same but for the data.

    Raises
    ------
    ParameterError
        The notebook is absent or is none.
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
        "analysis": spec.analysis,
        "versions": hashes.digest(canonical_json(versions()).encode()),
    }


def versions() -> dict[str, str]:
    """Installed versions of what results are computed with."""
    return {name: version(name) for name in _PACKAGES}


def key(found: dict[str, str]) -> str:
    """The cache key made of `inputs`."""
    return hashes.digest(canonical_json(found).encode())
