"""Whether a notebook may be committed: nothing in it may come from patients' records.

Every output that a session shows is stamped with what data it may come from (`display.View`). An
output without a stamp was printed by somebody, so nobody knows what is in it; one that is stamped
as patients' records stays at the site. Metadata may hold no more than every notebook has: tools
write paths, times and names of users there. What somebody typed may hold no identifier of a person
and no file written out in a text.
"""

import json
import re
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from iesoresearch.data.identifiers import identifiers
from iesoresearch.errors import DataError
from iesoresearch.execution.display import PUBLIC, STAMP
from iesoresearch.files import write_text

#: Metadata of a notebook that names no machine.
_PLAIN = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_CELL_KEYS = {"tags"}
# a folder of somebody's home, on any system
# a file written out where a text links to it
_WRITTEN_OUT = re.compile(r"(?i)\bdata:[\w.+-]+/[\w.+-]+[;,]")
#: Words that could be an identifier; `data.identifiers` says whether they are.
_COULD_BE = (
    re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    re.compile(r"(?<![\w./-])\d{3}([ -]?)\d{3}\1\d{4}(?![\w/-]|\.\d)"),
    re.compile(r"(?<![\w./-])(?:\+44 ?|0044 ?|0)[1-378](?: ?\d){9}(?![\w/-]|\.\d)"),
    re.compile(r"(?<![\w/-])[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}(?![\w/-])"),
)
_HOME = re.compile(r"(?<![\w.])(?:/home/|/Users/|/root/|[A-Za-z]:\\+Users\\+)\w")


class Problem(NamedTuple):
    """Something that may not be committed: what, in which cell, and what takes it out."""

    text: str
    cell: int | None
    mend: Callable[[], Any] | None


def notebooks(root: Path, folder: Path) -> list[Path]:
    """Notebooks of the project at `root` that are, or could be, committed.

    Those that git knows of or does not ignore; without git, all below `folder`.
    """
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others"]
    command += ["--exclude-standard", "--", "*.ipynb"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
        found = [root / name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        found = [p for p in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts]
    return sorted({path for path in found if path.is_file()})


def problems(path: Path) -> list[str]:
    """Why a notebook may not be committed, each with the cells it is in; empty if it may.

    Parameters
    ----------
    path
        Of a notebook.

    Raises
    ------
    DataError
        It cannot be read as a notebook.
    """
    cells = defaultdict(dict)
    for problem in _found(_read(path)):
        cells[problem.text][problem.cell] = True  # once, however many outputs a cell has
    return [text if None in of else f"{text} (cell {_listed(of)})" for text, of in cells.items()]


def _listed(numbers: Iterable[int]) -> str:
    return ", ".join(str(number) for number in numbers)


def scrub(path: Path) -> int:
    """Take out of a notebook what may not be committed, in place; returns how much that was.

    Cells stay as they are: a path in the source of a cell is its author's to change.

    Raises
    ------
    DataError
        It cannot be read as a notebook.
    OutputError
        It cannot be written.
    """
    notebook = _read(path)
    mended = [problem.mend for problem in _found(notebook) if problem.mend is not None]
    for mend in reversed(mended):  # outputs from the last, so that the places of others hold
        mend()
    if mended:
        text = json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True)
        write_text(path, text + "\n")
    return len(mended)


def _read(path: Path) -> dict[str, Any]:
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        sound = isinstance(notebook["cells"], list) and isinstance(notebook["metadata"], dict)
        sound = sound and all(isinstance(c["metadata"], dict) for c in notebook["cells"])
    except (OSError, ValueError, LookupError, TypeError):
        sound = False
    if not sound:
        raise DataError(
            f"{path} cannot be read as a notebook, so nobody can tell what is in it. Save it again "
            "from JupyterLab, or leave it out."
        )
    return notebook


def _found(notebook: dict[str, Any]) -> Iterator[Problem]:
    yield from _of_metadata(notebook["metadata"])
    for number, cell in enumerate(notebook["cells"], start=1):
        for key in sorted(set(cell["metadata"]) - _CELL_KEYS):
            yield Problem(f"metadata {key!r}", number, _dropping(cell["metadata"], key))
        if cell.get("attachments"):
            yield Problem("a file dropped into it", number, _dropping(cell, "attachments"))
        for text in _of_source("".join(cell.get("source", ""))):
            yield Problem(text, number, None)
        outputs = cell.get("outputs", [])
        for at, output in enumerate(outputs):
            if (text := _of_output(output)) is not None:
                yield Problem(text, number, _dropping(outputs, at))


def _of_source(source: str) -> Iterator[str]:
    """What somebody typed that may not be committed."""
    if _HOME.search(source):
        yield "a folder of somebody\u2019s home in its source"
    if _WRITTEN_OUT.search(source):
        yield "a file written out in its source (data:)"
    words = [found.group() for pattern in _COULD_BE for found in pattern.finditer(source)]
    kinds = {one.kind for word in words for one in identifiers(pl.DataFrame({"word": [word]}))}
    for kind in sorted(kinds):
        yield f"what looks like {kind} in its source"


def _of_metadata(metadata: dict[str, Any]) -> Iterator[Problem]:
    for key in sorted(set(metadata) - _PLAIN.keys()):
        yield Problem(f"metadata {key!r} of the notebook", None, _dropping(metadata, key))
    for key, plain in _PLAIN.items():
        if metadata.get(key, plain) != plain:
            mend = partial(metadata.update, {key: dict(plain)})
            yield Problem(f"the {key} of somebody\u2019s machine", None, mend)


def _of_output(output: dict[str, Any]) -> str | None:
    """Why an output may not be committed."""
    origin = output.get("metadata", {}).get(STAMP, {}).get("data")
    if origin is None:
        return "an output without a stamp, which may come from anywhere"
    if origin != PUBLIC:
        return f"an output that may come from {origin}"
    return "a folder of somebody\u2019s home in an output" if _HOME.search(_text(output)) else None


def _text(output: dict[str, Any]) -> str:
    """What an output says, pictures apart."""
    data = output.get("data", {})
    return json.dumps([v for kind, v in data.items() if not kind.startswith("image/")])


def _dropping(holder: dict | list, key) -> Callable[[], Any]:
    return partial(holder.pop, key)
