"""Inequality over deprivation: the deciles of the year, and the indices of every year."""

import numpy as np
import polars as pl
from scipy import stats

from iesoresearch.analyses.fairness_published import groupings as g
from iesoresearch.analyses.fairness_published.data import Figures
from iesoresearch.analyses.fairness_published.rates import OPEN, OUTCOMES, interval, with_rates
from iesoresearch.models.inequality import Inequality, slope_index
from iesoresearch.results import Table, Value

DECILES = "deprivation decile"
#: Why nothing is said of deprivation where `turned` says so.
REVERSED = (
    "more recover in the decile read as the most deprived than in the least: the labels may be "
    "reversed, see the check of them."
)


def ends(figures: Figures) -> tuple[int, int]:
    """Years in which the most deprived decile recovers at least as often as the least, of how many.

    Reversed labels do not contradict themselves; in no annual report since 2017-18 was it so.
    """
    cells = figures.england.filter(breakdown=DECILES, measure="recovery")
    rated = with_rates(g.known(cells)).drop_nulls("rate")
    most, least = (
        rated.filter(group=group).select("period", pl.col("rate").alias(f"of_{group}"))
        for group in ("1", "10")
    )
    both = most.join(least, on="period")
    return both.filter(pl.col("of_1") >= pl.col("of_10")).height, both.height


def turned(figures: Figures) -> bool:
    """Whether the labels of deprivation may be reversed, so that nothing is to be said of it."""
    return ends(figures)[0] > 0


def index_of(cells: pl.DataFrame) -> Inequality | None:
    """Slope and relative index of one year's ten deciles; None where a count is not published."""
    cells = g.known(cells).filter(made_of="counts").sort(pl.col("group").cast(pl.Int64))
    if cells.height < 10:
        return None
    return slope_index(
        cells["events"].to_numpy(), cells["n"].to_numpy(), cells["group"].cast(pl.Int64).to_list()
    )


def line_interval(found: Inequality, cells: pl.DataFrame) -> tuple[float, float]:
    """95 % interval of the slope index by how far deciles lie from the line, in points.

    Of weighted least squares with Student's t: each decile's distance from the line is taken as
    its error, so that clustering and a line that does not fit widen it, and chance need not be
    that of independent courses.
    """
    cells = g.known(cells).filter(made_of="counts").sort(pl.col("group").cast(pl.Int64))
    events, n, x = cells["events"].to_numpy(), cells["n"].to_numpy(), found.ridits
    apart = 100 * events / n - (found.most + (found.least - found.most) * x)
    spread = (n * apart**2).sum() / (len(n) - 2) / (n * (x - np.average(x, weights=n)) ** 2).sum()
    half = float(stats.t.ppf(0.975, len(n) - 2) * np.sqrt(spread))
    return found.sii.value - half, found.sii.value + half


def deciles(figures: Figures, measure: str) -> Table:
    """Rate of every decile, where it lies in the ranking, and the line over all of them."""
    cells = g.known(figures.of_year(measure).filter(breakdown=DECILES))
    found = index_of(cells)
    cells = with_rates(cells)
    ridits = [None] * cells.height if found is None else found.ridits.tolist()
    frame = cells.select(
        decile=pl.Series([g.level(DECILES, group) for group in cells["group"]]),
        n=pl.col("n").cast(pl.Int64),
        rate="rate",
        rate_low="low",
        rate_high="high",
        ridit=pl.Series(ridits, dtype=pl.Float64),
    )
    line = None if found is None else found.most + (found.least - found.most) * pl.col("ridit")
    frame = frame.with_columns(line=pl.lit(None, pl.Float64) if line is None else line)
    label = OUTCOMES[measure][1]
    values = {
        "n": Value("count", "Courses counted", 0, **OPEN),
        **interval("rate", f"{label}, %"),
        "ridit": Value("model", "Place in the ranking, 0 = most deprived", 3, **OPEN),
        "line": Value("model", "Line, %", 1, **OPEN),
    }
    keys = {"decile": "Decile of deprivation"}
    title = f"Deprivation: {label.lower()}, England {figures.year}"
    return Table(title, frame.select(*keys, *values), keys, values)


def indices(figures: Figures) -> Table:
    """Slope and relative index of inequality of every outcome and year with counts."""
    england = figures.england.filter(breakdown=DECILES)
    rows = []
    for measure, (_, label) in OUTCOMES.items():
        for year in figures.years:
            cells = england.filter(period=year, measure=measure)
            found = index_of(cells)
            if found is not None:
                sii, rii = found.sii, found.rii
                estimates = [
                    getattr(e, end) for e in (sii, rii) for end in ("value", "low", "high")
                ]
                more = (*line_interval(found, cells), found.misfit)
                rows.append((label, year, found.most, found.least, *estimates, *more))
    values = {
        "most": Value("model", "At the most deprived end, %", 1, **OPEN),
        "least": Value("model", "At the least deprived end, %", 1, **OPEN),
        **interval("sii", "Slope index, points"),
        **interval("rii", "Relative index", 3),
        "sii_line_low": Value("model", "Slope index, 95 % by the misfit: from", 1, **OPEN),
        "sii_line_high": Value("model", "to", 1, **OPEN),
        "misfit": Value("model", "Farthest decile from the line, points", 2, **OPEN),
    }
    keys = {"outcome": "Outcome", "year": "Financial year"}
    schema = dict.fromkeys(keys, pl.String) | dict.fromkeys(values, pl.Float64)
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return Table("Inequality over deprivation, England", frame, keys, values)
