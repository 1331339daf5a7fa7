"""Consent to studies and trials: opt-in, with days, withdrawn at any time without a reason.

Whoever has not consented to a study is not in it. Consent opens no door that another choice has
closed: whoever has opted out, nationally or here, or has withdrawn from the library, is in no study
either. No promise says that consent goes before an opt-out, so the choice that shares less holds.

Consent is valid from the day it was given until the day it is withdrawn, which is no longer
included, and while the study is open, its last day included. It holds for the very person who gave
it; a withdrawal for every record known to be of the same person.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from iesoresearch.errors import DataError
from iesoresearch.library import choices
from iesoresearch.library.choices import people, same_person
from iesoresearch.library.choices.studies import Study
from iesoresearch.library.small import rounded, said

GIVEN, TAKEN_BACK = "given", "withdrawn"
#: Of the table "consents": what happened when. Rows are added and never changed.
_EVENTS = {
    "study": pl.String,
    "by": pl.String,
    "hash": pl.String,
    "event": pl.String,
    "on": pl.Date,
    "version": pl.String,
}
_STUDIES = {"study": pl.String, "definition": pl.String}


@dataclass
class Consents:
    """What `record_consents` did; `text` is safe to show."""

    study: str
    given: int = 0
    withdrawn: int = 0
    unmatched: int = 0
    unreadable: int = 0
    lines: tuple[int, ...] = ()
    silent: int = 0
    outside: int = 0
    valid: int = 0
    excluded: int = 0

    def text(self) -> str:
        """Sentences with small counts as "fewer than 10", and no value of anybody."""
        return (
            f"Study {self.study}: {self.given:,} consent(s) and {self.withdrawn:,} withdrawal(s) "
            f"recorded, of {said(self.unmatched)} people who are not in the library (kept for "
            f"later ingests). {people.unread(self.lines)} {self.silent:,} line(s) "
            f"say neither consent with a form nor withdrawal; {self.outside:,} consent(s) were "
            "refused: given before the study opened, after it closed, or after it was withdrawn.\n"
            f"Today {said(self.valid)} patients of the library may be in the study; "
            f"{said(self.excluded)} more consented, but opted out of research or withdrew from the "
            "library, which goes before consent."
        )


def record_consents(
    library, study_file: Path, path: Path, *, why: str, today: date | None = None, wait: float = 60
) -> Consents:
    """Record a study, and who consented to it or withdrew consent.

    Parameters
    ----------
    library
        Open.
    study_file
        YAML, see `Study`. What it says replaces what was recorded of the study before.
    path
        CSV with ``nhs_number``, or ``name`` and ``email``, and with ``date_given``,
        ``form_version``, ``date_withdrawn``; days as year-month-day, one of the two may be empty.
        No other column, so that no reason can be kept. Lines add to those of earlier files.
    why
        For the log.
    today
        The day it is.
    wait
        Seconds to wait for another writer.

    Raises
    ------
    ParameterError
        The file of the study, see `Study.read`.
    DataError
        The file of consents cannot be read.
    """
    defined, today = Study.read(study_file), today or date.today()
    columns = {
        "date_given": people.day_or_none,
        "form_version": str,
        "date_withdrawn": people.day_or_none,
    }
    found = people.named(library, path, known_by=(people.NATIONAL, people.LOCAL), more=columns)
    lines = found.frame.cast({"date_given": pl.Date, "date_withdrawn": pl.Date})
    says = _says_something()
    given, refused = _given_events(lines.filter(says), defined)
    taken_back = _events(lines, defined, "date_withdrawn", TAKEN_BACK, pl.lit(""))
    done = Consents(defined.id, given=given.height, withdrawn=taken_back.height, outside=refused)
    done.lines, done.silent = found.lines, lines.filter(~says).height
    done.unreadable = found.unreadable + done.silent
    with library.writing("consent", why, wait) as draft:
        _write_study(draft, defined)
        events = pl.concat([_read(draft), given, taken_back]).unique(maintain_order=True)
        draft.write("consents", events.sort(*_EVENTS), compartment="choices")
        named = pl.concat([given, taken_back]).select("by", "hash").unique()
        done.unmatched = named.height - same_person.known(same_person.read(draft), named)
        consented = _consented(draft, defined, today)
        done.valid = len(consenting(draft, defined.id, today))
        done.excluded = len(consented) - done.valid
        people_meant = ("unmatched", "valid", "excluded")
        draft.details = vars(done) | {name: rounded(getattr(done, name)) for name in people_meant}
        del draft.details["lines"]
        draft.details["ethics reference"] = defined.ethics.reference
    return done


def _says_something() -> pl.Expr:
    form = pl.col("form_version") != ""
    consents = pl.col("date_given").is_not_null() & form
    return consents | (pl.col("date_given").is_null() & pl.col("date_withdrawn").is_not_null())


def _given_events(lines: pl.DataFrame, study: Study) -> tuple[pl.DataFrame, int]:
    given = pl.col("date_given")
    lines = lines.filter(given.is_not_null())
    last = date.max if study.closed is None else study.closed
    in_order = pl.col("date_withdrawn").is_null() | (pl.col("date_withdrawn") >= given)
    kept = lines.filter(given.is_between(study.opened, last) & in_order)
    events = _events(kept, study, "date_given", GIVEN, pl.col("form_version"))
    return events, lines.height - kept.height


def _events(lines, study: Study, day: str, event: str, version: pl.Expr) -> pl.DataFrame:
    return lines.filter(pl.col(day).is_not_null()).select(
        pl.lit(study.id).alias("study"),
        "by",
        "hash",
        pl.lit(event).alias("event"),
        pl.col(day).alias("on"),
        version.cast(pl.String).alias("version"),
    )


def _read(reader) -> pl.DataFrame:
    if not reader.has("consents", compartment="choices"):
        return pl.DataFrame(schema=_EVENTS)
    return reader.read("consents", compartment="choices").select(*_EVENTS)


def _studies(reader) -> pl.DataFrame:
    if not reader.has("studies", compartment="choices"):
        return pl.DataFrame(schema=_STUDIES)
    return reader.read("studies", compartment="choices").select(*_STUDIES)


def _write_study(draft, defined: Study) -> None:
    row = pl.DataFrame(
        {"study": [defined.id], "definition": [defined.model_dump_json()]}, schema=_STUDIES
    )
    others = _studies(draft).filter(pl.col("study") != defined.id)
    draft.write("studies", pl.concat([others, row]).sort("study"), compartment="choices")


def study(reader, name: str) -> Study:
    """What is recorded of a study.

    Raises
    ------
    DataError
        None of that name is recorded.
    """
    known = _studies(reader)
    row = known.filter(pl.col("study") == name)
    if row.is_empty():
        there = ", ".join(known.get_column("study")) or "none"
        raise DataError(
            f"No study called {name!r} is recorded in this library (there: {there}). Record it "
            "with its consents: iesoresearch library consent"
        )
    return Study.model_validate_json(row.item(0, "definition"))


def consenting(reader, name: str, on: date | None = None) -> pl.Series:
    """Patients who may be in a study on a day.

    Parameters
    ----------
    reader
        A library, or a draft of one.
    name
        Id of the study.
    on
        The day; None is today.

    Returns
    -------
    Series
        ``patient_id``, each once, sorted: consent is valid, and nothing else excludes them.

    Raises
    ------
    DataError
        No such study is recorded.
    """
    on = on or date.today()
    consented = _consented(reader, study(reader, name), on)
    out = choices.excluded(reader, on).get_column("patient_id")
    return consented.filter(~consented.is_in(out.implode()))


def _consented(reader, defined: Study, on: date) -> pl.Series:
    """Whose consent is valid on a day, whatever else they chose."""
    if on < defined.opened or (defined.closed is not None and on > defined.closed):
        return pl.Series("patient_id", [], dtype=pl.String)
    matching = same_person.read(reader)
    events = _read(reader).filter((pl.col("study") == defined.id) & (pl.col("on") <= on))
    given = same_person.certain(matching, _last(events, GIVEN))
    back = same_person.every(matching, _last(events, TAKEN_BACK))
    both = (
        given.group_by("patient_id")
        .agg(pl.col("on").max())
        .join(
            back.group_by("patient_id").agg(pl.col("on").max().alias("back")),
            on="patient_id",
            how="left",
        )
    )
    valid = both.filter(pl.col("back").is_null() | (pl.col("on") > pl.col("back")))
    return valid.get_column("patient_id").sort()


def _last(events: pl.DataFrame, event: str) -> pl.DataFrame:
    of = events.filter(pl.col("event") == event)
    return of.group_by("by", "hash", maintain_order=True).agg(pl.col("on").max())
