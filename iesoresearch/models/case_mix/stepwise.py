"""A gap between groups after each step of adjustment, all on the same people."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.case_mix import inputs
from iesoresearch.models.case_mix.standardising import Standardised, standardise

UNADJUSTED = "unadjusted"
#: What has to stand beside every adjusted gap.
CAUTION = (
    "What is adjusted for may itself lie on the way from the group to the outcome: a gap that "
    "becomes smaller with it is described by it, not accounted for, and what remains has many "
    "possible sources."
)


@dataclass(frozen=True)
class Steps:
    """Gaps after each step of adjustment.

    Attributes
    ----------
    frame
        Per step and level, the reference first: step ("unadjusted", "+ severity" …), the columns of
        `Standardised.frame`, moved (points minus those of the unadjusted gap) and model ("logistic"
        or "random intercepts").
    reference
        The level that the others are compared with.
    n_given, n_used, n_left_out
        Patients handed over; with nothing missing, in every step; and of these of levels that are
        too small for a model.
    tau
        Of the last step: standard deviation of the clusters' intercepts in log odds; None without.
    """

    frame: pl.DataFrame
    reference: str
    n_given: int
    n_used: int
    n_left_out: int
    tau: float | None


def steps(
    y,
    group,
    blocks: Mapping[str, pl.DataFrame],
    cluster=None,
    reference: str | None = None,
    *,
    cluster_name: str = "service",
    level: float = 0.95,
) -> Steps:
    """Show what happens to the gaps between groups as case mix is adjusted for, block by block.

    Each step adds a block to those before it and standardises over everybody's case mix (see
    `standardise`). Points of the steps can be compared with each other. Odds ratios cannot: they
    move with what is added even where it is alike in all groups (non-collapsibility). The order of
    the blocks matters for what each of them moves, not for the last step.

    Where clusters are given, intervals are those of whole clusters, and a last step, named
    `cluster_name`, compares patients within a cluster by random intercepts.

    Parameters
    ----------
    y : (people,) array_like
        Whether each has the event; null or NaN: not known.
    group : (people,) sequence
        Level of each; null: not known. To keep those, name it a level.
    blocks
        What each step adds, by its name, in order; columns as `standardise` takes them.
    cluster : (people,) sequence, optional
        Labels.
    reference
        By default the largest level.
    cluster_name
        What the clusters are.
    level
        Of the intervals.

    Raises
    ------
    ParameterError
        Lengths that differ, or two blocks with a column of the same name; what `standardise`
        refuses.
    DataError
        Nobody has everything that is needed; what `standardise` refuses.
    """
    people, blocks = _complete(y, group, blocks, cluster)
    kept = people.height
    own = people["cluster"] if cluster is not None else None
    found: dict[str, Standardised] = {}
    x = pl.DataFrame()
    common = {"cluster": own, "reference": reference, "level": level}
    for name, block in {UNADJUSTED: pl.DataFrame(), **blocks}.items():
        x = x.hstack(block.get_columns()) if x.width else block
        title = name if name == UNADJUSTED else f"+ {name}"
        mix = x if x.width else None
        found[title] = standardise(people["y"], people["group"], mix, **common)
    if cluster is not None:
        title = f"+ {cluster_name}"
        mix = x if x.width else None
        found[title] = standardise(people["y"], people["group"], mix, mixed=True, **common)
    last = list(found.values())[-1]
    return Steps(
        frame=_table(found),
        reference=last.reference,
        n_given=len(pl.Series(group)),
        n_used=kept - last.n_left_out,
        n_left_out=last.n_left_out,
        tau=last.tau,
    )


def _complete(y, group, blocks, cluster) -> tuple[pl.DataFrame, dict[str, pl.DataFrame]]:
    """People of whom everything is known, and their blocks."""
    group = inputs.labels(group, "group").cast(pl.String)
    columns = {"y": inputs.counts(y)[0], "group": group}
    if cluster is not None:
        columns["cluster"] = inputs.labels(cluster, "cluster")
    blocks = {name: inputs.columns(block) for name, block in blocks.items()}
    heights = {len(c) for c in columns.values()} | {b.height for b in blocks.values()}
    names = [name for block in blocks.values() for name in block.columns]
    if len(heights) > 1 or len(set(names)) < len(names):
        raise ParameterError(
            "Steps of adjustment take blocks of as many rows as there are patients, and no column "
            "twice."
        )
    people = pl.DataFrame(columns, nan_to_null=True)
    known = np.ones(people.height, dtype=bool)
    for frame in (people, *blocks.values()):
        for column in frame:
            known &= column.is_not_null().to_numpy()
    if not known.any():
        raise DataError(
            "No patient has a known outcome, group and case mix. Leave out the column that is "
            "empty, or make missing a level of its own."
        )
    return people.filter(known), {name: block.filter(known) for name, block in blocks.items()}


def _table(found: dict[str, Standardised]) -> pl.DataFrame:
    before = found[UNADJUSTED].frame.select("level", unadjusted="points")
    parts = []
    for title, result in found.items():
        model = "logistic" if result.tau is None else "random intercepts"
        frame = result.frame.join(before, on="level", how="left", maintain_order="left")
        parts.append(
            frame.select(
                pl.lit(title).alias("step"),
                pl.exclude("unadjusted", "reason"),
                (pl.col("points") - pl.col("unadjusted")).alias("moved"),
                pl.lit(model).alias("model"),
                "reason",
            )
        )
    return pl.concat(parts)
