"""Prediction sets: {event}, {no event}, both or neither, that hold the truth as often as asked.

Split conformal prediction (Vovk, Gammerman & Shafer 2005, Algorithmic Learning in a Random World):
how badly each prediction fits its outcome, 1 − p with the event and p without, is ranked in half of
the patients; the sets of the other half hold every outcome that fits no worse than the level
allows. Both halves are judged, each by the other. If patients are alike in law, at least the level
of the sets hold the truth on average, over all patients ("marginal") or among those with and
without the event apart ("by outcome"). In a group of patients nothing is promised, so it is shown.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from iesoresearch.models.evaluation.intervals import quantile_of
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.seeds import rng

LEVEL = 0.9
KINDS = ("marginal", "by outcome")


@dataclass(frozen=True)
class Sets:
    """Prediction sets of some patients.

    Attributes
    ----------
    n
        Patients.
    coverage
        Share of the sets that hold the truth, with its Wilson interval (Wilson 1927,
        doi:10.1080/01621459.1927.10502953). With clusters it is that of as many patients as would
        be worth as much if they were independent; where all sets hold the truth, or none, clusters
        are counted.
    size
        Mean number of outcomes in a set.
    undecided
        Share of the sets that hold both outcomes.
    """

    n: int
    coverage: Estimate
    size: float
    undecided: float


@dataclass(frozen=True)
class Conformal:
    """Prediction sets of everybody and by group.

    Attributes
    ----------
    level
        Share that should hold the truth.
    overall
        Of everybody; None where there is one outcome only, or nobody to rank against.
    groups
        Name of the grouping → level → sets.
    reason
        Why there are none; else empty.
    """

    level: float
    overall: Sets | None
    groups: dict[str, dict[str | int, Sets]]
    reason: str = ""

    def rows(self) -> list[tuple[str, str, Sets]]:
        """Grouping, level and sets, everybody first."""
        if self.overall is None:
            return []
        named = [(g, str(level), s) for g, lv in self.groups.items() for level, s in lv.items()]
        return [("overall", "all", self.overall), *named]


def conformal(y, p, groups, clusters, random_state: int) -> dict[str, Conformal]:
    """Prediction sets of both kinds.

    Parameters
    ----------
    y, p
        (people,) outcomes 0.0 or 1.0, predictions.
    groups
        Name → (levels, (people,) 0-based level).
    clusters
        (people,) 0-based, split whole; None: everybody is one.
    random_state
        Of the halves.
    """
    unit = np.arange(len(y)) if clusters is None else clusters
    order = rng(random_state, "evaluation", "halves").permutation(int(unit.max()) + 1)
    half = (order % 2)[unit]
    return {kind: _of_kind(kind, y, p, groups, clusters, half) for kind in KINDS}


def _of_kind(kind: str, y, p, groups, clusters, half) -> Conformal:
    few = [int(np.sum((y == c) & (half == h))) for c in (0, 1) for h in (0, 1)]
    if min(few) == 0:
        reason = "one half of the patients has one outcome only, so there is nothing to rank"
        return Conformal(LEVEL, None, {}, reason)
    holds = np.empty((len(y), 2), dtype=bool)  # without, with the event
    for h in (0, 1):
        ranked, judged = half != h, half == h
        misfit = np.where(y == 1, 1 - p, p)[ranked]
        for c, fit in ((0, p), (1, 1 - p)):
            of = misfit if kind == "marginal" else misfit[y[ranked] == c]
            holds[judged, c] = fit[judged] <= _limit(of)
    right = holds[np.arange(len(y)), y.astype(int)]

    def sets(who):
        return _sets(right[who], holds[who], None if clusters is None else clusters[who])

    by_group = {
        name: {level: sets(codes == i) for i, level in enumerate(levels)}
        for name, (levels, codes) in groups.items()
    }
    return Conformal(LEVEL, sets(slice(None)), by_group)


def _limit(misfit: np.ndarray) -> float:
    """The largest misfit allowed: everything where there are too few to rank against."""
    rank = int(np.ceil((len(misfit) + 1) * LEVEL))
    return float("inf") if rank > len(misfit) else float(np.sort(misfit)[rank - 1])


def _sets(right: np.ndarray, holds: np.ndarray, clusters: np.ndarray | None) -> Sets:
    coverage = _coverage(right, clusters)
    size, undecided = holds.sum(axis=1).mean(), holds.all(axis=1).mean()
    return Sets(len(right), coverage, float(size), float(undecided))


def _coverage(right: np.ndarray, clusters: np.ndarray | None) -> Estimate:
    share, n, z = float(right.mean()), float(len(right)), float(stats.norm.ppf(0.975))
    if clusters is not None:
        members = np.unique(clusters, return_inverse=True)[1]
        k = int(members.max()) + 1
        if k < 2:
            return Estimate(share, np.nan, np.nan, "1 clusters: there is nothing to compare")
        off = np.bincount(members, right - share)
        variance = k / (k - 1) * float(off @ off) / n**2
        n, z = min(n, share * (1 - share) / variance) if variance > 0 else k, quantile_of(k)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    width = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # rounding errors must leave neither the share outside nor a limit outside 0 to 1
    low, high = max(0.0, min(centre - width, share)), min(1.0, max(centre + width, share))
    return Estimate(share, float(low), float(high))
