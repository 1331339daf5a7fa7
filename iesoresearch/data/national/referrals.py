"""Referrals: one row each, whatever number of submissions, pathways and months it runs through."""

import polars as pl

from iesoresearch.data import codes
from iesoresearch.data.national import values
from iesoresearch.data.national.files import Source
from iesoresearch.data.national.layout import (
    DERIVED,
    PERSON,
    REQUEST,
    SUBMISSION,
    TABLES,
)
from iesoresearch.data.national.report import Ledger
from iesoresearch.data.national.submissions import Submissions
from iesoresearch.measures.problems import PROBLEMS

_NAME = TABLES["101"].name
_COMPLAINTS = TABLES["603"].name


def read(
    sources: dict[str, Source], subs: Submissions, ledger: Ledger
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The latest version of every referral, and the `referral_id` of every service request."""
    frame = subs.rows(sources, "101", ledger)
    if "UsePathway_Flag" in sources["101"].present:
        used = frame.select(values.true("UsePathway_Flag")).to_series()
        ledger.note(_NAME, int((~used).sum()), "row(s) are not flagged for use; left out")
        frame = frame.filter(used)
    links = _links(frame, ledger)
    frame = frame.join(links, on=REQUEST, how="left", maintain_order="left")
    frame = _of_one_person(frame, ledger)
    frame = _latest(frame, ledger)
    frame = _dated(frame, subs, ledger)
    frame = values.numbers(frame, _NAME, ["Age_ReferralRequest_ReceivedDate"], ledger, 0, 120)
    ages = frame["Age_ReferralRequest_ReceivedDate"]
    ledger.note(_NAME, int((ages < 18).sum()), "referral(s) are of people under 18; kept")
    frame = _coded(frame, ledger)
    problem = _problem(frame, _complaints(sources, subs, frame, ledger), ledger)
    frame = frame.with_columns(problem)
    return frame, links.filter(pl.col("referral_id").is_in(frame["referral_id"].implode()))


def _links(frame: pl.DataFrame, ledger: Ledger) -> pl.DataFrame:
    """Service request -> referral.

    A referral is a service request, whichever pathway it was traced to. Requests whose latest
    pathway is the same are one referral, named by the one submitted last.
    """
    ordered = frame.sort("order", "PathwayID", REQUEST)
    requests = ordered.group_by(REQUEST, maintain_order=True).agg(
        pl.col("PathwayID").last(), pl.col("order").max(), n=pl.col("PathwayID").n_unique()
    )
    traced = int((requests["n"] > 1).sum())
    ledger.note(_NAME, traced, "referral(s) changed their PathwayID; each counted once")
    requests = requests.sort("order", REQUEST)
    links = requests.with_columns(referral_id=pl.col(REQUEST).last().over("PathwayID"))
    shared = int((links["referral_id"] != links[REQUEST]).sum())
    ledger.note(_NAME, shared, "service request(s) share the PathwayID of another; counted as one")
    return links.select(REQUEST, "referral_id")


def _of_one_person(frame: pl.DataFrame, ledger: Ledger) -> pl.DataFrame:
    several = pl.col(PERSON).n_unique().over("referral_id") > 1
    n = frame.filter(several)["referral_id"].n_unique()
    ledger.note(_NAME, n, "referral(s) have more than one Person_ID; left out")
    return frame.filter(~several)


def _latest(frame: pl.DataFrame, ledger: Ledger) -> pl.DataFrame:
    extra = len(frame) - frame.select(REQUEST, SUBMISSION).n_unique()
    ledger.note(_NAME, extra, "row(s) repeat a referral of the same submission; the last was kept")
    latest = frame.sort("order", maintain_order=True).unique(
        "referral_id", keep="last", maintain_order=True
    )
    earlier = frame.select("referral_id", SUBMISSION).n_unique() - len(latest)
    ledger.note(_NAME, earlier, "row(s) are earlier versions of a referral; the latest was kept")
    return latest.sort("referral_id")


def _dated(frame: pl.DataFrame, subs: Submissions, ledger: Ledger) -> pl.DataFrame:
    columns = ["ReferralRequestReceivedDate", "ServDischDate"]
    frame = values.dates(frame, _NAME, columns, ledger, subs.last_day)
    frame = frame.rename(dict(zip(columns, ["referral_date", "discharge_date"], strict=True)))
    wrong = (frame["discharge_date"] < frame["referral_date"]).fill_null(False)
    ledger.note(
        _NAME,
        int(wrong.sum()),
        "referral(s) were discharged before they were received; the discharge taken as missing",
    )
    return frame.with_columns(frame["discharge_date"].set(wrong, None))


def _coded(frame: pl.DataFrame, ledger: Ledger) -> pl.DataFrame:
    source = codes.normalised(pl.coalesce("SourceOfReferralIAPT", "SourceOfReferralMH"))
    whole = source.is_in(list(codes.REFERRAL_SOURCE_CODES))
    frame = frame.with_columns(
        source=pl.when(whole).then(source).otherwise(source.str.slice(0, 1)),
    )
    frame = values.words(frame, _NAME, "source", ledger, codes.REFERRAL_SOURCE_CODES)
    legacy = dict.fromkeys(["40", "41", "42", "43", "44", "45", "97", "98"], "other")
    ends = codes.END_CODES | legacy
    frame = values.words(frame, _NAME, "EndCode", ledger, ends, width=2, unknown="other")
    lists = {"EmploymentStatus": codes.EMPLOYMENT_CODES, "PsychotropicIndicator": MEDICATION}
    for field, mapping in lists.items():
        for end in ("First", "Last"):
            frame = values.words(frame, _NAME, f"{field}_{end}", ledger, mapping, width=2)
    return frame


#: ``ZZ``, as in the other lists of the data set: asked, not stated.
MEDICATION = codes.MEDICATION_CODES | {"ZZ": "not stated"}


def _complaints(
    sources: dict[str, Source], subs: Submissions, referrals: pl.DataFrame, ledger: Ledger
) -> pl.DataFrame:
    """Of every referral the primary, latest complaint of its latest version."""
    rows = subs.rows(sources, "603", ledger).join(
        referrals.select("referral_id", SUBMISSION, REQUEST), on=[SUBMISSION, REQUEST], how="inner"
    )
    rows = rows.with_columns(
        complaint=pl.coalesce("Validated_PresentingComplaint", "PresComp"),
        primary=codes.normalised(pl.col("PresCompCodSig")),
    ).filter(pl.col("complaint").is_not_null())
    rows = values.dates(rows, _COMPLAINTS, ["PresCompDate"], ledger, subs.last_day)
    rows = rows.sort(
        ["primary", "PresCompDate", "complaint"], descending=[False, True, False], nulls_last=True
    )
    first = rows.unique("referral_id", keep="first", maintain_order=True)
    return referrals.select("referral_id").join(
        first.select("referral_id", "complaint"),
        on="referral_id",
        how="left",
        maintain_order="left",
    )


def _problem(frame: pl.DataFrame, complaints: pl.DataFrame, ledger: Ledger) -> pl.Series:
    """Descriptor: the coded complaint where it has one, else the derived categories."""
    named = frame.select(
        complaints["complaint"],
        low=pl.coalesce("PresentingComplaintLowerCategory", "SecondaryPresentingComplaint"),
        high=pl.coalesce("PresentingComplaintHigherCategory", "PrimaryPresentingComplaint"),
    ).select(descriptor(pl.col(c)).alias(c) for c in ("complaint", "low", "high"))
    vague = ["other", "not stated"]
    specific = [pl.when(~pl.col(c).is_in(vague)).then(c) for c in named.columns]
    other = pl.any_horizontal(pl.col(named.columns) == "other").fill_null(False)
    problem = named.select(
        problem=pl.coalesce(*specific, pl.when(other).then(pl.lit("other")), pl.lit("not stated"))
    ).to_series()
    n = int((problem == "other").sum())
    ledger.note(_NAME, n, 'referral(s) have a complaint without a descriptor; taken as "other"')
    return problem


def descriptor(complaint: pl.Expr) -> pl.Expr:
    """Problem descriptor of a code or category, such as 'F411 - Generalized anxiety disorder'."""
    text = complaint.str.strip_chars().str.to_uppercase()
    code = text.str.replace_all(".", "", literal=True)
    by_length = sorted(
        ((code, p.name) for p in PROBLEMS.values() for code in p.codes), key=lambda c: -len(c[0])
    )
    chain = pl.when(text.is_null()).then(None)
    for prefix, name in by_length:
        chain = chain.when(code.str.starts_with(prefix)).then(pl.lit(name))
    unknown = text.str.contains("^(?:UNSPECIFIED|INVALID|NOT |-1$|-3$)")
    return (
        chain.when(text == "DEPRESSION")
        .then(pl.lit("depression"))
        .when(unknown)
        .then(pl.lit("not stated"))
        .otherwise(pl.lit("other"))
    )


def derived(frame: pl.DataFrame, sources: dict[str, Source]) -> pl.DataFrame:
    """Fields of the latest versions that the national system derived, as they were written."""
    there = [c for c in DERIVED if c in sources["101"].present]
    return frame.select("referral_id", *there)


def table(frame: pl.DataFrame) -> pl.DataFrame:
    """The canonical table."""
    return frame.select(
        "referral_id",
        "referral_date",
        "discharge_date",
        "source",
        "problem",
        patient_id=PERSON,
        service_id="OrgID_Provider",
        end_reason="EndCode",
        age_at_referral="Age_ReferralRequest_ReceivedDate",
        age_at_period_end="Age_RP_EndDate",
        employment_first="EmploymentStatus_First",
        employment_last="EmploymentStatus_Last",
        medication_first="PsychotropicIndicator_First",
        medication_last="PsychotropicIndicator_Last",
    )
