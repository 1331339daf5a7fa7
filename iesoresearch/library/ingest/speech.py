"""Transcripts, redacted: each text by what is known of its patient, and by general patterns."""

from collections import Counter

import polars as pl

from iesoresearch.library.deidentify.identity import People
from iesoresearch.library.deidentify.words import Own, Redactor


class Speech:
    """Redacts the utterances of patients.

    Parameters
    ----------
    people
        Identifiers by ``local_id``.
    who
        ``local_id``, ``patient_id``.
    names
        Of therapists, as their ids say them.
    """

    def __init__(self, people: People, who: pl.DataFrame, names: pl.Series) -> None:
        self.counts: Counter[str] = Counter()
        self._redactor = Redactor(names)
        rows = people.frame.join(who.select("local_id", "patient_id"), on="local_id", how="inner")
        self._known = rows.drop("local_id").group_by("patient_id").agg(pl.all().drop_nulls())

    def redacted(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with ``patient_id`` and ``text``, the texts redacted."""
        known = self._known.join(rows, on="patient_id", how="semi")
        own = {row["patient_id"]: _own(row) for row in known.iter_rows(named=True)}
        texts = []
        for patient, text in zip(rows["patient_id"], rows["text"], strict=True):
            if text is None:
                texts.append(None)
                continue
            redacted, marks = self._redactor.redact(text, own.get(patient))
            self.counts += marks
            texts.append(redacted)
        return rows.with_columns(text=pl.Series(texts, dtype=pl.String))


def _own(row: dict) -> Own:
    return Own(
        names=row["name"],
        numbers=row["nhs_number"],
        emails=row["email"],
        phones=row["phone"],
        postcodes=row["postcode"],
        births=row["date_of_birth"],
    )
