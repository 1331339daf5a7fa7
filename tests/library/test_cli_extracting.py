"""Extracts by command, of a library that was ingested, as a data manager and a recipient would."""

import base64
import datetime
import shutil
from pathlib import Path

import polars as pl
import pytest
import yaml

from iesoresearch.library import choices, store
from iesoresearch.library.choices import consent
from iesoresearch.library.store.keys import VARIABLE

PARAMS = Path(__file__).parents[2] / "params"
EXAMPLE = PARAMS / "agreements" / "example.yaml"


@pytest.fixture
def home(monkeypatch, small_keys, tmp_path):
    """A project of its own, and the key of the library in the environment."""
    root = tmp_path / "project"
    (root / "notebooks").mkdir(parents=True)
    (root / "params" / "agreements").mkdir(parents=True)
    for name in ("paper.yaml", "disclosure.yaml", "agreements/example.yaml"):
        shutil.copy(PARAMS / name, root / "params" / name)
    monkeypatch.setenv("IESORESEARCH_PROJECT", str(root))
    monkeypatch.setenv(VARIABLE, base64.b64encode(small_keys._master.content).decode())
    return root


@pytest.fixture
def agreement(tmp_path):
    """A file of an agreement in force, on few columns."""
    content = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    content |= {
        "id": "in-force",
        "expires": datetime.date.today() + datetime.timedelta(10),
        "retention": {"until": datetime.date.today() + datetime.timedelta(10), "then": "deleted"},
        "signed": [s | {"date": datetime.date(2020, 1, 1)} for s in content["signed"]],
        "generalise": {},
        "limits": {"k": 5, "l": 1},
    }
    content["tables"] |= {"patients": [], "referrals": ["referral_date", "problem", "end_reason"]}
    path = tmp_path / "in-force.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def _extract(call, library, agreement, where):
    return call(
        *("library", "extract", library.folder, agreement, "--out", where / "sealed"),
        *("--key-out", where / "extract.key", "--why", "a test"),
    )


def test_from_the_library_to_the_recipients_folder(call, small_copy, agreement, tmp_path):
    code, shown, told = _extract(call, small_copy, agreement, tmp_path)
    assert code == 0, told
    assert "k: at least 5 (limit 5)" in shown
    code, shown, told = call(
        *("library", "open", tmp_path / "sealed", "--key", tmp_path / "extract.key"),
        *("--out", tmp_path / "opened"),
    )
    assert code == 0, told
    code, shown, told = call("data", "check", tmp_path / "opened")
    assert code == 0, told


def test_who_opted_out_is_in_no_later_extract(call, small_site, small_copy, agreement, tmp_path):
    out = tmp_path / "national.csv"
    small_site.frame.head(40).select("nhs_number").write_csv(out)
    choices.record_optouts(small_copy, national=out, on=datetime.date.today(), why="a test")
    gone = set(choices.excluded(small_copy)["patient_id"])
    code, _, told = _extract(call, small_copy, agreement, tmp_path)
    assert code == 0, told
    held = store.open_library(small_copy.folder, small_copy._keys).read(
        "extracts", compartment="choices"
    )
    assert len(gone) == 40
    assert held["patient_id"].n_unique() == small_site.cohort.patients.height - 40
    assert not gone & set(held["patient_id"])


@pytest.fixture
def study(small_site, small_copy, agreement, tmp_path):
    """A study 40 people consented to; the agreement is for it."""
    content = yaml.safe_load(agreement.read_text(encoding="utf-8"))
    scope = {table: columns for table, columns in content["tables"].items() if columns}
    definition = {
        "id": "sleep-study",
        "title": "Sleep",
        "kind": "study",
        "scope": {"tables": scope, "purposes": ["who recovers"]},
        "ethics": {"committee": "X", "reference": "E-1", "approved": datetime.date(2020, 1, 1)},
        "opened": datetime.date(2020, 2, 1),
    }
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(definition), encoding="utf-8")
    consents = small_site.frame.head(40).select(
        "nhs_number",
        date_given=pl.lit("2020-03-01"),
        form_version=pl.lit("1"),
        date_withdrawn=pl.lit(None, pl.String),
    )
    consents.write_csv(tmp_path / "consents.csv")
    consent.record_consents(
        small_copy, tmp_path / "study.yaml", tmp_path / "consents.csv", why="a test"
    )
    agreement.write_text(yaml.safe_dump(content | {"kind": "study", "study": "sleep-study"}))
    return agreement


def test_a_study_holds_those_who_consented_and_what_they_consented_to(
    call, small_copy, study, tmp_path
):
    code, _, told = _extract(call, small_copy, study, tmp_path)
    assert code == 0, told
    held = store.open_library(small_copy.folder, small_copy._keys).read(
        "extracts", compartment="choices"
    )
    assert set(held["patient_id"]) == set(consent.consenting(small_copy, "sleep-study"))
    assert held.height == 40
    content = yaml.safe_load(study.read_text(encoding="utf-8"))
    content["tables"]["patients"] = ["gender"]
    study.write_text(yaml.safe_dump(content), encoding="utf-8")
    (tmp_path / "more").mkdir()
    code, _, told = _extract(call, small_copy, study, tmp_path / "more")
    assert code == 5
    assert "patients.gender, which the people who consented to sleep-study" in told


def test_a_refusal_ends_with_5_and_a_broken_agreement_with_2(call, small_copy, agreement, tmp_path):
    good = agreement.read_text(encoding="utf-8")
    agreement.write_text(good.replace("Predict", "Advertise to those for whom we predict"))
    code, _, told = _extract(call, small_copy, agreement, tmp_path)
    assert code == 5
    assert "advertising" in told
    assert _extract(call, small_copy, tmp_path / "none.yaml", tmp_path)[0] == 2
    agreement.write_text(good.replace("lawful_basis:", "lawfull_basis:"))
    code, _, told = _extract(call, small_copy, agreement, tmp_path)
    assert code == 2
    assert "did you mean lawful_basis?" in told
    assert not (tmp_path / "sealed").exists()


def test_an_agreement_is_checked_without_a_library(call, agreement):
    code, shown, _ = call("library", "agreement", "example")
    assert code == 0
    assert "Somebody could be known by: gender, ethnicity" in shown
    assert "Dates are shifted in the library" in shown
    content = yaml.safe_load(agreement.read_text(encoding="utf-8"))
    content["tables"]["patients"] = ["gender", "deprivation_decile"]
    content["generalise"] = {"gender": "none", "deprivation_decile": "quintiles"}
    agreement.write_text(yaml.safe_dump(content), encoding="utf-8")
    _, shown, _ = call("library", "agreement", agreement)
    assert "Somebody could be known by: deprivation_decile in quintiles (k is 5)" in shown
    agreement.write_text(agreement.read_text().replace("[recovery", "[recovry"))
    text = yaml.safe_load(agreement.read_text(encoding="utf-8"))
    text["tables"]["utterances"] = ["text"]
    agreement.write_text(yaml.safe_dump(text), encoding="utf-8")
    code, _, told = call("library", "agreement", agreement)
    assert code == 5
    assert "no extract, ever" in told


def test_coders_need_transcripts(call, small_copy, agreement, tmp_path):
    text = yaml.safe_load(agreement.read_text(encoding="utf-8"))
    text |= {"kind": "annotation inside", "tables": {}, "analyses": [], "sample": {"sessions": 2}}
    text["limits"] = {}
    agreement.write_text(yaml.safe_dump(text), encoding="utf-8")
    code, _, told = call(
        *("library", "annotate", small_copy.folder, agreement, "--out", tmp_path / "s"),
        *("--key-out", tmp_path / "k", "--why", "a test"),
    )
    assert code == 3
    assert "holds no transcripts" in told
