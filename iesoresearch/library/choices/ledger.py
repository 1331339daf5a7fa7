"""Choices with their days: who was excluded on any day is told, and nothing is forgotten.

A choice is valid from its first day, included, until a day that is no longer included: a change of
mind on that day has effect on that day. Days are days of the calendar, without clock or time zone.
"""

from datetime import date

import polars as pl

NATIONAL_OPTOUT, LOCAL_OPTOUT, WITHDRAWN = "national opt-out", "local opt-out", "withdrawn"
#: Why somebody is excluded, the strongest first.
REASONS = (WITHDRAWN, NATIONAL_OPTOUT, LOCAL_OPTOUT)
#: Of the table "optouts". `by` says what is hashed: "national", "local"; "patient": the pseudonym.
LEDGER = {
    "reason": pl.String,
    "by": pl.String,
    "hash": pl.String,
    "from": pl.Date,
    "until": pl.Date,
}
_SAME = ("reason", "by", "hash")


def read(reader) -> pl.DataFrame:
    """The ledger of a library or of a draft; empty where no choice was recorded yet."""
    if not reader.has("optouts", compartment="choices"):
        return pl.DataFrame(schema=LEDGER)
    return reader.read("optouts", compartment="choices")


def write(draft, ledger: pl.DataFrame) -> None:
    """Keep the ledger, in an order that says nothing of the order of a file."""
    draft.write("optouts", ledger.sort(*LEDGER, nulls_last=True), compartment="choices")


def valid(ledger: pl.DataFrame, on: date) -> pl.DataFrame:
    """Rows of the ledger that are valid on a day."""
    started = pl.col("from") <= on
    return ledger.filter(started & (pl.col("until").is_null() | (pl.col("until") > on)))


def add(ledger: pl.DataFrame, reason: str, keys: pl.DataFrame, on: date) -> pl.DataFrame:
    """Record a choice from a day on.

    Parameters
    ----------
    ledger
        As `read` gives it.
    reason
        One of `REASONS`.
    keys
        Columns ``by`` and ``hash``.
    on
        First day. What is known of later days stays as it is.
    """
    new = keys.select(pl.lit(reason).alias("reason"), "by", "hash").unique(maintain_order=True)
    new = new.join(valid(ledger, on), on=_SAME, how="anti")
    later = ledger.filter(pl.col("from") > on).group_by(_SAME, maintain_order=True)
    new = new.join(later.agg(pl.col("from").min().alias("until")), on=_SAME, how="left")
    new = new.with_columns(pl.lit(on).alias("from")).select(*LEDGER)
    return pl.concat([ledger, new])


def end(ledger: pl.DataFrame, reason: str, keys: pl.DataFrame, on: date) -> pl.DataFrame:
    """Record a change of mind: what is valid on the day is so no longer, from that day on."""
    meant = keys.select(pl.lit(reason).alias("reason"), "by", "hash").unique(maintain_order=True)
    rows = ledger.with_row_index("row")
    ended = valid(rows, on).join(meant, on=_SAME, how="semi")["row"]
    return rows.with_columns(
        pl.when(pl.col("row").is_in(ended.implode()))
        .then(pl.lit(on))
        .otherwise("until")
        .alias("until")
    ).drop("row")
