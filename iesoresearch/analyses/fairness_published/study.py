"""How `fairness_published` is computed: load, compare, say."""

import polars as pl

from iesoresearch.analyses.fairness_published import Params, places
from iesoresearch.analyses.fairness_published.captions import DRAWN_STAGES, captions
from iesoresearch.analyses.fairness_published.checks import checks
from iesoresearch.analyses.fairness_published.context import context
from iesoresearch.analyses.fairness_published.data import Figures, load
from iesoresearch.analyses.fairness_published.deprivation import (
    DECILES,
    REVERSED,
    deciles,
    indices,
    turned,
)
from iesoresearch.analyses.fairness_published.printed import coverage, reproduced
from iesoresearch.analyses.fairness_published.rates import OPEN, gaps, rates
from iesoresearch.analyses.fairness_published.stages import stages
from iesoresearch.analyses.fairness_published.text import text
from iesoresearch.analyses.fairness_published.trends import changes, trends
from iesoresearch.analyses.fairness_published.words import HARM, numbers
from iesoresearch.data import published
from iesoresearch.results import Result, Table, Value

__all__ = ["load", "run", "summary"]

TITLE = "For whom does it work less well: published figures of England"
_LONG_FILES = "the long files hold them (figures: names of files in a folder of --data)"
_ORDERED = ("deprivation", "indices")  # cannot be had where labels may be reversed
_PLACES = {
    "regions": "Gaps within regions",
    "providers": "Providers",
    "funnels": "How far providers differ",
}


def summary(figures: Figures) -> Table:
    """How many figures, years, groups and organisations there are."""
    england = figures.england
    rows = {
        "published figures": figures.frame.height,
        "years of England": len(figures.years),
        f"groupings that can be compared in {figures.year}": len(figures.groupings),
        "rates of England made of counts": england.filter(made_of="counts").height,
        "rates of England published as a percentage only": england.filter(
            made_of="percentage"
        ).height,
        f"rates of England that are suppressed or not {figures.where}": england.filter(
            made_of="neither"
        ).height,
        "regions and providers": figures.organisations.height,
    }
    frame = pl.DataFrame({"what": list(rows), "count": list(rows.values())})
    count = Value("count", "Number", 0, **OPEN)
    return Table(f"The data: {figures.name}", frame, {"what": ""}, {"count": count})


def run(figures: Figures, params: Params) -> Result:
    """Every table that the figures allow, and what is to be said about them."""
    measure = params.outcome
    ordered = DECILES in figures.groupings and not turned(figures)
    made = {
        "coverage": coverage(figures),
        "rates": rates(figures),
        "gaps": gaps(figures, measure),
        "harm": gaps(figures, HARM),
        "deprivation": deciles(figures, measure) if ordered else None,
        "indices": indices(figures) if ordered else None,
        "stages": stages(figures),
        "trends": trends(figures, measure),
        "changes": changes(figures, measure),
        "context": context(figures),
        "reproduced": reproduced(figures),
        "regions": places.regions(figures, measure),
        "providers": places.providers_table(figures, measure),
        "funnels": places.funnels(figures, measure),
    }
    tables = {name: t for name, t in made.items() if t is not None and not t.frame.is_empty()}
    tables |= {name: made[name] for name in ("reproduced", "stages")}  # sentences look into these
    found = numbers(figures, tables, measure)
    shown = captions(figures, found, measure)
    drawn = {n: spec for n, spec in shown.items() if not _empty(made[spec.table])}
    if not set(DRAWN_STAGES) & set(figures.groupings):
        drawn.pop("stages", None)
    return Result(
        tables=tables,
        numbers=found,
        checks=checks(figures, tables),
        text=text(figures, found, measure),
        figures=drawn,
        not_applicable=_absent(figures, made, set(shown) - set(drawn)),
        provenance={
            "title": TITLE,
            "data": figures.name,
            "data_fingerprint": figures.fingerprint,
            "sensitivity": "open",
            "licence": "OGL-UK-3.0",
            "published": published.ATTRIBUTION,
        },
    )


def _empty(table: Table | None) -> bool:
    return table is None or table.frame.is_empty()


def _absent(figures: Figures, made: dict[str, Table | None], figures_out: set) -> dict[str, str]:
    """Table, figure or grouping -> why it is not there."""
    found = {}
    for name, title in _PLACES.items():
        if _empty(made[name]):
            found[name] = f"{title}: not applicable, there are none among these figures; " + (
                f"{_LONG_FILES}."
            )
    lacking = f"not applicable, the counts are not {figures.where} for this year."
    if turned(figures):
        found |= {name: f"{name.capitalize()}: not applicable, {REVERSED}" for name in _ORDERED}
    for name, table in made.items():
        if _empty(table) and name not in found:
            found[name] = f"{name.capitalize()}: {lacking}"
    for name in figures_out:
        found.setdefault(name, f"{name.capitalize()}: not applicable, its table is not there.")
    if "funnel" in figures_out:
        found["funnel"] = found["providers"]
    for heading, why in figures.left_out.items():
        found[f"grouping {heading}"] = f"{heading}: left out, {why}."
    return found
