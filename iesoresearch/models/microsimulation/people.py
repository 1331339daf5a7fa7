"""Individuals that differ and remember: moves and rewards as functions of who they are."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.markov_cohort import timing
from iesoresearch.models.microsimulation.twin import Simulated
from iesoresearch.models.microsimulation.uniforms import choose_all, key_of, uniforms

TOLERANCE = 1e-9  # of a sum of probabilities from one


@dataclass(frozen=True, eq=False)
class People:
    """Some individuals at one point in time.

    Attributes
    ----------
    state
        (n,) index of the state.
    time_in_state
        (n,) cycles since they came into it: 0 at the first point there.
    visited
        (n, S) bool: in that state now or before.
    cycle
        Point in time, 0 … T; the next move is that of cycle `cycle` + 1.
    strategy
        Name.
    covariates
        (n,) or (n, …) by name.
    """

    state: np.ndarray
    time_in_state: np.ndarray
    visited: np.ndarray
    cycle: int
    strategy: str
    covariates: Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class PersonalReward:
    """What individuals collect.

    Parameters
    ----------
    name
        Unlike the others.
    values
        Takes `People`, gives (n,): the worth of a cycle, counted at each point. None for none.
    weights
        Counting convention by name, but for "life_table", or (T+1,); must be given with `values`.
    discount
        (T+1,) factors; None: not discounted.
    moves
        Takes `People` before a move and the (n,) states after it, gives (n,): counted once per
        cycle, discounted as the point after it. None for none.
    """

    name: str
    values: Callable[[People], np.ndarray] | None = None
    weights: np.ndarray | str | None = None
    discount: np.ndarray | None = None
    moves: Callable[[People, np.ndarray], np.ndarray] | None = None


@dataclass(frozen=True, eq=False)
class PersonalModel:
    """A model of individuals with covariates and a memory.

    Parameters
    ----------
    states, strategies
        Names.
    start
        (S,) shares at time 0.
    transitions
        Takes `People`, gives (n, S): their probabilities of being in each state after the next
        move.
    rewards
        In the order of the results.
    n_cycles
        T.
    covariates
        (N, …) arrays by name, with an entry for every individual that is to be simulated.
    """

    states: tuple[str, ...]
    strategies: tuple[str, ...]
    start: np.ndarray
    transitions: Callable[[People], np.ndarray]
    rewards: tuple[PersonalReward, ...]
    n_cycles: int
    covariates: Mapping[str, np.ndarray] = field(default_factory=dict)


def simulate_people(model: PersonalModel, n: int, seed: int, *, chunk: int = 20_000) -> Simulated:
    """Simulate individuals who differ.

    Parameters
    ----------
    model
        What they are and do.
    n
        Individuals, 2 or more.
    seed
        Individual i has the same random numbers whatever `n` and `chunk`, and under all strategies.
    chunk
        Individuals at a time, for memory; the result does not depend on it.

    Raises
    ------
    ParameterError
        Too few individuals or covariates; probabilities that are no distribution, with strategy,
        cycle and state; rewards of the wrong shape or that are not finite.
    """
    timing.check_cycles(model.n_cycles)
    _check_sizes(model, n, chunk)
    counting = [_counting(reward, model.n_cycles) for reward in model.rewards]
    out = np.zeros((n, len(model.strategies), len(model.rewards)))
    for k, strategy in enumerate(model.strategies):
        for first in range(0, n, chunk):
            part = out[first : first + chunk, k]
            _simulate(model, strategy, key_of(seed), first, counting, part)
    totals = {reward.name: out[:, :, i] for i, reward in enumerate(model.rewards)}
    return Simulated(tuple(model.strategies), totals)


def _check_sizes(model: PersonalModel, n: int, chunk: int) -> None:
    if n < 2 or chunk < 1:
        raise ParameterError(
            f"A simulation needs 2 individuals or more, and 1 or more at a time; found {n} and "
            f"{chunk}."
        )
    for name, each in model.covariates.items():
        if len(each) < n:
            raise ParameterError(
                f'The covariate "{name}" has {len(each)} entries for {n} individuals.'
            )
    if np.shape(model.start) != (len(model.states),):
        raise ParameterError(
            f"start has shape {np.shape(model.start)}, expected ({len(model.states)},)."
        )


def _counting(reward: PersonalReward, n_cycles: int):
    """Weights of points and of moves, both discounted."""
    weights = reward.weights
    if weights is None and reward.values is not None:
        raise ParameterError(
            f'The reward "{reward.name}" counts states but not when: give weights, such as '
            '"trapezoid".'
        )
    if isinstance(weights, str):
        if weights == "life_table":
            raise ParameterError(
                f'The reward "{reward.name}" of individuals cannot be counted by "life_table", '
                "which is about the mean of a cohort: choose another convention."
            )
        weights = timing.weights(weights, n_cycles)
    ones = np.ones(n_cycles + 1)
    found = []
    for what, given in (("weights", weights), ("discount", reward.discount)):
        vector = ones if given is None else np.asarray(given, dtype=float)
        if vector.shape != ones.shape:
            raise ParameterError(
                f'{what} of reward "{reward.name}" has shape {vector.shape}, expected '
                f"({n_cycles + 1},)."
            )
        found.append(vector)
    return found[0] * found[1], found[1][1:]


def _simulate(model, strategy, key, first, counting, out) -> None:
    """Fill `out`, (n, R)."""
    n, size = len(out), len(model.states)
    everybody = np.arange(n)
    covariates = {name: each[first : first + n] for name, each in model.covariates.items()}
    start = np.broadcast_to(np.asarray(model.start, dtype=float), (n, size))
    _check_rows(start, f"start under {strategy}", None, model)
    state = choose_all(start, uniforms(key, first, n, 0))
    time_in_state, visited = np.zeros(n, dtype=np.int64), np.zeros((n, size), dtype=bool)
    for t in range(model.n_cycles + 1):
        visited[everybody, state] = True
        people = People(state, time_in_state, visited.copy(), t, strategy, covariates)
        for i, (reward, (weights, _)) in enumerate(zip(model.rewards, counting, strict=True)):
            if reward.values is not None and weights[t]:
                out[:, i] += weights[t] * _given(reward, reward.values(people), n, t, strategy)
        if t == model.n_cycles:
            return
        rows = np.asarray(model.transitions(people), dtype=float)
        _check_rows(rows, f"transitions under {strategy} in cycle {t + 1}", state, model)
        after = choose_all(rows, uniforms(key, first, n, t + 1))
        for i, (reward, (_, factors)) in enumerate(zip(model.rewards, counting, strict=True)):
            if reward.moves is not None:
                worth = reward.moves(people, after)
                out[:, i] += factors[t] * _given(reward, worth, n, t + 1, strategy)
        time_in_state = np.where(after == state, time_in_state + 1, 0)
        state = after


def _check_rows(rows, what: str, state, model) -> None:
    n, size = len(rows) if state is None else len(state), len(model.states)
    if rows.shape != (n, size):
        raise ParameterError(
            f"The {what} have shape {rows.shape}, expected {n} individuals and {size} states."
        )
    sums = rows.sum(1)
    fine = (rows >= 0).all(1) & (abs(sums - 1) <= TOLERANCE)
    if not fine.all():
        i = int((~fine).argmax())
        where = "" if state is None else f" from {model.states[state[i]]}"
        raise ParameterError(
            f"The {what}{where} are no distribution: they sum to {sums[i]:.10g} and the least is "
            f"{rows[i].min():.10g}. Nothing was computed."
        )


def _given(reward, given, n: int, t: int, strategy: str) -> np.ndarray:
    found = np.asarray(given, dtype=float)
    if found.shape not in ((), (n,)) or not np.isfinite(found).all():
        raise ParameterError(
            f'The reward "{reward.name}" under {strategy} at point {t} must be a finite number for '
            f"each of {n} individuals; its shape is {found.shape}. Nothing was computed."
        )
    return found
