"""Numbers of `fairness_published`, and which groups its sentences name."""

import polars as pl

from iesoresearch.analyses.fairness_published import groupings as g
from iesoresearch.analyses.fairness_published.data import Figures
from iesoresearch.analyses.fairness_published.deprivation import (
    DECILES,
    index_of,
    line_interval,
    turned,
)
from iesoresearch.analyses.fairness_published.places import EXTREME, PROVIDER
from iesoresearch.analyses.fairness_published.rates import with_gaps
from iesoresearch.data import published
from iesoresearch.data.published import labels
from iesoresearch.models import proportions
from iesoresearch.results import Number, Table

FEWEST_TOLD = 1000  # courses counted of a group that a sentence names
HARM, HARM_PREFIX = "reliable deterioration", "harm_"
OPEN = {"sensitivity": "open"}


def told(figures: Figures, measure: str) -> dict[str, tuple[str, str, dict]]:
    """Of each grouping, by a name for numbers: group told of, reference, row of the gap.

    That is the group with the worst rate of those that are not small: chosen after looking, so
    that its gap is likely somewhat too wide. Of deprivation nothing where its labels may be
    reversed.
    """
    silent = {labels.ETHNIC} | ({DECILES} if turned(figures) else set())
    reference = {b: figures.reference[b] for b in figures.groupings if b not in silent}
    cells = g.known(figures.of_year(measure)).filter(
        pl.coalesce("n", "finished", pl.lit(float(FEWEST_TOLD))) >= FEWEST_TOLD
    )
    gaps = with_gaps(cells, reference).drop_nulls("gap")
    sign = -1 if measure == HARM else 1
    found = {}
    for breakdown, other in reference.items():
        rows = gaps.filter(pl.col("breakdown") == breakdown).sort(sign * pl.col("gap"), "group")
        if rows.height:
            row = rows.row(0, named=True)
            words = g.patients(breakdown, row["group"]), g.patients(breakdown, other)
            found[g.HEADINGS[breakdown].lower().replace(" ", "_").replace("-", "_")] = *words, row
    return found


def numbers(figures: Figures, tables: dict[str, Table], measure: str) -> dict[str, Number]:
    """The numbers that sentences quote and `verify` compares."""
    found = {"year": Number(figures.year, kind="model", **OPEN)}
    if "deprivation" in tables:
        courses = tables["deprivation"].frame["n"].sum()
        found |= {"n_deciles": Number(courses, kind="count", **OPEN)} if courses else {}
    found |= _whole(figures) | _printed(tables["reproduced"]) | _several(figures, measure)
    found |= _told(figures, measure, "")
    if measure != HARM:
        found |= _told(figures, HARM, HARM_PREFIX)
    if not turned(figures):
        found |= _indices(figures, measure) | _stages(tables["stages"])
    if "changes" in tables:
        found |= _moved(tables["changes"])
    return found | _funnel(figures, tables)


def _told(figures: Figures, measure: str, prefix: str) -> dict[str, Number]:
    digits = 1 if measure == HARM else 0  # whole numbers of so few would all be alike
    found = {}
    for name, (_, _, row) in told(figures, measure).items():
        found[f"{prefix}{name}_rate"] = Number(row["rate"], digits=digits, **OPEN)
        found[f"{prefix}{name}_other"] = Number(row["rate_other"], digits=digits, **OPEN)
        for end in ("gap", "gap_low", "gap_high"):
            if row[end] is not None:
                found[f"{prefix}{name}_{end}"] = Number(row[end], digits=1, **OPEN)
    return found


def _whole(figures: Figures) -> dict[str, Number]:
    row = figures.england.filter(period=figures.year, breakdown=labels.TOTAL, measure="recovery")
    return {
        f"n_{name}": Number(int(row[name].item()), kind="count", **OPEN)
        for name in ("referrals", "finished")
        if len(row) and row[name].item() is not None
    }


def _printed(table: Table) -> dict[str, Number]:
    england = table.frame.filter(whose=published.ENGLAND)
    found = {}
    for name, rows in {
        "": england,
        **{f"_{_NAMES[h]}": england.filter(grouping=h) for h in _NAMES},
    }.items():
        for column in ("printed", "agree"):
            found[f"n_{column}{name}"] = Number(
                int(rows[column].sum()), digits=0, kind="count", **OPEN
            )
    others = table.frame.filter(pl.col("whose") != published.ENGLAND)
    for column in ("printed", "agree"):
        found[f"n_{column}_rounded"] = Number(int(others[column].sum()), kind="count", **OPEN)
    return found


_NAMES = {"Deprivation": "deprivation", "Ethnicity": "ethnicity", "Orientation": "orientation"}


def _several(figures: Figures, measure: str) -> dict[str, Number]:
    """How many gaps there are, and how many differ from none, one by one and all together."""
    reference = {b: figures.reference[b] for b in figures.groupings}
    cells = g.known(figures.of_year(measure))
    gaps = with_gaps(cells, reference).drop_nulls("gap_low")
    counts = {"n_gaps": gaps.height, "n_apart": _apart(gaps), "n_apart_all": 0}
    if gaps.height:
        level = 1 - (1 - proportions.LEVEL) / gaps.height
        counts["n_apart_all"] = _apart(with_gaps(cells, reference, level))
    return {name: Number(n, digits=0, kind="count", **OPEN) for name, n in counts.items()}


def _apart(gaps: pl.DataFrame) -> int:
    return gaps.filter((pl.col("gap_low") > 0) | (pl.col("gap_high") < 0)).height


def _indices(figures: Figures, measure: str) -> dict[str, Number]:
    cells = figures.england.filter(breakdown=DECILES, measure=measure)
    years = [y for y in figures.years if index_of(cells.filter(period=y)) is not None]
    found = {}
    for when, year in (("first", years[:1]), ("last", years[-1:])):
        for y in year:
            index = index_of(cells.filter(period=y))
            found[f"sii_{when}_year"] = Number(y, **OPEN)
            ends = zip(("low", "high"), line_interval(index, cells.filter(period=y)), strict=True)
            for end, value in ends:
                found[f"sii_{when}_line_{end}"] = Number(value, digits=1, **OPEN)
            for name, estimate, digits in (("sii", index.sii, 1), ("rii", index.rii, 2)):
                for end, suffix in (("value", ""), ("low", "_low"), ("high", "_high")):
                    value = getattr(estimate, end)
                    found[f"{name}_{when}{suffix}"] = Number(value, digits=digits, **OPEN)
    return found


def _stages(table: Table) -> dict[str, Number]:
    most = table.frame.filter(grouping=g.HEADINGS[DECILES], level=g.level(DECILES, "1"))
    if most.is_empty():
        return {}
    row = most.row(0, named=True)
    names = ("recovered_share", "finished_share", "gap", "finishing", "counting", "recovering")
    return {f"most_{name}": Number(row[name], digits=1, **OPEN) for name in names}


def _moved(changes: Table) -> dict[str, Number]:
    """How many changes have an interval, and of how many it is without 0."""
    judged = changes.frame.drop_nulls("change_low")
    apart = judged.filter((pl.col("change_low") > 0) | (pl.col("change_high") < 0))
    counts = {"n_changes": judged.height, "n_moved": apart.height}
    return {name: Number(n, digits=0, kind="count", **OPEN) for name, n in counts.items()}


def _funnel(figures: Figures, tables: dict[str, Table]) -> dict[str, Number]:
    if "providers" not in tables or "funnels" not in tables:
        return {}
    shown = tables["providers"].frame.filter(pl.col("place") != "limits")
    counts = {
        "shown": shown.height,
        "odd": shown.filter(place=EXTREME).height,
        "all": figures.of_kind(PROVIDER)["org"].n_unique(),
    }
    row = tables["funnels"].frame.row(0, named=True)
    found = {
        f"funnel_{name}": Number(row[name], digits=0, kind="count", **OPEN)
        for name in ("providers", "exact_outside2", "additive_outside2")
        if row[name] is not None
    }
    found |= {
        f"funnel_{name}": Number(n, digits=0, kind="count", **OPEN) for name, n in counts.items()
    }
    return found | {
        f"funnel_{name}": Number(row[name], digits=1, **OPEN)
        for name in ("phi", "spread")
        if row[name] is not None
    }


def counted(measure: str) -> str:
    """What the outcome is a share of."""
    if "recovery" in measure:
        return "courses that finished, without those known to be below caseness at the start"
    return "finished courses"
