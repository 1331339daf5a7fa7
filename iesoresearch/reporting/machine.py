"""Folders of the machine that must not be published: they name people and their projects."""

import re
import sys
import tempfile
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from iesoresearch.project import Project

_TEXT = {".json", ".csv", ".svg", ".ipynb"}


def named_in(path: Path, project: Project) -> tuple[str, ...]:
    """Folders of this machine that a text file names."""
    if path.suffix not in _TEXT or not path.is_file():
        return ()
    content = path.read_bytes()
    return tuple(place for place in _places(project) if _pattern(place).search(content))


def without_folders(parameters: dict[str, Any]) -> dict[str, Any]:
    """Parameters as they may be published: of a file named by its whole path, the name only."""
    return {name: _file_name(value) for name, value in parameters.items()}


def _file_name(value: Any) -> Any:
    if isinstance(value, dict):
        return {_file_name(key): _file_name(of) for key, of in value.items()}
    if isinstance(value, list | tuple):
        return [_file_name(of) for of in value]
    for kind in (PurePosixPath, PureWindowsPath):
        if isinstance(value, str) and kind(value).is_absolute():
            return kind(value).name
    return value


def _places(project: Project) -> list[str]:
    places = [project.root, Path.home(), sys.prefix, sys.base_prefix, tempfile.gettempdir()]
    resolved = {str(place) for path in places for place in (Path(path), Path(path).resolve())}
    # prefixes shared by all machines tell nothing, and would be found in many texts
    return sorted(resolved - {"/", "/usr", "/usr/local", "/opt"})


def _pattern(place: str) -> re.Pattern[bytes]:
    # not in the middle of a longer path or word: "../tmp/" and "and/tmp" are no folders of ours
    return re.compile(rb"(?<![\w.-])" + re.escape(place.encode()) + rb"(?![\w-])")
