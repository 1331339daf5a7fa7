"""Opt-outs: the national ones, by NHS number, and local ones, by name and registered e-mail.

Kept are keyed hashes with their days alone (see `ledger`). They are applied when records come in,
whenever choices are recorded (rows of whoever is excluded are taken out of the store) and at every
extract. A change of mind lets the records come in again with the next ingest. The library is a
copy for research: nothing here reaches the care of anybody.

Whom an opt-out means: everybody whose NHS number, or whose name together with e-mail, is the one
given, and every other record that the library knows to be of the same person, by the same NHS
number or by the same name and e-mail. Whoever is known to the library by neither cannot be found;
`Summary` says how many these are.
"""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.library.choices import ledger, people, same_person
from iesoresearch.library.choices.exclusion import (
    excluded,
    excluded_rows,
    newest_list,
    remember_list,
)
from iesoresearch.library.choices.ledger import LOCAL_OPTOUT, NATIONAL_OPTOUT
from iesoresearch.library.choices.removal import STILL_READ, remove_excluded
from iesoresearch.library.small import FEW, rounded, said

__all__ = ["Counts", "Summary", "excluded", "excluded_rows", "newest_list", "record_optouts"]

_KINDS = {NATIONAL_OPTOUT: people.NATIONAL, LOCAL_OPTOUT: people.LOCAL}


@dataclass
class Counts:
    """What became of the lines of one list: exact numbers of people, not to be shown as such."""

    listed: int = 0
    matched: int = 0
    unmatched: int = 0
    unreadable: int = 0
    new: int = 0
    ended: int = 0
    not_ended: bool = False
    lines: tuple[int, ...] = ()
    sent_lines: tuple[int, ...] = ()

    def told(self) -> dict[str, int | bool]:
        """As the log may have it."""
        people_meant = ("matched", "unmatched", "new", "ended")
        told = {name: n for name, n in vars(self).items() if not name.endswith("lines")}
        return told | {name: rounded(getattr(self, name)) for name in people_meant}


@dataclass
class Summary:
    """What `record_optouts` did; `text` is safe to show."""

    on: date
    kinds: dict[str, Counts] = field(default_factory=dict)
    excluded: int = 0
    removed: int = 0
    without_number: int = 0
    without_name: int = 0
    cleared: bool = True

    @property
    def complete(self) -> bool:
        """Whether every line of every list could be read."""
        return not any(c.unreadable for c in self.kinds.values())

    def text(self) -> str:
        """Sentences with small counts as "fewer than 10", and no value of anybody."""
        lines = [_sentence(kind, c) for kind, c in self.kinds.items()]
        lines.append(
            f"Taken out of the library now: the records of {said(self.removed)} patients. Excluded "
            f"today: {said(self.excluded)} of the patients known to the library."
        )
        lines.append(
            f"Known without an NHS number are {said(self.without_number)} patients, without name "
            f"and e-mail {said(self.without_name)}: an opt-out of that kind can miss them."
        )
        if not self.cleared:
            lines.append(STILL_READ)
        return "\n".join(lines)


def _sentence(kind: str, c: Counts) -> str:
    text = (
        f"{kind.capitalize()}: {c.listed:,} people listed; {said(c.matched)} are in the library, "
        f"{said(c.unmatched)} are not (kept for later ingests). {people.unread(c.lines)} "
        f"New: {said(c.new)}; changed their mind: {said(c.ended)}."
    )
    if c.sent_lines:
        text += f" Of the file of --sent: {people.unread(c.sent_lines)}"
    if c.not_ended:
        text += (
            " Because of the lines that could not be read nobody was taken to have changed their "
            "mind: mend them, and record the whole list again."
        )
    return text


def record_optouts(
    library,
    *,
    national: Path | None = None,
    local: Path | None = None,
    on: date,
    why: str,
    complete: bool = False,
    lifted: bool = False,
    sent: Path | None = None,
    today: date | None = None,
    wait: float = 60,
) -> Summary:
    """Record opt-outs, and take the records of whoever is excluded today out of the library.

    Parameters
    ----------
    library
        Open.
    national
        NHS numbers of people who opted out; with `sent`, of those who did not.
    local
        Names and registered e-mail addresses of people who opted out here.
    on
        The day from which the choices are valid; may lie before today or after it.
    why
        For the log.
    complete
        The lists are full: whoever is no longer on them has changed her mind.
    lifted
        The people listed have changed their mind: their opt-outs end.
    sent
        NHS numbers that were sent to the national service, which sends back those without opt-out:
        `national` is what came back, and whoever is missing there has opted out.
    today
        Whose records are taken out; the day it is.
    wait
        Seconds to wait for another writer.

    Raises
    ------
    ParameterError
        No list, or two ways to read one at once.
    DataError
        A list that cannot be read, is older than one recorded in full before, or looks like
        something else: it would end most opt-outs, it holds most patients of the library, or no
        line of it can be read.
    """
    today = today or date.today()
    _check_way(national, local, complete, lifted, sent)
    lists = _read(library, national, local)
    asked = people.numbers(library, sent) if sent else None
    way = "complete" if complete else "lifted" if lifted else "returned" if sent else "added"
    with library.writing("opt-outs", why, wait) as draft:
        summary = Summary(on)
        book = ledger.read(draft)
        matching = same_person.read(draft)
        for kind, found in lists.items():
            _refuse_older(draft, kind, on, way, today)
            book, summary.kinds[kind] = _apply(book, matching, kind, found, on, way, asked)
        ledger.write(draft, book)
        remember_list(draft, list(lists), on)
        _finish(draft, summary, today)
    summary.cleared = library.clear(wait)
    return summary


def _read(library, national: Path | None, local: Path | None) -> dict[str, people.People]:
    """The lists that are named, by kind."""
    found = {}
    for kind, path, read in (
        (NATIONAL_OPTOUT, national, people.numbers),
        (LOCAL_OPTOUT, local, people.named),
    ):
        if path is not None:
            found[kind] = read(library, path)
            _refuse_unread(path, found[kind])
    return found


def _check_way(national, local, complete: bool, lifted: bool, sent) -> None:
    if national is None and local is None:
        raise ParameterError(
            "No list of opt-outs was named. Name one with --national FILE or --local FILE."
        )
    if people.STDIN == national == local:
        raise ParameterError(
            "Only one list can come from standard input. Name a file as the other."
        )
    if (complete, lifted, sent is not None).count(True) > 1:
        raise ParameterError(
            "A list is full (--complete), or of people who changed their mind (--lifted), or what "
            "the national service sent back (--sent FILE). Choose one of the three."
        )
    if sent is not None and (national is None or local is not None):
        raise ParameterError(
            "--sent goes with --national, which names what the national service sent back, and "
            "with nothing else. Record local opt-outs with a second command."
        )


def _apply(book, matching, kind: str, found: people.People, on: date, way: str, asked):
    """The ledger with one list in it, and what became of its lines."""
    sent = asked.lines if asked else ()
    counts = Counts(unreadable=found.unreadable + len(sent), lines=found.lines, sent_lines=sent)
    listed, back = found, None
    valid = ledger.valid(book, on).filter(pl.col("reason") == kind).select("by", "hash")
    keys = ["by", "hash"]
    if way == "returned":
        listed, back = _not_returned(found, asked), found.keys
    if way == "complete":
        back = valid.join(found.keys, on=keys, how="anti")
        if found.lines:
            back, counts.not_ended = None, True
    if way == "lifted":
        back = found.keys
    counts.listed = listed.frame.height
    counts.matched = listed.known(matching)
    counts.unmatched = counts.listed - counts.matched
    if back is not None:
        back = back.join(valid, on=keys, how="semi")
        counts.ended = back.height
        book = ledger.end(book, kind, back, on)
    if way == "lifted":
        return book, counts
    _refuse_unlikely(matching, kind, counts, valid.height, way)
    counts.new = listed.frame.join(valid, on=keys, how="anti").height
    return ledger.add(book, kind, listed.keys, on), counts


def _not_returned(returned: people.People, asked: people.People) -> people.People:
    """Who was sent to the national service and did not come back."""
    sent = asked.frame
    strange = returned.frame.join(sent, on=["by", "hash"], how="anti").height
    if strange:
        raise DataError(
            f"{said(strange)} NHS number(s) came back from the national service that the file of "
            "--sent does not hold, so the two files do not belong together. Nothing was recorded. "
            "Name the file that was sent."
        )
    return people.People(sent.join(returned.frame, on=["by", "hash"], how="anti"), asked.also)


def _refuse_unread(path: Path, found: people.People) -> None:
    """Refuse a list of which nothing can be read."""
    if found.frame.is_empty():
        raise DataError(
            f"{path}: no line says who is meant. {people.unread(found.lines)} Nothing was "
            "recorded. Mend the list, and name it again."
        )


def _refuse_unlikely(matching, kind: str, counts: Counts, valid: int, way: str) -> None:
    """Two slips that would undo the choices of many: a cut list, and the wrong list."""
    if way == "complete" and counts.ended >= FEW and 2 * counts.ended > valid:
        raise DataError(
            f"This list of {kind}s would end more than half of those recorded, as a list that was "
            "cut off would. Nothing was recorded. If it is right, record those who changed their "
            "mind with --lifted."
        )
    everybody = matching.get_column(_KINDS[kind]).drop_nulls().n_unique()
    if counts.matched >= FEW and 2 * counts.matched > everybody:
        raise DataError(
            f"This list of {kind}s holds more than half of the patients of the library. Nothing "
            "was recorded. The national service sends back those who have not opted out: if this "
            "is such a list, name the file that was sent with --sent."
        )


def _refuse_older(reader, kind: str, on: date, way: str, today: date) -> None:
    """What is older than a list that is recorded cannot say who has changed their mind since."""
    newest = newest_list(reader, kind, today)
    if way != "added" and newest is not None and on < newest:
        raise DataError(
            f"A list of {kind}s of {newest} is recorded, and this one, of {on}, is older: it "
            "cannot say who has changed their mind since. Nothing was recorded. Record the newest "
            f"list, or, if they changed their mind after it, give --date {newest} or a later day."
        )


def _finish(draft, summary: Summary, today: date) -> None:
    out = excluded(draft, today).get_column("patient_id")
    summary.excluded, summary.removed = out.len(), remove_excluded(draft, out)
    known = same_person.read(draft).group_by("patient_id", maintain_order=True)
    known = known.agg(pl.col("national", "local").is_not_null().any())
    summary.without_number = known.filter(~pl.col("national")).height
    summary.without_name = known.filter(~pl.col("local")).height
    draft.details = {
        "on": summary.on.isoformat(),
        **{kind: counts.told() for kind, counts in summary.kinds.items()},
        "removed": rounded(summary.removed),
        "destroyed": draft.destroyed(),
    }
