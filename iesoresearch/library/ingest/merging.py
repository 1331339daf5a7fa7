"""New rows into the parts of a library: referrals are replaced whole, people brought up to date."""

from collections import Counter

import polars as pl

from iesoresearch.library.choices import same_person
from iesoresearch.library.choices.removal import remove_excluded
from iesoresearch.library.ingest.gathering import Gathered
from iesoresearch.library.ingest.identifying import CHOICES, Identified, read_aliases, told_once
from iesoresearch.library.tables import LIBRARY_TABLES, PARTS, part_of


def merge(draft, gathered: Gathered, who: Identified, dry_run: bool) -> dict[str, int]:
    """Write what changes, part by part; what stays the same is left as it is.

    Parameters
    ----------
    draft
        Of the library; or the library, if `dry_run`.
    gathered, who
        Rows and people of the submission.
    dry_run
        Only count.

    Returns
    -------
    dict
        Counts, see `ingest.IngestReport`.
    """
    counts = Counter(excluded=len(who.excluded))
    given = gathered.referrals["referral_id"]
    if len(who.excluded) and not dry_run:
        remove_excluded(draft, who.excluded)
    for part in _touched(draft, who, given):
        counts += _part(draft, part, gathered.of_part(part), given, dry_run)
    if not dry_run:
        _choices(draft, who)
    counts["patients"] = who.frame["patient_id"].n_unique()
    counts["referrals"] = len(given)
    counts["new referrals"] = counts["referrals"] - counts["replaced referrals"]
    names = ("patients", "new patients", "referrals", "new referrals", "replaced referrals")
    return {name: counts[name] for name in (*names, "excluded", *gathered.names)}


def _touched(draft, who: Identified, given: pl.Series) -> list[str]:
    """Parts in which there are rows to write or to replace; all of an empty library."""
    if not draft.has("referrals"):
        return list(PARTS)
    there = draft.read("referrals", columns=["referral_id", "patient_id"])
    again = there.filter(pl.col("referral_id").is_in(given.implode()))
    parts = again.select(part_of(pl.col("patient_id"))).to_series().append(who.frame["part"])
    return sorted(parts.unique())


def _part(draft, part: str, new: dict[str, pl.DataFrame], given: pl.Series, dry_run: bool):
    counts = Counter()
    for name, rows in new.items():
        old = _old(draft, name, part)
        if name == "patients":
            counts["new patients"] += rows.join(old, on="patient_id", how="anti").height
            merged = _brought_up_to_date(old, rows)
        else:
            again = old["referral_id"].is_in(given.implode())
            if name == "referrals":
                counts["replaced referrals"] += int(again.sum())
            merged = pl.concat([old.filter(~again), rows])
            counts[name] += rows.height if name != "referrals" else 0
        merged = merged.sort(LIBRARY_TABLES[name].primary_key())
        if not dry_run and not (draft.has(name) and merged.equals(old)):
            draft.write(name, merged, part=part)
    return counts


def _old(draft, name: str, part: str) -> pl.DataFrame:
    schema = LIBRARY_TABLES[name]
    if part not in draft.parts(name):
        return schema.create_empty()
    return draft.read(name, part=part).cast({c: d.dtype for c, d in schema.columns().items()})


def _brought_up_to_date(old: pl.DataFrame, new: pl.DataFrame) -> pl.DataFrame:
    """Of everybody the newest value of each column."""
    columns = [c for c in new.columns if c != "patient_id"]
    known = new.join(old, on="patient_id", how="left", suffix="|old", maintain_order="left")
    known = known.select("patient_id", *(pl.coalesce(c, f"{c}|old").alias(c) for c in columns))
    return pl.concat([old.join(new, on="patient_id", how="anti"), known])


def _choices(draft, who: Identified) -> None:
    """Hashes for later choices and later ingests."""
    tables = {
        "matching": told_once(pl.concat([same_person.read(draft), who.matching])),
        "aliases": pl.concat([read_aliases(draft), who.aliases]).unique().sort("alias"),
    }
    for name, rows in tables.items():
        parts = rows.with_columns(part=part_of(pl.col("patient_id"))).partition_by(
            "part", as_dict=True, include_key=False, maintain_order=True
        )
        for (part,), own in parts.items():
            there = part in draft.parts(name, compartment=CHOICES)
            if not there or not draft.read(name, compartment=CHOICES, part=part).equals(own):
                draft.write(name, own, part=part, compartment=CHOICES)
