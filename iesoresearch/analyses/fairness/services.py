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
#: Groupings with few enough levels to be followed from year to year, if any of them is audited.
FOLLOWED = ("Gender", "Ethnic group", "Deprivation quintile", "Long-term condition")


def services(data: Audited, params: Params) -> Table:
    """Outcome of every service with funnel limits that allow for over-dispersion.

    Counts of small services, rounded, differ more than services do. So how far services differ,
    and on which side of the limits each lies, comes from counts as they are; it is told as a word.
    """
    outcome, denominator = params.outcome, DENOMINATORS[params.outcome]
    frame = _by_service(data, params)
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
    rows, found = _funnel(frame, params)
    positions = np.full(frame.height, "", dtype=object)
    if found is not None:
        positions[rows] = [POSITIONS[int(i)] for i in found.additive.outside(found.rates)]
    compute = partial(_limits, found=found, positions=positions, of=(outcome, denominator))
    return with_derived(table, values, compute)


def _by_service(data: Audited, params: Params) -> pl.DataFrame:
    """Counts of every service, by name: an order by size would tell more than rounded counts."""
    counts = pl.col(DENOMINATORS[params.outcome], params.outcome).sum().cast(pl.Int64)
    named = data.closed.filter(pl.col("service_id").is_not_null())
    return named.group_by("service_id").agg(counts).sort("service_id")


def _population(data: Audited) -> str:
    """That of the groups, unless some referrals name no service."""
    known = data.closed["service_id"].null_count() == 0
    return POPULATION if known else f"{POPULATION} and name a service"


def _funnel(frame: pl.DataFrame, params: Params) -> tuple[np.ndarray, Funnel | None]:
    """Services with anybody in them, and their funnel, if there are enough."""
    n = people(frame, DENOMINATORS[params.outcome])
    try:
        return n > 0, funnel(people(frame, params.outcome)[n > 0], n[n > 0])
    except DataError:
        return n > 0, None


def _limits(
    frame: pl.DataFrame, found: Funnel | None, positions: np.ndarray, of: tuple[str, str]
) -> Columns:
    """Limits at the sizes that are shown, and positions of services whose counts are."""
    events, n = (people(frame, column) for column in of)
    rows = np.isfinite(events) & np.isfinite(n) & (n > 0)
    columns = {name: np.full(frame.height, np.nan) for name in LIMITS}
    if found is not None and rows.any():
        limits = found.limits("additive", n[rows])
        for name in LIMITS:
            columns[name][rows] = POINTS * getattr(limits, name)
    said = [word if row and word else None for row, word in zip(rows, positions, strict=True)]
    return {**columns, "position": pl.Series(said, dtype=pl.String)}


def spread(data: Audited, params: Params) -> dict[str, Number]:
    """How far services differ beyond chance, and how many of those shown lie outside."""
    frame = _by_service(data, params)
    _, found = _funnel(frame, params)
    kind = {"n": int(frame[DENOMINATORS[params.outcome]].sum()), "sensitivity": data.sensitivity}
    asked = {"services_shown": 0, "services_outside": 0, "services_chance": 1}
    told = partial(_told, kind=data.sensitivity)
    numbers = {
        name: Number(None, digits=digits, derive=partial(told, name=name, digits=digits))
        for name, digits in asked.items()
    }
    if found is None:
        return numbers
    return numbers | {
        "services_phi": Number(found.phi, digits=1, **kind),
        "services_target": Number(POINTS * found.target, unit="%", digits=1, **kind),
    }


def _told(tables, name: str, digits: int, kind) -> Number:
    """Of the released table: services shown, those outside 95 %, and so many by chance."""
    positions = tables["services"].frame["position"].drop_nulls()
    value = {
        "services_shown": len(positions),
        "services_outside": int((positions != POSITIONS[0]).sum()),
        "services_chance": 0.05 * len(positions),
    }[name]
    return Number(value, digits=digits, sensitivity=kind)


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
    followed = [name for name in FOLLOWED if name in data.groupings] or list(data.groupings)
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
