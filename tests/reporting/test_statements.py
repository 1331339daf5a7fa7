"""What people state passes; a blank fails and says so."""

import pytest

from iesoresearch import project as projects
from iesoresearch.errors import ParameterError
from iesoresearch.reporting import statements
from iesoresearch.reporting.statements import OF_SITE, OURS
from iesoresearch.reporting.tripod import ITEMS


def said(project, content, sensitivity="synthetic", path=OURS):
    file = project.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return statements.read(project, sensitivity)


@pytest.mark.parametrize(
    ("line", "state", "text"),
    [
        ("done: 'Committee X, 2026'", "stated", "Committee X, 2026"),
        ("not done: nobody asked", "not done", "nobody asked"),
        (
            "demonstration: not applicable, drawn",
            "not applicable",
            "demonstration: not applicable, drawn",
        ),
        (
            "demonstration: not applicable",
            "not applicable",
            "demonstration: not applicable",
        ),
    ],
)
def test_what_people_state_passes(project, line, state, text):
    found = said(project, f"17:\n  {line}\n")["17"]
    assert (found.state, found.text) == (state, text)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "says nothing"),
        ("18a: {done: x}", "says nothing"),
        ("17:", "says nothing"),
        ("17: yes", "must say one of done, not done, demonstration"),
        ("17: {}", "must say one of"),
        ("17: {maybe: x}", "must say one of"),
        ("17: {done: x, not done: y}", "must say one of"),
        ("17: {done: }", "leaves “done” blank"),
        ("17: {done: '  '}", "leaves “done” blank"),
        ("17: {done: '?'}", "leaves “done” blank"),
        ("17: {not done: true}", "leaves “not done” blank"),
        ("17: {demonstration: perhaps}", "only “not applicable” can follow “demonstration”"),
    ],
)
def test_a_blank_is_missing_and_says_where(project, content, problem):
    found = said(project, content)["17"]
    assert found.state == "missing"
    assert found.text.startswith(OURS)
    assert problem in found.text


def test_without_a_file_all_are_missing(project):
    found = statements.read(project, "open")
    assert {one.state for one in found.values()} == {"missing"}
    assert found.keys() == {*ITEMS, "contact"}


@pytest.mark.parametrize("sensitivity", ["patient", "of some other kind"])
def test_the_project_does_not_speak_for_a_site(project, sensitivity):
    said(project, "17: {done: of the project}")
    found = statements.read(project, sensitivity)["17"]
    assert (found.state, found.text) == ("missing", f"{OF_SITE} says nothing")
    found = said(project, "17: {done: of the site}", sensitivity, OF_SITE)["17"]
    assert (found.state, found.text) == ("stated", "of the site")


def test_patients_records_are_no_demonstration(project):
    found = said(project, "17: {demonstration: not applicable}", "patient", OF_SITE)["17"]
    assert found.state == "missing"
    assert "calls a run on patients’ records a demonstration" in found.text


def test_an_item_that_there_is_not_is_refused(project):
    with pytest.raises(ParameterError, match=r"statements\.yaml: 28, 3d is no item of TRIPOD\+AI"):
        said(project, "17: {done: x}\n3d: {done: x}\n28: {done: x}")


@pytest.mark.parametrize("content", ["17: {done", "- 17", "done", "17: \x00"])
def test_a_file_that_cannot_be_read_is_one_sentence(project, content):
    with pytest.raises(ParameterError, match="cannot be read as YAML with a line per item"):
        said(project, content)


def test_this_project_leaves_nothing_blank_that_only_people_know():
    found = statements.read(projects.find(), "synthetic")
    needed = [number for number in ITEMS if ITEMS[number].people]
    assert {n: found[n].text for n in [*needed, "contact"] if found[n].state == "missing"} == {}
    # a line that is there but not sound is worse than none
    assert {one.text for one in found.values() if one.state == "missing"} <= {
        f"{OURS} says nothing"
    }
