"""What a recipient would hold together: a new extract laid beside those that are there already.

Pseudonyms of two extracts differ, but days and scores of a course are the same in both, so that
rows of one patient find each other. Hence she is known by the columns of all extracts she is in,
each at all the levels in which it was given: bands that are not nested cut each other, and a class
is what none of them tells apart. In which of the extracts somebody is, and each of her referrals,
counts as a column as well, as who came or was added in between may be known.

What is judged are the patients of the new extract, with all referrals that are in any. Who is only
in earlier ones lends nobody cover, and is not judged: nothing new is told of her but that she is
not in this one, which may say in which years she was not referred. The library keeps which
referrals an extract held, not what it said of them: values that were corrected since count as if
they had been given then, and referrals that were removed since are not laid beside the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from iesoresearch.data.schema import TABLES
from iesoresearch.library.extract import generalise, identifiability
from iesoresearch.library.extract.agreement import Agreement, Limits
from iesoresearch.library.extract.earlier import Earlier
from iesoresearch.library.extract.identifiability import PERSON, Asked, Step
from iesoresearch.library.extract.needs import LINKS
from iesoresearch.library.extract.quasi import QUASI_IDENTIFIERS
from iesoresearch.library.extract.selection import Selected, read

#: Tables of the compartment "choices", a part per extract: its patients, and its referrals with
#: the part of the library that each lies in.
EXTRACTS, REFERRALS = "extracts", "extract_referrals"
#: Number of what the earlier extracts tell, one column in place of theirs.
BEFORE = "known before"
_NEW = "in the new extract"
_ROW = "row of the patient"
_PERSON_IN, _IN = 1, 2  # an extract has the patient; has the referral as well
_NONE = pl.Series([], dtype=pl.String)


@dataclass(frozen=True)
class Together:
    """Rows of a new extract with what earlier ones tell of the same patients.

    Attributes
    ----------
    rows
        One per referral: `PERSON`, row of the patient among those selected; the quasi-identifiers
        of the new extract, null where that has not the referral; `BEFORE`; sensitive columns.
    quasi
        Names of those to know somebody by; the last is `BEFORE`.
    given
        Sensitive column -> flag of `rows`: whether any extract gives it of this referral.
    earlier
        Extracts that hold one of these patients.
    n_shared
        Patients who are in one of them.
    limits
        The strictest of all these agreements: a new one does not loosen what an earlier one asks.
    """

    rows: pl.DataFrame
    quasi: list[str]
    given: dict[str, str]
    earlier: tuple[Earlier, ...]
    n_shared: int
    limits: Limits

    def below(self) -> pl.Series:
        """Patients in classes below the limits, each once, sorted."""
        found = [identifiability.below(self.rows, self.quasi, Asked(self.limits.k))]
        for column, flag in self.given.items():
            of = Asked(1, self.limits.l, (column,))
            found.append(identifiability.below(self.rows.filter(flag), self.quasi, of))
        return pl.concat(found).unique().sort()

    def suppressed(self) -> pl.Series:
        """Patients to leave out so that the classes of the others reach the limits, sorted."""
        return identifiability.left_out(self.rows, lambda rows: replace(self, rows=rows).below())

    def without(self, people: pl.Series) -> "Together":
        """The same but for some patients."""
        return replace(self, rows=identifiability.without(self.rows, people))

    def uniform(self) -> list[str]:
        """Sensitive columns that do not vary enough in some class."""
        found = []
        for column, flag in self.given.items():
            rows = self.rows.filter(flag)
            if rows.height:
                least = identifiability.diversity(rows, self.quasi, column)
                found += [column] if not least.reaches(self.limits.l, self.limits.l_entropy) else []
        return found

    def proposals(self, chosen: dict[str, str]) -> list[Step]:
        """What to make coarser in the new extract so that k is reached."""
        return identifiability.proposals(
            self.rows, self.quasi, Asked(self.limits.k), chosen, BEFORE
        )


def laid(
    reader, selected: Selected, agreement: Agreement, earlier: Sequence[Earlier]
) -> Together | None:
    """A new extract beside what its recipient holds; None if that has nobody of these patients.

    Parameters
    ----------
    reader
        A library, or a draft of one.
    selected
        Whose records the new extract would hold.
    agreement
        Its agreement.
    earlier
        What the recipient holds already.
    """
    people = selected.patients.select("patient_id").with_row_index(_ROW)
    people = people.with_columns(_member(reader, e) for e in earlier)
    shared = [e for e in earlier if people[e.extract_id].any()]
    if not shared:
        return None
    laying = _Laying(reader, selected, people, agreement, tuple(shared))
    parts = selected.part.unique(maintain_order=True)
    rows = pl.concat([laying.of_part(part) for part in parts], how="vertical_relaxed")
    n_shared = people.select(pl.any_horizontal(e.extract_id for e in shared).sum()).item()
    quasi = [*laying.own, BEFORE]
    limits = strictest(agreement.limits, shared)
    return Together(rows, quasi, laying.given, tuple(shared), n_shared, limits)


def strictest(limits: Limits, earlier: Sequence[Earlier]) -> Limits:
    """Limits, none of them below that of an earlier extract."""
    most = {n: max(getattr(one, n) for one in (limits, *earlier)) for n in ("k", "l", "l_entropy")}
    return limits.model_copy(update=most)


def _member(reader, earlier: Earlier) -> pl.Expr:
    name = earlier.extract_id
    if name not in reader.parts(EXTRACTS, "choices"):
        return pl.lit(True).alias(name)  # nobody knows who was in it
    held = reader.read(EXTRACTS, part=name, compartment="choices", columns=["patient_id"])
    return pl.col("patient_id").is_in(held["patient_id"].implode()).alias(name)


def _referrals(reader, earlier: Earlier) -> dict[str, pl.Series] | None:
    """Referrals that an extract held, by part of the library; None where that is not recorded."""
    name = earlier.extract_id
    if name not in reader.parts(REFERRALS, "choices"):
        return None
    held = reader.read(REFERRALS, part=name, compartment="choices")
    parts = held.partition_by("part", as_dict=True, maintain_order=True)
    return {str(part): own["referral_id"] for (part,), own in parts.items()}


class _Laying:
    """Rows of the library with what each extract gives of them."""

    def __init__(self, reader, selected: Selected, people: pl.DataFrame, agreement, shared):
        self._reader, self._selected, self._people = reader, selected, people
        self._shared: tuple[Earlier, ...] = shared
        self._chosen: dict[str, str] = agreement.generalise
        own_columns = {c for columns in agreement.tables.values() for c in columns}
        self.own = list(generalise.given(agreement.tables, self._chosen))
        self._levels = dict.fromkeys(pair for e in shared for pair in e.levels.items())
        sensitive = [*agreement.limits.sensitive, *(c for e in shared for c in e.sensitive)]
        self.given = {c: f"{c} is given" for c in dict.fromkeys(sensitive)}
        self._columns_of_new = own_columns
        self._held = {e.extract_id: _referrals(reader, e) for e in shared}

    def of_part(self, part: str) -> pl.DataFrame:
        """Rows of one part of the library."""
        rows = self._rows(part)
        before = [_NEW, *(e.extract_id for e in self._shared)]
        told = [self._told(c, level).alias(f"{c} in {level}") for c, level in self._levels]
        known = rows.select(*before, *told).hash_rows(seed=0)  # equal up to one chance in 2⁶⁴
        own = generalise.applied(rows.select(self.own), self._chosen)
        own = own.with_columns(
            pl.when(rows[_NEW]).then(pl.col(c)).alias(c)
            for c in self.own
            if QUASI_IDENTIFIERS[c] == "referrals"
        )
        flags = rows.select(self._is_given(c).alias(flag) for c, flag in self.given.items())
        return pl.DataFrame(
            [
                rows[_ROW].alias(PERSON),
                *own,
                known.alias(BEFORE),
                *rows.select(list(self.given)),
                *flags,
            ]
        )

    def _rows(self, part: str) -> pl.DataFrame:
        """Referrals of the patients that are in any extract, and in which."""
        here = self._selected.part == part
        people = self._people[self._selected.owner.filter(here).unique()]
        rows = self._read("referrals", part, list(LINKS))
        rows = rows.join(people, on="patient_id", how="inner", maintain_order="left")
        new = self._selected.referrals.filter(here)["referral_id"]
        rows = rows.with_columns(pl.col("referral_id").is_in(new.implode()).alias(_NEW))
        rows = rows.with_columns(self._state(e, part, rows) for e in self._shared)
        held = pl.any_horizontal(_NEW, *(pl.col(e.extract_id) == _IN for e in self._shared))
        patients = self._read("patients", part, ["patient_id"])
        return rows.filter(held).join(patients, on="patient_id", how="left", maintain_order="left")

    def _read(self, table: str, part: str, columns: list[str]) -> pl.DataFrame:
        """The columns, and of this table those by which somebody is known or that are sensitive."""
        names = {*self.own, *(c for c, _ in self._levels), *self.given}
        of_table = [c for c in TABLES[table].column_names() if c in names]
        return read(self._reader, table, part, [*columns, *of_table])

    def _state(self, earlier: Earlier, part: str, rows: pl.DataFrame) -> pl.Series:
        """By referral: how much of it an extract has."""
        member = here = rows[earlier.extract_id]
        held = self._held[earlier.extract_id]
        if held is not None:
            here = member & rows["referral_id"].is_in(held.get(part, _NONE).implode())
        state = member.cast(pl.UInt8) * _PERSON_IN + here.cast(pl.UInt8)
        return state.alias(earlier.extract_id)

    def _told(self, column: str, level: str) -> pl.Expr:
        """A quasi-identifier at a level, where an earlier extract gives it so."""
        value = (
            pl.col(column) if level == generalise.AS_STORED else generalise.coarser(column, level)
        )
        return pl.when(
            pl.any_horizontal(
                self._reached(e, column) for e in self._shared if e.levels.get(column) == level
            )
        ).then(value)

    def _is_given(self, sensitive: str) -> pl.Expr:
        """Whether any extract gives a sensitive column."""
        by = [self._reached(e, sensitive) for e in self._shared if sensitive in e.columns]
        if sensitive in self._columns_of_new:
            by.append(pl.col(_NEW) | (_table_of(sensitive) == "patients"))
        return pl.any_horizontal(by)

    def _reached(self, earlier: Earlier, column: str) -> pl.Expr:
        """Whether an extract that has a column tells it of a referral."""
        least = _PERSON_IN if _table_of(column) == "patients" else _IN
        return pl.col(earlier.extract_id) >= least


def _table_of(column: str) -> str:
    return "patients" if column in TABLES["patients"].column_names() else "referrals"
