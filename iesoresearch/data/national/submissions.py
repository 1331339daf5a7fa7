"""Which submissions count: of every provider and month the latest one."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from iesoresearch.data.national import values
from iesoresearch.data.national.files import Source, collect
from iesoresearch.data.national.layout import AUDIT, SUBMISSION, TABLES, Table
from iesoresearch.data.national.report import Ledger

_KEYS = [SUBMISSION, AUDIT]


@dataclass(frozen=True)
class Submissions:
    """Every submission: whether it counts, and its place in the order of submissions.

    Attributes
    ----------
    pairs
        UniqueSubmissionID, AuditId (empty where there is none), order, counts.
    last_day
        End of the latest reporting period, today where no header says it.
    """

    pairs: pl.DataFrame
    last_day: date

    def rows(self, sources: dict[str, Source], number: str, ledger: Ledger) -> pl.DataFrame:
        """Rows of a table that belong to a submission that counts, with its order.

        In the order of the files. Rows with a mangled or without a needed id, and those of a
        submission that IDS101 does not know, are left out and counted.
        """
        table = TABLES[number]
        if number not in sources:
            return pl.DataFrame(
                schema=dict.fromkeys(table.columns, pl.String) | {"order": pl.UInt32}
            )
        source = sources[number]
        audited = AUDIT in source.present and (self.pairs[AUDIT] != "").any()
        keys = _KEYS if audited else [SUBMISSION]
        known = self.pairs.sort("order").unique(keys, keep="last")
        if not audited:
            known = known.drop(AUDIT)
        frame = source.frame.with_columns(pl.col(AUDIT).fill_null("")) if audited else source.frame
        frame = frame.join(known.lazy(), on=keys, how="left", maintain_order="left")
        frame = frame.with_columns(fate=_fate(table))
        kept, fates = collect(
            [
                frame.filter(pl.col("fate") == "kept").drop("fate", "counts"),
                frame.group_by("fate").agg(pl.len()),
            ],
            table,
        )
        counts = dict(fates.iter_rows())
        for fate, text in _FATES.items():
            ledger.note(table.name, counts.get(fate), text)
        return kept


_FATES = {
    "mangled": "row(s) hold an id that a spreadsheet turned into a number; left out",
    "no id": "row(s) lack an id they are joined by; left out",
    "unknown": f"row(s) are of a submission that {TABLES['101'].name} does not know; left out",
    "superseded": "row(s) are of a submission that a later one replaced; left out",
}


def _fate(table: Table) -> pl.Expr:
    needed = [c for c in table.ids if c in table.required]
    return (
        pl.when(pl.any_horizontal(pl.col(table.ids).str.contains(values.MANGLED).fill_null(False)))
        .then(pl.lit("mangled"))
        .when(pl.any_horizontal(pl.col(needed).is_null()))
        .then(pl.lit("no id"))
        .when(pl.col("counts").is_null())
        .then(pl.lit("unknown"))
        .when(~pl.col("counts"))
        .then(pl.lit("superseded"))
        .otherwise(pl.lit("kept"))
    )


def submissions(sources: dict[str, Source], ledger: Ledger) -> Submissions:
    """The submissions that IDS101 knows.

    Of one provider and month the latest counts: what a list of the latest submissions names, else
    a refresh before a primary submission, else the highest audit id, else the highest submission.
    A submission without a month replaces no other.
    """
    header = _header(sources, ledger)
    pairs = _pairs(sources).join(header, on=SUBMISSION, how="left")
    month = pl.coalesce("Unique_MonthID", pl.col("start").cast(pl.String), SUBMISSION)
    pairs = pairs.with_columns(
        month=month,
        month_number=pl.col("Unique_MonthID").cast(pl.Int64, strict=False),
        refresh=pl.col("File_Type").str.to_lowercase().str.starts_with("r").fill_null(False),
        audit_number=pl.col(AUDIT).cast(pl.Int64, strict=False),
        number=pl.col(SUBMISSION).cast(pl.Int64, strict=False),
    )
    order = ["month_number", "start", "refresh", "audit_number", "number", SUBMISSION, AUDIT]
    pairs = pairs.sort(order, nulls_last=False).with_row_index("order")
    in_time = ["OrgID_Provider", "month"]
    latest = pl.col("order") == pl.col("order").max().over(in_time)
    listed = pl.col("latest").any()
    counts = pl.when(listed).then(pl.col("latest").fill_null(False)).otherwise(latest)
    pairs = pairs.with_columns(counts=counts)
    replaced = int((~pairs["counts"]).sum())
    ledger.note(
        TABLES["101"].name, replaced, "submission(s) were replaced by a later one; left out"
    )
    last = pairs["end"].max()
    return Submissions(pairs.select(*_KEYS, "order", "counts"), last or date.today())


def _pairs(sources: dict[str, Source]) -> pl.DataFrame:
    """One row per submission and audit id of IDS101, with what is known of it being the latest."""
    about = [SUBMISSION, AUDIT, "OrgID_Provider", "Unique_MonthID", "IsLatest"]
    mangled = pl.col(SUBMISSION).str.contains(values.MANGLED)
    frame = sources["101"].frame.filter(pl.col(SUBMISSION).is_not_null() & ~mangled)
    frame = frame.select(about).with_columns(pl.col(AUDIT).fill_null("")).unique()
    (pairs,) = collect([frame], TABLES["101"])
    has_list = pl.col("IsLatest").is_not_null().any()
    pairs = pairs.group_by(_KEYS).agg(
        pl.col("OrgID_Provider", "Unique_MonthID").drop_nulls().sort().last(),
        latest=pl.when(has_list).then(values.true("IsLatest").any()),
    )
    if "latest" not in sources:
        return pairs
    (listed,) = collect([sources["latest"].frame], TABLES["latest"])
    listed = listed.filter(values.true("IsLatest")).with_columns(pl.col(AUDIT).fill_null(""))
    keys = _KEYS if (listed[AUDIT] != "").any() and (pairs[AUDIT] != "").any() else [SUBMISSION]
    listed = listed.select(*keys, listed=pl.lit(True)).unique()
    pairs = pairs.join(listed, on=keys, how="left")
    return pairs.with_columns(latest=pl.col("listed").fill_null(False)).drop("listed")


def _header(sources: dict[str, Source], ledger: Ledger) -> pl.DataFrame:
    """Reporting period and kind of every submission, one row each."""
    table = TABLES["000"]
    if "000" not in sources:
        schema = {SUBMISSION: pl.String, "File_Type": pl.String, "start": pl.Date, "end": pl.Date}
        return pl.DataFrame(schema=schema)
    (header,) = collect([sources["000"].frame], table)
    periods = ["ReportingPeriodStartDate", "ReportingPeriodEndDate"]
    header = values.dates(header, table.name, periods, ledger, date.max)
    header = header.rename(dict(zip(periods, ["start", "end"], strict=True)))
    return header.unique(SUBMISSION, keep="last", maintain_order=True)
