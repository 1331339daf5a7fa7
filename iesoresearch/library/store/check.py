"""Proof that a library is whole: every file, key and line of the log, and nothing else.

Opening a library proves ``CURRENT``, the manifest and the keys. Here every file is read, the chain
of the log is followed to its end, and what was destroyed is looked for.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from iesoresearch.errors import DataError
from iesoresearch.hashes import file_hash
from iesoresearch.library.store import (
    Library,
    commit,
    disk,
    locking,
    log,
    retention,
    schedule,
    state,
)

_ROOT = {state.ABOUT, state.CURRENT, state.LOG, state.GENERATIONS, locking.LOCK}
_PARTIAL = f"{state.CURRENT}.part"


@dataclass
class Checked:
    """What was found.

    Attributes
    ----------
    files, lines : int
        Encrypted files and lines of the log that were proven.
    head : str
        Of the log: kept elsewhere, it proves later that nothing was rolled back.
    problems : list of str
        Each a sentence; none in a library that is whole.
    notes : list of str
        What is no fault but should be known.
    """

    files: int
    lines: int
    head: str
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check(library: Library, head: str | None = None) -> Checked:
    """Prove a library.

    Parameters
    ----------
    library
        Open, so that its small files are proven already.
    head
        A head of the log that was kept elsewhere; that line must still be in the log.
    """
    now = library._state
    found = Checked(len(now.parts), now.head.entries, now.head.sha256)
    content = disk.read(library.folder / state.LOG)
    try:
        log.verify(content, now.head, library.secret("log"))
        entries = log.entries(content, now.head)
    except DataError as error:
        found.problems.append(str(error))
        entries = []
    if head is not None and log.position(content, now.head, head.strip().lower()) is None:
        found.problems.append(
            "The head that was kept is no line of this log: the whole library was replaced by an "
            "earlier copy, or the log was made anew. Find out who could do that."
        )
    if len(content) > now.head.size:
        found.notes.append("The log has a line beyond its end, of a writer at work or killed.")
    _files(library, found)
    _strangers(library, found)
    _destroyed(library, entries, found)
    _times(entries, found)
    return found


def _files(library: Library, found: Checked) -> None:
    for compartment, table, part in library.places():
        try:
            library.read(table, compartment=compartment, part=part)
        except DataError as error:
            found.problems.append(str(error))


def _strangers(library: Library, found: Checked) -> None:
    """Name what no manifest knows, and links; tell of what others could read."""
    folder, now = library.folder, library._state
    home = state.home(folder, now.generation)
    known = {folder / name for name in _ROOT} | {home / state.MANIFEST, home / state.KEYS}
    known |= {home / state.file_of(place) for place in now.parts}
    known |= {parent for path in known for parent in path.parents}
    older, open_to_others = False, []
    for path in _below(folder):
        inside = path.relative_to(folder).parts
        if path.is_symlink():
            found.problems.append(f"{path} is a link; a library has none. Take it away.")
        elif inside[0] == state.GENERATIONS and inside[1:2] not in ((), (home.name,)):
            older = True
        elif path == folder / _PARTIAL:
            continue  # of a writer at work, or killed
        elif path not in known:
            found.problems.append(
                f"{path} does not belong to the library. Find out where it is from, and take it "
                "away."
            )
        elif path.stat().st_mode & 0o077:
            open_to_others.append(path)
    if open_to_others:
        found.notes.append(
            f"{open_to_others[0]} is open to others than its owner, one of "
            f"{len(open_to_others)} file(s) and folder(s) that are: chmod -R go= {folder}"
        )
    if older:
        found.notes.append(
            "Files of another generation are there: somebody reads or writes it, or a writer was "
            "killed. They are removed at the next opportunity."
        )


def _below(folder: Path) -> Iterator[Path]:
    for path, folders, files in os.walk(folder):
        if Path(path) == folder:
            folders[:] = sorted(set(folders) - commit.NOT_OURS)
        for name in (*folders, *files):
            yield Path(path, name)


def _destroyed(library: Library, entries: list[dict[str, Any]], found: Checked) -> None:
    """Look for files and keys that the log says are destroyed, and for rows that are over."""
    lists = [e["details"]["destroyed"] for e in entries if "destroyed" in e["details"]]
    files = {sha256 for told in lists for sha256 in told["files"]}
    keys = {key for told in lists for key in told["keys"]}
    generations = library.folder / state.GENERATIONS
    for path in sorted(generations.rglob("*.parquet")) if files else ():
        if not path.is_symlink() and _hash(path) in files:
            found.problems.append(f"{path} was to be destroyed and is still there.")
    for path in sorted(generations.glob(f"*/{state.KEYS}")) if keys else ():
        if keys & _ids(path):
            found.problems.append(f"{path} holds keys of files that were to be destroyed.")
    last = retention.last_day(entries)
    if last is not None and schedule.read(library.settings) and not found.problems:
        referrals, _, _ = retention.overdue(library, last)
        if referrals:
            found.notes.append(
                "Referrals that were over when records were last removed have come in since. Run "
                "`iesoresearch library retain`."
            )


def _hash(path: Path) -> str | None:
    try:
        return file_hash(path)
    except OSError:  # a writer removed it in between
        return None


def _ids(path: Path) -> set[str]:
    try:
        return set(json.loads(disk.read(path))["keys"])
    except (DataError, ValueError, LookupError, TypeError):
        return set()


def _times(entries: list[dict[str, Any]], found: Checked) -> None:
    back = [b["n"] for a, b in pairwise(entries) if b["when"] < a["when"]]
    if back:
        found.notes.append(
            f"The clock was set back before line {back[0]} of the log; lines are in their order "
            "all the same."
        )
