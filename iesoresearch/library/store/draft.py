"""The next generation of a library, while it is made."""

from pathlib import Path
from typing import Any

import polars as pl

from iesoresearch.library.store import commit, state
from iesoresearch.library.store.reader import Reader
from iesoresearch.library.store.state import Part, Place, State


class Draft(Reader):
    """The next generation of a library while it is made; what it reads is what was written to it.

    Attributes
    ----------
    details : dict
        Counts and words for the line of the log; counts below 10 are told as "fewer than 10".
    """

    def __init__(self, folder: Path, old: State, home: Path) -> None:
        self.folder = folder
        self.details: dict[str, Any] = {}
        self._state, self._new_home = old, home
        self._parts: dict[Place, Part] = dict(old.parts)
        self._ended = False

    def write(
        self,
        table: str,
        frame: pl.DataFrame,
        *,
        part: str = "0",
        compartment: str = "records",
    ) -> None:
        """Write a part of a table in place of what it held.

        Raises
        ------
        ParameterError
            A name that no table or part can have.
        OutputError
            There is no room; the library is as it was.
        """
        self._write((compartment, table, part), frame)

    def drop(self, table: str, *, part: str | None = None, compartment: str = "records") -> None:
        """Take out a table, or one part of it; one that is not there is no error."""
        gone = {p for p in self._parts if p[:2] == (compartment, table) and part in (None, p[2])}
        for place in gone:
            if self._fresh(place):
                commit.remove_part(self._new_home, place)
            del self._parts[place]

    def destroyed(self) -> dict[str, list[str]]:
        """Files and data keys that a commit destroys, to prove later that they are gone.

        Returns
        -------
        dict
            ``files``, their SHA-256; ``keys``, ids of data keys.
        """
        kept = {part.key_id for part in self._parts.values()}
        gone = [p for _, p in sorted(self._state.parts.items()) if p.key_id not in kept]
        return {"files": [p.written.sha256 for p in gone], "keys": [p.key_id for p in gone]}

    def _write(self, place: Place, frame: pl.DataFrame) -> None:
        if self._ended:
            raise RuntimeError("This draft was committed or given up; begin another one.")
        state.check_place(place)
        part = commit.write_part(self._new_home, self._state.id, place, [frame])
        self._parts[place] = part

    def _fresh(self, place: Place) -> bool:
        return self._parts[place] is not self._state.parts.get(place)

    def _home_of(self, place: Place) -> Path:
        return self._new_home if self._fresh(place) else super()._home_of(place)
