"""The integer programme of counts that hang together: what of a few people is still possible.

One solution of it is a world that fits with all that is seen, and shows of every count in it a
value that it may have. So many counts are questioned by few programmes, and only what no world has
shown is asked for by itself (HiGHS, through scipy).
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from iesoresearch import seeds
from iesoresearch.disclosure import solver
from iesoresearch.disclosure.policy import Policy
from iesoresearch.disclosure.relations import Sum

if TYPE_CHECKING:
    from iesoresearch.disclosure.attack import _Attack

_IN_VAIN = 2  # worlds that show nothing new are enough
_WEIGHTS = 10  # of unknowns that are pulled at together, so that none always gives way
_CONTRADICTION = "The tables contradict each other, the policy or the totals."


class Programme:
    """Unknowns with their bounds and relations.

    Parameters
    ----------
    attack
        What is known of each unknown by itself.
    unknowns
        Those that hang together, by position.
    sums
        Their relations.
    """

    def __init__(self, attack: "_Attack", unknowns: list[int], sums: list[Sum]):
        self.attack = attack
        self.local = {at: i for i, at in enumerate(unknowns)}
        self.low, self.high, self.sums = [], [], []
        for at in unknowns:
            self._add(*attack.bounds(at))
        for at in unknowns:
            if attack.may_be_zero(at):
                self._zero_or_more(self.local[at])
        for one in sums:
            self._sum(one)
        for few, policy in zip(attack.said, attack.said_under, strict=True):
            if few[0] in self.local:
                self._one_is_small([self.local[at] for at in few], policy)
        self.rows = solver.Rows.of(self.sums, len(self.low))

    def range(self, at: int, most: float = np.inf) -> tuple[int, int | None]:
        """Least and largest value; null where nothing bounds it, or the least exceeds `most`.

        Raises
        ------
        ValueError
            Nothing fits.
        """
        i = self.local[at]
        low, high = self.low[i], self.high[i]
        if self.sums:
            low = self._extreme(i, 1.0)
            high = self._extreme(i, -1.0) if low <= most else self.attack.free
        return low, None if high > self.attack.most else high

    def narrowed(self, asked: list[int], few: range) -> dict[int, tuple[int, int | None]]:
        """Unknowns that may be few, but not as few or not as many as `few` goes.

        Returns
        -------
        dict
            Of each of these its range.
        """
        found = {}
        for at in self._not_possible(asked, few) if self.sums else asked:
            low, high = self.range(at, few[-1])
            if low <= few[-1] and (low > few[0] or (high is not None and high < few[-1])):
                found[at] = low, high
        return found

    def possible(self, asked: list[int], few: range) -> dict[int, set[int]]:
        """Which values of `few` each unknown may have."""
        found = {at: set() for at in asked}
        if not self.sums:
            for at, values in found.items():
                i = self.local[at]
                values.update(n for n in few if self.low[i] <= n <= self.high[i])
            return found
        in_vain = attempt = 0
        while in_vain < _IN_VAIN and (missing := self._missing(found, few)):
            drawn = seeds.rng(0, "attack", attempt).integers(1, _WEIGHTS, len(missing))
            goals = {at: sorted(values)[attempt % len(values)] for at, values in missing.items()}
            seen = self._record(found, self._nearest(goals, drawn), few)
            in_vain, attempt = 0 if seen else in_vain + 1, attempt + 1
        for at, values in self._missing(found, few).items():
            for n in sorted(values):
                if n not in found[at] and (world := self._within(self.local[at], n, n)) is not None:
                    self._record(found, world, few)
        return found

    def _missing(self, found: dict[int, set[int]], few: range) -> dict[int, set[int]]:
        """Values that no world has shown yet, of those for which there are any."""
        return {at: left for at, values in found.items() if (left := set(few) - values)}

    def _record(self, found: dict[int, set[int]], world: np.ndarray, few: range) -> bool:
        """Note the values of a world; whether any of them is new."""
        seen = False
        for at, values in found.items():
            value = int(world[self.local[at]])
            if value in few and value not in values:
                values.add(value)
                seen = True
        return seen

    def _not_possible(self, asked: list[int], few: range) -> list[int]:
        """Unknowns that cannot be at one end of `few`, or not at the other or beyond it."""
        missing = {True: set(asked), False: set(asked)}  # down or not
        in_vain = attempt = 0
        while in_vain < _IN_VAIN and (missing[True] or missing[False]):
            drawn = (seeds.rng(0, "attack", attempt).random(len(asked)) < 0.5).tolist()
            # one way where the other was seen
            ways = {
                at: at in missing[True] and (down or at not in missing[False])
                for at, down in zip(asked, drawn, strict=True)
                if at in missing[True] or at in missing[False]
            }
            seen = self._at_ends(missing, self._pulled(ways, few), few)
            in_vain, attempt = 0 if seen else in_vain + 1, attempt + 1
        return sorted(at for at in asked if not self._has_both(missing, at, few))

    def _has_both(self, missing: dict[bool, set[int]], at: int, few: range) -> bool:
        """Whether an unknown may be at both ends; worlds that are found show others as well."""
        i = self.local[at]
        for down, ends in ((True, (self.low[i], few[0])), (False, (few[-1], self.high[i]))):
            if at in missing[down]:
                world = self._within(i, *ends)
                if world is None:
                    return False
                self._at_ends(missing, world, few)
        return True

    def _at_ends(self, missing: dict[bool, set[int]], world: np.ndarray, few: range) -> bool:
        """Take those from the missing that are at an end in a world; whether there are any."""
        down = {at for at in missing[True] if world[self.local[at]] <= few[0]}
        up = {at for at in missing[False] if world[self.local[at]] >= few[-1]}
        missing[True] -= down
        missing[False] -= up
        return bool(down or up)

    def _pulled(self, down: dict[int, bool], few: range) -> np.ndarray:
        """A world with many unknowns at the lower end of `few`, or at the upper one or beyond."""
        n, up = len(self.low), [self.local[at] for at, low in down.items() if not low]
        cost = np.concatenate([np.zeros(n), -np.ones(len(up))])
        cost[[self.local[at] for at, low in down.items() if low]] = 1.0
        # what is gained ends where `few` does
        rows = [(np.array([i, n + k]), np.array([1.0, -1.0]), 0.0, np.inf)
                for k, i in enumerate(up)]  # fmt: skip
        return self._least(cost, rows, ([0] * len(up), [few[-1]] * len(up)), best=False)

    def _nearest(self, goals: dict[int, int], weights: np.ndarray) -> np.ndarray:
        """A world with many unknowns near their goals."""
        n, rows = len(self.low), []
        for k, (at, goal) in enumerate(goals.items()):
            pair = np.array([self.local[at], n + k])
            rows.append((pair, np.array([1.0, -1.0]), -np.inf, float(goal)))
            rows.append((pair, np.array([1.0, 1.0]), float(goal), np.inf))
        away = [0] * len(goals), [self.attack.free] * len(goals)
        return self._least(np.concatenate([np.zeros(n), weights]), rows, away, best=False)

    def _within(self, i: int, least: int, most: int) -> np.ndarray | None:
        """A world in which an unknown lies between two values."""
        low, high = (np.array(ends, dtype=float) for ends in (self.low, self.high))
        low[i], high[i] = max(low[i], least), min(high[i], most)
        if low[i] > high[i]:
            return None
        return solver.least(np.zeros(len(low)), (low, high), self.rows)

    def _extreme(self, i: int, sign: float) -> int:
        cost = np.zeros(len(self.low))
        cost[i] = sign
        return int(self._least(cost, [], ([], []))[i])

    def _least(
        self, cost: np.ndarray, rows: list[tuple], further: tuple[list, list], best: bool = True
    ) -> np.ndarray:
        """The best world, or a good one, with further unknowns and relations."""
        bounds = tuple(
            np.array([*own, *more], dtype=float)
            for own, more in zip((self.low, self.high), further, strict=True)
        )
        relations = solver.Rows.of([*self.sums, *rows], len(cost)) if rows else self.rows
        found = solver.least(cost, bounds, relations, best)
        if found is None:
            raise ValueError(_CONTRADICTION)
        return found

    def _add(self, low: int, high: int) -> int:
        if low > high:
            raise ValueError(_CONTRADICTION)
        self.low.append(low)
        self.high.append(high)
        return len(self.low) - 1

    def _row(self, positions: list[int], coefficients: list[float], low: float, high: float):
        self.sums.append((np.array(positions), np.array(coefficients), low, high))

    def _sum(self, one: Sum) -> None:
        positions, coefficients = [self.local[at] for at in one.parts], [1.0] * len(one.parts)
        whole = 0.0
        if one.whole in self.local:
            positions.append(self.local[one.whole])
            coefficients.append(-1.0)
        else:
            whole = float(self.attack.totals[one.whole])
        self._row(positions, coefficients, whole if one.exact else -np.inf, whole)

    def _zero_or_more(self, i: int) -> None:
        some, low = self._add(0, 1), self.low[i]
        self.low[i] = 0
        self._row([i, some], [1.0, -float(low)], 0.0, np.inf)
        self._row([i, some], [1.0, -float(self.high[i])], -np.inf, 0.0)

    def _one_is_small(self, few: Iterable[int], policy: Policy) -> None:
        most, flags = policy.min_count - 1, []
        for i in few:
            flag = self._add(0, 1)
            flags.append(flag)
            spare = float(max(self.high[i] - most, 0))
            self._row([i, flag], [1.0, spare], -np.inf, most + spare)
            self._row([i, flag], [1.0, -float(policy.fewest)], 0.0, np.inf)
        self._row(flags, [1.0] * len(flags), 1.0, np.inf)
