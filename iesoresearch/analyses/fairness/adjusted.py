"""Gaps after each step of adjustment for case mix: none of them is the fair or the unfair part."""

from functools import partial

import numpy as np
import polars as pl

from iesoresearch.analyses.fairness import Params
from iesoresearch.analyses.fairness.data import Audited, references
from iesoresearch.analyses.fairness.derive import Columns, beside, people, with_derived
from iesoresearch.analyses.fairness.outcomes import DENOMINATORS, STAGES, table_of
from iesoresearch.disclosure import derived
from iesoresearch.errors import DataError
from iesoresearch.models import case_mix
from iesoresearch.results import Table, Value

SERVICE = "service"
#: Step -> short name, and the columns that it adds.
STEPS = {
    "severity": ("severity", ("first_phq9", "first_gad7")),
    "problem": ("problem", ("problem",)),
    "step of care": ("step", ("step",)),
}
#: Short name -> heading of the gap after that step and those before it.
HEADINGS = {
    "severity": "after severity",
    "problem": "and problem",
    "step": "and step of care",
    SERVICE: "and service",
}
DIGITS = {"gap": 1, "odds": 2}
ENDS = ("", "_low", "_high")


def adjusted(data: Audited, params: Params) -> Table:
    """Gap of every group as counted, and standardised after each step; last within services.

    Intervals are those of whole services; the last step compares patients within a service by
    random intercepts. With one service there is no last step, and referrals count as independent.
    """
    outcome, denominator = params.outcome, DENOMINATORS[params.outcome]
    reference = references(data, params)
    title = f"Gaps after each step of adjustment: {STAGES[outcome].lower()}"
    table = table_of(data, title, {name: STAGES[name] for name in (denominator, outcome)})
    table = derived.with_gap(
        table, "gap", outcome, denominator, "Gap as counted, points", reference=reference
    )
    rows = data.closed.filter(pl.col(outcome).is_not_null())
    found = pl.concat([_of(rows, name, outcome, reference[name]) for name in data.groupings])
    keys = table.frame.select("grouping", "level")
    columns = keys.join(found, on=["grouping", "level"], how="left", maintain_order="left")
    columns = columns.drop("grouping", "level")
    by_service = n_services(rows) > 1
    values = {
        name: value
        for name, value in _values(data.sensitivity).items()
        if by_service or not name.startswith("gap_service")
    }
    compute = partial(
        _beside_counts, models=columns, counts=(outcome, denominator), reference=reference
    )
    return with_derived(table, values, compute)


def _beside_counts(
    frame: pl.DataFrame, models: pl.DataFrame, counts: tuple[str, str], reference: dict[str, str]
) -> Columns:
    """What models say of groups whose counts, and their reference's, are shown.

    Of others it would tell something of what is not. To one digit more than is shown, as all that
    is released.
    """
    known = np.isfinite([people(frame, name) for name in counts]).all(axis=0)
    at, _ = beside(frame, reference)
    shown = pl.Series(known & known[at] & (at >= 0))
    columns: Columns = {}
    for column in models:
        known = pl.select(pl.when(shown).then(column)).to_series()
        digits = 1 + DIGITS.get(column.name.split("_")[0], 0)
        columns[column.name] = known.round(digits) if known.dtype.is_float() else known
    return columns


def n_services(rows: pl.DataFrame) -> int:
    """Number of services that are named."""
    return rows["service_id"].drop_nulls().n_unique()


def _values(sensitivity) -> dict[str, Value]:
    shown = {"sensitivity": sensitivity}
    values = {}
    for name, heading in HEADINGS.items():
        for end, label in zip(ENDS, (heading, "from", "to"), strict=True):
            values[f"gap_{name}{end}"] = Value("model", label, DIGITS["gap"], **shown)
    for end, label in zip(ENDS, ("Odds ratio, all adjusted", "from", "to"), strict=True):
        values[f"odds_ratio{end}"] = Value("model", label, DIGITS["odds"], **shown)
    return values | {"reason": Value("model", "Note", 0, **shown)}


def _of(rows: pl.DataFrame, grouping: str, outcome: str, reference: str) -> pl.DataFrame:
    """One row per level of a grouping: gaps after each step, odds ratio, why not estimable."""
    blocks = {name: rows.select(columns) for name, (_, columns) in STEPS.items()}
    cluster = rows["service_id"] if n_services(rows) > 1 else None
    try:
        frame = case_mix.steps(rows[outcome], rows[grouping], blocks, cluster, reference).frame
    except DataError as error:
        return _empty(rows[grouping].unique(maintain_order=True), grouping, str(error))
    titles = {f"+ {name}": short for name, (short, _) in STEPS.items()}
    titles[f"+ {SERVICE}"] = SERVICE
    wide = frame.select("level").unique(maintain_order=True)
    for title, part in frame.group_by("step", maintain_order=True):
        if title[0] in titles:
            gap = f"gap_{titles[title[0]]}"
            named = {f"{gap}{end}": pl.col(f"points{end}") for end in ENDS}
            wide = wide.join(part.select("level", **named), on="level", how="left")
    last = frame.filter(pl.col("step") == pl.col("step").last())
    last = last.select("level", *(f"odds_ratio{end}" for end in ENDS), "reason")
    wide = wide.join(last, on="level", how="left", maintain_order="left")
    return _whole(wide.with_columns(grouping=pl.lit(grouping)))


def _empty(levels: pl.Series, grouping: str, reason: str) -> pl.DataFrame:
    frame = pl.DataFrame({"level": levels}).with_columns(
        grouping=pl.lit(grouping), reason=pl.lit(f"not estimable: {reason}")
    )
    return _whole(frame)


def _whole(frame: pl.DataFrame) -> pl.DataFrame:
    """All columns, in order; those of steps that were not taken are null."""
    names = [f"{base}{end}" for base in (*(f"gap_{n}" for n in HEADINGS), "odds_ratio")
             for end in ENDS]  # fmt: skip
    absent = [pl.lit(None, pl.Float64).alias(name) for name in names if name not in frame.columns]
    return frame.with_columns(absent).select("grouping", "level", *names, "reason")
