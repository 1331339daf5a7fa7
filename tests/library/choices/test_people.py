"""Files of people: many shapes are read, none is guessed, no value is told."""

import io
import sys
from datetime import date

import pytest

from iesoresearch.errors import DataError
from iesoresearch.library.choices import people
from iesoresearch.library.deidentify.pseudonyms import local_hash, national_hash

from ..library_double import Double, nhs_numbers

ONE, TWO, THREE = nhs_numbers(3)
LIBRARY = Double()


@pytest.fixture
def write(tmp_path):
    def make(content, encoding="utf-8"):
        path = tmp_path / "people.csv"
        path.write_bytes(content.encode(encoding))
        return path

    return make


def hashes(found):
    return set(found.frame["hash"])


EXPECTED = {national_hash(LIBRARY, ONE), national_hash(LIBRARY, TWO)}


@pytest.mark.parametrize(
    "content",
    [
        f"{ONE}\n{TWO}\n",
        f"NHS Number\r\n{ONE}\r\n{TWO}\r\n",
        f"{ONE},\n{TWO},\n",  # as the national service takes and gives it
        f"id;nhs_no;age\n1;{ONE};44\n2;{TWO};45\n",
        f'"nhs_number"\n"{ONE[:3]} {ONE[3:6]} {ONE[6:]}"\n{TWO[:3]}-{TWO[3:6]}-{TWO[6:]}',
        f"\n\n{ONE}\n\n{TWO}\n{ONE}\n",
        f"nhs_number\n{ONE}.0\n{TWO}.00\n",  # as programs save numbers of a column with gaps
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_lists_of_nhs_numbers_of_any_shape(write, content, encoding):
    found = people.numbers(LIBRARY, write(content, encoding))
    assert hashes(found) == EXPECTED
    assert found.unreadable == 0


def test_numbers_that_are_none_are_counted(write):
    found = people.numbers(LIBRARY, write(f"{ONE}\n{TWO[:-1]}{9 - int(TWO[-1])}\n12\nunknown\n"))
    assert hashes(found) == {national_hash(LIBRARY, ONE)}
    assert found.unreadable == 3


def test_lines_are_named_as_the_file_counts_them(write):
    found = people.numbers(LIBRARY, write(f"nhs_number\n\n{ONE}\n12\n\n{TWO}\nunknown"))
    assert found.lines == (4, 7)
    assert people.unread(found.lines).startswith("2 line(s) could not be read: line 4, 7;")
    assert people.unread(range(1, 31)).split(";")[0].endswith("19, 20 and 10 more")


@pytest.mark.parametrize("line", [f'"{ONE}', f'"{ONE} '])
def test_a_quotation_mark_that_is_not_closed_is_refused_and_named(write, line):
    with pytest.raises(DataError, match="opened in line 3 and not closed") as refused:
        people.numbers(LIBRARY, write(f"nhs_number\n{TWO}\n{line}\n{THREE}\n{TWO}\n"))
    assert ONE not in str(refused.value)


def test_a_slip_in_the_first_line_is_no_heading(write):
    found = people.numbers(LIBRARY, write(f"123\n{ONE}\n"))
    assert hashes(found) == {national_hash(LIBRARY, ONE)}
    assert found.unreadable == 1


@pytest.mark.parametrize("heading", ["Versichertennummer", "Ann Lee"])
def test_a_heading_nobody_knows_is_refused_and_not_told(write, heading):
    with pytest.raises(DataError, match="neither an NHS number nor a heading") as refused:
        people.numbers(LIBRARY, write(f"{heading}\n{ONE}\n"))
    assert heading not in str(refused.value)
    assert ONE not in str(refused.value)


@pytest.mark.parametrize("content", ["", " \n\n"])
def test_an_empty_file_may_be_a_broken_one(write, content):
    with pytest.raises(DataError, match=r"is empty\. Nothing was changed"):
        people.numbers(LIBRARY, write(content))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        people.named(LIBRARY, tmp_path / "none.csv")


@pytest.mark.parametrize(
    "content",
    [
        "name,email\nAnn Lee,a@x.org\n",
        "E-mail;Name;Telephone\nA@X.org ;Lee, Ann;0\n",
        "first name\tsurname\temail address\nAnn\tLee\ta@x.org\n",
        'Full name,Registered e-mail\n"Ms. Ann Léé",a@x.org\n',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_tables_of_names_of_any_shape(write, content, encoding):
    found = people.named(LIBRARY, write(content, encoding))
    assert hashes(found) == {local_hash(LIBRARY, "Ann Lee", "a@x.org")}


def test_two_people_of_one_name_are_told_apart_by_their_address(write):
    found = people.named(LIBRARY, write("name,email\nAnn Lee,a@x.org\nAnn Lee,b@x.org\n"))
    assert found.frame.height == 2


def test_lines_without_name_or_address_are_counted(write):
    lines = "name,email\nAnn Lee,\n,a@x.org\nAnn Lee,a.x.org\nAnn Lee,a@x.org\nAnn Lee\n"
    found = people.named(LIBRARY, write(lines))
    assert found.frame.height == 1
    assert found.unreadable == 4


@pytest.mark.parametrize("first", ["nom,courriel", "Ann Lee,a@x.org", "name", f"nhs_number\n{ONE}"])
def test_headings_of_another_language_are_refused_and_not_told(write, first):
    with pytest.raises(DataError, match="must hold the headings name and email") as refused:
        people.named(LIBRARY, write(f"{first}\nAnn Lee,a@x.org\n"))
    assert "Ann" not in str(refused.value)
    assert "courriel" not in str(refused.value)


def test_anyone_is_known_by_number_or_by_name(write):
    mixed = f"nhs_number,name,email\n{ONE},Ann Lee,a@x.org\n,Bo Lee,b@x.org\n{TWO[:-2]},,\n"
    found = people.anyone(LIBRARY, write(mixed))
    assert found.frame.rows() == [
        ("national", national_hash(LIBRARY, ONE)),
        ("local", local_hash(LIBRARY, "Bo Lee", "b@x.org")),
    ]
    assert found.unreadable == 1
    assert hashes(people.anyone(LIBRARY, write(f"{ONE}\n{TWO}\n"))) == EXPECTED
    with pytest.raises(DataError, match="headings nhs_number or name and email"):
        people.anyone(LIBRARY, write("Ann Lee\n"))


def test_a_wrong_number_is_not_made_good_by_a_name(write):
    """The line names two people, perhaps; nobody may be taken for somebody else."""
    found = people.anyone(LIBRARY, write("nhs_number,name,email\n12,Ann Lee,a@x.org\n"))
    assert found.frame.is_empty()
    assert found.unreadable == 1


def test_further_columns_are_read_strictly(write):
    day = {"date_given": people.day}
    lines = "name,email,Date given\nA Lee,a@x.org,2024-02-29\nA Lee,b@x.org,29/02/2024\n"
    found = people.named(LIBRARY, write(lines), more=day)
    assert found.frame["date_given"].to_list() == [date(2024, 2, 29)]
    assert found.unreadable == 1
    with pytest.raises(DataError, match="Take out column 4"):
        people.named(LIBRARY, write("name,email,date_given,reason\nA,a@x.org,,x\n"), more=day)
    with pytest.raises(DataError, match="headings name and email, date_given"):
        people.named(LIBRARY, write("name,email\nA Lee,a@x.org\n"), more=day)


@pytest.mark.parametrize("cell", ["2024-02-30", "20240201", "2024-2-1", "1.2.2024", "", "today"])
def test_what_is_no_day_raises(cell):
    with pytest.raises(ValueError, match="day"):
        people.day(cell)


def test_standard_input_is_named_so(monkeypatch):
    class Input:
        buffer = io.BytesIO(b"")

    monkeypatch.setattr(sys, "stdin", Input)
    with pytest.raises(DataError, match="Standard input is empty"):
        people.anyone(LIBRARY, people.STDIN)


def test_people_are_in_no_repr(write):
    found = people.named(LIBRARY, write("name,email\nAnn Lee,a@x.org\n"))
    assert found.frame["hash"][0] not in repr(found)
