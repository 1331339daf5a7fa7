"""Decision trees: expected payoffs, and the probability of every path.

Probabilities and payoffs are numbers or arrays that broadcast, so that one tree serves all draws.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from iesoresearch.errors import ParameterError

TOLERANCE = 1e-9  # of the probabilities of a chance node from one


@dataclass(frozen=True, eq=False)
class Terminal:
    """The end of a path.

    Parameters
    ----------
    payoffs
        By name, such as ``{"cost": 800, "cases": 1}``; what is not named is 0.
    """

    payoffs: Mapping[str, float | np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Branch:
    """One way on from a chance node.

    Parameters
    ----------
    name
        Unlike that of the node's other branches.
    probability
        Of this branch at its node; None: what the others leave.
    to
        Where it leads.
    payoffs
        Counted by whoever goes this way.
    """

    name: str
    probability: float | np.ndarray | None
    to: "Chance | Terminal"
    payoffs: Mapping[str, float | np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Chance:
    """A node with several ways on.

    Parameters
    ----------
    *branches
        Their probabilities sum to one.
    """

    branches: tuple[Branch, ...]

    def __init__(self, *branches: Branch) -> None:
        object.__setattr__(self, "branches", branches)


@dataclass(frozen=True, eq=False)
class Path:
    """From the root to an end.

    Attributes
    ----------
    names
        Of the branches on the way.
    probability
        Product of theirs.
    payoffs
        Sums, by name; every path has all names.
    """

    names: tuple[str, ...]
    probability: float | np.ndarray
    payoffs: dict[str, float | np.ndarray]


def paths(tree: Chance | Terminal) -> tuple[Path, ...]:
    """All paths, in the order in which the tree is written.

    Raises
    ------
    ParameterError
        Probabilities outside 0 … 1 or that do not sum to one, payoffs that are not finite, or names
        twice: all of them, each with its place in the tree.
    """
    problems: list[str] = []
    found = _walk(tree, (), 1.0, {}, problems)
    if problems:
        raise ParameterError(
            f"The decision tree cannot be evaluated: {'; '.join(problems)}. Nothing was computed."
        )
    names = sorted({name for path in found for name in path.payoffs})
    return tuple(
        Path(p.names, p.probability, {name: p.payoffs.get(name, 0.0) for name in names})
        for p in found
    )


def expected(tree: Chance | Terminal) -> dict[str, float | np.ndarray]:
    """Expected payoffs by name.

    Raises
    ------
    ParameterError
        As `paths`.
    """
    every = paths(tree)
    names = every[0].payoffs if every else ()
    return {name: sum(path.probability * path.payoffs[name] for path in every) for name in names}


def _walk(node, way, probability, payoffs, problems) -> list[Path]:
    if isinstance(node, Terminal):
        return [Path(way, probability, _sum(payoffs, node.payoffs, way, problems))]
    found = []
    for branch, share in zip(node.branches, _shares(node, way, problems), strict=True):
        further = (*way, branch.name)
        so_far = _sum(payoffs, branch.payoffs, further, problems)
        found += _walk(branch.to, further, probability * share, so_far, problems)
    return found


def _shares(node: Chance, way, problems) -> list:
    at = f"at {_place(way)}"
    names = [branch.name for branch in node.branches]
    if not names:
        problems.append(f"{at} no branch begins")
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.append(f'{at} the branch "{name}" is there twice')
    given = [b.probability for b in node.branches if b.probability is not None]
    left = 1.0 - sum(np.asarray(p, dtype=float) for p in given)
    open_ = len(names) - len(given)
    if open_ > 1:
        problems.append(f"{at} {open_} branches have no probability; one may have what is left")
    elif open_ == 0 and names and not (abs(left) <= TOLERANCE).all():
        total = float(np.ravel(1.0 - left)[np.ravel(~(abs(left) <= TOLERANCE)).argmax()])
        problems.append(f"{at} the probabilities sum to {total:.10g} instead of 1")
    shares = [left if b.probability is None else b.probability for b in node.branches]
    for name, share in zip(names, shares, strict=True):
        p = np.ravel(np.asarray(share, dtype=float))
        wrong = ~((p >= -TOLERANCE) & (p <= 1 + TOLERANCE))
        if wrong.any():
            problems.append(f'{at} the branch "{name}" has probability {p[wrong.argmax()]:.10g}')
    return [float(share) if np.ndim(share) == 0 else np.asarray(share) for share in shares]


def _sum(payoffs, more, way, problems) -> dict:
    for name, value in more.items():
        if not np.isfinite(value).all():
            problems.append(f'at {_place(way)} the payoff "{name}" is not a finite number')
    names = {**payoffs, **more}
    return {name: payoffs.get(name, 0.0) + more.get(name, 0.0) for name in names}


def _place(way) -> str:
    return " > ".join(filter(None, way)) or "the root"
