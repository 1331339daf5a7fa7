"""Data dictionary of an extract: what its columns are, and what was done to them."""

from typing import Any

from iesoresearch.data import dictionary
from iesoresearch.data.shifted import MOST
from iesoresearch.library.extract import generalise
from iesoresearch.library.extract.needs import PSEUDONYMS

_SHIFTED = f"shifted by up to {MOST} days, by the same days for all dates of a patient"
_REKEYED = "made for this extract: the same in all its tables, and in no other extract"


def of(tables: dict[str, list[str]], chosen: dict[str, str]) -> list[dict[str, str]]:
    """One entry per column that is given.

    Returns
    -------
    list of dict
        ``table``, ``column``, ``type``, ``allowed``, ``meaning``, and ``changed``: what was done
        to the values, empty where nothing was.
    """
    return [
        {
            "table": e.table,
            "column": e.column,
            "type": e.type,
            "allowed": e.allowed,
            "meaning": e.meaning,
            "changed": _changed(e, chosen),
        }
        for e in dictionary.entries()
        if e.column in tables.get(e.table, ()) and chosen.get(e.column) != generalise.NONE
    ]


def says_shifted(columns: list[dict[str, Any]]) -> bool:
    """Whether the dictionary of an extract says that its dates are shifted."""
    return any(entry["changed"].startswith("shifted") for entry in columns)


def _changed(entry: dictionary.Entry, chosen: dict[str, str]) -> str:
    if entry.column in PSEUDONYMS:
        return _REKEYED
    if entry.type.startswith("date"):
        return _SHIFTED
    return generalise.words(chosen[entry.column]) if entry.column in chosen else ""
