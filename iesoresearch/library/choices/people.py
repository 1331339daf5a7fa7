"""Files that name people: NHS numbers, or names with registered e-mail addresses.

What a file says of who somebody is becomes a keyed hash as it is read; nothing else of it is kept.
A line that cannot be read is counted, never shown. No message quotes a file: where the headings
should be there may be a patient.
"""

import csv
import io
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from iesoresearch.errors import DataError
from iesoresearch.library.choices import same_person
from iesoresearch.library.deidentify import pseudonyms

STDIN = Path("-")
#: How a person is known: by NHS number, or by name with registered e-mail.
NATIONAL, LOCAL = "national", "local"
#: A line of a file: its number, and its cells.
Line = tuple[int, list[str]]
#: A person as she is kept: how she is known, and the keyed hash.
KEYS = {"by": pl.String, "hash": pl.String}

_HEADINGS = {
    "nhs_number": {"nhs_number", "nhsnumber", "nhs_no", "nhs", "nhs_num"},
    "name": {"name", "full_name", "fullname", "patient_name"},
    "first_name": {"first_name", "firstname", "given_name", "forename", "given_names"},
    "last_name": {"last_name", "lastname", "family_name", "surname"},
    "email": {
        *("email", "e_mail", "email_address", "e_mail_address", "registered_email"),
        *("registered_e_mail", "registered_email_address", "registered_e_mail_address"),
    },
}
_TOLD = 20  # lines that are named
_SEPARATORS = ",;\t|"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class People:
    """Who a file names.

    Attributes
    ----------
    frame
        Columns `KEYS` and those asked for beside them; every row once.
    also
        Columns `KEYS`, and ``of``: further ways in which a line names the person whose hash in
        `frame` is ``of``; every row once.
    lines
        Numbers of the lines that do not say who is meant, or what about them.
    """

    frame: pl.DataFrame = field(repr=False)
    also: pl.DataFrame = field(repr=False)
    lines: tuple[int, ...] = ()

    @property
    def unreadable(self) -> int:
        """How many lines could not be read."""
        return len(self.lines)

    @property
    def keys(self) -> pl.DataFrame:
        """Every way in which the people are named, `KEYS`."""
        return pl.concat([self.frame.select(*KEYS), self.also.select(*KEYS)]).unique(
            maintain_order=True
        )

    def known(self, matching: pl.DataFrame) -> int:
        """How many of the people the library knows, in whatever way."""
        further = self.also.filter(same_person.is_known(matching, self.also))["of"]
        direct = same_person.is_known(matching, self.frame)
        return int((direct | self.frame["hash"].is_in(further.implode())).sum())


def unread(lines: Sequence[int]) -> str:
    """A sentence that names the lines that could not be read, not what stands there."""
    if not lines:
        return "Every line could be read."
    more = f" and {len(lines) - _TOLD:,} more" if len(lines) > _TOLD else ""
    return (
        f"{len(lines):,} line(s) could not be read: line {', '.join(map(str, lines[:_TOLD]))}{more}"
        "; whoever is meant there is not recorded."
    )


def text_of(path: Path) -> str:
    """What a file holds; ``-`` is standard input.

    UTF-8 and UTF-16 as they say themselves, else the code page of Western Windows.

    Raises
    ------
    DataError
        No such file, or nothing in it.
    """
    try:
        content = sys.stdin.buffer.read() if path == STDIN else path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror or error}). Name a file of people."
        ) from None
    text = _decoded(content)
    if not text.strip():
        raise _empty(path)
    return text


def _empty(path: Path) -> DataError:
    return DataError(
        f"{_name(path)} is empty. Nothing was changed: an empty file may be a broken one. Name a "
        "file with at least one line about somebody."
    )


def _decoded(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _name(path: Path) -> str:
    return "Standard input" if path == STDIN else str(path)


def numbers(library, path: Path) -> People:
    """NHS numbers, one in a line, or a column ``nhs_number`` of a table.

    Raises
    ------
    DataError
        Nothing to read, or the first line is neither a number nor a known heading.
    """
    return _numbers(library, path, _lines(path))


def anyone(library, path: Path) -> People:
    """People by NHS number, as `numbers`, or by name and e-mail, or some so and some so.

    Raises
    ------
    DataError
        Nothing to read, or the headings are absent.
    """
    lines = _lines(path)
    if _digits(lines[0][1]):
        return _numbers(library, path, lines)
    return _named(library, path, lines, (NATIONAL, LOCAL), {})


def _numbers(library, path: Path, lines: list[Line]) -> People:
    first = lines[0][1]
    place = _place([_plain(cell) for cell in first], "nhs_number")
    if place is None and not _digits(first):
        raise DataError(
            f"{_name(path)}: the first line is neither an NHS number nor a heading that is known. "
            "Nothing was read. Head the column nhs_number, or leave the heading out."
        )
    if place is None:
        cells = [(n, next((cell for cell in line if cell.strip()), "")) for n, line in lines]
    else:
        cells = [(n, _at(line, place)) for n, line in lines[1:]]
    if not cells:
        raise _empty(path)
    hashes = [(n, pseudonyms.national_hash(library, cell)) for n, cell in cells]
    keys = [[(NATIONAL, one)] for _, one in hashes if one]
    return _people(keys, {}, [n for n, one in hashes if not one])


def _digits(line: Sequence[str]) -> bool:
    """Whether a line without known heading can be a number, be it one with a slip in it."""
    filled = [cell for cell in line if cell.strip()]
    return len(filled) == 1 and not re.search(r"[^\W\d_]", filled[0])


def named(
    library,
    path: Path,
    *,
    known_by: Sequence[str] = (LOCAL,),
    more: dict[str, Callable] | None = None,
) -> People:
    """People of a table with headings.

    Parameters
    ----------
    library
        Whose secrets make the hashes.
    path
        CSV, also with semicolons or tabs: ``name`` (or ``first_name`` and ``last_name``) and
        ``email``; ``nhs_number``, which goes first, where `known_by` has `NATIONAL`.
    known_by
        What may say who is meant.
    more
        Further columns, by heading: what makes a value of a cell, and raises ValueError for one
        that cannot be read.

    Raises
    ------
    DataError
        Nothing to read, a needed column is absent, or another is there whose meaning nobody knows.
    """
    return _named(library, path, _lines(path), known_by, more or {})


def _named(library, path: Path, lines: list[Line], known_by, more) -> People:
    places = _places(path, lines[0][1], known_by, more)
    if not lines[1:]:
        raise _empty(path)
    keys, values, unread = [], {name: [] for name in more}, []
    for n, line in lines[1:]:
        try:
            cells = {name: make(_at(line, places[name])) for name, make in more.items()}
        except ValueError:
            unread.append(n)
            continue
        found, whole = _keys(library, {m: _at(line, p) for m, p in places.items()}, known_by)
        if not whole:
            unread.append(n)
        if found:
            keys.append(found)
            for name, value in cells.items():
                values[name].append(value)
    return _people(keys, values, unread)


def day(cell: str) -> date:
    """A day as year-month-day; no other order, because it would be guessed.

    Raises
    ------
    ValueError
        It is none.
    """
    if not _DAY.fullmatch(cell):
        raise ValueError("no day")
    return date.fromisoformat(cell)


def day_or_none(cell: str) -> date | None:
    """As `day`; nothing is None."""
    return day(cell) if cell else None


def _lines(path: Path) -> list[Line]:
    text = text_of(path)
    first = next(line for line in text.splitlines() if line.strip())
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    try:
        lines = [(reader.line_num, line) for line in reader]
    except csv.Error:
        raise DataError(
            f"{_name(path)} is no table of text. Save it as CSV, and name it again."
        ) from None
    _refuse_open_quotes(path, lines)
    return [(n, line) for n, line in lines if any(cell.strip() for cell in line)]


def _refuse_open_quotes(path: Path, lines: list[Line]) -> None:
    """A quotation mark that is opened and not closed swallows the lines that follow."""
    before = 0
    for n, line in lines:
        if any("\n" in cell.strip() or "\r" in cell.strip() for cell in line):
            raise DataError(
                f"{_name(path)}: a quotation mark is opened in line {before + 1} and not closed "
                "there, so that the lines after it would be lost. Nothing was read. Close or take "
                "out the mark, and name the file again."
            )
        before = n


def _plain(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", heading.strip().casefold()).strip("_")


def _place(headings: Sequence[str], name: str) -> int | None:
    known = _HEADINGS.get(name, {name})
    return next((i for i, heading in enumerate(headings) if heading in known), None)


def _at(line: Sequence[str], place: int) -> str:
    return line[place].strip() if place < len(line) else ""


def _places(path, first: Sequence[str], known_by, more) -> dict[str, int]:
    """Where each column is; strict, so that no column is misread and none kept unasked."""
    headings = [_plain(cell) for cell in first]
    places = {name: _place(headings, name) for name in (*_HEADINGS, *more)}
    found = {name: place for name, place in places.items() if place is not None}
    local = "email" in found and ("name" in found or {"first_name", "last_name"} <= set(found))
    identified = (LOCAL in known_by and local) or (NATIONAL in known_by and "nhs_number" in found)
    absent = [name for name in more if name not in found]
    strange = [str(i + 1) for i, h in enumerate(headings) if h and i not in found.values()]
    wanted = " or ".join(
        {NATIONAL: "nhs_number", LOCAL: "name and email"}[kind] for kind in known_by
    )
    if not identified or absent or (more and strange):
        columns = ", ".join([wanted, *more])
        extra = f" Take out column {', '.join(strange)}." if more and strange else ""
        raise DataError(
            f"{_name(path)}: the first line must hold the headings {columns}. Nothing was read; "
            f"what stands there is not repeated here, for it may be a patient.{extra} Head the "
            "columns so, in English, and name the file again."
        )
    return found


def _keys(library, cells: dict[str, str], known_by) -> tuple[list[tuple[str, str]], bool]:
    """Every way in which a line names somebody, the way that goes first first; and if it is whole.

    Where a number goes first, a wrong one is not made good by a name: it may be somebody else's.
    """
    name = cells.get("name") or f"{cells.get('first_name', '')} {cells.get('last_name', '')}"
    hashes = {
        NATIONAL: pseudonyms.national_hash(library, cells.get("nhs_number", "")),
        LOCAL: pseudonyms.local_hash(library, name, cells.get("email", "")),
    }
    wrong = bool(cells.get("nhs_number")) and hashes[NATIONAL] is None
    if wrong and NATIONAL in known_by:
        return [], False
    order = (NATIONAL, LOCAL) if NATIONAL in known_by else (LOCAL, NATIONAL)
    found = [(way, hashes[way]) for way in order if hashes[way]]
    return found, bool(found) and not wrong


def _people(
    keys: list[list[tuple[str, str]]], values: dict[str, list], unread: list[int]
) -> People:
    """People of lines, each with every key it has and its further values."""
    frame = pl.DataFrame(
        {
            "by": pl.Series([ways[0][0] for ways in keys], dtype=pl.String),
            "hash": pl.Series([ways[0][1] for ways in keys], dtype=pl.String),
            **{name: pl.Series(column) for name, column in values.items()},
        }
    )
    rows = [(*way, ways[0][1]) for ways in keys for way in ways[1:]]
    also = pl.DataFrame(rows, schema=KEYS | {"of": pl.String}, orient="row")
    return People(
        frame.unique(maintain_order=True), also.unique(maintain_order=True), tuple(unread)
    )
