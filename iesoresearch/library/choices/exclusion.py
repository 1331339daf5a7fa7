"""Who may be in no extract of a day, by opt-out or withdrawal, and which lists that rests on."""

from datetime import date

import polars as pl

from iesoresearch.library.choices import ledger, same_person
from iesoresearch.library.choices.ledger import REASONS

_LISTS = {"reason": pl.String, "on": pl.Date}


def excluded(reader, on: date | None = None) -> pl.DataFrame:
    """Patients known to the library who may be in no extract of a day.

    Parameters
    ----------
    reader
        A library, or a draft of one.
    on
        The day; None is today.

    Returns
    -------
    DataFrame
        ``patient_id``, each once, and ``reason``, the strongest of `REASONS`; sorted.
    """
    valid = ledger.valid(ledger.read(reader), on or date.today())
    return _excluded(valid, same_person.read(reader))


def _excluded(valid: pl.DataFrame, matching: pl.DataFrame) -> pl.DataFrame:
    found = []
    for reason in REASONS:
        keys = valid.filter(pl.col("reason") == reason).select("by", "hash")
        ids = same_person.patients(matching, keys)
        found.append(pl.DataFrame({"patient_id": ids, "reason": [reason] * len(ids)}))
    together = pl.concat([f.cast({"patient_id": pl.String, "reason": pl.String}) for f in found])
    return together.unique("patient_id", keep="first", maintain_order=True).sort("patient_id")


def excluded_rows(reader, matching: pl.DataFrame, on: date | None = None) -> pl.Series:
    """Which of the people who are to come into the library may not.

    Parameters
    ----------
    reader
        A library, or a draft of one.
    matching
        ``patient_id``, ``national``, ``local``: keyed hashes, null where unknown. A person may
        have several rows.
    on
        The day; None is today.

    Returns
    -------
    Series
        Bool, a row of `matching` each: True = excluded.
    """
    valid = ledger.valid(ledger.read(reader), on or date.today())
    both = pl.concat([same_person.read(reader), matching.select(*same_person.MATCHING)])
    out = _excluded(valid, both).get_column("patient_id")
    return matching.get_column("patient_id").is_in(out.implode()).alias("excluded")


def newest_list(reader, kind: str, on: date | None = None) -> date | None:
    """Day of the newest list of a kind (see `REASONS`) that is in force on a day; None: none is."""
    until = pl.col("on") <= (on or date.today())
    return _lists(reader).filter(pl.col("reason") == kind, until).get_column("on").max()


def remember_list(draft, kinds: list[str], on: date) -> None:
    """Keep of which day lists of these kinds were."""
    new = pl.DataFrame({"reason": kinds, "on": [on] * len(kinds)}, schema=_LISTS)
    known = pl.concat([_lists(draft), new]).unique().sort(*_LISTS)
    draft.write("optout_lists", known, compartment="choices")


def _lists(reader) -> pl.DataFrame:
    if not reader.has("optout_lists", compartment="choices"):
        return pl.DataFrame(schema=_LISTS)
    return reader.read("optout_lists", compartment="choices")
