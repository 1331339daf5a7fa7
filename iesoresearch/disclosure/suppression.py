"""Complementary suppression: what else to hide so that no small count can be worked out.

A small count is safe if everything that is seen fits with the smallest and with the largest value
that a suppressed count may have; seen are the rounded counts, the totals, what adds up to what, and
of every row whether a count in it is small. An integer programme finds such counts, or the cells
whose suppression makes it possible at the least loss (cells weigh by the logarithm of their count):
Cox 1980 on complementary suppression (Journal of the American Statistical Association 75:377-385),
Fischetti & Salazar 2001 on its optimisation (Management Science 47:1008-1027). Each programme is of
one set of counts that hang together and of one small count, which is fast and near the least loss,
not the least.
"""

from dataclasses import dataclass, field

import numpy as np

from iesoresearch.disclosure.policy import Policy
from iesoresearch.disclosure.relations import Place, Sum, System

_POOL = 40  # the smallest cells are tried first: programmes of hundreds are slow
_REACH = 4  # how many thresholds a count may move, to keep programmes small


@dataclass
class Pattern:
    """What of a system is hidden, and what the rows say of why.

    Attributes
    ----------
    hidden
        Of every cell, whether it is suppressed.
    small
        Rows that are said to hold a small count.
    unsaid
        Rows of which not even that is said.
    """

    system: System
    x: np.ndarray
    policy: Policy
    hidden: np.ndarray
    small: set[Place]
    unsaid: set[Place] = field(default_factory=set)

    def __post_init__(self):
        self.known = self.system.known(self.x, self.policy)
        cells, rests = self.system.n_rests_from, self.system.n_totals_from
        self.is_small = self.policy.is_small(self.x)
        self.is_small[:cells] &= self.hidden
        self.is_small[rests:] = False
        #: Of every row that is said to hold a small count, one that is.
        self.anchors = {}
        for place in self.small:
            few = [at for at in self.system.members.get(place, ()) if self.is_small[at]]
            if few:
                self.anchors[place] = min(few, key=lambda at: (self.x[at], at))

    def bounds(self, at: int) -> tuple[float, float]:
        """Smallest and largest value of an unknown, by all that is said of it alone."""
        x, policy = self.x[at], self.policy
        if at >= self.system.n_totals_from:
            return (x, x) if self.known[at] else (0, np.inf)
        rest = at >= self.system.n_rests_from
        cell = self.system.rests[at - self.system.n_rests_from].part if rest else at
        if self.hidden[cell]:
            unclear = all(p in self.small or p in self.unsaid for p in self.system.places[cell])
            low = (0 if rest else policy.fewest) if unclear else policy.min_count
            return (low, np.inf) if x >= low else (x, x)
        if policy.is_small(x) or x == 0:
            return x, x
        if rest:
            return policy.min_count, np.inf
        low, high = policy.shown_as(int(policy.rounded(x)))
        return max(low, policy.min_count), high


def complete(pattern: Pattern) -> None:
    """Hide more of `pattern`, in place, until no small count can be worked out.

    Where even hiding all would tell, because rows say that they hold a small count, they say it no
    more. What the total itself tells of its parts, no suppression can hide.
    """
    for unknowns, sums in components(pattern.system, pattern.known):
        if pattern.is_small[unknowns].any():
            _Component(pattern, unknowns, sums).protect()


def components(system: System, known: np.ndarray) -> list[tuple[np.ndarray, list[Sum]]]:
    """Unknowns that hang together, with their relations; a known total ties nothing together."""
    leader = list(range(len(system)))

    def find(at: int) -> int:
        while leader[at] != at:
            leader[at] = leader[leader[at]]
            at = leader[at]
        return at

    for one in system.sums:
        tied = [*one.parts, *([] if known[one.whole] else [one.whole])]
        for other in tied[1:]:
            a, b = sorted((find(tied[0]), find(other)))
            leader[b] = a
    unknowns: dict[int, list[int]] = {}
    sums: dict[int, list[Sum]] = {}
    for one in system.sums:
        sums.setdefault(find(one.parts[0]), []).append(one)
    for at in range(len(system)):
        unknowns.setdefault(find(at), []).append(at)
    return [(np.array(unknowns[at]), sums[at]) for at in sorted(sums)]


class _Component:
    """Counts that hang together. All is reckoned as differences from the true counts."""

    def __init__(self, pattern: Pattern, unknowns: np.ndarray, sums: list[Sum]):
        self.pattern, self.unknowns = pattern, unknowns
        self.x = pattern.x[unknowns]
        self.local = {int(at): i for i, at in enumerate(unknowns)}
        self.furthest = _REACH * pattern.policy.min_count
        self.unsaid = False
        anchors = pattern.anchors.items()
        self.anchors = {place: at for place, at in anchors if at in self.local}
        self.rows = [self._relation(one) for one in sums]

    def protect(self) -> None:
        policy = self.pattern.policy
        few = np.flatnonzero(self.pattern.is_small[self.unknowns])
        ends = (policy.fewest, policy.min_count - 1)
        goals = [(int(i), end) for i in few for end in ends if end != self.x[i]]
        goals = self._without_reached(goals)
        while goals:
            hidden = self._reach(*goals.pop(0))
            if hidden and goals:
                goals = self._without_reached(goals)

    def _relation(self, one: Sum) -> tuple:
        tied = [(self.local[at], 1.0) for at in one.parts]
        if one.whole in self.local:
            tied.append((self.local[one.whole], -1.0))
        x = self.pattern.x
        spare = 0.0 if one.exact else float(x[one.whole] - x[list(one.parts)].sum())
        positions, coefficients = (np.array(column) for column in zip(*tied, strict=True))
        return positions, coefficients, 0.0 if one.exact else -np.inf, spare

    def _room(self, apart: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """How far each count may move; what rows say is kept, but in those of the one `apart`."""
        bounds = np.array([self.pattern.bounds(at) for at in self.unknowns.tolist()])
        low, high = bounds[:, 0] - self.x, bounds[:, 1] - self.x
        most = self.pattern.policy.min_count - 1
        members = self.pattern.system.members
        for place, anchor in self.anchors.items():
            spoken_for = apart is not None and int(self.unknowns[apart]) in members[place]
            if place not in self.pattern.unsaid and not spoken_for:
                i = self.local[anchor]
                high[i] = min(high[i], most - self.x[i])
        return np.maximum(low, -self.furthest), np.minimum(high, self.furthest)

    def _without_reached(self, goals: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """The goals that are not known to be possible: one solution shows it of many at once."""
        from iesoresearch.disclosure import solver

        low, high = self._room()
        policy, few = self.pattern.policy, [i for i, _ in goals]
        low[few] = np.maximum(low[few], policy.fewest - self.x[few])
        high[few] = np.minimum(high[few], policy.min_count - 1 - self.x[few])
        for sign in (1.0, -1.0):
            while wanted := [(i, g) for i, g in goals if sign * (g - self.x[i]) < 0]:
                cost = np.zeros(len(self.x))
                cost[[i for i, _ in wanted]] = sign
                found = solver.least(cost, (low, high), self.rows)
                reached = {(i, g) for i, g in wanted if found[i] == g - self.x[i]}
                goals = [goal for goal in goals if goal not in reached]
                if not reached:
                    break
        return goals

    def _reach(self, i: int, goal: int) -> bool:
        """Make it possible that a count is `goal`, hiding the least; whether it hid any."""
        shown = self._shown()
        for pool in (shown[:_POOL], shown):
            chosen = self._cheapest(i, goal, pool)
            if chosen is not None:
                break
        if chosen is None and not self.unsaid:
            self.unsaid = True
            self._hide([])
            return self._reach(i, goal)
        self._hide(shown if chosen is None else chosen)
        return bool(shown if chosen is None else chosen)

    def _shown(self) -> list[int]:
        """Cells that could be hidden, the smallest first."""
        cells = self.unknowns[self.unknowns < self.pattern.system.n_rests_from].tolist()
        few = self.pattern.policy.min_count
        shown = [c for c in cells if not self.pattern.hidden[c] and self.pattern.x[c] >= few]
        return [self.local[c] for c in sorted(shown, key=lambda c: (self.pattern.x[c], c))]

    def _hide(self, cells: list[int]) -> None:
        pattern = self.pattern
        for i in cells:
            pattern.hidden[self.unknowns[i]] = True
        if self.unsaid:
            for at in self.unknowns[self.unknowns < pattern.system.n_rests_from]:
                if pattern.hidden[at]:
                    pattern.unsaid.update(pattern.system.places[at])

    def _cheapest(self, i: int, goal: int, pool: list[int]) -> list[int] | None:
        """Cells to hide so that a count may be `goal`; null if no cells of the pool do."""
        from iesoresearch.disclosure import solver

        low, high = self._room(apart=i)
        low[i] = high[i] = goal - self.x[i]
        n = len(self.x)
        rows, widest = list(self.rows), (low.copy(), high.copy())
        for z, j in enumerate(pool, n):
            at = int(self.unknowns[j])
            unclear = self.unsaid or all(
                p in self.pattern.small for p in self.pattern.system.places[at]
            )
            fewest = self.pattern.policy.fewest if unclear else self.pattern.policy.min_count
            widest[0][j] = max(fewest - self.x[j], -self.furthest)
            widest[1][j] = self.furthest
            pair = np.array([j, z])
            rows.append((pair, np.array([1.0, low[j] - widest[0][j]]), low[j], np.inf))
            rows.append((pair, np.array([1.0, high[j] - widest[1][j]]), -np.inf, high[j]))
        cost = np.concatenate([np.zeros(n), self._loss(pool)])
        bounds = tuple(
            np.concatenate([w, np.full(len(pool), b)]) for w, b in zip(widest, (0, 1), strict=True)
        )
        found = solver.least(cost, bounds, rows)
        return None if found is None else [j for z, j in enumerate(pool, n) if found[z]]

    def _loss(self, pool: list[int]) -> np.ndarray:
        ranks = np.arange(len(pool)) / max(len(pool), 1)
        return np.log1p(self.x[pool].astype(float)) + 1e-3 * ranks if pool else np.zeros(0)
