"""How complete the records are: columns, and questionnaires by appointment."""

import polars as pl

from iesoresearch.analyses.cohort.people import FINISHED, Data
from iesoresearch.data.groups import NOT_RECORDED
from iesoresearch.disclosure import derived
from iesoresearch.measures import INSTRUMENTS
from iesoresearch.results import Table, Value

LATEST = 12  # appointments shown
UNKNOWN = ("not known", "not stated", "Z")  # levels that say nothing

#: Column -> heading; asked of everybody in the table.
_PATIENTS = {
    "gender": "gender",
    "ethnicity": "ethnic category",
    "deprivation_decile": "deprivation decile",
    "orientation": "orientation",
    "long_term_condition": "long-term condition",
    "disability": "disability",
}
_REFERRALS = {
    "age_at_referral": "age at referral",
    "referral_date": "date of referral",
    "source": "source of referral",
}
_SEEN = {"problem": "problem"}
_FINISHED = {
    "end_reason": "reason for ending",
    "employment_first": "employment, first",
    "employment_last": "employment, last",
    "medication_first": "medication, first",
    "medication_last": "medication, last",
}
_VISITS = {
    "date": "date of appointment",
    "purpose": "purpose of appointment",
    "mechanism": "how they met",
    "therapy": "therapy",
    "therapist_id": "therapist",
    "duration": "duration of appointment",
}
#: Variable -> characteristic and level of Table 1 that say it is missing, or often is with it.
TABLE_ONE = {
    "gender": ("Gender", "not known"),
    "ethnic category": ("Ethnic group", "Not known"),
    "deprivation decile": ("Deprivation quintile", NOT_RECORDED),
    "orientation": ("Orientation", "not known"),
    "long-term condition": ("Long-term condition", "not stated"),
    "problem": ("Problem", "not stated"),
    "employment, first": ("Employment at the start", "not stated"),
    "employment, last": ("Employment at the start", "not stated"),
    "medication, first": ("Medication at the start", "not stated"),
    "medication, last": ("Medication at the start", "not stated"),
}


def variables(data: Data) -> Table:
    """Share missing, not known or not stated of every variable."""
    finished = data.referrals.filter(progress=FINISHED)
    blocks = [
        ("patients", data.cohort.patients, _PATIENTS),
        ("referrals", data.referrals, _REFERRALS),
        ("referrals seen", data.referrals.filter(pl.col("n_attended") > 0), _SEEN),
        ("finished courses", finished, _FINISHED),
        ("appointments attended", data.visits, _VISITS),
    ]
    rows = []
    for about, frame, columns in blocks:
        for column, heading in columns.items():
            missing = frame.select(_says_nothing(frame, column)).to_series()
            rows.append((about, heading, int(missing.sum()), frame.height))
    keys = {"about": "Of", "variable": "Variable"}
    schema = {"about": pl.String, "variable": pl.String, "without": pl.Int64, "n": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    table = Table("Missing values by variable", frame, keys, _counts(data, "Missing"))
    return derived.with_share(table, "missing", "without", "n", "Share missing")


def _counts(data: Data, label: str) -> dict[str, Value]:
    """How many are without something, and of how many."""
    shared = {"sensitivity": data.sensitivity}
    return {
        "without": Value("count", label, 0, within="n", **shared),
        "n": Value("count", "Number", 0, **shared),
    }


def _says_nothing(frame: pl.DataFrame, column: str) -> pl.Expr:
    if frame.schema[column].is_numeric() or frame.schema[column].is_temporal():
        return pl.col(column).is_null()
    return pl.col(column).cast(pl.String).is_in(UNKNOWN).fill_null(True)


def forms(data: Data) -> Table:
    """Share of appointments without a questionnaire, and with one that has a gap.

    Where only totals are kept, nothing is known of single items.
    """
    visits = data.visits.filter(pl.col("visit") <= LATEST)
    parts = []
    for code, instrument in INSTRUMENTS.items():
        items = [pl.col(column) for column in instrument.columns]
        answered = pl.any_horizontal(item.is_not_null() for item in items)
        returned = answered | pl.col(f"{code}_total").is_not_null()
        gap = pl.any_horizontal(item.is_null() for item in items)
        counted = visits.group_by("visit").agg(
            pl.len().cast(pl.Int64).alias("n"),
            (~returned).sum().cast(pl.Int64).alias("without"),
            (answered & gap).sum().cast(pl.Int64).alias("gaps"),
        )
        parts.append(counted.sort("visit").with_columns(form=pl.lit(instrument.name)))
    keys = {"form": "Questionnaire", "visit": "Appointment attended"}
    values = _counts(data, "Without it") | {
        "gaps": Value(
            "count", "With a gap", 0, within="n", apart_from="without", sensitivity=data.sensitivity
        )
    }
    frame = pl.concat(parts).select(*keys, *values)
    table = Table("Missing questionnaires by appointment", frame, keys, values)
    table = derived.with_share(table, "whole", "without", "n", "Share of appointments without it")
    return derived.with_share(table, "some", "gaps", "n", "Share of appointments with a gap in it")
