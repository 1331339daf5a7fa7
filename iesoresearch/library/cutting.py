"""Tables of an extract: the columns agreed to, of the patients selected, under new pseudonyms.

Rows are put in the order of the new pseudonyms: in the order of the library, rows of two extracts
could be laid side by side. Big tables are held as numbers (a referral is its place in the new
order) and given out slice by slice, so that memory is that of the answers, not of the pseudonyms.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import polars as pl

from iesoresearch.data.schema import TABLES
from iesoresearch.library import generalise, identifiability
from iesoresearch.library.needs import LINKS
from iesoresearch.library.rekeying import Pseudonyms
from iesoresearch.library.selection import Selected, read

_SLICES = 16
_PLACE = "place of the referral"


class Cut:
    """The tables of one extract.

    Parameters
    ----------
    reader
        A library, or a draft of one.
    selected
        Whose records.
    tables
        Columns agreed to, by table.
    chosen
        Generalisations.
    """

    def __init__(
        self, reader, selected: Selected, tables: dict[str, list[str]], chosen: dict[str, str]
    ):
        self._reader, self._selected, self._chosen = reader, selected, chosen
        self._pseudonyms = Pseudonyms()
        self.tables = {
            table: [
                c
                for c in TABLES[table].column_names()
                if c in (*LINKS, *tables[table]) and chosen.get(c) != generalise.NONE
            ]
            for table in TABLES
            if table in tables and (reader.has(table) or table not in ("scores", "content"))
        }
        self._people = self._numbered()
        self.alone_in_course: int | None = None
        self.heights: dict[str, int] = {}

    def _numbered(self) -> pl.DataFrame:
        """Old and new pseudonyms of every referral, in the order of the new ones."""
        rows = self._selected.referrals.select(LINKS)
        patients = self._selected.patients.select("patient_id").with_columns(
            new_patient=self._pseudonyms.of("patient_id", self._selected.patients["patient_id"])
        )
        rows = rows.join(patients, on="patient_id", how="left", maintain_order="left")
        made = self._pseudonyms.of("referral_id", rows["referral_id"]).alias("new_referral")
        return rows.with_columns(made).sort("new_referral").with_row_index(_PLACE)

    def slices(self, table: str) -> Iterator[pl.DataFrame]:
        """A table, piece by piece in the new order; codes as words, ids as text."""
        self.heights[table] = 0
        for piece in self._pieces(table):
            self.heights[table] += piece.height
            words = [c for c, t in piece.schema.items() if isinstance(t, pl.Enum | pl.Categorical)]
            yield piece.with_columns(pl.col(words).cast(pl.String))

    def _pieces(self, table: str) -> Iterator[pl.DataFrame]:
        if table in ("patients", "referrals"):
            yield self._small(table)
            return
        columns = self.tables[table]
        rest = [c for c in columns if c not in LINKS]
        frame = self._gathered(table, rest)
        order = [_PLACE, *(c for c in rest if c in TABLES[table].primary_key())]
        ids = self._people.select(patient_id="new_patient", referral_id="new_referral")
        edges = np.linspace(0, self._people.height, _SLICES + 1).astype(int)
        for low, high in pairwise(edges):
            part = frame.filter(pl.col(_PLACE).is_between(low, high, closed="left")).sort(order)
            links = ids[part[_PLACE]].select(c for c in LINKS if c in columns)
            if part.height or high == edges[-1]:
                yield part.drop(_PLACE).hstack(links).select(columns)

    def _small(self, table: str) -> pl.DataFrame:
        selected = self._selected
        frame = selected.patients if table == "patients" else selected.referrals
        keys = {"patient_id": "new_patient", "referral_id": "new_referral"}
        key = "patient_id" if table == "patients" else "referral_id"
        wanted = [c for c in LINKS if c in frame.columns]
        ids = self._people.select(wanted + [keys[c] for c in wanted]).unique(
            key, maintain_order=True
        )
        frame = frame.join(ids, on=wanted, how="left", maintain_order="left")
        frame = frame.with_columns(pl.col(keys[c]).alias(c) for c in wanted)
        if "service_id" in frame.columns:
            frame = frame.with_columns(self._renamed(frame["service_id"]))
        return generalise.applied(frame.select(self.tables[table]), self._chosen).sort(key)

    def _gathered(self, table: str, columns: list[str]) -> pl.DataFrame:
        places = self._people.select(_PLACE, "referral_id")
        found, courses = [], []
        for part in self._reader.parts(table) if self._reader.has(table) else []:
            frame = read(self._reader, table, part, ["referral_id", *columns])
            frame = frame.join(places, on="referral_id", how="inner", maintain_order="left")
            if table == "contacts":
                owners = self._people.select("referral_id", "patient_id")
                courses.append(
                    identifiability.course(frame.join(owners, on="referral_id", how="left"))
                )
            frame = frame.select(_PLACE, *columns)
            if "therapist_id" in columns:
                frame = frame.with_columns(self._renamed(frame["therapist_id"]))
            found.append(frame)
        if courses:
            self.alone_in_course = identifiability.alone_in_course(pl.concat(courses))
        return pl.concat(found, how="vertical_relaxed")

    def _renamed(self, ids: pl.Series) -> pl.Series:
        """New pseudonyms of therapists or services: few, so each is made once."""
        old = ids.unique().drop_nulls().cast(pl.String)
        if old.is_empty():
            return ids.cast(pl.String)
        new = self._pseudonyms.of(ids.name, old)
        return ids.cast(pl.String).replace_strict(old, new, default=None)
