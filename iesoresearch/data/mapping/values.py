"""What partners write into their cells: codes of all kinds, and days in many formats."""

import difflib
import re
from collections.abc import Mapping, Sequence

import polars as pl

from iesoresearch.data import codes
from iesoresearch.data.schema import TABLES
from iesoresearch.measures.problems import PROBLEMS

#: Name of a date format -> what such a cell looks like, and how polars reads it.
DATE_FORMATS = {
    "yyyy-mm-dd": (r"^\d{4}-\d{1,2}-\d{1,2}$", "%Y-%m-%d"),
    "dd/mm/yyyy": (r"^\d{1,2}/\d{1,2}/\d{4}$", "%d/%m/%Y"),
    "mm/dd/yyyy": (r"^\d{1,2}/\d{1,2}/\d{4}$", "%m/%d/%Y"),
    "dd-mm-yyyy": (r"^\d{1,2}-\d{1,2}-\d{4}$", "%d-%m-%Y"),
    "mm-dd-yyyy": (r"^\d{1,2}-\d{1,2}-\d{4}$", "%m-%d-%Y"),
    "dd.mm.yyyy": (r"^\d{1,2}\.\d{1,2}\.\d{4}$", "%d.%m.%Y"),
    "yyyy/mm/dd": (r"^\d{4}/\d{1,2}/\d{1,2}$", "%Y/%m/%d"),
    "yyyymmdd": (r"^(19|20)\d{6}$", "%Y%m%d"),
    "dd-mmm-yyyy": (r"^\d{1,2}-[A-Za-z]{3}-\d{4}$", "%d-%b-%Y"),
    "dd mmm yyyy": (r"^\d{1,2} [A-Za-z]{3} \d{4}$", "%d %b %Y"),
    "dd mmmm yyyy": (r"^\d{1,2} [A-Za-z]{4,9} \d{4}$", "%d %B %Y"),
    "dd/mm/yy": (r"^\d{1,2}/\d{1,2}/\d{2}$", "%d/%m/%y"),
    "mm/dd/yy": (r"^\d{1,2}/\d{1,2}/\d{2}$", "%m/%d/%y"),
}
_TIME = r"[T ]\d{1,2}:\d{2}.*$"

_ENDED = {"completed": "treated: completed", "declined": "not treated: declined"}
_OTHER_WORDS = {
    "gender": {
        "f": "female", "w": "female", "woman": "female", "m": "male", "man": "male",
        "indeterminate": "other", "non-binary": "other", "u": "not known", "unknown": "not known",
    },
    "ethnicity": {"99": "Z", "-1": "Z", "-3": "Z", "not known": "Z", "not stated": "Z"},
    "attendance": {
        "yes": "attended", "y": "attended", "dna": "did not attend", "no": "did not attend",
        "n": "did not attend", "cancelled": "other",
    },
    "orientation": {
        "straight": "heterosexual", "gay": "gay or lesbian", "lesbian": "gay or lesbian",
        "unknown": "not known",
    },
    "mechanism": {
        "face-to-face": "face to face", "f2f": "face to face", "in person": "face to face",
        "phone": "telephone", "typed": "typed, live", "chat": "typed, live", "sms": "text message",
    },
    "problem": {
        "gad": "generalised anxiety disorder", "ptsd": "post-traumatic stress disorder",
        "ocd": "obsessive-compulsive disorder", "panic": "panic disorder",
        "social anxiety": "social phobia",
    },
    "therapy": {"cbt": "cognitive behaviour therapy", "ipt": "interpersonal psychotherapy"},
    "purpose": {"therapy": "treatment", "follow up": "follow-up", "followup": "follow-up"},
    "employment_first": {"unemployed": "unemployed and seeking work", "student":
                         "student, not working"},
    "source": {"gp": "primary care", "self-referral": "self"},
    "end_reason": _ENDED,
}  # fmt: skip
_NHS_CODES = {
    "gender": codes.GENDER_CODES,
    "orientation": codes.ORIENTATION_CODES,
    "attendance": codes.ATTENDANCE_CODES,
    "purpose": codes.PURPOSE_CODES,
    "mechanism": codes.MECHANISM_CODES,
    "therapy": {code: name for code, (_, name) in codes.THERAPIES.items()},
    "employment_first": codes.EMPLOYMENT_CODES,
    "medication_first": codes.MEDICATION_CODES | {"zz": "not stated"},
    "end_reason": codes.END_CODES,
    "source": codes.REFERRAL_SOURCE_CODES,
    "problem": {code: p.name for p in PROBLEMS.values() for code in p.codes},
}
_YES_NO = {"y": "yes", "1": "yes", "true": "yes", "n": "no", "0": "no", "false": "no"}
_SAME_AS = {"employment_last": "employment_first", "medication_last": "medication_first"}


def coded_columns() -> dict[str, tuple[str, ...]]:
    """Canonical columns with a code list, and their words."""
    return {
        name: tuple(column.dtype.categories)
        for schema in TABLES.values()
        for name, column in schema.columns().items()
        if column.dtype == pl.Enum
    }


def date_columns() -> set[str]:
    """Canonical columns that hold days."""
    return {n for s in TABLES.values() for n, c in s.columns().items() if c.dtype == pl.Date}


def simple(value: str) -> str:
    """A code without what does not tell codes apart: spaces, letter case, leading zeros, ".0"."""
    value = " ".join(value.split()).lower()
    return re.sub(r"^0+(?=\d)", "", re.sub(r"^(-?\d+)\.0+$", r"\1", value))


def simply(values: pl.Expr) -> pl.Expr:
    """The same for a column of text."""
    values = values.str.strip_chars().str.replace_all(r"\s+", " ").str.to_lowercase()
    return values.str.replace(r"^(-?\d+)\.0+$", "$1").str.replace(r"^0+(\d)", "$1")


def recoded(code: pl.Expr, words: Mapping[str, str], otherwise: pl.Expr) -> pl.Expr:
    """Our word for each simplified code; "" for a missing one.

    Not `replace_strict`, which takes the whole column into memory.
    """
    codes: dict[str, list[str]] = {}
    for key, word in words.items():
        codes.setdefault(word, []).append(key)
    for word, keys in codes.items():
        text = pl.lit(word or None, pl.String)
        otherwise = pl.when(code.is_in(keys)).then(text).otherwise(otherwise)
    return otherwise


def known_codes(column: str) -> dict[str, str]:
    """Everything that stands for a word of `column` without doubt, simplified -> word."""
    like = _SAME_AS.get(column, column)
    words = coded_columns()[column]
    known = {**_NHS_CODES.get(like, {}), **_OTHER_WORDS.get(like, {}), **{w: w for w in words}}
    if "not stated" in words:
        known |= _YES_NO if words == codes.YES_NO else {}
    if column == "ethnicity":
        for code, (group, label) in codes.ETHNICITIES.items():
            known |= {f"{group} {label}": code, f"{group} - {label}": code}
            known |= {label: code} if label != "British" else {}
    return {simple(code): word for code, word in known.items()}


def meaning(column: str, value: str, known: dict[str, str]) -> str | None:
    """Our word for a partner's code, None where it is not known."""
    code = simple(value)
    if code in known:
        return known[code]
    if column in ("problem", "source"):  # a longer code belongs to what it begins with
        short = code.replace(".", "")
        for length in range(len(short), 0 if column == "source" else 2, -1):
            if short[:length] in known and re.fullmatch(r"[a-z]\d{1,3}", short):
                return known[short[:length]]
    return None


def near(value: str, known: dict[str, str]) -> list[str]:
    """Words that a misspelt code may mean; short codes have no neighbours."""
    code = simple(value)
    if len(code) < 4:
        return []
    close = difflib.get_close_matches(code, known, n=3, cutoff=0.75)
    return list(dict.fromkeys(known[c] for c in close))


def without_time(values: pl.Expr) -> pl.Expr:
    """Text of a day, the time of day cut off."""
    return values.str.strip_chars().str.replace(_TIME, "")


def read_date(values: pl.Expr, name: str) -> pl.Expr:
    """Text without time -> day, null where it is not in the format called `name`."""
    looks, how = DATE_FORMATS[name]
    return pl.when(values.str.contains(looks)).then(values).str.to_date(how, strict=False)


def read_dates(values: pl.Expr, names: Sequence[str]) -> pl.Expr:
    """The same for several formats, tried in order."""
    values = without_time(values)
    return pl.coalesce([read_date(values, name) for name in names])


def mixed_formats(values: pl.Expr, names: Sequence[str]) -> pl.Expr:
    """Whether a cell is a day, but in none of the formats called `names`."""
    others = [name for name in DATE_FORMATS if name not in names]
    return read_dates(values, names).is_null() & read_dates(values, others).is_not_null()


def date_counts(values: pl.Expr) -> dict[str, pl.Expr]:
    """For every format, how many cells can be read with it."""
    values = without_time(values)
    return {name: read_date(values, name).count() for name in DATE_FORMATS}


def likely_formats(counted: dict[str, int]) -> list[str]:
    """The format that reads most; two where day and month cannot be told apart."""
    most = max(counted.values())
    return [name for name, n in counted.items() if n == most] if most else []
