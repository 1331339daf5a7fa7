"""The cohort of a source, by name."""

from pathlib import Path

import polars as pl

from iesoresearch.data import locate, nhanes, synthetic
from iesoresearch.data.cohort import Cohort
from iesoresearch.errors import DataError


def load(source: str, search_path: tuple[Path, ...], n_patients: int, seed: int) -> Cohort:
    """Cohort of `source`: "nhanes", "synthetic" (`n_patients` drawn with `seed`) or "folder".

    Raises
    ------
    DataError
        The source is absent, unreadable or breaks the schema.
    """
    if source == "nhanes":
        return nhanes.load()
    if source == "synthetic":
        return synthetic.make(n_patients, seed)
    return from_folder(search_path)


def from_folder(search_path: tuple[Path, ...]) -> Cohort:
    """A site's own canonical tables: patients, referrals and contacts as Parquet or CSV.

    The first folder of the search path that holds a contacts table is read. Whatever lies there
    counts as patients' data.

    Raises
    ------
    DataError
        No folder holds the tables, or a table cannot be read or breaks the schema.
    """
    files = locate.folder_tables(search_path)
    tables = {name: _read(path) for name, path in files.items()}
    name = files["contacts"].resolve().parent.name
    return Cohort.checked(name, "patient", tables, locate.fingerprint("folder", search_path))


def _read(path: Path) -> pl.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        return pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError):
        # the reader's own message may quote a cell
        raise DataError(f"{path} cannot be read as a table. Is it complete and UTF-8?") from None
