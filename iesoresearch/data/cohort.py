"""`Cohort`: the canonical tables of one source, checked, and the arrays the models need of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from iesoresearch.data import shifted
from iesoresearch.data.conform import conform
from iesoresearch.data.schema import OPTIONAL, TABLES
from iesoresearch.errors import DataError, NotApplicable, OutputError
from iesoresearch.measures.instruments import Instrument
from iesoresearch.results import Sensitivity

LONGEST_GAP = 50  # sessions; a longer one is taken for a slip in a session number


@dataclass(frozen=True)
class Sequences:
    """Item answers of people one after the other, as `LatentMarkov.fit` takes them.

    A person contributes her first referral with an answer: people, not referrals, are independent.

    Attributes
    ----------
    items
        int8, (sessions, items); -1 = missing. A session number that was skipped is a row of -1.
    lengths
        (people,): sessions of each person.
    session
        (sessions,): number of the session within the referral.
    rows
        (sessions,): row of `Cohort.contacts` behind each, -1 for a skipped session.
    n_without_answers
        People left out because no item was ever answered.
    n_later_referrals
        Referrals with answers left out because the person has an earlier one.
    people
        (people,): row of `Cohort.patients` behind each, for weights, strata and demographics.
    """

    items: np.ndarray
    lengths: np.ndarray
    session: np.ndarray
    rows: np.ndarray
    n_without_answers: int
    n_later_referrals: int
    people: np.ndarray


@dataclass(frozen=True)
class Cohort:
    """Checked, immutable tables.

    Attributes
    ----------
    name
        What the data are, for titles and captions.
    sensitivity
        "open" for published data, "synthetic" for drawn ones, "patient" for all others.
    patients, referrals, contacts, scores, content
        See `iesoresearch.data.schema`; the last two are without rows where there are none.
    fingerprint
        Hash of the files the cohort was read from, or of what it was drawn with.
    licence
        Under which terms the data may be used; empty where only the site knows.
    truth
        Synthetic cohorts only: the parameters it was drawn from, by name, and ``states``, the
        true state of every row of `contacts`.
    days_shifted
        By how many days dates may be shifted, by others for every patient: then nothing may be
        compared across patients by date, see `data.shifted`; 0: dates are true.
    """

    name: str
    sensitivity: Sensitivity
    patients: pl.DataFrame
    referrals: pl.DataFrame
    contacts: pl.DataFrame
    scores: pl.DataFrame
    content: pl.DataFrame
    fingerprint: str
    licence: str = ""
    truth: dict[str, Any] = field(default_factory=dict)
    days_shifted: int = 0

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
            if table not in tables and table in OPTIONAL:
                conformed[table] = schema.create_empty()
                continue
            if table not in tables:
                problems.append(f"{table}: the table is absent")
                continue
            conformed[table], found = conform(tables[table], schema)
            problems += [f"{table}: {problem}" for problem in found]
        if not problems:
            problems = _check_links(conformed)
        if problems:
            raise DataError(
                f"{name}: {len(problems)} problem(s) in the data. {'; '.join(problems)}. Mend the "
                "tables and try again; nothing was computed."
            )
        more["days_shifted"] = more.get("days_shifted") or shifted.by_columns(
            conformed["referrals"].lazy()
        )
        return cls(name, sensitivity, **conformed, fingerprint=fingerprint, **more)

    def sequences(self, instrument: Instrument) -> Sequences:
        """Item answers of everybody who gave at least one, in order of session.

        Raises
        ------
        NotApplicable
            There are totals, and nobody's answers to the items.
        DataError
            Nobody answered any item, or a session number is far from all others.
        """
        contacts, n_later = self._first_referrals(instrument)
        spans = contacts.group_by("referral_id", maintain_order=True).agg(
            first=pl.col("session").min().cast(pl.Int64),
            last=pl.col("session").max().cast(pl.Int64),
            seen=pl.len().cast(pl.Int64),
            patient_id=pl.col("patient_id").first(),
        )
        first, seen = spans["first"].to_numpy(), spans["seen"].to_numpy()
        lengths = spans["last"].to_numpy() - first + 1
        far = int((lengths > seen + LONGEST_GAP).sum())
        if far:
            raise DataError(
                f"{self.name}: {far} referral(s) skip more than {LONGEST_GAP} sessions in a row, "
                "which looks like a slip in a session number. Correct the column session."
            )
        starts = np.cumsum(lengths) - lengths
        owner = np.repeat(np.arange(len(lengths)), seen)
        place = starts[owner] + contacts["session"].cast(pl.Int64).to_numpy() - first[owner]
        items = np.full((lengths.sum(), len(instrument.columns)), -1, dtype=np.int8)
        items[place] = contacts.select(
            pl.col(instrument.columns).fill_null(-1).cast(pl.Int8)
        ).to_numpy()
        rows = np.full(lengths.sum(), -1)
        rows[place] = contacts["row"].to_numpy()
        session = np.arange(lengths.sum()) - np.repeat(starts - first, lengths)
        n_silent = self.patients.height - contacts["patient_id"].n_unique()
        numbered = self.patients.select("patient_id").with_row_index("row")
        people = spans.join(numbered, on="patient_id", how="left", maintain_order="left")["row"]
        return Sequences(
            items, lengths, session, rows, n_silent, n_later, people.cast(pl.Int64).to_numpy()
        )

    def _first_referrals(self, instrument: Instrument) -> tuple[pl.DataFrame, int]:
        """Sessions of everybody's first referral with an answer, and the number of later ones."""
        dates = self.referrals.select("referral_id", "referral_date")
        contacts = self.contacts.with_row_index("row").join(dates, on="referral_id", how="left")
        contacts = contacts.sort("referral_date", "referral_id", "session", nulls_last=True)
        answered = pl.any_horizontal(pl.col(c).is_not_null() for c in instrument.columns)
        contacts = contacts.filter(answered.any().over("referral_id"))
        if contacts.is_empty():
            if self.contacts[f"{instrument.code}_total"].count():
                raise NotApplicable(
                    f"{self.name} holds {instrument.name} totals and no answers to its items, "
                    "which this analysis needs. If the site keeps the answers, add the columns "
                    f"{instrument.columns[0]} to {instrument.columns[-1]} to contacts."
                )
            raise DataError(
                f"{self.name}: nobody answered any {instrument.name} item, so there is nothing to "
                "analyse. Check the item columns and the filters that made the tables."
            )
        n_referrals = contacts["referral_id"].n_unique()
        contacts = contacts.filter(
            pl.col("referral_id") == pl.col("referral_id").first().over("patient_id")
        )
        return contacts, n_referrals - contacts["referral_id"].n_unique()

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
                if table in OPTIONAL and getattr(self, table).is_empty():
                    continue
                written.append(folder / f"{table}.parquet")
                told = shifted.marked(self.days_shifted)
                getattr(self, table).write_parquet(written[-1], metadata=told)
            if self.truth:
                states = self.contacts.select("referral_id", "session").with_columns(
                    state=pl.Series(self.truth["states"])
                )
                written.append(folder / "truth_states.parquet")
                states.write_parquet(written[-1])
                parameters = {
                    name: value.tolist() if isinstance(value, np.ndarray) else value
                    for name, value in self.truth.items()
                    if name != "states"
                }
                written.append(folder / "truth.json")
                written[-1].write_text(json.dumps(parameters, indent=1) + "\n", encoding="utf-8")
        except OutputError:
            raise
        except OSError as error:
            raise OutputError(
                f"{folder} cannot be written ({error.strerror}). Free space or name another folder."
            ) from None
        return written


def _check_links(tables: dict[str, pl.DataFrame]) -> list[str]:
    problems = []
    for child, parent, keys in [
        ("referrals", "patients", ["patient_id"]),
        ("contacts", "referrals", ["referral_id"]),
        ("scores", "referrals", ["referral_id"]),
        ("content", "contacts", ["referral_id", "session"]),
    ]:
        child_keys, parent_keys = tables[child].select(keys), tables[parent].select(keys)
        orphans = child_keys.join(parent_keys, on=keys, how="anti").height
        if orphans:
            name = " and ".join(keys)
            problems.append(f"{child}: {orphans} row(s) have a {name} that {parent} does not know")
    owners = tables["referrals"].select("referral_id", owner="patient_id")
    pairs = (
        tables["contacts"]
        .select("referral_id", "patient_id")
        .join(owners, on="referral_id", how="inner")
    )
    strange = pairs.filter(pl.col("patient_id") != pl.col("owner")).height
    if strange:
        problems.append(f"contacts: {strange} row(s) name another patient than their referral")
    return problems
