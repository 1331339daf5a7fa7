"""The cohort of a source, by name, and the tables of a folder before they are one."""

import shutil
from pathlib import Path

import polars as pl

from iesoresearch.data import locate, nhanes, shifted, synthetic
from iesoresearch.data.checks import check
from iesoresearch.data.cohort import Cohort
from iesoresearch.data.conform import conformed
from iesoresearch.data.findings import Problem, told
from iesoresearch.data.identifiers import NONE_DECLARED, Declared
from iesoresearch.data.mapping import Source
from iesoresearch.data.mapping.apply import UNREADABLE, examined
from iesoresearch.data.mapping.reading import Layout, look
from iesoresearch.data.mapping.values import date_columns, mixed_formats
from iesoresearch.data.schema import OPTIONAL, TABLES
from iesoresearch.errors import DataError, OutputError


def load(
    source: str,
    search_path: tuple[Path, ...],
    n_patients: int,
    seed: int,
    *,
    cycles: tuple[str, ...] | None = None,
    weighted: bool = False,
) -> Cohort:
    """Cohort of `source`: "nhanes", "synthetic" (`n_patients` drawn with `seed`) or "folder".

    `cycles` and `weighted` are for "nhanes" only, see `nhanes.load`.

    Raises
    ------
    ParameterError
        A cycle is named that there cannot be.
    DataError
        The source is absent, unreadable or breaks the schema.
    """
    if source == "nhanes":
        return nhanes.load(cycles, search_path, weighted=weighted)
    if source == "synthetic":
        return synthetic.make(n_patients, seed)
    return from_folder(search_path)


def from_folder(search_path: tuple[Path, ...]) -> Cohort:
    """A site's own canonical tables, as Parquet or CSV; scores and content may be absent.

    The first folder of the search path that holds a contacts table is read. Whatever lies there
    counts as patients' data.

    Raises
    ------
    DataError
        No folder holds the tables, a table cannot be read, breaks the schema or holds what looks
        like an identifier: whatever `check` calls an error.
    """
    source = scan_folder(search_path)
    check(source.name, source.tables, source.problems).refuse()
    tables = {name: table.collect() for name, table in source.tables.items()}
    found = locate.fingerprint("folder", search_path)
    days = source.days_shifted
    return Cohort.checked(source.name, "patient", tables, found, days_shifted=days)


def scan(search_path: tuple[Path, ...], declared: Declared = NONE_DECLARED) -> Source:
    """Tables of a folder: the national data set, or canonical ones.

    Columns that are `declared` to be identifiers are left out; undeclared ones are problems.

    Raises
    ------
    DataError
        No folder holds either.
    """
    from iesoresearch.data import national  # builds on Cohort, as this module does; heavy

    for folder in search_path:
        if national.is_national(folder):
            return _national(folder, declared)
    return scan_folder(search_path, declared)


def _national(folder: Path, declared: Declared) -> Source:
    from iesoresearch.data import national

    name = folder.resolve().name
    try:
        cohort, report = national.read(folder, declared)
    except DataError as error:
        return Source(name, {}, (Problem("error", "data set", str(error)),))
    tables = {table: getattr(cohort, table).lazy() for table in TABLES}
    tables = {n: t for n, t in tables.items() if n not in OPTIONAL or not t.collect().is_empty()}
    found = tuple(Problem("warning", f.table, f.text, f.n) for f in report.findings)
    return Source(name, tables, found)


def scan_folder(search_path: tuple[Path, ...], declared: Declared = NONE_DECLARED) -> Source:
    """Canonical tables of a folder, lazily, and what was found while they were opened.

    Raises
    ------
    DataError
        No folder holds a contacts table.
    """
    files = locate.folder_tables(search_path)
    tables, problems = {}, []
    for name, path in files.items():
        try:
            file = look(path, Layout())
        except DataError as error:
            problems.append(Problem("error", name, str(error)))
            continue
        known = {c: c for c in TABLES[name].column_names()}
        found = examined(file, name, known, declared)
        problems += found
        if not any(p.text == UNREADABLE for p in found):
            split_off = declared.get(path.name, frozenset()) - set(TABLES[name].column_names())
            tables[name] = file.raw().drop(split_off, strict=False)
            problems += _mixed_dates(name, tables[name])
    days = shifted.most_days(files, tables)
    if days:
        text = shifted.warning(days, tables.get("referrals"))
        problems.append(Problem("warning", "all tables", text))
    return Source(files["contacts"].resolve().parent.name, tables, tuple(problems), days)


def _mixed_dates(name: str, table: pl.LazyFrame) -> list[Problem]:
    """Days that are written, but not as 2024-01-31."""
    types = table.collect_schema()
    texts = [c for c in date_columns() if c in types and types[c] == pl.String]
    if not texts:
        return []
    counted = table.select(mixed_formats(pl.col(c), ["yyyy-mm-dd"]).sum().alias(c) for c in texts)
    values = counted.collect(engine="streaming").row(0, named=True)
    text = "{c}: {{n}} date(s) are in another format than yyyy-mm-dd: formats are mixed"
    return told("error", name, {text.format(c=c): n for c, n in values.items()})


def convert(source: Source, folder: Path) -> list[Path]:
    """Write the canonical tables of a source as Parquet into a new folder, as they stream by.

    Raises
    ------
    DataError
        The tables have an error.
    OutputError
        The folder holds something already, or cannot be written.
    """
    check(source.name, source.tables, source.problems).refuse()
    part = folder.with_name(f".{folder.name}.part")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise OutputError(f"{folder} is not empty. Name a new folder; nothing was overwritten.")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        for name, table in source.tables.items():
            typed, _ = conformed(table, TABLES[name])
            if name in ("patients", "referrals"):
                typed = typed.sort(TABLES[name].primary_key())  # gathered, so in no order
            told = shifted.marked(source.days_shifted)
            typed.sink_parquet(part / f"{name}.parquet", metadata=told)
        part.replace(folder)
    except OutputError:
        raise
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise OutputError(
            f"{folder} cannot be written ({error.strerror}). Free space or name another folder."
        ) from None
    return sorted(folder.iterdir())
