"""Taking the records of people out of the library, in the generation that is being written."""

import polars as pl

from iesoresearch.library.tables import LIBRARY_TABLES

STILL_READ = (
    "Somebody still reads an older generation of the library, so its files are there yet. They go "
    "with the next write; `iesoresearch library check` says when they are gone."
)


def remove_excluded(draft, patients: pl.Series) -> int:
    """Drop every row of these patients from the records.

    Their keyed hashes stay among the choices, or they could not be recognised when they are sent
    again.

    Parameters
    ----------
    draft
        Of the library.
    patients
        Pseudonyms.

    Returns
    -------
    int
        How many of them had records.
    """
    parts = sorted({part for table in draft.tables() for part in draft.parts(table)})
    return sum(_remove_from(draft, part, patients) for part in parts)


def _remove_from(draft, part: str, patients: pl.Series) -> int:
    """As `remove_excluded`, in one part: all rows of a patient lie in the same part."""
    tables = [table for table in draft.tables() if part in draft.parts(table)]
    meant = pl.col("patient_id").is_in(patients.implode())
    referrals = pl.Series("referral_id", [], dtype=pl.String)
    if "referrals" in tables:
        of = draft.read("referrals", part=part, columns=["referral_id", "patient_id"])
        referrals = of.filter(meant).get_column("referral_id")
    there = set()
    for table in tables:
        named = "patient_id" in LIBRARY_TABLES[table].column_names()
        column, gone = ("patient_id", patients) if named else ("referral_id", referrals)
        ids = draft.read(table, part=part, columns=[column]).get_column(column)
        found = ids.is_in(gone.implode())
        if found.any():
            there.update(ids.filter(found) if named else ())
            draft.write(table, draft.read(table, part=part).filter(~found), part=part)
    return len(there)
