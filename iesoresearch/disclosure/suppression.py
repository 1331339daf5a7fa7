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
from functools import cached_property

import numpy as np

from iesoresearch import seeds
from iesoresearch.disclosure import relations
from iesoresearch.disclosure.policy import Policy
from iesoresearch.disclosure.relations import Place, Sum, System

_REACH = 4  # thresholds that a count may lie from the true one, in what is tried
_ATTEMPTS, _IN_VAIN = 60, 3  # drawn solutions, and how many of them in vain are enough
_IDLE = 0.3  # pull of a goal that is reached already, of an open one's


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
        self.is_small = self.system.small(self.x, self.policy)
        #: Of every row that is said to hold a small count, one that is.
        self.anchors = {}
        for place in self.small:
            few = [at for at in self.system.members.get(place, ()) if self.is_small[at]]
            if few:
                self.anchors[place] = min(few, key=lambda at: (self.x[at], at))

    def bounds(self, at: int) -> tuple[float, float]:
        """Smallest and largest value of an unknown, by all that is said of it alone."""
        x = self.x[at]
        if at >= self.system.n_totals_from:
            return (x, x) if self.known[at] else (0, np.inf)
        if at in self.system.exact:
            return x, x
        rest = at >= self.system.n_rests_from
        cell = self.system.rests[at - self.system.n_rests_from].part if rest else at
        low, high = self.policy.min_count, np.inf
        if self.hidden[cell]:
            low = self.lowest(cell, rest)
        elif self.x[cell] == 0:
            low = 0  # without a part that is none, the rest is the whole
            high = np.inf if rest else 0
        elif not rest:
            shown, high = self.policy.shown_as(int(self.policy.rounded(x)))
            low = max(low, shown)
        return (low, high) if x >= low else (x, x)

    def lowest(self, cell: int, rest: bool = False) -> int:
        """Smallest value that a hidden cell, or what it leaves, may have by what its rows say."""
        places = self.system.places[cell]
        if any(place not in self.small and place not in self.unsaid for place in places):
            return self.policy.min_count
        if rest or all(place in self.unsaid for place in places):
            return 0
        return self.policy.fewest


def complete(pattern: Pattern) -> None:
    """Hide more of `pattern`, in place, until no small count can be worked out.

    Where even hiding all would tell, because rows say that they hold a small count, they say it no
    more. What the total itself tells of its parts, no suppression can hide.
    """
    for unknowns, sums in relations.components(pattern.system, pattern.known):
        if sums and pattern.is_small[unknowns].any():
            _Component(pattern, unknowns, sums).protect()


class _Component:
    """Counts that hang together. All is reckoned as moves away from the true counts."""

    def __init__(self, pattern: Pattern, unknowns: np.ndarray, sums: list[Sum]):
        self.pattern, self.unknowns = pattern, unknowns
        self.x = pattern.x[unknowns]
        self.local = {int(at): i for i, at in enumerate(unknowns)}
        self.furthest = _REACH * pattern.policy.min_count
        self.unsaid = False
        anchors = pattern.anchors.items()
        self.anchors = {place: at for place, at in anchors if at in self.local}
        self.rows = [self._relation(one) for one in sums]
        self._ends: np.ndarray | None = None  # bounds, until more is hidden

    @cached_property
    def programme(self):
        """The relations as a solver wants them."""
        from iesoresearch.disclosure import solver  # takes a second, and few releases need it

        return solver.Rows.of(self.rows, len(self.x))

    def protect(self) -> None:
        """Hide more until every small count may be the smallest and the largest of its kind."""
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
        if self._ends is None:
            self._ends = np.array([self.pattern.bounds(at) for at in self.unknowns.tolist()])
        low, high = self._ends[:, 0] - self.x, self._ends[:, 1] - self.x
        most = self.pattern.policy.min_count - 1
        members = self.pattern.system.members
        for place, anchor in self.anchors.items():
            spoken_for = apart is not None and int(self.unknowns[apart]) in members[place]
            if place not in self.pattern.unsaid and not spoken_for:
                i = self.local[anchor]
                low[i] = max(low[i], self.pattern.policy.fewest - self.x[i])
                high[i] = min(high[i], most - self.x[i])
        return np.maximum(low, -self.furthest), np.minimum(high, self.furthest)

    def _open(self, goals: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """The goals that are not known to be possible."""
        if len(self.rows) == 1:
            return [goal for goal in goals if not self._absorbed(*goal)]
        return self._not_reached(goals)

    def _absorbed(self, i: int, goal: int) -> bool:
        """Whether the other counts of the only relation can make up for it, exactly."""
        (positions, signs, least, most), (low, high) = self.rows[0], self._goal(i, goal)
        ends = signs * low[positions], signs * high[positions]
        return np.minimum(*ends).sum() <= most and np.maximum(*ends).sum() >= least

    def _not_reached(self, goals: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Goals that none of some counts reaches that fit with all that is seen.

        Drawn counts are drawn to one end or the other, as what one gains another must lose.
        """
        from iesoresearch.disclosure import solver

        low, high = self._room()
        policy, few = self.pattern.policy, sorted({i for i, _ in goals})
        low[few] = np.maximum(low[few], policy.fewest - self.x[few])
        high[few] = np.minimum(high[few], policy.min_count - 1 - self.x[few])
        open_goals, in_vain = dict.fromkeys(goals), 0
        for attempt in range(_ATTEMPTS):
            signs = seeds.rng(0, "suppression", attempt).choice([-1.0, 1.0], len(few))
            pull = np.zeros(len(self.x))
            for i, sign in zip(few, signs, strict=True):
                end = policy.fewest if sign > 0 else policy.min_count - 1
                pull[i] = sign * (1.0 if (i, end) in open_goals else _IDLE)
            moves = solver.moves(low, high, pull, self.programme)
            reached = [
                g for g in open_goals if moves is not None and moves[g[0]] == g[1] - self.x[g[0]]
            ]
            for goal in reached:
                del open_goals[goal]
            in_vain = 0 if reached else in_vain + 1
            if not open_goals or in_vain == _IN_VAIN:
                break
        return list(open_goals)

    def _reach(self, i: int, goal: int) -> bool:
        """Make it possible that a count is `goal`, hiding little; whether it hid any."""
        if self._possible(i, goal, []):
            return False
        shown = self._shown()
        chosen = self._cheapest(i, goal, shown)
        if chosen is None and not self.unsaid:
            self._say_less()
            return self._reach(i, goal)
        if chosen is None or not self._possible(i, goal, chosen):
            chosen = shown
            if not self._possible(i, goal, chosen):
                return self._hide_all(i, goal)
        for j in sorted(chosen, key=shown.index, reverse=True):  # the largest first
            fewer = [k for k in chosen if k != j]
            if self._possible(i, goal, fewer):
                chosen = fewer
        self._hide(chosen)
        return bool(chosen)

    def _hide_all(self, i: int, goal: int) -> bool:
        """Hide all, with what cells leave; if in vain, what brings a count as near as that does."""
        before = self.pattern.hidden.copy(), set(self.pattern.unsaid)
        self._hide(self._shown())
        if self._possible(i, goal, []):
            return True
        (self.pattern.hidden[:], self.pattern.unsaid), self._ends = before, None
        if not self.unsaid:
            self._say_less()
            return self._reach(i, goal)
        nearer = goal + (1 if goal < self.x[i] else -1)
        return nearer != self.x[i] and self._reach(i, nearer)

    def _hide(self, cells: list[int]) -> None:
        self.pattern.hidden[self.unknowns[cells]] = True
        self._ends = None
        if self.unsaid:
            self._say_less()

    def _say_less(self) -> None:
        """Rows with suppressed cells do not say why any more, and nobody is hidden like few."""
        self.unsaid, self._ends, pattern = True, None, self.pattern
        cells = self._cells()
        pattern.hidden[cells[pattern.x[cells] == 0]] = True
        for at in cells[pattern.hidden[cells]]:
            pattern.unsaid.update(pattern.system.places[at])

    def _cells(self) -> np.ndarray:
        """Counts that can be hidden."""
        system = self.pattern.system
        cells = self.unknowns[self.unknowns < system.n_rests_from]
        return cells[~np.isin(cells, list(system.exact))]

    def _shown(self) -> list[int]:
        """Cells that could be hidden, the smallest first."""
        cells = self._cells().tolist()
        few = self.pattern.policy.min_count
        shown = [c for c in cells if not self.pattern.hidden[c] and self.pattern.x[c] >= few]
        return [self.local[c] for c in sorted(shown, key=lambda c: (self.pattern.x[c], c))]

    def _goal(self, i: int, goal: int) -> tuple[np.ndarray, np.ndarray]:
        low, high = self._room(apart=i)
        low[i] = high[i] = goal - self.x[i]
        return low, high

    def _freed(self, j: int) -> tuple[int, int]:
        """How far a shown cell might move if it were hidden."""
        fewest = 0 if self.unsaid else self.pattern.lowest(int(self.unknowns[j]))
        return max(fewest - self.x[j], -self.furthest), self.furthest

    def _possible(self, i: int, goal: int, chosen: list[int]) -> bool:
        """Whether a count may be `goal`, once the chosen cells are hidden."""
        from iesoresearch.disclosure import solver

        low, high = self._goal(i, goal)
        for j in chosen:
            low[j], high[j] = self._freed(j)
        level = np.zeros(len(low))
        return solver.moves(low, high, level, self.programme, thorough=True) is not None

    def _cheapest(self, i: int, goal: int, shown: list[int]) -> list[int] | None:
        """Cells to hide so that a count may be `goal`, by what it costs to move them; or null.

        A cell weighs by the logarithm of its count, spread over as many people as it can take.
        """
        from iesoresearch.disclosure import solver

        low, high = self._goal(i, goal)
        wide = np.array([self._freed(j) for j in shown], dtype=float).reshape(-1, 2)
        room = low[shown] - wide[:, 0], wide[:, 1] - high[shown]
        ranks = 1 + 1e-4 * np.arange(len(shown))  # no two weigh the same
        weights, need = np.log1p(self.x[shown].astype(float)) * ranks, abs(goal - self.x[i])
        cost = tuple(weights / np.clip(np.minimum(far, need), 1, None) for far in room)
        which = np.array(shown, dtype=int)
        found = solver.beyond(low, high, self.programme, which, room, cost)
        return None if found is None else found.tolist()
