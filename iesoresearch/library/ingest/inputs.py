"""Files beside a site's tables: identifiers of people, look-ups, transcripts, rules, scales."""

from pathlib import Path

import polars as pl

from iesoresearch.data import mapping
from iesoresearch.data.mapping import Source
from iesoresearch.data.mapping.reading import File, look
from iesoresearch.errors import DataError, ParameterError
from iesoresearch.library.deidentify import identity
from iesoresearch.library.deidentify.geography import Deciles
from iesoresearch.library.deidentify.unspilled import nothing_spilled
from iesoresearch.library.ingest.declared import DECILE, IDENTIFIERS, PATIENT, Declared
from iesoresearch.library.ingest.quiet import Quiet
from iesoresearch.measures.outcomes import OFFICIAL, Thresholds
from iesoresearch.measures.scales import Scale


def mapped(path: Path, folder: Path | None, declared: Declared) -> tuple[Source, Path]:
    """Tables of a site's own files, by its mapping, and the folder that they lie in.

    Parameters
    ----------
    path
        Of the mapping.
    folder
        Where the files are, if not where the mapping says.
    declared
        Which of their columns are identifiers.

    Raises
    ------
    ParameterError
        The mapping cannot be used, or waits for answers.
    DataError
        A file cannot be read to its end.
    """
    made = mapping.Mapping.read(path)
    if made.open_lines():
        raise ParameterError(
            "The mapping still waits for answers. Write them in place of each “?”, or delete the "
            "line."
        )
    folder = folder or Path(made.folder)
    with Quiet(folder).told(), nothing_spilled():
        return mapping.read("The data", made, folder, declared.by_file()), folder


class Files:
    """What is declared, and where it lies.

    Parameters
    ----------
    folder
        Of the data, where files are looked for first.
    declared
        What there is.
    people
        A further file of people, with our names of columns.
    """

    def __init__(self, folder: Path | None, declared: Declared, people: Path | None) -> None:
        self.folder, self.declared, self._people = folder, declared, people

    def people(self) -> identity.People:
        """Everybody's identifiers, in memory.

        Raises
        ------
        DataError
            A file or column is absent, or the files contradict each other.
        """
        frames = []
        if self._people is not None:
            file = _look(self._people, "The file of people")
            columns = {c: c for c in (PATIENT, *IDENTIFIERS) if c in file.columns}
            if PATIENT not in columns or len(columns) < 2 or len(columns) < len(file.columns):
                raise DataError(
                    f"The file of people must have a column {PATIENT} and some of "
                    f"{', '.join(IDENTIFIERS)}, and no other. Columns of other names are declared "
                    "in the file of --declare."
                )
            frames.append((_selected(file, columns, "The file of people"), []))
        for number, one in enumerate(self.declared.identifiers, start=1):
            what = f"File {number} of the identifiers that are declared"
            file = _look(self._find(one.file), what)
            chosen = _selected(file, one.columns, what)
            frames.append((chosen, one.dates.get("date_of_birth", [])))
        return identity.gathered(frames)

    def deciles(self) -> Deciles | None:
        """The look-up of deprivation, if there is one."""
        one, what = self.declared.deprivation, "The look-up of deprivation"
        if one is None:
            return None
        file = _look(self._find(one.file), what)
        usual = {c: c for c in ("lsoa", "postcode", DECILE) if c in file.columns}
        return Deciles.of(_selected(file, one.columns or usual, what))

    def transcripts(self) -> pl.LazyFrame:
        """What was said, as text."""
        one, what = self.declared.transcripts, "The file of transcripts"
        file = _look(self._find(one.file), what)
        columns = one.columns or {
            c: c for c in ("referral_id", "session", "position", "speaker", "text")
        }
        return _lazily(file, columns, what)

    def thresholds(self) -> Thresholds:
        """The official outcome rules, and the site's own."""
        name = self.declared.thresholds
        return OFFICIAL if name is None else Thresholds.read(self._find(name))

    def scales(self) -> dict[str, Scale]:
        """Scales of the site's own, by code."""
        name = self.declared.scales
        return {} if name is None else {s.code: s for s in Scale.read(self._find(name))}

    def _find(self, name: str) -> Path:
        if self.folder is not None and (self.folder / name).is_file():
            return self.folder / name
        return Path(name)


def _look(path: Path, what: str) -> File:
    try:
        return look(path)
    except DataError as error:
        raise DataError(str(error).replace(str(path), what)) from None


def _lazily(file: File, columns: dict[str, str], what: str) -> pl.LazyFrame:
    absent = [ours for ours, theirs in columns.items() if theirs not in file.columns]
    if absent:
        raise DataError(
            f"{what} has no column for {', '.join(absent)}. Correct the file of --declare, or the "
            "file itself; nothing was written."
        )
    return file.scan().select(pl.col(theirs).alias(ours) for ours, theirs in columns.items())


def _selected(file: File, columns: dict[str, str], what: str) -> pl.DataFrame:
    return _lazily(file, columns, what).collect()
