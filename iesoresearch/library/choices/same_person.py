"""Who is the same person: records that share an NHS number, or a name with e-mail, as hashes."""

import polars as pl

#: Of the table "matching": a row for every way in which a patient was ever known.
MATCHING = {"patient_id": pl.String, "national": pl.String, "local": pl.String}
_WAYS = ("national", "local")


def read(reader) -> pl.DataFrame:
    """The table of a library or of a draft; empty where nothing came in yet."""
    if not reader.has("matching", compartment="choices"):
        return pl.DataFrame(schema=MATCHING)
    return reader.read("matching", compartment="choices").select(*MATCHING)


def is_known(matching: pl.DataFrame, keys: pl.DataFrame) -> pl.Series:
    """Whether the library knows the person of each of the keys (``by``, ``hash``)."""
    ways = [
        (pl.col("by") == way) & pl.col("hash").is_in(matching[way].drop_nulls().unique().implode())
        for way in _WAYS
    ]
    return keys.select(pl.any_horizontal(ways).alias("known")).to_series()


def known(matching: pl.DataFrame, keys: pl.DataFrame) -> int:
    """How many of the people with these keys the library knows."""
    return int(is_known(matching, keys).sum())


def patients(matching: pl.DataFrame, keys: pl.DataFrame) -> pl.Series:
    """Pseudonyms of the people with these keys, and of all records of the same people.

    Parameters
    ----------
    matching
        `MATCHING`.
    keys
        ``by`` ("national", "local" or "patient") and ``hash``.

    Returns
    -------
    Series
        ``patient_id``, each once, sorted. A pseudonym among the keys is there even if it is
        unknown.
    """
    given = keys.filter(pl.col("by") == "patient").get_column("hash")
    ids = pl.concat([given, *(_having(matching, way, _hashes(keys, way)) for way in _WAYS)])
    ids = ids.unique()
    size = -1
    while len(ids) != size:  # until no further record shares a number, or a name and e-mail
        size = len(ids)
        own = matching.filter(pl.col("patient_id").is_in(ids.implode()))
        further = [_having(matching, way, own.get_column(way)) for way in _WAYS]
        ids = pl.concat([ids, *further]).unique()
    return ids.sort().alias("patient_id")


def certain(matching: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """Records with exactly these keys, for what may only be done to the very person.

    Of two people with one name and one e-mail, whose NHS numbers tell them apart, neither is meant.

    Returns
    -------
    DataFrame
        The columns of `keys` and ``patient_id``.
    """
    numbers = matching.group_by("local", maintain_order=True).agg(
        pl.col("national").drop_nulls().n_unique().alias("people")
    )
    one = matching.join(
        numbers.filter(pl.col("people") <= 1, pl.col("local").is_not_null()), on="local", how="semi"
    )
    return pl.concat(
        keys.filter(pl.col("by") == way)
        .join(known.select(pl.col(way).alias("hash"), "patient_id"), on="hash", how="inner")
        .unique(maintain_order=True)
        for way, known in (("national", matching), ("local", one))
    )


def every(matching: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """All records of the people with these keys, as `patients`, beside the keys.

    Returns
    -------
    DataFrame
        The columns of `keys` and ``patient_id``.
    """
    own = matching.filter(pl.col("patient_id").is_in(patients(matching, keys).implode()))
    own = own.with_columns(pl.col("patient_id").alias("person"))
    before = None
    while before is None or not own.equals(before):
        before = own
        for way in ("patient_id", *_WAYS):  # the least pseudonym travels along what is shared
            shared = pl.col("person").min().over(way)
            own = own.with_columns(
                pl.when(pl.col(way).is_null()).then("person").otherwise(shared).alias("person")
            )
    records = own.select("person", "patient_id").unique(maintain_order=True)
    found = [
        keys.filter(pl.col("by") == way).join(
            own.select(pl.col(way).alias("hash"), "person").unique(maintain_order=True), on="hash"
        )
        for way in _WAYS
    ]
    return pl.concat(found).join(records, on="person").drop("person").unique(maintain_order=True)


def _hashes(keys: pl.DataFrame, way: str) -> pl.Series:
    return keys.filter(pl.col("by") == way).get_column("hash")


def _having(matching: pl.DataFrame, way: str, hashes: pl.Series) -> pl.Series:
    meant = hashes.drop_nulls().unique().implode()
    return matching.filter(pl.col(way).is_in(meant)).get_column("patient_id")
