"""Rates by group, gaps to the reference, and how far rounding can move either."""

import numpy as np
import polars as pl

from iesoresearch.analyses.fairness_published import groupings as g
from iesoresearch.analyses.fairness_published.data import Figures
from iesoresearch.analyses.fairness_published.unknown import share
from iesoresearch.models import proportions
from iesoresearch.results import Table, Value

OPEN = {"sensitivity": "open"}
#: Outcome -> (short name of columns, words for a table).
OUTCOMES = {
    "recovery": ("recovered", "Recovered"),
    "reliable recovery": ("reliably", "Recovered reliably"),
    "reliable improvement": ("improved", "Improved reliably"),
    "reliable deterioration": ("worse", "Got reliably worse"),
}
FROM_PERCENTAGE = "percentage only, no interval"
SUPPRESSED = "suppressed"
REFERENCE = "– (the others with this one)"
KEYS = {"grouping": "Grouping", "level": "Group"}


def with_rates(cells: pl.DataFrame) -> pl.DataFrame:
    """Cells with ``rate``, ``low``, ``high``, per cent: 95 % Wilson intervals from counts.

    Where counts are rounded the interval is the widest of all that the counts could have been;
    where only a percentage is published, the rate is that and has no interval.
    """
    x, n, off_x, off_n = _arrays(cells, "")
    low = proportions.wilson(*_fewest(x, n, off_x, off_n))[0]
    high = proportions.wilson(*_most(x, n, off_x, off_n))[1]
    exact = pl.col("events") / pl.when(pl.col("n") > 0).then("n") * 100
    printed = pl.col("made_of") == "percentage"
    return cells.with_columns(
        rate=pl.when(printed).then("stated").otherwise(exact),
        low=pl.Series(100 * low, dtype=pl.Float64).fill_nan(None),
        high=pl.Series(100 * high, dtype=pl.Float64).fill_nan(None),
    )


def _arrays(cells: pl.DataFrame, suffix: str) -> list[np.ndarray]:
    columns = [f"{c}{suffix}" for c in ("events", "n", "events_error", "n_error")]
    filled = cells.select(pl.col(columns).cast(pl.Float64).fill_null(float("nan")))
    return list(filled.to_numpy().T)


def _fewest(x, n, off_x, off_n):
    """The fewest events of the most people that rounding allows."""
    return np.maximum(x - off_x, 0.0), n + off_n


def _most(x, n, off_x, off_n):
    whole = np.maximum(n - off_n, 0.0)
    return np.minimum(x + off_x, whole), whole


def with_gaps(
    cells: pl.DataFrame, reference: dict[str, str], level: float = proportions.LEVEL
) -> pl.DataFrame:
    """Rates with their distance from the reference group of the same organisation, year, outcome.

    ``gap``, percentage points with Newcombe's interval, and ``ratio`` with Koopman's score
    interval, both the widest that rounding allows; null where the rate or the reference's is not
    published. The reference itself is left out.
    """
    rated = with_rates(cells.filter(pl.col("breakdown").is_in(list(reference))))
    of_breakdown = pl.col("breakdown").replace_strict(reference)
    about = ["period", "org", "breakdown", "measure"]
    columns = ["events", "n", "events_error", "n_error", "rate"]
    others = rated.filter(pl.col("group") == of_breakdown).select(*about, *columns)
    both = rated.filter(pl.col("group") != of_breakdown).join(
        others, on=about, how="left", suffix="_other", maintain_order="left"
    )
    a, b = _arrays(both, ""), _arrays(both, "_other")
    found = {"gap": (pl.col("rate") - pl.col("rate_other"))}
    found["ratio"] = pl.col("rate") / pl.when(pl.col("rate_other") > 0).then("rate_other")
    for name, compare, scale in (
        ("gap", proportions.newcombe, 100.0),
        ("ratio", proportions.ratio, 1.0),
    ):
        low = compare(*_fewest(*a), *_most(*b), level)[1]
        high = compare(*_most(*a), *_fewest(*b), level)[2]
        for end, values in (("low", low), ("high", high)):
            finite = np.where(np.isfinite(values), scale * values, np.nan)
            found[f"{name}_{end}"] = pl.Series(finite, dtype=pl.Float64).fill_nan(None)
    return both.with_columns(**found)


def named(frame: pl.DataFrame) -> pl.DataFrame:
    """With ``grouping`` and ``level`` in words, in place of breakdown and group."""
    pairs = frame.select("breakdown", "group").unique(maintain_order=True)
    words = pairs.with_columns(
        grouping=pl.col("breakdown").replace_strict(g.HEADINGS),
        level=pl.Series([g.level(b, x) for b, x in pairs.iter_rows()], dtype=pl.String),
    )
    return frame.join(words, on=["breakdown", "group"], how="left", maintain_order="left")


def interval(name: str, label: str, digits: int = 1) -> dict[str, Value]:
    """Declarations of an open estimate and its 95 % interval."""
    labels = {name: label, f"{name}_low": "95 % from", f"{name}_high": "to"}
    return {column: Value("model", text, digits, **OPEN) for column, text in labels.items()}


def rates(figures: Figures) -> Table:
    """Of every group: finished courses, and per 100 of them what came of it."""
    wide, values = None, {"finished": Value("count", "Finished courses", 0, **OPEN)}
    for measure, (name, label) in OUTCOMES.items():
        rows = named(with_rates(figures.of_year(measure)))
        columns = {name: "rate", f"{name}_low": "low", f"{name}_high": "high"}
        part = rows.select(*KEYS, "finished", **{new: pl.col(old) for new, old in columns.items()})
        if wide is None:
            made_of = rows.select(
                made_of=pl.when(made_of="counts")
                .then(pl.lit("counts"))
                .when(made_of="percentage")
                .then(pl.lit(FROM_PERCENTAGE))
                .otherwise(pl.lit(SUPPRESSED))
            )
            wide = pl.concat([part, made_of], how="horizontal")
        else:
            wide = wide.join(part.drop("finished"), on=list(KEYS), maintain_order="left")
        values |= interval(name, f"{label}, %")
    values["made_of"] = Value("model", "Recovery from", **OPEN)
    wide = wide.with_columns(pl.col("finished").cast(pl.Int64))
    title = f"Outcomes by group, England {figures.year}"
    return Table(title, wide.select(*KEYS, *values), KEYS, values)


def gaps(figures: Figures, measure: str) -> Table:
    """Of every group: how far its outcome is from that of the group it is compared with."""
    cells = g.known(figures.of_year(measure))
    names = ["breakdown", "group"]
    apart = with_gaps(cells, figures.reference)
    columns = ["gap", "gap_low", "gap_high", "ratio", "ratio_low", "ratio_high"]
    found = with_rates(cells).join(
        apart.select(*names, *columns), on=names, how="left", maintain_order="left"
    )
    other = pl.col("breakdown").replace_strict(figures.reference)
    found = named(found).with_columns(
        compared=pl.when(pl.col("group") == other)
        .then(pl.lit(REFERENCE))
        .otherwise(pl.col("breakdown").replace_strict(_words(figures))),
        counted=pl.col("n").cast(pl.Int64),
        unknown=pl.col("breakdown").replace_strict(
            {b: share(figures.england, figures.year, b) for b in figures.groupings},
            return_dtype=pl.Float64,
        ),
    )
    label = OUTCOMES[measure][1]
    values = {
        "compared": Value("model", "Compared with", **OPEN),
        "counted": Value("count", "Courses counted", 0, **OPEN),
        **interval("rate", f"{label}, %"),
        **interval("gap", "Gap, points"),
        **interval("ratio", "Ratio", 2),
        "unknown": Value("model", "Left out: group not known, % of courses", 1, **OPEN),
    }
    found = found.rename({"low": "rate_low", "high": "rate_high"})
    title = f"Gaps: {label.lower()}, England {figures.year}"
    return Table(title, found.select(*KEYS, *values), KEYS, values)


def _words(figures: Figures) -> dict[str, str]:
    return {breakdown: g.level(breakdown, group) for breakdown, group in figures.reference.items()}
