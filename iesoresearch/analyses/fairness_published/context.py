"""Adjusted odds ratios of a published study beside crude ones of England: context, no replication.

Arundell et al. 2024, Social Psychiatry and Psychiatric Epidemiology 59:1519-1531,
doi:10.1007/s00127-024-02610-8 (abstract): 98,063 patients of eight services, adjusted for clinical
and socio-demographic factors, compared with White British patients.
"""

import math

import polars as pl

from iesoresearch.analyses.fairness_published.data import Figures
from iesoresearch.analyses.fairness_published.rates import OUTCOMES, interval
from iesoresearch.results import Table

SOURCE = "Arundell et al. 2024, doi:10.1007/s00127-024-02610-8"
_GROUPS = {
    "Asian": ("ethnic group", "Asian or Asian British"),
    "Mixed": ("ethnic group", "Mixed"),
    "Other": ("ethnic group", "Other"),
    "White other": ("ethnicity", "C"),
}
#: Outcome, group, adjusted odds ratio, 95 % limits, as printed.
_ADJUSTED = (
    ("reliable recovery", "Asian", 0.82, 0.78, 0.87),
    ("reliable recovery", "Other", 0.79, 0.72, 0.87),
    ("reliable recovery", "White other", 0.93, 0.89, 0.97),
    ("reliable deterioration", "Asian", 1.48, 1.35, 1.62),
    ("reliable deterioration", "Mixed", 1.18, 1.05, 1.34),
    ("reliable deterioration", "Other", 1.60, 1.38, 1.84),
    ("reliable deterioration", "White other", 1.18, 1.09, 1.28),
)
_Z = 1.959963984540054


def context(figures: Figures) -> Table:
    """Printed adjusted odds ratios, and the crude ones of England in the year."""
    rows = []
    for measure, words, *printed in _ADJUSTED:
        cells = {
            (r["breakdown"], r["group"]): r for r in figures.of_year(measure).iter_rows(named=True)
        }
        ends = odds_ratio(cells.get(_GROUPS[words]), cells.get(("ethnicity", "A")))
        rows.append((OUTCOMES[measure][1], words, *printed, *ends))
    values = interval("adjusted", "Adjusted odds ratio, eight services", 2)
    values |= interval("crude", f"Crude odds ratio, England {figures.year}", 2)
    keys = {"outcome": "Outcome", "group": "Against White British"}
    schema = dict.fromkeys(keys, pl.String) | dict.fromkeys(values, pl.Float64)
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    title = "Beside a published study: context, not a replication"
    return Table(title, frame, keys, values)


def odds_ratio(a: dict | None, b: dict | None) -> tuple[float | None, ...]:
    """Odds ratio of two cells with its interval (Woolf 1955): empty without counts.

    Woolf, Annals of Human Genetics 19:251-253: normal on the logarithmic scale.
    """
    if a is None or b is None or a["made_of"] != "counts" or b["made_of"] != "counts":
        return None, None, None
    table = [x for row in (a, b) for x in (row["events"], row["n"] - row["events"])]
    if min(table) <= 0:
        return None, None, None
    middle = math.log(table[0] * table[3] / (table[1] * table[2]))
    half = _Z * math.sqrt(sum(1 / x for x in table))
    return tuple(math.exp(x) for x in (middle, middle - half, middle + half))
