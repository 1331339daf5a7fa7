"""The national data set: a clean folder is read as worked out by hand, every fault is reported."""

import csv
from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from iesoresearch.data import national, sources
from iesoresearch.errors import DataError

NAMES = {
    "000": "IDS000Header",
    "001": "IDS001MPI",
    "004": "IDS004EmpStatus",
    "007": "IDS007DisabilityType",
    "011": "IDS011SocPerCircumstances",
    "101": "IDS101Referral",
    "201": "IDS201CareContact",
    "202": "IDS202CareActivity",
    "602": "IDS602LongTermCondition",
    "603": "IDS603PresentingComplaints",
    "606": "IDS606CodedScoreAssessmentRefer",
    "607": "IDS607CodedScoreAssessmentAct",
}
#: Order of the columns of a row.
COLUMNS = {
    "000": "UniqueSubmissionID ReportingPeriodStartDate ReportingPeriodEndDate File_Type",
    "001": "UniqueSubmissionID RecordNumber Gender Validated_EthnicCategory "
    "IndicesOfDeprivationDecile Age_RP_EndDate",
    "004": "UniqueSubmissionID RecordNumber EmployStatus EmployStatusRecDate",
    "007": "UniqueSubmissionID RecordNumber DisabCode",
    "011": "UniqueSubmissionID RecordNumber SocPerCircumstance SocPerCircumstanceRecDate",
    "101": "UniqueSubmissionID RecordNumber Person_ID PathwayID Unique_ServiceRequestID "
    "ReferralRequestReceivedDate ServDischDate SourceOfReferralIAPT EndCode "
    "PresentingComplaintLowerCategory Age_ReferralRequest_ReceivedDate "
    "OrgID_Provider Unique_MonthID UsePathway_Flag",
    "201": "UniqueSubmissionID Unique_ServiceRequestID Unique_CareContactID CareContDate "
    "AttendOrDNACode AppType ConsMechanism ClinContDurOfCareCont PsychMed "
    "PlannedCareContIndicator Person_ID",
    "202": "UniqueSubmissionID Unique_CareContactID Unique_CareActivityID CodeProcAndProcStatus "
    "Unique_CarePersonnelID_Local",
    "602": "UniqueSubmissionID Unique_ServiceRequestID LongTermCondition",
    "603": "UniqueSubmissionID Unique_ServiceRequestID PresComp PresCompCodSig PresCompDate",
    "606": "UniqueSubmissionID Unique_ServiceRequestID CodedAssToolType PersScore AssToolCompDate",
    "607": "UniqueSubmissionID CodedAssToolType PersScore Unique_CareActivityID",
}
PHQ9, GAD7, PCL5 = "720433000", "445455005", "491581000000104"
WSAS = ["932621000000100", "932581000000100", "932611000000106", "932591000000103"]
WSAS.append("932601000000109")
CBT, IPT, EMPLOYMENT_SUPPORT = "304891004", "443730003", "1098051000000103"


def clean():
    """Two months of one provider: three people, three referrals, six contacts.

    RecordNumber 1 is P1 in April and P2 in May: a join across submissions would mix them up.
    """
    april = ["AM601", "1490", "True"]
    may = ["AM601", "1491", "True"]
    gad = "F411 - Generalized anxiety disorder"
    return {
        "000": [
            ["91", "2024-04-01", "2024-04-30", "Primary"],
            ["92", "2024-05-01", "2024-05-31", "Primary"],
        ],
        "001": [
            ["91", "1", "2", "A", "3", "34"],
            ["91", "2", "1", "J", "1", "51"],
            ["92", "1", "1", "J", "1", "51"],
            ["92", "2", "2", "A", "3", "34"],
            ["92", "3", "9", "99", "", "17"],
        ],
        "004": [["92", "2", "02", "2024-04-05"], ["92", "2", "1", "2024-05-20"]],
        "007": [["92", "2", "NN"], ["92", "1", "5"], ["92", "1", "ZZ"], ["92", "3", "ZZ"]],
        "011": [
            ["92", "2", "20430005", "2024-04-05"],
            ["92", "1", "42035005", "2024-04-15"],
            ["92", "1", "20430005", "2023-04-15"],
            ["92", "1", "309884000", "2024-05-15"],
        ],
        "101": [
            ["91", "1", "P1", "W1", "A", "2024-04-02", "", "B1", "", "", "34", *april],
            ["91", "2", "P2", "W2", "B", "2024-04-10", "NULL", "A1", "", "", "50", *april],
            ["92", "2", "P1", "W1", "A", "2024-04-02", "2024-05-30", "B1", "46", gad, "34", *may],
            ["92", "1", "P2", "W2", "B", "2024-04-10", "NULL", "A1", " ", "", "50", *may],
            ["92", "3", "P3", "W3", "C", "2024-05-05", "2024-05-20", "", "50", "", "18", *may],
        ],
        "201": [
            ["91", "A", "A1", "2024-04-05", "5", "01", "02", "45", "03", "Y", "P1"],
            ["91", "A", "A2", "2024-04-19", "6", "2", "10", "50", "", "Y", "P1"],
            ["91", "B", "B1", "2024-04-15", "3", "02", "11", "", "", "Y", "P2"],
            ["92", "A", "A4", "2024-05-10", "5", "02", "02", "30", "", "Y", "P1"],
            ["92", "A", "A3", "2024-05-03", " 5", "05", "10", "50", "02", "Y", "P1"],
            ["92", "B", "B2", "2024-05-06", "", "03", "01", "20", "", "N", "P2"],
        ],
        "202": [
            ["91", "A1", "a1", "", "T1"],
            ["91", "A2", "a2", CBT, "T2"],
            ["92", "A3", "a3", f"{CBT} : 408730004 |Procedure context| = 385658003 |Done|", "T2"],
            ["92", "A4", "a4", EMPLOYMENT_SUPPORT, "T9"],
            ["92", "B2", "b2", IPT, ""],
        ],
        "602": [["92", "A", "748031000000103"], ["92", "B", "73211009"]],
        "603": [
            ["92", "B", "F32.1", "2", "2024-05-01"],
            ["92", "B", "F43.1", "1", "2024-04-20"],
            ["92", "B", "F40.1", "1", "2024-04-10"],
        ],
        "606": [
            ["91", "A", PHQ9, "16", "2024-04-03"],
            ["91", "A", GAD7, "11", "2024-04-05"],
            ["92", "B", PCL5, "44", "2024-05-06"],
        ],
        "607": [
            ["91", PHQ9, "15", "a1"],
            ["91", PHQ9, "12", "a2"],
            ["91", GAD7, "9", "a2"],
            ["92", PHQ9, "7", "a3"],
            ["92", GAD7, "5", "a3"],
            *(["92", tool, value, "a3"] for tool, value in zip(WSAS, "92345", strict=True)),
            ["92", PHQ9, "21", "b2"],
        ],
    }


def write_csv(folder, tables, encoding="utf-8", suffix=".csv"):
    folder.mkdir(parents=True, exist_ok=True)
    for number, rows in tables.items():
        path = folder / f"{NAMES[number]}{suffix}"
        with path.open("w", newline="", encoding=encoding) as stream:
            csv.writer(stream).writerows([COLUMNS[number].split(), *rows])


def write_parquet(folder, tables, types=None):
    folder.mkdir(parents=True, exist_ok=True)
    for number, rows in tables.items():
        names = COLUMNS[number].split()
        frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
        for name, cast in (types or {}).items():
            if name in names:
                frame = frame.with_columns(cast(pl.col(name).replace("", None)))
        frame.write_parquet(folder / f"{NAMES[number].lower()}.parquet")


DATES = [name for names in COLUMNS.values() for name in names.split() if name.endswith("Date")]
TYPES = (
    {
        name: lambda c: c.replace("NULL", None).str.to_datetime("%Y-%m-%d")
        for name in DATES
        if not name.startswith("Age_")
    }
    | {name: lambda c: c.cast(pl.Int64) for name in ("Age_RP_EndDate", "UniqueSubmissionID")}
    | {name: lambda c: c.cast(pl.Float64) for name in ("PersScore", "ClinContDurOfCareCont")}
    | {"UsePathway_Flag": lambda c: c == "True"}
)

EXPECTED = {
    "patients": {
        "patient_id": ["P1", "P2", "P3"],
        "age": [34, 50, 18],
        "gender": ["female", "male", "other"],
        "ethnicity": ["A", "J", "Z"],
        "deprivation_decile": [3, 1, None],
        "orientation": ["heterosexual", "bisexual", "not known"],
        "long_term_condition": ["no", "yes", "not stated"],
        "disability": ["no", "yes", "not stated"],
    },
    "referrals": {
        "referral_id": ["A", "B", "C"],
        "patient_id": ["P1", "P2", "P3"],
        "referral_date": [date(2024, 4, 2), date(2024, 4, 10), date(2024, 5, 5)],
        "discharge_date": [date(2024, 5, 30), None, date(2024, 5, 20)],
        "service_id": ["AM601"] * 3,
        "source": ["self", "primary care", None],
        "problem": [
            "generalised anxiety disorder",
            "post-traumatic stress disorder",
            "not stated",
        ],
        "end_reason": ["treated: completed", None, "not assessed"],
        "age_at_referral": [34, 50, 18],
        "age_at_period_end": [34, 51, 17],
        "employment_first": ["unemployed and seeking work", None, None],
        "employment_last": ["employed", None, None],
        "medication_first": ["not prescribed", None, None],
        "medication_last": ["prescribed and taking", None, None],
    },
    "contacts": {
        "referral_id": ["A", "A", "A", "A", "B", "B"],
        "session": [1, 2, 3, 4, 1, 2],
        "patient_id": ["P1", "P1", "P1", "P1", "P2", "P2"],
        "date": [
            date(2024, 4, 5),
            date(2024, 4, 19),
            date(2024, 5, 3),
            date(2024, 5, 10),
            date(2024, 4, 15),
            date(2024, 5, 6),
        ],
        "attendance": [*["attended"] * 4, "did not attend", "attended"],
        "purpose": [
            "assessment",
            "treatment",
            "treatment",
            "employment support",
            "treatment",
            "treatment",
        ],
        "mechanism": [
            "telephone",
            "typed, live",
            "typed, live",
            "telephone",
            "video",
            "face to face",
        ],
        "therapy": [
            None,
            *["cognitive behaviour therapy"] * 2,
            None,
            None,
            "interpersonal psychotherapy",
        ],
        "therapist_id": ["T1", "T2", "T2", "T9", None, None],
        "duration": [45, 50, 50, 30, None, 20],
        "phq9_total": [15, 12, 7, None, None, 21],
        "gad7_total": [11, 9, 5, None, None, None],
        "wsas_1": [None, None, 9, None, None, None],
        "wsas_2": [None, None, 2, None, None, None],
        "wsas_3": [None, None, 3, None, None, None],
        "wsas_4": [None, None, 4, None, None, None],
        "wsas_5": [None, None, 5, None, None, None],
    },
    "scores": {
        "referral_id": ["A", "B"],
        "patient_id": ["P1", "P2"],
        "date": [date(2024, 4, 3), date(2024, 5, 6)],
        "instrument": ["phq9", "pcl5"],
        "item": [0, 0],
        "session": [None, 2],
        "value": [16.0, 44.0],
    },
}
CLEAN_FINDINGS = {
    (
        "IDS606CodedScoreAssessmentRefer",
        "1 score(s) are of a day without an attended contact; kept with their day",
    ),
    (
        "IDS607CodedScoreAssessmentAct",
        '1 WSAS work item(s) are "not applicable" (9); kept, but no score',
    ),
}


def versions(n):
    text = f"{n} row(s) are earlier versions of a referral; the latest was kept"
    return "IDS101Referral", text


def said(report):
    return {(finding.table, finding.text) for finding in report.findings}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_clean_folder_is_read_as_worked_out_by_hand(tmp_path, form):
    if form == "csv":
        write_csv(tmp_path, clean())
    else:
        write_parquet(tmp_path, clean(), TYPES)
    cohort, report = national.read(tmp_path)
    assert said(report) == CLEAN_FINDINGS | {versions(2)}
    for table, columns in EXPECTED.items():
        frame = getattr(cohort, table)
        schema = {name: frame.schema[name] for name in columns}
        assert_frame_equal(frame.select(*columns), pl.DataFrame(columns, schema=schema))
        rest = frame.drop(columns)
        assert all(rest[name].null_count() == len(rest) for name in rest.columns)
    assert cohort.sensitivity == "patient"


# Each fault is about rows of its own: table, sentence expected, rows added.
# "S" stands for the submission of May, "M" for what every referral of May ends with.
S, M = "92", ["AM601", "1491", "True"]


def referral(name, received="2024-05-01", discharged="", age="40", person=None, path=None, rec="2"):
    path, person = path or f"W{name}", person or f"P{name}"
    return [S, rec, person, path, name, received, discharged, "B1", "", "F32", age, *M]


def contact(request, name, day="2024-05-10", code="5", kind="02", person="", sub=S):
    return [sub, request, name, day, code, kind, "01", "", "", "Y", person]


FAULTS = {
    "primary submission replaced by a refresh": (
        "IDS101Referral",
        "1 submission(s) were replaced by a later one; left out",
        {},
    ),
    "a referral of the replaced submission": (
        "IDS101Referral",
        "1 row(s) are of a submission that a later one replaced; left out",
        {"101": [["90", "1", "P1", "W1", "A", "2024-04-02", *[""] * 3, "F42", "34", *M]]},
    ),
    "a contact of the replaced submission": (
        "IDS201CareContact",
        "1 row(s) are of a submission that a later one replaced; left out",
        {"201": [contact("A", "A9", sub="90")]},
    ),
    "scores of a submission nobody knows": (
        "IDS607CodedScoreAssessmentAct",
        "2 row(s) are of a submission that IDS101Referral does not know; left out",
        {"607": [["77", PHQ9, "3", "a3"], ["77", GAD7, "3", "a3"]]},
    ),
    "a referral traced to a new PathwayID": (
        "IDS101Referral",
        "1 referral(s) changed their PathwayID; each counted once",
        {
            "101": [
                ["91", "1", "PD", "WD0", *referral("D")[4:11], "AM601", "1490", "True"],
                referral("D"),
            ]
        },
    ),
    "a referral twice in one submission": (
        "IDS101Referral",
        "1 row(s) repeat a referral of the same submission; the last was kept",
        {"101": [referral("M"), referral("M")]},
    ),
    "two requests of one pathway": (
        "IDS101Referral",
        "1 service request(s) share the PathwayID of another; counted as one",
        {"101": [referral("E1", person="PE", path="WE"), referral("E2", person="PE", path="WE")]},
    ),
    "a pathway that is not for use": (
        "IDS101Referral",
        "1 row(s) are not flagged for use; left out",
        {"101": [[*referral("F")[:-1], "False"]]},
    ),
    "two people under one referral": (
        "IDS101Referral",
        "1 referral(s) have more than one Person_ID; left out",
        {"101": [referral("G", person="PG1"), referral("G", person="PG2")]},
    ),
    "contacts of a referral that was left out": (
        "IDS201CareContact",
        "2 row(s) belong to no referral that was kept; left out",
        {"201": [contact("G", "G1"), contact("nobody", "N1")]},
    ),
    "a contact of another person": (
        "IDS201CareContact",
        "1 row(s) name another person than their referral; left out",
        {"201": [contact("A", "A20", person="P2")]},
    ),
    "the same contact twice": (
        "IDS201CareContact",
        "1 row(s) repeat a contact; the latest version was kept",
        {"201": [contact("C", "C1"), contact("C", "C1", code="05", kind=" 2")]},
    ),
    "a contact before the referral": (
        "IDS201CareContact",
        "1 row(s) lie before their referral; left out",
        {"201": [contact("C", "C2", "2024-05-04")]},
    ),
    "a contact after the discharge": (
        "IDS201CareContact",
        "1 contact(s) lie after the discharge; kept, they count for no outcome",
        {"201": [contact("C", "C3", "2024-05-21")]},
    ),
    "a contact in the future": (
        "IDS201CareContact",
        "1 date(s) of CareContDate lie in the future; taken as missing",
        {"201": [contact("C", "C4", "2124-05-10")]},
    ),
    "a date that is none": (
        "IDS201CareContact",
        "2 value(s) of CareContDate are no date; taken as missing",
        {"201": [contact("C", "C5", "05/31/2024"), contact("C", "C6", "soon")]},
    ),
    "contacts without a date": (
        "IDS201CareContact",
        "3 row(s) have no usable date; left out",
        {},
    ),
    "mixed ways to write a date": (
        "IDS201CareContact",
        "2 date(s) of CareContDate are not written like 2024-01-31; read with the day before the "
        "month",
        {
            "201": [
                contact("C", "C7", "07/05/2024"),
                contact("C", "C8", "08-May-2024"),
                contact("C", "C9", "2024-05-09T10:30:00.000"),
            ]
        },
    ),
    "an attendance code that is in no list": (
        "IDS201CareContact",
        '1 code(s) of AttendOrDNACode are not in the list; taken as "other"',
        {"201": [contact("C", "C10", code="8")]},
    ),
    "a contact that does not say what for": (
        "IDS201CareContact",
        '1 contact(s) do not say what for; taken as "other"',
        {"201": [contact("C", "C11", kind="")]},
    ),
    "discharged before received": (
        "IDS101Referral",
        "1 referral(s) were discharged before they were received; the discharge taken as missing",
        {"101": [referral("H", "2024-05-10", "2024-05-09")]},
    ),
    "a person under 18": (
        "IDS101Referral",
        "1 referral(s) are of people under 18; kept",
        {"101": [referral("I", age="17")]},
    ),
    "an age nobody reaches": (
        "IDS101Referral",
        "1 value(s) of Age_ReferralRequest_ReceivedDate are no whole number from 0 to 120; taken "
        "as missing",
        {"101": [referral("J", age="240")]},
    ),
    "ids a spreadsheet has mangled": (
        "IDS101Referral",
        "2 row(s) hold an id that a spreadsheet turned into a number; left out",
        {"101": [referral("1.23E+15"), referral("K", person="4.56E+12")]},
    ),
    "a referral without a person": (
        "IDS101Referral",
        "1 row(s) lack an id they are joined by; left out",
        {"101": [[S, "2", "", *referral("L")[3:]]]},
    ),
    "a referral without a person record": (
        "IDS101Referral",
        "1 referral(s) have no record in IDS001MPI; kept without it",
        {"101": [referral("O", rec="88")]},
    ),
    "an ethnic code that is in no list": (
        "IDS001MPI",
        "1 ethnic code(s) are not in the list; taken as Z",
        {"001": [[S, "40", "01", "Q", "2", "30"]], "101": [referral("Q", rec="40")]},
    ),
    "a decile that is none": (
        "IDS001MPI",
        "1 value(s) of IndicesOfDeprivationDecile are no whole number from 1 to 10; taken as "
        "missing",
        {"001": [[S, "41", " 2", "A", "11", "30"]], "101": [referral("R", rec="41")]},
    ),
    "activities without a contact": (
        "IDS202CareActivity",
        "2 activity(ies) have no contact in IDS201CareContact; left out",
        {"202": [[S, "none", "x1", CBT, ""], [S, "nowhere", "x2", CBT, ""]]},
    ),
    "a therapy that is not known, and one only offered": (
        "IDS202CareActivity",
        "2 activity(ies) are of no therapy that is known here, or not done",
        {
            "202": [
                [S, "C1", "c1", "7.48051E+14", ""],
                [S, "C7", "c7", f"{CBT}:408730004=410527000", ""],
            ]
        },
    ),
    "two therapies at one contact": (
        "IDS202CareActivity",
        "1 contact(s) have activities of several therapies; the first counts",
        {"202": [[S, "C8", "c8", CBT, ""], [S, "C8", "c8b", IPT, ""]]},
    ),
    "scores outside their scale": (
        "IDS607CodedScoreAssessmentAct",
        "4 score(s) lie outside the range of their scale; left out",
        {
            "607": [
                [S, PHQ9, "28", "c1"],
                [S, GAD7, "-1", "c1"],
                [S, WSAS[1], "9", "c1"],
                [S, WSAS[2], "3.5", "c1"],
            ]
        },
    ),
    "a score that is no number": (
        "IDS607CodedScoreAssessmentAct",
        "1 score(s) are no number; left out",
        {"607": [[S, PHQ9, "declined", "c1"]]},
    ),
    "scores of unknown scales": (
        "IDS607CodedScoreAssessmentAct",
        "2 score(s) are of scales that are not known here; left out",
        {"607": [[S, "747901000000107", "4", "c1"], [S, "", "4", "c1"]]},
    ),
    "a score without a contact": (
        "IDS607CodedScoreAssessmentAct",
        "1 score(s) have no contact in IDS201CareContact; left out",
        {"607": [[S, PHQ9, "4", "nothing"]]},
    ),
    "a score at a contact that was left out": (
        "IDS607CodedScoreAssessmentAct",
        "1 score(s) were given at a contact that was left out; left out",
        {"202": [[S, "C2", "c2", "", ""]], "607": [[S, PHQ9, "4", "c2"]]},
    ),
    "a score without a date": (
        "IDS606CodedScoreAssessmentRefer",
        "1 score(s) have no usable date; left out",
        {"606": [[S, "A", PHQ9, "9", ""]]},
    ),
    "two answers on one occasion": (
        "IDS606 and IDS607",
        "1 score(s) were given twice on one occasion and differ; the latest was kept",
        {"606": [[S, "A", PHQ9, "3", "2024-05-03"]]},
    ),
    "extra columns": ("IDS202CareActivity", "2 column(s) are not used here; ignored", {}),
    "wrong encoding": (
        "IDS202CareActivity",
        "1 file(s) are not UTF-8; read all the same, the codes are ASCII",
        {},
    ),
    "an empty file": ("IDS201CareContact", "1 file(s) are empty; left out", {}),
}
CSV_ONLY = {"wrong encoding", "an empty file"}


def faulty():
    tables = clean()
    for _, _, rows in FAULTS.values():
        for number, more in rows.items():
            tables[number] = tables[number] + more
    tables["000"] = [
        ["91", "2024-04-01", "2024-04-30", "Refresh"],
        ["90", "2024-05-01", "2024-05-31", "Primary"],
        ["92", "2024-05-01", "2024-05-31", "Refresh"],
    ]
    return tables


def write_faulty(folder, form):
    """In sub-folders and parts, named as exports are; IDS202 has columns nobody needs."""
    tables = faulty()
    activities = tables.pop("202")
    names = [*COLUMNS["202"].split(), "ServiceCafé", "SK"]
    rows = [[*row, "crème", "1"] for row in activities]
    if form == "parquet":
        write_parquet(folder, tables)
        frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")
        frame.write_parquet(folder / "IDS202CareActivity.parquet")
        return
    half = {n: rows[: len(rows) // 2] for n, rows in tables.items()}
    rest = {n: rows[len(rows) // 2 :] for n, rows in tables.items()}
    write_csv(folder / "2024-04", half, suffix="_2024-04.csv")
    write_csv(folder / "2024-05", rest, suffix="_2024-05_refresh.CSV", encoding="utf-8-sig")
    with (folder / "ids202careactivity.csv").open("w", newline="", encoding="cp1252") as stream:
        csv.writer(stream, delimiter="|").writerows([names, *rows])
    (folder / "IDS201CareContact_2024-03.csv").touch()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_every_fault_is_reported_and_nothing_else(tmp_path, form):
    write_faulty(tmp_path, form)
    cohort, report = national.read(tmp_path)
    left = CSV_ONLY if form == "parquet" else set()
    planted = {name: (table, text) for name, (table, text, _) in FAULTS.items() if name not in left}
    assert len(planted) >= 20
    found = said(report)
    missed = {name for name, finding in planted.items() if finding not in found}
    assert missed == set()
    assert found - set(planted.values()) == CLEAN_FINDINGS | {versions(3)}
    assert cohort.referrals["referral_id"].to_list() == [*"ABCD", "E2", *"HIJMOQR"]
    # the clean people are as they were, but for what was planted on them
    expected = {name: EXPECTED["contacts"][name] for name in ("session", "date", "phq9_total")}
    untouched = cohort.contacts.filter(pl.col("referral_id").is_in(["A", "B"]))
    assert untouched.select(*expected).to_dict(as_series=False) == expected


def test_what_is_done_about_a_fault_is_what_the_report_says(tmp_path):
    write_faulty(tmp_path, "csv")
    cohort, _ = national.read(tmp_path)
    of = {row["referral_id"]: row for row in cohort.referrals.iter_rows(named=True)}
    assert of["H"]["discharge_date"] is None
    assert of["J"]["age_at_referral"] is None
    assert of["I"]["age_at_referral"] == 17
    people = {row["patient_id"]: row for row in cohort.patients.iter_rows(named=True)}
    assert people["PQ"]["ethnicity"] == "Z"
    assert (people["PQ"]["gender"], people["PR"]["gender"]) == ("male", "female")
    assert people["PR"]["deprivation_decile"] is None
    assert (people["PO"]["gender"], people["PO"]["ethnicity"]) == ("not known", "Z")
    seen = cohort.contacts.filter(pl.col("referral_id") == "C").select(
        "session", pl.col("date").dt.to_string("%m-%d"), "attendance", "purpose", "therapy"
    )
    assert seen.rows() == [
        (1, "05-07", "attended", "treatment", None),
        (2, "05-08", "attended", "treatment", "cognitive behaviour therapy"),
        (3, "05-09", "attended", "treatment", None),
        (4, "05-10", "attended", "treatment", None),
        (5, "05-10", "other", "treatment", None),
        (6, "05-10", "attended", "other", None),
        (7, "05-21", "attended", "treatment", None),
    ]
    scored = cohort.contacts.filter(pl.col("referral_id") == "C").select(
        pl.col("^(phq9|gad7)_total|wsas_.$")
    )
    assert all(scored[name].null_count() == len(scored) for name in scored.columns)


def problems(folder):
    with pytest.raises(DataError) as caught:
        national.read(folder)
    return str(caught.value)


def test_everything_fatal_is_said_at_once(tmp_path):
    tables = clean()
    del tables["001"], tables["606"], tables["607"]
    tables["101"] = []
    write_csv(tmp_path, tables)
    referrals = tmp_path / "IDS101Referral.csv"
    referrals.write_text(referrals.read_text().replace("Person_ID", "Whoever"))
    message = problems(tmp_path)
    for part in [
        "IDS101Referral: the column Person_ID is absent from 1 file(s)",
        "IDS001MPI: the table is absent",
        "IDS606CodedScoreAssessmentRefer and IDS607CodedScoreAssessmentAct: both are absent, so",
        "Mend the folder and try again; nothing was loaded.",
    ]:
        assert part in message
    assert "Whoever" not in message


def test_a_table_whose_files_are_all_empty_is_absent(tmp_path):
    write_csv(tmp_path, clean())
    (tmp_path / "IDS201CareContact.csv").write_text("")
    assert "IDS201CareContact: no file of it can be used" in problems(tmp_path)


def test_a_folder_without_a_usable_contact_says_why(tmp_path):
    write_csv(tmp_path, clean() | {"201": [contact("A", "A1", "no day")]})
    message = problems(tmp_path)
    assert "no contact of the NHS Talking Therapies data set can be used" in message
    assert "IDS201CareContact: 1 row(s) have no usable date; left out" in message


def test_a_folder_without_a_usable_referral_says_why(tmp_path):
    tables = clean()
    for row in tables["101"]:
        row[-1] = "False"
    write_csv(tmp_path, tables)
    message = problems(tmp_path)
    assert "no referral of the NHS Talking Therapies data set can be used" in message
    assert "IDS101Referral: 5 row(s) are not flagged for use; left out" in message


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (3, "IDS607CodedScoreAssessmentAct.csv cannot be read as a table"),
        (
            500_000,
            "IDS607CodedScoreAssessmentAct: a file cannot be read to its end. A row may have",
        ),
    ],
    ids=["at the start", "late"],
)
def test_a_row_with_a_field_too_many_is_refused_without_a_cell_of_it(tmp_path, rows, expected):
    tables = clean()
    tables["607"] = [["91", PHQ9, "15", "a1"]] * rows + [["91", PHQ9, "15", "a1", "surplus"]]
    write_csv(tmp_path, tables)
    message = problems(tmp_path)
    assert expected in message
    assert "surplus" not in message


def test_a_spreadsheet_saved_as_utf_16_is_refused(tmp_path):
    write_csv(tmp_path, clean())
    path = tmp_path / "IDS101Referral.csv"
    path.write_text(path.read_text(), encoding="utf-16")
    message = problems(tmp_path)
    assert "IDS101Referral: IDS101Referral.csv looks like UTF-16; save it as UTF-8" in message


def test_a_parquet_file_that_is_none_is_refused(tmp_path):
    write_csv(tmp_path, clean())
    (tmp_path / "IDS101Referral.csv").rename(tmp_path / "IDS101Referral.parquet")
    assert "IDS101Referral.parquet cannot be read as a table" in problems(tmp_path)


def with_column(path, name, cells):
    head, *rows = path.read_text().splitlines()
    lines = [f"{head},{name}", *(f"{r},{c}" for r, c in zip(rows, cells, strict=False))]
    path.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        (
            "NHSNumber",
            ["9434765919", "9434765870", "4010232137", "9876543210", "9434765919"],
            "NHS",
        ),
        ("PersonBirthDate", ["1980-01-01", "1971-05-06", "1999-02-03", "1960-01-01"], "dates of"),
        ("Postcode", ["CB1 2AB", "SW1A 1AA", "M1 1AE", "LS1 4DY", "N1 9GU"], "postcodes"),
    ],
)
def test_a_column_of_identifiers_is_refused(tmp_path, name, cells, kind):
    write_csv(tmp_path, clean())
    with_column(tmp_path / "IDS001MPI.csv", name, [*cells, *cells[: 5 - len(cells)]])
    message = problems(tmp_path)
    assert f"IDS001MPI: column 7 looks like an identifier ({kind}" in message
    assert name not in message
    assert cells[0] not in message


def test_people_named_by_their_nhs_number_are_refused(tmp_path):
    tables = clean()
    numbers = {"P1": "9434765919", "P2": "9434765870", "P3": "4010232137"}
    tables["101"] = [[numbers.get(cell, cell) for cell in row] for row in tables["101"]]
    write_csv(tmp_path, tables)
    message = problems(tmp_path)
    assert "IDS101Referral: Person_ID looks like an identifier (NHS numbers)" in message
    assert "9434765919" not in message


def test_optional_tables_may_be_absent(tmp_path):
    tables = clean()
    for number in ("000", "004", "007", "011", "602", "603", "606"):
        del tables[number]
    write_csv(tmp_path, tables)
    cohort, _ = national.read(tmp_path)
    assert set(cohort.patients["long_term_condition"]) == {"not stated"}
    assert set(cohort.patients["orientation"]) == {"not known"}
    assert cohort.referrals["problem"].to_list() == [
        "generalised anxiety disorder",
        "not stated",
        "not stated",
    ]
    assert cohort.referrals["employment_first"].null_count() == 3
    assert cohort.contacts["phq9_total"].to_list() == [15, 12, 7, None, None, 21]
    assert cohort.scores.is_empty()


def test_a_folder_is_known_by_its_files_alone(tmp_path):
    assert not national.is_national(tmp_path)
    (tmp_path / "contacts.csv").touch()
    (tmp_path / "IDS205InternetTherLog.csv").touch()
    assert not national.is_national(tmp_path)
    (tmp_path / "2024-05" / "IDS101Referral").mkdir(parents=True)
    part = tmp_path / "2024-05" / "IDS101Referral" / "part-0.parquet"
    part.touch()
    (tmp_path / "ids_201_care_contact.csv").touch()
    (tmp_path / "IDS201.csv").touch()
    (tmp_path / "IDS201.parquet").touch()
    assert national.is_national(tmp_path)
    files = [path.relative_to(tmp_path).as_posix() for path in national.fingerprint_files(tmp_path)]
    assert files == [
        "2024-05/IDS101Referral/part-0.parquet",
        "IDS201.parquet",
        "ids_201_care_contact.csv",
    ]


def test_the_fingerprint_changes_with_any_file(tmp_path):
    write_csv(tmp_path, clean())
    before = national.read(tmp_path)[0].fingerprint
    path = tmp_path / "IDS602LongTermCondition.csv"
    path.write_text(path.read_text().replace("73211009", "195967001"))
    assert national.read(tmp_path)[0].fingerprint != before


def test_what_is_converted_reads_back_as_the_same_cohort(tmp_path):
    """From a folder of the data set to canonical tables, by the way a partner goes."""
    write_csv(tmp_path / "v21", clean())
    direct, _ = national.read(tmp_path / "v21")
    sources.convert(sources.scan((tmp_path / "v21",)), tmp_path / "tables")
    again = sources.from_folder((tmp_path / "tables",))
    for table in ("patients", "referrals", "contacts", "scores"):
        assert getattr(again, table).equals(getattr(direct, table)), table
