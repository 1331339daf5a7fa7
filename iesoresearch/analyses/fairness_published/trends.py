"""How gaps changed from year to year."""

import numpy as np
import polars as pl

from iesoresearch.analyses.fairness_published import groupings as g
from iesoresearch.analyses.fairness_published.data import Figures, sorted_groups
from iesoresearch.analyses.fairness_published.rates import (
    KEYS,
    OPEN,
    OUTCOMES,
    interval,
    named,
    with_gaps,
)
from iesoresearch.analyses.fairness_published.unknown import MOST_MOVED, share
from iesoresearch.results import Table, Value


def trends(figures: Figures, measure: str) -> Table:
    """Gap of every group in every year; bands of age that all years have."""
    compared = {b: g.level(b, group) for b, group in figures.reference.items()}
    found = named(_gaps(figures, measure)).with_columns(
        compared=pl.col("breakdown").replace_strict(compared), counted=pl.col("n").cast(pl.Int64)
    )
    label = OUTCOMES[measure][1]
    values = {
        "compared": Value("model", "Compared with", **OPEN),
        "counted": Value("count", "Courses counted", 0, **OPEN),
        "rate": Value("model", f"{label}, %", 1, **OPEN),
        **interval("gap", "Gap, points"),
    }
    keys = KEYS | {"year": "Financial year"}
    found = found.rename({"period": "year"})
    return Table(f"Gaps by year: {label.lower()}", found.select(*keys, *values), keys, values)


def _gaps(figures: Figures, measure: str) -> pl.DataFrame:
    in_all_years = [g.COMMON_AGE if b == "age" else b for b in figures.groupings]
    cells = g.known(
        figures.england.filter(pl.col("breakdown").is_in(in_all_years), measure=measure)
    )
    found = with_gaps(
        sorted_groups(cells.sort("period")), {b: figures.reference[b] for b in in_all_years}
    )
    return found.filter(pl.col("gap").is_not_null())


def changes(figures: Figures, measure: str) -> Table:
    """Gap of the first and of the last year with counts, and how far it moved between them.

    The interval of the change adds up those of both gaps as the sides of a right triangle: two
    years are different courses. There is none where the share of courses in no known group moved by
    more than `MOST_MOVED` points: who is compared then changed by more than chance.
    """
    found = _gaps(figures, measure).filter(pl.col("gap_low").is_not_null())
    keys = ["breakdown", "group"]
    ends = found.group_by(keys, maintain_order=True).agg(
        pl.struct("period", "gap", "gap_low", "gap_high").sort_by("period").first().alias("a"),
        pl.struct("period", "gap", "gap_low", "gap_high").sort_by("period").last().alias("b"),
    )
    for name in ("a", "b"):
        ends = ends.with_columns(pl.col(name).struct.rename_fields([f"{name}_{c}" for c in _ENDS]))
    ends = ends.unnest("a", "b").filter(pl.col("a_year") < pl.col("b_year"))
    moved = (ends["b_gap"] - ends["a_gap"]).to_numpy()
    down = np.hypot(ends["b_gap"] - ends["b_low"], ends["a_high"] - ends["a_gap"])
    up = np.hypot(ends["b_high"] - ends["b_gap"], ends["a_gap"] - ends["a_low"])
    ends = _with_unknown(figures, ends)
    moved_unknown = (pl.col("b_unknown") - pl.col("a_unknown")).abs()
    comparable = ~(moved_unknown > MOST_MOVED).fill_null(value=False)
    rows = named(ends).with_columns(
        years=pl.concat_str("a_year", "b_year", separator=" to "),
        change=pl.Series(moved),
        change_low=pl.when(comparable).then(pl.Series(moved - down)),
        change_high=pl.when(comparable).then(pl.Series(moved + up)),
    )
    values = {
        "years": Value("model", "Years", **OPEN),
        "a_gap": Value("model", "First gap, points", 1, **OPEN),
        "b_gap": Value("model", "Last gap, points", 1, **OPEN),
        **interval("change", "Change, points"),
        "a_unknown": Value("model", "Group not known, % of courses: first year", 1, **OPEN),
        "b_unknown": Value("model", "last year", 1, **OPEN),
    }
    title = f"How gaps changed: {OUTCOMES[measure][1].lower()}, England"
    return Table(title, rows.select(*KEYS, *values), KEYS, values)


def _with_unknown(figures: Figures, ends: pl.DataFrame) -> pl.DataFrame:
    """With the share of courses in no known group, of both years."""
    for name in ("a", "b"):
        asked = ends.select("breakdown", f"{name}_year").unique(maintain_order=True)
        found = [share(figures.england, year, breakdown) for breakdown, year in asked.iter_rows()]
        asked = asked.with_columns(pl.Series(f"{name}_unknown", found, dtype=pl.Float64))
        ends = ends.join(asked, on=asked.columns[:2], how="left", maintain_order="left")
    return ends


_ENDS = ("year", "gap", "low", "high")
