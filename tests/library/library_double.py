"""A library in memory, with the interface of the store that the choices of patients use."""

import hashlib
from contextlib import contextmanager
from datetime import date

import polars as pl

from iesoresearch.library import choices
from iesoresearch.library.choices import same_person
from iesoresearch.library.deidentify import pseudonyms


class Double:
    """As `store.Library`: tables in parts, one draft at a time, a log."""

    def __init__(self):
        self.held = {}
        self.lines = []

    def secret(self, name):
        return hashlib.sha256(name.encode()).digest()

    def tables(self, compartment="records"):
        return sorted({table for where, table, _ in self.held if where == compartment})

    def parts(self, table, compartment="records"):
        return sorted(part for *place, part in self.held if place == [compartment, table])

    def has(self, table, compartment="records"):
        return bool(self.parts(table, compartment))

    def read(self, table, *, compartment="records", part=None, columns=None):
        parts = self.parts(table, compartment) if part is None else [part]
        frame = pl.concat(self.held[compartment, table, one] for one in parts)
        return frame if columns is None else frame.select(columns)

    @contextmanager
    def writing(self, what, why, wait=60):
        draft = Draft()
        draft.held, draft.details, draft.secret = dict(self.held), {}, self.secret
        yield draft
        self.held = draft.held
        self.note(what, why, draft.details)

    def note(self, what, why, details):
        entry = {"what": what, "why": why, "details": details, "when": str(date.today())}
        self.lines.append(entry)

    def log(self):
        return self.lines

    def clear(self, wait):
        return True


class Draft(Double):
    def destroyed(self):
        return {"files": [], "keys": []}

    def write(self, table, frame, *, part="0", compartment="records"):
        self.held[compartment, table, part] = frame

    def drop(self, table, *, part=None, compartment="records"):
        for one in self.parts(table, compartment) if part is None else [part]:
            del self.held[compartment, table, one]


def nhs_number(nine):
    """Ten digits from nine, check digit as the NHS Data Dictionary describes it; None if 10."""
    digits = [int(d) for d in f"{nine:09d}"]
    remainder = sum(d * w for d, w in zip(digits, range(10, 1, -1), strict=True)) % 11
    check = {0: 0, 1: None}.get(remainder, 11 - remainder)
    return None if check is None else f"{nine:09d}{check}"


def nhs_numbers(n):
    made = (nhs_number(987_000_000 + i) for i in range(2 * n))
    return [number for number in made if number][:n]


def fill(library, people):
    """Ingest as the library does: `people` maps a pseudonym to NHS number and (name, e-mail)."""
    with library.writing("ingest", "test") as draft:
        add(draft, people)


def add(draft, people, today=None):
    rows = [
        {
            "patient_id": patient,
            "national": pseudonyms.national_hash(draft, number),
            "local": pseudonyms.local_hash(draft, *(named or (None, None))),
        }
        for patient, (number, named) in people.items()
    ]
    known = pl.concat([same_person.read(draft), pl.DataFrame(rows, schema=same_person.MATCHING)])
    draft.write("matching", known.unique(maintain_order=True), compartment="choices")
    new = pl.DataFrame(rows, schema=same_person.MATCHING)
    ids = new.filter(~choices.excluded_rows(draft, new, today)).get_column("patient_id")
    for part in sorted({"00", "01"}):
        mine = [patient for patient in ids if int(patient[1:]) % 2 == int(part)]
        _put(draft, "patients", part, {"patient_id": mine, "age": [40] * len(mine)})
        referrals = [f"r{patient}" for patient in mine]
        _put(draft, "referrals", part, {"referral_id": referrals, "patient_id": mine})
        _put(draft, "content", part, {"referral_id": referrals, "words": [7] * len(mine)})


def _put(draft, table, part, columns):
    frame = pl.DataFrame(
        columns, schema={n: pl.Int64 if n in ("age", "words") else pl.String for n in columns}
    )
    if part in draft.parts(table):
        frame = pl.concat([draft.read(table, part=part), frame])
    draft.write(table, frame.unique(maintain_order=True), part=part)


def held(library, table="patients", column="patient_id"):
    return set(library.read(table).get_column(column)) if library.has(table) else set()
