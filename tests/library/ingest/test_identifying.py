"""Who chose not to be in the library is recognised in every later file, whatever it says of her."""

from datetime import date

import polars as pl
import pytest

from iesoresearch.errors import DataError
from iesoresearch.library import choices
from iesoresearch.library.choices import withdrawal
from iesoresearch.library.deidentify.identity import gathered
from iesoresearch.library.deidentify.ids import Pseudonyms
from iesoresearch.library.ingest import merging
from iesoresearch.library.ingest.identifying import identified

from ..library_double import Double, nhs_numbers

ONE, TWO = nhs_numbers(2)
LOCAL, NATIONAL = "name,email\nAnn Lee,ann@x.org\n", f"nhs_number\n{ONE}\n"


@pytest.fixture
def library():
    return Double()


@pytest.fixture
def submit(library):
    """Function (*rows): ingest these people, and say which local ids may come in."""

    def do(*rows):
        frame = pl.DataFrame(rows, schema=dict.fromkeys(("patient_id", *_SAID), pl.String))
        known = frame.filter(pl.any_horizontal(pl.col(_SAID).is_not_null()))
        with library.writing("ingest", "test") as draft:
            makes, people = Pseudonyms(library, ""), gathered([(known, [])])
            who = identified(library, draft, makes, people, frame["patient_id"])
            merging._choices(draft, who)
        return who.frame["local_id"].to_list()

    return do


_SAID = ("nhs_number", "name", "email")


def row(local_id, nhs_number=None, email=None):
    return {
        "patient_id": local_id,
        "nhs_number": nhs_number,
        "name": email and "Ann Lee",
        "email": email,
    }


@pytest.fixture
def choose(library, tmp_path):
    def do(how, text):
        path = tmp_path / "people.csv"
        path.write_text(text)
        if how == "withdraw":
            withdrawal.withdraw(library, path, why="test")
        else:
            choices.record_optouts(library, **{how: path}, on=date(2026, 1, 1), why="test")

    return do


@pytest.mark.parametrize(
    ("how", "text", "first", "later"),
    [
        ("local", LOCAL, [row("a", ONE, "ann@x.org")], row("a", ONE, "new@x.org")),
        ("national", NATIONAL, [row("a", ONE)], row("a")),
        ("withdraw", NATIONAL, [row("a", ONE, "ann@x.org")], row("a", None, "ann@x.org")),
        (
            "local",
            LOCAL,
            [row("a", ONE, "ann@x.org"), row("b", ONE, "b@x.org")],
            row("b", None, "b@x.org"),
        ),
    ],
    ids=["other address", "without people", "number lacks", "second local id"],
)
def test_whoever_chose_before_she_ever_came_stays_out(submit, choose, how, text, first, later):
    choose(how, text)
    assert submit(*first, row("z", TWO)) == ["z"]
    assert submit(later) == []


def test_whoever_was_known_without_number_stays_out_without_it(submit, choose):
    assert submit(row("a")) == ["a"]
    choose("national", NATIONAL)
    assert submit(row("a", ONE)) == []
    assert submit(row("a")) == []


def test_a_change_of_mind_lets_her_in_as_the_same_patient(library, submit, choose, tmp_path):
    choose("national", NATIONAL)
    submit(row("a", ONE))
    path = tmp_path / "lifted.csv"
    path.write_text(NATIONAL)
    choices.record_optouts(library, national=path, on=date.today(), why="test", lifted=True)
    assert submit(row("a")) == ["a"]
    known = library.read("aliases", compartment="choices")
    assert known["patient_id"].n_unique() == 1


def test_nothing_but_hashes_is_kept_of_whoever_is_excluded(library, submit, choose):
    choose("national", NATIONAL)
    submit(row("a", ONE, "ann@x.org"))
    for table in ("matching", "aliases"):
        kept = library.read(table, compartment="choices")
        assert all(len(v) == 32 for r in kept.rows() for v in r if v is not None)


@pytest.fixture
def warned(library):
    """Function (rows of people): numbers of local ids with another number, and with another's."""

    def of(*rows):
        known = pl.DataFrame(rows, schema=dict.fromkeys(("patient_id", *_SAID), pl.String))
        with library.writing("ingest", "test") as draft:
            makes, people = Pseudonyms(library, ""), gathered([(known, [])])
            who = identified(library, draft, makes, people, known["patient_id"])
            merging._choices(draft, who)
        counts = who.counts.items()
        return tuple(
            next(n for text, n in counts if words in text)
            for words in ("another NHS number in an earlier", "of other patients of the library")
        )

    return of


def test_a_local_id_that_had_another_number_is_said(warned):
    """Ids that a site gives again would make one of two people."""
    assert warned(row("a", ONE), row("b")) == (0, 0)
    assert warned(row("a", ONE), row("b", TWO)) == (0, 0)  # known now, not another
    assert warned(row("a", TWO)) == (1, 1)  # that of b
    assert warned(row("a", ONE)) == (0, 0)  # known by either from now on


def test_a_column_of_numbers_that_slipped_is_refused(warned):
    numbers = nhs_numbers(101)
    ids = [f"id{i}" for i in range(100)]
    assert warned(*map(row, ids, numbers)) == (0, 0)
    few = [*numbers[1:11], *numbers[10:100]]  # ten of a hundred are corrected
    assert warned(*map(row, ids, few)) == (10, 10)
    with pytest.raises(DataError, match="as if the column of numbers had slipped") as raised:
        warned(*map(row, ids, numbers[1:]))
    for text in ("Of about 100 local ids", "about 90 come with another", "under another --site"):
        assert text in str(raised.value)
    assert not any(number in str(raised.value) for number in numbers)
