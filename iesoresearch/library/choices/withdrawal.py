"""Withdrawal from the library: a person's records are taken out, and never come in again.

The keyed hashes by which she was known stay, or the next ingest would bring her back; so does in
which extracts she was, or nobody could say whom to tell. Withdrawal may be asked for without a
reason, and none is kept; the reason of the log says why the command was run.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.files import STATUS
from iesoresearch.library.choices import ledger, people, same_person
from iesoresearch.library.choices.ledger import WITHDRAWN
from iesoresearch.library.choices.removal import STILL_READ, remove_excluded
from iesoresearch.library.deidentify.written import kind_of_identifier
from iesoresearch.library.small import rounded, said


@dataclass(frozen=True)
class Use:
    """An extract that held somebody who withdraws."""

    extract: str
    day: str
    purpose: str
    recipient: str
    people: int
    runs: tuple[str, ...] = ()

    def text(self) -> str:
        """What the recipient has to be told, without who it is."""
        runs = f" Runs: {', '.join(self.runs)}." if self.runs else " No run of it was found."
        return (
            f"Extract {self.extract} of {self.day} to {self.recipient} ({self.purpose}) held "
            f"{said(self.people)} of them.{runs}"
        )


@dataclass(frozen=True)
class Withdrawal:
    """What `withdraw` did; `text` is safe to show."""

    on: date
    asked: int
    known: int
    removed: int
    lines: tuple[int, ...]
    uses: tuple[Use, ...] = field(default=())
    looked: bool = False
    cleared: bool = True

    def text(self) -> str:
        """Sentences with small counts as "fewer than 10", and nobody named."""
        lines = [
            f"Withdrawn: {self.asked:,} people, {said(self.known)} of them known to the library; "
            f"the records of {said(self.removed)} patients were taken out. "
            f"{people.unread(self.lines)}",
        ]
        if self.uses:
            lines.append("Earlier uses; tell the recipients that records have been withdrawn:")
            lines.extend(f"- {use.text()}" for use in self.uses)
        else:
            lines.append("No earlier extract held any of them.")
        if not self.cleared:
            lines.append(STILL_READ)
        if not self.looked:
            lines.append("Runs were not looked for: name their folder with --runs DIR.")
        return "\n".join(lines)


def withdraw(
    library,
    path: Path,
    *,
    why: str,
    on: date | None = None,
    runs: Path | None = None,
    wait: float = 60,
) -> Withdrawal:
    """Take people out of the library and out of all later extracts.

    Parameters
    ----------
    library
        Open.
    path
        As `people.anyone` reads it; ``-`` is standard input. Never an argument, which the history
        of a shell would keep. Where lines cannot be read the others are withdrawn nevertheless.
    why
        For the log.
    on
        The day; None is today. No day to come.
    runs
        Folder with folders of runs: says which of them used an extract with one of the people.
    wait
        Seconds to wait for another writer.

    Raises
    ------
    ParameterError
        The day is to come.
    DataError
        The file cannot be read, or no line of it says who is meant.
    """
    on = on or date.today()
    if on > date.today():
        raise ParameterError(
            f"--date {on} is to come. Whoever withdraws is taken out at once: leave --date out."
        )
    found = people.anyone(library, path)
    keys = found.keys
    if keys.is_empty():
        raise DataError(
            "No line says who is meant: neither a valid NHS number, nor a name with an e-mail "
            "address. Nobody was withdrawn. Mend the lines and try again."
        )
    with library.writing("withdraw", why, wait) as draft:
        matching = same_person.read(draft)
        patients = same_person.patients(matching, keys)
        uses = _uses(draft, library.log(), patients, runs)
        own = matching.filter(pl.col("patient_id").is_in(patients.implode()))
        book = ledger.add(ledger.read(draft), WITHDRAWN, pl.concat([keys, _all_keys(own)]), on)
        ledger.write(draft, book)
        removed = remove_excluded(draft, patients)
        known = found.known(matching)
        draft.details = {
            "on": on.isoformat(),
            "withdrawn": found.frame.height,
            "removed": rounded(removed),
            "unreadable": found.unreadable,
            "extracts": [use.extract for use in uses],
            "runs": sorted({run for use in uses for run in use.runs}),
            "destroyed": draft.destroyed(),
        }
    cleared = library.clear(wait)
    return Withdrawal(
        on, found.frame.height, known, removed, found.lines, tuple(uses), runs is not None, cleared
    )


def _all_keys(own: pl.DataFrame) -> pl.DataFrame:
    """Every way in which the people were ever known."""
    ways = {"patient": "patient_id", "national": "national", "local": "local"}
    return pl.concat(
        own.select(pl.lit(by).alias("by"), pl.col(column).alias("hash")).drop_nulls()
        for by, column in ways.items()
    ).unique(maintain_order=True)


def _uses(reader, entries: Iterable[dict], patients: pl.Series, runs: Path | None) -> list[Use]:
    if not reader.has("extracts", compartment="choices"):
        return []
    held = reader.read("extracts", compartment="choices")
    held = held.filter(pl.col("patient_id").is_in(patients.implode()))
    counts = dict(held.group_by("extract_id").agg(pl.col("patient_id").n_unique()).iter_rows())
    by_data = _runs_by_data(runs) if runs is not None else {}
    uses = []
    for entry in entries:
        details = entry["details"]
        name = details.get("extract_id")
        if name in counts and "recipient" in details:  # an extract, or a sample that coders read
            used = by_data.get(details.get("fingerprint"), ())
            uses.append(
                Use(
                    name,
                    entry["when"][:10],
                    str(details.get("purpose", "")),
                    str(details.get("recipient", "")),
                    counts[name],
                    tuple(used),
                )
            )
    return uses


def _runs_by_data(runs: Path) -> dict[str, list[str]]:
    """Names of runs below a folder, by the fingerprints of their data.

    That of the run also covers files beside the data; that of its result is of the data alone.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(runs.rglob(STATUS)):
        name = path.parent.relative_to(runs).as_posix()
        if kind_of_identifier(name):
            name = "(a run whose name is not repeated: it looks like an identifier)"
        prints = {
            _at(path, "inputs", "data"),
            _at(path.with_name("result.json"), "provenance", "data_fingerprint"),
        }
        for data in prints - {None}:
            found.setdefault(data, []).append(name)
    return found


def _at(path: Path, *names: str) -> str | None:
    """A word of a JSON file, None if it has none there."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        for name in names:
            content = content[name]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return content if isinstance(content, str) else None
