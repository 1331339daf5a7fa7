"""Regions and providers: rates and gaps with rounded counts, and funnels of providers."""

from dataclasses import replace

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
    with_rates,
)
from iesoresearch.data.published import labels
from iesoresearch.errors import DataError
from iesoresearch.models.funnel import Funnel, funnel
from iesoresearch.results import Table, Value

REGION, PROVIDER = "Commissioning Region", "Provider"
FEWEST = 50  # courses counted: below it, counts rounded to 5 move a rate by more than chance may
FEWEST_PROVIDERS = 10
FEWEST_EXPECTED = 15  # of the rarer of outcome and none, on average, that a spread is made of
_CURVE = 60  # sizes at which the limits are drawn
WHO = "everybody"
EXTREME = "0 % or 100 %"  # providers whose recording is asked first
_ROUNDED_BY, _ROUNDING = 2.0, 2.0  # how far a count rounded to 5 can be off, and its variance


def regions(figures: Figures, measure: str) -> Table | None:
    """Gap of every group within every region, the widest interval that rounding allows."""
    cells = g.known(figures.of_kind(REGION).filter(measure=measure))
    found = sorted_groups(with_gaps(cells.sort("org"), figures.reference))
    found = named(found.filter(pl.col("gap").is_not_null()))
    if found.is_empty():
        return None
    found = found.with_columns(region=region_name(), counted=pl.col("n").cast(pl.Int64))
    label = OUTCOMES[measure][1]
    values = {
        "counted": Value("count", "Courses counted, rounded", 0, **OPEN),
        "rate": Value("model", f"{label}, %", 1, **OPEN),
        "rate_other": Value("model", "Of those compared with, %", 1, **OPEN),
        **interval("gap", "Gap, points"),
    }
    keys = KEYS | {"region": "Region"}
    title = f"Gaps within regions: {label.lower()}, {figures.year}"
    return Table(title, found.select(*keys, *values), keys, values)


def region_name() -> pl.Expr:
    """Name of a region, as one writes it."""
    words = pl.col("name").str.strip_suffix(" COMMISSIONING REGION").str.to_titlecase()
    return words.str.replace_many([" Of ", " And "], [" of ", " and "])


def providers(figures: Figures, measure: str) -> pl.DataFrame:
    """Cells of providers with rates, whole and by group, large enough for a funnel."""
    cells = figures.of_kind(PROVIDER).filter(measure=measure, made_of="counts")
    wanted = pl.col("breakdown").is_in([*figures.groupings, labels.TOTAL])
    # rounding may leave more events than courses by one step
    cells = cells.with_columns(events=pl.min_horizontal("events", "n"))
    return with_rates(cells.filter(wanted, pl.col("n") >= FEWEST))


def _usual() -> pl.Expr:
    """Whether some of so many courses, and not all, have the outcome: else recording is asked."""
    return (pl.col("events") > 0) & (pl.col("events") < pl.col("n"))


def _funnel(cells: pl.DataFrame) -> Funnel | None:
    """Of cells with some and not all events, and without what rounding adds to their spread."""
    if cells.height < FEWEST_PROVIDERS:
        return None
    try:
        found = funnel(cells["events"].to_numpy(), cells["n"].to_numpy())
    except DataError:  # everybody or nobody has the outcome
        return None
    return less_rounding(found, cells["events_error"].to_numpy(), cells["n_error"].to_numpy())


def less_rounding(found: Funnel, events_error: np.ndarray, n_error: np.ndarray) -> Funnel:
    """The same without the variance that rounding adds to the z-scores.

    A count that was rounded to 5 is off by -2 to 2, all alike: a variance of 2. Where n is made of
    two such counts it is 4. Of a rate events / n the variance of both is taken by the delta method,
    on the scale of z: n / (p (1 - p)) times it.
    """
    p, n = found.target, found.n
    of_events, of_n = (_ROUNDING * error / _ROUNDED_BY for error in (events_error, n_error))
    added = (of_events + p**2 * of_n) / (n * p * (1 - p))
    k, weights = len(n), 4 * n
    of_tau = k * added.mean() / (weights.sum() - (weights**2).sum() / weights.sum())
    phi, tau2 = found.phi - added.mean(), found.tau2 - of_tau
    return replace(found, phi=max(float(phi), 0.0), tau2=max(float(tau2), 0.0))


def providers_table(figures: Figures, measure: str) -> Table | None:
    """Every provider by itself, and the funnel's limits over sizes (rows without a provider).

    Providers of whose courses none or all have the outcome are in rows of their own (`EXTREME`),
    which no limit and no target is made of.
    """
    everyone = providers(figures, measure).filter(breakdown=labels.TOTAL).sort("org")
    cells = everyone.filter(_usual())
    found = _funnel(cells)
    if found is None:
        return None
    shown = found.to_frame().select(
        place=pl.lit("provider"),
        provider=pl.concat_str(cells["org"], cells["name"], separator=" "),
        n=pl.col("n").cast(pl.Int64),
        rate=100 * pl.col("rate"),
        rate_low=cells["low"],
        rate_high=cells["high"],
        **{f"{m}_outside": pl.col(f"{m}_outside").cast(pl.Int64) for m in _SHOWN},
    )
    low, high = float(cells["n"].min()), float(cells["n"].max())
    sizes = [round(low * (high / low) ** (i / (_CURVE - 1))) for i in range(_CURVE)]
    curves = {"place": ["limits"] * _CURVE, "provider": [f"n = {n}" for n in sizes], "n": sizes}
    for method in _SHOWN:
        at_sizes = vars(found.limits(method, sizes))
        curves |= {f"{method}_{end}": 100 * values for end, values in at_sizes.items()}
    curves["target"] = [100 * found.target] * _CURVE
    values = _provider_values(OUTCOMES[measure][1])
    keys = {"place": "What", "provider": "Provider"}
    frame = pl.concat(
        [
            shown,
            everyone.filter(~_usual()).select(
                place=pl.lit(EXTREME),
                provider=pl.concat_str("org", "name", separator=" "),
                n=pl.col("n").cast(pl.Int64),
                rate="rate",
                rate_low="low",
                rate_high="high",
            ),
            pl.DataFrame(curves).unique("n", maintain_order=True),
        ],
        how="diagonal",
    )
    title = f"Providers: {OUTCOMES[measure][1].lower()}, {figures.year}"
    return Table(title, frame.select(*keys, *values), keys, values)


_SHOWN = ("exact", "additive")


def _provider_values(label: str) -> dict[str, Value]:
    values = {
        "n": Value("count", "Courses counted, rounded", 0, **OPEN),
        **interval("rate", f"{label}, %"),
        "target": Value("model", "All providers, %", 1, **OPEN),
    }
    for method, words in (("exact", "chance alone"), ("additive", "with over-dispersion")):
        values[f"{method}_outside"] = Value("model", f"Outside, {words}", 0, **OPEN)
        for level in ("95", "998"):
            percent = level.replace("998", "99.8")
            for end in ("low", "high"):
                name = f"{method}_{end}{level}"
                values[name] = Value("model", f"{percent} % {end}, {words}", 1, **OPEN)
    return values


def funnels(figures: Figures, measure: str) -> Table | None:
    """Of everybody and of each group: how far providers differ, and how many lie outside.

    Over-dispersion is left open where fewer than `FEWEST_EXPECTED` events are expected.
    """
    cells = g.known(providers(figures, measure)).filter(_usual())
    rows = [_summary(cells.filter(breakdown=labels.TOTAL), WHO, WHO)]
    for breakdown in figures.groupings:
        of_it = sorted_groups(cells.filter(breakdown=breakdown).sort("org"))
        for group in of_it["group"].unique(maintain_order=True):
            names = g.HEADINGS[breakdown], g.level(breakdown, group)
            rows.append(_summary(of_it.filter(group=group), *names))
    rows = [row for row in rows if row is not None]
    if not rows:
        return None
    values = {
        "providers": Value("count", f"Providers with {FEWEST} courses or more", 0, **OPEN),
        "target": Value("model", f"{OUTCOMES[measure][1]}, %", 1, **OPEN),
        "phi": Value("model", "Over-dispersion φ, less rounding", 2, **OPEN),
        "spread": Value("model", "SD between providers, less rounding, points", 1, **OPEN),
    }
    for method, words in (("exact", "chance alone"), ("additive", "with over-dispersion")):
        for level, code in (("95", 1), ("99.8", 2)):
            name = f"{method}_outside{code}"
            values[name] = Value("count", f"Outside {level} %, {words}", 0, **OPEN)
    title = f"How far providers differ: {OUTCOMES[measure][1].lower()}, {figures.year}"
    frame = pl.DataFrame(rows, schema=_schema(values), orient="row")
    return Table(title, frame, KEYS, values)


def _schema(values: dict[str, Value]) -> dict[str, type[pl.DataType]]:
    return dict.fromkeys(KEYS, pl.String) | {
        name: pl.Int64 if value.kind == "count" else pl.Float64 for name, value in values.items()
    }


def _summary(cells: pl.DataFrame, heading: str, level: str) -> tuple | None:
    found = _funnel(cells)
    if found is None:
        return None
    target = found.target
    # suppressed below 5 and rounded to 5, a rare outcome of few courses does not show its spread
    rare = bool((found.n * min(target, 1 - target)).mean() < FEWEST_EXPECTED)
    # τ is on the scale of arcsine square roots, whose slope is 1 / (2 √(p (1 - p)))
    spread = 100 * found.tau2**0.5 * 2 * (target * (1 - target)) ** 0.5
    outside = [
        int((abs(getattr(found, method).outside(found.rates)) >= code).sum())
        for method in _SHOWN
        for code in (1, 2)
    ]
    row = (heading, level, cells.height, 100 * target)
    if rare:
        return *row, None, None, *outside[:2], None, None
    return *row, found.phi, spread, *outside
