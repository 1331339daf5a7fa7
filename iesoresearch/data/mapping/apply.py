"""From a partner's files, by way of a mapping, to lazy canonical tables and what was odd."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from iesoresearch.data import identifiers
from iesoresearch.data.checks import answers
from iesoresearch.data.findings import Problem, told
from iesoresearch.data.mapping import values
from iesoresearch.data.mapping.reading import DECIMALS, File, look
from iesoresearch.data.mapping.site import FileMapping, Mapping
from iesoresearch.data.questions import Question, Tables, contradictions, count
from iesoresearch.data.schema import TABLES
from iesoresearch.errors import DataError
from iesoresearch.measures import INSTRUMENTS

UNREADABLE = "cannot be read to its end as a table; a row may have more cells than the header"
_KEYS = ("patient_id", "referral_id")
_OWN = {
    name: [c for c in schema.column_names() if c not in (*_KEYS, "session")]
    for name, schema in TABLES.items()
}


@dataclass(frozen=True)
class Source:
    """Tables of a site, and what was found while they were read.

    Attributes
    ----------
    days_shifted
        By how many days dates may be shifted, see `data.shifted`; 0: by none.
    """

    name: str
    tables: Tables
    problems: tuple[Problem, ...] = ()
    days_shifted: int = 0


def read(
    name: str,
    mapping: Mapping,
    folder: Path | None = None,
    declared: identifiers.Declared = identifiers.NONE_DECLARED,
) -> Source:
    """The tables of a site, lazily.

    Parameters
    ----------
    name
        Of the site.
    mapping
        Complete: no question mark is left.
    folder
        Where the files are, if not where they were.
    declared
        Columns that may be identifiers, because they are split off.
    """
    problems, frames, questions = [], [], []
    for wanted in mapping.files:
        place = wanted.file
        try:
            file = look((folder or Path(mapping.folder)) / wanted.file, wanted.layout)
        except DataError as error:
            problems.append(Problem("error", place, str(error)))
            continue
        absent = _absent(wanted, file.columns)
        if absent:
            problems += [
                Problem("error", place, f"the column that is mapped to {c} is absent")
                for c in absent
            ]
            continue
        known = {name: column for column, _, name in resolved(wanted.columns, file.columns)}
        found = examined(file, place, known, declared)
        problems += found
        if not any(p.text == UNREADABLE for p in found):
            frame, asked = _recoded(wanted, renamed(wanted, file))
            frames.append(frame)
            questions += asked
    tables, found, asked = assemble(frames)
    return Source(name, tables, (*problems, *found, *answers([*questions, *asked])))


def examined(
    file: File,
    place: str,
    known: dict[str, str],
    declared: identifiers.Declared = identifiers.NONE_DECLARED,
) -> list[Problem]:
    """Read a file once from end to end: whether it can be read, and what looks like identifiers.

    `known` maps its columns to ours; others are told by their number. What is `declared` to be an
    identifier is not told.
    """
    split_off = declared.get(file.path.name, frozenset())
    try:
        dated = values.date_columns()
        days = [name for name, column in known.items() if column in dated]
        found = identifiers.identifiers(file.raw(), days)
    except (pl.exceptions.PolarsError, OSError):
        return [Problem("error", place, UNREADABLE)]
    return [
        Problem(
            "error",
            place,
            f"{known.get(f.name, f'column {f.place}')} looks like an identifier ({f.kind})",
            f.n,
        )
        for f in found
        if f.name not in split_off
    ]


def resolved(columns: dict[str, str], names: tuple[str, ...]) -> list[tuple[str, int | None, str]]:
    """(our column, session, their column) for everything that a mapping's patterns match."""
    found = []
    for target, pattern in columns.items():
        shape = re.escape(pattern).replace(r"\{item\}", r"(?P<item>\d+)")
        shape = shape.replace(r"\{session\}", r"(?P<session>\d+)")
        for name in names:
            hit = re.fullmatch(shape, name)
            if hit is None:
                continue
            numbers = {k: int(v) for k, v in hit.groupdict().items()}
            column = target.replace("{item}", str(numbers.get("item", "")))
            code = target.removesuffix("_{item}")
            if "{item}" in target and column not in INSTRUMENTS[code].columns:
                continue
            found.append((column, numbers.get("session"), name))
    return found


def _absent(wanted: FileMapping, names: tuple[str, ...]) -> list[str]:
    found = {column for column, _, _ in resolved(wanted.columns, names)}
    absent = []
    for target in wanted.columns:
        if "{item}" not in target:
            absent += [target] if target not in found else []
            continue
        absent += [c for c in INSTRUMENTS[target.removesuffix("_{item}")].columns if c not in found]
    return absent


def renamed(wanted: FileMapping, file: File) -> pl.LazyFrame:
    """A file with our names of columns, one session per row, every cell still as it was."""
    table, found = file.scan(), resolved(wanted.columns, file.columns)
    once = [pl.col(name).alias(column) for column, session, name in found if session is None]
    many = [(column, session, name) for column, session, name in found if session is not None]
    if not many:
        return table.select(once)
    columns = sorted({column for column, _, _ in many})
    cells = {(column, session): name for column, session, name in many}
    visits = [
        pl.struct(
            pl.lit(str(session)).alias("session"),
            *(
                (pl.col(cells[c, session]) if (c, session) in cells else pl.lit(None, pl.String))
                .alias(c)
                for c in columns
            ),
        )
        for session in sorted({session for _, session, _ in many})
    ]  # fmt: skip
    long = table.select(*once, pl.concat_list(visits).alias("visit")).explode("visit")
    long = long.unnest("visit")
    return long.filter(pl.any_horizontal(_filled(c) for c in columns))


def _filled(column: str) -> pl.Expr:
    return (pl.col(column).str.strip_chars() != "").fill_null(False)


def _recoded(wanted: FileMapping, frame: pl.LazyFrame) -> tuple[pl.LazyFrame, list[Question]]:
    """Cells in our words, days as 2024-01-31; and what was odd about them."""
    kinds = {n: c for s in TABLES.values() for n, c in s.columns().items()}
    columns = list(frame.collect_schema())
    coded = {c: wanted.codes[c] for c in columns if c in wanted.codes}
    dated = {c: wanted.dates.get(c, ["yyyy-mm-dd"]) for c in columns if kinds[c].dtype == pl.Date}
    bare = frame.select(
        *(pl.when(_filled(c)).then(pl.col(c).str.strip_chars()).alias(c) for c in columns),
        *((pl.col(c) != pl.col(c).str.strip_chars()).alias(f"{c}|spaced") for c in coded),
    )
    # each worked out once, and used below both for the table and for the counts
    bare = bare.with_columns(
        *(values.simply(pl.col(c)).alias(f"{c}|code") for c in coded),
        *(values.read_dates(pl.col(c), names).alias(f"{c}|day") for c, names in dated.items()),
    )
    made = {c: pl.col(c) for c in columns}
    for c in columns:
        if c in coded:
            words = {values.simple(code): word for code, word in coded[c].items()}
            made[c] = values.recoded(pl.col(f"{c}|code"), words, pl.lit(None, pl.String))
        elif c in dated:
            made[c] = pl.col(f"{c}|day").dt.to_string("%Y-%m-%d")
        elif kinds[c].dtype == pl.Enum:
            # our own words need no list; capitals and spaces do not matter
            words = {values.simple(word): word for word in kinds[c].dtype.categories}
            made[c] = values.recoded(values.simply(pl.col(c)), words, pl.col(c))
        elif kinds[c].dtype.is_numeric() and DECIMALS[wanted.decimal] == ",":
            made[c] = pl.col(c).str.replace(",", ".", literal=True)
    asked = [q for c, codes in coded.items() for q in _about_codes(wanted.file, bare, c, codes)]
    asked += [q for c, names in dated.items() for q in _about_days(wanted.file, bare, c, names)]
    return bare.select(e.alias(c) for c, e in made.items()), asked


def _about_codes(
    place: str, bare: pl.LazyFrame, column: str, codes: dict[str, str]
) -> Iterator[Question]:
    """Unknown codes; and '1', '01' and ' 1' in one column, which are read as one."""
    raw, code, spaced = pl.col(column), pl.col(f"{column}|code"), pl.col(f"{column}|spaced")
    known = code.is_in([values.simple(c) for c in codes])
    unknown = f"{column}: {{n}} value(s) are not among the codes of the mapping"
    yield count("error", place, bare, {unknown: raw.is_not_null() & ~known})
    longer = spaced | (raw.str.to_lowercase() != code)
    odd = (
        f"{column}: {{n}} code(s) have spaces or leading zeros that others of the column lack; "
        "they were read as the same"
    )
    yield count("warning", place, bare, {odd: known & longer & (known & ~longer).any()})


def _about_days(
    place: str, bare: pl.LazyFrame, column: str, formats: list[str]
) -> Iterator[Question]:
    """Days in another format, and what is no day."""
    left = bare.filter(pl.col(column).is_not_null() & pl.col(f"{column}|day").is_null())
    other = values.mixed_formats(pl.col(column), formats)
    mixed = (
        f"{column}: {{n}} date(s) are in another format than {' or '.join(formats)}: formats are "
        "mixed"
    )
    asked = {mixed: other, f"{column}: {{n}} value(s) are no date": ~other}
    yield count("error", place, left, asked)


def assemble(frames: list[pl.LazyFrame]) -> tuple[Tables, list[Problem], list[Question]]:
    """Canonical tables of the renamed and recoded files, each row where it belongs."""
    if not frames:
        return {}, [], []
    has = [set(frame.collect_schema()) for frame in frames]
    if not any("patient_id" in columns for columns in has):
        text = "no file that could be read has a column for patient_id"
        return {}, [Problem("error", "all tables", text)], []
    if not any("referral_id" in columns for columns in has):
        # nobody was referred twice, as far as the files can say
        frames = [
            frame.with_columns(referral_id="patient_id") if "patient_id" in columns else frame
            for frame, columns in zip(frames, has, strict=True)
        ]
    tables: Tables = {}
    asked = _collapse(tables, "patients", frames, "patient_id")
    asked += _collapse(tables, "referrals", frames, "referral_id")
    owners = tables["referrals"].select("referral_id", "patient_id")
    problems = _homeless(frames)
    apart = [f for f in frames if not {"value", "words"} & set(f.collect_schema())]
    contacts = _rows(apart, "contacts", owners)
    if contacts is not None:
        tables["contacts"] = _numbered(contacts)
    for name, mark in [("scores", "value"), ("content", "words")]:
        rows = _rows([f for f in frames if mark in f.collect_schema()], name, owners)
        if rows is not None:
            tables[name] = rows
    return tables, problems, asked


def _homeless(frames: list[pl.LazyFrame]) -> list[Problem]:
    """Files of appointments that do not say which referral they are of, though others do."""
    own = set(_OWN["contacts"]) | {"session"}
    columns = [set(frame.collect_schema()) for frame in frames]
    n = sum("referral_id" not in given and bool(own & given) for given in columns)
    text = "{n} file(s) of appointments have no column for referral_id, though another file has"
    return told("error", "contacts", {text: n})


def _collapse(tables: Tables, name: str, frames: list[pl.LazyFrame], key: str) -> list[Question]:
    """One row per key of what the files say about it; they are asked whether they agree."""
    wanted = [c for c in TABLES[name].column_names() if c != key]
    holders = [frame for frame in frames if key in frame.collect_schema()]
    # files that only mention a key do not make it known, unless no file says more
    telling = [f for f in holders if (set(wanted) - set(_KEYS)) & set(f.collect_schema())]
    parts = []
    for frame in telling or holders:
        given = frame.collect_schema()
        parts.append(frame.select(key, *(c for c in wanted if c in given), _year(given)))
    if name == "referrals" and not any("patient_id" in p.collect_schema() for p in parts):
        parts += [f.select(_KEYS) for f in holders if "patient_id" in f.collect_schema()]
    rows = pl.concat(parts, how="diagonal")
    said = [c for c in rows.collect_schema() if c not in (key, "year")]
    tables[name] = rows.group_by(key).agg(pl.col(said).min())
    return [_two_people(rows)] if name == "patients" else [_two_patients(rows, said)]


def _year(given) -> pl.Expr:
    """The year that a row is about, so that an age may grow from one row to another."""
    days = [pl.col(c).str.slice(0, 4) for c in ("date", "referral_date") if c in given]
    year = pl.coalesce(days).cast(pl.Int32, strict=False) if days else pl.lit(None, pl.Int32)
    return year.alias("year")


def _two_people(rows: pl.LazyFrame) -> Question:
    given, absent = rows.collect_schema(), pl.lit(None, pl.String)
    people = rows.select(
        "patient_id",
        *((pl.col(c) if c in given else absent).alias(c) for c in ("gender", "ethnicity")),
        (pl.col("age") if "age" in given else absent).cast(pl.Float64, strict=False).alias("age"),
        "year",
    )
    return contradictions(people)


def _two_patients(rows: pl.LazyFrame, given: list[str]) -> Question:
    asked = {
        "patient_id": "{n} referral(s) belong to more than one patient",
        "referral_date": "{n} referral(s) have more than one referral_date",
        "discharge_date": "{n} referral(s) have more than one discharge_date",
    }
    columns = [c for c in asked if c in given]
    groups = (
        rows.filter(pl.col("referral_id").is_not_null())
        .group_by("referral_id")
        .agg((pl.col(c).min() != pl.col(c).max()).alias(c) for c in columns)
    )
    return count("error", "referrals", groups, {asked[c]: pl.col(c) for c in columns})


def _rows(frames, name: str, owners: pl.LazyFrame | None) -> pl.LazyFrame | None:
    """Rows of the files that hold a column of this table and no other."""
    parts = []
    for frame in frames:
        given = set(frame.collect_schema())
        own = [c for c in _OWN[name] if c in given]
        if not own or "referral_id" not in given:
            continue
        part = frame.select(*(c for c in (*_KEYS, "session") if c in given), *own)
        if "patient_id" not in given and owners is not None:
            part = part.join(owners, on="referral_id", how="left", maintain_order="left")
        if name != "content":
            part = part.filter(pl.any_horizontal(pl.col(c).is_not_null() for c in own))
        parts.append(part)
    return pl.concat(parts, how="diagonal") if parts else None


def _numbered(contacts: pl.LazyFrame) -> pl.LazyFrame:
    """Sessions numbered by their day where the site has no numbers."""
    given = contacts.collect_schema()
    if "session" in given:
        return contacts
    order = pl.col("date") if "date" in given else pl.lit(0)
    number = order.rank("ordinal").over("referral_id")
    return contacts.with_columns(session=number.cast(pl.String))
