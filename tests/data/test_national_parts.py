"""Codes, submissions and derived fields of the national data set, one at a time."""

from datetime import date

import polars as pl
import pytest

from iesoresearch.data import codes, national
from iesoresearch.data.national import values
from iesoresearch.data.national.referrals import descriptor
from iesoresearch.data.national.report import Ledger
from iesoresearch.measures import SCALES

BASE = {
    "UniqueSubmissionID": "1",
    "RecordNumber": "1",
    "Person_ID": "p",
    "PathwayID": "w",
    "Unique_ServiceRequestID": "r",
    "ReferralRequestReceivedDate": "2024-01-01",
    "ServDischDate": None,
    "OrgID_Provider": "AM601",
    "Unique_MonthID": "1487",
}
CONTACT = {
    "UniqueSubmissionID": "1",
    "Unique_ServiceRequestID": "r",
    "Unique_CareContactID": "c",
    "CareContDate": "2024-01-10",
    "AttendOrDNACode": "5",
    "AppType": "02",
}


def write(folder, referrals, contacts, **tables):
    """A folder of referrals (and their person records), contacts and other tables, as Parquet."""
    referrals = [BASE | row for row in referrals]
    keys = ["UniqueSubmissionID", "RecordNumber"]
    people = {tuple(row[key] for key in keys): {key: row[key] for key in keys} for row in referrals}
    tables = {
        "IDS001MPI": list(people.values()),
        "IDS101Referral": referrals,
        "IDS201CareContact": [CONTACT | row for row in contacts],
        "IDS202CareActivity": [
            {"UniqueSubmissionID": "1", "Unique_CareContactID": "c", "CodeProcAndProcStatus": None}
        ],
        "IDS607CodedScoreAssessmentAct": [
            {
                "UniqueSubmissionID": "1",
                "CodedAssToolType": SCALES["phq9"].snomed,
                "PersScore": 9.0,
                "Unique_CareContactID": "c",
            }
        ],
    } | tables
    for name, rows in tables.items():
        pl.DataFrame(rows, infer_schema_length=None).write_parquet(folder / f"{name}.parquet")
    return folder


def ends(folder):
    """When the referral ended: tells which version was kept."""
    cohort, _ = national.read(folder)
    return [day and day.day for day in cohort.referrals["discharge_date"]]


def version(day, **fields):
    return {"ServDischDate": f"2024-01-{day}"} | fields


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"Unique_MonthID": "999"}, {"Unique_MonthID": "1000", "UniqueSubmissionID": "0"}),
        ({"UniqueSubmissionID": "9"}, {"UniqueSubmissionID": "10"}),
        (
            {"UniqueSubmissionID": "9", "AuditId": "100"},
            {"UniqueSubmissionID": "8", "AuditId": "101"},
        ),
        ({"AuditId": "9"}, {"AuditId": "10"}),
        (
            {"UniqueSubmissionID": "9", "AuditId": "1", "IsLatest": "0"},
            {"UniqueSubmissionID": "8", "AuditId": "1", "IsLatest": "1"},
        ),
        ({"UniqueSubmissionID": "1", "Unique_MonthID": None}, {"UniqueSubmissionID": "2"}),
    ],
    ids=["month", "submission", "audit", "loaded again", "marked as latest", "no month"],
)
@pytest.mark.parametrize("turned", [False, True])
def test_the_latest_submission_wins_in_whichever_order_rows_lie(tmp_path, first, second, turned):
    rows = [version(20, **first), version(25, **second)]
    contacts = [{"UniqueSubmissionID": (BASE | row)["UniqueSubmissionID"]} for row in rows]
    assert ends(write(tmp_path, rows[::-1] if turned else rows, contacts)) == [25]


def test_a_refresh_wins_over_a_primary_submission_with_a_higher_number(tmp_path):
    rows = [version(20, UniqueSubmissionID="8"), version(25, UniqueSubmissionID="7")]
    kinds = [("8", "Primary"), ("7", "Refresh")]
    header = [{"UniqueSubmissionID": s, "File_Type": kind} for s, kind in kinds]
    contact = {"UniqueSubmissionID": "7"}
    assert ends(write(tmp_path, rows, [contact], IDS000Header=header)) == [25]


def test_a_list_of_the_latest_submissions_decides(tmp_path):
    rows = [version(20, UniqueSubmissionID="7"), version(25, UniqueSubmissionID="8")]
    listed = [
        {"UniqueSubmissionID": "7", "AuditId": None, "IsLatest": True},
        {"UniqueSubmissionID": "8", "AuditId": None, "IsLatest": False},
    ]
    contact = {"UniqueSubmissionID": "7"}
    assert ends(write(tmp_path, rows, [contact], IsLatest_SubmissionID=listed)) == [20]


def test_without_a_header_the_future_begins_tomorrow(tmp_path):
    rows = [{"ServDischDate": date.today().isoformat()}]
    cohort, report = national.read(write(tmp_path, rows, [{}]))
    assert cohort.referrals["discharge_date"].to_list() == [date.today()]
    assert report.findings == ()
    assert str(report) == "Nothing was found wrong."
    assert report.frame().is_empty()


def test_a_contact_id_used_again_on_another_day_is_another_contact(tmp_path):
    rows = [{}, {"UniqueSubmissionID": "2", "Unique_MonthID": "1488"}]
    contacts = [
        {},
        {"UniqueSubmissionID": "2"},
        {"UniqueSubmissionID": "2", "CareContDate": "2024-02-01", "Unique_CareContactID": "c2"},
        {"UniqueSubmissionID": "1", "CareContDate": "2024-01-20", "Unique_CareContactID": "c2"},
    ]
    cohort, report = national.read(write(tmp_path, rows, contacts))
    assert cohort.contacts["date"].dt.day().to_list() == [10, 20, 1]
    assert cohort.contacts["phq9_total"].to_list() == [9, None, None]
    texts = [finding.text for finding in report.findings]
    assert "1 row(s) repeat a contact; the latest version was kept" in texts


def test_of_a_contact_twice_in_one_submission_the_last_counts(tmp_path):
    contacts = [{"AttendOrDNACode": code} for code in ("5", "4", "3")]
    cohort, _ = national.read(write(tmp_path, [{}], contacts))
    assert cohort.contacts["attendance"].to_list() == ["did not attend"]


def test_a_score_of_the_referral_does_not_replace_that_of_the_contact(tmp_path):
    """Not even a later one; on a day without an attended contact it keeps its day."""
    rows = [{}, {"UniqueSubmissionID": "2", "Unique_MonthID": "1488"}]
    missed = {"Unique_CareContactID": "d", "CareContDate": "2024-01-12", "AttendOrDNACode": "3"}
    given = [("2024-01-10", "phq9", "3"), ("2024-01-10", "gad7", "4"), ("2024-01-12", "phq9", "5")]
    scores = [
        {
            "UniqueSubmissionID": "2",
            "Unique_ServiceRequestID": "r",
            "CodedAssToolType": SCALES[scale].snomed,
            "PersScore": value,
            "AssToolCompDate": day,
        }
        for day, scale, value in given
    ]
    folder = write(tmp_path, rows, [{}, missed], IDS606CodedScoreAssessmentRefer=scores)
    cohort, _ = national.read(folder)
    assert cohort.contacts.select("phq9_total", "gad7_total").rows() == [(9, 4), (None, None)]
    assert cohort.scores.select("instrument", "value", "session").rows() == [("phq9", 5.0, None)]


def test_diabetes_distress_is_read_by_its_range(tmp_path):
    """One SNOMED code, two scorings: a total of 17 to 102, later a mean of 1 to 6."""
    days = {"c": "2024-01-10", "d": "2024-01-11", "e": "2024-01-12"}
    contacts = [{"Unique_CareContactID": c, "CareContDate": day} for c, day in days.items()]
    scores = [
        {
            "UniqueSubmissionID": "1",
            "CodedAssToolType": "910931000000101",
            "PersScore": value,
            "Unique_CareContactID": contact,
        }
        for contact, value in zip("cde", ["51", "2.4", "9"], strict=True)
    ]
    folder = write(tmp_path, [{}], contacts, IDS607CodedScoreAssessmentAct=scores)
    cohort, report = national.read(folder)
    assert cohort.scores.select("instrument", "value", "session").rows() == [
        ("diabetes_distress_total", 51.0, 1),
        ("diabetes_distress_mean", 2.4, 2),
    ]
    assert [finding.text for finding in report.findings] == [
        "1 score(s) lie outside the range of their scale; left out"
    ]


def test_ids_that_parquet_holds_as_numbers_with_a_point_still_join(tmp_path):
    rows = [{"RecordNumber": 7.0, "Person_ID": 1234.0, "UniqueSubmissionID": "1"}]
    cohort, report = national.read(write(tmp_path, rows, [{"Person_ID": 1234}]))
    assert cohort.patients["patient_id"].to_list() == ["1234"]
    assert report.findings == ()


def test_ids_too_long_for_a_number_with_a_point_are_refused(tmp_path):
    rows = [
        {"Person_ID": 1.2345678901234567e18},
        {"Unique_ServiceRequestID": "s", "PathwayID": "v"},
    ]
    frame = [row | {"Person_ID": row.get("Person_ID", 5.0)} for row in rows]
    cohort, report = national.read(write(tmp_path, frame, [{"Unique_ServiceRequestID": "s"}]))
    assert cohort.patients["patient_id"].to_list() == ["5"]
    assert [finding.n for finding in report.findings] == [1]
    assert "a spreadsheet turned into a number" in report.findings[0].text


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # the vectors of the public definition of Validated_EthnicCategory
        ("", "-1"),
        (None, "-1"),
        ("0", "-1"),
        ("A", "A"),
        ("Q", "-3"),
        ("9", "99"),
        ("99", "99"),
        # and what follows for files that hold the validated code already
        ("-1", "-1"),
        ("-3", "-3"),
        ("Z", "Z"),
        (" r", "R"),
    ],
)
def test_ethnic_category_is_validated_as_the_public_definition_does(given, expected):
    frame = pl.DataFrame({"code": [given]}, schema={"code": pl.String})
    assert frame.select(values.validated_ethnicity(pl.col("code"))).item() == expected


def test_one_decile_is_most_deprived_however_it_is_labelled():
    def read(*cells):
        frame = pl.DataFrame({"decile": cells}).with_columns(values.deprivation("decile"))
        return frame["decile"].to_list()

    assert read("1", "10", None) == ["1", "10", None]
    assert read("01 Least deprived", "02", "10 Most deprived") == ["10", "9", "1"]
    assert read("02", "10 Most deprived") == ["9", "1"]
    assert read("1 - Most deprived", "2", "10 - Least deprived") == ["1", "2", "10"]


@pytest.mark.parametrize(
    ("given", "width", "expected"),
    [
        ("1", 2, "01"),
        (" 1", 2, "01"),
        ("01", 1, "1"),
        ("1.0", 2, "01"),
        ("zz ", 2, "ZZ"),
        ("0", 1, "0"),
        ("00", 2, "00"),
        ("10", 2, "10"),
        ("A1", 2, "A1"),
        ("-1", 2, "-1"),
    ],
)
def test_a_code_is_the_same_however_it_is_padded(given, width, expected):
    frame = pl.DataFrame({"code": [given, None]})
    read = frame.select(codes.normalised(pl.col("code"), width)).to_series()
    assert read.to_list() == [expected, None]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        # categories as the annual report and the dashboards write them
        ("Depression", "depression"),
        ("F32 or F33 - Depression", "depression"),
        ("F411 - Generalized anxiety disorder", "generalised anxiety disorder"),
        ("F411 - Generalised Anxiety Disorder", "generalised anxiety disorder"),
        ("F410 - Panic disorder [episodic paroxysmal anxiety", "panic disorder"),
        ("F452 Hypochondriacal Disorders", "health anxiety"),
        ("83482000 Body Dysmorphic Disorder", "body dysmorphic disorder"),
        ("F42 - Obsessive-compulsive disorder", "obsessive-compulsive disorder"),
        ("Other F40-F43 code", "other"),
        ("Other recorded problems", "other"),
        ("Unspecified", "not stated"),
        ("Invalid Data supplied", "not stated"),
        # codes
        ("F42.2", "obsessive-compulsive disorder"),
        ("f41.2", "mixed anxiety and depression"),
        # the annual variable metadata swaps these two
        ("K58.0", "irritable bowel syndrome"),
        ("G93.3", "chronic fatigue syndrome"),
        ("F17.2", "other"),
        (None, None),
    ],
)
def test_problem_descriptor(given, expected):
    frame = pl.DataFrame({"complaint": [given]}, schema={"complaint": pl.String})
    assert frame.select(descriptor(pl.col("complaint"))).item() == expected


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2024-05-01", 1),
        ("2024-05-01 13:45:00", 1),
        ("2024-05-01T00:00:00.0000000", 1),
        ("02/05/2024", 2),
        ("2/5/2024 00:00", 2),
        ("03-05-2024", 3),
        ("04-May-2024", 4),
        ("05 May 2024", 5),
        ("20240506", 6),
        ("05/13/2024", None),
        ("45413", None),
        ("2024-02-30", None),
        ("01/06/2024", None),
    ],
)
def test_dates_are_read_with_the_day_before_the_month(written, day):
    frame = pl.DataFrame({"when": [written]})
    read = values.dates(frame, "t", ["when"], Ledger(), date(2024, 5, 31))["when"].item()
    assert (read and (read.year, read.month, read.day)) == (day and (2024, 5, day))


def test_disagreement_with_the_derived_fields_is_counted():
    day = date(2024, 1, 1)
    derived = pl.DataFrame(
        {
            "referral_id": ["a", "b", "c"],
            "TherapySession_FirstDate": ["2024-01-01 00:00:00", "02/01/2024", None],
            "PHQ9_FirstScore": ["10.0", "11", None],
            "TreatmentCareContact_Count": ["2", "3", None],
            "Recovery_Flag": ["True", None, None],
            "ReliableImprovement_Flag": [None, "1", None],
        }
    )
    outcomes = pl.DataFrame(
        {
            "referral_id": ["c", "b", "a"],
            "first_treatment": [None, day, day],
            "phq9_first": [None, 11.0, 10.0],
            "n_treatment": [0, 3, 1],
            "recovery": [None, False, True],
            "reliable_improvement": [True, True, False],
        }
    )
    assert national.agreement(derived, outcomes).rows() == [
        ("TherapySession_FirstDate", 2, 1),
        ("TreatmentCareContact_Count", 3, 2),
        ("PHQ9_FirstScore", 2, 0),
        ("Recovery_Flag", 3, 0),
        ("ReliableImprovement_Flag", 3, 1),
    ]


def test_derived_fields_of_a_folder_agree_with_the_outcome_rules(tmp_path):
    """A course worked out by hand: PHQ-9 18 to 4, GAD-7 12 to 5, so recovered and improved."""
    derived = {
        "TherapySession_FirstDate": "2024-01-10",
        "TherapySession_LastDate": "2024-01-24",
        "CareContact_Count": 2,
        "TreatmentCareContact_Count": 2,
        "PHQ9_FirstScore": 18,
        "PHQ9_LastScore": 4,
        "GAD_FirstScore": 12,
        "GAD_LastScore": 5,
        "ADSM_FirstScore": 12,
        "CompletedTreatment_Flag": True,
        "Caseness_Flag": True,
        "Recovery_Flag": True,
        "ReliableImprovement_Flag": True,
        "NoChange_Flag": True,  # planted: wrong
        "ReliableDeterioration_Flag": None,
    }
    contacts = [{}, {"Unique_CareContactID": "d", "CareContDate": "2024-01-24"}]
    given = [("c", "phq9", 18), ("c", "gad7", 12), ("d", "phq9", 4), ("d", "gad7", 5)]
    scores = [
        {
            "UniqueSubmissionID": "1",
            "CodedAssToolType": SCALES[scale].snomed,
            "PersScore": value,
            "Unique_CareContactID": contact,
        }
        for contact, scale, value in given
    ]
    folder = write(
        tmp_path, [version(30, **derived)], contacts, IDS607CodedScoreAssessmentAct=scores
    )
    _, report = national.read(folder)
    wrong = dict(report.agreement.select("field", "disagreements").iter_rows())
    assert {field: n for field, n in wrong.items() if n} == {"NoChange_Flag": 1}
    assert set(wrong) == set(derived)
