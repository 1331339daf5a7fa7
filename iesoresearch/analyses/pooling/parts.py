"""Estimates with standard errors, read from the released tables of each site."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import special

from iesoresearch.analyses.pooling.sites import MODEL, STATES, Site
from iesoresearch.models.pooling import matching
from iesoresearch.models.pooling.effects import Pooled, random_effects

_Z = 1.959964
_EDGE = 1e-4  # of probabilities that are rounded to 0 or 1
#: Measure -> heading, scale on which it is roughly normal, the way back, and where it is ideal.
MEASURES: dict[str, tuple[str, Callable, Callable, float | None]] = {
    "auc": ("AUC", special.logit, special.expit, None),
    "calibration_slope": ("Calibration slope", float, float, 1.0),
    "observed_expected": ("Observed / expected", np.log, np.exp, 1.0),
    "scaled_brier": ("Scaled Brier score", float, float, None),
}
LEVELS = ("answer_0", "answer_1", "answer_2", "answer_3")


@dataclass(frozen=True)
class Part:
    """What one site says of one quantity.

    Attributes
    ----------
    label
        How its row is called; None where it has none.
    estimate, low, high
        On the scale that is shown.
    value, error
        On the scale that is pooled; the standard error is that of the 95 % interval.
    n
        Patients behind it, as released.
    """

    label: str | None
    estimate: float
    low: float
    high: float
    value: float
    error: float
    n: float | None = None


def part_of(label, estimate, low, high, to: Callable, n=None) -> Part | None:
    """A part from a released interval; None where it is suppressed or has no width."""
    if None in (estimate, low, high):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        value, ends = float(to(estimate)), [float(to(end)) for end in (low, high)]
    error = (ends[1] - ends[0]) / (2 * _Z)
    if not (np.isfinite(value) and np.isfinite(error) and error > 0):
        return None
    return Part(label, estimate, low, high, value, error, n)


def pooled(parts: list[Part], back: Callable) -> Pooled:
    """Random effects of parts, on the scale that is shown."""
    found = random_effects([p.value for p in parts], [p.error for p in parts])
    return found.on_scale(back)


def performance(sites: list[tuple[Site, str | None]], measure: str) -> list[Part]:
    """One measure of the model as shipped, judged on everybody at each site."""
    to, parts = MEASURES[measure][1], []
    for site, label in sites:
        table = site.results[MODEL].tables.get("performance")
        if table is None:
            continue
        rows = table.frame.filter(model="as shipped", judged="everybody here")
        if rows.height == 1:
            ends = rows.select(measure, f"{measure}_low", f"{measure}_high", "n").row(0)
            parts.append(part_of(label, *ends[:3], to, ends[3]))
    return [part for part in parts if part is not None]


@dataclass(frozen=True)
class States:
    """States of the sites, matched.

    Attributes
    ----------
    sites
        Those with states, and their labels.
    answers
        Of each: (states, items, answers) probabilities; NaN where they are not shown.
    items
        Their names.
    matched
        Of each.
    n
        States of the reference.
    """

    sites: list[tuple[Site, str | None]]
    answers: list[np.ndarray]
    items: tuple[str, ...]
    matched: list[matching.Matched]
    n: int

    def state_at(self, i: int, state: int) -> int | None:
        """State of site `i`, from 0, that is `state` of the reference."""
        places = np.flatnonzero(self.matched[i].place == state)
        return int(places[0]) if len(places) else None

    @property
    def whole(self) -> list[int]:
        """Sites that have these states and no others: a state cut otherwise is another one."""
        return [
            i
            for i, match in enumerate(self.matched)
            if not match.lacking and (match.place >= 0).all()
        ]


def states(sites: list[tuple[Site, str | None]]) -> States | None:
    """States of all sites that have any; None with fewer than two sites."""
    having = [
        (s, label) for s, label in sites if "answer_probabilities" in s.results[STATES].tables
    ]
    if len(having) < 2:
        return None
    frames = [site.results[STATES].tables["answer_probabilities"].frame for site, _ in having]
    items = tuple(frames[0]["item"].unique(maintain_order=True).to_list())
    answers = [_answers(frame, items) for frame in frames]
    matched = matching.match_all(answers)
    return States(having, answers, items, matched, max(len(a) for a in answers))


def _answers(frame: pl.DataFrame, items: tuple[str, ...]) -> np.ndarray:
    numbers = frame["state"].unique(maintain_order=True).to_list()
    found = np.full((len(numbers), len(items), len(LEVELS)), np.nan)
    for state, item, *values in frame.select("state", "item", *LEVELS).rows():
        if item in items and None not in values:
            shares = np.maximum(values, 0.0)
            found[numbers.index(state), items.index(item)] = shares / shares.sum()
    return found


def shares(found: States, state: int) -> list[Part]:
    """Share of people who start in a state, at every site with the same states."""
    parts = []
    for i in found.whole:
        site, label = found.sites[i]
        rows = (
            site.results[STATES].tables["states"].frame.filter(state=found.state_at(i, state) + 1)
        )
        ends = rows.select("share", "share_low", "share_high", "of").row(0)
        parts.append(_probability(label, ends[:3], ends[3]))
    return [part for part in parts if part is not None]


def moves(found: States, origin: int, destination: int) -> list[Part]:
    """Probability of a move between two states, at every site with the same states."""
    parts = []
    for i in found.whole:
        site, label = found.sites[i]
        a, b = (found.state_at(i, state) for state in (origin, destination))
        table = site.results[STATES].tables.get("transitions")
        if table is None:
            continue
        rows = table.frame.filter(origin=a + 1, destination=b + 1)
        if rows.height == 1:
            names = ("probability", "probability_low", "probability_high", "n")
            row = rows.select(names).row(0)
            parts.append(_probability(label, row[:3], row[3]))
    return [part for part in parts if part is not None]


def _probability(label, ends, n) -> Part | None:
    """A part of a probability, away from 0 and 1 by as much as rounding hides."""
    if None in ends:
        return None
    inside = [float(np.clip(end, _EDGE, 1 - _EDGE)) for end in ends]
    return part_of(label, *inside, special.logit, n)
