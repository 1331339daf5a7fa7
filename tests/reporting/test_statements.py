"""What people state passes; a blank fails and says so."""

import pytest

from iesoresearch import project as projects
from iesoresearch.errors import ParameterError
from iesoresearch.reporting import cheers, statements, tripod
from iesoresearch.reporting.statements import CHECKLISTS, OF_SITE, OURS

ALL = list(CHECKLISTS.values())


def write(project, content, path=OURS):
    file = project.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")


def said(project, content, sensitivity="synthetic", path=OURS, checklist=tripod.CHECKLIST):
    """Statements of a file that holds `content`, a line each, in the section of `checklist`."""
    lines = "\n".join(f"  {line}" for line in content.splitlines())
    write(project, f"{checklist.name}:\n{lines}\n", path)
    return statements.read(project, sensitivity, checklist)


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
@pytest.mark.parametrize("checklist", ALL, ids=CHECKLISTS)
def test_what_people_state_passes(project, line, state, text, checklist):
    found = said(project, f"17:\n  {line}\n", checklist=checklist)["17"]
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
@pytest.mark.parametrize("checklist", ALL, ids=CHECKLISTS)
def test_a_blank_is_missing_and_says_where(project, content, problem, checklist):
    found = said(
        project, content.replace("18a", "18" + "a" * checklist.model_card), checklist=checklist
    )["17"]
    assert found.state == "missing"
    assert found.text.startswith(f"{OURS} ({checklist.name})")
    assert problem in found.text


@pytest.mark.parametrize("checklist", ALL, ids=CHECKLISTS)
def test_without_a_file_all_are_missing(project, checklist):
    found = statements.read(project, "open", checklist)
    assert {one.state for one in found.values()} == {"missing"}
    assert found.keys() == {*checklist.items, "contact"}
    assert found["contact"].text == f"{OURS} says nothing"


def test_equal_numbers_of_two_checklists_are_two_items(project):
    write(project, "tripod:\n  17: {done: ethics}\ncheers:\n  17: {done: analytics}\n")
    for checklist, text in ((tripod.CHECKLIST, "ethics"), (cheers.CHECKLIST, "analytics")):
        assert statements.read(project, "open", checklist)["17"].text == text


def test_the_contact_is_the_same_for_all(project):
    write(project, "contact: {done: the library}\ncheers:\n")
    assert statements.read(project, "open", tripod.CHECKLIST)["contact"].text == "the library"
    assert statements.read(project, "open", cheers.CHECKLIST)["contact"].text == "the library"


@pytest.mark.parametrize("checklist", ALL, ids=CHECKLISTS)
def test_a_file_without_sections_is_told_what_to_change(project, checklist):
    write(project, "contact: {done: x}\n17: {done: x}\n18a: {done: x}\n")
    with pytest.raises(ParameterError, match=r"yaml: 17, 18a belongs to no checklist\.") as caught:
        statements.read(project, "open", checklist)
    assert str(caught.value).endswith("put “tripod:” above them and indent them.")
    write(project, "contact: {done: x}\ntripod:\n  17: {done: x}\n  18a: {done: x}\n")
    statements.read(project, "open", checklist)


@pytest.mark.parametrize("sensitivity", ["patient", "of some other kind"])
def test_the_project_does_not_speak_for_a_site(project, sensitivity):
    said(project, "17: {done: of the project}")
    found = statements.read(project, sensitivity, tripod.CHECKLIST)["17"]
    assert (found.state, found.text) == ("missing", f"{OF_SITE} (tripod) says nothing")
    found = said(project, "17: {done: of the site}", sensitivity, OF_SITE)["17"]
    assert (found.state, found.text) == ("stated", "of the site")


def test_patients_records_are_no_demonstration(project):
    found = said(project, "17: {demonstration: not applicable}", "patient", OF_SITE)["17"]
    assert found.state == "missing"
    assert "calls a run on patients’ records a demonstration" in found.text


def test_an_item_that_there_is_not_is_refused(project):
    with pytest.raises(ParameterError, match=r"statements\.yaml: 28, 3d is no item of TRIPOD\+AI"):
        said(project, "17: {done: x}\n3d: {done: x}\n28: {done: x}")
    with pytest.raises(
        ParameterError, match="3a is no item of CHEERS 2022, whose items are 1 to 28"
    ):
        said(project, "28: {done: x}\n3a: {done: x}", checklist=cheers.CHECKLIST)


def test_a_mistake_in_one_section_is_told_whichever_is_asked_for(project):
    write(project, "tripod:\n  99: {done: x}\n")
    with pytest.raises(ParameterError, match="99 is no item of TRIPOD"):
        statements.read(project, "open", cheers.CHECKLIST)


@pytest.mark.parametrize(
    "content", ["17: {done", "- 17", "done", "17: \x00", "tripod: 17", "cheers: [17]"]
)
def test_a_file_that_cannot_be_read_is_one_sentence(project, content):
    write(project, content)
    with pytest.raises(ParameterError, match="cannot be read as YAML with a section per checklist"):
        statements.read(project, "open", tripod.CHECKLIST)


@pytest.mark.parametrize("checklist", ALL, ids=CHECKLISTS)
def test_this_project_leaves_nothing_blank_that_only_people_know(checklist):
    found = statements.read(projects.find(), "synthetic", checklist)
    needed = [number for number, item in checklist.items.items() if item.people]
    assert {n: found[n].text for n in [*needed, "contact"] if found[n].state == "missing"} == {}
    # a line that is there but not sound is worse than none
    assert {one.text for one in found.values() if one.state == "missing"} <= {
        f"{OURS} ({checklist.name}) says nothing"
    }
