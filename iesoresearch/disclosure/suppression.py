"""Complementary suppression: what else to hide so that no small count can be worked out.

A small count is safe if everything that is seen fits with the smallest and with the largest value
that a suppressed count may have; seen are the rounded counts, the totals, what adds up to what, and
of every row whether a count in it is small. Whole numbers that fit are found by linear programming;
where there are none, so are the cells to hide, at the least loss of information for one small count
after the other (Cox 1980 on complementary suppression, Journal of the American Statistical
Association 75:377-385; Kelly, Golden & Assad 1992 on linear programmes for it, Networks 22:397-417;
Hundepool et al. 2012, Statistical Disclosure Control, Wiley, doi:10.1002/9781118348239). That is
near the least loss, not the least; safe it is in any case, as nothing counts that is not found.
"""

from dataclasses import dataclass, field

import numpy as np

from iesoresearch.disclosure import relations
from iesoresearch.disclosure.policy import Policy
from iesoresearch.disclosure.relations import Place, Sum, System

_REACH = 4  # thresholds that a count may lie from the true one, in what is tried
_NOTHING = 1e-7  # of a count: the solver's idea of zero


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
    for unknowns, sums in relations.components(pattern.system, pattern.known):
        if sums and pattern.is_small[unknowns].any():
            _Component(pattern, unknowns, sums).protect()


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
        goals = self._open(goals)
        while goals:
            hidden = self._reach(*goals.pop(0))
            if hidden and goals:
                goals = self._open(goals)

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

    def _open(self, goals: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """The goals that are not known to be possible."""
        if len(self.rows) == 1:
            return [goal for goal in goals if not self._absorbed(*goal)]
        return self._not_reached(goals)

    def _absorbed(self, i: int, goal: int) -> bool:
        """Whether the other counts of the only relation can make up for it, exactly."""
        (positions, signs, least, most), (low, high) = self.rows[0], self._room(apart=i)
        low[i] = high[i] = goal - self.x[i]
        ends = signs * low[positions], signs * high[positions]
        return np.minimum(*ends).sum() <= most and np.maximum(*ends).sum() >= least

    def _not_reached(self, goals: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Goals that solutions which reach as many as they can at once do not reach."""
        from iesoresearch.disclosure import solver

        low, high = self._room()
        policy, few = self.pattern.policy, [i for i, _ in goals]
        low[few] = np.maximum(low[few], policy.fewest - self.x[few])
        high[few] = np.minimum(high[few], policy.min_count - 1 - self.x[few])
        for sign in (1.0, -1.0):
            while wanted := [(i, g) for i, g in goals if sign * (g - self.x[i]) < 0]:
                cost = np.zeros(len(self.x))
                cost[[i for i, _ in wanted]] = sign
                found = solver.relaxed(cost, (low, high), self.rows)
                if not solver.whole(found, (low, high), self.rows):
                    break
                near = np.rint(found)
                reached = {(i, g) for i, g in wanted if near[i] == g - self.x[i]}
                goals = [goal for goal in goals if goal not in reached]
                if not reached:
                    break
        return goals

    def _reach(self, i: int, goal: int) -> bool:
        """Make it possible that a count is `goal`, hiding little; whether it hid any."""
        if self._possible(i, goal, []):
            return False
        shown = self._shown()
        chosen = self._cheapest(i, goal, shown)
        if chosen is None and not self.unsaid:
            self.unsaid = True
            self._hide([])
            return self._reach(i, goal)
        if chosen is None or not self._possible(i, goal, chosen):
            chosen = shown
        for j in sorted(chosen, key=shown.index, reverse=True):  # the largest first
            fewer = [k for k in chosen if k != j]
            if self._possible(i, goal, fewer):
                chosen = fewer
        self._hide(chosen)
        return bool(chosen)

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

    def _goal(self, i: int, goal: int) -> tuple[np.ndarray, np.ndarray]:
        low, high = self._room(apart=i)
        low[i] = high[i] = goal - self.x[i]
        return low, high

    def _freed(self, j: int) -> tuple[int, int]:
        """How far a shown cell might move if it were hidden."""
        pattern = self.pattern
        places = pattern.system.places[self.unknowns[j]]
        unclear = self.unsaid or all(p in pattern.small or p in pattern.unsaid for p in places)
        fewest = pattern.policy.fewest if unclear else pattern.policy.min_count
        return max(fewest - self.x[j], -self.furthest), self.furthest

    def _possible(self, i: int, goal: int, chosen: list[int]) -> bool:
        """Whether a count may be `goal`, once the chosen cells are hidden."""
        from iesoresearch.disclosure import solver

        low, high = self._goal(i, goal)
        for j in chosen:
            low[j], high[j] = self._freed(j)
        found = solver.relaxed(np.zeros(len(low)), (low, high), self.rows)
        return found is not None and solver.whole(found, (low, high), self.rows)

    def _cheapest(self, i: int, goal: int, shown: list[int]) -> list[int] | None:
        """Cells to hide so that a count may be `goal`, by what it costs to move them; or null.

        A cell weighs by the logarithm of its count, spread over as many people as it can take.
        """
        from iesoresearch.disclosure import solver

        low, high = self._goal(i, goal)
        wide, need = (low.copy(), high.copy()), abs(goal - self.x[i])
        n, rows, cost, most = len(low), list(self.rows), [0.0] * len(low), []
        for rank, j in enumerate(shown):
            wide[0][j], wide[1][j] = self._freed(j)
            weight = np.log1p(float(self.x[j])) * (1 + 1e-4 * rank)  # no two weigh the same
            down, up = low[j] - wide[0][j], wide[1][j] - high[j]
            for sign, end, room in ((1.0, low[j], down), (-1.0, -high[j], up)):
                move = np.array([j, n + len(most)])
                rows.append((move, np.array([sign, 1.0]), end, np.inf))
                cost.append(weight / max(min(room, need), 1))
                most.append(room)
        bounds = np.append(wide[0], np.zeros(len(most))), np.append(wide[1], most)
        found = solver.relaxed(np.array(cost), bounds, rows)
        if found is None:
            return None
        moved = found[n:].reshape(-1, 2).sum(axis=1) > _NOTHING
        return [j for j, hide in zip(shown, moved, strict=True) if hide]
