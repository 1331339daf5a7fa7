"""What is said along the way and over the years, worked out from released tables."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from iesoresearch.analyses.fairness.derive import POINTS, REFERENCE, people
from iesoresearch.analyses.fairness.names import phrase
from iesoresearch.analyses.fairness.outcomes import DENOMINATORS, WORDS
from iesoresearch.analyses.fairness.pathway import (
    DEPRIVATION,
    STEPS,
    decomposed,
    slope,
    stages_of,
)
from iesoresearch.data.groups import NOT_RECORDED, QUINTILES
from iesoresearch.models import proportions
from iesoresearch.results import Table

WITHHELD = "groups are too small, or withheld to protect a small one"
#: Events of the gradients that are told: who they are among, and what they do.
_WHO = {
    "started": "were referred, the share who start",
    "finished": "started, the share who finish",
    "reliable_recovery": "finished, at caseness, the share who reliably recover",
    "reliable_improvement": "finished, the share who reliably improve",
}


def of_pathway(outcome: str, tables: Mapping[str, Table]) -> str:
    """Where the gap between the most and the least deprived fifth arises, whatever the reference.

    Who finished and cannot be judged is not known to have recovered; so many are said.
    """
    stages = stages_of(outcome)
    ends = (QUINTILES[0], QUINTILES[-1])
    counts = [_counts(tables["pathway"], level, stages) for level in ends]
    values = decomposed(*counts, stages).reshape(-1, 3)
    if np.isnan(values).any():
        return f"Where on the way a gap by deprivation arises cannot be shown: {WITHHELD}."
    (gap, low, high), parts = values[0], values[1:, 0]
    most, least = (POINTS * found[-1] / found[0] for found in counts)
    start, finish, judged, end = parts
    return (
        "Where on the way a gap arises: of 100 patients referred from the most deprived fifth, "
        f"{most:.1f} are known to have finished and {WORDS[outcome]}; of 100 from the least "
        f"deprived, {least:.1f}. {_unjudged(tables['outcomes'])} Of the gap between the "
        f"two, {gap:.1f} points (95 % {low:.1f} to {high:.1f}), {start:.1f} arise at starting, "
        f"{finish:.1f} at finishing, {judged:.1f} at {STEPS[stages[3]]}, and "
        f"{end:.1f} at the outcome itself. A rate among those who finished shows the last of "
        "these only."
    )


def _counts(table: Table, level: str, stages: tuple[str, ...]) -> tuple[float, ...]:
    row = table.frame.filter(grouping=DEPRIVATION, level=level)
    nothing = [float("nan")]
    return tuple((people(row, stage).tolist() or nothing)[0] for stage in stages)


def _unjudged(table: Table) -> str:
    """How many of all who finished cannot be judged."""
    row = table.frame.row(0, named=True)
    if row["finished"] is None or row["judged"] is None:
        return "Finishers who cannot be judged are not among them; how many is withheld."
    return (
        f"Of all {row['finished']:,} finishers {max(row['finished'] - row['judged'], 0):,} cannot "
        "be judged, as the thresholds of their measure are not sourced; they are not among those "
        "known."
    )


def of_gradient(tables: Mapping[str, Table]) -> str:
    """How steep the gradients by deprivation are, and which of them cannot be shown."""
    table = tables["deprivation"]
    there = [event for event in _WHO if f"{event}_rate" in table.values]
    found = {event: slope(table.frame, event) for event in there}
    told = [
        f"of those who {_WHO[event]}, by {index.sii.value:.1f} points (95 % "
        f"{index.sii.low:.1f} to {index.sii.high:.1f}), a ratio of {index.rii.value:.2f} "
        f"({index.rii.low:.2f} to {index.rii.high:.2f})"
        for event, index in found.items()
        if index is not None
    ]
    if not told:
        return f"How steep the gradient by deprivation is cannot be shown: {WITHHELD}."
    absent = [f"of those who {_WHO[event]}" for event, index in found.items() if index is None]
    rest = f" Not to be shown, as {WITHHELD}: {'; '.join(absent)}." if absent else ""
    return (
        "From the least to the most deprived end of the ranking shares change (slope index of "
        f"inequality; relative index): {'; '.join(told)}.{rest}"
    )


def of_years(outcome: str, tables: Mapping[str, Table]) -> str:
    """Whether a gap has changed from the first to the last year, and the largest change if so.

    Gaps of two years are of other referrals, so the limits of their difference are those of both
    (`proportions.mover`), at a level divided by the number of changes looked at (Bonferroni).
    """
    frame = tables["trends"].frame
    years = [x for x in sorted(set(frame["year"])) if x != NOT_RECORDED]
    reference = dict(tables["gaps"].frame.filter(finding=REFERENCE)["grouping", "level"].rows())
    counted = (outcome, DENOMINATORS[outcome])
    rows = _two_years(frame, reference, years, counted) if len(years) > 1 else []
    if not rows:
        return f"Whether gaps change over the years cannot be shown: {WITHHELD}, or one year."
    keys, counts = zip(*rows, strict=True)
    change, low, high = _changes(np.array(counts).T, 1 - 0.05 / len(rows))
    lead = (
        f"From referrals of {years[0]} to those of {years[-1]}, of {len(rows)} gaps shown in both "
    )
    apart = (low > 0) | (high < 0)
    if not apart.any():
        return (
            f"{lead}none is found to change by more than chance can make. Small changes are not "
            "ruled out."
        )
    at = int(np.argmax(np.where(apart, np.abs(change), -1)))
    grouping, level = keys[at]
    a, n_a, b, n_b, c, n_c, d, n_d = counts[at]
    then, now = POINTS * (c / n_c - d / n_d), POINTS * (a / n_a - b / n_b)
    return (
        f"{lead}{int(apart.sum())} found to change. The largest change ({grouping}): of 100 "
        f"{phrase(grouping, level)} {WORDS[DENOMINATORS[outcome]]}, {POINTS * c / n_c:.1f} "
        f"{WORDS[outcome]} then and {POINTS * a / n_a:.1f} now; the gap went from {then:.1f} to "
        f"{now:.1f} points, by {change[at]:.1f} (jointly, 95 %, {low[at]:.1f} to {high[at]:.1f})."
    )


def _two_years(frame: pl.DataFrame, reference: Mapping[str, str], years: list[str], counts):
    """Keys, and counts of group and reference in the last and in the first year, if all shown."""
    shown = {
        (row["grouping"], row["level"], row["year"]): tuple(float(row[name]) for name in counts)
        for row in frame.drop_nulls([*counts]).to_dicts()
        if row[counts[1]] > 0
    }
    found = []
    for grouping, level in frame.select("grouping", "level").unique(maintain_order=True).rows():
        other = reference.get(grouping)
        if level in (other, NOT_RECORDED):
            continue
        cells = [(grouping, x, year) for year in (years[-1], years[0]) for x in (level, other)]
        if all(cell in shown for cell in cells):
            found.append(((grouping, level), sum((shown[cell] for cell in cells), ())))
    return found


def _changes(counts: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Change of each gap in points, with its limits: last year's gap less the first year's."""
    now, then = (proportions.newcombe(*counts[i : i + 4], level) for i in (0, 4))
    low, high = proportions.mover(now, then)
    return POINTS * (now[0] - then[0]), POINTS * low, POINTS * high
