"""Declarations of columns and tables as JSON and back: which people a number is about.

A field that is as usual is not written, so a new field of `Value` or `Table` needs no word here.
"""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any

import polars as pl

from iesoresearch.results import Number, Table, Value

#: Layout of result.json; 1 had no word for it, and too little in it to be read back.
FORMAT = 2

_DTYPES = {
    str(dtype): dtype
    for dtype in (
        *(pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64),
        *(pl.Float32, pl.Float64, pl.String, pl.Boolean, pl.Date, pl.Null, pl.Categorical),
    )
}
#: Fields that are always written, each in a way of its own, or never.
_APART = {
    Value: {"label", "kind", "digits", "derive"},
    Table: {"title", "keys", "values", "frame", "broader"},
    Number: {"value", "n", "unit", "kind", "digits", "sensitivity", "status", "derive"},
}


def dtype_json(dtype: pl.DataType) -> str | list[str]:
    """Type of a column; of an Enum, its categories.

    Raises
    ------
    ValueError
        A CSV file cannot hold such a column.
    """
    if isinstance(dtype, pl.Enum):
        return dtype.categories.to_list()
    name = str(dtype.base_type())
    if name not in _DTYPES:
        raise ValueError(f"A table of results cannot hold a column of type {dtype}.")
    return name


def dtype_of(said: str | list[str]) -> pl.DataType:
    """The type that `dtype_json` wrote."""
    return pl.Enum(said) if isinstance(said, list) else _DTYPES[said]()


def further(declared: Value | Table | Number) -> dict[str, Any]:
    """Fields of a declaration that are not as usual; tuples as lists."""
    return {
        f.name: _plain(getattr(declared, f.name))
        for f in _fields(declared)
        if getattr(declared, f.name) != _usual(f)
    }


def taken(kind: type, said: Mapping[str, Any], written: set[str]) -> dict[str, Any]:
    """Arguments that give a declaration of `kind` the fields that `further` wrote.

    Parameters
    ----------
    kind
        `Value`, `Table` or `Number`.
    said
        Its JSON.
    written
        What else is in it.

    Raises
    ------
    LookupError
        `said` has a field that this version does not know.
    """
    known = {f.name for f in _fields(kind)}
    unknown = said.keys() - known - written
    if unknown:
        raise LookupError(sorted(unknown)[0])
    return {name: _frozen(said[name]) for name in known & said.keys()}


def broader_json(table: Table) -> list[list]:
    """Rows of a table with the rows that each is a part of."""
    return [[list(row), [list(whole) for whole in wholes]] for row, wholes in table.broader.items()]


def broader_of(said: list[list]) -> dict[tuple, tuple[tuple, ...]]:
    """What `broader_json` wrote."""
    return {tuple(row): tuple(tuple(whole) for whole in wholes) for row, wholes in said}


def _fields(declared) -> list[Field]:
    kind = declared if isinstance(declared, type) else type(declared)
    return [f for f in fields(kind) if f.name not in _APART[kind]]


def _usual(f: Field) -> Any:
    return f.default if f.default_factory is MISSING else f.default_factory()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list | frozenset):
        return [_plain(item) for item in (sorted(value) if isinstance(value, frozenset) else value)]
    return value


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _frozen(item) for key, item in value.items()}
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
