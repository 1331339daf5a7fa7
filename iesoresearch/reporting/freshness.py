"""What of a finished run is different in the project today, data apart: a report sees no data.

The hashes are those of `iesoresearch.execution.cache`, which a report may not import; a test holds
them equal.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import iesoresearch
from iesoresearch import analyses
from iesoresearch.errors import ParameterError
from iesoresearch.params import known_runs, load_run
from iesoresearch.project import Project


class Today:
    """The project as it is, for comparison with what runs were made with."""

    def __init__(self, project: Project):
        self._project = project
        self._inputs = {
            "code": _code_hash(),
            "disclosure": _file_hash(project.params / "disclosure.yaml"),
            "lock": _file_hash(project.lock),
        }

    def inputs(self, notebook: str) -> dict[str, str]:
        """Hashes of code, notebook, disclosure policy and lock."""
        return {**self._inputs, "notebook": _notebook_hash(self._project.notebooks / notebook)}

    def changed(self, status: dict[str, Any]) -> tuple[str, ...]:
        """What the run with `status` was made with and is different now, in words."""
        recorded, today = status["inputs"], self.inputs(status["notebook"])
        words = {"lock": "locked versions", "disclosure": "disclosure policy"}
        changed = [words.get(k, k) for k, digest in today.items() if recorded.get(k) != digest]
        return (*changed, *_changed_parameters(self._project, status))


def _changed_parameters(project: Project, status: dict[str, Any]) -> list[str]:
    if status["run"] not in known_runs(project.params):
        return []  # a run of its own: there is nothing to differ from
    try:
        spec = load_run(project.params, status["run"])
        params = analyses.get(spec.analysis).Params.check(spec.parameters, spec.name).model_dump()
    except ParameterError:
        return ["parameters"]
    made_with = status["parameters"]
    names = [n for n in [*params, *made_with] if params.get(n, ...) != made_with.get(n, ...)]
    return [f"parameter {name}" for name in dict.fromkeys(names)]


def _code_hash() -> str:
    home = Path(iesoresearch.__file__).parent
    content = hashlib.blake2b(digest_size=16)
    for path in sorted(home.rglob("*.py")):
        content.update(path.relative_to(home).as_posix().encode() + b"\0" + path.read_bytes())
    return content.hexdigest()


def _notebook_hash(path: Path) -> str:
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "absent"
    cells = [[c["cell_type"], c["source"]] for c in notebook["cells"]]
    return hashlib.blake2b(json.dumps(cells).encode(), digest_size=16).hexdigest()


def _file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "absent"
