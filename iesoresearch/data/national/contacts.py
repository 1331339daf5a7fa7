"""Contacts: attended or not, what for, how, and the therapy of their activities."""

from dataclasses import dataclass

import polars as pl

from iesoresearch.data import codes
from iesoresearch.data.national import values
from iesoresearch.data.national.files import Source
from iesoresearch.data.national.layout import CONTACT, PERSON, REQUEST, SUBMISSION, TABLES
from iesoresearch.data.national.referrals import MEDICATION
from iesoresearch.data.national.report import Ledger
from iesoresearch.data.national.submissions import Submissions

_NAME, _ACTIVITIES = TABLES["201"].name, TABLES["202"].name
_KEY = ["referral_id", CONTACT, "date"]

#: Cancelled by the patient (2) or the service (4), came too late to be seen (7): labels as in the
#: dashboard scripts of NHS England.
_ATTENDANCE = dict.fromkeys("247", "other") | codes.ATTENDANCE_CODES
#: A therapy was given if the expression is the bare concept or says that it was done, no more.
_GIVEN = (
    r"^(\d{6,18})(?: *\|[^|]*\|)?(?: *: *408730004(?: *\|[^|]*\|)? *= *385658003(?: *\|[^|]*\|)?)?$"
)


@dataclass(frozen=True)
class Contacts:
    """The contacts that were kept.

    Attributes
    ----------
    frame
        One row per contact, with its session number.
    links
        Submission and contact id -> referral, session, date and whether attended: what activities
        and scores are joined by. Contacts that were left out have no session.
    """

    frame: pl.DataFrame
    links: pl.DataFrame


def read(
    sources: dict[str, Source],
    subs: Submissions,
    referrals: pl.DataFrame,
    requests: pl.DataFrame,
    ledger: Ledger,
) -> Contacts:
    """All contacts of the referrals that were kept."""
    rows = subs.rows(sources, "201", ledger)
    ids = rows.select(SUBMISSION, CONTACT).unique()
    rows = values.dates(rows, _NAME, ["CareContDate"], ledger, subs.last_day)
    rows = rows.rename({"CareContDate": "date"})
    rows = _kept(rows, referrals, requests, ledger)
    frame = rows.sort("order", maintain_order=True).unique(_KEY, keep="last", maintain_order=True)
    ledger.note(
        _NAME, len(rows) - len(frame), "row(s) repeat a contact; the latest version was kept"
    )
    late = int((frame["date"] > frame["discharge_date"]).sum())
    ledger.note(_NAME, late, "contact(s) lie after the discharge; kept, they count for no outcome")
    frame = _coded(frame.sort("referral_id", "date", CONTACT), ledger)
    number = pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).over("referral_id")
    frame = frame.with_columns(session=number)
    sessions = frame.select(*_KEY, "session", attended=pl.col("attendance") == "attended")
    links = rows.join(sessions, on=_KEY, how="left")
    links = links.unique([SUBMISSION, CONTACT], keep="last", maintain_order=True)
    links = ids.join(links, on=[SUBMISSION, CONTACT], how="left").select(
        SUBMISSION, CONTACT, "referral_id", "session", "date", "attended"
    )
    return Contacts(frame, links)


def _kept(
    rows: pl.DataFrame, referrals: pl.DataFrame, requests: pl.DataFrame, ledger: Ledger
) -> pl.DataFrame:
    """Rows that have a referral, its patient and a possible day."""
    about = referrals.select("referral_id", "referral_date", "discharge_date", owner=PERSON)
    rows = rows.join(requests, on=REQUEST, how="left", maintain_order="left")
    rows = rows.join(about, on="referral_id", how="left", maintain_order="left")
    reasons = {
        "row(s) belong to no referral that was kept; left out": pl.col("referral_id").is_null(),
        "row(s) name another person than their referral; left out": (
            (pl.col(PERSON) != pl.col("owner")).fill_null(False)
        ),
        "row(s) have no usable date; left out": pl.col("date").is_null(),
        "row(s) lie before their referral; left out": (
            (pl.col("date") < pl.col("referral_date")).fill_null(False)
        ),
    }
    for text, wrong in reasons.items():
        is_wrong = rows.select(wrong.alias("wrong")).to_series()
        ledger.note(_NAME, int(is_wrong.sum()), text)
        rows = rows.filter(~is_wrong)
    return rows


def _coded(frame: pl.DataFrame, ledger: Ledger) -> pl.DataFrame:
    frame = frame.with_columns(mechanism=pl.coalesce("ConsMechanism", "ConsMediumUsed"))
    for column, mapping, width, unknown in [
        ("AttendOrDNACode", _ATTENDANCE, 1, "other"),
        ("AppType", codes.PURPOSE_CODES | {"04": "other"}, 2, "other"),
        ("mechanism", codes.MECHANISM_CODES, 2, "not known"),
        ("PsychMed", MEDICATION, 2, None),
    ]:
        frame = values.words(frame, _NAME, column, ledger, mapping, width, unknown)
    unplanned = codes.normalised(pl.col("PlannedCareContIndicator")) == "N"
    unsaid = frame.filter(pl.col("AttendOrDNACode").is_null() & ~unplanned.fill_null(False))
    ledger.note(_NAME, len(unsaid), 'contact(s) do not say who came; taken as "other"')
    # no purpose is no treatment: the national rule names the types that count
    ledger.note(
        _NAME, frame["AppType"].null_count(), 'contact(s) do not say what for; taken as "other"'
    )
    frame = values.numbers(frame, _NAME, ["ClinContDurOfCareCont"], ledger, 0, 1440)
    return frame.with_columns(
        attendance=pl.when(unplanned)
        .then(pl.lit("attended"))
        .otherwise(pl.col("AttendOrDNACode").fill_null("other")),
        purpose=pl.col("AppType").fill_null("other"),
        mechanism=pl.col("mechanism").fill_null("not known"),
    )


def activities(
    sources: dict[str, Source], subs: Submissions, contacts: Contacts, ledger: Ledger
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The contacts with therapy, therapist and employment support, and the activities' contacts."""
    rows = subs.rows(sources, "202", ledger)
    rows = rows.join(contacts.links, on=[SUBMISSION, CONTACT], how="left", maintain_order="left")
    known = contacts.links.select(SUBMISSION, CONTACT, known=pl.lit(True))
    known = rows.join(known, on=[SUBMISSION, CONTACT], how="left", maintain_order="left")["known"]
    orphans = int(known.is_null().sum())
    ledger.note(_ACTIVITIES, orphans, f"activity(ies) have no contact in {_NAME}; left out")
    rows_of_kept = rows.filter(pl.col("session").is_not_null())
    code = pl.col("CodeProcAndProcStatus").str.extract(_GIVEN)
    names = {snomed: name for snomed, (_, name) in codes.THERAPIES.items()}
    rows_of_kept = rows_of_kept.with_columns(
        support=(code == codes.EMPLOYMENT_SUPPORT).fill_null(False),
        therapy=code.replace_strict(names, default=None, return_dtype=pl.String),
    )
    strange = rows_of_kept.filter(
        pl.col("CodeProcAndProcStatus").is_not_null()
        & pl.col("therapy").is_null()
        & ~pl.col("support")
    )
    ledger.note(
        _ACTIVITIES, len(strange), "activity(ies) are of no therapy that is known here, or not done"
    )
    return _with_therapy(contacts.frame, rows_of_kept, ledger), rows


def _with_therapy(frame: pl.DataFrame, rows: pl.DataFrame, ledger: Ledger) -> pl.DataFrame:
    """The first therapy in order of activity; a contact with employment support is no treatment."""
    ordered = rows.sort("order", "Unique_CareActivityID", "CodeProcAndProcStatus")
    by_contact = ordered.group_by("referral_id", "session", maintain_order=True).agg(
        pl.col("therapy").drop_nulls().first(),
        pl.col("support").any(),
        several=pl.col("therapy").drop_nulls().n_unique() > 1,
        therapist_id=pl.col("Unique_CarePersonnelID_Local").drop_nulls().first(),
    )
    ledger.note(
        _ACTIVITIES,
        int(by_contact["several"].sum()),
        "contact(s) have activities of several therapies; the first counts",
    )
    by_contact = by_contact.with_columns(pl.col("session").cast(pl.UInt32))
    frame = frame.join(by_contact, on=["referral_id", "session"], how="left", maintain_order="left")
    supported = pl.col("support").fill_null(False)
    return frame.with_columns(
        purpose=pl.when(supported).then(pl.lit("employment support")).otherwise("purpose")
    )


def medication(frame: pl.DataFrame) -> pl.DataFrame:
    """First and last medication that the contacts of a referral name."""
    said = frame.filter(pl.col("PsychMed").is_not_null())
    return said.group_by("referral_id", maintain_order=True).agg(
        first=pl.col("PsychMed").first(), last=pl.col("PsychMed").last()
    )


def table(frame: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """The canonical table, with the scores given at the contacts."""
    frame = frame.join(totals, on=["referral_id", "session"], how="left", maintain_order="left")
    scores = [c for c in totals.columns if c not in ("referral_id", "session")]
    return frame.select(
        "referral_id",
        "session",
        "date",
        "attendance",
        "purpose",
        "mechanism",
        "therapy",
        "therapist_id",
        *scores,
        patient_id="owner",
        duration="ClinContDurOfCareCont",
    )
