"""One key per run: equal keys mean that running again would change nothing."""

import hashlib
import json
from pathlib import Path

import iesoresearch
from iesoresearch import analyses
from iesoresearch.errors import ParameterError
from iesoresearch.params import AnalysisParams, RunSpec, Settings, canonical_json
from iesoresearch.project import Project


def inputs(
    project: Project, spec: RunSpec, params: AnalysisParams, settings: Settings
) -> dict[str, str]:
    """Hashes of everything a result depends on: code, notebook, parameters, data, policy, lock.

    Raises
    ------
    ParameterError
        The notebook is absent or is none.
    DataError
        The data are absent.
    """
    return {
        "code": _code_hash(),
        "notebook": _digest(json.dumps(_cells(project.notebooks / spec.notebook, spec.name))),
        "parameters": _digest(canonical_json(params.model_dump())),
        "data": analyses.get(spec.analysis).fingerprint(params, settings),
        "disclosure": _file_hash(project.params / "disclosure.yaml"),
        "lock": _file_hash(project.lock),
    }


def key(hashes: dict[str, str]) -> str:
    """The cache key made of `inputs`."""
    return _digest(canonical_json(hashes))


def _cells(path: Path, run: str) -> list[list[str]]:
    """Types and sources: outputs do not count, or running by hand would make a result stale."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        return [[cell["cell_type"], cell["source"]] for cell in notebook["cells"]]
    except (OSError, ValueError, KeyError, TypeError):
        raise ParameterError(
            f"Run {run}: {path} is absent or not a notebook. Correct 'notebook' in "
            f"params/{run}.yaml, or restore the file from git."
        ) from None


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "absent"


def _code_hash() -> str:
    """Hash of the package's sources, names included."""
    home = Path(iesoresearch.__file__).parent
    content = hashlib.blake2b(digest_size=16)
    for path in sorted(home.rglob("*.py")):
        content.update(path.relative_to(home).as_posix().encode() + b"\0" + path.read_bytes())
    return content.hexdigest()
