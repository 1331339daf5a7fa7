"""From one generation of a library to the next, all of it or nothing.

The new generation is complete and durable before its line is appended to the log, and that before
CURRENT is replaced: until then the library is the old one, from then on the new one, wherever a
writer is killed. What it leaves behind is cleared away by the next one.
"""

import hashlib
import os
import secrets
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from iesoresearch.library.store import disk, locking, log, parquet, state
from iesoresearch.library.store.keys import Keys
from iesoresearch.library.store.state import Part, Place, State

INTERRUPTED = "after an interrupted write"
NOT_OURS = {"lost+found"}  # where the folder is a file system of its own


def begin(folder: Path, present: State) -> Path:
    """Folder of the next generation, empty; what an interrupted writer left of it is removed."""
    new = state.home(folder, present.generation + 1)
    with disk.writable(folder):
        sweep(folder, present.generation)
        disk.folder(new)
    return new


def write_part(home: Path, library: str, place: Place, frames: Iterable[pl.DataFrame]) -> Part:
    """Write one part below the folder of a generation, under a fresh data key."""
    path, key_id = home / state.file_of(place), secrets.token_hex(8)
    with disk.writable(home):
        for folder in (path.parent.parent, path.parent):
            if not folder.is_dir():
                disk.folder(folder)
        path.unlink(missing_ok=True)  # of the same draft
        written = parquet.write(path, frames, state.belongs(library, place, key_id))
    return Part(written, key_id)


def remove_part(home: Path, place: Place) -> None:
    """Take out a part that was written to the same draft, and the folders that become empty."""
    path = home / state.file_of(place)
    with disk.writable(home):
        path.unlink()
        for folder in (path.parent, path.parent.parent):
            if not any(folder.iterdir()):
                folder.rmdir()


def finish(folder: Path, old: State, new: State, keys: Keys, entry: dict[str, Any]) -> State:
    """Make `new` the state of the library.

    Parameters
    ----------
    folder
        Of the library.
    old
        Its state so far; parts that both have are files of it, linked and not written again.
    new
        Of the next generation, for which `begin` made the folder.
    keys
        Master key of the new one.
    entry
        ``who``, ``what``, ``why`` and ``details`` for the log.

    Raises
    ------
    OutputError
        It cannot be written; the library is the old one.
    """
    home = state.home(folder, new.generation)
    with disk.writable(folder):
        for place, part in new.parts.items():
            if old.parts.get(place) is part:
                _keep(state.home(folder, old.generation), home, state.file_of(place))
        manifest, wrapped = state.manifest_of(new), state.keys_of(new, keys)
        disk.create(home / state.MANIFEST, manifest)
        disk.create(home / state.KEYS, wrapped)
        for path, _, _ in os.walk(home, topdown=False):
            disk.sync(Path(path))
        disk.sync(home.parent)
    hashes = {
        "manifest": hashlib.sha256(manifest).hexdigest(),
        "keys": hashlib.sha256(wrapped).hexdigest(),
    }
    return record(folder, replace(new, hashes=new.hashes | hashes), keys, entry)


def record(folder: Path, new: State, keys: Keys, entry: dict[str, Any]) -> State:
    """Append a line to the log, and make it count."""
    path = folder / state.LOG
    with disk.writable(folder):
        if path.stat().st_size > new.head.size:
            entry = entry | {"details": entry["details"] | {INTERRUPTED: True}}
        content, head = log.line(new.head, new.secret("log"), **entry)
        new = replace(new, head=head)
        disk.append(path, head.size - len(content), content)
        disk.replace(folder / state.CURRENT, state.current_of(new, keys))
    return new


def sweep(folder: Path, present: int) -> list[str]:
    """Remove all generations but the present one; those that are still there are returned.

    They stay as long as somebody reads them, or the system does not let them go.

    Keys go first: files without their keys are not readable, whatever becomes of them.
    """
    left = []
    for old in sorted((folder / state.GENERATIONS).iterdir()):
        if old.name == str(present):
            continue
        if old.is_symlink() or not old.is_dir():
            old.unlink()  # never follow it
        elif locking.unread(old / state.MANIFEST):
            (old / state.KEYS).unlink(missing_ok=True)
            disk.remove(old)
        if os.path.lexists(old):
            left.append(old.name)
    return left


def _keep(old: Path, new: Path, file: str) -> None:
    for folder in (new / Path(file).parts[0], (new / file).parent):
        if not folder.is_dir():
            disk.folder(folder)
    disk.link(old / file, new / file)
