"""Whether the printed percentages follow from the counts, and what the figures cover."""

import polars as pl

from iesoresearch.analyses.fairness_published import groupings as g
from iesoresearch.analyses.fairness_published.data import Figures
from iesoresearch.analyses.fairness_published.places import PROVIDER, REGION
from iesoresearch.analyses.fairness_published.rates import OPEN
from iesoresearch.analyses.fairness_published.unknown import counted, share
from iesoresearch.data import published
from iesoresearch.data.published import labels
from iesoresearch.results import Table, Value

_EXACT, _WHOLE = 0.05, 0.5  # half a unit of a printed percentage: of England, and of a part of it
_ROUNDING = 1e-9  # of the computer
_TOTAL = "Everybody"


def reproduced(figures: Figures) -> Table:
    """Printed percentages beside those from counts: how many agree, by grouping."""
    cells = figures.cells.filter(
        pl.col("stated").is_not_null(), pl.col("n") - pl.col("n_error") > 0, made_of="counts"
    )
    kinds = dict(figures.organisations.select("org", "kind").iter_rows())
    whose = pl.col("org").replace_strict(
        {published.ENGLAND: "England", **{o: _WHOSE.get(k, k) for o, k in kinds.items()}},
        default="others",
    )
    x, n, off, off_n = (pl.col(c) for c in ("events", "n", "events_error", "n_error"))
    half = pl.when(off_n > 0).then(_WHOLE).otherwise(_EXACT) + _ROUNDING
    least, most = 100 * (x - off) / (n + off_n), 100 * (x + off) / (n - off_n)
    stated = pl.col("stated")
    judged = cells.with_columns(
        whose=whose,
        apart=(100 * x / n - stated).abs(),
        agrees=(least - half <= stated) & (stated <= most + half),
    )
    headings = {labels.TOTAL: _TOTAL, **g.HEADINGS}
    found = (
        judged.group_by("whose", "breakdown", maintain_order=True)
        .agg(
            first=pl.col("period").min(),
            last=pl.col("period").max(),
            printed=pl.len().cast(pl.Int64),
            agree=pl.col("agrees").sum().cast(pl.Int64),
            worst=pl.col("apart").max(),
        )
        .with_columns(
            grouping=pl.col("breakdown").replace_strict(headings),
            years=pl.concat_str("first", "last", separator=" to "),
            order=pl.col("breakdown").replace_strict({b: i for i, b in enumerate(headings)}),
        )
        .sort("whose", "order")
    )
    values = {
        "years": Value("model", "Years", **OPEN),
        "printed": Value("count", "Printed percentages", 0, **OPEN),
        "agree": Value("count", "That follow from the counts", 0, **OPEN),
        "worst": Value("model", "Largest difference, points", 3, **OPEN),
    }
    keys = {"whose": "Figures of", "grouping": "Grouping"}
    title = "Printed percentages computed again from the counts"
    return Table(title, found.select(*keys, *values), keys, values)


_WHOSE = {REGION: "regions", PROVIDER: "providers"}


def coverage(figures: Figures) -> Table:
    """Of every grouping: since when, how many groups, how many courses in none or in several."""
    england = figures.england.filter(measure="recovery")
    cells = england.filter(period=figures.year)
    whole = cells.filter(breakdown=labels.TOTAL)["finished"].drop_nulls()
    total = whole.item() if len(whole) else None
    rows = []
    for breakdown in figures.groupings:
        of_it = g.known(england.filter(breakdown=breakdown))
        by_year = dict(of_it.group_by("period").agg(pl.col("group").n_unique()).iter_rows())
        unknown = share(england, figures.year, breakdown)
        summed = counted(cells, breakdown, "finished")[1]
        several = 100 * (summed - total) / total if total is not None and summed > 0 else None
        if unknown is None and several is not None and several < 0:
            several = None  # some of what is lacking is in no known group, nobody knows how much
        groups = by_year[figures.year]
        first, most = min(by_year), max(by_year.values())
        rows.append((g.HEADINGS[breakdown], first, groups, most, unknown, several))
    values = {
        "since": Value("model", f"The first year {figures.where}", **OPEN),
        "groups": Value("count", "Groups", 0, **OPEN),
        "most": Value("count", "In the year with most", 0, **OPEN),
        "unknown": Value("model", "In no known group, % of finished courses", 1, **OPEN),
        "several": Value("model", "Sum of all groups beyond everybody, %", 2, **OPEN),
    }
    keys = {"grouping": "Grouping"}
    schema = {"grouping": pl.String, "since": pl.String, "groups": pl.Int64, "most": pl.Int64}
    schema |= dict.fromkeys(("unknown", "several"), pl.Float64)
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return Table(f"What is {figures.where} by group, England {figures.year}", frame, keys, values)
