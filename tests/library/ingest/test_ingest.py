"""From a site's files into the library, and once more."""

import hashlib
from datetime import date, timedelta

import polars as pl
import pytest

from iesoresearch.analyses.fairness import Params, data
from iesoresearch.data import sources
from iesoresearch.data.cohort import Cohort
from iesoresearch.errors import DataError, OutputError, ParameterError
from iesoresearch.library import choices
from iesoresearch.library.ingest import ingest
from iesoresearch.library.ingest.declared import Declared
from iesoresearch.library.tables import LIBRARY_TABLES, PARTS, part_of
from iesoresearch.measures.outcomes import financial_year, rates, referral_outcomes

TABLES = ("patients", "referrals", "contacts", "scores", "content")


@pytest.fixture
def site(small_site, tmp_path):
    """Function (n, **changes): files of the first `n` patients, tables changed by functions."""

    def write(n=40, **changes):
        folder = tmp_path / f"site{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        few = small_site.cohort.patients["patient_id"].head(n)
        kept = small_site.cohort.referrals.filter(pl.col("patient_id").is_in(few.implode()))
        for name in TABLES:
            table = getattr(small_site.cohort, name)
            key = "patient_id" if name == "patients" else "referral_id"
            known = few if name == "patients" else kept["referral_id"]
            table = table.filter(pl.col(key).is_in(known.implode()))
            if table.height:
                changes.get(name, lambda t: t)(table).write_parquet(folder / f"{name}.parquet")
        people = small_site.frame.filter(pl.col("patient_id").is_in(few.implode()))
        people = changes.get("people", lambda t: t)(people)
        people.write_csv(folder / "identifiers_of.csv")
        return folder, folder / "identifiers_of.csv"

    return write


def everything(library):
    """All records, in one order."""
    return {name: library.read(name) for name in library.tables()}


def fingerprint(library):
    """Of every part as it is read."""
    parts = [
        f"{c}/{t}/{p}:{library.read(t, compartment=c, part=p).hash_rows().sum()}"
        for c in ("records", "choices")
        for t in library.tables(c)
        for p in library.parts(t, c)
    ]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


def test_all_come_in_with_other_ids(small_library, small_site):
    for name in TABLES:
        stored, given = small_library.read(name), getattr(small_site.cohort, name)
        assert stored.schema == LIBRARY_TABLES[name].create_empty().schema
        assert stored.height == given.height
        for column in ("patient_id", "referral_id", "service_id", "therapist_id"):
            if column in given.columns:
                made = stored[column].drop_nulls()
                assert made.str.contains("^[0-9a-f]{32}$").all()
                assert made.n_unique() == given[column].drop_nulls().n_unique()


def test_every_patient_lies_in_one_part(small_library):
    for part in PARTS:
        patients = small_library.read("patients", part=part)
        assert (patients.select(part_of(pl.col("patient_id"))).to_series() == part).all()
        owners = small_library.read("referrals", part=part)["patient_id"]
        assert set(owners) <= set(patients["patient_id"])


def test_the_same_files_again_change_nothing(small_copy, small_site):
    before, held = everything(small_copy), fingerprint(small_copy)
    report = ingest(small_copy, small_site.folder, small_site.people, why="by mistake again")
    assert report.counts["new referrals"] == 0
    assert report.counts["replaced referrals"] == 300
    assert fingerprint(small_copy) == held
    assert all(before[name].equals(t) for name, t in everything(small_copy).items())


def of_unshifted(cohort):
    """Referrals of a cohort with their true years, outcomes and the rule-dependent ones."""
    out = referral_outcomes(cohort.referrals, cohort.contacts, cohort.scores)
    years = cohort.referrals.select(
        "referral_id", referral_year=financial_year(pl.col("referral_date"))
    )
    return out.join(years, on="referral_id")


def test_outcomes_and_rates_by_year_are_those_of_the_true_dates(small_library, small_site):
    true = of_unshifted(small_site.cohort)
    tables = everything(small_library)
    stored = referral_outcomes(tables["referrals"], tables["contacts"], tables["scores"])
    stored = stored.join(
        tables["referrals"].select("referral_id", "referral_year"), on="referral_id"
    )
    assert rates(stored, "referral_year").equals(rates(true, "referral_year"))
    for column in ("wait_days", "second_wait_days", "n_attended", "n_treatment"):
        assert sorted(stored[column].drop_nulls()) == sorted(true[column].drop_nulls())


def test_the_audits_years_are_the_stored_ones(small_library):
    stored = small_library.read("referrals")
    shifted = stored.select(financial_year(pl.col("referral_date"))).to_series()
    assert (shifted != stored["referral_year"]).sum() > 50
    cohort = Cohort.checked("stored", "patient", everything(small_library), "made up")
    audited = data.of_cohort(cohort, Params())
    assert audited.rows["year"].to_list() == stored["referral_year"].to_list()


def test_shifts_keep_intervals_in_later_submissions_too(small_copy, small_site, site):
    later = timedelta(days=400)
    folder, people = site(
        referrals=lambda t: t.with_columns(
            pl.col("referral_id") + "b",
            referral_date=pl.col("referral_date") + later,
            discharge_date=pl.col("discharge_date") + later,
        ),
        contacts=lambda t: t.with_columns(pl.col("referral_id") + "b", date=pl.col("date") + later),
        scores=lambda t: t.with_columns(pl.col("referral_id") + "b", date=pl.col("date") + later),
        content=lambda t: t.with_columns(pl.col("referral_id") + "b"),
    )
    report = ingest(small_copy, folder, people, why="the next month")
    assert (report.counts["new referrals"], report.counts["new patients"]) == (40, 0)
    referrals = small_copy.read("referrals")
    assert referrals.height == 340
    twice = referrals.filter(pl.len().over("patient_id") == 2)
    gaps = twice.group_by("patient_id").agg(
        (pl.col("referral_date").max() - pl.col("referral_date").min()).alias("gap")
    )
    assert gaps["gap"].to_list() == [later] * 40


def test_a_referral_sent_again_replaces_all_its_rows(small_copy, site):
    before = small_copy.read("contacts")
    kept = []
    folder, people = site(
        10,
        contacts=lambda t: kept.append(t.height - 2) or t.head(2),
        referrals=lambda t: t.with_columns(service_id=pl.lit("new")),
    )
    report = ingest(small_copy, folder, people, why="corrected")
    assert report.counts["replaced referrals"] == 10
    assert small_copy.read("contacts").height == before.height - kept[0] < before.height
    referrals = small_copy.read("referrals")
    assert referrals.height == 300
    assert (referrals["service_id"].value_counts()["count"] == 10).any()


def test_of_patients_the_newest_value_counts(small_copy, site):
    old = small_copy.read("patients")
    folder, people = site(
        5,
        patients=lambda t: t.with_columns(
            gender=pl.lit("other"), ethnicity=pl.lit(None, pl.String)
        ),
    )
    ingest(small_copy, folder, people, why="corrected")
    new = small_copy.read("patients")
    changed = new.join(old, on="patient_id").filter(
        pl.col("gender").cast(pl.String) != pl.col("gender_right").cast(pl.String)
    )
    assert 1 <= changed.height <= 5
    assert new["ethnicity"].equals(old["ethnicity"])


def test_one_number_with_two_local_ids_is_one_patient(small_copy, site):
    def under_another_id(t):
        return t.with_columns(pl.format("X{}", "patient_id").alias("patient_id"))

    folder, people = site(
        10,
        people=under_another_id,
        patients=under_another_id,
        referrals=lambda t: under_another_id(t).with_columns(pl.col("referral_id") + "b"),
        contacts=lambda t: under_another_id(t).with_columns(pl.col("referral_id") + "b"),
        scores=lambda t: under_another_id(t).with_columns(pl.col("referral_id") + "b"),
        content=lambda t: t.with_columns(pl.col("referral_id") + "b"),
    )
    report = ingest(small_copy, folder, people, why="under new ids")
    assert (report.counts["new patients"], report.counts["new referrals"]) == (0, 10)
    both = small_copy.read("aliases", compartment="choices")
    assert both.group_by("patient_id").len()["len"].value_counts().sort("len").rows() == [
        *((1, 290), (2, 10))
    ]


def test_a_number_that_becomes_known_later_does_not_make_another_patient(small_copy, site):
    def stranger(t):
        return t.with_columns(pl.format("N{}", "patient_id").alias("patient_id"))

    def moved(t):
        t = stranger(t) if "patient_id" in t.columns else t
        return t.with_columns(pl.col("referral_id") + "n")

    changes = dict.fromkeys(("referrals", "contacts", "scores", "content"), moved)
    nobody = {"people": lambda t: stranger(t).drop("nhs_number", "name", "email").head(0)}
    folder, _ = site(3, patients=stranger, **changes, **nobody)
    assert ingest(small_copy, folder, why="without numbers").counts["new patients"] == 3
    new = {"people": lambda t: stranger(t).with_columns(nhs_number=pl.lit("9434765919")).head(1)}
    folder, people = site(3, patients=stranger, **changes, **new)
    assert ingest(small_copy, folder, people, why="with one").counts["new patients"] == 0
    assert small_copy.read("patients").height == 303


def test_sites_have_ids_of_their_own(small_copy, site):
    folder, _ = site(3)
    report = ingest(small_copy, folder, why="another site", site="north")
    assert (report.counts["new patients"], report.counts["new referrals"]) == (3, 3)


def test_whoever_opted_out_is_left_out(small_copy, small_site, site, tmp_path):
    listed = tmp_path / "optouts.csv"
    listed.write_text("nhs_number\n" + small_site.frame["nhs_number"][0] + "\n")
    choices.record_optouts(small_copy, national=listed, on=date(2020, 1, 1), why="the list")
    assert small_copy.read("patients").height == 299
    folder, people = site(3)
    report = ingest(small_copy, folder, people, why="she is in it again")
    assert (report.counts["excluded"], report.counts["patients"]) == (1, 2)
    assert "fewer than 10 patient(s)" in report.text()
    assert small_copy.read("patients").height == 299
    assert small_copy.read("referrals").height == 299


def test_dry_run_writes_nothing(small_copy, site):
    before, n = fingerprint(small_copy), small_copy.generation
    folder, people = site(3, patients=lambda t: t.with_columns(gender=pl.lit("other")))
    report = ingest(small_copy, folder, people, why="to see", dry_run=True)
    assert report.text().endswith("Nothing was written (--dry-run).")
    assert (fingerprint(small_copy), small_copy.generation) == (before, n)


def test_ages_come_from_the_date_of_birth_in_bands(small_copy, site):
    none = pl.lit(None, pl.UInt8)
    folder, people = site(
        20,
        patients=lambda t: t.with_columns(age=none),
        referrals=lambda t: t.with_columns(age_at_referral=none, referral_date=date(2024, 2, 29)),
        contacts=lambda t: t.with_columns(date=pl.lit(None, pl.Date)),
        scores=lambda t: t.head(0),
        people=lambda t: t.with_columns(date_of_birth=pl.lit("1990-03-01")),
    )
    (folder / "scores.parquet").unlink(missing_ok=True)
    ingest(small_copy, folder, people, why="without ages", site="elsewhere")
    stored = small_copy.read("referrals").filter(pl.col("referral_year") == "2023-24")
    assert (stored["age_at_referral"] == 33).sum() >= 20  # 33 years, in the band of 31 to 35


def test_deprivation_from_the_postcode(small_copy, site):
    folder, people = site(10, patients=lambda t: t.with_columns(deprivation_decile=None))
    codes = pl.read_csv(people)["postcode"]
    table = pl.DataFrame({"postcode": codes.head(9), "deprivation_decile": 7}).unique("postcode")
    table.write_csv(folder / "look_up.csv")
    declared = Declared.check({"deprivation": {"file": "look_up.csv"}}, "test")
    report = ingest(
        small_copy, folder, people, why="areas", site="new", declared=declared, dry_run=True
    )
    assert any("not in the look-up" in warning for warning in report.warnings)
    ingest(small_copy, folder, people, why="areas", declared=declared)
    # Those of the same people that are known already were filled from their own column before.
    assert (small_copy.read("patients")["deprivation_decile"] == 7).sum() >= 9


def with_bad(**changes):
    return lambda t: t.with_columns(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"contacts": with_bad(duration=5000)}, r"duration: \d+ value\(s\) beyond the maximum"),
        ({"patients": with_bad(age=pl.lit(130, pl.UInt8))}, r"age: 3 value\(s\) beyond"),
        ({"patients": with_bad(note=pl.lit("Susan Byron"))}, "column 13 looks like an identifier"),
        (
            {"patients": with_bad(note=pl.lit("felt low"))},
            r"1 column\(s\) are not part of the schema",
        ),
        ({"referrals": with_bad(patient_id=pl.lit("x"))}, "that patients does not know"),
    ],
)
def test_what_is_wrong_is_said_with_counts_and_nothing_is_written(
    small_copy, site, changes, message
):
    before = small_copy.generation
    folder, people = site(3, **changes)
    with pytest.raises(DataError, match=message):
        ingest(small_copy, folder, people, why="with errors")
    assert small_copy.generation == before


def test_a_file_of_people_with_other_columns_is_refused(small_copy, site):
    folder, people = site(3, people=lambda t: t.with_columns(shoe_size=pl.lit(42)))
    with pytest.raises(DataError, match="must have a column patient_id and some of"):
        ingest(small_copy, folder, people, why="with shoes")


def test_why_names_nobody(small_copy, small_site):
    with pytest.raises(ParameterError, match="--why looks as if it named a person"):
        ingest(small_copy, small_site.folder, why="Susan asked, 9434765919")


def test_another_writer_is_waited_for_in_vain(small_copy, small_site, small_keys):
    from iesoresearch.library import store

    other = store.open_library(small_copy.folder, small_keys, who="other")
    with small_copy.writing("something", "else"), pytest.raises(OutputError):
        ingest(other, small_site.folder, small_site.people, why="meanwhile", wait=0)


def test_what_came_in_can_be_analysed_like_any_folder(small_library, tmp_path):
    for name in TABLES:
        small_library.read(name).write_parquet(tmp_path / f"{name}.parquet")
    cohort = sources.from_folder((tmp_path,))
    assert cohort.referrals.height == 300
