"""`Cohort`: the canonical tables of one source, checked, and the arrays the models need of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from iesoresearch.data.schema import TABLES
from iesoresearch.errors import DataError, OutputError
from iesoresearch.measures import INSTRUMENTS
from iesoresearch.measures.instruments import Instrument
from iesoresearch.results import Sensitivity


@dataclass(frozen=True)
class Sequences:
    """Item answers of people one after the other, as `LatentMarkov.fit` takes them.

    Attributes
    ----------
    items
        int8, (sessions, items); -1 = missing. A session number that was skipped is a row of -1.
    lengths
        (people,): sessions of each referral.
    rows
        (sessions,): row of `Cohort.contacts` behind each, -1 for a skipped session.
    n_without_answers
        Referrals left out because no item was ever answered.
    """

    items: np.ndarray
    lengths: np.ndarray
    rows: np.ndarray
    n_without_answers: int


@dataclass(frozen=True)
class Cohort:
    """Checked, immutable tables.

    Attributes
    ----------
    name
        What the data are, for titles and captions.
    sensitivity
        "open" for published data, "synthetic" for drawn ones, "patient" for all others.
    patients, referrals, contacts
        See `iesoresearch.data.schema`.
    fingerprint
        Hash of the files the cohort was read from, or of what it was drawn with.
    licence
        Under which terms the data may be used; empty where only the site knows.
    truth
        Synthetic cohorts only: the parameters it was drawn from, by name, and ``states``, the
        true state of every row of `contacts`.
    """

    name: str
    sensitivity: Sensitivity
    patients: pl.DataFrame
    referrals: pl.DataFrame
    contacts: pl.DataFrame
    fingerprint: str
    licence: str = ""
    truth: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def checked(cls, name, sensitivity, tables: dict[str, pl.DataFrame], fingerprint, **more):
        """A cohort whose tables conform to the schema.

        Raises
        ------
        DataError
            Naming every problem of every table at once, with counts and without values.
        """
        problems, conformed = [], {}
        for table, schema in TABLES.items():
            if table not in tables:
                problems.append(f"{table}: the table is absent")
                continue
            conformed[table], found = _conform(tables[table], schema)
            problems += [f"{table}: {problem}" for problem in found]
        if not problems:
            problems = _check_links(conformed)
        if problems:
            raise DataError(
                f"{name}: {len(problems)} problem(s) in the data. {'; '.join(problems)}. Mend the "
                "tables and try again; nothing was computed."
            )
        return cls(name, sensitivity, **conformed, fingerprint=fingerprint, **more)

    def sequences(self, instrument: Instrument) -> Sequences:
        """Item answers of every referral with at least one, in order of session.

        Raises
        ------
        DataError
            Nobody answered any item.
        """
        contacts = self.contacts.with_row_index("row").sort("referral_id", "session")
        answered = pl.any_horizontal(pl.col(c).is_not_null() for c in instrument.columns)
        ever = answered.any().over("referral_id")
        n_without = contacts.filter(~ever)["referral_id"].n_unique()
        contacts = contacts.filter(ever)
        if contacts.is_empty():
            raise DataError(
                f"{self.name}: nobody answered any {instrument.name} item, so there is nothing to "
                "analyse. Check the item columns and the filters that made the tables."
            )
        spans = contacts.group_by("referral_id", maintain_order=True).agg(
            first=pl.col("session").min().cast(pl.Int64),
            last=pl.col("session").max().cast(pl.Int64),
            seen=pl.len().cast(pl.Int64),
        )
        lengths = (spans["last"] - spans["first"] + 1).to_numpy()
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        owner = np.repeat(np.arange(len(lengths)), spans["seen"].to_numpy())
        session = contacts["session"].cast(pl.Int64).to_numpy()
        place = starts[owner] + session - spans["first"].to_numpy()[owner]
        items = np.full((lengths.sum(), len(instrument.columns)), -1, dtype=np.int8)
        items[place] = contacts.select(
            pl.col(instrument.columns).fill_null(-1).cast(pl.Int8)
        ).to_numpy()
        rows = np.full(lengths.sum(), -1)
        rows[place] = contacts["row"].to_numpy()
        return Sequences(items, lengths, rows, n_without)

    def write(self, folder: Path) -> list[Path]:
        """Write the tables, and a synthetic cohort's truth beside them, into a new folder.

        Raises
        ------
        OutputError
            The folder holds something already, or cannot be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise OutputError(
                    f"{folder} is not empty. Name a new folder; nothing was overwritten."
                )
            written = []
            for table in TABLES:
                written.append(folder / f"{table}.parquet")
                getattr(self, table).write_parquet(written[-1])
            if self.truth:
                states = self.contacts.select("referral_id", "session").with_columns(
                    state=pl.Series(self.truth["states"])
                )
                written.append(folder / "truth_states.parquet")
                states.write_parquet(written[-1])
                parameters = {k: v.tolist() for k, v in self.truth.items() if k != "states"}
                written.append(folder / "truth.json")
                written[-1].write_text(json.dumps(parameters, indent=1) + "\n", encoding="utf-8")
        except OutputError:
            raise
        except OSError as error:
            raise OutputError(
                f"{folder} cannot be written ({error.strerror}). Free space or name another folder."
            ) from None
        return written


def _conform(frame: pl.DataFrame, schema) -> tuple[pl.DataFrame, list[str]]:
    """`frame` in the columns and types of `schema`, and what is wrong with it."""
    columns = schema.columns()
    unknown = [c for c in frame.columns if c not in columns]
    problems = [f"the column {c} is not part of the schema" for c in unknown]
    problems += _absent_columns(frame, columns)
    if problems:
        return frame, problems
    if frame.is_empty():
        return frame, ["there is no row"]
    casts = {}
    for name, column in columns.items():
        if name not in frame.columns:
            casts[name] = pl.Series(name, [None] * len(frame), dtype=column.dtype)
            continue
        casts[name] = frame[name].cast(column.dtype, strict=False)
        lost = casts[name].null_count() - frame[name].null_count()
        if lost:
            kind = "a known code" if column.dtype == pl.Enum else f"a {column.dtype}"
            problems.append(f"{name}: {lost} value(s) are not {kind} within its range")
    frame = pl.DataFrame(casts)
    _, failure = schema.filter(frame)
    for rule, n in failure.counts().items():
        name, _, bound = rule.partition("|")
        if bound in ("min", "max"):
            limit = getattr(columns[name], bound)
            problems.append(f"{name}: {n} value(s) beyond the {bound}imum of {limit}")
        elif bound == "nullability":
            problems.append(f"{name}: {n} value(s) are missing")
        elif rule == "primary_key":
            problems.append(f"{n} rows share their {' and '.join(schema.primary_key())}")
        else:
            problems.append(f"{n} rows break the rule {rule}")
    return frame, problems


def _absent_columns(frame, columns) -> list[str]:
    """Required columns, and items of a questionnaire that is only partly there."""
    absent = [c for c, column in columns.items() if not column.nullable and c not in frame.columns]
    for instrument in INSTRUMENTS.values():
        missing = [c for c in instrument.columns if c in columns and c not in frame.columns]
        if len(missing) < len(instrument.columns):
            absent += missing
    return [f"the column {c} is absent" for c in absent]


def _check_links(tables: dict[str, pl.DataFrame]) -> list[str]:
    problems = []
    for child, parent, key in [
        ("referrals", "patients", "patient_id"),
        ("contacts", "referrals", "referral_id"),
    ]:
        orphans = tables[child].join(tables[parent], on=key, how="anti").height
        if orphans:
            problems.append(f"{child}: {orphans} row(s) have a {key} that {parent} does not know")
    return problems
