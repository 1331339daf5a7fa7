"""Published labels of groups of patients, and our words for them.

Labels change from year to year: in capitals ("Any Other Asian Background"), in their bands (ages,
from 2021-22 on) and in which end deprivation is counted from. What is not listed here is refused
by name: a group that is silently left out, or taken for another, would change every comparison.
"""

import re

from iesoresearch.data import codes

UNKNOWN = "not known"
TOTAL = "total"
#: Published breakdown, in small letters -> ours. Two of ours come from one: see `ETHNIC`.
BREAKDOWNS = {
    "total": TOTAL,
    "ethnic group": "ethnic group",
    "indices of deprivation decile": "deprivation decile",
    "age group": "age",
    "gender": "gender",
    "sexual orientation type": "orientation",
    "religion": "religion",
    "disability type": "disability",
    "long term condition status": "long-term condition",
}
#: Breakdowns of the same files that are not about who the patients are, or (the last) lump
#: together groups whose outcomes differ.
PASSED_OVER = (
    *("waiting time", "presenting complaint", "problem descriptor", "consultation medium"),
    *("stepped care pathway", "mental health care cluster", "bme group"),
)
ETHNIC, ETHNICITY = "ethnic group", "ethnicity"
_MISSING = "not stated/not known/invalid"
_PARENTS = {
    "white": "White",
    "mixed": "Mixed",
    "asian or asian british": "Asian or Asian British",
    "black or black british": "Black or Black British",
    "other ethnic groups": "Other",
    _MISSING: "Not known",
}
_CHILDREN = {
    (group.casefold(), label.casefold()): code for code, (group, label) in codes.ETHNICITIES.items()
}
#: Bands until 2020-21 are other ones; `COMMON_AGES` are the finest that both have.
_AGES = {
    "under 16": "<16",
    "16 to 17": "16-17",
    "18 to 35": "18-35",
    "36 to 64": "36-64",
    "65 and over": "65+",
    "under 18": "<18",
    "18 to 25": "18-25",
    "26 to 64": "26-64",
    "65 to 74": "65-74",
    "75 to 89": "75-89",
    "90 and over": "90+",
}
COMMON_AGES = {
    "<18": ("<18", "<16", "16-17"),
    "18-64": ("18-25", "26-64", "18-35", "36-64"),
    "65+": ("65+", "65-74", "75-89", "90+"),
}
_GENDERS = {
    "female": "female",
    "male": "male",
    "indeterminate (unable to be classified as male or female)": "other",
    "indeterminate": "other",
}
_ORIENTATIONS = {
    "heterosexual": "heterosexual",
    "heterosexual or straight": "heterosexual",
    "gay/lesbian": "gay or lesbian",
    "gay or lesbian": "gay or lesbian",
    "bi-sexual": "bisexual",
    "bisexual": "bisexual",
}
_RELIGIONS = {
    name.casefold(): name
    for name in (
        *("Baha'i", "Buddhist", "Christian", "Hindu", "Jain", "Jewish", "Muslim", "Pagan", "Sikh"),
        *("Zoroastrian", "none", "other"),
    )
}
_CONDITIONS = {
    "long term condition": "yes",
    "no long term condition": "no",
    _MISSING: "not stated",
}
#: Code of a disability -> a word that its label must hold, our word.
_DISABILITIES = {
    "01": ("behaviour", "behaviour and emotion"),
    "02": ("hearing", "hearing"),
    "03": ("dexterity", "manual dexterity"),
    "04": ("learn", "learning or memory"),
    "05": ("mobility", "mobility"),
    "06": ("danger", "perception of danger"),
    "07": ("personal", "personal care"),
    "08": ("progressive", "progressive condition"),
    "09": ("sight", "sight"),
    "10": ("speech", "speech"),
    "NN": ("no disability", "none"),
    "XX": ("other", "other"),
    "ZZ": ("not stated", "not stated"),
}
_UNCODED_DISABILITIES = {"invalid code": UNKNOWN, "no code recorded": "not recorded"}
_BY_BREAKDOWN = {
    "age": _AGES,
    "gender": _GENDERS,
    "orientation": _ORIENTATIONS,
    "religion": _RELIGIONS,
}
#: Groups that say nothing about who somebody is: never compared, never a reference.
SAYS_NOTHING = (UNKNOWN, "not stated", "not recorded", "Not known", "Z")
LEAST, MOST = "least", "most"
_DECILE = re.compile(r"0?(\d\d?) (least|less|more|most) deprived")


def named(breakdown: str, first: str, second: str | None) -> tuple[str, str] | None:
    """Our breakdown and group of two published labels; None where nobody knows such a group.

    Parameters
    ----------
    breakdown
        Ours, a value of `BREAKDOWNS`.
    first, second
        ``variable_a`` and ``variable_b`` of a long file; the second is a group within the first,
        "All" for the first itself.
    """
    first, second = _plain(first), None if second is None else _plain(second)
    if breakdown == TOTAL:
        return TOTAL, "all"
    if breakdown == ETHNIC:
        return _ethnic(first, second)
    if second not in (None, "all"):
        return None
    group = _group(breakdown, first)
    return None if group is None else (breakdown, group)


def _plain(label: str) -> str:
    return " ".join(label.replace("`", "'").casefold().split())


def _group(breakdown: str, label: str) -> str | None:
    if breakdown == "deprivation decile":
        return _decile(label)
    if breakdown == "disability":
        return _disability(label)
    if breakdown == "long-term condition":
        return _CONDITIONS.get(label)
    return UNKNOWN if label == _MISSING else _BY_BREAKDOWN[breakdown].get(label)


def _ethnic(first: str, second: str | None) -> tuple[str, str] | None:
    parent = _PARENTS.get(first)
    if parent is None:
        return None
    if second in (None, "all") or parent == "Not known":
        return ETHNIC, parent
    code = _CHILDREN.get((parent.casefold(), second))
    return None if code is None else (ETHNICITY, code)


def _decile(label: str) -> str | None:
    """Decile with 1 = most deprived, from whichever end the label counts.

    The words decide: "01 Least deprived" is our 10, as the annual reports have it, and "01 Most
    deprived" our 1. A number by itself does not say from which end it counts.
    """
    if label == _MISSING:
        return UNKNOWN
    end = counts_from(label)
    if end is None:
        return None
    number = int(_DECILE.fullmatch(label)[1])
    return str(11 - number if end == LEAST else number)


def counts_from(label: str) -> str | None:
    """Which end of deprivation a published label counts from, `LEAST` or `MOST`, if it says so."""
    found = _DECILE.fullmatch(_plain(label))
    if not found or not 1 <= int(found[1]) <= 10:
        return None
    number, word = int(found[1]), found[2]
    ends = {
        LEAST: {1: "least", 10: "most"}.get(number, "less" if number <= 5 else "more"),
        MOST: {1: "most", 10: "least"}.get(number, "more" if number <= 5 else "less"),
    }
    return next((end for end, expected in ends.items() if word == expected), None)


def _disability(label: str) -> str | None:
    """By code and label together: lists are in circulation in which XX and NN are swapped."""
    if label in _UNCODED_DISABILITIES:
        return _UNCODED_DISABILITIES[label]
    word, group = _DISABILITIES.get(label[:2].upper(), ("", None))
    return group if group is not None and word in label[2:] else None
