"""Which patient of the library each local id of a site is, and by which hashes choices find them.

Once given, a pseudonym stays: who comes again under a known local id or NHS number is the patient
known by it, also where the number became known later. So that this can be seen, the compartment
"choices" holds the table ``aliases`` (keyed hash of site and local id, pseudonym) beside
``matching``.
"""

from dataclasses import dataclass

import polars as pl

from iesoresearch.errors import DataError
from iesoresearch.library import choices
from iesoresearch.library.choices import same_person
from iesoresearch.library.deidentify import dates, pseudonyms
from iesoresearch.library.deidentify.identity import People
from iesoresearch.library.deidentify.ids import Pseudonyms
from iesoresearch.library.small import FEW, said
from iesoresearch.library.tables import part_of

CHOICES = "choices"
#: Share of known local ids with another NHS number above which a file is taken for a wrong one.
_SLIPPED = 0.1
_ALIASES = {"alias": pl.String, "patient_id": pl.String}


@dataclass(repr=False)
class Identified:
    """People of a submission.

    Attributes
    ----------
    frame
        ``local_id``, ``patient_id``, ``shift`` (days), ``born``, ``part``: whoever may come in.
    matching, aliases
        Rows for the tables of these names, without ``part``, of everybody: whoever may not come in
        is recognised by them in later files, which may say less of her.
    excluded
        Pseudonyms of those who may not.
    counts
        Sentence with "{n}" -> how many.
    """

    frame: pl.DataFrame
    matching: pl.DataFrame
    aliases: pl.DataFrame
    excluded: pl.Series
    counts: dict[str, int]


def identified(
    library, reader, makes: Pseudonyms, people: People, local_ids: pl.Series
) -> Identified:
    """Pseudonyms and shifts of the people that a site's tables are about.

    Parameters
    ----------
    library, reader
        Whose secrets; and it, or a draft of it, whose tables are read.
    makes
        Pseudonyms of the site.
    people
        What is known of them.
    local_ids
        Of everybody in the site's tables.

    Raises
    ------
    DataError
        So many local ids have another NHS number than before that the file looks wrong.
    """
    frame = pl.DataFrame({"local_id": local_ids.drop_nulls().unique().sort()})
    of_us = people.frame.join(frame, on="local_id", how="semi", maintain_order="left")
    frame, counts = _with_numbers(library, frame, of_us)
    frame = frame.with_columns(alias=pl.Series(makes.local(frame["local_id"]), dtype=pl.String))
    counts |= _of_another_number(reader, frame)
    frame = _with_pseudonyms(reader, makes, frame)
    matching = _matching(library, frame, of_us)
    out = choices.excluded_rows(reader, matching)
    excluded = matching.filter(out)["patient_id"].unique().sort()
    kept = frame.filter(~pl.col("patient_id").is_in(excluded.implode()))
    several = kept.height - kept["patient_id"].n_unique()
    counts["{n} local id(s) are of people with another local id, by NHS number; taken as one"] = (
        several
    )
    persons = pl.DataFrame({"patient_id": kept["patient_id"].unique().sort()})
    moves = pl.Series(dates.shifts(library, persons["patient_id"]), dtype=pl.Int32)
    kept = kept.join(persons.with_columns(shift=moves), on="patient_id", maintain_order="left")
    return Identified(
        kept.select(
            "local_id", "patient_id", "shift", "born", part=part_of(pl.col("patient_id"))
        ),
        matching,
        frame.select(*_ALIASES).unique().sort("alias"),
        excluded,
        counts,
    )  # fmt: skip


def _with_numbers(library, frame: pl.DataFrame, of_us: pl.DataFrame):
    """NHS number, its hash and date of birth of everybody."""
    counts = {
        "{n} patient(s) are not among the people whose identifiers were given; known by their "
        "local id alone": frame.height - of_us["local_id"].n_unique()
    }
    said = of_us.group_by("local_id", maintain_order=True).agg(
        nhs_number=pl.col("nhs_number").drop_nulls().first(),
        born=pl.col("date_of_birth").drop_nulls().first(),
    )
    frame = frame.join(said, on="local_id", how="left", maintain_order="left")
    hashes = pseudonyms.national_hashes(library, frame["nhs_number"])
    return frame.with_columns(national=pl.Series(hashes, dtype=pl.String)), counts


def _with_pseudonyms(reader, makes: Pseudonyms, frame: pl.DataFrame) -> pl.DataFrame:
    known = same_person.read(reader).filter(pl.col("national").is_not_null())
    known = known.group_by("national").agg(known_national=pl.col("patient_id").min())
    aliases = read_aliases(reader).rename({"patient_id": "known_alias"})
    made = pl.Series(makes.national(frame["nhs_number"]), dtype=pl.String)
    frame = frame.join(known, on="national", how="left", maintain_order="left")
    frame = frame.join(aliases, on="alias", how="left", maintain_order="left")
    # whoever shares the number with somebody known is that somebody
    shared = pl.when(pl.col("national").is_not_null()).then(
        pl.col("known_alias").min().over("national")
    )
    ways = [pl.col("known_alias"), pl.col("known_national"), shared, made, pl.col("alias")]
    return frame.with_columns(patient_id=pl.coalesce(ways)).drop("known_national", "known_alias")


def _of_another_number(reader, frame: pl.DataFrame) -> dict[str, int]:
    """How many local ids came with another NHS number before: two people may be taken for one.

    A few may be right, as numbers are corrected and merged; the earlier number stays, so that a
    choice finds her by either.
    """
    before = same_person.read(reader).filter(pl.col("national").is_not_null())
    before = before.select("patient_id", before="national").unique()
    aliases = read_aliases(reader).rename({"patient_id": "known"})
    both = frame.filter(pl.col("national").is_not_null()).join(aliases, on="alias")
    both = both.join(before, left_on="known", right_on="patient_id")
    same = both.group_by("local_id").agg(
        pl.col("national").first(), same=(pl.col("before") == pl.col("national")).any()
    )
    other = same.filter(~pl.col("same"))
    if other.height >= FEW and other.height > _SLIPPED * same.height:
        raise DataError(
            f"Of {said(same.height)} local ids that came with an NHS number before, "
            f"{said(other.height)} come with another one, as if the column of numbers had slipped, "
            "or ids had been given to other people: they would be taken for one person each, for "
            "good. Nothing was written. Correct the table of people; send ids of another system "
            "under another --site."
        )
    of_somebody = other["national"].is_in(before["before"].unique().implode()).sum()
    return {
        "{n} local id(s) had another NHS number in an earlier submission: if they were given to "
        "other people, two are taken for one; send those under another --site": other.height,
        "{n} of these NHS number(s) are of other patients of the library: who opts out or "
        "withdraws by one of them takes the records of both out": int(of_somebody),
    }


def _matching(library, frame: pl.DataFrame, of_us: pl.DataFrame) -> pl.DataFrame:
    """Every way in which somebody is known; a row also for whoever is known by none."""
    named = of_us.select("local_id", "name", "email").unique(maintain_order=True)
    local = pseudonyms.local_hashes(library, named["name"], named["email"])
    named = named.select("local_id", local=pl.Series(local, dtype=pl.String))
    rows = frame.select("local_id", "patient_id", "national")
    rows = rows.join(named, on="local_id", how="left", maintain_order="left")
    return told_once(rows.select(*same_person.MATCHING))


def told_once(matching: pl.DataFrame) -> pl.DataFrame:
    """Rows of matching without repetition, none empty of a patient who has another."""
    empty = pl.col("national").is_null() & pl.col("local").is_null()
    rows = matching.unique().sort(*same_person.MATCHING, nulls_last=True)
    return rows.filter(~empty | (pl.len().over("patient_id") == 1))


def read_aliases(reader) -> pl.DataFrame:
    """The table of a library or of a draft; empty where nothing came in yet."""
    if not reader.has("aliases", compartment=CHOICES):
        return pl.DataFrame(schema=_ALIASES)
    return reader.read("aliases", compartment=CHOICES).select(*_ALIASES)
