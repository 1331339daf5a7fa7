"""How like the published figures the drawn population is, on a draw large enough to tell."""

import polars as pl

from iesoresearch.analyses.cohort.people import Data
from iesoresearch.data import synthetic
from iesoresearch.data.synthetic.calibration import compare
from iesoresearch.results import Table, Value
from iesoresearch.seeds import derive

SURE = 3.0  # standard errors of the draw; over a hundred figures are compared at once


def likeness(profile: str, n: int, seed: int) -> Table:
    """Published and drawn figures, and how far apart they lie in tolerances."""
    drawn = synthetic.make(n, derive(seed, "likeness"), profile)
    off = pl.col("synthetic") - pl.col("published")
    frame = compare(drawn, profile).with_columns(
        distance=off / pl.col("tolerance"), distance_error=pl.col("error") / pl.col("tolerance")
    )
    known = pl.when("required").then(pl.lit("yes")).otherwise(pl.lit("known to be off"))
    frame = frame.with_columns(claimed=known)
    keys = {
        "breakdown": "Figures by", "group": "Group", "measure": "Measure",
        "statistic": "Statistic", "role": "In the model",
        "claimed": "Claimed",
    }  # fmt: skip
    shared = {"denominator": "n", "sensitivity": "synthetic"}
    values = {
        "published": Value("model", "Published", 2, sensitivity="open"),
        "synthetic": Value("model", "Drawn", 2, **shared),
        "distance": Value("model", "Apart, in tolerances", 2, **shared),
        "distance_error": Value("model", "Standard error", 2, **shared),
        "tolerance": Value("model", "Tolerance", 2, sensitivity="open"),
        "n": Value("count", "Courses", 0, sensitivity="synthetic"),
    }
    return Table("Published and drawn figures", frame.select(*keys, *values), keys, values)


def counted(table: Table) -> dict[str, int]:
    """How many figures are claimed, within tolerance, off for sure, and of them never fitted."""
    apart, error = pl.col("distance").abs(), pl.col("distance_error")
    frame = table.frame.filter(claimed="yes")
    return {
        "likeness_n": frame.filter(measure="finished / referred")["n"].item(),
        "n_figures": frame.height,
        "n_within": frame.filter(apart <= 1).height,
        "n_off": frame.filter(apart > 1 + SURE * error).height,
        "n_emergent": frame.filter(role="emergent").height,
        "n_emergent_within": frame.filter(apart <= 1, role="emergent").height,
        "n_known_off": table.frame.height - frame.height,
    }


def answer(data: Data, tables: dict[str, Table], found) -> tuple[str, str]:
    """Whether the drawn population passes for the published one where it claims to."""
    if "likeness" not in tables:
        return "not applicable", "Only a drawn population is meant to be like the published one."
    counts = counted(tables["likeness"])
    everything = counts["n_within"] == counts["n_figures"]
    status = "failed" if counts["n_off"] else "passed" if everything else "inconclusive"
    sentence = (
        "{n_within} of the {n_figures} figures claimed lie within tolerance (1 point, 0.3 score "
        "points, 5 % of a standard deviation), {n_emergent_within} of {n_emergent} among those "
        "that no parameter was fitted to; {n_off} are off beyond what the size of the draw allows "
        "for. {n_known_off} further figures are known to be off and shown beside them."
    )
    return status, sentence
