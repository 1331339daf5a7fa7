"""Extracts of a small library: minimum data, choices, pseudonyms, seal, log, faults."""

import datetime
import hashlib
import json
import secrets
import stat
import subprocess
from pathlib import Path

import polars as pl
import pytest

from iesoresearch import analyses
from iesoresearch.data import locate, sources, synthetic
from iesoresearch.data.codes import STEP_OF_THERAPY
from iesoresearch.errors import DataError, DisclosureError, OutputError, ParameterError
from iesoresearch.library import choices, extract, store
from iesoresearch.library.extract import agreement as agreements
from iesoresearch.library.extract import handing, making, opening
from iesoresearch.library.extract.agreement import Refused
from iesoresearch.library.store.keys import Keys
from iesoresearch.measures import INSTRUMENTS
from iesoresearch.params import Settings

DAY = datetime.date(2026, 6, 1)
SCORES = [c for name in ("phq9", "gad7") for c in INSTRUMENTS[name].columns]
PLAIN = {
    "id": "plain",
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
    "signed": [
        {"party": "provider", "role": "guardian", "date": DAY},
        {"party": "recipient", "role": "head", "date": DAY},
    ],
    "expires": DAY + datetime.timedelta(365),
    "tables": {
        "patients": ["gender"],
        "referrals": ["referral_date", "discharge_date", "problem", "end_reason"],
        "contacts": [
            "session",
            "date",
            "attendance",
            "purpose",
            "therapy",
            "therapist_id",
            *SCORES,
        ],
    },
    "limits": {"k": 5, "l": 1, "suppress_at_most": 0.2},
    "retention": {"until": DAY + datetime.timedelta(365), "then": "deleted"},
}


def agreed(**changes):
    """With an organisation of its own, unless one is given: nobody holds two extracts."""
    name = f"University {secrets.token_hex(4)}"
    recipient = PLAIN["recipient"] | {"organisation": name}
    return agreements.Agreement.check(PLAIN | {"recipient": recipient} | changes, "test")


def _hex(text):
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _hexed(frame):
    ids = [c for c in ("patient_id", "referral_id") if c in frame.columns]
    return frame.with_columns(pl.col(c).map_elements(_hex, return_dtype=pl.String) for c in ids)


@pytest.fixture(scope="module")
def drawn():
    """The tables that the library holds."""
    cohort = synthetic.make(400, 1)
    names = ("patients", "referrals", "contacts")
    return {name: _hexed(getattr(cohort, name)) for name in names}


@pytest.fixture(scope="module")
def library(drawn, tmp_path_factory):
    home = tmp_path_factory.mktemp("library")
    keys = Keys.make(home / "key")
    made = store.create(home / "lib", keys, territory="GB", who="tester")
    with made.writing("ingest", "test") as draft:
        for name, frame in drawn.items():
            part = pl.col("patient_id").str.slice(0, 1)
            for i in range(16):
                draft.write(name, frame.filter(part == f"{i:x}"), part=f"{i:02}")
        matching = drawn["patients"].select(
            "patient_id",
            national=pl.lit(None, pl.String),
            local=pl.lit(None, pl.String),
        )
        draft.write("matching", matching, compartment="choices")
    return made


def _extract(library, where, agreement=None, **more):
    more = {"why": "test", "on": DAY, "key_file": where / "key"} | more
    return extract.extract(library, agreement or agreed(), where / "sealed", **more)


@pytest.fixture(scope="module")
def made(library, tmp_path_factory):
    """One extract, and the folder it opens to."""
    where = tmp_path_factory.mktemp("made")
    found = _extract(library, where, agreed(recipient=PLAIN["recipient"]))
    opening.open_extract(where / "sealed", where / "key", where / "out", on=DAY)
    return found, where / "out"


def _last(library, what):
    return [entry for entry in library.log() if entry["what"] == what][-1]


def test_an_extract_is_read_as_a_folder_and_by_an_analysis(made):
    found, out = made
    cohort = sources.load("folder", (out,), 0, 0)
    assert cohort.fingerprint == found.fingerprint == locate.fingerprint("folder", (out,))
    subtypes = analyses.get("subtypes")
    params = subtypes.Params(source="folder")
    assert subtypes.load(params, Settings((out,))) is not None


def test_only_listed_columns_and_links_leave(made):
    _, out = made
    for table, columns in PLAIN["tables"].items():
        links = {"patient_id"} if table == "patients" else {"patient_id", "referral_id"}
        assert set(pl.read_parquet_schema(out / f"{table}.parquet")) == {*columns, *links}


def test_values_are_those_of_the_library_under_other_pseudonyms(made, drawn):
    _, out = made
    got = {t: pl.read_parquet(out / f"{t}.parquet") for t in PLAIN["tables"]}
    # one patient's course of answers tells her rows apart: as many of each, whoever they are of
    columns = [c for c in PLAIN["tables"]["contacts"] if c != "therapist_id"]
    there = drawn["contacts"].select(pl.col(columns).cast(pl.String)).rows()
    assert set(got["contacts"].select(pl.col(columns).cast(pl.String)).rows()) <= set(there)
    assert got["referrals"].height > 0.8 * drawn["referrals"].height
    for column in ("patient_id", "referral_id", "therapist_id"):
        old = {i for frame in drawn.values() if column in frame.columns for i in frame[column]}
        new = {i for frame in got.values() if column in frame.columns for i in frame[column]}
        assert not (old & new) - {None}
    assert got["contacts"]["therapist_id"].n_unique() > 1
    assert set(got["referrals"]["patient_id"]) == set(got["patients"]["patient_id"])
    owners = got["contacts"].join(got["referrals"], on=["referral_id", "patient_id"], how="anti")
    assert owners.is_empty()


def test_services_get_pseudonyms_of_the_extract(library, drawn, tmp_path):
    tables = PLAIN["tables"] | {"patients": [], "referrals": ["service_id"]}
    _extract(library, tmp_path, agreed(tables=tables))
    opening.open_extract(tmp_path / "sealed", tmp_path / "key", tmp_path / "out", on=DAY)
    got = pl.read_parquet(tmp_path / "out" / "referrals.parquet")["service_id"]
    assert not set(got) & set(drawn["referrals"]["service_id"])
    sizes = drawn["referrals"]["service_id"].value_counts()["count"].sort(descending=True)
    assert got.value_counts()["count"].sort(descending=True)[0] <= sizes[0]


def test_two_extracts_have_no_pseudonym_and_no_order_in_common(library, made, tmp_path):
    _, out = made
    _extract(library, tmp_path)
    opening.open_extract(tmp_path / "sealed", tmp_path / "key", tmp_path / "out", on=DAY)
    first, second = (pl.read_parquet(o / "referrals.parquet") for o in (out, tmp_path / "out"))
    assert first.height == second.height
    assert not set(first["referral_id"]) & set(second["referral_id"])
    assert first["referral_date"].to_list() != second["referral_date"].to_list()
    for frame in (first, second):
        assert frame["referral_id"].is_sorted()


def test_everything_is_encrypted_and_for_its_owner_alone(made, drawn):
    found, out = made
    for path in (found.key_file, *out.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (found.folder, out):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    content = b"".join(path.read_bytes() for path in found.folder.iterdir())
    assert b"Example" not in content
    assert b"patient_id" not in content


def test_what_goes_with_it_says_what_it_is(made):
    found, out = made
    about = json.loads((out / opening.ABOUT).read_text(encoding="utf-8"))
    assert about["extract_id"] == found.extract_id
    assert about["fingerprint"] == found.fingerprint
    assert about["agreement"]["recipient"]["organisation"] == "University of Example"
    assert {c["column"] for c in about["columns"] if c["table"] == "patients"} == {
        "patient_id",
        "gender",
    }
    assert about["identifiability"]["k_reached"] is True
    assert "course" in about["identifiability"]["caution"]


def test_membership_and_the_line_of_the_log_are_recorded(library, made, drawn):
    found, out = made
    held = library.read("extracts", compartment="choices")
    mine = held.filter(pl.col("extract_id") == found.extract_id)
    assert mine.height == pl.read_parquet(out / "patients.parquet").height
    assert set(mine["patient_id"]) <= set(drawn["patients"]["patient_id"])
    details = next(
        e["details"] for e in library.log()
        if e["details"].get("extract_id") == found.extract_id
    )  # fmt: skip
    assert details["fingerprint"] == found.fingerprint
    assert (details["k"], details["l"]) == ("5", "1")
    assert details["patients"] % 5 == 0
    assert details["tables"]["patients"] == ["patient_id", "gender"]


def test_people_who_opted_out_are_in_no_extract(library, drawn, tmp_path, monkeypatch):
    out = drawn["patients"]["patient_id"].head(50)
    monkeypatch.setattr(
        choices,
        "excluded",
        lambda reader, on: pl.DataFrame({"patient_id": out, "reason": "national opt-out"}),
    )
    found = _extract(library, tmp_path)
    held = library.read("extracts", compartment="choices", part=found.extract_id)
    assert not set(out) & set(held["patient_id"])
    assert any("own choice" in line for line in found.report)


def test_if_choices_cannot_be_known_nothing_leaves(library, tmp_path, monkeypatch):
    def broken(reader, on):
        raise DataError("the choices cannot be read")

    monkeypatch.setattr(choices, "excluded", broken)
    generation = store.open_library(library.folder, library._keys).generation
    with pytest.raises(DataError, match="cannot be read"):
        _extract(library, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert store.open_library(library.folder, library._keys).generation == generation


def test_a_study_holds_nobody_without_consent(library, tmp_path):
    with pytest.raises(DataError, match="No study called 'sleep' is recorded"):
        _extract(library, tmp_path, agreed(kind="study", study="sleep"))
    assert list(tmp_path.iterdir()) == []


def test_rows_are_filtered_and_sampled(library, drawn, tmp_path):
    rows = {"problems": ["depression"], "steps": ["high intensity"], "n_patients": 30, "seed": 3}
    quiet = PLAIN["tables"] | {"patients": [], "referrals": ["problem"]}
    _extract(library, tmp_path, agreed(rows=rows, tables=quiet))
    opening.open_extract(tmp_path / "sealed", tmp_path / "key", tmp_path / "out", on=DAY)
    got = pl.read_parquet(tmp_path / "out" / "referrals.parquet")
    assert got["problem"].unique().to_list() == ["depression"]
    assert got["patient_id"].n_unique() == 30
    contacts = pl.read_parquet(tmp_path / "out" / "contacts.parquet")
    courses = contacts.group_by("referral_id").agg("therapy")["therapy"].to_list()
    high = {name for name, step in STEP_OF_THERAPY.items() if step == "high intensity"}
    assert all(high & set(therapies) for therapies in courses)


def test_generalised_columns_are_coarser_in_the_tables_and_said_in_the_dictionary(
    library, tmp_path
):
    tables = PLAIN["tables"] | {"patients": ["gender", "deprivation_decile", "ethnicity"]}
    chosen = {"deprivation_decile": "quintiles", "ethnicity": "none"}
    _extract(library, tmp_path, agreed(tables=tables, generalise=chosen))
    opening.open_extract(tmp_path / "sealed", tmp_path / "key", tmp_path / "out", on=DAY)
    got = pl.read_parquet(tmp_path / "out" / "patients.parquet")
    assert got.columns == ["patient_id", "gender", "deprivation_decile"]
    assert set(got["deprivation_decile"].drop_nulls()) <= {1, 3, 5, 7, 9}
    about = json.loads((tmp_path / "out" / opening.ABOUT).read_text(encoding="utf-8"))
    changed = {c["column"]: c["changed"] for c in about["columns"]}
    assert "quintile" in changed["deprivation_decile"]


def test_an_extract_that_would_tell_patients_apart_is_refused_with_advice(library, tmp_path):
    tables = PLAIN["tables"] | {"patients": ["gender", "ethnicity", "deprivation_decile", "age"]}
    with pytest.raises(Refused, match=r"Make coarser first \(generalise\): ") as raised:
        _extract(library, tmp_path, agreed(tables=tables, limits={"k": 10}))
    assert raised.value.exit_code == 5
    assert list(tmp_path.iterdir()) == []
    entry = _last(library, "extract refused")
    assert entry["details"] == {"agreement": "plain", "kind": "identifiability"}


def test_a_uniform_class_is_refused(library, tmp_path):
    tables = PLAIN["tables"] | {"patients": []}
    limits = {"k": 5, "l": 40, "sensitive": ["problem"]}
    with pytest.raises(Refused, match="fewer than 40 values of problem"):
        _extract(library, tmp_path, agreed(tables=tables, limits=limits))


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"tables": PLAIN["tables"] | {"utterances": ["text"]}}, "transcripts"),
        ({"expires": DAY - datetime.timedelta(1)}, "expired"),
        ({"signed": []}, "not signed"),
        ({"recipient": PLAIN["recipient"] | {"territory": "US"}}, "territory"),
        ({"rows": {"referral_years": ["1999-00"]}}, "nobody"),
    ],
)
def test_every_refusal_is_in_the_log_with_its_kind(library, tmp_path, changes, kind):
    with pytest.raises(Refused):
        _extract(library, tmp_path, agreed(**changes))
    assert _last(library, "extract refused")["details"]["kind"] == kind
    assert list(tmp_path.iterdir()) == []


def test_a_forbidden_purpose_in_a_file_is_logged_without_its_words(library, tmp_path):
    path = tmp_path / "buyer.yaml"
    path.write_text("purpose: sell it to whoever pays\n", encoding="utf-8")
    with pytest.raises(Refused, match="nothing was read"):
        extract.extract(library, path, tmp_path / "x", key_file=tmp_path / "k", why="asked")
    details = _last(library, "extract refused")["details"]
    assert details == {"agreement": "buyer", "kind": "forbidden purpose: sale"}


@pytest.mark.parametrize(
    ("given", "why", "message"),
    [
        (agreed(title="For 400.007.9190"), "asked", "title holds"),
        (agreed(id="400-007-9190"), "asked", "its name holds"),
        (Path("400-007-9190.yaml"), "asked", "its name holds"),
        (agreed(), "asked by 400/007/9190", "--why holds"),
    ],
)
def test_what_names_a_patient_reaches_neither_log_nor_register(
    library, tmp_path, given, why, message
):
    before = library.log()
    with pytest.raises(ParameterError, match=message):
        _extract(library, tmp_path, given, why=why)
    assert library.log() == before
    assert list(tmp_path.iterdir()) == []


def test_neither_folder_nor_key_is_overwritten_and_the_key_lies_elsewhere(library, made, tmp_path):
    found, _ = made
    with pytest.raises(OutputError, match="is there already"):
        extract.extract(library, agreed(), found.folder, key_file=tmp_path / "k", why="t", on=DAY)
    with pytest.raises(OutputError, match="is there already"):
        extract.extract(library, agreed(), tmp_path / "x", key_file=found.key_file, why="t", on=DAY)
    with pytest.raises(OutputError, match="would lie in"):
        extract.extract(
            library, agreed(), tmp_path / "x", key_file=tmp_path / "x" / "k", why="t", on=DAY
        )
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_leaves_nothing(library, tmp_path, monkeypatch):
    from iesoresearch.library.store import disk

    def full(handle, content):
        raise OSError(28, "No space left on device")

    generation = store.open_library(library.folder, library._keys).generation
    monkeypatch.setattr(disk, "write", full)
    with pytest.raises(OutputError, match="No space left"):
        _extract(library, tmp_path)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []
    assert store.open_library(library.folder, library._keys).generation == generation


class Killed(BaseException):
    """What no handling of errors catches."""


@pytest.mark.parametrize("step", ["_meta", "_record"])
def test_killed_while_it_is_made_nothing_is_there_and_nothing_is_recorded(
    library, tmp_path, monkeypatch, step
):
    def kill(*_):
        raise Killed

    before = store.open_library(library.folder, library._keys).parts("extracts", "choices")
    monkeypatch.setattr(making._Made, step, kill)
    with pytest.raises(Killed):
        _extract(library, tmp_path)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []
    assert store.open_library(library.folder, library._keys).parts("extracts", "choices") == before


def test_killed_after_it_was_recorded_it_is_recorded_and_not_there(library, tmp_path, monkeypatch):
    def kill(*_):
        raise Killed

    before = store.open_library(library.folder, library._keys).parts("extracts", "choices")
    monkeypatch.setattr(handing, "_moved", kill)
    with pytest.raises(Killed):
        _extract(library, tmp_path)
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []
    after = store.open_library(library.folder, library._keys).parts("extracts", "choices")
    assert len(after) == len(before) + 1


def test_what_a_killed_process_left_is_cleared_away_by_the_next(library, tmp_path):
    gone = subprocess.Popen(["true"])
    gone.wait()
    left = tmp_path / f".sealed.partial-{gone.pid}"
    left.mkdir()
    (left / "contacts.parquet").write_bytes(b"half")
    _extract(library, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["key", "sealed"]


def test_opening_is_refused_after_expiry_with_another_key_or_if_changed(made, tmp_path):
    found, out = made
    later = PLAIN["expires"] + datetime.timedelta(1)
    opening.open_extract(found.folder, found.key_file, tmp_path / "a", on=PLAIN["expires"])
    with pytest.raises(DisclosureError, match="opens no more: its agreement ran out"):
        opening.open_extract(found.folder, found.key_file, tmp_path / "b", on=later)
    Keys.make(tmp_path / "other")
    with pytest.raises(ParameterError, match="does not open"):
        opening.open_extract(found.folder, tmp_path / "other", tmp_path / "b", on=DAY)
    with pytest.raises(OutputError, match="is there already"):
        opening.open_extract(found.folder, found.key_file, out, on=DAY)
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in found.folder.iterdir():
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= path.suffix == ".parquet"
        (copy / path.name).write_bytes(content)
    with pytest.raises(DataError, match="damaged or was changed"):
        opening.open_extract(copy, found.key_file, tmp_path / "b", on=DAY)
    assert not (tmp_path / "b").exists()
    assert not list(tmp_path.glob(".*"))
