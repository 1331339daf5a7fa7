"""Who the people of a site are: read, put into normal forms and held in memory, never written.

NHS numbers count only with a right check digit; a patient with a wrong one is known by the local id
alone. One number with several local ids is one person; one local id with two numbers cannot be.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from iesoresearch.data.mapping.values import read_dates
from iesoresearch.errors import DataError
from iesoresearch.library.deidentify import pseudonyms

#: Column of `People.frame` -> type.
COLUMNS = {
    "local_id": pl.String, "nhs_number": pl.String, "name": pl.String, "email": pl.String,
    "phone": pl.String, "date_of_birth": pl.Date, "postcode": pl.String, "lsoa": pl.String,
}  # fmt: skip
#: More local ids than this under one NHS number: it is a placeholder.
MOST_IDS = 5
_FORMATS = ("yyyy-mm-dd", "dd/mm/yyyy", "dd-mm-yyyy", "dd.mm.yyyy", "dd-mmm-yyyy", "dd mmm yyyy")


@dataclass(repr=False)
class People:
    """Identifiers of people by local id; its repr shows none of them.

    Attributes
    ----------
    frame
        Columns `COLUMNS`, every row once; several rows of a local id where it has several names,
        addresses or numbers.
    counts
        Sentence with "{n}" -> how many.
    """

    frame: pl.DataFrame
    counts: dict[str, int] = field(default_factory=dict)


def gathered(frames: Iterable[tuple[pl.DataFrame, list[str]]]) -> People:
    """People of several files.

    Parameters
    ----------
    frames
        Text columns patient_id and any of the identifiers; and the formats of dates of birth, none
        for the usual ones.

    Raises
    ------
    DataError
        A local id has two NHS numbers, or a number stands for more than `MOST_IDS` ids.
    """
    parts, counts = [], {}
    for frame, formats in frames:
        parts.append(_normal(frame, formats or list(_FORMATS), counts))
    people = pl.concat(parts or [pl.DataFrame(schema=COLUMNS)])
    _add(counts, "{n} row(s) of people have no patient_id; left out",
         people["local_id"].null_count())  # fmt: skip
    people = people.filter(pl.col("local_id").is_not_null()).unique(maintain_order=True)
    _refuse_contradictions(people)
    return People(_with_one_birth(people, counts), counts)


def _add(counts: dict[str, int], text: str, n: int) -> None:
    if n:
        counts[text] = counts.get(text, 0) + n


def _normal(frame: pl.DataFrame, formats: list[str], counts: dict[str, int]) -> pl.DataFrame:
    given = {name: _text(frame, name) for name in (*COLUMNS, "patient_id")}
    given["local_id"] = given.pop("patient_id")
    parts = [_text(frame, c) for c in ("given_name", "family_name")]
    whole = pl.select(pl.concat_str(parts, separator=" ", ignore_nulls=True)).to_series()
    given["name"] = given["name"].zip_with(given["name"].is_not_null(), whole)
    given["name"] = given["name"].set(given["name"].str.strip_chars() == "", None)
    numbers = given["nhs_number"].str.replace(r"\.0+$", "")
    given["nhs_number"] = _mapped(numbers, pseudonyms.normal_number)
    wrong = numbers.is_not_null() & given["nhs_number"].is_null()
    _add(counts, "{n} NHS number(s) are not valid (check digit, length or placeholder); these "
         "people are known by their local id alone", int(wrong.sum()))  # fmt: skip
    born = given["date_of_birth"].to_frame("v").select(read_dates(pl.col("v"), formats))
    lost = int(given["date_of_birth"].is_not_null().sum()) - born.to_series().count()
    _add(counts, "{n} date(s) of birth cannot be read; left out", lost)
    given["date_of_birth"] = born.to_series()
    given["postcode"] = _mapped(given["postcode"], normal_postcode)
    given["lsoa"] = given["lsoa"].str.to_uppercase()
    return pl.DataFrame({name: given[name].cast(kind) for name, kind in COLUMNS.items()})


def _text(frame: pl.DataFrame, name: str) -> pl.Series:
    if name not in frame.columns:
        return pl.Series(name, [None] * frame.height, dtype=pl.String)
    values = frame[name].cast(pl.String).str.strip_chars()
    return values.set(values == "", None)


def _mapped(values: pl.Series, make) -> pl.Series:
    """`make` of every value, once per distinct one."""
    distinct = values.drop_nulls().unique()
    if distinct.is_empty():
        return pl.Series(values.name, [None] * len(values), dtype=pl.String)
    made = pl.Series([make(v) for v in distinct.to_list()], dtype=pl.String)
    return values.replace_strict(distinct, made, default=None, return_dtype=pl.String)


def normal_postcode(postcode: str) -> str | None:
    """Letters and digits alone, in capitals; None if nothing is left."""
    return "".join(c for c in postcode.upper() if c.isalnum()) or None


def _refuse_contradictions(people: pl.DataFrame) -> None:
    known = people.filter(pl.col("nhs_number").is_not_null())
    pairs = known.select("local_id", "nhs_number").unique()
    two = pairs.group_by("local_id").len().filter(pl.col("len") > 1).height
    many = pairs.group_by("nhs_number").len().filter(pl.col("len") > MOST_IDS).height
    problems = []
    if two:
        problems.append(f"{two} local id(s) have two different NHS numbers")
    if many:
        problems.append(
            f"{many} NHS number(s) stand for more than {MOST_IDS} local ids each, as a placeholder "
            "would"
        )
    if problems:
        raise DataError(
            f"The identifiers of people: {'; '.join(problems)}. Different people would become one, "
            "or one person two. Correct the files and ingest again; nothing was written."
        )


def _with_one_birth(people: pl.DataFrame, counts: dict[str, int]) -> pl.DataFrame:
    """A person of two dates of birth has none."""
    n = pl.col("date_of_birth").drop_nulls().n_unique().over("local_id")
    several = people.filter(n > 1)["local_id"].n_unique()
    _add(counts, "{n} people have two dates of birth; neither is used", several)
    one = pl.col("date_of_birth").drop_nulls().first().over("local_id")
    return people.with_columns(date_of_birth=pl.when(n == 1).then(one))
