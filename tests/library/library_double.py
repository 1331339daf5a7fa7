"""A library in memory, with the interface of the store that the choices of patients use."""

import hashlib
from contextlib import contextmanager
from datetime import date

import polars as pl


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
