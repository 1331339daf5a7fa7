"""Reading the tables of a library, or of a draft of its next generation."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl

from iesoresearch.errors import DataError
from iesoresearch.library.store import parquet, state
from iesoresearch.library.store.state import Part, Place, State


class Reader:
    """What a library and a draft of it have in common: tables in parts."""

    _state: State
    _parts: dict[Place, Part]
    folder: Path

    @property
    def id(self) -> str:
        """32 hexadecimal digits of the library, for life."""
        return self._state.id

    @property
    def settings(self) -> dict[str, Any]:
        """What was settled when the library was created."""
        return self._state.about["settings"]

    @property
    def territory(self) -> str:
        """Where the records may be."""
        return self._state.about["territory"]

    def secret(self, name: str) -> bytes:
        """32 random bytes for one use, the same for the life of the library.

        Parameters
        ----------
        name
            Of the use: "pseudonym", "dates", "national opt-out", "local opt-out" …
        """
        return self._state.secret(name)

    def tables(self, compartment: str = "records") -> list[str]:
        """Names of the tables there are."""
        return sorted({place[1] for place in self._parts if place[0] == compartment})

    def parts(self, table: str, compartment: str = "records") -> list[str]:
        """Names of the parts of a table."""
        return sorted(p[2] for p in self._parts if p[:2] == (compartment, table))

    def has(self, table: str, compartment: str = "records") -> bool:
        """Whether there is such a table, though it may have no rows."""
        return bool(self.parts(table, compartment))

    def places(self) -> list[Place]:
        """Compartment, table and part of all there is."""
        return sorted(self._parts)

    def read(
        self,
        table: str,
        *,
        compartment: str = "records",
        part: str | None = None,
        columns: Iterable[str] | None = None,
    ) -> pl.DataFrame:
        """Rows of a table.

        Parameters
        ----------
        table, compartment
            Which one.
        part
            Only this part. None: all, one below the other.
        columns
            Only these, in this order. None: all.

        Raises
        ------
        DataError
            There is no such table, part or column; a file is damaged or was changed.
        """
        parts = self.parts(table, compartment)
        if part is not None:
            parts = [name for name in parts if name == part]
        if not parts:
            where = f"table {table!r}" + ("" if part is None else f", part {part!r},")
            raise DataError(
                f"The library has no {where} in its {compartment}. It has "
                f"{', '.join(self.tables(compartment)) or 'no tables yet'}. Fill it first: "
                "iesoresearch library --help lists the commands."
            )
        wanted = None if columns is None else list(columns)
        frames = [self._read((compartment, table, name), wanted) for name in parts]
        try:
            return pl.concat(frames)
        except (pl.exceptions.ShapeError, pl.exceptions.SchemaError):
            raise DataError(
                f"The parts of table {table!r} have different columns. Ingest its data again."
            ) from None

    def _home_of(self, place: Place) -> Path:
        return state.home(self.folder, self._state.generation)

    def _read(self, place: Place, columns: list[str] | None) -> pl.DataFrame:
        part = self._parts[place]
        path = self._home_of(place) / state.file_of(place)
        bound = state.belongs(self._state.id, place, part.key_id)
        return parquet.read(path, part.written, bound, columns)
