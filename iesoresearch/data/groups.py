"""Groups of patients that analyses tabulate and audits compare: heading, level, order of levels."""

import polars as pl

from iesoresearch.data import codes
from iesoresearch.measures.problems import PROBLEMS

NOT_RECORDED = "not recorded"
AGE_BANDS = ("under 18", "18–25", "26–64", "65–74", "75–89", "90 and over")  # as published
_AGE_FROM = (0, 18, 26, 65, 75, 90)
QUINTILES = ("1 (most deprived)", "2", "3", "4", "5 (least deprived)")


def _age() -> pl.Expr:
    age = pl.coalesce("age_at_referral", "age")
    band = pl.lit(None, pl.String)
    for start, name in zip(_AGE_FROM, AGE_BANDS, strict=True):
        band = pl.when(age >= start).then(pl.lit(name)).otherwise(band)
    return band


def _ethnic_group() -> pl.Expr:
    groups = {code: group for code, (group, _) in codes.ETHNICITIES.items()}
    known = pl.col("ethnicity").cast(pl.String)
    return known.replace_strict(groups, default=None, return_dtype=pl.String)


def _quintile() -> pl.Expr:
    names = {decile: QUINTILES[(decile - 1) // 2] for decile in range(1, 11)}
    return pl.col("deprivation_decile").replace_strict(names, default=None, return_dtype=pl.String)


#: Heading -> how it is computed from referrals joined with patients, its levels in order.
CHARACTERISTICS = {
    "Age band": (_age(), AGE_BANDS),
    "Gender": (pl.col("gender"), codes.GENDERS),
    "Ethnic group": (
        _ethnic_group(),
        tuple(dict.fromkeys(group for group, _ in codes.ETHNICITIES.values())),
    ),
    "Deprivation quintile": (_quintile(), QUINTILES),
    "Orientation": (pl.col("orientation"), codes.ORIENTATIONS),
    "Long-term condition": (pl.col("long_term_condition"), codes.YES_NO),
    "Problem": (pl.col("problem"), tuple(PROBLEMS)),
    "Employment at the start": (pl.col("employment_first"), codes.EMPLOYMENT),
    "Medication at the start": (pl.col("medication_first"), codes.MEDICATION),
}
