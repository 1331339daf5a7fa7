"""Deterministic sensitivity: one input at a time, two at a time, thresholds, scenarios.

A *model* here is a function from inputs by name, each an array of S scenarios, to costs and effects
(S, K): all scenarios go through it in one call. Which scenarios, heormodel's designs say
(`heormodel.dsa.one_at_a_time`, `grid`); it is imported when first needed (it takes 2 s).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.decision.checks import numbers, outcomes, willingness

Model = Callable[[dict[str, np.ndarray]], tuple[np.ndarray, np.ndarray]]

POINTS = 201  # of the grid in which crossings are sought
HALVINGS = 60  # of the interval around a crossing: past the precision of a float


@dataclass(frozen=True)
class Bar:
    """What one input does to the difference between a strategy and its reference.

    Attributes
    ----------
    name, low, high
        The input and the values it was set to, all others at base.
    cost, effect, net_benefit
        Incremental cost, effect and net benefit at `low` and at `high`.
    icer
        Incremental cost ÷ effect at `low` and `high` where the strategy is dearer and better; None
        elsewhere: there a ratio has no meaning.
    base_cost, base_effect, base_net_benefit
        The same increments with every input at base.
    """

    name: str
    low: float
    high: float
    cost: tuple[float, float]
    effect: tuple[float, float]
    net_benefit: tuple[float, float]
    icer: tuple[float | None, float | None]
    base_cost: float
    base_effect: float
    base_net_benefit: float

    def span(self, outcome: str = "net_benefit") -> float:
        """How far apart the ends are in ``"net_benefit"``, ``"cost"`` or ``"effect"``."""
        if outcome not in ("net_benefit", "cost", "effect"):
            raise ParameterError(
                f"There is no tornado of {outcome!r}; choose net_benefit, cost or effect."
            )
        ends = getattr(self, outcome)
        return abs(ends[1] - ends[0])

    @property
    def changes_decision(self) -> bool:
        """Whether net benefit at one end has not the sign that it has at base."""
        signs = np.sign([self.base_net_benefit, *self.net_benefit])
        return bool((signs[1:] != signs[0]).any())


def one_way(
    model: Model,
    base: Mapping[str, float],
    ranges: Mapping[str, tuple[float, float]],
    wtp: float,
    *,
    strategy: int = 1,
    reference: int = 0,
) -> tuple[Bar, ...]:
    """Each input at its low and high value, the others at base; widest net benefit first.

    Parameters
    ----------
    model, base
        The model and a number for each of its inputs.
    ranges
        ``(low, high)`` by name of input; low ≤ high.
    wtp
        Willingness to pay per unit of effect.
    strategy, reference
        Columns whose difference is looked at.

    Returns
    -------
    tuple of Bar
        Order it with `tornado` for cost or effect.

    Raises
    ------
    ParameterError
        An input that base lacks, low above high, no ranges, results that are NaN or of other shape.
    """
    from heormodel.dsa import one_at_a_time

    point, start = _one(wtp), _base(base)
    for name, pair in ranges.items():
        _known(start, name)
        if len(pair) != 2 or not pair[0] <= pair[1]:
            raise ParameterError(
                f"The range of {name!r} must be (low, high) with low ≤ high, not {pair!r}."
            )
    if not ranges:
        raise ParameterError("There is no range of any input; name one at least.")
    design, _ = one_at_a_time(_series(start), ranges)
    cost, effect = _increments(model, design, strategy, reference)
    benefit = point * effect - cost
    bars = []
    for i, (name, (low, high)) in enumerate(ranges.items()):
        ends = [1 + 2 * i, 2 + 2 * i]
        bars.append(
            Bar(
                name,
                float(low),
                float(high),
                tuple(cost[ends].tolist()),
                tuple(effect[ends].tolist()),
                tuple(benefit[ends].tolist()),
                tuple(_icer(cost[end], effect[end]) for end in ends),
                *(float(column[0]) for column in (cost, effect, benefit)),
            )
        )
    return tornado(bars)


def tornado(bars: Sequence[Bar], outcome: str = "net_benefit") -> tuple[Bar, ...]:
    """`bars` by their span in `outcome` (see `Bar.span`), widest first; ties keep their order."""
    return tuple(sorted(bars, key=lambda bar: -bar.span(outcome)))


@dataclass(frozen=True)
class TwoWay:
    """Net benefit of K strategies over a grid of two inputs.

    Attributes
    ----------
    names
        Of the two inputs.
    first, second : (M,), (N,)
        Their values.
    net_benefit : (M, N, K)
    best : (M, N)
        Column of the highest net benefit, the first of several that tie.
    """

    names: tuple[str, str]
    first: np.ndarray
    second: np.ndarray
    net_benefit: np.ndarray
    best: np.ndarray


def two_way(
    model: Model, base: Mapping[str, float], grids: Mapping[str, Sequence[float]], wtp: float
) -> TwoWay:
    """Every combination of the values of two inputs, the others at base.

    Raises
    ------
    ParameterError
        Other than two inputs, an input that base lacks, values that are no numbers.
    """
    from heormodel.dsa import grid

    point, start = _one(wtp), _base(base)
    if len(grids) != 2:
        raise ParameterError(f"A two-way analysis takes two inputs, not {len(grids)}.")
    for name in grids:
        _known(start, name)
    names = tuple(grids)
    first, second = (numbers(grids[name], f"values of {name!r}", 1) for name in names)
    design, _ = grid(_series(start), {names[0]: first.tolist(), names[1]: second.tolist()})
    cost, effect = _results(model, design.iloc[1:])
    benefit = (point * effect - cost).reshape(len(first), len(second), -1)
    return TwoWay(names, first, second, benefit, benefit.argmax(axis=-1))


@dataclass(frozen=True)
class Threshold:
    """Where incremental net benefit meets a target.

    Attributes
    ----------
    name
        The input.
    values
        Every value where it does, smallest first; empty if there is none.
    text
        The same as a sentence: one crossing, several, or none and on which side it stays.
    """

    name: str
    values: tuple[float, ...]
    text: str


def threshold(
    model: Model,
    base: Mapping[str, float],
    name: str,
    low: float,
    high: float,
    target: float = 0.0,
    *,
    wtp: float,
    strategy: int = 1,
    reference: int = 0,
) -> Threshold:
    """Values of one input between `low` and `high` at which net benefit passes `target`.

    Sought in 201 equal steps and then by halving. Crossings that lie two to a step, or that touch
    without passing, are seen only at a point of the grid; a jump past the target counts.

    Raises
    ------
    ParameterError
        An input that base lacks, low not below high, results that are NaN.
    """
    point, start = _one(wtp), _base(base)
    _known(start, name)
    low, high = numbers([low, high], f"limits of {name!r}", 1)
    if low >= high:
        raise ParameterError(f"{name!r} is to go from {low:g} to {high:g}; low must be below high.")

    def excess(values):
        design = {key: np.full(len(values), value) for key, value in start.items()}
        design[name] = values
        cost, effect = _increments(model, design, strategy, reference)
        return point * effect - cost - target

    grid = np.linspace(low, high, POINTS)
    side = np.sign(excess(grid))
    meets = grid[side == 0]
    left = np.flatnonzero(side[:-1] * side[1:] < 0)
    below, above = grid[left], grid[left + 1]
    for _ in range(HALVINGS if len(left) else 0):
        middle = (below + above) / 2
        same = np.sign(excess(middle)) == side[left]
        below, above = np.where(same, middle, below), np.where(same, above, middle)
    values = tuple(np.sort(np.r_[meets, (below + above) / 2]).tolist())
    return Threshold(name, values, _sentence(name, values, low, high, target, side))


def _sentence(name, values, low, high, target, side):
    span = f"between {low:g} and {high:g}"
    if not side.any():
        return f"Net benefit is {target:g} wherever {name} lies {span}."
    if not values:
        where = "above" if side[0] > 0 else "below"
        return f"No crossing: net benefit stays {where} {target:g} for {name} {span}."
    places = ", ".join(f"{value:.6g}" for value in values)
    if len(values) == 1:
        return f"Net benefit meets {target:g} at {name} = {places}, the only place {span}."
    return f"Net benefit meets {target:g} at {len(values)} values of {name} {span}: {places}."


@dataclass(frozen=True)
class Scenario:
    """Results of one scenario: cost, effect and net benefit (K,) and the column of the best."""

    name: str
    cost: np.ndarray
    effect: np.ndarray
    net_benefit: np.ndarray
    best: int


def scenarios(
    model: Model,
    base: Mapping[str, float],
    changes: Mapping[str, Mapping[str, float]],
    wtp: float,
) -> tuple[Scenario, ...]:
    """Base case (called ``"base"``) and scenarios that set some inputs to other values.

    Raises
    ------
    ParameterError
        A scenario called base, a change of an input that base lacks, results that are NaN.
    """
    point, start = _one(wtp), _base(base)
    if "base" in changes:
        raise ParameterError("A scenario is called 'base'; that is the name of the base case.")
    for change in changes.values():
        for name in change:
            _known(start, name)
    rows = [start, *(start | _base(change) for change in changes.values())]
    design = {name: np.array([row[name] for row in rows]) for name in start}
    cost, effect = _results(model, design)
    benefit = point * effect - cost
    return tuple(
        Scenario(name, cost[i], effect[i], benefit[i], int(benefit[i].argmax()))
        for i, name in enumerate(("base", *changes))
    )


def _one(wtp):
    return float(willingness([wtp])[0])


def _base(base):
    return {name: float(numbers([value], f"input {name!r}", 1)[0]) for name, value in base.items()}


def _known(base, name):
    if name not in base:
        raise ParameterError(
            f"{name!r} is no input of the base case, which has: {', '.join(sorted(base))}."
        )


def _series(base):
    import pandas as pd

    return pd.Series(base, dtype=float)


def _results(model, design):
    """Costs and effects (S, K) of the scenarios that `design` holds by input."""
    values = {name: np.asarray(design[name], dtype=float) for name in design}
    cost, effect = outcomes(*model(values))
    wanted = len(next(iter(values.values())))
    if len(cost) != wanted:
        raise ParameterError(
            f"The model gave {len(cost)} rows for {wanted} scenarios; it must take arrays of "
            "inputs and return costs and effects with a row for each."
        )
    return cost, effect


def _increments(model, design, strategy, reference):
    cost, effect = _results(model, design)
    for column in (strategy, reference):
        if not 0 <= column < cost.shape[1]:
            raise ParameterError(
                f"Strategy {column} is no column: the model has {cost.shape[1]}, counted from 0."
            )
    return cost[:, strategy] - cost[:, reference], effect[:, strategy] - effect[:, reference]


def _icer(cost, effect):
    return float(cost / effect) if cost > 0 and effect > 0 else None
