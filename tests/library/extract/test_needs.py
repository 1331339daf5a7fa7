"""The lists of columns that analyses read, beside what their code names."""

import re
from pathlib import Path

import pytest

from iesoresearch import analyses
from iesoresearch.data.schema import TABLES
from iesoresearch.library.extract import needs

HOME = Path(analyses.__file__).parent
#: Words of the schema that mean something else in these analyses.
OTHER_MEANINGS = {
    "cohort": {"words", "item", "value"},
    "recovery": {"words", "employment_last", "medication_last", "age_at_period_end"},  # "not used"
    "recovery_paths": {"words"},
    "recovery_transfer": set(),
    "fairness": {"value"},
    "fairness_measurement": {"item", "words"},
    "subtypes": {"item", "words"},
    "subtypes_matching": {"words"},
    "subtypes_transfer": {"item", "words"},
}


def test_only_columns_of_the_schema_are_named():
    for of in needs.NEEDS.values():
        for table, columns in of.items():
            assert columns <= set(TABLES[table].column_names())


def test_all_analyses_are_analyses():
    assert set(needs.NEEDS) <= set(analyses.names())


@pytest.mark.parametrize("name", sorted(needs.NEEDS))
def test_every_column_an_analysis_names_in_its_code_is_in_its_list(name):
    known = {c for schema in TABLES.values() for c in schema.column_names()}
    code = "\n".join(path.read_text(encoding="utf-8") for path in (HOME / name).glob("*.py"))
    named = {word for word in re.findall(r"\"([a-z0-9_]+)\"", code) if word in known}
    listed = {c for columns in needs.NEEDS[name].values() for c in columns}
    assert named - listed <= OTHER_MEANINGS[name]


def test_needless_columns_are_those_no_named_analysis_reads():
    tables = {
        "patients": ["patient_id", "gender", "stratum"],
        "contacts": ["session", "therapist_id"],
    }
    assert needs.needless(tables, ["recovery"]) == ["patients.stratum", "contacts.therapist_id"]
    assert needs.needless(tables, ["recovery_paths"]) == ["patients.stratum"]
    assert needs.needless(tables, ["recovery_paths", "subtypes"]) == []


def test_a_scale_is_given_as_a_whole():
    assert needs.halves(["gad7_1", "phq9_total"]) == [f"gad7_{i}" for i in range(2, 8)]
    assert needs.required("scores") == ["date", "instrument", "item"]
