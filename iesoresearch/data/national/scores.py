"""Scores: at the contact they were given at, else in the long table with their day."""

import polars as pl

from iesoresearch.data import codes
from iesoresearch.data.national import values
from iesoresearch.data.national.contacts import Contacts
from iesoresearch.data.national.files import Source
from iesoresearch.data.national.layout import (
    ACTIVITY,
    CONTACT,
    PERSON,
    REQUEST,
    SUBMISSION,
    TABLES,
)
from iesoresearch.data.national.report import Ledger
from iesoresearch.data.national.submissions import Submissions
from iesoresearch.measures import GAD7, PHQ9, SCALES, WSAS

#: SNOMED codes of the WSAS items, in the order of its items.
_WSAS_ITEMS = (
    "932621000000100",
    "932581000000100",
    "932611000000106",
    "932591000000103",
    "932601000000109",
)
#: Scores that have a column of their own in contacts: SNOMED code -> (column, instrument, item).
_COLUMNS = {SCALES[i.code].snomed: (f"{i.code}_total", i.code, 0) for i in (PHQ9, GAD7)} | {
    snomed: (f"wsas_{k}", "wsas", k) for k, snomed in enumerate(_WSAS_ITEMS, start=1)
}
TOTALS = tuple(column for column, _, _ in _COLUMNS.values())


def _definitions() -> pl.DataFrame:
    """What every SNOMED code stands for, and its range; one code may have two scorings."""
    rows = []
    for snomed, (column, instrument, item) in _COLUMNS.items():
        high = float(SCALES[instrument].high)
        if item:
            own = WSAS.items[item - 1]
            high = float(own.high if own.not_applicable is None else own.not_applicable)
        rows.append((snomed, column, instrument, item, 0.0, high))
    for scale in SCALES.values():
        if scale.snomed and scale.snomed not in _COLUMNS:
            rows.append((scale.snomed, None, scale.code, 0, float(scale.low), float(scale.high)))
    names = ["tool", "column", "instrument", "item", "low", "high"]
    return pl.DataFrame(rows, schema=names, orient="row")


def read(
    sources: dict[str, Source],
    subs: Submissions,
    contacts: Contacts,
    activities: pl.DataFrame,
    about: tuple[pl.DataFrame, pl.DataFrame],
    ledger: Ledger,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Scores by contact, one column each, and the long table of all others.

    `about` are the referrals that were kept and the service requests that belong to them. A score
    of IDS607 is given at its contact. One of IDS606 counts as given at the contact of its day that
    was attended, unless that contact has the same score; without such a contact it stays in the
    long table with its day. Disorder measures are in the long table in any case.
    """
    referrals, requests = about
    given = [
        _at_contacts(subs.rows(sources, "607", ledger), activities, contacts, subs, ledger),
        _at_referrals(subs.rows(sources, "606", ledger), requests, contacts, subs, ledger),
    ]
    rows = pl.concat(given, how="vertical_relaxed")
    has_column = pl.col("column").is_not_null() & pl.col("session").is_not_null()
    wide = _once(rows.filter(has_column), ["referral_id", "session", "column"], ledger)
    totals = wide.group_by("referral_id", "session").agg(
        pl.col("value").filter(pl.col("column") == c).first().alias(c) for c in TOTALS
    )
    long = rows.filter(~has_column & pl.col("date").is_not_null())
    long = _once(long, ["referral_id", "date", "instrument", "item"], ledger)
    owners = referrals.select("referral_id", patient_id=PERSON)
    long = long.join(owners, on="referral_id", how="left", maintain_order="left")
    columns = ["referral_id", "patient_id", "date", "instrument", "item", "session", "value"]
    return totals, long.select(columns).sort("referral_id", "date", "instrument", "item")


def _valued(rows: pl.DataFrame, table: str, ledger: Ledger) -> pl.DataFrame:
    """Rows of known scales whose score is possible."""
    rows = rows.with_row_index("row").with_columns(
        tool=codes.normalised(pl.col("CodedAssToolType")),
        value=pl.col("PersScore").cast(pl.Float64, strict=False),
    )
    definitions = _definitions()
    known = pl.col("tool").is_in(definitions["tool"].implode())
    unknown = int((~rows.select(known.fill_null(False)).to_series()).sum())
    ledger.note(table, unknown, "score(s) are of scales that are not known here; left out")
    rows = rows.filter(known)
    lost = int(rows["value"].is_null().sum())
    ledger.note(table, lost, "score(s) are no number; left out")
    rows = rows.filter(pl.col("value").is_not_null())
    fits = pl.col("value").is_between(pl.col("low"), pl.col("high"))
    whole = (pl.col("instrument") != "wsas") | (pl.col("value") == pl.col("value").round())
    scored = rows.join(definitions, on="tool", how="inner", maintain_order="left")
    scored = scored.filter(fits & whole)
    ledger.note(
        table, len(rows) - len(scored), "score(s) lie outside the range of their scale; left out"
    )
    not_applicable = (pl.col("column") == "wsas_1") & (pl.col("value") == 9)
    n = scored.filter(not_applicable).height
    ledger.note(table, n, 'WSAS work item(s) are "not applicable" (9); kept, but no score')
    return scored.drop("row", "low", "high")


_SHAPE = ["referral_id", "session", "date", "column", "instrument", "item", "value", "order", "own"]


def _at_contacts(
    rows: pl.DataFrame,
    activities: pl.DataFrame,
    contacts: Contacts,
    subs: Submissions,
    ledger: Ledger,
) -> pl.DataFrame:
    """Scores of IDS607, through their activity where they do not name the contact themselves."""
    name = TABLES["607"].name
    rows = _valued(rows, name, ledger)
    by_activity = activities.select(SUBMISSION, ACTIVITY, of_activity=CONTACT)
    by_activity = by_activity.drop_nulls().unique([SUBMISSION, ACTIVITY], keep="last")
    rows = rows.join(by_activity, on=[SUBMISSION, ACTIVITY], how="left", maintain_order="left")
    rows = rows.with_columns(pl.coalesce(CONTACT, "of_activity").alias(CONTACT))
    known = contacts.links.with_columns(known=pl.lit(True))
    rows = rows.join(known, on=[SUBMISSION, CONTACT], how="left", maintain_order="left")
    orphans = int(rows["known"].is_null().sum())
    ledger.note(name, orphans, f"score(s) have no contact in {TABLES['201'].name}; left out")
    without = int((rows["known"].is_not_null() & rows["session"].is_null()).sum())
    ledger.note(name, without, "score(s) were given at a contact that was left out; left out")
    rows = rows.filter(pl.col("session").is_not_null())
    return rows.with_columns(own=pl.lit(True)).select(_SHAPE)


def _at_referrals(
    rows: pl.DataFrame,
    requests: pl.DataFrame,
    contacts: Contacts,
    subs: Submissions,
    ledger: Ledger,
) -> pl.DataFrame:
    """Scores of IDS606, with the attended contact of their day where there is one."""
    name = TABLES["606"].name
    rows = _valued(rows, name, ledger)
    rows = values.dates(rows, name, ["AssToolCompDate"], ledger, subs.last_day)
    rows = rows.rename({"AssToolCompDate": "date"})
    rows = rows.join(requests, on=REQUEST, how="left", maintain_order="left")
    for column, text in [
        ("referral_id", "score(s) belong to no referral that was kept; left out"),
        ("date", "score(s) have no usable date; left out"),
    ]:
        ledger.note(name, rows[column].null_count(), text)
        rows = rows.filter(pl.col(column).is_not_null())
    of_day = (
        contacts.frame.filter(pl.col("attendance") == "attended")
        .group_by("referral_id", "date")
        .agg(pl.col("session").min())
    )
    rows = rows.join(of_day, on=["referral_id", "date"], how="left", maintain_order="left")
    alone = rows.filter(pl.col("session").is_null() & pl.col("column").is_not_null()).height
    ledger.note(
        name, alone, "score(s) are of a day without an attended contact; kept with their day"
    )
    return rows.with_columns(own=pl.lit(False)).select(_SHAPE)


def _once(rows: pl.DataFrame, key: list[str], ledger: Ledger) -> pl.DataFrame:
    """One score per `key`: that of the contact before that of the referral, then the latest."""
    ordered = rows.sort("own", "order", "value")
    once = ordered.unique(key, keep="last", maintain_order=True)
    differing = rows.group_by(key).agg(n=pl.col("value").n_unique()).filter(pl.col("n") > 1).height
    names = "IDS606 and IDS607"
    ledger.note(
        names,
        differing,
        "score(s) were given twice on one occasion and differ; the latest was kept",
    )
    return once
