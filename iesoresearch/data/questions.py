"""What is asked of typed canonical tables: order of days, totals, scales, people, links, ids.

A question is a lazy table of one row: a count for every sentence. None is answered here, so that
those that need the same of the files are answered together.
"""

import datetime
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import polars as pl

from iesoresearch.measures import INSTRUMENTS
from iesoresearch.measures.scales import SCALES

Tables = dict[str, pl.LazyFrame]
_EARLIEST = datetime.date(1950, 1, 1)  # no service's records; a spreadsheet's 1899 or 1900
_ROUNDED_ID = r"(?i)^\d(?:\.\d+)?E\+\d+$"


class Question(NamedTuple):
    """Counts to be made, by sentence; "{n}" in a sentence is the count."""

    severity: Literal["error", "warning"]
    table: str
    counts: pl.LazyFrame


def count(severity, name: str, table: pl.LazyFrame, conditions: dict[str, pl.Expr]) -> Question:
    """How many rows each condition holds for."""
    sums = [c.fill_null(False).sum().alias(text) for text, c in conditions.items()]
    return Question(severity, name, table.select(sums))


def _dates(tables: Tables, today: datetime.date) -> Iterator[Question]:
    """Days in the future or long ago, and referrals that end before they begin."""
    for name, columns in [
        ("referrals", ["referral_date", "discharge_date"]),
        ("contacts", ["date"]),
        ("scores", ["date"]),
    ]:
        if name not in tables:
            continue
        asked = {}
        for c in columns:
            asked[f"{c}: {{n}} date(s) lie in the future"] = pl.col(c) > today
            asked[f"{c}: {{n}} date(s) lie before {_EARLIEST.year}"] = pl.col(c) < _EARLIEST
        if name == "referrals":
            asked["{n} referral(s) have a discharge_date before their referral_date"] = pl.col(
                "discharge_date"
            ) < pl.col("referral_date")
        yield count("warning", name, tables[name], asked)


def _order(tables: Tables, _) -> Iterator[Question]:
    """Contacts outside their referral, or of another patient."""
    if not {"referrals", "contacts"} <= set(tables):
        return
    spans = tables["referrals"].select(
        "referral_id", "referral_date", "discharge_date", owner="patient_id"
    )
    contacts = tables["contacts"].select("referral_id", "patient_id", "date", "purpose")
    pairs = contacts.join(spans, on="referral_id", how="inner")
    follow_up = (pl.col("purpose") == "follow-up").fill_null(False)
    before = "{n} session(s) lie before the referral_date of their referral"
    after = "{n} session(s) that are no follow-up lie after the discharge_date of their referral"
    asked = {
        before: pl.col("date") < pl.col("referral_date"),
        after: (pl.col("date") > pl.col("discharge_date")) & ~follow_up,
    }
    yield count("warning", "contacts", pairs, asked)
    text = "{n} row(s) name another patient than their referral"
    yield count("error", "contacts", pairs, {text: pl.col("patient_id") != pl.col("owner")})


def _totals(tables: Tables, _) -> Iterator[Question]:
    """Totals that contradict their items, and answers that say "not applicable"."""
    if "contacts" not in tables:
        return
    asked = {}
    for instrument in INSTRUMENTS.values():
        items, total = [pl.col(c) for c in instrument.columns], f"{instrument.code}_total"
        added = pl.sum_horizontal(i.cast(pl.Float64) for i in items)
        whole = pl.all_horizontal(i.is_not_null() for i in items)
        for column, item in zip(instrument.columns, instrument.items, strict=True):
            if item.not_applicable is not None:
                text = f"{column}: {{n}} answer(s) say “not applicable” and are left out of totals"
                asked[text] = pl.col(column) == item.not_applicable
                whole &= pl.col(column) != item.not_applicable
        text = f"{total}: {{n}} total(s) contradict their items; the items count"
        asked[text] = whole & ((added - pl.col(total)).abs() > 0.5)
    yield count("warning", "contacts", tables["contacts"], asked)


def _scores(tables: Tables, _) -> Iterator[Question]:
    """Totals of other scales that lie outside them."""
    if "scores" not in tables:
        return
    known = pl.LazyFrame(
        [(code, scale.low, scale.high) for code, scale in SCALES.items()],
        schema={"instrument": pl.String, "low": pl.Float64, "high": pl.Float64},
        orient="row",
    )
    joined = tables["scores"].join(known, on="instrument", how="left")
    outside = (pl.col("item") == 0) & ~pl.col("value").is_between("low", "high")
    text = "value: {n} total(s) lie outside their scale"
    yield count("error", "scores", joined, {text: outside})
    text = "instrument: {n} score(s) are of a scale whose range is not known"
    yield count("warning", "scores", joined, {text: pl.col("low").is_null()})


def _duplicates(tables: Tables, _) -> Iterator[Question]:
    """Contacts that are there twice under two session numbers."""
    if "contacts" not in tables:
        return
    answers = [c for i in INSTRUMENTS.values() for c in (*i.columns, f"{i.code}_total")]
    given = pl.any_horizontal(pl.col(c).is_not_null() for c in ("date", *answers))
    same = tables["contacts"].filter(given, pl.col("referral_id").is_not_null())
    key = pl.struct("referral_id", "date", *answers).hash().alias("key")
    number = pl.col("session")
    # where all have one number, it is for the primary key to say
    more = pl.when(number.min() != number.max()).then(pl.len() - 1)
    groups = same.select(key, "session").group_by("key").agg(more=more)
    text = "{n} contact(s) repeat another of the same referral, date and answers"
    yield Question("warning", "contacts", groups.select(pl.col("more").sum().alias(text)))


def _people(tables: Tables, _) -> Iterator[Question]:
    """Two people under one id."""
    if "patients" in tables:
        yield contradictions(
            tables["patients"].select(
                "patient_id",
                pl.col("gender", "ethnicity").cast(pl.String),
                pl.col("age").cast(pl.Float64),
                year=pl.lit(None, pl.Int32),
            )
        )
    if "referrals" in tables:
        yield contradictions(
            tables["referrals"].select(
                "patient_id",
                gender=pl.lit(None, pl.String),
                ethnicity=pl.lit(None, pl.String),
                age=pl.col("age_at_referral").cast(pl.Float64),
                year=pl.col("referral_date").dt.year(),
            )
        )


def contradictions(people: pl.LazyFrame) -> Question:
    """Ids of people whose rows contradict each other: two people under one id.

    `people` holds patient_id, gender, ethnicity, age and the year that the age is of; an age may
    grow as the years go by, and by one more for a birthday. "Not known" contradicts nothing.
    """
    words = [pl.col(c) for c in ("gender", "ethnicity")]
    known = people.with_columns(pl.when(~w.is_in(["not known", "Z"])).then(w) for w in words)
    ages, years = pl.col("age"), pl.col("year").cast(pl.Float64)
    grown = ages.max() - ages.min() - (years.max() - years.min()).fill_null(0)
    # the first and last in the alphabet differ if any two do
    unlike = [w.min() != w.max() for w in words]
    two = pl.any_horizontal(u.fill_null(False) for u in (*unlike, grown > 1))
    groups = known.filter(pl.col("patient_id").is_not_null()).group_by("patient_id")
    text = "{n} id(s) stand for two people: their age, gender or ethnicity contradict"
    return count("error", "patients", groups.agg(two=two), {text: pl.col("two")})


def _links(tables: Tables, _) -> Iterator[Question]:
    """Rows that belong to nothing, people without referral, referrals without contact."""
    child_of = [
        ("referrals", "patients", ["patient_id"]),
        ("contacts", "referrals", ["referral_id"]),
        ("scores", "referrals", ["referral_id"]),
        ("content", "contacts", ["referral_id", "session"]),
    ]
    for child, parent, key in child_of:
        text = f"{{n}} row(s) have a {' and '.join(key)} that {parent} does not know"
        if child in tables and parent in tables:
            yield Question("error", child, _without(tables[child], tables[parent], key, text))
    for parent, child, key, text in [
        ("patients", "referrals", "patient_id", "{n} people have no referral"),
        ("referrals", "contacts", "referral_id", "{n} referral(s) have no contact"),
    ]:
        if child in tables and parent in tables:
            yield Question("warning", parent, _without(tables[parent], tables[child], [key], text))


def _without(child: pl.LazyFrame, parent: pl.LazyFrame, key: list[str], text: str) -> pl.LazyFrame:
    whole = pl.all_horizontal(pl.col(k).is_not_null() for k in key)
    hashed = pl.struct(key).hash().alias("key")
    known = parent.select(hashed).unique()
    orphans = child.filter(whole).select(hashed).join(known, on="key", how="anti")
    return orphans.select(pl.len().alias(text))


def _gaps(tables: Tables, _) -> Iterator[Question]:
    """Session numbers that skip."""
    if "contacts" not in tables:
        return
    number = pl.col("session").cast(pl.Int64)
    spans = (
        tables["contacts"]
        .group_by("referral_id")
        .agg(first=number.min(), last=number.max(), n=number.count())
    )
    text = "{n} referral(s) have gaps in the numbers of their sessions"
    gap = pl.col("last") - pl.col("first") + 1 > pl.col("n")
    yield count("warning", "contacts", spans, {text: gap})


def _ids(tables: Tables, _) -> Iterator[Question]:
    """Ids that a spreadsheet has changed."""
    for key in ("patient_id", "referral_id"):
        holders = {n: t for n, t in tables.items() if key in t.collect_schema()}
        for name, table in holders.items():
            yield from _mangled(table, name, key)
        if not holders:
            continue
        ids = pl.concat([t.select(key) for t in holders.values()]).drop_nulls()
        bare = pl.col(key).str.to_lowercase().str.strip_suffix(".0").str.strip_chars_start("0")
        hashes = ids.select(bare=bare.hash(), full=pl.col(key).hash())
        forms = hashes.group_by("bare").agg(several=pl.col("full").min() != pl.col("full").max())
        text = (
            f"{key}: {{n}} id(s) are written in more than one way (leading zeros, “.0” at the end, "
            "or capitals), so one would count as two"
        )
        yield count("error", "all tables", forms, {text: pl.col("several")})


def _mangled(table: pl.LazyFrame, name: str, key: str) -> Iterator[Question]:
    column = pl.col(key)
    # the literal is quick to look for and rare
    rounded = column.str.contains("+", literal=True) & column.str.contains(_ROUNDED_ID)
    errors = {
        f"{key}: {{n}} id(s) were turned into rounded numbers by a spreadsheet (like 1.23E+15) and "
        "cannot be told apart": rounded,
        f"{key}: {{n}} id(s) hold letters that the file's encoding did not keep": (
            column.str.contains("\ufffd", literal=True)
        ),
    }
    zero = column.str.ends_with(".0") & column.str.contains(r"^\d+\.0$")
    text = f"{key}: {{n}} id(s) end in “.0”, as a spreadsheet leaves them"
    yield count("error", name, table, errors)
    yield count("warning", name, table, {text: zero})


QUESTIONS: tuple[Callable[[Tables, datetime.date], Iterator[Question]], ...] = (
    _dates, _order, _totals, _scores, _duplicates, _people, _links, _gaps, _ids,
)  # fmt: skip
