"""Shifted dates: an extract says so, and nothing made of it rests on the calendar.

A step in recovery is planted at a day. Expected values are those of the true dates.
"""

import re
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import polars as pl
import pytest

from iesoresearch import analyses
from iesoresearch.analyses.cohort import checks, monitoring, published
from iesoresearch.analyses.cohort import study as cohorts
from iesoresearch.analyses.cohort.people import Data
from iesoresearch.analyses.fairness import data as audits
from iesoresearch.analyses.fairness import services
from iesoresearch.analyses.recovery import data as courses
from iesoresearch.analyses.recovery import scrutiny, times, words
from iesoresearch.analyses.recovery.captions import figures
from iesoresearch.analyses.recovery.fitted import Fitted
from iesoresearch.data import locate, shifted, sources, synthetic
from iesoresearch.data.checks import check
from iesoresearch.disclosure import Policy, release
from iesoresearch.figures.recovery import plot_later
from iesoresearch.library import extract, store
from iesoresearch.library.extract import dictionary, opening
from iesoresearch.library.extract.agreement import Agreement
from iesoresearch.library.ingest import ingest
from iesoresearch.library.store.keys import Keys
from iesoresearch.measures import INSTRUMENTS
from iesoresearch.measures.outcomes import financial_year
from iesoresearch.results import Number

DAY, STEP = date(2026, 6, 1), date(2024, 1, 1)
SCORES = [c for name in ("phq9", "gad7") for c in INSTRUMENTS[name].columns]
DATES = ["referral_date", "discharge_date", "problem", "end_reason"]
YEARS = ["referral_year", "discharge_year", "rules_version"]
CALENDAR = re.compile(r"quarter|\bmonths?\b|\d{4} Q\d", re.I)
AGREED = {
    "id": "years",
    "title": "Who recovers",
    "kind": "research",
    "purpose": "Describe who recovers.",
    "recipient": {
        "organisation": "University of Example",
        "territory": "GB",
        "people": [{"role": "statistician"}],
    },
    "lawful_basis": "public task",
    "approvals": ["EXAMPLE-1"],
    "signed": [{"party": p, "role": "head", "date": DAY} for p in ("provider", "recipient")],
    "expires": DAY + timedelta(365),
    "limits": {"k": 5, "l": 1, "suppress_at_most": 0.0},
    "retention": {"until": DAY + timedelta(365), "then": "deleted"},
}


@pytest.fixture(scope="module")
def true():
    """Referrals as the site has them: from a day on, everybody finishes well."""
    drawn = synthetic.make(1100, seed=3)
    # years few have in common would be left out of an extract, and counts would not agree
    years = [financial_year(pl.col(c)).alias(c) for c in ("referral_date", "discharge_date")]
    common = pl.len().over(pl.struct(*years, "gender")) >= 6
    people = drawn.patients.select("patient_id", "gender")
    kept = drawn.referrals.filter(pl.col("patient_id").is_unique())
    kept = kept.join(people, on="patient_id", maintain_order="left").filter(common).drop("gender")
    last = pl.col("session") == pl.col("session").max().over("referral_id")
    well = last & (pl.col("discharge_date") >= STEP)
    contacts = drawn.contacts.join(
        kept.select("referral_id", "discharge_date"), on="referral_id", maintain_order="left"
    ).with_columns(pl.when(well).then(0).otherwise(pl.col(c)).alias(c) for c in SCORES)
    known = pl.col("referral_id").is_in(kept["referral_id"].implode())
    return replace(
        drawn,
        patients=drawn.patients.join(kept, on="patient_id", how="semi", maintain_order="left"),
        referrals=kept,
        contacts=contacts.drop("discharge_date").cast(dict(drawn.contacts.schema)),
        scores=drawn.scores.filter(known),
        content=drawn.content.filter(known),
        truth={},
    )


@pytest.fixture(scope="module")
def give(true, tmp_path_factory):
    """Function (folder, *columns of referrals): an extract, sealed and opened."""
    home = tmp_path_factory.mktemp("shifted")
    true.write(home / "tables")
    library = store.create(home / "library", Keys.make(home / "key"), territory="GB", who="tests")
    ingest(library, home / "tables", why="first")
    contacts = ["session", "date", "attendance", "purpose", "therapy", *SCORES]
    scores = ["date", "instrument", "item", "session", "value"]

    def made(name, *columns):
        tables = {"patients": ["gender"], "referrals": list(columns), "contacts": contacts}
        agreed = Agreement.check(AGREED | {"tables": tables | {"scores": scores}}, "test")
        sealed, key = home / name, home / f"{name}.key"
        found = extract.extract(library, agreed, sealed, key_file=key, why="test", on=DAY)
        opening.open_extract(sealed, key, home / f"{name}-opened", on=DAY)
        return SimpleNamespace(found=found, folder=home / f"{name}-opened")

    return made


@pytest.fixture(scope="module")
def without(give):
    """An extract with dates alone."""
    return give("dates", *DATES)


@pytest.fixture(scope="module")
def with_years(give):
    """An extract with financial years beside the dates."""
    return give("both", *DATES, *YEARS)


def read(one):
    return sources.from_folder((one.folder,))


def data(cohort):
    return Data(cohort, published.load("england", None))


# The extract says so


def test_an_extract_says_that_its_dates_are_shifted_and_its_fingerprint_holds_that(
    without, true, tmp_path
):
    cohort = read(without)
    assert cohort.days_shifted == shifted.MOST
    assert cohort.fingerprint == without.found.fingerprint
    # without what came with it, and after reading and writing
    cohort.write(tmp_path / "again")
    sources.convert(sources.scan((without.folder,)), tmp_path / "converted")
    for name in ("again", "converted"):
        assert sources.from_folder((tmp_path / name,)).days_shifted == shifted.MOST
    true.write(tmp_path / "true")
    assert sources.from_folder((tmp_path / "true",)).days_shifted == 0


def test_an_extract_sealed_before_files_said_so_opens_as_it_was(give, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(dictionary, "_SHIFTED", "")
        patch.setattr(shifted, "marked", lambda most: {})
        old = give("old", *DATES)
        new = old.folder.with_name("old-again")
    opening.open_extract(old.found.folder, old.found.key_file, new, on=DAY)
    assert locate.fingerprint("folder", (new,)) == old.found.fingerprint
    assert sources.from_folder((new,)).days_shifted == shifted.MOST
    (new / shifted.ABOUT).unlink()
    assert sources.from_folder((new,)).days_shifted == 0  # nothing is left that tells


def test_tables_with_stored_years_have_shifted_dates_whoever_wrote_them(with_years, tmp_path):
    cohort = read(with_years)
    for name in ("patients", "referrals", "contacts"):
        getattr(cohort, name).write_parquet(tmp_path / f"{name}.parquet")
    assert sources.from_folder((tmp_path,)).days_shifted == shifted.MOST


def test_a_check_of_data_says_it_once(without, with_years):
    ends = {without.folder: f"also without {', '.join(YEARS)}", with_years.folder: "later patients"}
    for folder, end in ends.items():
        source = sources.scan((folder,))
        report = check(source.name, source.tables, source.problems)
        (said,) = [p.text for p in report.warnings if "shifted" in p.text]
        assert said.startswith("dates are shifted by up to 364 days, differently for each patient")
        assert said.endswith(end)
        assert not report.errors


def test_the_dictionary_says_what_was_done_to_dates(without):
    about = (without.folder / shifted.ABOUT).read_text(encoding="utf-8")
    assert about.count("shifted by up to 364 days") == 4  # referral, discharge, contact, score


# Analyses


def said(result):
    """All that is said and shown of records, over time or not."""
    tables = [str(t.frame.rows()) + str(t.keys) for n, t in result.tables.items() if "by_" not in n]
    text = [*result.not_applicable.values(), *(c.sentence for c in result.checks)]
    return tables + text + [f.caption for n, f in result.figures.items() if "by_" not in n]


def test_the_step_is_on_the_chart_of_true_dates_and_on_none_of_shifted_ones(true, without):
    params = analyses.get("cohort").Params(source="folder", n_imputations=2)
    chart = monitoring.control_chart(data(true))
    assert chart.keys["period"] in ("Month", "Quarter")
    before = pl.col("period") < f"{STEP:%Y}"
    early, late = chart.frame.filter(before), chart.frame.filter(~before)
    assert early["rate"].max() < late["rate"].min()
    assert (early["rate"] < early["lower_limit"]).any()

    result = cohorts.run(data(read(without)), params)
    assert "control_chart" not in result.tables
    assert "control_chart" not in result.figures
    assert "shifted by up to 364 days" in result.not_applicable["control_chart"]
    status = {c.name: c.status for c in result.checks}
    assert status["outcomes over time within the adjusted control limits"] == "not applicable"
    assert [text for text in said(release(result, Policy())) if CALENDAR.search(text)] == []


def test_charts_and_audits_by_financial_year_are_those_of_the_true_dates(true, with_years):
    cohort = read(with_years)
    assert cohort.patients.height == true.patients.height
    chart = monitoring.control_chart(data(cohort))
    assert chart.keys == {"period": "Financial year"}
    # the years before and after the step lie between limits that it has widened itself
    found = {"n_outside": Number(monitoring.outside(chart))}
    status, sentence = checks._control(data(cohort), {"control_chart": chart}, found)
    assert (found["n_outside"].value, status) == (0, "inconclusive")
    assert sentence.endswith("Years are few, and hide what changes within them.")
    finished = data(true).finishers.with_columns(period=financial_year(pl.col("discharge_date")))
    by_year = monitoring.rates(finished, by="period").filter(measure=monitoring.MEASURE)
    by_year = by_year.filter(pl.col("denominator") >= monitoring.FEWEST)
    assert chart.frame.select("period", "rate", "n").rows() == (
        by_year.select("period", "rate", "denominator").rows()
    )
    params = analyses.get("fairness").Params(source="folder", groupings=["Gender"])
    ours, theirs = (audits.of_cohort(c, params) for c in (cohort, true))
    for table in (services.years, services.trends):
        assert table(ours, params).frame.equals(table(theirs, params).frame)


PARAMS = {
    "source": "folder", "landmarks": [0, 4], "detail": 4, "n_bootstrap": 100, "n_inner": 2,
}  # fmt: skip


def fitted(cohort):
    params = analyses.get("recovery").Params.check(PARAMS, "test")
    return Fitted(courses.of_cohort(cohort, params, 1), params)


def test_later_patients_are_not_told_without_years(without):
    found = fitted(read(without))
    assert found.drift is None
    assert "Ask for referral_year and discharge_year" in words.no_time(found)
    assert "up to 364 days" in words._time(found).sentence
    assert words._time(found).status == "not applicable"


def test_with_years_a_model_of_earlier_courses_is_judged_on_referrals_of_later_years(
    true, with_years
):
    stored = true.referrals.with_columns(
        referral_year=financial_year(pl.col("referral_date")),
        discharge_year=financial_year(pl.col("discharge_date")),
    )
    found, same = (fitted(c) for c in (read(with_years), replace(true, referrals=stored)))
    ours, theirs = found.split, times.by_years(same.detail.rows)
    rows = same.detail.rows
    learnt = rows.filter(pl.col("discharge_date") < date(ours.cut, 4, 1))
    assert found.temporal.n_before == learnt.height
    assert theirs.cut == ours.cut
    later = rows[theirs.used].filter(pl.col("referral_date") >= date(ours.cut, 4, 1))
    assert found.temporal.n_after == later.height
    # none is judged whose end the data might not hold
    last = date(int(rows["discharge_year"].max()[:4]), 4, 1)
    lasted = (rows["discharge_date"] - rows["referral_date"]).dt.total_days().quantile(0.95)
    assert later["referral_date"].max() + timedelta(lasted) < last
    table = scrutiny.later(found)
    assert table.keys == {"year": "Referred in"}
    counts = later.group_by("referral_year").agg(pl.len(), pl.col(found.outcome).mean())
    assert table.frame.select("year", "n", "observed").rows() == counts.sort("referral_year").rows()
    assert plot_later(table).get_xlabel() == "Financial year of the referral"
    assert "quarter" not in words._time(found).sentence
    assert "quarter" not in dict(figures(found.days_shifted))["later"].caption
