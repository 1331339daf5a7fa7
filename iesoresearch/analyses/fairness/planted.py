"""What the synthetic populations plant: how far each group comes, counted over millions drawn.

Made by ``studies/planted_truth.py``. The parameters of a profile act on severity, response, going
on and leaving; the gaps in outcome that follow have no formula, so they are drawn.
"""

import importlib.resources
import json
from functools import partial

import polars as pl
from scipy import stats

from iesoresearch.data.synthetic import Profile
from iesoresearch.hashes import digest
from iesoresearch.params import canonical_json
from iesoresearch.results import Check, Number

FILE = "planted.json"
NAME = "planted gaps are inside their intervals"
MISSED = 0.05  # share of true gaps outside their 95 % intervals
SURE = 0.99


def fingerprint(profile: str) -> str:
    """Hash of all parameters of a profile."""
    return digest(canonical_json(Profile.load(profile).values).encode())


def expected(profile: str) -> pl.DataFrame:
    """Counts over all draws: ``grouping``, ``level``, and one column per stage."""
    text = importlib.resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    found = json.loads(text)[profile]
    rows = [(*name.split("=", 1), *counts) for name, counts in found["groups"].items()]
    return pl.DataFrame(rows, schema=["grouping", "level", *found["stages"]], orient="row")


def gaps(profile: str, outcome: str, denominator: str, reference: dict[str, str]) -> pl.DataFrame:
    """``grouping``, ``level`` and ``planted``: the true gap in percentage points."""
    frame = expected(profile)
    rate = (100 * pl.col(outcome) / pl.col(denominator)).alias("rate")
    frame = frame.filter(pl.col(denominator) > 0).select("grouping", "level", rate)
    beside = pl.DataFrame(
        list(reference.items()), schema={"grouping": pl.String, "level": pl.String}, orient="row"
    ).join(frame, on=["grouping", "level"], how="left")
    frame = frame.join(beside.select("grouping", other="rate"), on="grouping", how="inner")
    return frame.select("grouping", "level", planted=pl.col("rate") - pl.col("other"))


def check(table, known: bool) -> Check:
    """Whether the true gaps lie in their intervals, but for those that miss by chance.

    Gaps of a grouping share their reference, so that they miss together more often than the bound,
    which takes them for independent, allows for: failing is a reason to look, no proof.
    """
    if not known:
        return Check(NAME, "not applicable", "What is true of these patients is not known.")
    inside, n = counts(table.frame)
    if n == 0:
        return Check(NAME, "inconclusive", "No gap may be shown, so none can be compared.")
    most = int(stats.binom.ppf(SURE, n, MISSED))
    return Check(
        NAME,
        "passed" if n - inside <= most else "failed",
        "Of {planted_gaps} gaps shown whose truth is known (drawn over millions of referrals), "
        "{planted_inside} have it in their 95 % interval; {planted_by_chance} are expected to miss "
        "it by chance.",
    )


def counts(frame: pl.DataFrame) -> tuple[int, int]:
    """Gaps whose interval holds the planted one, and all that have both."""
    both = frame.drop_nulls(["gap", "planted"])
    inside = both.filter(pl.col("planted").is_between(pl.col("gap_low"), pl.col("gap_high")))
    return inside.height, both.height


def numbers() -> dict[str, Number]:
    """What the check says, from the released table."""
    digits = {"planted_gaps": 0, "planted_inside": 0, "planted_by_chance": 1}
    return {name: Number(None, digits=d, derive=partial(_told, name=name, digits=d))
            for name, d in digits.items()}  # fmt: skip


def _told(tables, name: str, digits: int) -> Number:
    inside, n = counts(tables["gaps"].frame)
    value = {"planted_gaps": n, "planted_inside": inside, "planted_by_chance": MISSED * n}[name]
    return Number(value, digits=digits, sensitivity="synthetic")
