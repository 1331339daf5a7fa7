"""The wait that costs as much as a course, and how many wait that long in England."""

import numpy as np
import polars as pl

from iesoresearch.analyses.waiting.computed import Computed, Waiting
from iesoresearch.analyses.waiting.declared import percent, words
from iesoresearch.analyses.waiting.england import BOTH, FIRST, SECOND, England
from iesoresearch.analyses.waiting.perspectives import STANDARD, YEAR, Perspective
from iesoresearch.analyses.waiting.sentence import COUNTED, KEYS, headline
from iesoresearch.results import Table

NEVER = f"not within {YEAR}"
_WAITS = {"first": FIRST, "second": SECOND, "both": BOTH}


def week(one: Waiting, perspective: Perspective) -> list[int | None]:
    """By band, the shortest wait whose mean cost is that of a course; None: not within a year."""
    reached = one.by_week(perspective).mean(0) >= one.course.mean(0)[:, None]
    return [int(row.argmax()) if row.any() else None for row in reached]


def longer(england: England, wait: str, weeks: int | None) -> str:
    """Share of finished courses in England that waited longer, in words."""
    ends = england.longer(wait, YEAR if weeks is None else weeks)
    low, high = (f"{100 * p:.0f}%" for p in ends)
    if ends[0] == 0:
        return f"at most {high}"
    return low if low == high else f"{low} to {high}"


def break_even(computed: Computed) -> Table:
    """Shortest wait that costs as much as a course, on average and in the draws."""
    england, n = computed.data.england, computed.params.n_draws
    within = (computed.waits[0].weeks, STANDARD, YEAR)
    rows = []
    for one in computed.base.values():
        for perspective in headline(one):
            reached = one.by_week(perspective) >= one.course[:, :, None]
            for s, (band, found) in enumerate(zip(one.bands, week(one, perspective), strict=True)):
                rows.append(
                    {"condition": one.condition, "band": band, "perspective": perspective.name}
                    | {"week": NEVER if found is None else str(found)}
                    | {f"by_{w}": _share(reached[:, s, : w + 1], n) for w in within}
                    | {name: longer(england, wait, found) for name, wait in _WAITS.items()}
                )
    values = {"week": words("Break-even wait of mean costs, weeks")}
    values |= {f"by_{w}": words(f"Chance that it is within {w} weeks") for w in within}
    values |= {
        "first": words(
            f"First wait longer than that (or {YEAR}), of courses finished, {england.year}"
        ),
        "second": words("Second wait longer"),
        "both": words("Both added longer, if independent"),
    }
    title = "The wait that costs as much as a course"
    return Table(title, pl.DataFrame(rows), KEYS | COUNTED, values)


def _share(reached: np.ndarray, n: int) -> str:
    return percent(float(reached.any(-1).mean()), n)
