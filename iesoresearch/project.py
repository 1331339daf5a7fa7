"""Where a project keeps its notebooks, parameters and reports, found from any folder inside it."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from iesoresearch.errors import ParameterError

_SITE = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
#: Files of params/sites/ that are no site's mapping.
_NO_SITES = {
    "disclosure": "its rules of disclosure",
    "statements": "what it states in checklists",
    "example": "the example, which git keeps and everybody sees",
}


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


def is_site(name: str) -> bool:
    """Whether a site may be called so."""
    return _SITE.fullmatch(name) is not None and name not in _NO_SITES


def refuse_site(name: str) -> None:
    """The name of a site is part of names of files, and of what is signed.

    Raises
    ------
    ParameterError
        No site may be called so.
    """
    if name in _NO_SITES:
        raise ParameterError(
            f"{name!r} cannot be the name of a site: params/sites/{name}.yaml is the file of "
            f"{_NO_SITES[name]}. Take another name, such as that of the place."
        )
    if not is_site(name):
        raise ParameterError(
            f"{name!r} cannot be the name of a site: use small letters, digits, - and _ (at most "
            "60)."
        )


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
