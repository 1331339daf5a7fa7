"""A project in a temporary folder, with notebooks made by the test."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
import yaml

from iesoresearch.params import load_run
from iesoresearch.project import Project, find

#: The smallest analysis there is: a few seconds.
TINY = {
    "source": "synthetic",
    "n_patients": 60,
    "max_states": 1,
    "n_starts": 1,
    "n_folds": 2,
    "n_bootstrap": 20,
    "seed": 1,
}


@dataclass
class Sandbox:
    """A project to break things in."""

    project: Project

    @property
    def out(self) -> Path:
        return self.project.out

    def add(self, name, cells, parameters=None):
        """A run whose notebook has the given code cells after an empty parameters cell."""
        notebook = nbformat.v4.new_notebook(
            metadata={"kernelspec": {"name": "python3", "display_name": "", "language": "python"}}
        )
        sources = ["x = 1", *cells]
        notebook.cells = [nbformat.v4.new_code_cell(source) for source in sources]
        notebook.cells[0].metadata["tags"] = ["parameters"]
        nbformat.write(notebook, self.project.notebooks / f"{name}.ipynb")
        self.declare(name, f"{name}.ipynb", parameters or TINY)
        return load_run(self.project.params, name)

    def declare(self, name, notebook, parameters):
        content = {"analysis": "subtypes", "notebook": notebook, "parameters": parameters}
        (self.project.params / f"{name}.yaml").write_text(yaml.safe_dump(content))

    def partials(self):
        return [p for p in self.out.rglob("*") if ".partial" in p.name]


@pytest.fixture
def sandbox(tmp_path, monkeypatch):
    real = find()
    root = tmp_path / "project"
    for folder in ("params", "notebooks", "reports/expected"):
        (root / folder).mkdir(parents=True)
    shutil.copy(real.params / "disclosure.yaml", root / "params")
    (root / "params" / "paper.yaml").write_text("version: 1\nruns: [subtypes]\n")
    (root / "requirements.lock").write_text("numpy==1\n")
    monkeypatch.setenv("IESORESEARCH_PROJECT", str(root))
    monkeypatch.delenv("IESORESEARCH_DATA", raising=False)
    made = Sandbox(find())
    made.declare("subtypes", "10_subtypes.ipynb", TINY)
    shutil.copy(real.notebooks / "10_subtypes.ipynb", root / "notebooks")
    return made
