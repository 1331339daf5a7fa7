"""Consent: opt-in, within its days, taken back without a reason, never over an opt-out."""

from datetime import date

import pytest

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.library import choices
from iesoresearch.library.choices import consent
from iesoresearch.library.choices.studies import Study

from ..library_double import Double, fill, nhs_numbers

N = nhs_numbers(6)
TODAY = date(2026, 3, 10)
STUDY = """\
id: talk-trial
title: Does talking help?
kind: trial
scope:
  tables: {patients: [age, gender], contacts: [session, date]}
  purposes: [to learn whether talking helps]
ethics: {committee: A committee, reference: 24/XX/0001, approved: 2025-01-10}
opened: 2025-02-01
closed: 2026-06-30
"""
PEOPLE = {
    "p0": (N[0], ("Ann Lee", "ann@x.org")),
    "p1": (None, ("Ann Lee", "ann@x.org")),
    "p2": (N[2], ("Bo Lee", "lees@x.org")),
    "p3": (N[3], ("Bo Lee", "lees@x.org")),
    "p4": (N[4], None),
}
HEAD = "nhs_number,name,email,date_given,form_version,date_withdrawn"


@pytest.fixture
def library():
    made = Double()
    fill(made, PEOPLE)
    return made


@pytest.fixture
def record(library, tmp_path):
    def make(*lines, study=STUDY, head=HEAD):
        (tmp_path / "study.yaml").write_text(study)
        (tmp_path / "people.csv").write_text("\n".join([head, *lines]))
        return consent.record_consents(
            library, tmp_path / "study.yaml", tmp_path / "people.csv", why="test", today=TODAY
        )

    return make


def may(library, on=TODAY):
    return list(consent.consenting(library, "talk-trial", on))


def test_only_those_who_consented_are_in_a_study(library, record):
    done = record(f"{N[0]},,,2025-03-01,2,", f"{N[4]},,,2025-04-01,2,", f"{N[5]},,,2025-04-01,2,")
    assert may(library) == ["p0", "p4"]
    assert (done.given, done.unmatched, done.valid) == (3, 1, 2)
    fill(library, {"p5": (N[5], None)})
    assert may(library) == ["p0", "p4", "p5"]


def test_consent_holds_between_its_days_while_the_study_is_open(library, record):
    record(f"{N[4]},,,2025-03-01,2,2025-05-01")
    days = ["2025-02-28", "2025-03-01", "2025-04-30", "2025-05-01", "2026-06-30"]
    assert [may(library, date.fromisoformat(d)) for d in days] == [[], ["p4"], ["p4"], [], []]
    record(f"{N[4]},,,2025-06-01,3,")
    assert may(library, date(2026, 6, 30)) == ["p4"]
    assert may(library, date(2026, 7, 1)) == []
    assert may(library, date(2025, 5, 15)) == []


def test_consent_is_taken_back_with_a_day_and_no_reason(library, record):
    record(f"{N[4]},,,2025-03-01,2,")
    record(f"{N[4]},,,,,2025-03-05")
    assert may(library) == []
    with pytest.raises(DataError, match="Take out column 7"):
        record(f"{N[4]},,,,,2025-03-05,moved", head=HEAD + ",reason")


def test_on_one_day_taking_back_goes_before_giving(library, record):
    record(f"{N[4]},,,2025-03-01,2,", f"{N[4]},,,,,2025-03-01")
    assert may(library, date(2025, 3, 1)) == may(library) == []


def test_taking_back_finds_the_person_however_she_is_named(library, record):
    record(f"{N[0]},,,2025-03-01,2,", ",Ann Lee,ann@x.org,2025-03-01,2,")
    assert may(library) == ["p0", "p1"]
    record(",LEE Ann,Ann@X.org,,,2025-03-05")
    assert may(library) == []


def test_a_name_and_address_of_two_people_consents_for_neither(library, record):
    record(",Bo Lee,lees@x.org,2025-03-01,2,")
    assert may(library) == []
    record(f"{N[2]},,,2025-03-01,2,")
    assert may(library) == ["p2"]


def test_an_opt_out_goes_before_consent(library, record, tmp_path):
    record(f"{N[4]},,,2025-03-01,2,")
    (tmp_path / "out").write_text(N[4])
    choices.record_optouts(
        library, national=tmp_path / "out", on=date(2026, 3, 1), why="test", today=TODAY
    )
    assert may(library, date(2026, 2, 28)) == ["p4"]
    assert may(library) == []
    assert "goes before consent" in record(f"{N[4]},,,2025-03-01,2,").text()


def test_lines_that_cannot_be_are_refused_and_counted(library, record):
    done = record(
        f"{N[0]},,,2025-01-31,2,",  # before the study opened
        f"{N[0]},,,2026-07-01,2,",  # after it closed
        f"{N[0]},,,2025-03-05,2,2025-03-01",  # taken back before
        f"{N[0]},,,2025-03-05,,",  # no version of the form
        f"{N[0]},,,,,",  # nothing happened
        f"{N[0]},,,1.3.2025,2,",
        "12,,,2025-03-05,2,",
    )
    assert (done.given, done.withdrawn, done.outside, done.unreadable) == (0, 1, 3, 4)
    assert may(library) == []


def test_nothing_but_hashes_days_and_versions_is_kept(library, record):
    record(",Ann Lee,ann@x.org,2025-03-01,2,")
    kept = library.read("consents", compartment="choices")
    assert kept.columns == ["study", "by", "hash", "event", "on", "version"]
    assert "Ann" not in str(kept.rows()) + str(library.lines)


def test_recording_twice_changes_nothing(library, record):
    record(f"{N[4]},,,2025-03-01,2,")
    once = library.read("consents", compartment="choices")
    record(f"{N[4]},,,2025-03-01,2,")
    assert library.read("consents", compartment="choices").equals(once)


def test_a_study_is_known_by_its_id(library, record):
    record(f"{N[4]},,,2025-03-01,2,")
    assert consent.study(library, "talk-trial").ethics.reference == "24/XX/0001"
    with pytest.raises(DataError, match=r"No study called 'other'.*there: talk-trial"):
        consent.consenting(library, "other")


def test_what_is_outside_of_the_scope_is_named(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    asked = {"patients": ["age", "ethnicity"], "scores": ["value"]}
    assert Study.read(path).outside(asked) == ["patients.ethnicity", "scores.value"]


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("reference: 24/XX/0001", 'reference: ""', "has no ethics review"),
        ("ethics: {", "ethics_: {", "has no ethics review"),
        ("approved: 2025-01-10", "approved:", "has no ethics review"),
        ("approved: 2025-01-10", "approved: 2025-02-10", "Ethics review comes first"),
        ("closed: 2026-06-30", "closed: 2024-06-30", "closed must not be before opened"),
        ("kind: trial", "kind: survey", "kind='survey'"),
        ("gender", "gendre", r"patients has no column gendre \(did you mean gender\?\)"),
        ("contacts:", "visits:", "there is no table visits"),
        ("title:", "titel:", r"there is no titel \(did you mean title\?\)"),
        (STUDY, "no study", "must be YAML with id, title"),
        (STUDY, "a: [", "must be YAML with id, title"),
    ],
)
def test_a_study_that_cannot_be_is_refused(record, old, new, match):
    with pytest.raises(ParameterError, match=match):
        record(f"{N[4]},,,2025-03-01,2,", study=STUDY.replace(old, new))
