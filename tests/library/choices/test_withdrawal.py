"""Withdrawal: gone for good, with word of who has to be told, and never who it was."""

import json
from datetime import date, timedelta

import polars as pl
import pytest

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.library import choices, store
from iesoresearch.library.choices import withdrawal
from iesoresearch.library.store import check
from iesoresearch.library.store.keys import Keys

from ..library_double import fill, held, nhs_numbers

N = nhs_numbers(6)
PEOPLE = {
    "p0": (N[0], ("Ann Lee", "ann@x.org")),
    "p1": (None, ("Ann Lee", "ann@x.org")),
    "p2": (N[2], None),
    "p3": (N[3], None),
}


@pytest.fixture
def library(tmp_path):
    keys = Keys.make(tmp_path / "key")
    made = store.create(tmp_path / "library", keys, territory="GB", who="somebody")
    fill(made, PEOPLE)
    yield made
    made.close()


@pytest.fixture
def ask(tmp_path):
    def write(*lines):
        path = tmp_path / "people.csv"
        path.write_text("\n".join(["nhs_number,name,email", *lines]))
        return path

    return write


def extract(library, name, patients, fingerprint):
    """What the extract of an agreement leaves in the library."""
    with library.writing("extract", "test") as draft:
        frame = pl.DataFrame({"extract_id": [name] * len(patients), "patient_id": patients})
        draft.write("extracts", frame, part=name, compartment="choices")
        draft.details = {
            "extract_id": name,
            "purpose": "to learn whether waiting harms",
            "recipient": "University of Somewhere",
            "fingerprint": fingerprint,
        }


def run(folder, name, data, of_result=None):
    (folder / name).mkdir(parents=True)
    (folder / name / "status.json").write_text(json.dumps({"inputs": {"data": data}}))
    if of_result:
        content = {"provenance": {"data_fingerprint": of_result}}
        (folder / name / "result.json").write_text(json.dumps(content))


def test_a_person_is_taken_out_and_never_comes_in_again(library, ask):
    withdrawal.withdraw(library, ask(f"{N[0]},,"), why="asked to")
    assert held(library) == {"p2", "p3"}
    assert dict(choices.excluded(library).iter_rows()) == {"p0": "withdrawn", "p1": "withdrawn"}
    # under the same number, under the same name, and as the same record without either
    fill(library, {"p8": (N[0], None), "p9": (None, ("LEE, Ann", "ANN@x.org")), "p1": (None, None)})
    assert held(library) == {"p2", "p3"}


def test_it_holds_when_nothing_else_is_known_of_the_person_any_more(library, ask):
    """As after retention, which removes whatever names patients by their pseudonym."""
    withdrawal.withdraw(library, ask(f"{N[0]},,"), why="asked to")
    with library.writing("retain", "test") as draft:
        draft.drop("matching", compartment="choices")
    fill(library, {"p7": (None, ("Ann Lee", "ann@x.org")), "p0": (None, None), "p4": (N[4], None)})
    assert held(library) == {"p2", "p3", "p4"}


def test_nothing_of_the_records_is_left_on_disk(library, ask):
    withdrawal.withdraw(library, ask(f"{N[2]},,"), why="asked to")
    destroyed = library.log()[-1]["details"]["destroyed"]
    assert destroyed["files"]
    assert check.check(library).problems == []


def test_earlier_uses_are_told_by_count(library, ask, tmp_path):
    extract(library, "one", ["p0", "p2"], "print-1")
    extract(library, "two", ["p3"], "print-2")
    extract(library, "three", ["p1"], "print-3")
    runs = tmp_path / "runs"
    run(runs, "cohort", "print-1")
    run(runs / "later", "recovery", "print-1 and a model", of_result="print-1")
    run(runs, "other", "print-2")
    (runs / "broken").mkdir()
    (runs / "broken" / "status.json").write_text("{")
    done = withdrawal.withdraw(library, ask(f"{N[0]},,"), why="asked to", runs=runs)
    assert [(use.extract, use.people, use.runs) for use in done.uses] == [
        ("one", 1, ("cohort", "later/recovery")), ("three", 1, ())
    ]  # fmt: skip
    text = done.text()
    today = library.log()[-1]["when"][:10]
    assert (
        f"Extract one of {today} to University of Somewhere (to learn whether waiting harms) held "
        "fewer than 10 of them. Runs: cohort, later/recovery."
    ) in text
    assert "two" not in text
    for secret in ("p0", N[0], "Ann"):
        assert secret not in text + json.dumps(library.log()[-1]["details"])
    assert library.log()[-1]["details"]["extracts"] == ["one", "three"]


def test_every_key_of_a_line_counts(library, ask):
    """Later she comes without her number."""
    withdrawal.withdraw(library, ask(f"{N[5]},Eve Lee,eve@x.org"), why="asked to")
    fill(library, {"p5": (None, ("Eve Lee", "eve@x.org"))})
    assert "p5" not in held(library)


def test_a_run_whose_name_is_a_number_is_not_repeated(library, ask, tmp_path):
    extract(library, "one", ["p0"], "print-1")
    run(tmp_path / "runs", f"for {N[0]}", "print-1")
    text = withdrawal.withdraw(
        library, ask(f"{N[0]},,"), why="asked to", runs=tmp_path / "runs"
    ).text()
    assert "a run whose name is not repeated" in text
    assert N[0] not in text + json.dumps(library.log()[-1]["details"])


def test_it_is_said_that_nothing_was_looked_for(library, ask):
    text = withdrawal.withdraw(library, ask(f"{N[5]},,"), why="asked to").text()
    assert "No earlier extract held any of them." in text
    assert "Runs were not looked for: name their folder with --runs DIR." in text


def test_whoever_comes_later_is_kept_out(library, ask):
    withdrawal.withdraw(library, ask(",Cy Lee,cy@x.org"), why="asked to")
    fill(library, {"p5": (N[5], ("Cy Lee", "cy@x.org")), "p4": (N[4], None)})
    assert held(library) == {"p0", "p1", "p2", "p3", "p4"}


def test_lines_that_cannot_be_read_do_not_keep_others_in(library, ask):
    done = withdrawal.withdraw(library, ask("12,,", f"{N[2]},,", ",Ann Lee,"), why="asked to")
    assert done.lines == (2, 4)
    assert "2 line(s) could not be read: line 2, 4;" in done.text()
    assert held(library) == {"p0", "p1", "p3"}


def test_nobody_who_can_be_read_is_an_error(library, ask):
    with pytest.raises(DataError, match="No line says who is meant"):
        withdrawal.withdraw(library, ask("12,,"), why="asked to")
    assert held(library) == set(PEOPLE)


def test_withdrawal_is_at_once(library, ask):
    tomorrow = date.today() + timedelta(1)
    with pytest.raises(ParameterError, match="is to come"):
        withdrawal.withdraw(library, ask(f"{N[2]},,"), why="asked to", on=tomorrow)


def test_somebody_who_still_reads_is_told_of(library, ask, tmp_path):
    reader = store.open_library(tmp_path / "library", Keys.load(tmp_path / "key"), who="other")
    done = withdrawal.withdraw(library, ask(f"{N[2]},,"), why="asked to", wait=0)
    assert "Somebody still reads an older generation" in done.text()
    assert "p2" in held(reader)
    reader.close()
