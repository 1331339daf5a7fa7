"""One encrypted Parquet file: Parquet modular encryption, one data key per file.

The footer, with names and types of columns, is encrypted as the columns are (AES-256-GCM); no
statistics are written. The data key is not in the file, wrapped or otherwise, so that destroying
its wrapped copy destroys the file. Where a file belongs is the prefix of the associated data of
each of its modules and is not in the file either: it opens nowhere else. That needs pyarrow's
direct keys; its `CryptoFactory` takes no such prefix and puts the wrapped key into the footer.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

from iesoresearch.errors import DataError
from iesoresearch.library.store import disk
from iesoresearch.library.store.keys import Hidden, random_secret


@dataclass(frozen=True)
class Written:
    """A file as it was meant to be: its SHA-256, and the data key that alone opens it."""

    sha256: str
    key: Hidden


class _Tee:
    """A file for pyarrow that hashes what is meant to be written, not what a disk made of it."""

    closed = False

    def __init__(self, handle: int) -> None:
        self.handle: int | None = handle
        self.hash, self.place = hashlib.sha256(), 0

    def write(self, content) -> int:
        # a writer that failed may write its end whenever it is collected, and by then the number of
        # the handle can be that of another file
        if self.handle is not None:
            disk.write(self.handle, content)
            self.hash.update(content)
        self.place += len(content)
        return len(content)

    def tell(self) -> int:
        return self.place

    def flush(self) -> None:
        """Nothing waits: each write goes to the system at once."""

    def close(self) -> None:
        """The handle is closed by whoever opened it."""
        self.closed = True


def write(path: Path, frames: Iterable[pl.DataFrame], place: str) -> Written:
    """Write frames of the same columns as one new file under a fresh key.

    Parameters
    ----------
    path
        New file.
    frames
        At least one; each is at least one row group.
    place
        Where the file belongs; it opens nowhere else.

    Raises
    ------
    OSError
        It cannot be written; nothing is left of it.
    """
    key = random_secret()
    properties = pe.create_encryption_properties(
        key.content, aad_prefix=place.encode(), store_aad_prefix=False
    )
    tables = (frame.to_arrow() for frame in frames)
    first = next(tables)
    with disk.created(path) as handle:
        tee = _Tee(handle)
        try:
            with pq.ParquetWriter(
                tee,
                first.schema,
                compression="zstd",
                write_statistics=False,
                encryption_properties=properties,
            ) as writer:
                writer.write_table(first)
                for table in tables:
                    writer.write_table(table)
        finally:
            tee.handle = None
    return Written(tee.hash.hexdigest(), key)


def read(
    path: Path, written: Written, place: str, columns: Iterable[str] | None = None
) -> pl.DataFrame:
    """Read a file that is exactly as it was written.

    Raises
    ------
    DataError
        It is missing, was changed or belongs elsewhere, or lacks a column.
    """
    content = disk.read(path)
    if hashlib.sha256(content).hexdigest() != written.sha256:
        raise DataError(
            f"{path} is damaged or was changed: its checksum is not the one it was written with. "
            "Restore the whole folder from a backup."
        )
    try:
        properties = pe.create_decryption_properties(written.key.content, aad_prefix=place.encode())
        file = pq.ParquetFile(pa.BufferReader(content), decryption_properties=properties)
        wanted = None if columns is None else list(columns)
        lacking = sorted(set(wanted or ()) - set(file.schema_arrow.names))
        # threads of pyarrow beside those of polars abort some processes when they end
        table = None if lacking else file.read(columns=wanted, use_threads=False)
    except (OSError, pa.ArrowException):
        raise DataError(
            f"{path} does not open with its key: it belongs elsewhere, or its key was changed. "
            "Restore the whole folder from a backup."
        ) from None
    if lacking:
        raise DataError(f"{path} has no column {', '.join(lacking)}. Ask for columns it has.")
    frame = pl.from_arrow(table)
    return frame if wanted is None else frame.select(wanted)
