"""Keyed hashes that say whether two mentions are of the same person, and nothing else.

The same words give the same hash in one library, and another in every other; without the library's
secret nobody can try numbers or names until one fits. What is hashed is a normal form, so that
spelling does not decide whether a choice is honoured:

* NHS numbers: digits alone, whatever stands between them; the check digit must be right (modulus
  11, NHS Data Dictionary), and a number of ten equal digits is a placeholder, not a person.
* Names: their letters in alphabetical order, without case, accents and titles, so that neither the
  order of the words nor what stands between them counts. So "Dr. Zoë O'Hara-Smith", "SMITH, ZOE
  O HARA" and "zoe ohara smith" are the same. Not the same: with and without a middle name or
  initial, nicknames, former names. Other people whose names have the same letters are told apart
  by their e-mail address, as people of the same name are.
* E-mail addresses: without case and spaces. Not the same: with and without a part after a plus
  sign, two addresses of one mailbox.
"""

import hmac
import re
import unicodedata
from collections.abc import Iterable
from operator import mul

_TITLES = re.compile(
    r"\b(?:mr|mrs|ms|miss|mx|master|dr|prof|professor|rev|reverend|sir|dame|lady|lord)\b"
)
#: Apostrophes, and what people type for one.
_APOSTROPHES = dict.fromkeys(map(ord, "'`\u2018\u2019\u00b4\u02bc"))
#: Letters that have no accent to take off.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
)
_BYTES = 16
_WEIGHTS = range(10, 1, -1)  # of the first nine digits
_AS_FRACTION = re.compile(r"\.0+$")  # as programs save numbers of a column with gaps
_BETWEEN = re.compile(r"[\W_]")


def national_hash(library, nhs: str) -> str | None:
    """Keyed hash of an NHS number, 32 hex digits; None if it is no valid one."""
    return national_hashes(library, [nhs])[0]


def local_hash(library, name: str, email: str) -> str | None:
    """Keyed hash of a name with an e-mail address, 32 hex digits; None if either is no such."""
    return local_hashes(library, [name], [email])[0]


def national_hashes(library, numbers: Iterable[str | None]) -> list[str | None]:
    """`national_hash` of each."""
    secret = library.secret("national opt-out")
    return [_hash(secret, normal_number(number)) for number in numbers]


def local_hashes(
    library, names: Iterable[str | None], emails: Iterable[str | None]
) -> list[str | None]:
    """`local_hash` of each pair."""
    secret = library.secret("local opt-out")
    pairs = zip(names, emails, strict=True)
    return [_hash(secret, _pair(normal_name(name), normal_email(email))) for name, email in pairs]


def normal_number(number: str | None) -> str | None:
    """Ten digits of a valid NHS number; None if it is none."""
    text = (number or "").replace(" ", "").replace("-", "")
    if "." in text:
        text = _AS_FRACTION.sub("", text.strip())
    if not (text.isascii() and text.isdigit()):
        text = unicodedata.normalize("NFKC", text)
        text = _BETWEEN.sub("", text)
    if len(text) != 10 or not text.isascii() or not text.isdigit() or text == text[0] * 10:
        return None
    total = sum(map(mul, map(int, text), _WEIGHTS))
    return text if (11 - total % 11) % 11 == int(text[-1]) else None


def normal_name(name: str | None) -> str | None:
    """Letters of a name in their normal form; None without a letter."""
    text = name or ""
    if text.isascii():
        text = text.lower().replace("'", "").replace("`", "")
    else:
        text = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES)).casefold()
        text = "".join(c for c in text.translate(_LETTERS) if unicodedata.category(c) != "Mn")
    return _letters(_TITLES.sub(" ", text)) or _letters(text) or None


def _letters(text: str) -> str:
    return "".join(sorted(filter(str.isalpha, text)))


def normal_email(email: str | None) -> str | None:
    """An e-mail address in its normal form; None if it is none."""
    text = "".join(unicodedata.normalize("NFKC", email or "").casefold().split())
    return text if text.count("@") == 1 and text[0] != "@" != text[-1] else None


def _pair(name: str | None, email: str | None) -> str | None:
    return f"{name}\n{email}" if name and email else None


def _hash(secret: bytes, normal: str | None) -> str | None:
    if normal is None:
        return None
    return hmac.digest(secret, normal.encode(), "sha256")[:_BYTES].hex()
