"""Tables of an opened extract as Parquet files, and their fingerprint before anybody opens it.

The same rows in the same pieces give the same bytes (with the same version of pyarrow), so that
the library knows the fingerprint of a folder that does not exist yet, and finds again which runs
used it. Files with dates say that these are shifted, see `data.shifted`; so the fingerprint holds
that, too.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from iesoresearch.data import shifted
from iesoresearch.data.locate import TABLE_NAMES
from iesoresearch.hashes import digest
from iesoresearch.library.extract.needs import PSEUDONYMS
from iesoresearch.library.store import disk


class _Hashed:
    """A file for pyarrow that keeps nothing but the hash of what is written."""

    closed = False

    def __init__(self) -> None:
        self.sha256, self._place = hashlib.sha256(), 0

    def write(self, content) -> int:
        self.sha256.update(content)
        self._place += len(content)
        return len(content)

    def tell(self) -> int:
        return self._place

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""
        self.closed = True


class Prints:
    """Fingerprint of tables that pass by.

    Attributes
    ----------
    pieces
        Heights of the pieces of every table, which `write` needs to write the same bytes.
    """

    def __init__(self) -> None:
        self.pieces: dict[str, list[int]] = {}
        self._hashes: dict[str, str] = {}

    def taken(self, table: str, frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """The same frames, one after the other."""
        sink, writer = _Hashed(), None
        self.pieces[table] = []
        for frame in frames:
            piece = frame.to_arrow()
            writer = writer or _writer(sink, piece.schema, told=True)
            writer.write_table(piece)
            self.pieces[table].append(frame.height)
            yield frame
        if writer:
            writer.close()
        self._hashes[table] = sink.sha256.hexdigest()

    @property
    def fingerprint(self) -> str:
        """As `data.locate.fingerprint` gives it for the folder of these tables."""
        hashes = [self._hashes[table] for table in TABLE_NAMES if table in self._hashes]
        return digest(" ".join(hashes).encode())


def write(path: Path, frame: pl.DataFrame, pieces: list[int], told: bool) -> None:
    """Write a table for its owner alone, in pieces of these heights.

    Its file says that dates are shifted if `told`: those of extracts before 2026-11-23 do not, or
    their fingerprint would be another.
    """
    with disk.created(path) as handle, open(handle, "wb", closefd=False) as stream:
        start, writer = 0, None
        for height in pieces:
            piece = frame.slice(start, height).rechunk().to_arrow()
            writer = writer or _writer(stream, piece.schema, told)
            writer.write_table(piece)
            start += height
        if writer:
            writer.close()


def _writer(stream, schema: pa.Schema, told: bool) -> pq.ParquetWriter:
    words = [name for name in schema.names if name not in PSEUDONYMS]  # all different
    writer = pq.ParquetWriter(
        stream, schema, compression="snappy", use_dictionary=words, write_statistics=False
    )
    if told and any(pa.types.is_date(kind) for kind in schema.types):
        writer.add_key_value_metadata(shifted.marked(shifted.MOST))
    return writer
