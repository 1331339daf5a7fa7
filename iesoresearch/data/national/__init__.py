"""Read the NHS Talking Therapies data set, version 2.1 (or 2.0), from CSV or Parquet.

A folder holds the tables as files named after them (``IDS101Referral_2024-05.csv``), one or many
per table, in sub-folders or not. Columns that are not used are ignored.

What is decided on the way:

- Of every provider and month the latest submission counts; of a referral its latest version. A
  referral is a service request: a new ``PathwayID`` of a person traced again makes no new one.
- A contact counts once by its id and day. Its session number is its place by day within the
  referral. Contacts before the referral are left out; those after the discharge are kept, but the
  outcome rules do not count them.
- An unplanned contact counts as attended, one that does not say who came or what for does not
  count as attended or as treatment.
- Scores are totals; see `scores.read` for where they go.

Not read: logs of internet-enabled therapy (IDS205), which the national rules count as treatment,
and waiting-time pauses (IDS108). A referral submitted anew because its provider changed its code
stays two referrals, as it is in the national figures.
"""

from pathlib import Path

import polars as pl

from iesoresearch.data.cohort import Cohort
from iesoresearch.data.identifiers import NONE_DECLARED, Declared
from iesoresearch.data.national import contacts, files, people, referrals, scores
from iesoresearch.data.national.agreement import agreement
from iesoresearch.data.national.report import Finding, Ledger, Report
from iesoresearch.data.national.submissions import submissions
from iesoresearch.errors import DataError
from iesoresearch.hashes import digest, file_hash
from iesoresearch.measures.outcomes import referral_outcomes

__all__ = ["Finding", "Report", "agreement", "fingerprint_files", "is_national", "read"]


def is_national(folder: Path) -> bool:
    """Whether a folder holds a table of referrals of the data set, by the names of its files."""
    return "101" in files.find(folder)


def fingerprint_files(folder: Path) -> list[Path]:
    """The files that `read` reads, in a fixed order."""
    return [path for paths in files.find(folder).values() for path in paths]


def read(folder: Path, declared: Declared = NONE_DECLARED) -> tuple[Cohort, Report]:
    """The cohort of a folder, and what was found wrong on the way.

    Columns that are `declared` to be identifiers are let pass, and not used.

    Raises
    ------
    DataError
        A table or column that is needed is absent, a column looks like an identifier, a file
        cannot be read, or nothing usable is left; all problems at once.
    """
    folder = Path(folder)
    ledger = Ledger()
    sources = files.scan(folder, ledger, declared)
    if ledger.fatal:
        raise DataError(
            f"{folder} cannot be read as the NHS Talking Therapies data set: "
            f"{'; '.join(dict.fromkeys(ledger.fatal))}. Mend the folder and try again; nothing was "
            "loaded."
        )
    subs = submissions(sources, ledger)
    kept, requests = referrals.read(sources, subs, ledger)
    _some(kept, "referral", folder, ledger)
    reader = people.Reader(sources, subs, kept, ledger)
    mpi = reader.mpi()
    patients = reader.table(mpi)
    kept = people.filled(reader.periods(mpi), reader.employment(), "EmploymentStatus")
    seen = contacts.read(sources, subs, kept, requests, ledger)
    _some(seen.frame, "contact", folder, ledger)
    frame, activities = contacts.activities(sources, subs, seen, ledger)
    kept = people.filled(kept, contacts.medication(frame), "PsychotropicIndicator")
    totals, long = scores.read(sources, subs, seen, activities, (kept, requests), ledger)
    tables = {
        "patients": patients,
        "referrals": referrals.table(kept),
        "contacts": contacts.table(frame, totals),
    }
    if long.height:
        tables["scores"] = long
    hashes = " ".join(file_hash(path) for path in fingerprint_files(folder))
    cohort = Cohort.checked(folder.resolve().name, "patient", tables, digest(hashes.encode()))
    outcomes = referral_outcomes(cohort.referrals, cohort.contacts, cohort.scores)
    compared = agreement(referrals.derived(kept, sources), outcomes)
    return cohort, Report(tuple(ledger.findings), compared)


def _some(frame: pl.DataFrame, what: str, folder: Path, ledger: Ledger) -> None:
    if frame.is_empty():
        found = [f"{finding.table}: {finding.text}" for finding in ledger.findings]
        raise DataError(
            f"{folder}: no {what} of the NHS Talking Therapies data set can be used. "
            f"{'; '.join(found or ['There is no row'])}. Mend the folder and try again; nothing "
            "was loaded."
        )
