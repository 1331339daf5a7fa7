"""Data dictionary of an extract: what its columns are, and what was done to them."""

from iesoresearch.data import dictionary
from iesoresearch.library.extract import generalise
from iesoresearch.library.extract.needs import PSEUDONYMS

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
            "changed": _changed(e.column, chosen),
        }
        for e in dictionary.entries()
        if e.column in tables.get(e.table, ()) and chosen.get(e.column) != generalise.NONE
    ]


def _changed(column: str, chosen: dict[str, str]) -> str:
    if column in PSEUDONYMS:
        return _REKEYED
    return generalise.words(chosen[column]) if column in chosen else ""
