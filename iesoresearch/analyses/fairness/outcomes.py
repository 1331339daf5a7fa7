"""Outcome audit: how far the patients of every group come, and what comes of it."""

import polars as pl

from iesoresearch.analyses.fairness import Params
from iesoresearch.analyses.fairness.data import Audited, levels_of
from iesoresearch.data.groups import NOT_RECORDED
from iesoresearch.results import Result, Table, Value

#: Stage -> heading, and the stage it is a part of.
STAGES = {
    "referred": ("Referred", None),
    "started": ("Started", "referred"),
    "finished": ("Finished", "started"),
    "judged": ("Outcome judged", "finished"),
    "at_caseness": ("At caseness", "judged"),
    "recovery": ("Recovered", "at_caseness"),
    "reliable_recovery": ("Reliably recovered", "recovery"),
    "reliable_improvement": ("Reliably improved", "judged"),
    "reliable_deterioration": ("Reliably deteriorated", "judged"),
}


def outcomes(data: Audited, params: Params) -> Result:
    """Counts of every group at every stage."""
    keys = {"grouping": "Grouping", "level": "Group"}
    values = {
        stage: Value("count", heading, 0, parts_of=("grouping",), sensitivity=data.sensitivity)
        for stage, (heading, _) in STAGES.items()
    }
    table = Table("How far the patients of each group come", counted(data), keys, values)
    return Result(tables={"stages": table})


def counted(data: Audited) -> pl.DataFrame:
    """Per grouping and level the referrals at every stage, levels in their order."""
    parts = []
    for grouping in data.groupings:
        levels = pl.DataFrame({"level": [*levels_of()[grouping], NOT_RECORDED]})
        found = data.rows.group_by(level=grouping, maintain_order=True).agg(
            pl.col(stage).sum().cast(pl.Int64) for stage in STAGES
        )
        joined = levels.join(found, on="level", how="left", maintain_order="left")
        joined = joined.drop_nulls("referred").with_columns(grouping=pl.lit(grouping))
        parts.append(joined.select("grouping", "level", *STAGES))
    return pl.concat(parts)
