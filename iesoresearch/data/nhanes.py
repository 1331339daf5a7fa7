"""NHANES: PHQ-9 items of US adults, cycle by cycle.

Published by CDC's National Center for Health Statistics (public domain). Samples of the general
population interviewed once: no patients, no treatment. One cycle, 2017-2018, comes with the package
``nhanes``, without survey weights; every other one is read from CDC's own files or from a Parquet
file of several cycles, wherever they lie on the search path (`cycles.find`).
"""

from pathlib import Path

import polars as pl

from iesoresearch.data import cycles as survey
from iesoresearch.data import locate
from iesoresearch.data.cohort import Cohort
from iesoresearch.errors import DataError
from iesoresearch.measures import PHQ9

LICENCE = (
    "Public domain in the US (CDC, National Center for Health Statistics); for statistical use "
    "only, without any attempt to identify a person."
)
OF_PACKAGE = " The package nhanes that carries it: MIT."

#: Columns of the nine items in the package, in order.
ITEM_COLUMNS = (
    "HaveLittleInterestInDoingThings",
    "FeelingDownDepressedOrHopeless",
    "TroubleSleepingOrSleepingTooMuch",
    "FeelingTiredOrHavingLittleEnergy",
    "PoorAppetiteOrOvereating",
    "FeelingBadAboutYourself",
    "TroubleConcentratingOnThings",
    "MovingOrSpeakingSlowlyOrTooFast",
    "ThoughtYouWouldBeBetterOffDead",
)
#: The same in CDC's files.
DPQ_COLUMNS = tuple(f"DPQ0{number}0" for number in range(1, 10))
_ITEMS = dict(zip(PHQ9.columns, DPQ_COLUMNS, strict=True))
_NOT_ANSWERED = {7: None, 9: None}  # refused, don't know
_DEMO = ("RIAGENDR", "RIDAGEYR", "RIDRETH1")
_DESIGN = ("WTMEC2YR", "SDMVSTRA", "SDMVPSU")
_DESIGN_HERE = ("weight", "stratum", "sampling_unit")
_GENDERS = {1: "male", 2: "female"}
_ETHNICITIES = {  # RIDRETH1 goes to 5; RIDRETH3, from 2011 on, adds 6 and has 7 for 5
    1: "Mexican American",
    2: "Other Hispanic",
    3: "Non-Hispanic White",
    4: "Non-Hispanic Black",
    5: "Other Race - Including Multi-Racial",
    6: "Non-Hispanic Asian",
    7: "Other Race - Including Multi-Racial",
}
_AS_PUBLISHED = f"of one cycle as published at {survey.PUBLISHED}"


def load(
    cycles: tuple[str, ...] | None = None,
    search_path: tuple[Path, ...] = (),
    *,
    weighted: bool = False,
) -> Cohort:
    """Adults with at least one PHQ-9 answer, one interview each.

    Parameters
    ----------
    cycles
        By years, such as "2017-2018", or CDC's letter; None: the 5,093 people of the package.
    search_path
        Folders in and below which CDC's files, or a combined one, are looked for.
    weighted
        Fill in weight, stratum and sampling unit. Weights are those of the examination
        (WTMEC2YR), divided by the number of cycles, as NCHS asks for cycles read together.

    Returns
    -------
    Cohort
        People in order of their SEQN, which is unique over cycles.

    Raises
    ------
    ParameterError
        A name is no cycle, or two are the same.
    DataError
        A cycle is absent or damaged, or has no weights though they are wanted.
    """
    found = locate.nhanes_cycles(cycles, search_path, weighted)
    people = pl.concat([_read(cycle, weighted) for cycle in found], how="diagonal_relaxed")
    if weighted:
        people = people.with_columns(pl.col("weight") / len(found))
    people = people.with_columns(patient_id=pl.col("number").cast(pl.String)).sort("number")
    interviews = people.select("patient_id", referral_id="patient_id")
    tables = {
        "patients": people.drop("number", *PHQ9.columns),
        "referrals": interviews,
        "contacts": people.select(PHQ9.columns).with_columns(interviews, session=pl.lit(1)),
    }
    packaged = any(not cycle.files for cycle in found)
    return Cohort.checked(
        f"NHANES {_years(found)}",
        "open",
        tables,
        locate.fingerprint("nhanes", search_path, cycles, weighted),
        licence=LICENCE + OF_PACKAGE * packaged,
    )


def _years(found: list[survey.Found]) -> str:
    """Such as 2007-08, 2015-16; three or more without a gap as 2007-08 to 2017-18."""
    first, last = found[0], found[-1]
    if len(found) > 2 and last.first_year - first.first_year == 2 * (len(found) - 1):
        return f"{first.years} to {last.years}"
    return ", ".join(cycle.years for cycle in found)


def _read(cycle: survey.Found, weighted: bool) -> pl.DataFrame:
    """People of a cycle with an answer: number, demographics, design if `weighted`, items."""
    if not cycle.files:
        return _of_package()
    raw = _of_cdc(*cycle.files) if len(cycle.files) == 2 else _of_parquet(cycle)
    name = " with ".join(path.name for path in cycle.files)
    design = _DESIGN if weighted else ()
    absent = [c for c in ("SEQN", *DPQ_COLUMNS, *_DEMO, *design) if c not in raw.columns]
    if absent:
        raise DataError(f"{name}: {', '.join(absent)} absent. Use the files {_AS_PUBLISHED}.")
    if "RIDRETH3" not in raw.columns or raw["RIDRETH3"].is_null().all():
        raw = raw.with_columns(RIDRETH3="RIDRETH1")  # before 2011
    # SAS files hold 5.4e-79 for zero
    codes = ("SEQN", *DPQ_COLUMNS, "RIAGENDR", "RIDAGEYR", "RIDRETH3", *design[1:])
    raw = raw.with_columns(pl.col(codes).cast(pl.Float64).fill_nan(None).round().cast(pl.Int64))
    raw = raw.filter(pl.any_horizontal(pl.col(c).is_between(0, 3) for c in DPQ_COLUMNS))
    _refuse_unknown(raw, name, design)
    people = raw.select(
        number="SEQN",
        age=pl.col("RIDAGEYR").cast(pl.UInt8, strict=False),
        gender=pl.col("RIAGENDR").replace_strict(_GENDERS, default=None, return_dtype=pl.String),
        ethnicity_as_recorded=pl.col("RIDRETH3").replace_strict(
            _ETHNICITIES, default=None, return_dtype=pl.String
        ),
        **{new: pl.col(old) for new, old in zip(_DESIGN_HERE, design, strict=False)},
        **{c: pl.col(old).replace(_NOT_ANSWERED) for c, old in _ITEMS.items()},
    )
    return people.with_columns(pl.col(c).cast(pl.String) for c in _DESIGN_HERE[1:] if weighted)


def _refuse_unknown(raw: pl.DataFrame, name: str, design: tuple[str, ...]) -> None:
    """Refuse codes that no codebook of NHANES has, and people without a weight."""
    known = [0, 1, 2, 3, *_NOT_ANSWERED]
    n = sum(int((~raw[c].drop_nulls().is_in(known)).sum()) for c in DPQ_COLUMNS)
    if n:
        raise DataError(
            f"{name}: {n} answers are none of {', '.join(map(str, known))}. Use the files "
            f"{_AS_PUBLISHED}."
        )
    n = raw.select(pl.any_horizontal(pl.col(("SEQN", *_DEMO[:2], *design)).is_null()).sum()).item()
    if n:
        raise DataError(
            f"{name}: {n} people with answers lack a number, sex, age"
            f"{', weight, stratum or sampling unit' if design else ''}. The files may be of two "
            f"cycles: use those {_AS_PUBLISHED}."
        )


def _of_cdc(dpq: Path, demo: Path) -> pl.DataFrame:
    """Everybody in a screener file, with the columns of the demographics file."""
    people = _transport(demo)
    keep = [c for c in ("SEQN", *_DEMO, "RIDRETH3", *_DESIGN) if c in people.columns]
    return _transport(dpq).join(people.select(keep), on="SEQN", how="left", maintain_order="left")


def _transport(path: Path) -> pl.DataFrame:
    """A SAS transport file with a column SEQN."""
    import pandas as pd  # slow to import, and needed only here

    try:
        raw = pd.read_sas(path, format="xport")
        numeric = raw.select_dtypes("number")
        return pl.DataFrame({c: numeric[c].to_numpy() for c in ("SEQN", *numeric)}).fill_nan(None)
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(
            f"{path} cannot be read as a SAS transport file (version 5) with a column SEQN. Use "
            f"the file {_AS_PUBLISHED}."
        ) from None


def _of_parquet(cycle: survey.Found) -> pl.DataFrame:
    """Rows of one cycle in a file of several."""
    years = pl.col("cycle").cast(pl.String).str.starts_with(f"{cycle.first_year}-")
    return pl.read_parquet(cycle.files[0]).filter(years)


def _of_package() -> pl.DataFrame:
    wanted = [
        "SEQN",
        "AgeInYearsAtScreening",
        "Gender",
        "RacehispanicOriginWNhAsian",
        *ITEM_COLUMNS,
    ]
    raw = pl.read_csv(locate.nhanes_content(), separator="\t", infer_schema=False)
    absent = [c for c in wanted if c not in raw.columns]
    if absent:
        raise DataError(
            f"The package 'nhanes' has another layout than release 0.5.1: {', '.join(absent)} "
            "absent. Install the locked release with `make env`."
        )
    raw = raw.filter(pl.any_horizontal(pl.col(c).is_not_null() for c in ITEM_COLUMNS))
    return raw.select(
        number=pl.col("SEQN").cast(pl.Float64).cast(pl.Int64),
        age=pl.col("AgeInYearsAtScreening").cast(pl.Float64).cast(pl.UInt8),
        gender=pl.col("Gender").str.to_lowercase(),
        ethnicity_as_recorded=pl.col("RacehispanicOriginWNhAsian"),
        **{
            name: pl.col(c).cast(pl.Float64).cast(pl.Int64)
            for c, name in zip(ITEM_COLUMNS, PHQ9.columns, strict=True)
        },
    )
