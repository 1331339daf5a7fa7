"""Messages of an ingest, without names of files that a site chose and without identifiers.

A file may be called after a patient.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from iesoresearch.data.locate import TABLE_NAMES
from iesoresearch.errors import DataError, IesoError
from iesoresearch.library.deidentify.words import without_identifiers

_OURS = {f"{name}{suffix}" for name in TABLE_NAMES for suffix in (".csv", ".parquet")}


class Quiet:
    """Says of files where they stand, not what they are called.

    Parameters
    ----------
    folder
        Of the data; its files are numbered in alphabetical order.
    *others
        Further files.
    """

    def __init__(self, folder: Path | None, *others: Path | None) -> None:
        words: dict[str, str] = {}
        files = sorted(folder.rglob("*")) if folder is not None and folder.is_dir() else []
        for number, path in enumerate((f for f in files if f.is_file()), start=1):
            if path.name not in _OURS:
                words[path.name] = f"file {number} of the folder"
        for path in others:
            if path is not None:
                words |= {str(path): "the file of people", path.name: "the file of people"}
        if folder is not None:
            places = {str(folder), str(folder.resolve())}
            # a word such as "data", or ".", is found in our own sentences
            places = {place for place in places if not re.fullmatch(r"[a-z.]*", place)}
            words |= {f"{place}/": "" for place in places}
            words |= dict.fromkeys(places, "the folder of the data")
        # the longest first: a path before the name at its end
        self._words = sorted(words.items(), key=lambda pair: -len(pair[0]))

    def text(self, text: str) -> str:
        """The same, with nothing in it that a site wrote."""
        for word, instead in self._words:
            text = text.replace(word, instead) if word else text
        return without_identifiers(text)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Within it an expected failure says nothing that a site wrote.

        Raises
        ------
        DataError
            A file cannot be read to its end.
        """
        try:
            yield
        except IesoError as error:
            raise type(error)(self.text(str(error))) from None
        except pl.exceptions.PolarsError:
            raise DataError(
                "A file cannot be read to its end as the table it should be. Check the files with "
                "`iesoresearch data check`; nothing was written."
            ) from None
