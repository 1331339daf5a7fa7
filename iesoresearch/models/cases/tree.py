"""Decision trees of a case: alone, or before a cohort model that begins where their paths end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models import decision_tree
from iesoresearch.models.cases.case import Cell
from iesoresearch.models.cases.cells import cell
from iesoresearch.models.cases.document import Part, suggestion
from iesoresearch.models.cases.matrices import REST
from iesoresearch.models.cases.scope import Scope

_KEYS = ("p", "payoffs", "branches", "state", "note")


@dataclass(frozen=True, eq=False)
class Node:
    """A node of a tree.

    Attributes
    ----------
    p
        Probability of its branch: an expression, "rest", or None at the root.
    payoffs
        By reward; they add up along a path.
    branches
        By name.
    state
        Where a path ends, before a cohort model.
    """

    place: str
    p: Cell | str | None = None
    payoffs: dict[str, Cell] = field(default_factory=dict)
    branches: dict[str, Node] = field(default_factory=dict)
    state: str | None = None

    def paths(self, scope: Scope) -> tuple[decision_tree.Path, ...]:
        """Paths with their probabilities and payoffs, (D|1,) arrays."""
        try:
            return decision_tree.paths(self._built(scope))
        except ParameterError as error:
            raise ParameterError(f"{self.place}: {error}") from None

    def payoff(self, scope: Scope, reward: str) -> np.ndarray:
        """(D|1,) expected payoff."""
        paths = self.paths(scope)
        return sum((p.probability * p.payoffs.get(reward, 0.0) for p in paths), np.zeros(1))

    def shares(self, scope: Scope) -> dict[str, np.ndarray]:
        """(D|1,) probability of ending in each state."""
        found: dict[str, np.ndarray] = {}
        for path in self.paths(scope):
            end = self
            for name in filter(None, path.names):  # the branch before the root has no name
                end = end.branches[name]
            found[end.state] = found.get(end.state, np.zeros(1)) + path.probability
        return found

    def ends(self) -> list[str]:
        """Names of the paths, such as "positive/treated"."""
        below = ((name, branch.ends()) for name, branch in self.branches.items())
        return [f"{name}/{end}" if end else name for name, ends in below for end in ends] or [""]

    def _built(self, scope: Scope) -> decision_tree.Chance | decision_tree.Terminal:
        """As the engine wants it; a payoff of the root is that of a certain branch before it."""
        below = self._below(scope)
        if not self.payoffs:
            return below
        branch = decision_tree.Branch("", None, below, self._payoffs(scope))
        return decision_tree.Chance(branch)

    def _below(self, scope: Scope) -> decision_tree.Chance | decision_tree.Terminal:
        branches = [
            decision_tree.Branch(
                name,
                scope.probability(to.p)[:, 0, 0] if isinstance(to.p, Cell) else None,
                to._below(scope),
                to._payoffs(scope),
            )
            for name, to in self.branches.items()
        ]
        return decision_tree.Chance(*branches) if branches else decision_tree.Terminal()

    def _payoffs(self, scope: Scope) -> dict[str, np.ndarray]:
        return {name: scope.scalar(payoff) for name, payoff in self.payoffs.items()}


def node(part: Part, rewards: Iterable[str], states: Iterable[str], root: bool = True) -> Node:
    """Read a tree.

    Parameters
    ----------
    rewards
        What payoffs may be of.
    states
        Where a path must end; empty if no cohort model follows.
    """
    rewards, states = list(rewards), list(states)
    keys = part.keys(_KEYS, () if root else ("p",))
    branches = {}
    if "branches" in keys:
        for name, entry in keys["branches"].items():
            branches[name] = node(entry, rewards, states, root=False)
        if sum(branch.p == REST for branch in branches.values()) > 1:
            keys["branches"].problem("more than one branch has the rest.")
    elif bool(states) != ("state" in keys):
        part.problem("needs state, where the path ends." if states else "has no states to end in.")
    p = None
    if root and "p" in keys:
        keys["p"].problem("the root of a tree has no probability.")
    elif "p" in keys:
        p = REST if keys["p"].value == REST else cell(keys["p"])
    state = keys["state"].choice(states) if "state" in keys and states else None
    return Node(part.place, p, _payoffs(keys, rewards), branches, state)


def _payoffs(keys: dict[str, Part], rewards: list[str]) -> dict[str, Cell]:
    found = {}
    for name, entry in keys["payoffs"].items() if "payoffs" in keys else ():
        if name not in rewards:
            entry.problem(f"is no reward{suggestion(name, rewards)}.")
        made = cell(entry)
        if made is not None:
            found[name] = made
    return found
