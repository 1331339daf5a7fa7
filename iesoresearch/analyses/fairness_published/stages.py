"""Where on the way from referral to recovery a gap arises, from counts of one year.

Referrals and finished courses of a year are different cohorts, and what is known of a patient is
often recorded after referral: both are said beside every number.
"""

import polars as pl

from iesoresearch.analyses.fairness_published import groupings as g
from iesoresearch.analyses.fairness_published.data import Figures
from iesoresearch.analyses.fairness_published.rates import KEYS, OPEN, interval, named
from iesoresearch.analyses.fairness_published.unknown import share
from iesoresearch.data.published import labels
from iesoresearch.models.inequality import pathway
from iesoresearch.results import Table, Value

STAGES = ("referrals", "finished", "n", "events")
#: Those who finish in a year are not some of its referrals; what is counted after that is.
NESTED = (False, True, True)
#: Name of a step's columns -> what it is.
STEPS = {
    "finishing": "finished per referral",
    "counting": "finishers not below caseness",
    "recovering": "recovered of these",
}


def stages(figures: Figures) -> Table:
    """Of every group but the reference: recovered per 100 referrals, and the parts of its gap."""
    cells = figures.of_year("recovery").filter(
        pl.col("referrals") > 0, pl.col("finished") > 0, made_of="counts"
    )
    rows = []
    for breakdown in figures.groupings:
        about = (figures.england, figures.year, breakdown)
        unknown = [share(*about, column) for column in ("referrals", "finished")]
        of_it = {row["group"]: row for row in cells.filter(breakdown=breakdown).to_dicts()}
        other = of_it.get(figures.reference[breakdown])
        for group, row in of_it.items():
            if other is not None and group != other["group"] and group not in labels.SAYS_NOTHING:
                rows.append((breakdown, group, *_parts(row, other), *unknown))
    values = _values()
    schema = {"breakdown": pl.String, "group": pl.String} | {
        name: pl.Int64 if value.kind == "count" else pl.Float64 for name, value in values.items()
    }
    found = pl.DataFrame(rows, schema=schema, orient="row")
    title = f"From referral to recovery, England {figures.year}: not one cohort"
    return Table(title, named(found).select(*KEYS, *values), KEYS, values)


def _values() -> dict[str, Value]:
    values = {
        "referrals": Value("count", "Referrals", 0, **OPEN),
        "finished_share": Value("model", "Finished per 100 referrals of the year", 1, **OPEN),
        "recovered_share": Value("model", "Recovered per 100 referrals of the year", 1, **OPEN),
        **interval("gap", "Gap to those compared with, points"),
    }
    for name, label in STEPS.items():
        values |= interval(name, f"Part: {label}, points", 2)
    for name, label in (("referred", "referrals"), ("finished", "finished courses")):
        values[f"unknown_{name}"] = Value("model", f"Group not known, % of {label}", 1, **OPEN)
    return values


def _parts(row: dict, other: dict) -> list:
    found = pathway(*(_nested(one) for one in (row, other)), STAGES, nested=NESTED)
    estimates = [found.gap, *found.points]
    ends = [getattr(e, end) for e in estimates for end in ("value", "low", "high")]
    return [int(row["referrals"]), float(found.rates_a[0]), found.overall_a, *ends]


def _nested(row: dict) -> dict:
    """Rounding may leave more events than courses by one step."""
    return row | {"n": min(row["n"], row["finished"]), "events": min(row["events"], row["n"])}


def of_hundred(table: Table, breakdown: str, group: str) -> dict | None:
    """Row of one group, if it is there."""
    found = table.frame.filter(grouping=g.HEADINGS[breakdown], level=g.level(breakdown, group))
    return found.row(0, named=True) if found.height else None
