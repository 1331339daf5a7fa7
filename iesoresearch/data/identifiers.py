"""Columns that look like identifiers: such a table is not loaded at all.

NHS numbers, names, postcodes, e-mail addresses, telephone numbers and dates of birth have no use
in any analysis here. Looking for them is a safety net, not a proof that data are pseudonymised.
"""

import re
from collections.abc import Collection, Mapping, Set
from dataclasses import dataclass
from types import MappingProxyType

import polars as pl

from iesoresearch.data.schema import TABLES
from iesoresearch.errors import DataError

_EMAIL = r"[^\s@]+@[^\s@]+\.[a-zA-Z]{2,}"
_POSTCODE = r"^(?i)[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}$"
_PHONE = r"^(?:\+44 ?|0044 ?|0)[1-378](?: ?\d){9}$"
_DATE = r"^(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[/.-]\d{1,2}[/.-]\d{4})"
_YEAR = r"\b((?:18|19|20)\d\d)\b"

_FREQUENT = """
adam aisha alan alexander alice amanda amelia amy andrea andrew angela ann anna anne anthony
benjamin caroline catherine charlotte chloe christine christopher claire daniel david debbie
deborah dennis donald donna dorothy edward eleanor elizabeth ellie emily emma fatima fiona
geoffrey george georgia hannah harry heather helen isabella jacqueline jacob james jane janet
jason jennifer jessica joan joanna john jonathan joseph joshua judith julia julie karen katherine
katie kathleen keith kenneth kevin laura lauren leah linda lisa louise lucy margaret maria martin
mary matthew megan mia michael michelle mohammed muhammad natalie nathan nicholas nicola oliver
olivia pamela patricia paul peter philip rachel rebecca richard robert ronald ruth ryan samantha
sandra sarah sharon simon sophia sophie stephanie stephen steven stuart susan susanna suzanne
thomas timothy tracey victoria wendy william yvonne zoe
"""
#: Forenames frequent in Great Britain that are hardly ever another word; months are left out.
FORENAMES = tuple(_FREQUENT.split())
_FORENAME = rf"(?i)(?:^|[^a-z])(?:{'|'.join(FORENAMES)})(?:$|[^a-z])"
_NAMED = re.compile(r"(patient|person|full|first|last|fore|given|family|sur|middle)_?name|name")
_BORN = re.compile(r".*(birth|\bdob\b|_dob|dob_|born).*")
_LETTERS = r"^[\p{L}'’ .,-]+$"

#: Share of the filled cells from which on a column counts as one of that kind.
_MOST, _MANY = 0.5, 0.3
_SPREAD_OF_BIRTHS = 8.0  # standard deviation, years; years of contact with a service vary less
_SHORTEST = 3  # letters of a name
_FEW = 5  # distinct values; a code list, not names


_DAYS = frozenset(n for s in TABLES.values() for n, c in s.columns().items() if c.dtype == pl.Date)


#: Columns that somebody declared to be identifiers, by name of their file: split off, not refused.
Declared = Mapping[str, Set[str]]
NONE_DECLARED: Declared = MappingProxyType({})


@dataclass(frozen=True)
class Identifier:
    """A column that looks like identifiers: its place in the table, from 1, and of which kind."""

    place: int
    name: str
    kind: str
    n: int

    def text(self, known: bool) -> str:
        """A sentence; the column is named only where its name is one of the schema."""
        column = self.name if known else f"column {self.place}"
        return f"{column} looks like an identifier ({self.kind})"


def refuse(tables: Mapping[str, pl.DataFrame | pl.LazyFrame], where: str) -> None:
    """Let tables pass only if no column looks like an identifier.

    Parameters
    ----------
    tables
        By name of the table, as read: also columns that nothing uses.
    where
        What they were read from, for the message.

    Raises
    ------
    DataError
        Naming every such column.
    """
    found = [
        f"{table}: {identifier.text(_is_known(table, identifier.name))}"
        for table, frame in tables.items()
        for identifier in identifiers(frame)
    ]
    if found:
        raise DataError(f"{where}: {'; '.join(found)}. Nothing was loaded. {ADVICE}")


ADVICE = (
    "Take such columns out, or put pseudonyms in their place that nobody can trace back, where "
    "the data leave the clinical system."
)


def _is_known(table: str, name: str) -> bool:
    schemas = [TABLES[table]] if table in TABLES else TABLES.values()
    return any(name in schema.column_names() for schema in schemas)


def identifiers(
    frame: pl.DataFrame | pl.LazyFrame, days: Collection[str] = _DAYS
) -> list[Identifier]:
    """Columns of a table that look like identifiers, in one pass.

    `days` names columns that hold days of care: years far apart are slips there, not births.
    """
    table = frame.lazy()
    types = dict(table.collect_schema())
    sizes = _sizes(table, types)
    counts = {}
    for place, (name, kind) in enumerate(types.items()):
        for what, expression in _counts(name, kind, sizes.get(name, 0)).items():
            counts[f"{place}|{what}"] = expression
    if not counts:
        return []
    counted = table.select(e.alias(k) for k, e in counts.items()).collect(engine="streaming")
    values = counted.row(0, named=True)
    found = []
    for place, name in enumerate(types):
        own = {k.partition("|")[2]: v for k, v in values.items() if k.startswith(f"{place}|")}
        if name in days:
            own.pop("spread", None)
        verdict = _verdict(name, own) if own.get("present") else None
        if verdict:
            found.append(Identifier(place + 1, name, *verdict))
    return found


def _sizes(table: pl.LazyFrame, types: dict[str, pl.DataType]) -> dict[str, int]:
    """Length of the longest cell of every column of text: most hold answers, too short to ask."""
    texts = [name for name, kind in types.items() if kind == pl.String]
    if not texts:
        return {}
    longest = table.select(pl.col(texts).str.len_bytes().max().fill_null(0))
    return longest.collect(engine="streaming").row(0, named=True)


def _counts(name: str, kind: pl.DataType, size: int) -> dict[str, pl.Expr]:
    column = pl.col(name)
    if kind in (pl.Int64, pl.UInt64):
        return {
            "present": column.count(),
            "ten": column.is_between(10**9, 10**10 - 1).sum(),
            "nhs": _valid_nhs_number(column).sum(),
        }
    if isinstance(kind, pl.Categorical):
        return _text_counts(name, column.cast(pl.String), 99)
    if kind in (pl.Date, pl.Datetime):
        years = column.dt.year()
        return {"present": column.count(), "dates": column.count(), "spread": years.std()}
    return _text_counts(name, column, size) if kind == pl.String and size >= _SHORTEST else {}


def _text_counts(name: str, column: pl.Expr, size: int) -> dict[str, pl.Expr]:
    """What the longest cell, of `size` bytes, is long enough for."""
    text = column.str.strip_chars()
    counts = {"present": (text != "").sum(), "forename": text.str.contains(_FORENAME).sum()}
    if _is_named(name):
        counts |= {"letters": text.str.contains(_LETTERS).sum(), "distinct": text.n_unique()}
    if size >= 5:
        counts["email"] = (text.str.contains("@", literal=True) & text.str.contains(_EMAIL)).sum()
        counts["postcode"] = text.str.contains(_POSTCODE).sum()
    if size >= 8:
        dated = text.str.contains(_DATE)
        year = text.str.extract(_YEAR, 1).cast(pl.Int16, strict=False)
        counts |= {"dates": dated.sum(), "spread": pl.when(dated).then(year).std()}
    if size >= 10:
        digits = text.str.replace_all(r"[ -]", "")
        ten = digits.str.contains(r"^\d{10}$")
        number = pl.when(ten).then(digits).cast(pl.Int64, strict=False)
        counts |= {"ten": ten.sum(), "nhs": _valid_nhs_number(number).sum()}
        counts["phone"] = text.str.contains(_PHONE).sum()
    return counts


def _valid_nhs_number(number: pl.Expr) -> pl.Expr:
    """Ten digits whose last is the check digit: modulus 11 of the first nine."""
    weighted = pl.sum_horizontal(number // 10**k % 10 * (k + 1) for k in range(1, 10))
    check = (11 - weighted % 11) % 11
    return number.is_between(0, 10**10 - 1) & (number > 10**8) & (check == number % 10)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def _is_named(name: str) -> bool:
    return _NAMED.fullmatch(_plain(name)) is not None


def _verdict(name: str, counted: dict[str, float]) -> tuple[str, int] | None:
    present = counted["present"]
    n = {what: counted.get(what) or 0 for what in counted}
    get = n.get
    if get("nhs", 0) >= _MOST * get("ten", 1) > 0 and (
        get("nhs") >= _FEW or get("nhs") >= _MOST * present
    ):
        return "NHS numbers", n["nhs"]
    if get("email", 0):
        return "e-mail addresses", n["email"]
    for what, kind in [("postcode", "postcodes"), ("phone", "telephone numbers")]:
        if get(what, 0) >= _MOST * present:
            return kind, n[what]
    if get("forename", 0) >= _MANY * present and get("forename", 0):
        return "names of people", n["forename"]
    if get("letters", 0) >= _MOST * present and get("distinct", 0) > _FEW:
        return "names of people", n["letters"]
    born = _BORN.fullmatch(_plain(name)) or get("spread", 0) >= _SPREAD_OF_BIRTHS
    if get("dates", 0) >= _MOST * present and born:
        return "dates of birth", n["dates"]
    return None
