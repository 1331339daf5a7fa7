"""Where the files of the cases lie."""

import difflib
import os
from pathlib import Path

from iesoresearch import project
from iesoresearch.errors import ParameterError

ALL = "all"
_SUFFIXES = (".yaml", ".yml")


def find(case: str) -> tuple[Path, ...]:
    """Files of a case: of every shipped one by the name "all".

    Parameters
    ----------
    case
        "all", the name of a shipped case, or the path of a file. A path that is not absolute
        starts from the folder where the command was called.

    Returns
    -------
    tuple of absolute paths

    Raises
    ------
    ParameterError
        There is neither a case of that name nor such a file, or it cannot be read.
    """
    shipped = _shipped()
    found = _found(case, shipped)
    if not found:
        raise ParameterError(f"case={case!r}: {_why(Path(case))} {_known(case, shipped)}")
    for path in found:
        if not os.access(path, os.R_OK):
            raise ParameterError(f"case={case!r}: {path.name} cannot be read. Change its rights.")
    return found


def _found(case: str, shipped: dict[str, Path]) -> tuple[Path, ...]:
    if case == ALL:
        return tuple(shipped.values())
    if case in shipped:
        return (shipped[case],)
    path = Path(case)
    return (path.absolute(),) if path.suffix in _SUFFIXES and path.is_file() else ()


def _shipped() -> dict[str, Path]:
    """Files of the cases of the project, by name."""
    folder = project.find().params / "cases"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def _why(path: Path) -> str:
    if path.is_file():
        return "it is a file, but none that ends in .yaml."
    return "no case is called so, and there is no such file in the folder you are in."


def _known(case: str, shipped: dict[str, Path]) -> str:
    close = difflib.get_close_matches(Path(case).stem, shipped, n=1, cutoff=0.5)
    if close:
        return f"Did you mean {close[0]}?"
    return f"The cases are {', '.join(shipped) or 'none'}; a file is named with its folder."
