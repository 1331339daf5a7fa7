"""What an organisation holds already: its extracts that the log does not call destroyed.

An extract that has expired counts: nobody knows of a copy that was opened. Names of organisations
are compared without case, accents, punctuation and small words, in whatever order their words are;
a name that says more between commas ("University of X, Department of Y") is the same organisation.
Two departments, each with the name of its university, are two, and so are a name and its short
form: who else holds extracts is said, so that the reader finds what this does not.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from iesoresearch.library.extract import generalise
from iesoresearch.library.extract.agreement import Agreement
from iesoresearch.library.extract.generalise import given, in_words
from iesoresearch.library.extract.purposes import plain_words
from iesoresearch.library.extract.quasi import QUASI_IDENTIFIERS
from iesoresearch.library.register.uses import DESTROYED

_SMALL = {"and", "for", "limited", "ltd", "of", "the"}


@dataclass(frozen=True)
class Earlier:
    """An extract that was given before, as far as it tells patients apart.

    Attributes
    ----------
    extract_id, day
        Its name, and the day it was made.
    levels
        Of each of its quasi-identifiers; `generalise.AS_STORED` where it was not made coarser.
    columns
        All its columns.
    sensitive
        Columns that its agreement calls sensitive.
    k, l, l_entropy
        Limits of its agreement.
    told
        Whether the log says how fine its columns are.
    """

    extract_id: str
    day: str
    levels: dict[str, str]
    columns: frozenset[str] = frozenset()
    sensitive: tuple[str, ...] = ()
    k: int = 0
    l: int = 1  # noqa: E741 - its name in the literature
    l_entropy: float = 1.0
    told: bool = True

    def __str__(self) -> str:
        """Name, day, and columns with their levels."""
        told = ", ".join(in_words(c, level) for c, level in self.levels.items())
        return f"{self.extract_id} of {self.day} ({told or 'no column to know somebody by'})"


def described(tables: Mapping[str, list[str]], agreement: Agreement) -> dict[str, Any]:
    """What the line of the log keeps of an extract, for the next one to the same organisation.

    Parameters
    ----------
    tables
        Columns that were given.
    agreement
        Of the extract.
    """
    return {
        "levels": given(tables, agreement.generalise),
        "sensitive": agreement.limits.sensitive,
        "k": str(agreement.limits.k),
        "l": str(agreement.limits.l),
        "l_entropy": str(agreement.limits.l_entropy),
    }


def held(library, organisation: str, on: date) -> list[Earlier]:
    """Extracts that an organisation still holds, oldest first.

    Of lines that older versions wrote it is assumed that columns are as they are stored; where a
    line tells no columns, every quasi-identifier.

    Parameters
    ----------
    library
        Open; its log is verified.
    organisation
        The recipient.
    on
        The day whose destructions count.
    """
    return [_earlier(e) for e in _there(library, on) if same(_recipient(e), organisation)]


def others(library, organisation: str, on: date) -> list[str]:
    """Names of the other organisations that still hold extracts, as their agreements have them."""
    names = {_recipient(e) for e in _there(library, on)}
    return sorted(name for name in names if not same(name, organisation))


def _there(library, on: date) -> list[Mapping[str, Any]]:
    """Lines of the extracts that are not destroyed."""
    entries = library.log()
    gone = {
        e["details"]["extract_id"]
        for e in entries
        if e["what"] == DESTROYED and date.fromisoformat(e["details"]["on"]) <= on
    }
    return [e for e in entries if e["what"] == "extract" and _name(e) not in gone]


def _recipient(entry: Mapping[str, Any]) -> str:
    return str(entry["details"].get("recipient", ""))


def same(one: str, other: str) -> bool:
    """Whether two names are taken for one organisation."""
    first, second = _parts(one), _parts(other)
    return first <= second or second <= first


def _parts(name: str) -> set[str]:
    plain = (plain_words(part.replace("&", " and "))[0] for part in re.split(r"[,;()]", name))
    kept = ("".join(w for w in words.split() if w not in _SMALL) for words in plain)
    return {"".join(sorted(letters)) for letters in kept} - {""}


def _name(entry: Mapping[str, Any]) -> str:
    return str(entry["details"].get("extract_id", entry["n"]))


def _earlier(entry: Mapping[str, Any]) -> Earlier:
    said = entry["details"]
    tables = said.get("tables")
    if tables is None:
        tables = {t: list(QUASI_IDENTIFIERS) for t in QUASI_IDENTIFIERS.values()}
    # a level that is known no more may have been a finer one
    known = {c: v for c, v in said.get("levels", {}).items() if v in generalise.levels(c)}
    return Earlier(
        _name(entry),
        entry["when"][:10],
        given(tables, known),
        frozenset(c for columns in tables.values() for c in columns),
        tuple(said.get("sensitive", ())),
        int(said.get("k", 0)),
        int(said.get("l", 1)),
        float(said.get("l_entropy", 1)),
        "levels" in said,
    )
