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
from iesoresearch.library.extract import generalise, identifiability, rekeying
from iesoresearch.library.extract.needs import LINKS
from iesoresearch.library.extract.selection import Selected, read

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
        self.tables = {
            table: [
                c
                for c in TABLES[table].column_names()
                if c in (*LINKS, *tables[table]) and chosen.get(c) != generalise.NONE
            ]
            for table in TABLES
            if table in tables and (reader.has(table) or table not in ("scores", "content"))
        }
        self._renamed = {name: rekeying.Renamed() for name in ("service_id", "therapist_id")}
        self._patient_order = rekeying.order(selected.patients.height)
        self._order = rekeying.order(selected.referrals.height)
        self._ids = self._new_ids()
        self.alone_in_course: int | None = None
        self.heights: dict[str, int] = {}

    def _new_ids(self) -> pl.DataFrame:
        """New pseudonyms of every referral and its patient, in the new order."""
        made = rekeying.pseudonyms(len(self._patient_order), "patient_id")
        place = np.empty(len(self._patient_order), dtype=np.int64)
        place[self._patient_order] = np.arange(len(place))
        owners = place[self._selected.owner.to_numpy()[self._order]]
        self._new_patients = made
        return pl.DataFrame([made[owners], rekeying.pseudonyms(len(self._order), "referral_id")])

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
        edges = np.linspace(0, self._ids.height, _SLICES + 1).astype(int)
        for low, high in pairwise(edges):
            part = frame.filter(pl.col(_PLACE).is_between(low, high, closed="left")).sort(order)
            links = self._ids[part[_PLACE]].select(c for c in LINKS if c in columns)
            if part.height or high == edges[-1]:
                yield part.drop(_PLACE).hstack(links).select(columns)

    def _small(self, table: str) -> pl.DataFrame:
        """Patients or referrals."""
        if table == "patients":
            frame, ids = self._selected.patients[self._patient_order], [self._new_patients]
        else:
            frame, ids = self._selected.referrals[self._order], self._ids.get_columns()
        frame = self._with_new_names(frame.with_columns(ids))
        return generalise.applied(frame.select(self.tables[table]), self._chosen)

    def _with_new_names(self, frame: pl.DataFrame) -> pl.DataFrame:
        named = [c for c in self._renamed if c in frame.columns]
        return frame.with_columns(self._renamed[c](frame[c]) for c in named)

    def _gathered(self, table: str, columns: list[str]) -> pl.DataFrame:
        """The table's rows with the place of their referral, and no other link."""
        places = self._places()
        found, courses = [], []
        for part in self._reader.parts(table) if self._reader.has(table) else []:
            if part not in places:
                continue
            frame = read(self._reader, table, part, ["referral_id", *columns])
            frame = frame.join(places[part], on="referral_id", how="inner").drop("referral_id")
            if table == "contacts":
                courses.append(identifiability.course(frame.rename({_PLACE: "referral_id"})))
            frame = self._with_new_names(frame).select(_PLACE, *columns)
            texts = [c for c, t in frame.schema.items() if t == pl.String]
            found.append(frame.with_columns(pl.col(texts).cast(pl.Categorical)))
        if courses:
            self._count_courses(pl.concat(courses))
        return pl.concat(found, how="vertical_relaxed")

    def _places(self) -> dict[str, pl.DataFrame]:
        """By part of the library: the place of each of its referrals in the new order."""
        place = np.empty(len(self._order), dtype=np.uint32)
        place[self._order] = np.arange(len(place), dtype=np.uint32)
        together = pl.DataFrame(
            {
                "referral_id": self._selected.referrals["referral_id"],
                _PLACE: place,
                "part": self._selected.part,
            }
        )
        return {
            str(part): frame.drop("part")
            for (part,), frame in together.partition_by(
                "part", as_dict=True, maintain_order=True
            ).items()
        }

    def _count_courses(self, courses: pl.DataFrame) -> None:
        owner = self._selected.owner[self._order][courses["referral_id"]]
        people = courses.select("course").with_columns(owner.alias(identifiability.PERSON))
        self.alone_in_course = identifiability.alone_in_course(people)
