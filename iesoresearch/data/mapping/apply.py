"""From a partner's files, by way of a mapping, to lazy canonical tables and what was odd."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import dataframely as dy
import polars as pl

from iesoresearch.data import identifiers
from iesoresearch.data.findings import Problem, told
from iesoresearch.data.mapping import values
from iesoresearch.data.mapping.reading import DECIMALS, File, look
from iesoresearch.data.mapping.site import FileMapping, Mapping
from iesoresearch.data.questions import TWO_PEOPLE, Tables, contradictions
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
    """Tables of a site, and what was found while they were read."""

    name: str
    tables: Tables
    problems: tuple[Problem, ...] = ()


def read(name: str, mapping: Mapping, folder: Path | None = None) -> Source:
    """The tables of a site, lazily.

    Parameters
    ----------
    name
        Of the site.
    mapping
        Complete: no question mark is left.
    folder
        Where the files are, if not where they were.
    """
    problems, frames = [], []
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
        found = examined(file, place, known)
        problems += found
        if not any(p.text == UNREADABLE for p in found):
            frame, found = _frame(wanted, file, place)
            problems += found
            frames.append(frame)
    tables, found = assemble(frames) if frames else ({}, [])
    return Source(name, tables, (*problems, *found))


def examined(file: File, place: str, known: dict[str, str]) -> list[Problem]:
    """Read a file once from end to end: whether it can be read, and what looks like identifiers.

    `known` maps its columns to ours; others are told by their number.
    """
    try:
        days = [name for name, column in known.items() if column in values.date_columns()]
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
    ]


def _frame(wanted: FileMapping, file: File, place: str) -> tuple[pl.LazyFrame, list[Problem]]:
    frame = renamed(wanted, file)
    recoded, counts = _recoded(wanted, frame)
    problems = []
    if counts:
        counted = frame.select(e.fill_null(False).sum().alias(k) for k, (_, e) in counts.items())
        n = counted.collect(engine="streaming").row(0, named=True)
        for text, (severity, _) in counts.items():
            problems += told(severity, place, {text: n[text]})
    return recoded, problems


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


def _recoded(
    wanted: FileMapping, frame: pl.LazyFrame
) -> tuple[pl.LazyFrame, dict[str, tuple[str, pl.Expr]]]:
    """Cells in our words, days as 2024-01-31; and what to count, by sentence."""
    changed, counts = [], {}
    kinds = {n: c for s in TABLES.values() for n, c in s.columns().items()}
    for column in frame.collect_schema():
        raw = pl.when(_filled(column)).then(pl.col(column).str.strip_chars())
        if column in wanted.codes:
            raw = _words(raw, column, wanted.codes[column], counts)
        elif kinds[column].dtype == pl.Date:
            raw = _days(raw, column, wanted.dates.get(column, ["yyyy-mm-dd"]), counts)
        elif kinds[column].dtype == pl.Enum:
            raw = _own_words(raw, kinds[column])
        elif kinds[column].dtype.is_numeric() and DECIMALS[wanted.decimal] == ",":
            raw = raw.str.replace(",", ".", literal=True)
        changed.append(raw.alias(column))
    return frame.select(changed), counts


def _own_words(raw: pl.Expr, kind: dy.Column) -> pl.Expr:
    """Our own words need no list; capitals and spaces do not matter."""
    words = {values.simple(word): word for word in kind.dtype.categories}
    return values.simply(raw).replace_strict(words, default=raw)


def _words(raw: pl.Expr, column: str, codes: dict[str, str], counts: dict) -> pl.Expr:
    known = {values.simple(code): word for code, word in codes.items()}
    code = values.simply(raw)
    unknown = raw.is_not_null() & ~code.is_in(list(known))
    exact = code.is_in(list(known)) & (raw.str.to_lowercase() != code)
    spaced = pl.col(column).is_not_null() & (pl.col(column) != raw) & ~unknown
    bare = code.is_in(list(known)) & (raw.str.to_lowercase() == code) & ~spaced
    counts[f"{column}: {{n}} value(s) are not among the codes of the mapping"] = ("error", unknown)
    # '1', '01' and ' 1' in one column: read as one code, and said
    counts[
        f"{column}: {{n}} code(s) have spaces or leading zeros that others of the column lack; "
        "they were read as the same"
    ] = ("warning", (exact | spaced) & bare.any())
    known = {code: word or None for code, word in known.items()}
    return code.replace_strict(known, default=None, return_dtype=pl.String)


def _days(raw: pl.Expr, column: str, formats: list[str], counts: dict) -> pl.Expr:
    day = values.read_dates(raw, formats)
    other = values.mixed_formats(raw, formats)
    neither = raw.is_not_null() & day.is_null() & ~other
    said = " or ".join(formats)
    counts[f"{column}: {{n}} date(s) are in another format than {said}: formats are mixed"] = (
        "error",
        other,
    )
    counts[f"{column}: {{n}} value(s) are no date"] = ("error", neither)
    return day.dt.to_string("%Y-%m-%d")


def assemble(frames: list[pl.LazyFrame]) -> tuple[Tables, list[Problem]]:
    """Canonical tables of the renamed and recoded files, each row where it belongs."""
    problems: list[Problem] = []
    has = [set(frame.collect_schema()) for frame in frames]
    if not any("referral_id" in columns for columns in has):
        # nobody was referred twice, as far as the files can say
        frames = [
            frame.with_columns(referral_id="patient_id") if "patient_id" in columns else frame
            for frame, columns in zip(frames, has, strict=True)
        ]
    tables: Tables = {}
    _collapse(tables, "patients", frames, "patient_id", problems, _two_people)
    _collapse(tables, "referrals", frames, "referral_id", problems, _two_patients)
    owners = tables["referrals"].select("referral_id", "patient_id") if tables else None
    problems += _homeless(frames)
    apart = [f for f in frames if not {"value", "words"} & set(f.collect_schema())]
    contacts = _rows(apart, "contacts", owners)
    if contacts is not None:
        tables["contacts"] = _numbered(contacts)
    for name, mark in [("scores", "value"), ("content", "words")]:
        rows = _rows([f for f in frames if mark in f.collect_schema()], name, owners)
        if rows is not None:
            tables[name] = rows
    return tables, problems


def _homeless(frames: list[pl.LazyFrame]) -> list[Problem]:
    """Files of appointments that do not say which referral they are of, though others do."""
    own = set(_OWN["contacts"]) | {"session"}
    columns = [set(frame.collect_schema()) for frame in frames]
    n = sum("referral_id" not in given and bool(own & given) for given in columns)
    text = "{n} file(s) of appointments have no column for referral_id, though another file has"
    return told("error", "contacts", {text: n})


def _collapse(
    tables: Tables,
    name: str,
    frames: list[pl.LazyFrame],
    key: str,
    problems: list[Problem],
    ask: Callable[[pl.LazyFrame], list[Problem]],
) -> None:
    """One row per key: the first of what the files say about it, once they do not disagree."""
    wanted = [c for c in TABLES[name].column_names() if c != key]
    holders = [frame for frame in frames if key in frame.collect_schema()]
    # files that only mention a key do not make it known, unless no file says more
    telling = [f for f in holders if (set(wanted) - set(_KEYS)) & set(f.collect_schema())]
    parts = []
    for frame in telling or holders:
        given = frame.collect_schema()
        parts.append(frame.select(key, *(c for c in wanted if c in given), _year(given)))
    if not parts:
        return
    rows = pl.concat(parts, how="diagonal").unique()
    problems += ask(rows)
    given = [c for c in rows.collect_schema() if c not in (key, "year")]
    firsts = [pl.col(c).sort(nulls_last=True).first() for c in given]
    tables[name] = rows.group_by(key).agg(firsts).sort(key)


def _year(given) -> pl.Expr:
    """The year that a row is about, so that an age may grow from one row to another."""
    days = [pl.col(c).str.slice(0, 4) for c in ("date", "referral_date") if c in given]
    year = pl.coalesce(days).cast(pl.Int32, strict=False) if days else pl.lit(None, pl.Int32)
    return year.alias("year")


def _two_people(rows: pl.LazyFrame) -> list[Problem]:
    given = rows.collect_schema()
    absent = pl.lit(None, pl.String)
    people = rows.select(
        "patient_id",
        *(
            (pl.col(c) if c in given else absent).replace(["not known", "Z"], None).alias(c)
            for c in ("gender", "ethnicity")
        ),
        (pl.col("age") if "age" in given else absent).cast(pl.Float64, strict=False).alias("age"),
        "year",
    )
    return told("error", "patients", {TWO_PEOPLE: contradictions(people)})


def _two_patients(rows: pl.LazyFrame) -> list[Problem]:
    given = set(rows.collect_schema())
    known = rows.filter(pl.col("referral_id").is_not_null())
    asked = {
        "patient_id": "{n} referral(s) belong to more than one patient",
        "referral_date": "{n} referral(s) have more than one referral_date",
        "discharge_date": "{n} referral(s) have more than one discharge_date",
    }
    groups = known.group_by("referral_id").agg(
        (pl.col(c).drop_nulls().n_unique() > 1).alias(c) for c in asked if c in given
    )
    if len(groups.collect_schema()) == 1:
        return []
    n = (
        groups.select(pl.exclude("referral_id").sum())
        .collect(engine="streaming")
        .row(0, named=True)
    )
    return told("error", "referrals", {asked[c]: count for c, count in n.items()})


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
            part = part.join(owners, on="referral_id", how="left")
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
