"""Uses that patients' records are never given for: marketing, advertising, insurance, sale.

They are refused by name, whatever inflection or spelling, before anything else is looked at. A text
that names such a use is refused even where it means to exclude it ("not for marketing"): no
program tells a denial from a promise safely, and exclusions have a place of their own,
`conditions`, which is not searched. The phrases in `HARMLESS` use such a word for something else.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Kind of use -> patterns over plain words (see `_plain`). A pattern matches whole words.
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
        r"public relations",
    ),
    "advertising": (
        r"advert(?:s|is\w*|iz\w*|orials?)?",
        r"\w*advertis\w+",
        r"(?:targeted|online|digital|display|social media|personali[sz]ed|search) ads?",
        r"ads? (?:target\w*|tech|campaigns?|networks?|exchanges?|words|spend)",
        r"adtech|adwords",
        r"(?:look ?alike|custom) audiences?",
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
    ),
}

#: The same words where they stand for no such use. They are taken out before the search.
HARMLESS = (
    r"post marketing (?:surveillance|safety|study|studies|follow up|pharmacovigilance)",
    r"marketing authori[sz]ations?",
    r"national insurance",
    r"insurance status",  # a covariate of other countries' studies
    r"(?:clinical|professional|public liability|indemnity|trial) (?:indemnity )?insurance",
    r"sold out",
)


@dataclass(frozen=True)
class Found:
    """A forbidden use: of which kind, in which words, in which place of the agreement."""

    kind: str
    words: str
    place: str


def search(text: str, place: str = "text") -> list[Found]:
    """Forbidden uses that a text names, one per kind.

    Parameters
    ----------
    text
        Anything a person wrote.
    place
        What it was, for the message.
    """
    plain = _plain(text)
    for phrase in HARMLESS:
        plain = re.sub(rf"\b(?:{phrase})\b", " ", plain)
    found = []
    for kind, patterns in FORBIDDEN.items():
        hit = re.search(rf"\b(?:{'|'.join(patterns)})\b", plain)
        if hit:
            found.append(Found(kind, hit[0].strip(), place))
    return found


def search_all(content: Mapping[str, Any], places: tuple[str, ...]) -> list[Found]:
    """Forbidden uses in some `places` of an agreement, whatever is nested in them.

    An agreement that is broken is searched as well: what is forbidden is said before what is
    spelt wrongly.
    """
    return [
        found
        for place in places
        for where, text in texts(content.get(place), place)
        for found in search(text, where)
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


def _plain(text: str) -> str:
    """Lower-case words with single spaces: no accents, hyphens, or characters nobody sees."""
    wide = unicodedata.normalize("NFKD", text).casefold()
    seen = "".join(c for c in wide if unicodedata.category(c) not in ("Cf", "Mn"))
    return re.sub(r"[^a-z0-9]+", " ", seen).strip()
