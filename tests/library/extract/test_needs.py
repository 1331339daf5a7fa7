"""The lists of columns that analyses read, beside what their code names."""

import re
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from iesoresearch import analyses
from iesoresearch.analyses.fairness_measurement.data import Data
from iesoresearch.analyses.subtypes_matching import patients as matching
from iesoresearch.data import synthetic
from iesoresearch.data.schema import TABLES
from iesoresearch.library.extract import needs
from iesoresearch.measures import PHQ9

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


def _matched(cohort):
    found = matching.of_cohort(
        cohort, ("counselling for depression", "cognitive behaviour therapy"), 1
    )
    features = {name: values.tolist() for name, values in found.features.items()}
    return features, found.items.tolist(), found.treatment.tolist(), found.outcome.tolist()


def _measured(cohort):
    found = Data.of(cohort)
    return found.items.tolist(), found.people.rows()


READ = {
    "subtypes_matching": _matched,
    "fairness_measurement": _measured,
    "subtypes_transfer": lambda cohort: cohort.sequences(PHQ9).items.tolist(),
}


@pytest.fixture(scope="module")
def cohort():
    """Every fifth patient has a second referral, before or after the first."""
    drawn = synthetic.make(6000, seed=2)
    people = drawn.patients["patient_id"]
    same = pl.col("patient_id").replace(people[5000:].to_list(), people[:1000].to_list())
    return replace(
        drawn,
        patients=drawn.patients.head(5000),
        referrals=drawn.referrals.with_columns(same),
        contacts=drawn.contacts.with_columns(same),
    )


@pytest.mark.parametrize("name", READ)
def test_an_extract_with_the_listed_columns_is_read_as_one_with_all(name, cohort):
    least = {
        table: getattr(cohort, table).with_columns(
            pl.lit(None, kind).alias(c)
            for c, kind in getattr(cohort, table).schema.items()
            if c not in columns
        )
        for table, columns in needs.NEEDS[name].items()
    }
    assert READ[name](replace(cohort, **least)) == READ[name](cohort)


def test_official_outcomes_are_read_with_years_and_rules_as_stored():
    stored = {"referral_year", "discharge_year", "rules_version"}
    reads = {name for name, tables in needs.NEEDS.items() if stored & tables["referrals"]}
    found = {path.parent.name for path in HOME.rglob("*.py") if _counts_outcomes(path)}
    assert reads == found & set(needs.NEEDS)


def _counts_outcomes(path):
    code = path.read_text(encoding="utf-8")
    return re.search(r"referral_outcomes\(|by_landmark|landmarks\(|recovery\.data", code)


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
