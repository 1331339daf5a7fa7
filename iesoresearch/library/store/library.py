"""A secure research library on disk: encrypted, atomic, logged.

``open_library`` gives a :class:`Library` to read; ``with library.writing(what, why) as draft``
gives a :class:`Draft` that becomes the next generation if nothing fails, and is as if it had never
been otherwise. Every table is in one of two compartments, whose data keys are wrapped apart.
"""

import getpass
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from iesoresearch.errors import IesoError, OutputError, ParameterError
from iesoresearch.library import territory as territories
from iesoresearch.library.store import commit, disk, locking, log, state
from iesoresearch.library.store.draft import Draft
from iesoresearch.library.store.keys import Keys, random_secret
from iesoresearch.library.store.reader import Reader
from iesoresearch.library.store.settled import settled
from iesoresearch.library.store.state import Part, Place, State

WHO_VARIABLE = "IESORESEARCH_WHO"
WAIT = 60.0  # seconds for another writer
_PAUSE = 0.05  # seconds between two attempts


class Library(Reader):
    """An open library, as it was when it was opened or last written by this object.

    What it reads is kept for it while others write. `open_library` and `create` make one.

    Attributes
    ----------
    folder : Path
        Where it is.
    who : str
        Named in the log for what is done through this object.
    """

    def __init__(self, folder: Path, keys: Keys, who: str) -> None:
        self.folder, self.who = folder, who
        self._keys = keys
        self._state, self._held = state.load(folder, keys)
        self._writes = False

    def __repr__(self) -> str:
        return f"<Library {str(self.folder)!r}, generation {self.generation}>"

    @property
    def generation(self) -> int:
        """Number of the state that is read."""
        return self._state.generation

    @property
    def _parts(self) -> dict[Place, Part]:
        return self._state.parts

    @property
    def head(self) -> str:
        """SHA-256 of the last line of the log; kept elsewhere, it proves a rollback."""
        return self._state.head.sha256

    def log(self) -> list[dict[str, Any]]:
        """Lines of the log, oldest first, each proven.

        Returns
        -------
        list of dict
            ``n, when, who, what, why, details, previous, mac``.

        Raises
        ------
        DataError
            The first line that was changed, removed or added is named.
        """
        content = disk.read(self.folder / state.LOG)
        log.verify(content, self._state.head, self.secret("log"))
        return log.entries(content, self._state.head)

    def close(self) -> None:
        """Let the generation that is read go; nothing can be read any more."""
        self._held.release()

    @contextmanager
    def writing(self, what: str, why: str, wait: float = WAIT) -> Iterator[Draft]:
        """A draft of the next generation, committed at the end if nothing was raised.

        Parameters
        ----------
        what, why
            For the log.
        wait
            Seconds to wait for another writer.

        Raises
        ------
        OutputError
            Another one is writing, or there is no room; the library is as it was.
        """
        entry = {"what": log.text("what", what), "why": log.text("why", why)}
        with self._locked(wait):
            draft = Draft(self.folder, self._state, commit.begin(self.folder, self._state))
            yield draft
            self._commit(draft, self._keys, entry | {"details": draft.details})

    def note(self, what: str, why: str, details: dict[str, Any], wait: float = WAIT) -> None:
        """A line of the log without new data.

        Parameters
        ----------
        what, why
            Words.
        details
            Counts and words; counts below 10 are told as "fewer than 10".
        wait
            Seconds to wait for another writer.

        Raises
        ------
        OutputError
            Another one is writing, or there is no room.
        """
        entry = {"who": self.who, "what": what, "why": why, "details": details}
        with self._locked(wait):
            commit.record(self.folder, self._state, self._keys, entry)

    def rotate(self, new: Keys, why: str, *, data: bool = False, wait: float = WAIT) -> None:
        """Have the library opened by another master key, and no longer by this one.

        Parameters
        ----------
        new
            The other key.
        why
            For the log.
        data
            Also write every file again under a new data key.
        wait
            Seconds to wait for another writer.

        Raises
        ------
        OutputError
            Another one is writing, or there is no room; the old key still opens the library.
        """
        if new.id == self._keys.id:
            raise ParameterError("The new key is the old one. Make another with --new-key FILE.")
        details = {"old key": self._keys.id, "new key": new.id, "files written again": data}
        entry = {"what": "rotate", "why": log.text("why", why), "details": details}
        with self._locked(wait):
            draft = Draft(self.folder, self._state, commit.begin(self.folder, self._state))
            for place in list(draft._parts) if data else ():
                draft._write(place, draft._read(place, None))
            self._commit(draft, new, entry)

    def clear(self, wait: float = WAIT) -> bool:
        """Remove what is left of older generations, with their keys.

        Parameters
        ----------
        wait
            Seconds to wait for those who read them.

        Returns
        -------
        bool
            Whether nothing is left of them.
        """
        until = time.monotonic() + wait
        while True:
            with self._locked(wait):
                left = commit.sweep(self.folder, self.generation)
            if not left or time.monotonic() >= until:
                return not left
            time.sleep(_PAUSE)

    @contextmanager
    def _locked(self, wait: float) -> Iterator[None]:
        """Be the only writer, on the newest state; at the end, clear up whatever happened."""
        if self._writes:
            raise OutputError(f"{self.folder} is being written already by this very object.")
        lock = locking.writing(self.folder, self.who, wait)
        self._writes = True
        try:
            self._load()
            yield
        finally:
            try:
                self._writes = False
                self._clear_up()
            finally:
                lock.release()

    def _commit(self, draft: Draft, keys: Keys, entry: dict[str, Any]) -> None:
        draft._ended = True
        entry = {"who": self.who, **entry}
        if keys is self._keys and draft._parts == self._state.parts:
            commit.record(self.folder, self._state, self._keys, entry)
            return
        new = self._state.with_generation(keys, draft._parts)
        commit.finish(self.folder, self._state, new, keys, entry)
        self._keys = keys

    def _load(self) -> None:
        held = self._held
        self._state, self._held = state.load(self.folder, self._keys)
        held.release()

    def _clear_up(self) -> None:
        """Read what the disk says now, and remove all else: a commit may have failed late."""
        try:
            self._load()
            commit.sweep(self.folder, self._state.generation)
        except (IesoError, OSError):
            pass  # what happened before is what is told; the next writer clears up


def create(
    folder: Path, keys: Keys, *, territory: str, who: str, settings: dict[str, Any] | None = None
) -> Library:
    """Make an empty library.

    Parameters
    ----------
    folder
        New, or empty.
    keys
        Master key.
    territory
        Where the records may be, such as "UK".
    who
        For the log.
    settings
        What else is settled for good, such as ``retention``; nothing secret.

    Raises
    ------
    ParameterError
        It is no territory, or settings are unknown or cannot be used.
    OutputError
        There is something in the folder, or it cannot be written.
    """
    about = {
        "format": state.FORMAT,
        "version": state.VERSION,
        "id": secrets.token_hex(16),
        "territory": log.text("territory", territory),
        "created": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "settings": settled(settings or {}),
    }
    territories.code(territory)
    entry = {
        "who": log.text("who", who),
        "what": "create",
        "why": "the library was made",
        "details": {"territory": territory, "key": keys.id},
    }
    folder = Path(folder)
    with disk.writable(folder):
        _empty(folder)
        content = state.encode(about)
        disk.create(folder / state.ABOUT, content)
        disk.create(folder / state.LOG, b"")
        disk.folder(folder / state.GENERATIONS)
        disk.folder(state.home(folder, 1))
        hashes = {"about": hashlib.sha256(content).hexdigest()}
        old = State(about, 0, keys.id, random_secret(), {}, log.Head(), hashes)
        commit.finish(folder, old, old.with_generation(keys, {}), keys, entry)
        disk.sync(folder.resolve().parent)
    return Library(folder.resolve(), keys, who)


def open_library(folder: Path, keys: Keys, *, who: str | None = None) -> Library:
    """Open a library that is there.

    Parameters
    ----------
    folder
        Of the library.
    keys
        Its master key.
    who
        For the log. None: ``IESORESEARCH_WHO``, or the user of the operating system.

    Raises
    ------
    ParameterError
        The folder is no library, or of another version; the key is another one.
    DataError
        A file is missing or was changed.
    """
    return Library(Path(folder).resolve(), keys, who or default_who())


def default_who() -> str:
    """Who works here: ``IESORESEARCH_WHO``, else the user of the operating system."""
    try:
        return os.environ.get(WHO_VARIABLE, "").strip() or getpass.getuser()
    except (OSError, KeyError, ImportError):
        raise ParameterError(
            f"It is not known who you are: give --who NAME, or set {WHO_VARIABLE}."
        ) from None


def _empty(folder: Path) -> None:
    """Make the folder; refuse to write where something is, bar what a killed `create` left."""
    folder.mkdir(parents=True, exist_ok=True)
    os.chmod(folder, 0o700)
    there = {path.name for path in folder.iterdir()} - commit.NOT_OURS
    left = {state.ABOUT, state.LOG, state.GENERATIONS, f"{state.CURRENT}.part"}
    files = [p for p in folder.rglob("*") if p.is_file() and p.suffix == ".parquet"]
    if not there <= left or files or (there and state.ABOUT not in there):
        raise OutputError(
            f"There is something in {folder}, and it was left as it is. A library is made in a new "
            "folder: name one."
        )
    for name in there:
        path = folder / name
        disk.remove(path) if path.is_dir() else path.unlink()
