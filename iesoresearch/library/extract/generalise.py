"""Columns made coarser before they leave: wider bands of age, quintiles, ethnic groups.

A generalised column keeps the type and the code list of the schema, so that analyses read it: a
band of ages is written as an age in its middle, a quintile as its first decile, an ethnic group
as its first category. The data dictionary of the extract says so.
"""

from collections.abc import Mapping

import polars as pl

from iesoresearch.data import codes
from iesoresearch.library.extract.quasi import QUASI_IDENTIFIERS
from iesoresearch.library.strict import meant

NONE = "none"  # the column is left out
AS_STORED = "as stored"
_AGES = ("age", "age_at_referral", "age_at_period_end")
_TEN_YEARS = (0, 18, 26, 36, 46, 56, 65, 75, 85, 90)  # no five-year band of the library is cut
_PUBLISHED = tuple(low for low, _ in codes.AGE_BANDS.values())
_OLDEST = 120
#: Level -> what a value stands for, in words, from fine to coarse.
_AGE_LEVELS = {"ten years": _TEN_YEARS, "published bands": _PUBLISHED}
_WORDS = {
    "ten years": "a band of about ten years (cut at {cuts}), written as an age in its middle",
    "published bands": "an age band of the annual report (cut at {cuts}), written as an age in "
    "its middle",
    "quintiles": "a quintile, written as its first decile (1, 3, 5, 7, 9)",
    "groups": "one of the five ethnic groups or not known (Z), written as the first category of "
    "the group (A White, D Mixed, H Asian, M Black, R Other): single categories cannot be analysed",
    NONE: "left out",
}


def levels(column: str) -> list[str]:
    """How a column can be made coarser, finest first; the last leaves it out."""
    own = {"deprivation_decile": ["quintiles"], "ethnicity": ["groups"]}
    return [*(list(_AGE_LEVELS) if column in _AGES else own.get(column, [])), NONE]


def given(tables: Mapping[str, list[str]], chosen: Mapping[str, str]) -> dict[str, str]:
    """Level of each quasi-identifier that is given; `AS_STORED` where it is not made coarser."""
    found = {
        column: chosen.get(column, AS_STORED)
        for column, table in QUASI_IDENTIFIERS.items()
        if column in tables.get(table, ())
    }
    return {column: level for column, level in found.items() if level != NONE}


def in_words(column: str, level: str) -> str:
    """A column, with its level if it was made coarser."""
    return column if level == AS_STORED else f"{column} in {level}"


def problems(chosen: dict[str, str]) -> list[str]:
    """What is wrong with the generalisations an agreement names."""
    found = []
    for column, level in chosen.items():
        if column not in QUASI_IDENTIFIERS:
            found.append(f"{column} cannot be generalised{meant(column, QUASI_IDENTIFIERS)}")
        elif level not in levels(column):
            found.append(f"{column} knows no level {level!r}{meant(level, levels(column))}")
    return found


def words(level: str) -> str:
    """What the values of a generalised column stand for."""
    cuts = ", ".join(str(a) for a in _AGE_LEVELS.get(level, ())[1:])
    return _WORDS[level].format(cuts=cuts)


def applied(frame: pl.DataFrame, chosen: dict[str, str]) -> pl.DataFrame:
    """A frame with its columns at the chosen levels; what is left out is gone."""
    present = {c: level for c, level in chosen.items() if c in frame.columns}
    frame = frame.drop([c for c, level in present.items() if level == NONE])
    return frame.with_columns(
        coarser(c, level).cast(frame.schema[c]).alias(c)
        for c, level in present.items()
        if level != NONE
    )


def coarser(column: str, level: str) -> pl.Expr:
    """A column at a level other than "none"; missing values stay missing."""
    value = pl.col(column)
    if column == "ethnicity":
        first: dict[str, str] = {}
        for code, (group, _) in codes.ETHNICITIES.items():
            first.setdefault(group, code)
        of = {code: first[group] for code, (group, _) in codes.ETHNICITIES.items()}
        return value.cast(pl.String).replace_strict(of, default=None, return_dtype=pl.String)
    if column == "deprivation_decile":
        return (value - 1) // 2 * 2 + 1
    cuts = _AGE_LEVELS[level]
    middle = pl.lit(None, pl.Int64)
    for low, following in zip(cuts, (*cuts[1:], _OLDEST + 1), strict=True):
        high = following - 1
        # nobody is in the middle of "90 and over": its first year stands for it
        shown = low if high == _OLDEST else (low + high) // 2
        middle = pl.when(value >= low).then(pl.lit(shown)).otherwise(middle)
    return middle
