"""What is asked of typed canonical tables: order of days, totals, scales, people, links, ids.

Every question takes the lazy tables and today's date, and answers with problems.
"""

import datetime
from collections.abc import Callable

import polars as pl

from iesoresearch.data.findings import Problem, told
from iesoresearch.measures import INSTRUMENTS
from iesoresearch.measures.scales import SCALES

Tables = dict[str, pl.LazyFrame]
_EARLIEST = datetime.date(1950, 1, 1)  # no service's records; a spreadsheet's 1899 or 1900
_ROUNDED_ID = r"(?i)^\d(?:\.\d+)?E\+\d+$"


def _count(table: pl.LazyFrame, conditions: dict[str, pl.Expr]) -> dict[str, int]:
    sums = table.select(c.fill_null(False).sum().alias(k) for k, c in conditions.items())
    return sums.collect(engine="streaming").row(0, named=True)


def _dates(tables: Tables, today: datetime.date) -> list[Problem]:
    """Days in the future or long ago, and referrals that end before they begin."""
    problems = []
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
        problems += told("warning", name, _count(tables[name], asked))
    return problems


def _order(tables: Tables, _) -> list[Problem]:
    """Contacts outside their referral."""
    if not {"referrals", "contacts"} <= set(tables):
        return []
    spans = tables["referrals"].select("referral_id", "referral_date", "discharge_date")
    pairs = (
        tables["contacts"]
        .select("referral_id", "date", "purpose")
        .join(spans, on="referral_id", how="inner")
    )
    follow_up = (pl.col("purpose") == "follow-up").fill_null(False)
    asked = {
        "{n} session(s) lie before the referral_date of their referral": pl.col("date")
        < pl.col("referral_date"),
        "{n} session(s) that are no follow-up lie after the discharge_date of their referral": (
            pl.col("date") > pl.col("discharge_date")
        )
        & ~follow_up,
    }
    return told("warning", "contacts", _count(pairs, asked))


def _totals(tables: Tables, _) -> list[Problem]:
    """Totals that contradict their items, and answers that say "not applicable"."""
    if "contacts" not in tables:
        return []
    contradicted, unscored = {}, {}
    for instrument in INSTRUMENTS.values():
        items, total = [pl.col(c) for c in instrument.columns], pl.col(f"{instrument.code}_total")
        added = pl.sum_horizontal(i.cast(pl.Float64) for i in items)
        whole = pl.all_horizontal(i.is_not_null() for i in items)
        for column, item in zip(instrument.columns, instrument.items, strict=True):
            if item.not_applicable is not None:
                text = f"{column}: {{n}} answer(s) say “not applicable” and are left out of totals"
                unscored[text] = pl.col(column) == item.not_applicable
                whole &= pl.col(column) != item.not_applicable
        text = f"{total.meta.output_name()}: {{n}} total(s) contradict their items; the items count"
        contradicted[text] = whole & ((added - total).abs() > 0.5)
    return told("warning", "contacts", _count(tables["contacts"], contradicted | unscored))


def _scores(tables: Tables, _) -> list[Problem]:
    """Totals of other scales that lie outside them."""
    if "scores" not in tables:
        return []
    known = pl.LazyFrame(
        {
            "instrument": list(SCALES),
            "low": [float(s.low) for s in SCALES.values()],
            "high": [float(s.high) for s in SCALES.values()],
        },
        schema={"instrument": pl.String, "low": pl.Float64, "high": pl.Float64},
    )
    joined = tables["scores"].join(known, on="instrument", how="left")
    outside = (pl.col("item") == 0) & ~pl.col("value").is_between("low", "high")
    text = "value: {n} total(s) lie outside their scale"
    unknown = "instrument: {n} score(s) are of a scale whose range is not known"
    return told("error", "scores", _count(joined, {text: outside})) + told(
        "warning", "scores", _count(joined, {unknown: pl.col("low").is_null()})
    )


def _duplicates(tables: Tables, _) -> list[Problem]:
    """Contacts that are there twice under two session numbers."""
    if "contacts" not in tables:
        return []
    answers = [c for i in INSTRUMENTS.values() for c in (*i.columns, f"{i.code}_total")]
    given = pl.any_horizontal(pl.col(c).is_not_null() for c in ("date", *answers))
    same = tables["contacts"].filter(given, pl.col("referral_id").is_not_null())
    keys = same.select(pl.struct("referral_id", "date", *answers).hash().alias("key"))
    groups = keys.group_by("key").len().filter(pl.col("len") > 1)
    n = groups.select((pl.col("len") - 1).sum()).collect(engine="streaming").item()
    # a session twice under one number is for the primary key to say
    n -= _same_key_twice(same, answers)
    text = "{n} contact(s) repeat another of the same referral, date and answers"
    return told("warning", "contacts", {text: n})


def _same_key_twice(contacts: pl.LazyFrame, answers: list[str]) -> int:
    keys = contacts.select(
        pl.struct("referral_id", "session", "date", *answers).hash().alias("key")
    )
    groups = keys.group_by("key").len().filter(pl.col("len") > 1)
    return groups.select((pl.col("len") - 1).sum()).collect(engine="streaming").item()


def contradictions(people: pl.LazyFrame) -> int:
    """Ids of people whose rows contradict each other: two people under one id.

    `people` holds patient_id, gender, ethnicity, age and the year that the age is of; an age may
    grow as the years go by, and by one more for a birthday.
    """
    ages, years = pl.col("age").cast(pl.Float64), pl.col("year").cast(pl.Float64)
    grown = ages.max() - ages.min() - (years.max() - years.min()).fill_null(0)
    groups = (
        people.filter(pl.col("patient_id").is_not_null())
        .group_by("patient_id")
        .agg(
            two=(pl.col("gender").drop_nulls().n_unique() > 1)
            | (pl.col("ethnicity").drop_nulls().n_unique() > 1)
            | (grown > 1).fill_null(False)
        )
    )
    return groups.select(pl.col("two").sum()).collect(engine="streaming").item()


def _people(tables: Tables, _) -> list[Problem]:
    """Two people under one id."""
    frames = []
    if "patients" in tables:
        known = tables["patients"].filter(
            ~pl.col("gender").is_in(["not known"]) | pl.col("gender").is_null()
        )
        frames.append(
            known.select(
                "patient_id",
                pl.col("gender").cast(pl.String),
                pl.when(pl.col("ethnicity") != "Z").then(pl.col("ethnicity")).cast(pl.String),
                pl.col("age").cast(pl.Float64),
                year=pl.lit(None, pl.Int32),
            )
        )
    if "referrals" in tables:
        frames.append(
            tables["referrals"].select(
                "patient_id",
                gender=pl.lit(None, pl.String),
                ethnicity=pl.lit(None, pl.String),
                age=pl.col("age_at_referral").cast(pl.Float64),
                year=pl.col("referral_date").dt.year(),
            )
        )
    n = sum(contradictions(frame) for frame in frames)
    return told("error", "patients", {TWO_PEOPLE: n})


TWO_PEOPLE = "{n} id(s) stand for two people: their age, gender or ethnicity contradict"


def _links(tables: Tables, _) -> list[Problem]:
    """Rows that belong to nothing, people without referral, referrals without contact."""
    problems = []
    for child, parent, key in [
        ("referrals", "patients", ["patient_id"]),
        ("contacts", "referrals", ["referral_id"]),
        ("scores", "referrals", ["referral_id"]),
        ("content", "contacts", ["referral_id", "session"]),
    ]:
        if child in tables and parent in tables:
            n = _without(tables[child], tables[parent], key)
            text = f"{{n}} row(s) have a {' and '.join(key)} that {parent} does not know"
            problems += told("error", child, {text: n})
    for parent, child, key, text in [
        ("patients", "referrals", "patient_id", "{n} people have no referral"),
        ("referrals", "contacts", "referral_id", "{n} referral(s) have no contact"),
    ]:
        if child in tables and parent in tables:
            n = _without(tables[parent], tables[child], [key])
            problems += told("warning", parent, {text: n})
    return problems + _owners(tables)


def _without(child: pl.LazyFrame, parent: pl.LazyFrame, key: list[str]) -> int:
    rows = child.select(key).filter(pl.all_horizontal(pl.col(k).is_not_null() for k in key))
    orphans = rows.join(parent.select(key).unique(), on=key, how="anti")
    return orphans.select(pl.len()).collect(engine="streaming").item()


def _owners(tables: Tables) -> list[Problem]:
    if not {"referrals", "contacts"} <= set(tables):
        return []
    owners = tables["referrals"].select("referral_id", owner="patient_id")
    pairs = tables["contacts"].select("referral_id", "patient_id").join(owners, on="referral_id")
    text = "{n} row(s) name another patient than their referral"
    return told("error", "contacts", _count(pairs, {text: pl.col("patient_id") != pl.col("owner")}))


def _gaps(tables: Tables, _) -> list[Problem]:
    """Session numbers that skip."""
    if "contacts" not in tables:
        return []
    number = pl.col("session").cast(pl.Int64)
    spans = (
        tables["contacts"]
        .group_by("referral_id")
        .agg(first=number.min(), last=number.max(), n=number.n_unique())
    )
    text = "{n} referral(s) have gaps in the numbers of their sessions"
    gap = pl.col("last") - pl.col("first") + 1 > pl.col("n")
    return told("warning", "contacts", _count(spans, {text: gap}))


def _ids(tables: Tables, _) -> list[Problem]:
    """Ids that a spreadsheet has changed."""
    problems = []
    for key in ("patient_id", "referral_id"):
        for name, table in tables.items():
            if key in table.collect_schema():
                problems += _mangled(table, name, key)
        holders = [t for t in tables.values() if key in t.collect_schema()]
        ids = pl.concat([t.select(key) for t in holders]).drop_nulls().unique() if holders else None
        if ids is not None:
            bare = pl.col(key).str.to_lowercase().str.replace(r"\.0$", "").str.replace(r"^0+", "")
            forms = ids.group_by(bare.hash()).len().select((pl.col("len") > 1).sum())
            n = forms.collect(engine="streaming").item()
            text = (
                f"{key}: {{n}} id(s) are written in more than one way (leading zeros, “.0” at the "
                "end, or capitals), so one would count as two"
            )
            problems += told("error", "all tables", {text: n})
    return problems


def _mangled(table: pl.LazyFrame, name: str, key: str) -> list[Problem]:
    errors = {
        f"{key}: {{n}} id(s) were turned into rounded numbers by a spreadsheet (like 1.23E+15) and "
        "cannot be told apart": pl.col(key).str.contains(_ROUNDED_ID),
        f"{key}: {{n}} id(s) hold letters that the file's encoding did not keep": pl.col(
            key
        ).str.contains("\ufffd"),
    }
    warnings = {
        f"{key}: {{n}} id(s) end in “.0”, as a spreadsheet leaves them": pl.col(key).str.contains(
            r"^\d+\.0$"
        )
    }
    return told("error", name, _count(table, errors)) + told(
        "warning", name, _count(table, warnings)
    )


QUESTIONS: tuple[Callable[[Tables, datetime.date], list[Problem]], ...] = (
    _dates, _order, _totals, _scores, _duplicates, _people, _links, _gaps, _ids,
)  # fmt: skip
