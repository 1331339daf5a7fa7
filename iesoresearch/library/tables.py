"""The tables of the library: the canonical ones, and what was said in sessions.

Every table lies in 16 parts by the first digit of the patient's pseudonym, the same patients in the
same part of every table, so that the library can be worked through part by part.
"""

import dataframely as dy
import polars as pl

from iesoresearch.data.schema import TABLES

SPEAKERS = ("patient", "therapist")
PARTS = tuple(f"{i:02}" for i in range(16))


class Utterances(dy.Schema):
    """One row per utterance of a session, its words redacted."""

    referral_id = dy.String(
        primary_key=True, metadata={"description": "The referral the session belongs to."}
    )
    session = dy.UInt16(
        primary_key=True,
        min=1,
        max=1000,
        metadata={"description": "Number of the appointment, as in contacts."},
    )
    position = dy.UInt32(
        primary_key=True, metadata={"description": "Place of the utterance in the session."}
    )
    speaker = dy.Enum(
        list(SPEAKERS), nullable=True, metadata={"description": "Who said or wrote it."}
    )
    text = dy.String(nullable=True, metadata={"description": "Its words, redacted."})


#: Tables of the compartment "records", by name.
LIBRARY_TABLES = {**TABLES, "utterances": Utterances}
#: Columns of the canonical tables that a library leaves empty: words outside any code list, and
#: what belongs to surveys.
LEFT_EMPTY = {"patients": ("ethnicity_as_recorded", "weight", "stratum", "sampling_unit")}


def part_of(patient_id: pl.Expr) -> pl.Expr:
    """Part that the rows of a patient lie in."""
    number = patient_id.str.slice(0, 1).str.to_integer(base=16, strict=True)
    return number.cast(pl.String).str.zfill(2)
