"""Uses that patients' records are never given for: marketing, advertising, insurance, sale, credit.

They are refused by name, whatever inflection or spelling, before anything else is looked at. A text
that names such a use is refused even where it means to exclude it ("not for marketing"): no
program tells a denial from a promise safely. Exclusions have a place of their own, `conditions`,
where such a word may stand in a sentence that denies it and makes no exception. The phrases in
`HARMLESS` use such a word for something else.

A list of words stops whoever does not mean to deceive; people read an agreement before they sign.
"""

import difflib
import itertools
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Kind of use -> patterns over plain words (see `plain_words`). A pattern matches whole words.
FORBIDDEN = {
    "marketing": (
        r"(?:\w*)marketing",
        r"markete(?:d|r|rs|er|ers)",
        r"market research",
        r"(?:mail ?shots?|direct mail|mailing lists?)",
        r"lead gen(?:eration)?|generat\w+ leads?|sales? leads?|lead lists?",
        r"(?:customer|lead) acquisition",
        r"promotional \w+",
        r"promot\w+ (?:\w+ ){0,3}(?:products?|brands?|sales?|services? to)",
        r"(?:up|cross) ?sell\w*",
        r"(?:re ?targeting|brand awareness|customer segmentation)",
        r"public relations|publicity",
        r"(?:find|win|gain|attract|recruit|acquir|reach|target)\w* (?:\w+ ){0,2}customers?",
        r"werb(?:ung|en|emittel|ezwecken?|ekampagnen?)|reclame",
    ),
    "advertising": (
        r"advert(?:s|is\w*|iz\w*|orials?)?",
        r"\w*advertis\w+",
        r"(?:targeted|online|digital|display|social media|personali[sz]ed|search) ads?",
        r"ads? (?:target\w*|tech|campaigns?|networks?|exchanges?|words|spend)",
        r"adtech|adwords",
        r"(?:look ?alike|custom) audiences?",
        r"publicite|publicit(?:aire|aria|ario)s?|publicidad|pubblicita",
    ),
    "insurance": (
        r"(?:re)?insur(?:e|es|ed|er|ers|ing|ance|ances|tech|able|ability)",
        r"underwrit\w*",
        r"actuar\w*",
        r"(?:life|sickness|health|medical) assurance",
        r"assurance (?:company|companies|society|societies|group|plc|ltd|limited|polic\w+)",
        r"premium (?:setting|pricing|calculation|rating|loading|rates?|levels?)",
        r"(?:set|sets|setting|price|prices|pricing|calculat\w+) (?:of )?(?:the |their )?premiums?",
        r"policy ?holders?",
        r"(?:life|critical illness|income protection) (?:cover|policy|policies)",
        r"risk rating of applicants",
        r"\w*versicher(?:ung|er)\w*|seguros|seguro (?:de )?(?:vida|salud)|asegurador\w*",
        r"assureurs?|assicura\w+|verzeker\w+",
    ),
    "sale": (
        r"(?:re ?)?sell(?:s|ing|er|ers)?|re ?sold|sold",
        r"re ?sales?",
        r"(?:for|on) sale",
        r"sales? (?:of|to)",
        r"(?:data|record|records|list|information) sales?",
        r"data ?brok\w+|list ?brok\w+|information brok\w+",
        r"(?:data|information) market ?(?:s|place|places)?",
        r"moneti[sz]\w*",
        r"commercial\w* (?:re ?use|exploit\w*) of (?:\w+ ){0,3}(?:data|records?|information)",
        r"trad(?:e|es|ed|ing) (?:in )?(?:(?:the|their|our|these|patients?) ){0,2}"
        r"(?:data|records?|information)",
        r"(?:data|records?) trad(?:e|ing)",
        r"licen[cs]\w* (?:\w+ ){0,8}(?:for|against) (?:a |an )?(?:\w+ )?"
        r"(?:fees?|payments?|royalt\w+|money|price)",
        r"verkauf\w*|vente|venta",
    ),
    "credit": (r"credit (?:scor\w*|risks?|ratings?|checks?|worthiness)|creditworthiness",),
}

#: The same words where they stand for no such use. They are taken out before the search.
HARMLESS = (
    r"post marketing (?:surveillance|safety|study|studies|follow up|pharmacovigilance)",
    r"marketing authori[sz]ations?",
    r"national insurance (?=(?:number|contribution|record|credit)s?\b|data\b)",
    r"insurance status",  # a covariate of other countries' studies
    r"(?:clinical|professional|public liability|indemnity|trial) (?:indemnity )?insurance",
    r"sold out",
)


#: Beside a harmless mention of insurance these say that it is none.
_BUSINESS = r"pric\w*|polic\w*|premiums?|applicants?|compan\w*|group"
#: What is recognised with a slip in it, or with something between its letters.
_STEMS = {
    "marketing": "marketing",
    "advertising": "advertising",
    "advertisement": "advertising",
    "insurance": "insurance",
    "underwriting": "insurance",
}
_SPACED = _STEMS | {
    "insurer": "insurance",
    "insurers": "insurance",
    "reselling": "sale",
    "monetise": "sale",
    "monetize": "sale",
}
_ALIKE = 0.86  # of `difflib`; "assurance" and "insurance" have 0.78
_SHORTEST = 8  # letters of a word in which a slip is looked for
_UNREADABLE = "words in letters that cannot be searched"
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i"}
)
_DENIES = re.compile(r"\b(?:no|not|never|neither|nor|none|without)\b")
_EXCEPTS = re.compile(
    r"\b(?:but|except\w*|unless|however|other than|apart from|beyond|only"
    r"|no (?:limit\w*|restriction\w*|objection\w*|harm|reason))\b"
)


@dataclass(frozen=True)
class Found:
    """A forbidden use: of which kind, in which words, in which place of the agreement."""

    kind: str
    words: str
    place: str


def search(text: str, place: str = "text") -> list[Found]:
    """Forbidden uses that a text names, one per kind, and words that hide what they say.

    Parameters
    ----------
    text
        Anything a person wrote.
    place
        What it was, for the message.
    """
    plain, hidden = plain_words(text)
    found = [Found(_UNREADABLE, hidden, place)] if hidden else []
    left = re.sub(rf"\b(?:{'|'.join(HARMLESS)})", " ", plain)
    if "insurance" in plain and (hit := re.search(rf"\b(?:{_BUSINESS})\b", left)):
        found.append(Found("insurance", hit[0], place))
    for kind, patterns in FORBIDDEN.items():
        hit = re.search(rf"\b(?:{'|'.join(patterns)})\b", left)
        if hit:
            found.append(Found(kind, hit[0].strip(), place))
    slip = _misspelt(left) or _spaced(left)
    if slip:
        found.append(Found(_SPACED[slip], slip, place))
    return list({f.kind: f for f in reversed(found)}.values())[::-1]


def search_all(content: Mapping[str, Any]) -> list[Found]:
    """Forbidden uses in an agreement, whatever is nested in it.

    An agreement that is broken is searched as well: what is forbidden is said before what is
    spelt wrongly.
    """
    found = []
    for name, value in content.items():
        for where, text in texts(value, str(name)):
            parts = _promises(text) if name == "conditions" else [text]
            found += [one for part in parts for one in search(part, where)]
    return found


def _promises(text: str) -> list[str]:
    """Sentences of a condition that do not plainly deny what they name."""
    sentences = re.split(r"[.;!?\n]+(?=\s|$)", text)
    return [
        s for s in sentences if not _DENIES.search(s.casefold()) or _EXCEPTS.search(s.casefold())
    ]


def texts(value: Any, place: str) -> list[tuple[str, str]]:
    """Every text in a value, whatever it is nested in, with the place it stands in."""
    if isinstance(value, str):
        return [(place, value)]
    if isinstance(value, Mapping):
        return [t for key, part in value.items() for t in texts(part, f"{place}.{key}".strip("."))]
    if isinstance(value, list | tuple):
        return [t for part in value for t in texts(part, place)]
    return []


def plain_words(text: str) -> tuple[str, str]:
    """Lower-case words with single spaces: no accents, hyphens, or characters nobody sees.

    Also the first word with letters that are no Latin ones, or "": it may look like another.
    """
    wide = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS)
    seen = "".join(c for c in wide if unicodedata.category(c) not in ("Cf", "Mn"))
    strange = (w for w in re.findall(r"[^\W\d_]{3,}", seen) if not w.isascii())
    return re.sub(r"[^a-z0-9]+", " ", seen).strip(), next(strange, "")


def _misspelt(plain: str) -> str | None:
    """The forbidden word that a word is, but for a slip."""
    for word in dict.fromkeys(plain.split()):
        near = [stem for stem in _STEMS if stem[0] == word[0] and stem != word]
        close = difflib.get_close_matches(word, near, n=1, cutoff=_ALIKE)
        if close and len(word) >= _SHORTEST:
            return close[0]
    return None


def _spaced(plain: str) -> str | None:
    """The forbidden word that several words make if what stands between them is taken out."""
    words = plain.split()
    ends = list(itertools.accumulate(map(len, words)))
    starts, joined = {0, *ends}, "".join(words)
    for word in _SPACED:
        for hit in re.finditer(word, joined):
            if hit.start() in starts and hit.end() in starts:
                return word
    return None
