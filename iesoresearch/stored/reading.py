"""Read back a result that was written as files."""

import csv
import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any, get_args

import polars as pl

from iesoresearch.errors import DataError
from iesoresearch.results import (
    Check,
    FigureSpec,
    Kind,
    Number,
    Result,
    Sensitivity,
    Table,
    Value,
)
from iesoresearch.stored import declared

_NUMBER = {
    *("value", "text", "unit", "n", "sensitivity", "status", "tolerance", "kind", "digits"),
}
_TABLE = {"title", "keys", "values", "broader", "types", "blank"}
_VALUE = {"label", "digits", "kind"}
_VALUES = (int, float, str, type(None))
_MOST_DIGITS = 17  # a double has no more
#: What reading a file that somebody changed may raise.
_DAMAGED = (
    *(OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError),
    *(RecursionError, csv.Error, pl.exceptions.PolarsError),
)


def read_result(folder: Path) -> Result:
    """The released result that `write_result` wrote below `folder`.

    Its documents copy the files that are there; rows of patients (`Result.private`) are not read.
    Whether the files are as they were written is asked apart (`iesoresearch.files.read_status`).

    Raises
    ------
    DataError
        A file is absent or damaged, or was written by another version.
    """
    try:
        described = _json(folder / "result.json")
        if described.get("format") != declared.FORMAT:
            raise LookupError("format")
        return Result(
            tables={n: _table(folder, n, said) for n, said in described["tables"].items()},
            numbers={n: _number(said) for n, said in _json(folder / "numbers.json").items()},
            checks=[
                Check(said["name"], said["status"], said.get("template", said["sentence"]))
                for said in _json(folder / "checks.json")
            ],
            text=described["text"] | described["templates"]["text"],
            figures={n: _figure(n, said, described) for n, said in described["figures"].items()},
            not_applicable=described["not_applicable"],
            documents={n: partial(_copy, folder / _plain_name(n)) for n in described["documents"]},
            provenance=described["provenance"],
            evidence=described["evidence"] | described["templates"]["evidence"],
            checklist=described.get("checklist", "tripod"),
        )
    except _DAMAGED:
        raise DataError(
            f"The result in {folder.name} cannot be read: a file of it is absent or damaged, or it "
            "was written by another version of iesoresearch. Run it again with this one: "
            f"iesoresearch run {folder.name}"
        ) from None


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _number(said: dict[str, Any]) -> Number:
    names = ("value", "n", "unit", "digits", "kind", "sensitivity", "status")
    _refuse_unknown(said)
    if not isinstance(said["value"], _VALUES) or not isinstance(said["n"], int | None):
        raise TypeError(said["kind"])
    return Number(**{name: said[name] for name in names}, **declared.taken(Number, said, _NUMBER))


def _figure(name: str, said: dict[str, Any], described: dict[str, Any]) -> FigureSpec:
    _plain_name(name)
    if said["table"] not in described["tables"]:
        raise LookupError(said["table"])
    return FigureSpec(said["table"], said["title"], said.get("template", said["caption"]))


def _table(folder: Path, name: str, said: dict[str, Any]) -> Table:
    return Table(
        title=said["title"],
        frame=_frame(folder / "tables" / f"{_plain_name(name)}.csv", said),
        keys=said["keys"],
        values={column: _value(value) for column, value in said["values"].items()},
        broader=declared.broader_of(said.get("broader", [])),
        **declared.taken(Table, said, _TABLE),
    )


def _value(said: dict[str, Any]) -> Value:
    _refuse_unknown(said)
    more = declared.taken(Value, said, _VALUE)
    return Value(said["kind"], said["label"], said["digits"], **more)


def _refuse_unknown(said: dict[str, Any]) -> None:
    """What disclosure control goes by must be one of its words, or it would be passed over."""
    if said["kind"] not in get_args(Kind) or not 0 <= said["digits"] <= _MOST_DIGITS:
        raise ValueError(said["kind"])
    if said.get("sensitivity", "patient") not in get_args(Sensitivity):
        raise ValueError(said["sensitivity"])


def _frame(path: Path, said: dict[str, Any]) -> pl.DataFrame:
    """The frame of a table; the file must have exactly the columns that are described."""
    with path.open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream)
    types = {column: declared.dtype_of(word) for column, word in said["types"].items()}
    if header != list(types) or any(len(row) != len(header) for row in rows):
        raise ValueError(path.name)
    blank = {c: set(at) for c, at in said.get("blank", {}).items()}
    columns = {
        column: _column([row[at] for row in rows], types[column], blank.get(column, set()))
        for at, column in enumerate(header)
    }
    return pl.DataFrame(columns, schema=types)


def _column(cells: list[str], dtype: pl.DataType, blank: set[int]) -> pl.Series:
    found = [c if c or i in blank else None for i, c in enumerate(cells)]
    if dtype == pl.Boolean:
        words = {"True": True, "False": False, None: None}
        return pl.Series([words[cell] for cell in found], dtype=dtype)
    if dtype == pl.Null:
        return pl.Series([None] * len(cells), dtype=dtype)
    if dtype.is_float():
        # Python's own reading: exactly the number whose shortest form was written
        return pl.Series([None if c is None else float(c) for c in found], dtype=dtype)
    words = pl.Series(found, dtype=pl.String)
    return words.str.to_date("%Y-%m-%d") if dtype == pl.Date else words.cast(dtype)


def _plain_name(name: str) -> str:
    """A name that leads nowhere else."""
    if name != Path(name).name or name in {"", ".", ".."}:
        raise ValueError(name)
    return name


def _copy(source: Path, _: Result, target: Path) -> None:
    if source.resolve() != target.resolve():
        shutil.copyfile(source, target)
