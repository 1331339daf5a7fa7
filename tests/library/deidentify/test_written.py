"""Words for the log: what names a patient is found, what is written of studies passes."""

import pytest

from iesoresearch.errors import ParameterError
from iesoresearch.library.deidentify.written import kind_of_identifier, refuse_identifiers

WIDE = {ord(str(n)): chr(0xFF10 + n) for n in range(10)}  # digits of full width
#: 4000079190 by modulus 11: 4·10 + 7·5 + 9·4 + 1·3 + 9·2 = 132 leaves 0, and the check digit is 0.
NUMBERS = [
    *("4000079190", "400.007.9190", "400\u00a0007\u00a09190", "400/007/9190", "400 - 007 - 9190"),
    *("400_007_9190", "4000079190.0", "id4000079190", "400 007 9191"),
    "4000\u200b079190".translate(WIDE),
]


@pytest.mark.parametrize("number", NUMBERS)
def test_nhs_numbers_are_found_whatever_stands_between(number):
    assert kind_of_identifier(f"asked by {number}, today") == "an NHS number"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("lives at SW1A 1AA", "a postcode"),
        ("sw1a1aa", "a postcode"),
        ("call 07700 900123", "a telephone number"),
        ("+44 (0)20 7946 0018", "a telephone number"),
        ("ann @example.org wrote", "an e-mail address"),
        ("born 2019-03-05", "a date of birth"),
        ("of 5 March 1987", "a date of birth"),
        ("05/03/87", "a date of birth"),
        ("March 5th, 1987", "a date of birth"),
        ("Susan asked", "a name"),
        ("for Mr Byron", "a name"),
    ],
)
def test_other_identifiers_are_found(text, kind):
    assert kind_of_identifier(f"letter: {text}") == kind


@pytest.mark.parametrize(
    "text",
    [
        "REC 23/LO/0123, IRAS 123456, ISRCTN12345678, NCT01234567",
        "DARS-NIC-123456-A1B2C, version 2.1 of 31 January 2026",
        "lists of 2026-01-31 and 2026-02-28; years 2023-24, 2024-25, 2025-26",
        "https://doi.org/10.1186/1471-244X-13-1, doi:10.1016/S2215-0366(20)30222-4",
        "Article 6(1)(e) and Article 9(2)(j) of the UK GDPR",
        "9434765918",  # no valid check digit, not grouped
        "PHQ-9 and GAD-7 of 100000 patients",
    ],
)
def test_what_is_written_of_studies_passes(text):
    assert kind_of_identifier(text) is None


def test_an_organisation_may_bear_a_name():
    assert kind_of_identifier("James Cook University Hospital", names=False) is None


def test_every_place_is_named_and_no_word():
    places = [("title", "of 400.007.9190", True), ("purpose", "x@example.org", True)]
    with pytest.raises(ParameterError, match=r"title holds .* NHS number; purpose holds") as raised:
        refuse_identifiers([*places, ("id", "fine", True)], "a.yaml")
    assert "9190" not in str(raised.value)
    assert "example.org" not in str(raised.value)
