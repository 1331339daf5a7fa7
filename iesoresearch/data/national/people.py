"""People: attributes from the person record of the submission that a referral's version is from.

``RecordNumber`` counts within a submission, so every join is within one.
"""

import polars as pl

from iesoresearch.data import codes
from iesoresearch.data.national import values
from iesoresearch.data.national.files import Source
from iesoresearch.data.national.layout import PERSON, RECORD, REQUEST, SUBMISSION, TABLES
from iesoresearch.data.national.report import Ledger
from iesoresearch.data.national.submissions import Submissions

_KEYS = [SUBMISSION, RECORD]
_NAME = TABLES["001"].name
_NONE = "748031000000103"  # SNOMED: no history of a long-term condition
_DISABILITY = {f"{i:02d}": "yes" for i in range(1, 11)} | {
    "XX": "yes",
    "NN": "no",
    "ZZ": "not stated",
}


class Reader:
    """Reads the tables about people; `referrals` are the versions that were kept."""

    def __init__(
        self,
        sources: dict[str, Source],
        subs: Submissions,
        referrals: pl.DataFrame,
        ledger: Ledger,
    ) -> None:
        self.sources, self.subs, self.ledger = sources, subs, ledger
        self.referrals = referrals
        latest = referrals.sort("order", "referral_date", "referral_id", nulls_last=False)
        self.records = latest.unique(PERSON, keep="last", maintain_order=True).sort(PERSON)

    def rows(self, number: str, keys: list[str], of: pl.DataFrame) -> pl.DataFrame:
        """Rows of a table that belong to `of`."""
        rows = self.subs.rows(self.sources, number, self.ledger).drop("order")
        own = [c for c in rows.columns if c not in keys]
        wanted = of.select(*keys, *(c for c in ("referral_id", PERSON) if c not in own)).unique()
        return rows.join(wanted, on=keys, how="inner", maintain_order="left")

    def periods(self, mpi: pl.DataFrame) -> pl.DataFrame:
        """The referrals with the person's age at the end of the reporting period."""
        ages = mpi.select(*_KEYS, "Age_RP_EndDate")
        return self.referrals.join(ages, on=_KEYS, how="left", maintain_order="left")

    def mpi(self) -> pl.DataFrame:
        """One row per person record of the referrals."""
        rows = self.subs.rows(self.sources, "001", self.ledger).drop("order")
        rows = rows.join(self.referrals.select(_KEYS).unique(), on=_KEYS, how="semi")
        once = rows.unique(_KEYS, keep="last", maintain_order=True)
        self.ledger.note(
            _NAME, len(rows) - len(once), "row(s) repeat a person record; the last was kept"
        )
        lost = self.referrals.join(once, on=_KEYS, how="anti").height
        self.ledger.note(
            TABLES["101"].name, lost, f"referral(s) have no record in {_NAME}; kept without it"
        )
        return values.numbers(once, _NAME, ["Age_RP_EndDate"], self.ledger, 0, 120)

    def table(self, mpi: pl.DataFrame) -> pl.DataFrame:
        """The canonical table of people."""
        people = self.records.select(*_KEYS, patient_id=PERSON)
        people = people.join(mpi, on=_KEYS, how="left", maintain_order="left")
        people = self._about(people)
        ages = self.referrals.group_by(PERSON).agg(
            age=pl.col("Age_ReferralRequest_ReceivedDate").sort_by("referral_date").first()
        )
        for more in (ages, self._orientation(), self._long_term(), self._disability()):
            people = people.join(
                more, left_on="patient_id", right_on=PERSON, how="left", maintain_order="left"
            )
        return people.select(
            "patient_id",
            "age",
            "ethnicity",
            pl.col("orientation").fill_null("not known"),
            pl.col("long_term_condition", "disability").fill_null("not stated"),
            gender="Gender",
            deprivation_decile="IndicesOfDeprivationDecile",
        )

    def _about(self, people: pl.DataFrame) -> pl.DataFrame:
        people = values.words(
            people,
            _NAME,
            "Gender",
            self.ledger,
            codes.GENDER_CODES,
            unknown="not known",
            empty="not known",
        )
        given = pl.coalesce("Validated_EthnicCategory", "EthnicCategory")
        people = people.with_columns(ethnicity=values.validated_ethnicity(given))
        strange = int((people["ethnicity"] == "-3").sum())
        self.ledger.note(_NAME, strange, "ethnic code(s) are not in the list; taken as Z")
        known = pl.col("ethnicity").is_in(list(codes.ETHNICITIES))
        people = people.with_columns(
            pl.when(known).then("ethnicity").otherwise(pl.lit("Z")).alias("ethnicity"),
            values.deprivation("IndicesOfDeprivationDecile"),
        )
        decile = ["IndicesOfDeprivationDecile"]
        return values.numbers(people, _NAME, decile, self.ledger, 1, 10)

    def _orientation(self) -> pl.DataFrame:
        """The latest that was recorded; of one day, what says most."""
        name = TABLES["011"].name
        rows = self.rows("011", _KEYS, self.records)
        rows = values.dates(
            rows, name, ["SocPerCircumstanceRecDate"], self.ledger, self.subs.last_day
        )
        code = codes.normalised(pl.col("SocPerCircumstance"))
        # the table holds other circumstances too, such as religion
        rows = rows.filter(code.is_in(list(codes.ORIENTATION_CODES))).with_columns(
            orientation=code.replace_strict(codes.ORIENTATION_CODES, return_dtype=pl.String)
        )
        rows = rows.with_columns(vague=pl.col("orientation") == "not known").sort(
            ["SocPerCircumstanceRecDate", "vague", "SocPerCircumstance"],
            descending=[True, False, False],
            nulls_last=True,
        )
        rows = rows.unique(PERSON, keep="first", maintain_order=True)
        return rows.select(PERSON, "orientation")

    def _long_term(self) -> pl.DataFrame:
        """Yes if any referral names a condition, no if one says there is none."""
        rows = self.rows("602", [SUBMISSION, REQUEST], self.referrals)
        code = codes.normalised(pl.col("LongTermCondition"))
        rows = rows.filter(code.is_not_null()).with_columns(
            answer=pl.when(code == _NONE).then(pl.lit("no")).otherwise(pl.lit("yes"))
        )
        return _strongest(rows, "long_term_condition")

    def _disability(self) -> pl.DataFrame:
        rows = self.rows("007", _KEYS, self.records)
        rows = values.words(
            rows,
            TABLES["007"].name,
            "DisabCode",
            self.ledger,
            _DISABILITY,
            width=2,
            unknown="not stated",
        )
        return _strongest(rows.rename({"DisabCode": "answer"}), "disability")

    def employment(self) -> pl.DataFrame:
        """First and last status by the day it was recorded, for referrals that lack them."""
        name = TABLES["004"].name
        rows = self.rows("004", _KEYS, self.referrals)
        rows = values.words(
            rows, name, "EmployStatus", self.ledger, codes.EMPLOYMENT_CODES, width=2
        )
        rows = values.dates(rows, name, ["EmployStatusRecDate"], self.ledger, self.subs.last_day)
        rows = rows.filter(pl.col("EmployStatus").is_not_null())
        rows = rows.sort("EmployStatusRecDate", "EmployStatus", nulls_last=False)
        return rows.group_by("referral_id", maintain_order=True).agg(
            first=pl.col("EmployStatus").first(), last=pl.col("EmployStatus").last()
        )


def _strongest(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Of everybody's answers the first of yes, no, not stated."""
    places = {word: place for place, word in enumerate(codes.YES_NO)}
    place = pl.col("answer").replace_strict(places, return_dtype=pl.Int8)
    return (
        rows.filter(pl.col("answer").is_not_null())
        .group_by(PERSON)
        .agg(place.min().alias("place"))
        .select(
            PERSON,
            pl.col("place")
            .replace_strict(dict(enumerate(codes.YES_NO)), return_dtype=pl.String)
            .alias(column),
        )
    )


def filled(referrals: pl.DataFrame, first_last: pl.DataFrame, field: str) -> pl.DataFrame:
    """``<field>_First`` and ``_Last`` of the referrals, gaps filled from `first_last`."""
    joined = referrals.join(first_last, on="referral_id", how="left", maintain_order="left")
    return joined.with_columns(
        pl.coalesce(f"{field}_First", "first").alias(f"{field}_First"),
        pl.coalesce(f"{field}_Last", "last").alias(f"{field}_Last"),
    ).drop("first", "last")
