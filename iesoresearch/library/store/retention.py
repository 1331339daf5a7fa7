"""Removing what may not be kept any longer, and leaving proof of it.

A referral is over when the years of its schedule are; a patient is when all referrals are. Rows go
from every table of both compartments that names referrals or patients. The files that held them,
and the only keys that open these, are destroyed; the log names both, and a keyed digest of the ids
that went, so that `check` can prove that none is left, and nobody can tell from the log who it was.
A backup holds what it held: it is closed by rotating the master key and destroying the old one.
"""

import hmac
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from iesoresearch.errors import ParameterError
from iesoresearch.library.store import WAIT, Library, schedule
from iesoresearch.library.store.reader import Reader
from iesoresearch.library.store.schedule import Schedule

WHAT = "retain"
_IDS = ("referral_id", "patient_id")
_NEEDED = [*_IDS, "discharge_year"]


@dataclass(frozen=True)
class Retained:
    """What was removed, or would be.

    Attributes
    ----------
    on : date
        Day that years were counted to.
    referrals, patients, rows : int
        Removed; rows of all tables, these two among them.
    without_year : int
        Referrals that are kept because they have no year of discharge.
    files : list of str
        SHA-256 of the files that were destroyed.
    proven : bool
        No file of them exists any more; False while somebody reads an older generation.
    """

    on: date
    referrals: int
    patients: int
    rows: int
    without_year: int
    files: list[str]
    proven: bool


@dataclass(frozen=True)
class _Over:
    """Ids that are over, as series, by name of the column, for one number of years."""

    ids: dict[str, pl.Series]

    def kept(self, columns: list[str]) -> pl.Expr | None:
        """Rows that stay; a row of a referral goes with it, any other with its patient."""
        gone = [pl.col(c).is_in(self.ids[c].implode()) for c in _IDS if c in columns]
        if len(gone) == 2:
            by_patient = pl.col("referral_id").is_null() & gone[1].fill_null(False)
            return ~(gone[0].fill_null(False) | by_patient)
        return ~gone[0].fill_null(False) if gone else None


def overdue(reader: Reader, on: date) -> tuple[int, int, int]:
    """Referrals and patients that are over on a day, and referrals without a year.

    Raises
    ------
    ParameterError
        The library has no schedule.
    """
    referrals = _referrals(reader)
    over = _over(referrals, _schedule(reader), "referrals", on)
    without = referrals["discharge_year"].null_count()
    return over.ids["referral_id"].len(), over.ids["patient_id"].len(), without


def retain(
    library: Library,
    why: str,
    *,
    on: date | None = None,
    dry_run: bool = False,
    wait: float = WAIT,
) -> Retained:
    """Remove all rows whose last year is over.

    Parameters
    ----------
    library
        Its settings hold the schedule.
    why
        For the log.
    on
        Day to count to. None: today. A day to come is refused.
    dry_run
        Only count.
    wait
        Seconds to wait for another writer, and for those who read what is destroyed.

    Raises
    ------
    ParameterError
        There is no schedule, or the day is to come.
    DataError
        A table is damaged.
    OutputError
        Another one is writing, or there is no room; the library is as it was.
    """
    on = on or date.today()
    plan = _schedule(library)
    if on > date.today():
        raise ParameterError(f"--on {on} is to come: nothing is removed before its time.")
    if dry_run:
        counts = overdue(library, on)
        rows = sum(rows for _, _, rows in _changed(library, _tables(library, plan, on)))
        return Retained(on, *counts[:2], rows, counts[2], [], False)
    with library.writing(WHAT, why, wait) as draft:
        referrals, patients, without = overdue(draft, on)
        by_table, rows = _tables(draft, plan, on), 0
        digest = _digest(draft, by_table)
        for place, frame, removed in _changed(draft, by_table):
            draft.write(place[1], frame, part=place[2], compartment=place[0])
            rows += removed
        destroyed = draft.destroyed()
        draft.details |= {
            "counted to": on.isoformat(),
            "years after discharge": f"{plan.years}",
            "years of tables": {table: f"{years}" for table, years in plan.tables.items()},
            "referrals": referrals,
            "patients": patients,
            "rows": rows,
            "digest of the ids": digest,
            "destroyed": destroyed,
        }
    proven = library.clear(wait)
    return Retained(on, referrals, patients, rows, without, destroyed["files"], proven)


def _schedule(reader: Reader) -> Schedule:
    plan = schedule.read(reader.settings)
    if plan is None:
        raise ParameterError(
            "This library has no retention schedule. It is settled when a library is created, in "
            "the file of --settings: retention: {years_after_discharge: 8}."
        )
    return plan


def _referrals(reader: Reader) -> pl.DataFrame:
    if not reader.has("referrals"):
        return pl.DataFrame(schema=dict.fromkeys(_NEEDED, pl.String))
    return reader.read("referrals", columns=_NEEDED)


def _over(referrals: pl.DataFrame, plan: Schedule, table: str, on: date) -> _Over:
    over = referrals.select(*_IDS, over=plan.over(table, on).fill_null(False))
    gone = over.filter("over")["referral_id"]
    patients = over.group_by("patient_id", maintain_order=True).agg(pl.col("over").all())
    return _Over({"referral_id": gone, "patient_id": patients.filter("over")["patient_id"]})


def _tables(reader: Reader, plan: Schedule, on: date) -> dict[int, _Over]:
    """Ids that are over, by years that a table is kept."""
    referrals = _referrals(reader)
    names = {plan.years_of(name): name for name in ("", *plan.tables)}
    return {years: _over(referrals, plan, name, on) for years, name in names.items()}


def _changed(reader: Reader, by_years: dict[int, _Over]):
    """Place, rows that stay and number of rows that go, of every part that loses some."""
    plan = _schedule(reader)
    for place in reader.places():
        compartment, table, part = place
        frame = reader.read(table, compartment=compartment, part=part)
        kept = by_years[plan.years_of(table)].kept(frame.columns)
        if kept is None:
            continue
        stays = frame.filter(kept)
        if stays.height < frame.height:
            yield place, stays, frame.height - stays.height


def _digest(reader: Reader, by_years: dict[int, _Over]) -> str:
    """Keyed digest of the ids: it proves to whoever has both key and ids that these went."""
    ids = sorted(
        f"{years} {column} {value}"
        for years, over in by_years.items()
        for column in _IDS
        for value in over.ids[column]
        if value is not None
    )
    return hmac.digest(reader.secret("retention"), "\n".join(ids).encode(), "sha256").hex()


def last_day(entries: list[dict[str, Any]]) -> date | None:
    """Day that the last entry of the log about removal counted to."""
    days = [e["details"]["counted to"] for e in entries if e["what"] == WHAT]
    return date.fromisoformat(days[-1]) if days else None
