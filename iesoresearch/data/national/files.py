"""The files of a folder, as lazy tables whose columns are all cleaned text."""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from iesoresearch.data.identifiers import NONE_DECLARED, Declared, identifiers
from iesoresearch.data.national.layout import SCORES, TABLES, Table
from iesoresearch.data.national.report import Ledger
from iesoresearch.errors import DataError

_NUMBER = re.compile(r"ids_?(\d{3})(?!\d)", re.IGNORECASE)
_LATEST = re.compile(r"is_?latest", re.IGNORECASE)
_SUFFIXES = (".parquet", ".csv")
_SAMPLE = 10_000  # rows of each file that are searched for identifiers
_CHUNK = 1 << 24


@dataclass(frozen=True)
class Source:
    """A table over all its files; `present`: which of the columns were really there."""

    frame: pl.LazyFrame
    present: frozenset[str]


def find(folder: Path) -> dict[str, list[Path]]:
    """Files of every table that is read, by number of the table, in a fixed order.

    A file counts by its name, or else by that of the folder it lies in. Where the same table lies
    there as Parquet and as CSV, the Parquet file is read.
    """
    found: dict[str, dict[Path, Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in _SUFFIXES or path.name.startswith((".", "~")):
            continue
        number = _number(path.name)
        if number is None and path.parent != folder:
            number = _number(path.parent.name)
        if number in TABLES and path.is_file():
            same = found.setdefault(number, {})
            if path.suffix.lower() == ".parquet" or path.with_suffix("") not in same:
                same[path.with_suffix("")] = path
    return {number: list(found[number].values()) for number in TABLES if number in found}


def _number(name: str) -> str | None:
    if _LATEST.search(name):
        return "latest"
    match = _NUMBER.search(name)
    return match.group(1) if match else None


def scan(folder: Path, ledger: Ledger, declared: Declared = NONE_DECLARED) -> dict[str, Source]:
    """Every table of `folder`, none of it read yet but the first rows of each file.

    What makes reading pointless is put into ``ledger.fatal``.
    """
    files, sources = find(folder), {}
    for number, paths in files.items():
        source = _source(TABLES[number], paths, ledger, declared)
        if source is not None:
            sources[number] = source
    for number, table in TABLES.items():
        if table.needed and number not in files:
            ledger.fatal.append(f"{table.name}: the table is absent")
    if not any(number in files for number in SCORES):
        names = " and ".join(TABLES[number].name for number in SCORES)
        ledger.fatal.append(f"{names}: both are absent, so there is no score")
    return sources


def _source(table: Table, paths: list[Path], ledger: Ledger, declared: Declared) -> Source | None:
    frames, present, unused, absent, foreign = [], set(), set(), {}, 0
    empty = sum(path.stat().st_size == 0 for path in paths)
    ledger.note(table.name, empty, "file(s) are empty; left out")
    for path in paths:
        if path.stat().st_size == 0:
            continue
        raw = _open(path, table, ledger, declared)
        if raw is None:
            continue
        foreign += path.suffix.lower() == ".csv" and not _is_utf8(path)
        ours = _matched(raw.collect_schema().names(), table)
        unused |= {_plain(name) for name in raw.collect_schema().names()} - set(map(_plain, ours))
        for column in set(table.required) - set(ours):
            absent[column] = absent.get(column, 0) + 1
        present |= set(ours)
        frames.append(_cleaned(raw, ours, table))
    ledger.note(
        table.name, foreign, "file(s) are not UTF-8; read all the same, the codes are ASCII"
    )
    ledger.note(table.name, len(unused), "column(s) are not used here; ignored")
    for column in table.required:
        if column in absent:
            ledger.fatal.append(
                f"{table.name}: the column {column} is absent from {absent[column]} file(s)"
            )
    if table.needed and not frames:
        ledger.fatal.append(f"{table.name}: no file of it can be used")
    return Source(pl.concat(frames), frozenset(present)) if frames else None


def _open(path: Path, table: Table, ledger: Ledger, declared: Declared) -> pl.LazyFrame | None:
    if path.suffix.lower() == ".csv" and b"\0" in _header(path):
        ledger.fatal.append(f"{table.name}: {path.name} looks like UTF-16; save it as UTF-8")
        return None
    try:
        if path.suffix.lower() == ".parquet":
            frame = pl.scan_parquet(path)
        else:
            separator = _separator(path, table)
            frame = pl.scan_csv(
                path, infer_schema=False, encoding="utf8-lossy", separator=separator
            )
        ours = _matched(frame.collect_schema().names(), table)
        days = {theirs for name, theirs in ours.items() if "Date" in name}
        found = identifiers(frame.head(_SAMPLE), days)
    except (pl.exceptions.PolarsError, OSError):
        # the reader's own message may quote a cell
        ledger.fatal.append(f"{table.name}: {path.name} cannot be read as a table")
        return None
    for identifier in found:
        if identifier.name in declared.get(path.name, ()):
            continue
        known = _matched([identifier.name], table)
        named = identifier.text(True) if known else identifier.text(False)
        ledger.fatal.append(f"{table.name}: {named}")
    return frame


def _separator(path: Path, table: Table) -> str:
    """The one that makes most columns of the table out of the first line."""
    header = _header(path).decode("utf-8-sig", errors="replace")
    names = {s: [n.strip().strip('"') for n in header.split(s)] for s in ",|\t;"}
    return max(names, key=lambda s: len(_matched(names[s], table)))


def _header(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.readline(1 << 20)


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _matched(names: list[str], table: Table) -> dict[str, str]:
    """Our name of a column -> its name in the file; capitals and underscores do not count."""
    theirs: dict[str, str] = {}
    for name in names:
        theirs.setdefault(_plain(name), name)
    return {ours: theirs[_plain(ours)] for ours in table.columns if _plain(ours) in theirs}


def _cleaned(raw: pl.LazyFrame, ours: dict[str, str], table: Table) -> pl.LazyFrame:
    """The columns of `table` as trimmed text; absent ones, empty cells and NULL are null."""
    types = dict(raw.collect_schema())
    columns = []
    for name in table.columns:
        if name not in ours:
            columns.append(pl.lit(None, pl.String).alias(name))
            continue
        value = pl.col(ours[name])
        if types[ours[name]].is_float():
            # beyond 2^53 a float has lost digits, and its text shows that
            whole = pl.when(value.abs() < 2**53).then(value.cast(pl.Int64, strict=False))
            value = (
                pl.when(value == whole).then(whole.cast(pl.String)).otherwise(value.cast(pl.String))
            )
        text = value.cast(pl.String).str.strip_chars()
        columns.append(pl.when(~text.is_in(["", "NULL"])).then(text).alias(name))
    return raw.select(columns)


def collect(frames: list[pl.LazyFrame], table: Table) -> list[pl.DataFrame]:
    """Read, streaming.

    Raises
    ------
    DataError
        A file turns out to be broken.
    """
    try:
        return pl.collect_all(frames, engine="streaming")
    except (pl.exceptions.PolarsError, OSError):
        raise DataError(
            f"{table.name}: a file cannot be read to its end. A row may have more fields than the "
            "header, or a quotation mark may never be closed. Export the table again."
        ) from None
