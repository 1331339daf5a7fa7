"""Files of people: normal forms, and what cannot be one person."""

from datetime import date

import polars as pl
import pytest

from iesoresearch.errors import DataError
from iesoresearch.library.deidentify.geography import Deciles
from iesoresearch.library.deidentify.identity import MOST_IDS, gathered

# valid by the textbook: NHS Data Dictionary's example is 943 476 5919
VALID, OTHER = "9434765919", "4857773457"
#: digits of full width
WIDE = VALID.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})


def people(**columns):
    columns = {name: [v] if isinstance(v, str) else v for name, v in columns.items()}
    return gathered([(pl.DataFrame(columns), [])])


@pytest.mark.parametrize(
    "written",
    ["943 476 5919", "943-476-5919", " 9434765919 ", WIDE, "9434765919.0"],
)
def test_numbers_in_any_form(written):
    assert people(patient_id="a", nhs_number=written).frame["nhs_number"].to_list() == [VALID]


@pytest.mark.parametrize("wrong", ["9434765918", "943476591", "1111111111", "abc", "94347659190"])
def test_wrong_numbers_are_counted_and_left_out(wrong):
    found = people(patient_id="a", nhs_number=wrong)
    assert found.frame["nhs_number"].to_list() == [None]
    assert [(text[:15], n) for text, n in found.counts.items()] == [("{n} NHS number(", 1)]


def test_names_births_and_places():
    found = people(
        patient_id=["a", "b", "c"],
        given_name=["Ada", None, "Cy"],
        family_name=["Byron", "Lee", None],
        date_of_birth=["1980-02-29", "29/02/1980", "31/02/1980"],
        postcode=["ab1 2cd", "AB12CD", ""],
    )
    assert found.frame["name"].to_list() == ["Ada Byron", "Lee", "Cy"]
    assert found.frame["date_of_birth"].to_list() == [date(1980, 2, 29)] * 2 + [None]
    assert found.frame["postcode"].to_list() == ["AB12CD", "AB12CD", None]
    assert found.counts == {"{n} date(s) of birth cannot be read; left out": 1}


def test_one_id_with_two_numbers_is_refused():
    with pytest.raises(DataError, match=r"1 local id\(s\) have two different NHS numbers"):
        people(patient_id=["a", "a"], nhs_number=[VALID, OTHER])


def test_a_number_of_many_ids_is_a_placeholder():
    ids = [str(i) for i in range(MOST_IDS + 1)]
    with pytest.raises(DataError, match=r"1 NHS number\(s\) stand for more than 5 local ids"):
        people(patient_id=ids, nhs_number=[VALID] * len(ids))


def test_two_births_are_none_and_rows_without_id_are_left_out():
    found = people(patient_id=["a", "a", None], date_of_birth=["1980-01-01", "1981-01-01", None])
    assert found.frame["date_of_birth"].to_list() == [None, None]
    assert sorted(found.counts.values()) == [1, 1]


def test_nothing_of_people_is_shown():
    assert "Byron" not in repr(people(patient_id="a", name="Ada Byron"))


def test_look_up_of_deprivation():
    look_up = Deciles.of(
        pl.DataFrame({"postcode": ["AB1 2CD", "x1 1xx"], "deprivation_decile": ["3", "10.0"]})
    )
    known = people(patient_id=["a", "b", "c"], postcode=["ab12cd", "zz1 1zz", None]).frame
    found, unmatched = look_up.look_up(known)
    assert dict(found.iter_rows()) == {"a": 3, "b": None}
    assert unmatched == 1


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"lsoa": ["E1"]}, "needs the columns deprivation_decile"),
        ({"lsoa": ["E1"], "deprivation_decile": ["11"]}, r"1 row\(s\) have no area or no decile"),
        ({"lsoa": ["E1", "e1"], "deprivation_decile": ["1", "2"]}, r"1 area\(s\) have two"),
    ],
)
def test_a_look_up_that_cannot_be(columns, message):
    with pytest.raises(DataError, match=message):
        Deciles.of(pl.DataFrame(columns))
