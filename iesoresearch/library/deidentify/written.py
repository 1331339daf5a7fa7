"""What people write for the log, the register and an agreement, searched for who a patient is.

Numbers of studies and reviews, days of approvals and references of publications are no patient's;
an NHS number is, whatever stands between its digits, and so are e-mail addresses, postcodes,
telephone numbers and days of birth. Names are looked for where no organisation may bear one.
"""

import re
from collections.abc import Iterable
from datetime import date

from iesoresearch.errors import ParameterError
from iesoresearch.library.deidentify.patterns import MONTHS, PATTERNS
from iesoresearch.library.deidentify.pseudonyms import normal_number
from iesoresearch.library.deidentify.words import plain_form, without_identifiers

_MONTH = "|".join(f"{m}|{m[:3]}|{m[:4]}" for m in MONTHS)
_NUMERIC = r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}([-/.])\d{1,2}\1(?:\d{4}|\d\d)"
_SPELT = (
    rf"\d{{1,2}}(?:st|nd|rd|th)?[\s-]+(?:of\s+)?(?:{_MONTH})\.?[\s,-]+\d{{4}}"
    rf"|(?:{_MONTH})\.?\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}"
)
_DAY = re.compile(rf"(?<!\w)(?:{_NUMERIC}|{_SPELT})(?!\w)", re.IGNORECASE)
_YEARS = re.compile(r"\b(?:19|20)\d\d[-/]\d\d\b")
_REFERENCE = re.compile(r"https?://\S+|\b(?:doi:\s*)?10\.\d{4,9}/\S+", re.IGNORECASE)
_TEN = re.compile(r"(?<!\d)\d(?:[\W_]{0,3}\d){9}(?!\d)")
_GROUPED = re.compile(r"(?<![\w.-])\d{3}[\W_]\d{3}[\W_]\d{4}(?!\w)")
_PHONE = re.compile(r"(?<![\w.])(?:\+|0)\(?\d(?:[\s()./-]{0,2}\d){8,12}(?!\w)")
_MAIL = re.compile(r"[^\s@]\s?@\s?[^\s@]+\.[^\W\d_]{2}")
_BORN = re.compile(r"\b(?:born|birth|birthday|dob|d\.o\.b)\b", re.IGNORECASE)
_POSTCODE = dict(PATTERNS)["POSTCODE"]
#: A day longer ago than this may be one of birth.
_YEARS_OF_DAYS = 10


def kind_of_identifier(text: str, *, names: bool = True) -> str | None:
    """What a text seems to hold of a person, in words for a message; None if nothing.

    Parameters
    ----------
    text
        Words that a person wrote.
    names
        Whether forenames and titles count; not where an organisation or an author is named.
    """
    text = plain_form(text)
    bare = _REFERENCE.sub(" x ", text)
    if _MAIL.search(text):
        return "an e-mail address"
    if _of_birth(bare):
        return "a date of birth"
    digits = _YEARS.sub(" x ", _DAY.sub(" x ", bare))
    if _GROUPED.search(digits) or any(normal_number(ten) for ten in _TEN.findall(digits)):
        return "an NHS number"
    if _POSTCODE.search(bare):
        return "a postcode"
    if _PHONE.search(digits):
        return "a telephone number"
    if names and "[NAME]" in without_identifiers(bare):
        return "a name"
    return None


def _of_birth(text: str) -> bool:
    days = list(_DAY.finditer(text))
    if days and _BORN.search(text):
        return True
    return any(_year(day[0]) <= date.today().year - _YEARS_OF_DAYS for day in days)


def _year(day: str) -> int:
    """Of a day as it is written; two digits of the coming years are of the last century."""
    whole = re.search(r"\d{4}", day)
    if whole:
        return int(whole[0])
    short = int(day[-2:])
    return short + (2000 if short <= date.today().year % 100 + 10 else 1900)


def refuse_identifiers(
    places: Iterable[tuple[str, str, bool]], where: str, kept_in: str = "the log of the library"
) -> None:
    """Refuse words that seem to name a patient.

    Parameters
    ----------
    places
        Name of each place, its text, and whether names count there.
    where
        Whose places they are, for the message.
    kept_in
        Where they would be read.

    Raises
    ------
    ParameterError
        Naming every place and what it holds, never the words.
    """
    kinds = ((place, kind_of_identifier(text, names=names)) for place, text, names in places)
    found = [f"{place} holds what looks like {kind}" for place, kind in kinds if kind]
    if found:
        raise ParameterError(
            f"{where}: {'; '.join(dict.fromkeys(found))}. It would be kept in {kept_in}, which "
            "never name a patient: write it without."
        )
