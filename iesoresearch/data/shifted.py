"""Whether dates were shifted, by days of every patient's own: then there is no calendar.

A research library shifts all dates of a patient by the same days. Intervals of a patient stay as
they are; what came first of two patients, and in which month, is lost. Tables of an extract say so
in the metadata of their Parquet files, which the fingerprint of a folder covers. Two more signs
are read, for tables that lost it: the file that comes with an opened extract, and columns that
are filled only where dates are shifted.
"""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from iesoresearch.measures.outcomes.years import STORED

MOST = 364  # days: what a research library shifts by at most
ABOUT = "extract.json"  # lies beside the tables of an opened extract
_KEY = "iesoresearch.dates_shifted_by_up_to_days"


def marked(most: int) -> dict[str, str]:
    """Metadata of a Parquet file whose dates are shifted by up to so many days; none for 0."""
    return {_KEY: str(most)} if most else {}


def most_days(files: Mapping[str, Path], tables: Mapping[str, pl.LazyFrame]) -> int:
    """By how many days dates may be shifted; 0: they are as they were recorded.

    Parameters
    ----------
    files
        Path of every table.
    tables
        Those that can be read, by name; of `files`.
    """
    parquet = [path for name, path in files.items() if name in tables and path.suffix == ".parquet"]
    said = [pl.read_parquet_metadata(path).get(_KEY, "0") for path in parquet]
    # a word that is no number was put there to say the same
    days = [int(text) if text.isdecimal() else MOST for text in said]
    if any(days):
        return max(days)
    beside = any((path.parent / ABOUT).is_file() for path in files.values())
    return MOST if beside else by_columns(tables.get("referrals"))


def by_columns(referrals: pl.LazyFrame | None) -> int:
    """By how many days dates may be shifted, as columns of referrals tell that are filled then."""
    return MOST if _filled(referrals) else 0


def _filled(referrals: pl.LazyFrame | None) -> list[str]:
    """Columns that hold what was stored before dates were shifted."""
    there = [] if referrals is None else [c for c in STORED if c in referrals.collect_schema()]
    if not there:
        return []
    said = [pl.col(c).cast(pl.String).str.strip_chars().fill_null("") != "" for c in there]
    found = referrals.select(text.any() for text in said).collect(engine="streaming")
    return [c for c in there if found[c].item()]


def warning(most: int, referrals: pl.LazyFrame | None) -> str:
    """What a check of data says of shifted dates, and of what would do instead of them."""
    filled = _filled(referrals)
    absent = [c for c in STORED if c not in filled]
    return (
        f"dates are shifted by up to {most} days, differently for each patient: nothing is told by "
        "month or quarter, or of earlier and later patients"
    ) + (f"; also without {', '.join(absent)}" if absent else "")


def reason(most: int, *columns: str) -> str:
    """Why something that needs the calendar is not there, and which columns would help.

    Parameters
    ----------
    most
        Days, above 0.
    columns
        Of referrals, that would do instead of dates.
    """
    help_ = f"Ask for {' and '.join(columns)}, or run" if columns else "Run"
    return (
        f"The dates of these data were shifted by up to {most} days, differently for each patient, "
        f"so they cannot be laid on one calendar. {help_} it where the true dates are."
    )
