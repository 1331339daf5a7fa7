"""The twin of a cohort model: the same states, moves and rewards, individual by individual."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numba
import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.markov_cohort.evaluation import laid_out, schedules
from iesoresearch.models.markov_cohort.model import CohortModel
from iesoresearch.models.markov_cohort.rewards import Flow, of_states, weights_of_moves
from iesoresearch.models.microsimulation.uniforms import choose, key_of, stream, uniform


@dataclass(frozen=True, eq=False)
class Simulated:
    """Rewards of simulated individuals.

    Attributes
    ----------
    strategies
        Names.
    individuals
        By name of the reward (n, K): what each individual collected. The individuals are the same
        under every strategy, with the same random numbers.
    """

    strategies: tuple[str, ...]
    individuals: dict[str, np.ndarray]

    @property
    def mean(self) -> dict[str, np.ndarray]:
        """(K,) by name of the reward."""
        return {name: each.mean(0) for name, each in self.individuals.items()}

    @property
    def standard_error(self) -> dict[str, np.ndarray]:
        """(K,) Monte Carlo standard error of the mean."""
        return {name: _error(each) for name, each in self.individuals.items()}

    def difference(self, name: str, strategy: str, other: str) -> tuple[float, float]:
        """Mean difference of a reward, `strategy` less `other`, and its standard error.

        Raises
        ------
        ParameterError
            A reward or strategy that is not there.
        """
        for what, given, known in (
            ("reward", name, self.individuals),
            ("strategy", strategy, self.strategies),
            ("strategy", other, self.strategies),
        ):
            if given not in known:
                raise ParameterError(
                    f'No {what} of the simulation is called "{given}": choose from '
                    f"{', '.join(known)}."
                )
        a, b = self.strategies.index(strategy), self.strategies.index(other)
        difference = self.individuals[name][:, a] - self.individuals[name][:, b]
        return float(difference.mean()), float(_error(difference))


def simulate(
    model: CohortModel,
    n: int,
    seed: int,
    *,
    draw: int = 0,
    discounted: bool = True,
    n_jobs: int = 1,
) -> Simulated:
    """Simulate individuals through a cohort model.

    Parameters
    ----------
    model
        Any cohort model.
    n
        Individuals, 2 or more.
    seed
        Of the simulation; an individual's numbers follow from the seed and their own, so the first
        of many are the same as the few.
    draw
        Which draw of the model.
    discounted
        As in `CohortModel.totals`, whose values are the expected means.
    n_jobs
        Threads; the result does not depend on it.

    Raises
    ------
    ParameterError
        As `CohortModel.validate`; fewer than 2 individuals; a draw that is not there.
    """
    model.validate()
    if n < 2 or not 0 <= draw < model.n_draws or n_jobs < 1:
        raise ParameterError(
            f"A simulation needs 2 individuals or more, a thread, and one of the {model.n_draws} "
            f"draws of the model; found {n} individuals, {n_jobs} threads and draw {draw}."
        )
    states, moves, owner = _parts(model, discounted)
    out = np.zeros((n, len(model.strategies), len(model.rewards)))
    inputs = (
        *(model.start, model.transitions, schedules(model), draw),
        *(*laid_out(model, states), *laid_out(model, moves), owner),
    )
    edges = np.linspace(0, n, n_jobs + 1).astype(int)
    with ThreadPoolExecutor(n_jobs) as pool:
        parts = [
            pool.submit(_walk, *inputs, key_of(seed), first, out[first:last])
            for first, last in pairwise(edges)
        ]
        for part in parts:
            part.result()
    once = {r.name: r.once[draw if len(r.once) > 1 else 0] for r in model.rewards}
    totals = {r.name: out[:, :, i] + once[r.name] for i, r in enumerate(model.rewards)}
    return Simulated(model.strategies, totals)


def _parts(model: CohortModel, discounted: bool):
    """Flows of states, flows of moves, and which reward each belongs to (states first)."""
    states, moves = [], []
    for i, reward in enumerate(model.rewards):
        if reward.values is not None:
            states += [(i, flow) for flow in of_states(model, reward, discounted)]
        if reward.transition is not None:
            worth, n = reward.transition, model.n_cycles
            schedule = np.minimum(np.arange(n + 1), n - 1)[None] * (worth.shape[2] > 1)
            weights = np.append(weights_of_moves(reward, discounted), 0.0)
            flow = Flow(worth.reshape(*worth.shape[:3], -1), schedule, weights)
            moves.append((i, flow))
    owner = np.array([i for i, _ in (*states, *moves)], dtype=np.int64)
    return [flow for _, flow in states], [flow for _, flow in moves], owner


@numba.njit(cache=True, nogil=True)
def _walk(
    start, p, at, draw, values, layout, value_at, weights,
    worth, worth_layout, worth_at, worth_weights, owner, key, first, out,
):  # fmt: skip
    """Fill `out`, (n, K, R), for individuals from `first` on; the rest as in `kernel.forward`."""
    size, n_cycles, n_states = start.shape[2], at.shape[1], len(layout)
    for i in range(out.shape[0]):
        counter = stream(key, first + i)
        for k in range(out.shape[1]):
            one = p[min(draw, p.shape[0] - 1), min(k, p.shape[1] - 1)]
            begin = start[min(draw, start.shape[0] - 1), min(k, start.shape[1] - 1)]
            state = choose(begin, uniform(counter, 0))
            for t in range(n_cycles + 1):
                for f in range(n_states):
                    a = layout[f, 0] + draw * layout[f, 1] + k * layout[f, 2] + value_at[f, k, t]
                    out[i, k, owner[f]] += weights[f, t] * values[a + state]
                if t == n_cycles:
                    break
                to = choose(one[at[k, t], state], uniform(counter, t + 1))
                for f in range(len(worth_layout)):
                    a = worth_layout[f, 0] + draw * worth_layout[f, 1] + k * worth_layout[f, 2]
                    a += worth_at[f, k, t] + state * size + to
                    out[i, k, owner[n_states + f]] += worth_weights[f, t] * worth[a]
                state = to


def _error(each: np.ndarray) -> np.ndarray:
    return each.std(0, ddof=1) / np.sqrt(len(each))
