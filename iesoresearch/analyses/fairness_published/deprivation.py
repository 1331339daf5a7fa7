"""Inequality over deprivation: the deciles of the year, and the indices of every year."""

import polars as pl

from iesoresearch.analyses.fairness_published import groupings as g
from iesoresearch.analyses.fairness_published.data import Figures
from iesoresearch.analyses.fairness_published.rates import OPEN, OUTCOMES, interval, with_rates
from iesoresearch.models.inequality import Inequality, slope_index
from iesoresearch.results import Table, Value

DECILES = "deprivation decile"


def index_of(cells: pl.DataFrame) -> Inequality | None:
    """Slope and relative index of one year's ten deciles; None where a count is not published."""
    cells = g.known(cells).filter(made_of="counts").sort(pl.col("group").cast(pl.Int64))
    if cells.height < 10:
        return None
    return slope_index(
        cells["events"].to_numpy(), cells["n"].to_numpy(), cells["group"].cast(pl.Int64).to_list()
    )


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
            found = index_of(england.filter(period=year, measure=measure))
            if found is not None:
                sii, rii = found.sii, found.rii
                ends = [getattr(e, end) for e in (sii, rii) for end in ("value", "low", "high")]
                rows.append((label, year, found.most, found.least, *ends, found.misfit))
    values = {
        "most": Value("model", "At the most deprived end, %", 1, **OPEN),
        "least": Value("model", "At the least deprived end, %", 1, **OPEN),
        **interval("sii", "Slope index, points"),
        **interval("rii", "Relative index", 3),
        "misfit": Value("model", "Farthest decile from the line, points", 2, **OPEN),
    }
    keys = {"outcome": "Outcome", "year": "Financial year"}
    schema = dict.fromkeys(keys, pl.String) | dict.fromkeys(values, pl.Float64)
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return Table("Inequality over deprivation, England", frame, keys, values)
