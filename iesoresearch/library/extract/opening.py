"""Opening an extract: canonical tables in a folder that analyses read, until the agreement ends."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

from iesoresearch import files
from iesoresearch.data.shifted import ABOUT
from iesoresearch.errors import DataError, DisclosureError, OutputError
from iesoresearch.library.extract import dictionary, plain
from iesoresearch.library.store import disk, sealed
from iesoresearch.library.store.keys import Keys

SAMPLE = "annotation"  # what a sample for coders says it is


def open_extract(folder: Path, key_file: Path, out: Path, on: date | None = None) -> list[Path]:
    """Write the tables of an extract, or the sample for coders, into a new folder.

    Everything in it is for its owner alone: files 0600, the folder 0700.

    Parameters
    ----------
    folder
        Sealed.
    key_file
        Its key.
    out
        New. `iesoresearch run … -p source=folder --data OUT` and `data check OUT` read it.
    on
        The day it is. A clock that is put back is not noticed.

    Returns
    -------
    list of Path
        The tables, and ``extract.json``: agreement, data dictionary, identifiability, conditions.

    Raises
    ------
    DisclosureError
        The agreement has run out.
    ParameterError
        The key is another one, or the folder is none of ours.
    DataError
        The folder was changed.
    OutputError
        `out` is there already or cannot be written.
    """
    keys = Keys.load(key_file)
    tables, meta = sealed.read_sealed(folder, keys)
    expires = date.fromisoformat(_told(folder, meta, "expires"))
    if expires < (on or date.today()):
        raise DisclosureError(
            f"{folder} opens no more: its agreement ran out on {expires}. Delete it and what was "
            "opened of it, or agree on a new extract."
        )
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"{out} is there already and was left as it is. Name a new folder.")
    beside = files.partial(out)
    try:
        with files.writing(out):
            beside.chmod(0o700)
            if meta.get("kind") == SAMPLE:
                for name, words in tables.items():
                    disk.create(beside / f"{name}.csv", words.write_csv().encode())
            else:
                said = dictionary.says_shifted(_told(folder, meta, "columns"))
                for name, pieces in _told(folder, meta, "pieces").items():
                    plain.write(beside / f"{name}.parquet", tables[name], pieces, said)
            files.write_json(beside / ABOUT, meta)
            (beside / ABOUT).chmod(0o600)
            beside.rename(out)
            disk.sync(out.parent)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return sorted(out.iterdir())


def _told(folder: Path, meta: dict[str, Any], name: str) -> Any:
    if name not in meta:
        raise DataError(f"{folder} is a sealed folder, but no extract: it does not say {name}.")
    return meta[name]
