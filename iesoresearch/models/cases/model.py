"""From a case to the cohort model that the engine evaluates."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.cases.case import Case, Cell, Discount, RewardSpec, StrategySpec
from iesoresearch.models.cases.quantities import Quantity
from iesoresearch.models.cases.scope import Findings, Scope, rows
from iesoresearch.models.markov_cohort import CohortModel, Reward, weights

NO_DRAWS: Mapping[str, np.ndarray] = {}


def cohort_model(
    case: Case, draws: Mapping[str, np.ndarray] = NO_DRAWS, findings: Findings | None = None
) -> CohortModel:
    """Model of all strategies of a case.

    Parameters
    ----------
    draws
        Values (D,) of drawn parameters; others have their base value.
    findings
        Where what units forbid is kept.

    Raises
    ------
    ParameterError
        A value that cannot be, with its place.
    """
    findings = findings or Findings()
    names = expanded_states(case)
    moves = [_transitions(case, s, draws, findings) for s in case.strategies]
    starts = [_start(case, s, draws, findings) for s in case.strategies]
    made = [_reward(case, spec, draws, findings, len(names), rows(case)) for spec in case.rewards]
    return CohortModel(
        states=names,
        strategies=case.names,
        start=_stacked(starts),
        transitions=_stacked(moves),
        rewards=tuple(made),
        n_cycles=case.cycles,
        cycle=case.cycle,
    )


def expanded_states(case: Case) -> tuple[str, ...]:
    """States, those with a clock split by cycles of residence: S1, S1 (2), S1 (3)."""
    return tuple(
        state if k == 0 else f"{state} ({k + 1})"
        for state in case.states
        for k in range(case.clock(state))
    )


def _stacked(arrays: list[np.ndarray]) -> np.ndarray:
    """(D|1, K, …) of one (D|1, …) per strategy; K is 1 where all are the same."""
    first = arrays[0]
    if all(array is first or np.array_equal(array, first) for array in arrays[1:]):
        return first[:, None]
    return np.stack(np.broadcast_arrays(*arrays), axis=1)


def _transitions(case: Case, strategy: StrategySpec, draws, findings) -> np.ndarray:
    """(D|1, T|1, N, N)."""
    scope = Scope(case, strategy, draws, np.arange(case.cycles), findings)
    definition = strategy.transitions or case.transitions
    return _clocked(case, definition.evaluate(scope))


def _clocked(case: Case, matrix: np.ndarray) -> np.ndarray:
    """Columns split by time in state: who enters starts at 1, who stays moves on."""
    where = rows(case)
    size = sum(case.clock(state) for state in case.states)
    if size == len(case.states):
        return matrix
    made = np.zeros((*matrix.shape[:3], size))
    group = {state: clock for clock in case.clocks for state in clock.states}
    for from_ in case.states:
        for column, to in enumerate(case.states):
            first = where[to].start
            same = group.get(to) is not None and group.get(from_) is group[to]
            for k, row in enumerate(range(where[from_].start, where[from_].stop)):
                later = min(k + 1, group[to].length - 1) if same else 0
                made[..., row, first + later] += matrix[..., row, column]
    return made


def _start(case: Case, strategy: StrategySpec, draws, findings) -> np.ndarray:
    """(D|1, N)."""
    scope = Scope(case, strategy, draws, None, findings)
    cells = strategy.start
    if cells is None and strategy.tree is None:
        cells = case.start
    if cells is None:
        shares = strategy.tree.shares(scope)
    else:
        shares = {s: scope.scalar(c) for s, c in cells.items() if not isinstance(c, str)}
        total = sum(shares.values(), np.zeros(1))
        rest = [state for state, cell in cells.items() if isinstance(cell, str)]
        shares.update(dict.fromkeys(rest, 1.0 - total))
    size = max(where.stop for where in scope.rows.values())
    length = max((len(share) for share in shares.values()), default=1)
    start = np.zeros((length, size))
    for state, share in shares.items():
        start[:, scope.rows[state].start] = share
    _check_start(start, strategy.name)
    return start


def _check_start(start: np.ndarray, strategy: str) -> None:
    if (start < 0).any() or (abs(start.sum(1) - 1) > 1e-9).any():
        raise ParameterError(
            f"start: the shares of strategy {strategy} sum to {float(start.sum(1)[0]):.10g}, or "
            "one is negative; they must be 0 or more and sum to 1 (write rest for what is left)."
        )


def _reward(case: Case, spec: RewardSpec, draws, findings, size, where) -> Reward:
    at = _points(spec, case.cycles)
    values, moves, once = [], [], []
    for strategy in case.strategies:
        scope = Scope(case, strategy, draws, at, findings)
        values.append(_state_values(scope, spec, size))
        inner = Scope(case, strategy, draws, np.arange(case.cycles), findings)
        if spec.transitions:
            moves.append(_move_values(inner, spec, size, where) * case.people)
        once.append(_once(scope, spec, strategy) * case.people)
    counted = _counted(spec, case.cycles)
    discount = _factors(case, spec.discount, np.arange(case.cycles + 1), draws, findings)
    timing = _move_timing(case, spec, counted, draws, findings)
    if not draws:  # a distribution that a paper chose may go beyond 1
        _check_utility(case, spec, values)
    return Reward(
        name=spec.name,
        values=_stacked(values) * case.people,
        weights="life_table" if spec.count == "life_table" else counted,
        discount=discount,
        transition=_stacked(moves) if moves else None,
        transition_weights=timing[0],
        transition_discount=timing[1],
        once=_stacked(once),
    )


def _counted(spec: RewardSpec, cycles: int) -> np.ndarray:
    """(T+1,) how often each point counts."""
    if spec.count == "all":
        return np.ones(cycles + 1)
    if isinstance(spec.count, str):
        return weights(spec.count, cycles)
    return np.array(spec.count)


def _check_utility(case: Case, spec: RewardSpec, values: list[np.ndarray]) -> None:
    most = max(float(value.max()) for value in values) / case.cycle.years
    if spec.qaly and most > 1 + 1e-9 and "utility-per-cycle" not in case.findings_expected:
        raise ParameterError(
            f"{spec.place}: a state is worth {most:.6g} QALYs a year, and a utility is 1 at most. "
            "If the values are per year, write per: year."
        )


def _points(spec: RewardSpec, cycles: int) -> np.ndarray:
    """Cycle (from 0) whose values hold at each point 0 … T."""
    points = np.arange(cycles + 1)
    if spec.count in ("end", "life_table"):
        return np.maximum(points - 1, 0)
    # At the last point no cycle follows; where it counts, ages and times go on by one.
    return np.minimum(points, cycles - 1) if spec.count == "start" else points


def _state_values(scope: Scope, spec: RewardSpec, size: int) -> np.ndarray:
    """(D|1, T+1|1, N) worth per cycle."""
    blocks = {state: _worth(scope, spec, cell, state) for state, cell in spec.values.items()}
    lead = np.broadcast_shapes((1, 1), *(block.shape[:2] for block in blocks.values()))
    made = np.zeros((*lead, size))
    for state, block in blocks.items():
        made[..., scope.rows[state]] = block
    return made


def _worth(scope: Scope, spec: RewardSpec, cell: Cell, state: str) -> np.ndarray:
    quantity = scope.value(cell, state)
    _check_per(scope, spec, cell, quantity)
    return quantity.value * scope.cycle.over(spec.per)


def _check_per(scope: Scope, spec: RewardSpec, cell: Cell, quantity: Quantity) -> None:
    """Whether what a value is per is what the reward says."""
    unit = quantity.unit
    text = f"{cell.expression.text!r} is a {unit}"
    if unit.kind == "number":
        return
    if unit.kind == "money" and unit.currency != scope.case.currency:
        scope.findings.add("currency", cell.place, f"{text} in a model in {scope.case.currency}")
    if unit.kind in ("rate", "probability"):
        scope.findings.add("reward-unit", cell.place, f"{text}, which is neither cost nor effect")
    elif unit.once:
        scope.findings.add("once-per-cycle", cell.place, f"{text}, counted every cycle: use once")
    elif unit.per is not None and abs(unit.per.over(spec.per) - 1) > 1e-9:
        code = "utility-per-cycle" if unit.kind == "utility" else "reward-period"
        scope.findings.add(
            code, cell.place, f"{text} and is summed as if per {spec.per}: write per: {unit.per}"
        )


def _move_values(scope: Scope, spec: RewardSpec, size: int, where) -> np.ndarray:
    """(D|1, T|1, N, N) worth of moves between different states of the file."""
    made = np.zeros((1, 1, size, size))
    for from_, to, cell in spec.transitions:
        quantity = scope.value(cell, from_)
        if quantity.unit.per is not None and quantity.unit.kind in ("money", "utility", "QALY"):
            text = f"{cell.expression.text!r} is {quantity.unit}, but a move happens once"
            scope.findings.add("per-period-once", cell.place, text)
        for one in [from_] if from_ else scope.states:
            for other in [to] if to else scope.states:
                if one != other or (from_ and to):
                    made = _added(made, where[one], where[other], quantity.value)
    return made


def _added(made: np.ndarray, one: slice, other: slice, value: np.ndarray) -> np.ndarray:
    lead = np.broadcast_shapes(made.shape[:2], value.shape[:2])
    made = np.broadcast_to(made, (*lead, *made.shape[2:])).copy()
    made[..., one, other] += value[..., None]
    return made


def _once(scope: Scope, spec: RewardSpec, strategy: StrategySpec) -> np.ndarray:
    """(D|1,)."""
    total = np.zeros(1)
    if spec.once is not None:
        quantity = scope.value(spec.once)
        if quantity.unit.per is not None:
            text = f"{spec.once.expression.text!r} is {quantity.unit}, but once is not per a time"
            scope.findings.add("per-period-once", spec.once.place, text)
        total = total + quantity.value[:, 0, 0]
    if strategy.tree is not None:
        total = total + strategy.tree.payoff(scope, spec.name)
    return total


def _factors(case: Case, discount: Discount | None, t: np.ndarray, draws, findings) -> np.ndarray:
    """Discount factors at times t, in cycles."""
    if discount is None:
        return np.ones(len(t))
    clock = Scope(case, None, {"t": t.astype(float)}, None, findings)
    if discount.factor is not None:
        return clock.scalar(discount.factor) + np.zeros(len(t))
    number = _rate(case, discount, findings)
    # Nothing is worth more later than now: a negative exponent counts as 0.
    exponent = np.maximum(clock.scalar(discount.exponent) + np.zeros(len(t)), 0.0)
    return (1 + number) ** -(exponent * case.cycle.over(discount.per))


def _rate(case: Case, discount: Discount, findings: Findings) -> float:
    rate = Scope(case, None, {}, None, findings).value(discount.rate)
    unit = rate.unit
    if unit.kind == "rate" and unit.per and abs(unit.per.over(discount.per) - 1) > 1e-9:
        text = f"the discount rate is a {unit}, and is applied per {discount.per}"
        findings.add("discount-period", discount.rate.place, text)
    number = float(rate.value.reshape(-1)[0])
    if not 0 <= number < 1:
        raise ParameterError(
            f"{discount.rate.place}: a discount rate is a fraction below 1; it is {number:g}."
        )
    return number


def _move_timing(case: Case, spec: RewardSpec, counted, draws, findings):
    """Weights and discount factors of the moves of each cycle."""
    cycles = np.arange(case.cycles)
    if spec.transition_count == "start":
        return np.ones(case.cycles), _factors(case, spec.discount, cycles, draws, findings)
    factors = _factors(case, spec.discount, cycles + 1, draws, findings)
    own = counted[1:] if spec.transition_count == "with states" else np.ones(case.cycles)
    return own, factors
