"""Keyed hashes: spelling does not decide, and nothing but the same person is the same."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iesoresearch.library.deidentify.pseudonyms import (
    local_hash,
    national_hash,
    normal_email,
    normal_name,
    normal_number,
)

# the example of the NHS Data Dictionary for the check digit of an NHS number
NUMBER = "9434765919"


class Secrets:
    def __init__(self, seed="one"):
        self.seed = seed

    def secret(self, name):
        return hashlib.sha256(f"{self.seed} {name}".encode()).digest()


@pytest.mark.parametrize(
    "written",
    ["943 476 5919", "943-476-5919", " 9434765919\t", "943\u00a0476\u00a05919", "943\u20134765919",
     "\uff19\uff14\uff13 476 5919"],
)  # fmt: skip
def test_an_nhs_number_is_its_digits(written):
    assert normal_number(written) == NUMBER


@pytest.mark.parametrize(
    "written", ["9434765918", "943476591", "94347659190", "94347O5919", "", None, "not known"]
)
def test_what_is_no_nhs_number_is_none(written):
    assert normal_number(written) is None


@pytest.mark.parametrize("digit", "0123456789")
def test_ten_equal_digits_are_a_placeholder(digit):
    assert normal_number(digit * 10) is None


@given(st.integers(0, 9), st.integers(1, 9))
@settings(deadline=None, max_examples=50)
def test_every_slip_in_one_digit_is_found(place, by):
    slip = str((int(NUMBER[place]) + by) % 10)
    assert normal_number(NUMBER[:place] + slip + NUMBER[place + 1 :]) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Zoë O’Hara-Smith", "SMITH, ZOE O'HARA"),
        ("Dr. Zoë O\u00b4Hara Smith", "zoe ohara  smith"),
        ("Søren Łukasz Straße", "soren lukasz strasse"),
        ("Zoe\u0308 Smith", "Zo\u00eb Smith"),
        ("Mary-Jane Lee", "Maryjane LEE"),
        ("Nguyễn Thị Ánh", "Nguyen Thi Anh"),
        ("Mrs Ann Lord", "ann lord"),
    ],
)
def test_names_that_are_the_same(one, other):
    assert normal_name(one) == normal_name(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ann Lee", "Ann B Lee"), ("Kate Lee", "Catherine Lee"), ("Ann Lee", "Anne Lee")],
)
def test_names_that_are_not_the_same(one, other):
    assert normal_name(one) != normal_name(other)


def test_a_name_that_is_a_title_is_a_name_and_one_without_letters_is_none():
    assert normal_name("Lord") == normal_name("LORD") is not None
    assert normal_name("  – 12 ") is normal_name(None) is None


@pytest.mark.parametrize("written", [" Ann.Lee@Example.ORG ", "ann.lee @example.org"])
def test_an_address_without_case_and_spaces(written):
    assert normal_email(written) == "ann.lee@example.org"


@pytest.mark.parametrize("written", ["", None, "ann", "ann@", "@example.org", "a@b@c"])
def test_what_is_no_address_is_none(written):
    assert normal_email(written) is None


@given(st.text(max_size=30), st.text(max_size=30))
@settings(deadline=None, max_examples=50)
def test_normal_forms_stay_as_they_are(name, email):
    for normal, given_text in ((normal_name, name), (normal_email, email)):
        once = normal(given_text)
        assert once is None or normal(once) == once


def test_the_same_person_has_the_same_hash_in_one_library_only():
    here, there = Secrets(), Secrets("two")
    assert national_hash(here, "943 476 5919") == national_hash(here, NUMBER)
    assert national_hash(here, NUMBER) != national_hash(there, NUMBER)
    assert local_hash(here, "Lee, Ann", "A@x.org") == local_hash(here, "ann lee", "a@x.org")
    assert local_hash(here, "Ann Lee", "a@x.org") != local_hash(here, "Ann Lee", "b@x.org")
    assert local_hash(here, "Ann Lee", "a@x.org") != local_hash(there, "Ann Lee", "a@x.org")


def test_hashes_tell_nothing_of_what_they_are_made_of():
    made = national_hash(Secrets(), NUMBER)
    assert len(made) == 32
    assert made != hashlib.sha256(NUMBER.encode()).hexdigest()[:32]
    assert national_hash(Secrets(), "1234") is local_hash(Secrets(), "Ann Lee", "") is None
