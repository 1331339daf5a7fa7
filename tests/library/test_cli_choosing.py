"""Choices by command, on a library that was ingested, up to the extract that honours them."""

import base64
import io
import sys

import pytest

from iesoresearch.library import choices, store
from iesoresearch.library.store.keys import VARIABLE

STUDY = """\
id: talk
title: Does talking help?
kind: study
scope: {tables: {patients: [age]}, purposes: [to learn]}
ethics: {committee: A committee, reference: 24/XX/0001, approved: 2020-01-10}
opened: 2020-02-01
"""


@pytest.fixture
def home(monkeypatch, small_keys, tmp_path):
    monkeypatch.setenv(VARIABLE, base64.b64encode(small_keys._master.content).decode())
    return tmp_path


@pytest.fixture
def folder(small_copy):
    """Of a library that nobody reads, or what is removed would be waited for."""
    small_copy.close()
    return small_copy.folder


@pytest.fixture
def file(tmp_path):
    def write(name, *lines):
        path = tmp_path / name
        path.write_text("\n".join(lines))
        return path

    return write


def held(folder, keys):
    """Patients in the library as it is on disk now."""
    now = store.open_library(folder, keys, who="tests")
    found = set(now.read("patients", columns=["patient_id"])["patient_id"])
    out = set(choices.excluded(now)["patient_id"])
    now.close()
    return found, out


def test_opt_outs_change_of_mind_and_ingest(call, folder, small_keys, small_site, file):
    first, second = small_site.frame.head(2).rows(named=True)
    before, _ = held(folder, small_keys)
    spaced = " ".join([first["nhs_number"][:3], first["nhs_number"][3:6], first["nhs_number"][6:]])
    national = file("national.txt", f"{spaced},", "0000000000,")
    local = file("local.csv", "Name;E-Mail", f"Ms {second['name'].upper()};{second['email']} ")
    code, shown, told = call(
        *("library", "optouts", folder, "--national", national, "--local", local),
        *("--date", "2026-01-31", "--why", "lists of January"),
    )
    assert code == 3, told  # for the line that could not be read; the others count
    assert "National opt-out: 1 people listed; fewer than 10 are in the library" in shown
    assert "1 line(s) could not be read: line 2;" in shown
    for secret in (first["nhs_number"], second["email"], second["name"]):
        assert secret not in shown + told
    left, out = held(folder, small_keys)
    assert len(before - left) == 2
    assert out == before - left
    # a change of mind lets them in with the next ingest
    code, _, told = call(
        *("library", "optouts", folder, "--national", national, "--lifted"),
        *("--date", "2026-02-28", "--why", "a letter"),
    )
    assert code == 3, told
    code, _, told = call(
        *("library", "ingest", folder, small_site.folder),
        *("--people", small_site.people, "--why", "the second submission"),
    )
    assert code == 0, told
    left, out = held(folder, small_keys)
    assert len(out) == 1
    assert left == before - out


def test_withdrawal_from_standard_input(call, folder, small_keys, small_site, monkeypatch):
    number = small_site.frame["nhs_number"][5]
    before, _ = held(folder, small_keys)

    class Input:
        buffer = io.BytesIO(f"{number}\n".encode())

        @staticmethod
        def isatty():
            return False

    monkeypatch.setattr(sys, "stdin", Input)
    code, shown, told = call("library", "withdraw", folder, "-", "--why", "a patient asked to")
    assert code == 0, told
    assert "Withdrawn: 1 people" in shown
    assert number not in shown + told
    left, out = held(folder, small_keys)
    assert out == before - left
    assert len(out) == 1
    code, shown, _ = call("library", "check", folder)
    assert code == 0, shown


def test_consent_by_command(call, folder, small_site, file):
    number = small_site.frame["nhs_number"][7]
    study = file("study.yaml", STUDY)
    people = file(
        "people.csv",
        "nhs_number,date_given,form_version,date_withdrawn",
        f"{number},2021-01-01,1,",
    )
    words = ("library", "consent", folder, study, people, "--why", "forms of January")
    code, shown, told = call(*words)
    assert code == 0, told
    assert "Study talk: 1 consent(s) and 0 withdrawal(s) recorded" in shown
    assert number not in shown + told


def test_the_register_is_written_and_shown(call, folder, tmp_path):
    code, shown, told = call("library", "register", folder)
    assert code == 0, told
    assert shown.startswith("# Register of data uses")
    for suffix, start in ((".html", "<!doctype html>"), (".csv", "day,name"), (".json", "{")):
        out = tmp_path / f"register{suffix}"
        code, _, told = call("library", "register", folder, "--out", out)
        assert code == 0, told
        assert out.read_text().startswith(start)
    code, _, told = call("library", "register", folder, "--out", tmp_path)
    assert code == 6
    assert "is a folder" in told


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["optouts", "--date", "31.1.2026", "--why", "x"], 2, "is no day"),
        (["optouts", "--date", "2026-01-31", "--why", "x"], 2, "No list of opt-outs was named"),
        (["destroyed", "none-1", "--date", "2026-01-31", "--why", "x"], 3, "knows no extract"),
    ],
)
def test_what_cannot_be_is_a_sentence(call, folder, words, code, said):
    found, _, told = call("library", words[0], folder, *words[1:])
    assert found == code
    assert said in told
