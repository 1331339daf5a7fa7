"""Cycles of NHANES: their names, and which files on the search path hold them.

Imports nothing heavy. No list of cycles is kept: a cycle is known by the column SDDSRVYR of its own
demographics file, so one that CDC publishes after this was written is read like any other.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from iesoresearch.data import transport
from iesoresearch.errors import DataError, NotApplicable, ParameterError

PUBLISHED = "https://wwwn.cdc.gov/nchs/nhanes/"
PACKAGED = 2017  # first year of the cycle that the package ``nhanes`` carries
_BEFORE_FIRST = 1997  # first year of a cycle = this + 2 * SDDSRVYR
_CDC = re.compile(r"(dpq|demo)_([a-z])\.xpt", re.IGNORECASE)
_COMBINED = re.compile(r"nhanes_phq9_\d{4}_\d{4}\.parquet", re.IGNORECASE)
_YEARS = re.compile(r"(\d{4})-(\d{4})")


@dataclass(frozen=True)
class Name:
    """How a cycle was asked for: by years, or by CDC's letter.

    Attributes
    ----------
    text
        As it was written.
    letter
        CDC's letter in the names of its files; for years, the letter that is next in the alphabet
        if CDC goes on as before.
    first_year
        None where a letter was given: only the files know.
    """

    text: str
    letter: str
    first_year: int | None

    @property
    def likely_year(self) -> int:
        """First year, for a letter the one that is next if CDC goes on as before."""
        return self.first_year or _BEFORE_FIRST + 2 * (ord(self.letter) - ord("A") + 1)


@dataclass(frozen=True)
class Found:
    """Where a cycle lies.

    Attributes
    ----------
    first_year
        2017 for 2017-2018.
    files
        DPQ and DEMO as CDC publishes them, or one Parquet file of several cycles; none where the
        package ``nhanes`` is read.
    """

    first_year: int
    files: tuple[Path, ...]

    @property
    def years(self) -> str:
        """Such as 2017-18."""
        return f"{self.first_year}-{(self.first_year + 1) % 100:02d}"


def named(text: str) -> Name:
    """The cycle called `text`: years such as 2017-2018, or CDC's letter such as J.

    Raises
    ------
    ParameterError
        It is neither.
    """
    written = str(text).strip()
    if re.fullmatch("[A-Za-z]", written):
        return Name(written, written.upper(), None)
    years = _YEARS.fullmatch(written)
    if years:
        first, last = int(years[1]), int(years[2])
        place = (first - _BEFORE_FIRST) // 2
        # 2021-2023 took three years
        if (first - _BEFORE_FIRST) % 2 == 0 and 1 <= place <= 26 and last - first in (1, 2):
            return Name(written, chr(ord("A") + place - 1), first)
    raise ParameterError(
        f"{text!r} is no NHANES cycle. Name one by its years, such as 2017-2018 (the first is odd, "
        "from 1999 on), or by CDC's letter, such as J."
    )


def find(names: Iterable[str], search_path: tuple[Path, ...], weighted: bool) -> list[Found]:
    """Files of the cycles called `names`, in order of their years.

    Any folder below the search path may hold them. CDC's own pair of DPQ and DEMO is preferred,
    then the combined Parquet file, then, if no weights are wanted, the package ``nhanes``. Of files
    of the same name the first counts, folders of the search path in their order and
    alphabetically within.

    Raises
    ------
    ParameterError
        A name is none, or two of them are the same cycle.
    DataError
        A cycle is nowhere, or its files do not fit together.
    """
    shelf = _Shelf.of(search_path)
    found: dict[int, Found] = {}
    for name in (named(text) for text in names):
        cycle = shelf.pair(name) or shelf.combined(name)
        if cycle is None and not weighted and name.likely_year == PACKAGED:
            cycle = Found(PACKAGED, ())
        if cycle is None:
            raise NotApplicable(shelf.absent(name, weighted))
        if cycle.first_year in found:
            raise ParameterError(f"The NHANES cycle {name.text} is named twice. Name it once.")
        found[cycle.first_year] = cycle
    if not found:
        raise ParameterError("No NHANES cycle is named. Name at least one, such as 2017-2018.")
    return [found[year] for year in sorted(found)]


@dataclass(frozen=True)
class _Shelf:
    """Files of the search path that may hold a cycle: by kind and letter, and combined ones."""

    search_path: tuple[Path, ...]
    cdc: dict[tuple[str, str], Path]
    parquet: tuple[Path, ...]

    @classmethod
    def of(cls, search_path: tuple[Path, ...]) -> "_Shelf":
        cdc: dict[tuple[str, str], Path] = {}
        parquet = []
        for path in _walk(search_path):
            match = _CDC.fullmatch(path.name)
            if match:
                cdc.setdefault((match[1].upper(), match[2].upper()), path)
            elif _COMBINED.fullmatch(path.name):
                parquet.append(path)
        return cls(search_path, cdc, tuple(parquet))

    def pair(self, name: Name) -> Found | None:
        """DPQ and DEMO of the cycle; the year is what DEMO says."""
        letters = sorted(letter for kind, letter in self.cdc if kind == "DPQ")
        if name.first_year is None:
            letters = [letter for letter in letters if letter == name.letter]
        for letter in sorted(letters, key=lambda x: x != name.letter):  # the likely one first
            demo = self.cdc.get(("DEMO", letter))
            if demo is None:
                continue
            try:
                first_year = _first_year(demo)
            except DataError:
                if letter == name.letter:
                    raise
                continue  # a damaged file of another cycle
            if name.first_year in (None, first_year):
                return Found(first_year, (self.cdc["DPQ", letter], demo))
        return None

    def combined(self, name: Name) -> Found | None:
        """The first Parquet file that holds the cycle."""
        for path in self.parquet:
            if name.likely_year in _years_of(path):
                return Found(name.likely_year, (path,))
        return None

    def absent(self, name: Name, weighted: bool) -> str:
        """What was looked for, and what is there."""
        what = " with its survey weights" if weighted else ""
        looked = ", ".join(str(folder) for folder in self.search_path) or "no folder was given"
        wanted = [f"{kind}_{name.letter}.XPT" for kind in ("DPQ", "DEMO")]
        there = [self.cdc[key].name for key in sorted(self.cdc)]
        there += [path.name for path in self.parquet]
        return (
            f"NHANES {name.text}{what} was not found. Looked for {wanted[0]} with {wanted[1]}, and "
            "for a combined nhanes_phq9_2007_2018.parquet that holds the cycle, in any folder "
            f"below: {looked}. Files of NHANES that are there: {', '.join(there) or 'none'}. "
            f"Download both from {PUBLISHED} and name their folder with --data DIR."
        )


def _walk(search_path: tuple[Path, ...]) -> Iterable[Path]:
    for top in search_path:
        for folder, below, names in os.walk(top):
            below.sort()
            yield from (Path(folder, name) for name in sorted(names))


def _first_year(demo: Path) -> int:
    number = transport.first_number(demo, "SDDSRVYR")
    if number is None or not 1 <= round(number) <= 50:
        raise DataError(
            f"{demo} names no survey cycle of two years in its column SDDSRVYR. Use the "
            f"demographics file of one cycle, as published at {PUBLISHED}."
        )
    return _BEFORE_FIRST + 2 * round(number)


def _years_of(path: Path) -> set[int]:
    """First years of the cycles in a combined Parquet file."""
    import polars as pl  # needed only where there is such a file

    try:
        names = pl.scan_parquet(path).select(pl.col("cycle").cast(pl.String).unique()).collect()
    except (OSError, pl.exceptions.PolarsError):
        raise DataError(
            f"{path} cannot be read as a Parquet file with a column cycle. Take it out of the "
            "search path, or restore it."
        ) from None
    matches = [_YEARS.fullmatch(name) for name in names["cycle"].drop_nulls()]
    return {int(match[1]) for match in matches if match}
