"""Services beside each other, and groups year by year."""

from functools import partial

import numpy as np
import polars as pl

from iesoresearch.analyses.fairness import Params
from iesoresearch.analyses.fairness.data import Audited, levels_of, references
from iesoresearch.analyses.fairness.derive import POINTS, Columns, people, with_derived
from iesoresearch.analyses.fairness.outcomes import DENOMINATORS, KEYS, POPULATION, STAGES
from iesoresearch.data.groups import NOT_RECORDED
from iesoresearch.disclosure import derived
from iesoresearch.errors import DataError
from iesoresearch.models.funnel import Funnel, funnel
from iesoresearch.results import Number, Table, Value

LIMITS = ("low95", "high95", "low998", "high998")
POSITIONS = {
    -2: "below 99.8 %", -1: "below 95 %", 0: "inside", 1: "above 95 %", 2: "above 99.8 %"
}  # fmt: skip
#: Groupings with few enough levels to be followed from year to year.
FOLLOWED = ("Gender", "Ethnic group", "Deprivation quintile", "Long-term condition")


def services(data: Audited, params: Params) -> Table:
    """Outcome of every service with funnel limits that allow for over-dispersion."""
    outcome, denominator = params.outcome, DENOMINATORS[params.outcome]
    frame = (
        data.closed.filter(pl.col("service_id").is_not_null())
        .group_by("service_id")
        .agg(pl.col(denominator, outcome).sum().cast(pl.Int64))
        .sort(denominator, "service_id", descending=[True, False])
    )
    kind = {"sensitivity": data.sensitivity}
    counts = {
        name: Value("count", STAGES[name], 0, parts_of=(), **kind)
        for name in (denominator, outcome)
    }
    title = f"Services: {STAGES[outcome].lower()}"
    table = Table(title, frame, {"service_id": "Service"}, counts, _population(data))
    table = derived.with_rate(table, "rate", outcome, denominator, "Rate, %")
    headings = ("95 % limit, from", "to", "99.8 % limit, from", "to")
    values = {
        name: Value("model", heading, 1, **kind)
        for name, heading in zip(LIMITS, headings, strict=True)
    } | {"position": Value("model", "Where it lies", 0, **kind)}
    compute = partial(_limits, outcome=outcome, denominator=denominator)
    return with_derived(table, values, compute)


def _population(data: Audited) -> str:
    """That of the groups, unless some referrals name no service."""
    known = data.closed["service_id"].null_count() == 0
    return POPULATION if known else f"{POPULATION} and name a service"


def _shown(frame: pl.DataFrame, outcome: str, denominator: str) -> tuple[np.ndarray, Funnel | None]:
    """Rows whose counts are shown, and the funnel of these services."""
    events, n = people(frame, outcome), people(frame, denominator)
    rows = np.isfinite(events) & np.isfinite(n) & (n > 0)
    try:
        return rows, funnel(np.minimum(events, n)[rows], n[rows])
    except DataError:
        return rows, None


def _limits(frame: pl.DataFrame, outcome: str, denominator: str) -> Columns:
    rows, found = _shown(frame, outcome, denominator)
    columns = {name: np.full(frame.height, np.nan) for name in LIMITS}
    position: list[str | None] = [None] * frame.height
    if found is not None:
        for name in LIMITS:
            columns[name][rows] = POINTS * getattr(found.additive, name)
        outside = found.additive.outside(found.rates)
        for row, side in zip(np.flatnonzero(rows), outside, strict=True):
            position[row] = POSITIONS[int(side)]
    return {**columns, "position": pl.Series(position, dtype=pl.String)}


def spread(outcome: str) -> dict[str, Number]:
    """How far services differ beyond chance, and how many lie outside, from the released table."""
    asked = {"services_shown": 0, "services_outside": 0, "services_phi": 2, "services_target": 1}
    return {
        name: Number(
            None, digits=digits, derive=partial(_told, name=name, digits=digits, outcome=outcome)
        )
        for name, digits in asked.items()
    }


def _told(tables, name: str, digits: int, outcome: str) -> Number:
    table = tables["services"]
    rows, found = _shown(table.frame, outcome, DENOMINATORS[outcome])
    value = None
    if found is not None:
        beyond = ~table.frame["position"].is_in(["inside"]).fill_null(True)
        value = {
            "services_shown": int(rows.sum()),
            "services_outside": int(beyond.sum()),
            "services_phi": found.phi,
            "services_target": POINTS * found.target,
        }[name]
    unit = "%" if name == "services_target" else ""
    kind = table.values[outcome].sensitivity
    return Number(value, unit=unit, digits=digits, sensitivity=kind)


def years(data: Audited, params: Params) -> Table:
    """Everybody, by financial year of the referral."""
    columns = (DENOMINATORS[params.outcome], params.outcome)
    frame = _counts(data, ["year"], columns).sort("year")
    table = Table(
        f"All by year of referral: {STAGES[params.outcome].lower()}", frame,
        {"year": "Year"}, _values(columns, (), data.sensitivity), POPULATION,
    )  # fmt: skip
    return derived.with_rate(table, "rate", columns[1], columns[0], "Rate, %")


def trends(data: Audited, params: Params) -> Table:
    """Rates and gaps of the outcome by financial year of the referral."""
    columns = (DENOMINATORS[params.outcome], params.outcome)
    followed = [name for name in FOLLOWED if name in data.groupings]
    frame = pl.concat([_by_year(data, grouping, columns) for grouping in followed])
    keys = {**KEYS, "year": "Year"}
    # a group's years add up to the group, and the groups of a year to all of that year
    broader = {row: (row[:2], row[2:]) for row in frame.select(*keys).iter_rows()}
    values = _values(columns, ("grouping",), data.sensitivity)
    title = f"By year of referral: {STAGES[params.outcome].lower()}"
    table = Table(title, frame, keys, values, POPULATION, broader)
    table = derived.with_rate(table, "rate", columns[1], columns[0], "Rate, %")
    every = references(data, params)
    return derived.with_gap(
        table, "gap", columns[1], columns[0], "Gap, points", within=("year", "grouping"),
        reference={name: every[name] for name in followed},
    )  # fmt: skip


def _values(columns: tuple[str, ...], parts_of: tuple[str, ...], sensitivity) -> dict[str, Value]:
    return {
        name: Value("count", STAGES[name], 0, parts_of=parts_of, sensitivity=sensitivity)
        for name in columns
    }


def _counts(data: Audited, keys: list[str], columns: tuple[str, ...]) -> pl.DataFrame:
    return data.closed.group_by(keys, maintain_order=True).agg(
        pl.col(column).sum().cast(pl.Int64) for column in columns
    )


def _by_year(data: Audited, grouping: str, columns: tuple[str, ...]) -> pl.DataFrame:
    """Every level in every year, also where nobody was."""
    present = set(data.closed[grouping])
    levels = [x for x in (*levels_of()[grouping], NOT_RECORDED) if x in present]
    every = pl.DataFrame({"level": levels}).join(
        pl.DataFrame({"year": sorted(set(data.closed["year"]))}), how="cross"
    )
    found = _counts(data, [grouping, "year"], columns).rename({grouping: "level"})
    frame = every.join(found, on=["level", "year"], how="left", maintain_order="left")
    named = frame.with_columns(pl.col(*columns).fill_null(0), grouping=pl.lit(grouping))
    return named.select("grouping", "level", "year", *columns)
