"""The tables of the data set that are read, and the columns of each that are used.

Names as in the public table definitions of the NHS Talking Therapies data set, versions 2.0 and
2.1 (NHS Digital, ``dsp/datasets/models/iapt.py``, and the dashboard scripts of NHS England,
github.com/nhsengland/Talking-Therapies). Where the versions differ, both names are listed.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table: columns that must be there, columns that may, and whether it must be there."""

    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    needed: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that are read."""
        return self.required + self.optional

    @property
    def ids(self) -> tuple[str, ...]:
        """Columns that rows are joined by."""
        return tuple(c for c in self.columns if c.endswith("ID") or c == "RecordNumber")


SUBMISSION, AUDIT, RECORD, PERSON = "UniqueSubmissionID", "AuditId", "RecordNumber", "Person_ID"
REQUEST, CONTACT, ACTIVITY = (
    "Unique_ServiceRequestID",
    "Unique_CareContactID",
    "Unique_CareActivityID",
)

#: Fields of a referral that the national system derives, compared in `agreement` only.
DERIVED = (
    "TherapySession_FirstDate",
    "TherapySession_SecondDate",
    "TherapySession_LastDate",
    "CareContact_Count",
    "TreatmentCareContact_Count",
    "PHQ9_FirstScore",
    "PHQ9_LastScore",
    "GAD_FirstScore",
    "GAD_LastScore",
    "ADSM_FirstScore",
    "ADSM_LastScore",
    "CompletedTreatment_Flag",
    "Caseness_Flag",
    "Recovery_Flag",
    "ReliableImprovement_Flag",
    "NoChange_Flag",
    "ReliableDeterioration_Flag",
)

#: By number; "latest" is the list of submissions that count, as NHS England keeps it.
TABLES = {
    "000": Table(
        "IDS000Header",
        (SUBMISSION,),
        ("ReportingPeriodStartDate", "ReportingPeriodEndDate", "File_Type"),
    ),
    "latest": Table("IsLatest_SubmissionID", (SUBMISSION, "IsLatest"), (AUDIT,)),
    "001": Table(
        "IDS001MPI",
        (SUBMISSION, RECORD),
        (
            AUDIT,
            "Gender",
            "Validated_EthnicCategory",
            "EthnicCategory",
            "IndicesOfDeprivationDecile",
            "Age_RP_EndDate",
        ),
        needed=True,
    ),
    "004": Table(
        "IDS004EmpStatus", (SUBMISSION, RECORD, "EmployStatus"), (AUDIT, "EmployStatusRecDate")
    ),
    "007": Table("IDS007DisabilityType", (SUBMISSION, RECORD, "DisabCode"), (AUDIT,)),
    "011": Table(
        "IDS011SocPerCircumstances",
        (SUBMISSION, RECORD, "SocPerCircumstance"),
        (AUDIT, "SocPerCircumstanceRecDate"),
    ),
    "101": Table(
        "IDS101Referral",
        (
            SUBMISSION,
            RECORD,
            PERSON,
            "PathwayID",
            REQUEST,
            "ReferralRequestReceivedDate",
            "ServDischDate",
        ),
        (
            AUDIT,
            "OrgID_Provider",
            "Unique_MonthID",
            "IsLatest",
            "UsePathway_Flag",
            "SourceOfReferralIAPT",
            "SourceOfReferralMH",
            "EndCode",
            "PresentingComplaintLowerCategory",
            "PresentingComplaintHigherCategory",
            "SecondaryPresentingComplaint",
            "PrimaryPresentingComplaint",
            "Age_ReferralRequest_ReceivedDate",
            "EmploymentStatus_First",
            "EmploymentStatus_Last",
            "PsychotropicIndicator_First",
            "PsychotropicIndicator_Last",
            *DERIVED,
        ),
        needed=True,
    ),
    "201": Table(
        "IDS201CareContact",
        (SUBMISSION, REQUEST, CONTACT, "CareContDate", "AttendOrDNACode", "AppType"),
        (
            AUDIT,
            PERSON,
            "PlannedCareContIndicator",
            "ConsMechanism",
            "ConsMediumUsed",
            "ClinContDurOfCareCont",
            "PsychMed",
        ),
        needed=True,
    ),
    "202": Table(
        "IDS202CareActivity",
        (SUBMISSION, CONTACT, "CodeProcAndProcStatus"),
        (AUDIT, ACTIVITY, "Unique_CarePersonnelID_Local"),
        needed=True,
    ),
    "602": Table("IDS602LongTermCondition", (SUBMISSION, REQUEST, "LongTermCondition"), (AUDIT,)),
    "603": Table(
        "IDS603PresentingComplaints",
        (SUBMISSION, REQUEST),
        (AUDIT, "Validated_PresentingComplaint", "PresComp", "PresCompCodSig", "PresCompDate"),
    ),
    "606": Table(
        "IDS606CodedScoreAssessmentRefer",
        (SUBMISSION, REQUEST, "CodedAssToolType", "PersScore", "AssToolCompDate"),
        (AUDIT,),
    ),
    "607": Table(
        "IDS607CodedScoreAssessmentAct",
        (SUBMISSION, "CodedAssToolType", "PersScore"),
        (AUDIT, CONTACT, ACTIVITY, "AssToolCompDate"),
    ),
}
#: At least one of these must be there.
SCORES = ("606", "607")
