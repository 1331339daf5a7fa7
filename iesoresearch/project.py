"""Where a project keeps its notebooks, parameters and reports, found from any folder inside it."""

import os
from dataclasses import dataclass
from pathlib import Path

from iesoresearch.errors import ParameterError


@dataclass(frozen=True)
class Project:
    """Folders of a project; `root` is the folder that holds params/ and notebooks/."""

    root: Path

    @property
    def notebooks(self) -> Path:
        """Of all analyses."""
        return self.root / "notebooks"

    @property
    def params(self) -> Path:
        """Runs, the list of the paper and the disclosure policy."""
        return self.root / "params"

    @property
    def expected(self) -> Path:
        """Numbers that `verify` compares with."""
        return self.root / "reports" / "expected"

    @property
    def out(self) -> Path:
        """Where runs are written."""
        return self.root / "reports" / "out"

    def of_site(self, name: str) -> Path:
        """Where the runs of a site are written."""
        return self.root / "reports" / "sites" / name


def find(start: Path | None = None) -> Project:
    """The project around `start` (default: the current folder), else the one of this package.

    papermill runs in the caller's folder, JupyterLab and nbval in the notebook's: all must find
    the same project. The environment variable ``IESORESEARCH_PROJECT`` overrides the search.

    Raises
    ------
    ParameterError
        There is no folder with params/paper.yaml and notebooks/ in sight.
    """
    named = os.environ.get("IESORESEARCH_PROJECT")
    start = Path(named) if named else (start or Path.cwd())
    package_home = Path(__file__).resolve().parent.parent
    candidates = [start] if named else [start, *start.resolve().parents, package_home]
    for folder in candidates:
        if (folder / "params" / "paper.yaml").is_file() and (folder / "notebooks").is_dir():
            return Project(folder.resolve())
    raise ParameterError(
        f"No project found at {start}: a project is a folder with params/paper.yaml and "
        "notebooks/. Change into your clone, or set IESORESEARCH_PROJECT to it."
    )
