"""Which columns each analysis reads, and which a folder of canonical tables cannot be without.

Minimum data: a column that none of the analyses named in an agreement reads is asked about. The
lists are written by hand, because the analyses are built on top of the library; a test compares
them with the columns that the code of each analysis names.

Dates are shifted, and do for what lies between two days of one patient: waits, courses, which
referral was the first. The calendar is in the stored years and the version of the outcome rules:
whatever counts official outcomes reads these, too.
"""

from iesoresearch.data.schema import TABLES
from iesoresearch.measures import INSTRUMENTS

Columns = dict[str, frozenset[str]]

#: Pseudonyms that link the tables: added to every extract, made anew for it.
LINKS = ("patient_id", "referral_id")
#: Further pseudonyms, given only where they are asked for, and made anew as well.
PSEUDONYMS = (*LINKS, "therapist_id", "service_id")
#: Free text of sessions: in no extract, ever.
TRANSCRIPTS = "utterances"

_ANSWERS = {
    column
    for instrument in INSTRUMENTS.values()
    for column in (*instrument.columns, f"{instrument.code}_total")
}
#: What the official outcomes are computed from: the rules are those of a day on the calendar.
_OUTCOMES = {
    "referrals": {
        "referral_date", "discharge_date", "referral_year", "discharge_year", "rules_version",
        "problem", "end_reason",
    },
    "contacts": {"session", "date", "attendance", "purpose", "mechanism", "therapy"} | _ANSWERS,
    "scores": set(TABLES["scores"].column_names()),
}  # fmt: skip
_PEOPLE = {
    "patients": {
        "age", "gender", "ethnicity", "deprivation_decile", "orientation", "long_term_condition",
        "disability",
    },
    "referrals": {"age_at_referral", "source", "employment_first", "medication_first"},
}  # fmt: skip
#: Answers at everybody's first referral with any.
_FIRST = {"referrals": {"referral_date"}, "contacts": {"session"} | _ANSWERS}
_SURVEY = {"patients": {"weight", "stratum", "sampling_unit"}}


def _together(*parts: dict[str, set[str]]) -> Columns:
    """Union of columns, by table; links included."""
    found: dict[str, set[str]] = {}
    for part in (*parts, {"patients": set(), "referrals": set(), "contacts": {"session"}}):
        for table, columns in part.items():
            found.setdefault(table, set()).update(columns)
    return {
        table: frozenset(c | (set(LINKS) & set(TABLES[table].column_names())))
        for table, c in found.items()
    }


_RECOVERY = _together(
    _OUTCOMES, _PEOPLE, {"referrals": {"service_id"}, "contacts": {"duration"}}
)  # fmt: skip
#: Analysis -> table -> columns it reads. Analyses of published figures alone read no extract.
NEEDS: dict[str, Columns] = {
    "cohort": _together(
        _OUTCOMES,
        _PEOPLE,
        {
            "referrals": {"service_id", "employment_last", "medication_last", "age_at_period_end"},
            "contacts": {"therapist_id", "duration"},
            "content": set(TABLES["content"].column_names()),
        },
    ),
    "subtypes": _together(
        _OUTCOMES,
        _SURVEY,
        {
            "patients": {"age", "gender", "deprivation_decile", "long_term_condition"},
            "referrals": {"age_at_referral", "medication_first"},
        },
    ),
    "subtypes_matching": _together(
        _FIRST,
        _SURVEY,
        {
            "patients": {
                "age", "gender", "deprivation_decile", "long_term_condition", "disability",
            },
            "referrals": {"problem", "age_at_referral", "medication_first"},
            "contacts": {"attendance", "purpose", "therapy"},
        },
    ),
    "subtypes_transfer": _together(_FIRST, _SURVEY),
    "recovery": _RECOVERY,
    "recovery_transfer": _RECOVERY,
    "recovery_paths": _together(_RECOVERY, {"contacts": {"therapist_id"}}),
    "fairness": _together(_RECOVERY),
    "fairness_measurement": _together(
        _FIRST,
        _SURVEY,
        {
            "patients": {"age", "gender", "ethnicity", "ethnicity_as_recorded"},
            "referrals": {"age_at_referral"},
        },
    ),
}  # fmt: skip


def needless(tables: dict[str, list[str]], analyses: list[str]) -> list[str]:
    """Columns, as ``table.column``, that none of the named analyses reads."""
    return [
        f"{table}.{column}"
        for table, columns in tables.items()
        for column in columns
        if not any(column in NEEDS[a].get(table, ()) for a in analyses)
        and column not in (*LINKS, *required(table))
    ]


def required(table: str) -> list[str]:
    """Columns that the schema asks of a table, links apart: they must be agreed to."""
    columns = TABLES[table].columns()
    return [n for n, c in columns.items() if not c.nullable and n not in LINKS]


def halves(columns: list[str]) -> list[str]:
    """Items that lack of a questionnaire of which only some are named: a score needs all."""
    return [
        missing
        for instrument in INSTRUMENTS.values()
        if set(instrument.columns) & set(columns)
        for missing in instrument.columns
        if missing not in columns
    ]
