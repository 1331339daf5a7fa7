"""How complete the records are: columns, and questionnaires by appointment."""

import polars as pl

from iesoresearch.analyses.cohort.people import FINISHED, Data
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
            share = missing.mean() if frame.height else None
            rows.append((about, heading, share, frame.height))
    keys = {"about": "Of", "variable": "Variable"}
    values = {
        "missing": Value("rate", "Share missing", 3, "n", sensitivity=data.sensitivity),
        "n": Value("count", "Number", 0, sensitivity=data.sensitivity),
    }
    schema = {"about": pl.String, "variable": pl.String, "missing": pl.Float64, "n": pl.Int64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return Table("Missing values by variable", frame, keys, values)


def _says_nothing(frame: pl.DataFrame, column: str) -> pl.Expr:
    if frame.schema[column].is_numeric() or frame.schema[column].is_temporal():
        return pl.col(column).is_null()
    return pl.col(column).cast(pl.String).is_in(UNKNOWN).fill_null(True)


def forms(data: Data) -> Table:
    """Share of appointments without a questionnaire, and of returned ones with a gap.

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
            (~returned).mean().alias("whole"),
            answered.sum().cast(pl.Int64).alias("n_returned"),
            gap.filter(answered).mean().alias("some"),
        )
        parts.append(counted.sort("visit").with_columns(form=pl.lit(instrument.name)))
    keys = {"form": "Questionnaire", "visit": "Appointment attended"}
    shared = {"sensitivity": data.sensitivity}
    values = {
        "whole": Value("rate", "Share of appointments without it", 3, "n", **shared),
        "n": Value("count", "Appointments", 0, **shared),
        "some": Value("rate", "Share of those returned with a gap", 3, "n_returned", **shared),
        "n_returned": Value("count", "Returned with items", 0, **shared),
    }
    frame = pl.concat(parts).select(*keys, *values)
    return Table("Missing questionnaires by appointment", frame, keys, values)
