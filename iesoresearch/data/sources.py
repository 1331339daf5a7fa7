"""Where an analysis gets its cohort from, by name."""

import hashlib
from pathlib import Path

import polars as pl

from iesoresearch.data.cohort import Cohort
from iesoresearch.data.schema import TABLES
from iesoresearch.errors import DataError


def from_folder(search_path: tuple[Path, ...]) -> Cohort:
    """A site's own canonical tables: patients, referrals and contacts as Parquet or CSV.

    The first folder of the search path that holds a contacts table is read. Whatever lies there
    counts as patients' data.

    Raises
    ------
    DataError
        No folder holds the tables, or a table cannot be read or breaks the schema.
    """
    for folder in search_path:
        if _files(folder).get("contacts"):
            break
    else:
        looked = ", ".join(str(folder) for folder in search_path) or "none was given"
        raise DataError(
            f"No folder with contacts.parquet or contacts.csv was found (searched: {looked}). Name "
            "one with --data DIR."
        )
    files = _files(folder)
    tables = {name: _read(path) for name, path in files.items()}
    content = hashlib.blake2b(digest_size=16)
    for path in files.values():
        with path.open("rb") as stream:
            content.update(hashlib.file_digest(stream, "sha256").digest())
    return Cohort.checked(folder.name, "patient", tables, content.hexdigest())


def _files(folder: Path) -> dict[str, Path]:
    candidates = {
        name: [folder / f"{name}.parquet", folder / f"{name}.csv"] for name in TABLES
    }
    return {
        name: next(path for path in paths if path.is_file())
        for name, paths in candidates.items()
        if any(path.is_file() for path in paths)
    }


def _read(path: Path) -> pl.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema=False).with_columns(
            pl.col(pl.String).str.strip_chars().replace("", None)
        )
    except (pl.exceptions.PolarsError, OSError):
        # the reader's own message may quote a cell
        raise DataError(f"{path} cannot be read as a table. Is it complete and UTF-8?") from None
