"""A partner's file: which separator, encoding and decimal sign it has, and its cells as text."""

import codecs
import csv
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from iesoresearch.errors import DataError

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|"}
ENCODINGS = ("utf-8", "windows-1252")
DECIMALS = {"point": ".", "comma": ","}
_BOMS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16"}
_SAMPLE = 1 << 16  # bytes looked at for separator and decimal sign
_BLOCK = 1 << 22


@dataclass(frozen=True)
class Layout:
    """How a text file is written; nothing of it matters for Parquet."""

    separator: str = "comma"
    encoding: str = "utf-8"
    decimal: str = "point"


@dataclass(frozen=True)
class File:
    """A file that can be read: where it is, how it is written and the names of its columns."""

    path: Path
    layout: Layout
    columns: tuple[str, ...]

    @property
    def is_parquet(self) -> bool:
        """Whether it knows its own layout."""
        return self.path.suffix.lower() == ".parquet"

    def scan(self) -> pl.LazyFrame:
        """Every cell as text, lazily."""
        if self.is_parquet:
            return _as_text(pl.scan_parquet(self.path))
        return pl.scan_csv(
            self.path,
            separator=SEPARATORS[self.layout.separator],
            # what polars cannot decode becomes a mark that the check of the keys looks for
            encoding="utf8" if self.layout.encoding == "utf-8" else "utf8-lossy",
            infer_schema=False,
            with_column_names=lambda _: list(self.columns),
        )

    def raw(self) -> pl.LazyFrame:
        """Parquet in its own types; text files as text."""
        return pl.scan_parquet(self.path) if self.is_parquet else self.scan()


def look(path: Path, layout: Layout | None = None) -> File:
    """Look at a file: guess its layout, unless it is given, and read the names of its columns.

    Raises
    ------
    DataError
        It is absent, empty, in another encoding than given, or no table.
    """
    if not path.is_file():
        raise DataError(f"{path} is not there, or is no file. Check the name.")
    try:
        if path.stat().st_size == 0:
            raise DataError(f"{path} is empty (0 bytes). Export it again.")
        if path.suffix.lower() == ".parquet":
            return File(path, Layout(), tuple(pl.scan_parquet(path).collect_schema()))
        return _look_at_text(path, layout)
    except (pl.exceptions.PolarsError, OSError):
        raise DataError(f"{path} cannot be read as a table. Is it complete?") from None


def _look_at_text(path: Path, layout: Layout | None) -> File:
    with path.open("rb") as stream:
        sample = stream.read(_SAMPLE)
    for bom, name in _BOMS.items():
        if sample.startswith(bom):
            raise DataError(f"{path} is in {name}. Save it again as “CSV UTF-8”.")
    if b"\0" in sample:
        raise DataError(f"{path} is no text: it may be a spreadsheet. Export it as CSV.")
    bad_line = _first_line_not_utf8(path)
    if layout is None:
        encoding = "utf-8" if bad_line is None else "windows-1252"
        layout = guess(sample.decode(encoding, errors="replace"), encoding)
    elif layout.encoding == "utf-8" and bad_line is not None:
        raise DataError(
            f"{path} is not UTF-8 from line {bad_line} on. Save it again as “CSV UTF-8”, or make a "
            "mapping with `iesoresearch site init`, which also reads windows-1252."
        )
    text = sample.decode(layout.encoding, errors="replace").removeprefix("\ufeff")
    rows = csv.reader(text.splitlines(), delimiter=SEPARATORS[layout.separator])
    columns = tuple(next(rows, []))
    doubles = [c for c, n in Counter(columns).items() if n > 1]
    if doubles:
        raise DataError(
            f"{path} has {len(doubles)} name(s) of columns more than once, or no header row. Give "
            "every column a name of its own."
        )
    return File(path, layout, columns)


def _first_line_not_utf8(path: Path) -> int | None:
    """Number of the first line that is not UTF-8; the file is read in blocks."""
    decoder, lines = codecs.getincrementaldecoder("utf-8")(), 1
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                return lines + block[: max(error.start, 0)].count(b"\n")
            lines += block.count(b"\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return lines
    return None


def guess(text: str, encoding: str) -> Layout:
    """Layout of a text from its first lines: the separator that cuts them most evenly."""
    lines = text.removeprefix("\ufeff").splitlines()[:200]
    if not text.endswith("\n") and len(lines) > 2:
        lines.pop()  # the sample may end within it
    best, separator = 1, "comma"
    for name, sign in SEPARATORS.items():
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=sign))
        width, n = widths.most_common(1)[0] if widths else (1, 0)
        if width > best and n >= 0.5 * len(lines):
            best, separator = width, name
    cells = [c for row in csv.reader(lines[1:], delimiter=SEPARATORS[separator]) for c in row]
    commas = sum(re.fullmatch(r" ?-?\d+,\d+ ?", c) is not None for c in cells)
    points = sum(re.fullmatch(r" ?-?\d+\.\d+ ?", c) is not None for c in cells)
    return Layout(separator, encoding, "comma" if commas > points else "point")


def _as_text(table: pl.LazyFrame) -> pl.LazyFrame:
    """Cells as they would be written in a CSV file; days without a time of day."""
    columns = []
    for name, kind in table.collect_schema().items():
        if kind.is_nested() or kind == pl.Binary:
            continue  # no column of the schema can come of it
        column = pl.col(name)
        columns.append(column.cast(pl.Date) if isinstance(kind, pl.Datetime) else column)
    return table.select(columns).select(pl.all().cast(pl.String))
