"""Whose records an extract holds: choices honoured, filters of the agreement, a sample."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from iesoresearch import seeds
from iesoresearch.data.codes import STEP_OF_THERAPY
from iesoresearch.library import choices
from iesoresearch.library.choices import consent
from iesoresearch.library.extract.agreement import CONSENTED, Agreement, Refused, Rows
from iesoresearch.library.extract.identifiability import PERSON
from iesoresearch.library.extract.needs import LINKS


@dataclass(frozen=True)
class Selected:
    """Patients and referrals of an extract, with the library's own pseudonyms.

    Attributes
    ----------
    patients, referrals
        The columns agreed to, and the links; part by part, patients sorted by pseudonym.
    owner
        (referrals,) uint32: row of the patient.
    part
        (referrals,) part of the library that the referral lies in.
    n_excluded
        Patients left out because they opted out, withdrew, or did not consent to the study.
    """

    patients: pl.DataFrame
    referrals: pl.DataFrame
    owner: pl.Series
    part: pl.Series
    n_excluded: int = 0

    def rows(self, columns: list[str]) -> pl.DataFrame:
        """One row per referral: some columns of it and of its patient, and `PERSON`, her row."""
        own = [c for c in columns if c in self.referrals.columns]
        of_patient = [c for c in columns if c in self.patients.columns and c not in own]
        found = [self.owner.alias(PERSON), *self.referrals.select(own).get_columns()]
        found += [self.patients[column][self.owner] for column in of_patient]
        return pl.DataFrame(found)

    def without(self, rows: pl.Series) -> "Selected":
        """The same but for the patients in some rows."""
        stays = np.ones(self.patients.height, dtype=bool)
        stays[rows.to_numpy()] = False
        row = (np.cumsum(stays) - 1).astype(np.uint32)
        owners = self.owner.to_numpy()
        kept = pl.Series(stays[owners])
        return Selected(
            self.patients.filter(pl.Series(stays)),
            self.referrals.filter(kept),
            pl.Series("owner", row[owners[stays[owners]]]),
            self.part.filter(kept),
            self.n_excluded,
        )


def select(reader, agreement: Agreement, on: date) -> Selected:
    """Patients and referrals that fit the agreement, part by part.

    Parameters
    ----------
    reader
        A library, or a draft of one, so that nobody's choice changes meanwhile.
    agreement
        Of any kind but "annotation inside".
    on
        The day whose choices hold.

    Raises
    ------
    Refused
        A column is outside what people consented to; nobody is left.
    DataError
        The library lacks a column that is agreed to, or that a filter needs.
    """
    admitted = _Admitted(reader, agreement, on)
    found = [_of_part(reader, agreement, part, admitted) for part in reader.parts("referrals")]
    if not any(one.referrals.height for one in found):
        raise Refused(
            "nobody",
            f"Agreement {agreement.id}: no referral in the library fits its rows"
            f"{' and is of somebody who consented' if agreement.kind in CONSENTED else ''}. "
            "Nothing was written.",
        )
    starts = np.cumsum([0, *(one.patients.height for one in found)])
    together = Selected(
        pl.concat([one.patients for one in found], how="vertical_relaxed"),
        pl.concat([one.referrals for one in found], how="vertical_relaxed"),
        pl.concat([one.owner + start for one, start in zip(found, starts, strict=False)]),
        pl.concat([one.part for one in found]),
        admitted.n_excluded,
    )
    return _sampled(together, agreement)


class _Admitted:
    """Who may be in the extract at all; raises where that cannot be known."""

    def __init__(self, reader, agreement: Agreement, on: date):
        self.out = choices.excluded(reader, on).select("patient_id").unique()
        self.consenting = None
        if agreement.kind in CONSENTED:
            _within_scope(consent.study(reader, agreement.study), agreement)
            self.consenting = consent.consenting(reader, agreement.study, on).to_frame("patient_id")
        self.n_excluded = 0

    def among(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Rows of those who may."""
        left = frame.join(self.out, on="patient_id", how="anti", maintain_order="left")
        if self.consenting is not None:
            left = left.join(self.consenting, on="patient_id", how="semi", maintain_order="left")
        self.n_excluded += frame["patient_id"].n_unique() - left["patient_id"].n_unique()
        return left


def _within_scope(study, agreement: Agreement) -> None:
    outside = [
        c for c in study.outside(agreement.tables) if c.partition(".")[2] not in (*LINKS, "session")
    ]
    if outside:
        raise Refused(
            "outside consent",
            f"Agreement {agreement.id} asks for {', '.join(outside)}, which the people who "
            f"consented to {agreement.study} did not consent to. Take them out, or have the "
            "ethics review and the consents extended first.",
        )


def _of_part(reader, agreement: Agreement, part: str, admitted: _Admitted) -> Selected:
    asked = [*LINKS, *agreement.tables["referrals"]]
    referrals = read(reader, "referrals", part, [*asked, *_filters(agreement.rows)])
    referrals = _fitting(reader, part, referrals, agreement.rows)
    referrals = admitted.among(referrals).select(list(dict.fromkeys(asked)))
    patients = read(reader, "patients", part, ["patient_id", *agreement.tables["patients"]])
    patients = patients.join(referrals, on="patient_id", how="semi").sort("patient_id")
    numbered = patients.select("patient_id").with_row_index("owner")
    referrals = referrals.join(numbered, on="patient_id", how="inner", maintain_order="left")
    owner, parts = referrals["owner"], pl.Series("part", [part] * referrals.height, pl.String)
    return Selected(patients, referrals.drop("owner"), owner, parts)


def _filters(rows: Rows) -> dict[str, list[str]]:
    """Columns of referrals by which rows are chosen, with the values that are."""
    named = {"referral_year": rows.referral_years, "problem": rows.problems}
    return {column: allowed for column, allowed in named.items() if allowed}


def _fitting(reader, part: str, referrals: pl.DataFrame, rows: Rows) -> pl.DataFrame:
    """Those of some referrals of a part, with the columns of `_filters`, that fit `rows`."""
    for column, allowed in _filters(rows).items():
        referrals = referrals.filter(pl.col(column).cast(pl.String).is_in(allowed))
    if not rows.steps:
        return referrals
    treated = _treated(reader, part, rows.steps)
    return referrals.join(treated, on="referral_id", how="semi", maintain_order="left")


def _treated(reader, part: str, steps: list[str]) -> pl.DataFrame:
    """Referrals with an appointment of one of these steps."""
    therapies = [name for name, step in STEP_OF_THERAPY.items() if step in steps]
    contacts = read(reader, "contacts", part, ["referral_id", "therapy"])
    return contacts.filter(pl.col("therapy").cast(pl.String).is_in(therapies)).select("referral_id")


def read(reader, table: str, part: str, columns: list[str]) -> pl.DataFrame:
    """Columns of a part of a table; a table without that part has no rows in it.

    Raises
    ------
    DataError
        The library holds the table, but not all of the columns.
    """
    columns = list(dict.fromkeys(columns))
    if not reader.has(table) or part not in reader.parts(table):
        return pl.DataFrame(schema=dict.fromkeys(columns, pl.Null))
    return reader.read(table, part=part, columns=columns)


def _sampled(selected: Selected, agreement: Agreement) -> Selected:
    """A random sample of the patients, the same for the same seed and patients."""
    n, found = agreement.rows.n_patients, selected.patients.height
    if n is None or n >= found:
        return selected
    drawn = seeds.rng(agreement.rows.seed, "extract", agreement.id).choice(
        found, found - n, replace=False
    )
    return selected.without(pl.Series(drawn))
