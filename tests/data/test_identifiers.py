"""Columns of identifiers keep a table out; what only resembles one does not."""

import datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iesoresearch.data.identifiers import identifiers, refuse
from iesoresearch.errors import DataError


def check_digit(nine):
    """Modulus 11 by the textbook: weights 10 to 2, 11 counts as 0, 10 means there is no number."""
    digit = 11 - sum(int(d) * w for d, w in zip(nine, range(10, 1, -1), strict=True)) % 11
    return {11: 0}.get(digit, digit)


def numbers(n, wrong=0):
    """Ten-digit numbers whose check digit is off by `wrong`."""
    nines = [f"{400_000_000 + 7919 * i:09}" for i in range(3 * n)]
    valid = [x for x in nines if check_digit(x) != 10]
    return [x + str((check_digit(x) + wrong) % 10) for x in valid][:n]


DAYS = [f"{1940 + i}-03-0{1 + i % 9}" for i in range(60)]
REFUSED = {
    "NHS numbers": ("NHS numbers", numbers(20)),
    "NHS numbers with spaces": ("NHS numbers", [f"{n[:3]} {n[3:6]} {n[6:]}" for n in numbers(20)]),
    "NHS numbers as numbers": ("NHS numbers", [int(n) for n in numbers(20)]),
    "NHS numbers in place of some ids": ("NHS numbers", numbers(6) + [f"A{i}" for i in range(50)]),
    "one e-mail address": ("e-mail addresses", ["x", "y", "ada@example.org"]),
    "postcodes": ("postcodes", ["SW1A 1AA", "m1 1ae", "B338TH", None]),
    "telephone numbers": ("telephone numbers", ["07700 900123", "+44 7700 900456", "01632960001"]),
    "full names": ("names of people", ["Smith, Susan", "JOHN EVANS", "Peter O’Neill", "x"]),
    "dates of birth, by their spread": ("dates of birth", DAYS),
    "days as days": ("dates of birth", [datetime.date.fromisoformat(d) for d in DAYS]),
}


@pytest.mark.parametrize(("kind", "cells"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(kind, cells):
    frame = pl.DataFrame({"a": range(len(cells)), "b": cells})
    assert [(i.place, i.kind) for i in identifiers(frame)] == [(2, kind)]
    with pytest.raises(DataError) as caught:
        refuse({"contacts": frame.lazy()}, "Some data")
    assert str(caught.value) == (
        f"Some data: contacts: column 2 looks like an identifier ({kind}). Nothing was loaded. "
        "Take such columns out, or put pseudonyms in their place that nobody can trace back, where "
        "the data leave the clinical system."
    )


LET_PASS = {
    "ten digits with wrong check digits": numbers(50, wrong=1),
    "ten digits in sequence": [str(1_000_000_000 + i) for i in range(200)],
    "pseudonyms": [f"P{i:06}" for i in range(50)],
    "ids with leading zeros": [f"{i:011}" for i in range(50)],
    "hashes": [f"{hash((i, 'x')) & (2**64 - 1):016x}" for i in range(50)],
    "ethnic groups": ["White British", "Asian or Asian British", "Chinese"] * 9,
    "therapies": ["cognitive behaviour therapy", "guided self-help (book)"] * 9,
    "SNOMED codes": ["304891004", "748051000000105"] * 9,
    "days of contact": [f"202{i % 6}-03-01" for i in range(60)],
    "nothing": [None, "", " "],
    "answers": [0, 1, 2, 3],
}


@pytest.mark.parametrize("cells", LET_PASS.values(), ids=LET_PASS.keys())
def test_let_pass(cells):
    assert identifiers(pl.DataFrame({"b": cells})) == []


@pytest.mark.parametrize(
    ("name", "cells", "kind"),
    [
        ("DOB", ["01/02/2001"] * 3, "dates of birth"),
        ("date_of_birth", ["2001-02-01"] * 3, "dates of birth"),
        ("Surname", ["Aaa", "Bbb", "Ccc", "Ddd", "Eee", "Fff"], "names of people"),
    ],
)
def test_the_name_of_a_column_tells(name, cells, kind):
    assert [i.kind for i in identifiers(pl.DataFrame({name: cells}))] == [kind]
    assert identifiers(pl.DataFrame({name: [None] * 3}, schema={name: pl.String})) == []


def test_days_of_care_may_hold_slips():
    days = pl.DataFrame({"referral_date": ["2024-01-05", "1924-01-05", "2084-01-05"]})
    assert identifiers(days) == []
    assert [i.kind for i in identifiers(days, days=())] == ["dates of birth"]


def test_a_column_of_the_schema_is_named_and_another_is_not():
    frame = pl.DataFrame({"patient_id": numbers(9), "Lovelace": numbers(9)})
    with pytest.raises(DataError) as caught:
        refuse({"patients": frame}, "x")
    assert "patients: patient_id looks like an identifier" in str(caught.value)
    assert "patients: column 2 looks like an identifier" in str(caught.value)
    assert "Lovelace" not in str(caught.value)


@given(st.integers(100_000_000, 999_999_999), st.integers(0, 9))
def test_check_digit_against_the_textbook(nine, last):
    number = f"{nine}{last}"
    found = identifiers(pl.DataFrame({"x": [number]}))
    assert bool(found) == (check_digit(str(nine)) == last)
