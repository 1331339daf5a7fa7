"""Free text: what may tell who somebody is is replaced by a mark of its kind, such as [NAME].

Two layers: what is known of the very patient (parts of the name and their short forms, NHS number,
telephone, e-mail, postcode, date of birth in any usual form), and general patterns. Both take
rather too much than too little: every capitalised word inside a sentence that is not in a short
list counts as a name, every number of six digits or more as a number of somebody.

Redaction is no proof. It misses an unusual name at the start of a sentence or in small letters, if
it is not the patient's own; a place described in words; a life told so that neighbours know whose
it is. Transcripts stay inside the library, and who reads samples of them is bound to secrecy.
"""

import base64
import binascii
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date

from iesoresearch.library.deidentify.patterns import MONTHS, PATTERNS, SHORT_FORMS
from iesoresearch.library.deidentify.pseudonyms import normal_number

_MARK = re.compile(r"(\[[A-Z ]+\])")
_CAPITAL = re.compile(r"(?<![\[\w])[A-Z][\w'’-]*(?:\s+[A-Z][\w'’-]*)*")
_SENTENCE = re.compile(r"(?:^|[.!?:;…\"“”()]\s*|\n\s*)$")
_WORDS = """
I I'm I’m I've I’ve I'd I’d I'll I’ll OK PHQ GAD WSAS CBT NHS GP TV DNA IAPT PTSD OCD IPT EMDR PHQ-9
GAD-7 Monday Tuesday Wednesday Thursday Friday Saturday Sunday Christmas Easter English British
"""
#: Capitalised words that tell nobody's name.
_HARMLESS = frozenset(_WORDS.split())
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
#: Kinds that no sentence of ours holds by itself.
_IN_MESSAGES = ("EMAIL", "POSTCODE", "NUMBER", "NAME")
#: A day and a financial year as our own messages show how they are written; nobody's.
_EXAMPLE = re.compile(r"(?<![\w/.-])(2024-01-31|2023-24)(?![\w/-])")
_LINK = r"[\s.,()\-_/]*"


class Own:
    """What is known of one patient, as a pattern for each kind; its repr shows none of it."""

    def __init__(
        self,
        names: Iterable[str] = (),
        numbers: Iterable[str] = (),
        emails: Iterable[str] = (),
        phones: Iterable[str] = (),
        postcodes: Iterable[str] = (),
        births: Iterable[date] = (),
    ) -> None:
        words = {w for name in names for w in _name_words(name)}
        words |= {w for e in emails for w in re.findall(r"[^\W\d_]{3,}", _plain(e).split("@")[0])}
        short = {s for w in words for s in SHORT_FORMS.get(w, "").split()}
        phone = {_bare_phone(p) for p in phones} - {""}
        kinds = {
            "EMAIL": [re.escape(_plain(e)) for e in emails],
            "NHS NUMBER": [_spaced(n) for n in numbers],
            "PHONE": [rf"(?:\+?44{_LINK}|0)?(?:\(0\))?{_LINK}{_spaced(p)}" for p in phone],
            "POSTCODE": [_spaced(p.casefold()) for p in postcodes],
            "DATE OF BIRTH": [f for born in births for f in _dates_of(born)],
            "NAME": [_of_word(w) for w in sorted(words | short, key=len, reverse=True)],
        }
        self.patterns = [
            (kind, re.compile("|".join(f"(?<!\\w)(?:{p})(?!\\w)" for p in patterns), re.I))
            for kind, patterns in kinds.items()
            if patterns
        ]


class Redactor:
    """Redacts texts by general patterns, and by what is known of a patient.

    Parameters
    ----------
    names
        Words that are names here, such as those of therapists.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        words = sorted({w for name in names for w in _name_words(name) if len(w) > 2})
        self._names = frozenset(words)

    def redact(self, text: str, own: Own | None = None) -> tuple[str, Counter[str]]:
        """A text with marks in place of what may tell who somebody is, and the marks by kind.

        The text is put into the normal form NFKC first, so that digits of full width are digits,
        and characters without width are taken out.
        """
        text, counts = plain_form(text), Counter()
        text = self._encoded(text, own, counts)
        for kind, pattern in [*(own.patterns if own else ()), *PATTERNS]:
            text = _replaced(text, kind, pattern, counts)
        if self._names:
            text = _replaced_words(text, self._names, counts)
        return _without_capitals(text, counts), counts

    def _encoded(self, text: str, own: Own | None, counts: Counter[str]) -> str:
        """Base64 in which something is hidden."""

        def replaced(match: re.Match) -> str:
            inside = _decoded(match[0])
            if inside and Redactor(self._names).redact(inside, own)[1]:
                counts["CODE"] += 1
                return "[CODE]"
            return match[0]

        return _ENCODED.sub(replaced, text)


def without_identifiers(message: str) -> str:
    """A sentence of ours into which words of a site may have come, without what names a person.

    The capitals of our own sentences stay, and the examples in them.
    """
    counts: Counter[str] = Counter()
    parts = _EXAMPLE.split(message)  # every other one is an example
    for kind, pattern in PATTERNS:
        if kind in _IN_MESSAGES:
            parts[::2] = [_replaced(part, kind, pattern, counts) for part in parts[::2]]
    return "".join(parts)


def plain_form(text: str) -> str:
    """Text in the normal form NFKC, without characters that nobody sees."""
    text = unicodedata.normalize("NFKC", text)
    return "".join(c for c in text if unicodedata.category(c) != "Cf")


def _plain(text: str) -> str:
    return plain_form(text).casefold().strip()


def _decoded(word: str) -> str | None:
    padded = word.rstrip("=") + "=" * (-len(word.rstrip("=")) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_" if "-" in word or "_" in word else None,
                                validate=True).decode("utf-8")  # fmt: skip
    except (binascii.Error, ValueError):
        return None


def _replaced(text: str, kind: str, pattern: re.Pattern, counts: Counter[str]) -> str:
    def mark(match: re.Match) -> str:
        named = "hit" in pattern.groupindex
        hit = match["hit"] if named else match[0]
        if not hit.strip(" [],.") or hit.startswith("["):
            return match[0]
        what = _number(hit) if kind == "NUMBER" else kind
        counts[what] += 1
        start = match.start("hit") - match.start() if named else 0
        tail = match[0][start + len(hit) :] if named else hit[len(hit.rstrip()) :]
        return f"{match[0][:start]}[{what}]{tail}"

    return pattern.sub(mark, text)


def _number(digits: str) -> str:
    if normal_number(digits):
        return "NHS NUMBER"
    bare = re.sub(r"\D", "", digits)
    return "PHONE" if 10 <= len(bare) <= 14 and digits.lstrip(" (")[0] in "0+" else "NUMBER"


def _replaced_words(text: str, names: frozenset[str], counts: Counter[str]) -> str:
    def mark(match: re.Match) -> str:
        if match[0].casefold() not in names:
            return match[0]
        counts["NAME"] += 1
        return "[NAME]"

    return re.sub(r"(?<![\[\w])[^\W\d_]+(?![\w\]])", mark, text)


def _without_capitals(text: str, counts: Counter[str]) -> str:
    """Capitalised words inside sentences, outside the marks that are there."""
    marks = [m.span() for m in _MARK.finditer(text)]

    def mark(match: re.Match) -> str:
        if any(start <= match.start() < end for start, end in marks):
            return match[0]
        words = match[0].split()
        at_start = _SENTENCE.search(text[: match.start()]) is not None
        rest = words[1:] if at_start and len(words) > 1 else words
        if (at_start and len(words) == 1) or all(w in _HARMLESS for w in rest):
            return match[0]
        counts["NAME"] += 1
        return f"{words[0]} [NAME]" if at_start else "[NAME]"

    return _CAPITAL.sub(mark, text)


def _name_words(name: str) -> Iterator[str]:
    for word in re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", _plain(name)):
        if len(word) > 1:
            yield word
        pieces = [*word.split("-"), *re.split(r"['’-]", word)]
        yield from (piece for piece in pieces if len(piece) > 2 and piece != word)


def _of_word(word: str) -> str:
    """A word, with or without its accents, apostrophes and hyphens, also in the possessive."""
    bare = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    forms = {word, bare, re.sub(r"['’-]", "", bare), re.sub(r"['’-]", " ", bare)}
    return "(?:" + "|".join(map(re.escape, sorted(forms))) + ")(?:['’]?s)?"


def _spaced(letters: str) -> str:
    return _LINK.join(map(re.escape, letters))


def _bare_phone(phone: str) -> str:
    """The digits of a British number without what stands for the country or the trunk."""
    digits = re.sub(r"\D", "", _plain(phone))
    return re.sub(r"^(?:00)?(?:44)?0?", "", digits) if len(digits) >= 6 else ""


def _dates_of(born: date) -> list[str]:
    """Patterns of a day in the forms in which people write it."""
    day, month, year = born.day, born.month, born.year
    years = rf"(?:{year}|['’]?{year % 100:02})"
    ordinal = rf"0?{day}(?:st|nd|rd|th)?"
    name = MONTHS[month - 1]
    named = rf"(?:{name}|{name[:3]}|{name[:4]})\.?"
    by = r"[\s./,-]*"
    return [
        rf"{year}{by}0?{month}{by}0?{day}",
        rf"0?{day}{by}0?{month}{by}{years}",
        rf"0?{month}{by}0?{day}{by}{years}",
        rf"{ordinal}{by}(?:of{by})?{named}{by}(?:{years})?",
        rf"{named}{by}(?:the{by})?{ordinal}{by}(?:{years})?",
    ]
