"""Expectation-maximisation for latent Markov models: one start, or many side by side."""

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from iesoresearch.models.latent_markov import kernels
from iesoresearch.models.latent_markov.packing import PackedItems

LANES = 8  # states are padded to a multiple of this
CHUNK = 2048  # people per partial sum; fixed, so that the number of threads changes no bit
THREADED_PEOPLE = 20_000  # below this a second thread costs more than it saves within one E-step


@dataclass(frozen=True)
class Parameters:
    """Parameters of a latent Markov model with time-homogeneous transitions.

    `initial_probs` (states,), `transition_matrix` (states, states), `item_probs`
    (states, items, levels); every row sums to one.
    """

    initial_probs: np.ndarray
    transition_matrix: np.ndarray
    item_probs: np.ndarray

    @property
    def n_states(self) -> int:
        """Number of states."""
        return len(self.initial_probs)

    def ordered(self, order: np.ndarray) -> "Parameters":
        """The same model with its states in another order."""
        return Parameters(
            self.initial_probs[order],
            self.transition_matrix[np.ix_(order, order)],
            self.item_probs[order],
        )


@dataclass(frozen=True)
class Counts:
    """Expected counts of an E-step: first occasions, transitions, answers; and log-likelihood."""

    initial: np.ndarray
    transition: np.ndarray
    items: np.ndarray
    log_likelihood: float


@dataclass(frozen=True)
class Sessions:
    """Packed answers of people one after the other; rows of person p: ``bounds[p]:bounds[p+1]``."""

    packed: PackedItems
    bounds: np.ndarray

    def chunks(self) -> list[np.ndarray]:
        """Bounds of the people of every chunk."""
        n = len(self.bounds) - 1
        return [self.bounds[i : min(i + CHUNK, n) + 1] for i in range(0, n, CHUNK)]


@dataclass(frozen=True)
class Fit:
    """Where one start of EM ended; `log_likelihood` is that of `parameters`."""

    parameters: Parameters
    counts: Counts
    n_iter: int
    converged: bool

    @property
    def log_likelihood(self) -> float:
        """Of the parameters."""
        return self.counts.log_likelihood


def lane_arrays(parameters: Parameters, packed: PackedItems) -> tuple:
    """Flat, padded arrays for the kernels: tables, initial, transition, transposed, lanes."""
    k = parameters.n_states
    width = LANES * -(-k // LANES)
    initial = np.zeros(width)
    initial[:k] = parameters.initial_probs
    transition = np.zeros((k, width))
    transition[:, :k] = parameters.transition_matrix
    transposed = np.zeros((k, width))
    transposed[:, :k] = parameters.transition_matrix.T
    tables = packed.tables(parameters.item_probs, width)
    return tables.ravel(), initial, transition.ravel(), transposed.ravel(), (0,) * width


def e_step(sessions: Sessions, parameters: Parameters, executor: Executor | None = None) -> Counts:
    """Expected counts given the parameters.

    The partial sums of fixed chunks are added in their order, whoever computed them.
    """
    packed, k = sessions.packed, parameters.n_states
    tables, initial, transition, transposed, lanes = lane_arrays(parameters, packed)
    width = len(lanes)

    def of_chunk(bounds):
        counts = np.zeros(width), np.zeros(k * width), np.zeros(len(tables))
        value = kernels.expected_counts(
            packed.codes, packed.offsets, bounds, tables, initial, transition, transposed, lanes,
            counts,
        )  # fmt: skip
        return value, counts

    log_likelihood, totals = 0.0, None
    for value, counts in (executor.map if executor else map)(of_chunk, sessions.chunks()):
        log_likelihood += value
        totals = counts if totals is None else [a + b for a, b in zip(totals, counts, strict=True)]
    firsts, ahead, by_code = totals
    return Counts(
        initial=firsts[:k],
        # the kernel leaves the transition probability itself to be multiplied once, here
        transition=ahead.reshape(k, width)[:, :k] * parameters.transition_matrix,
        items=packed.item_counts(by_code.reshape(-1, width))[:k],
        log_likelihood=float(log_likelihood),
    )


def normalise(counts: np.ndarray, fallback: np.ndarray) -> np.ndarray:
    """Counts over their sum along the last axis; `fallback` where nothing was counted."""
    sums = counts.sum(axis=-1, keepdims=True)
    return np.where(sums > 0, counts / np.where(sums > 0, sums, 1.0), fallback)


ItemStep = Callable[[np.ndarray, np.ndarray], np.ndarray]


def free_item_step(counts: np.ndarray, item_probs: np.ndarray) -> np.ndarray:
    """Maximise the expected log-likelihood over unrestricted item probabilities."""
    return normalise(counts, fallback=item_probs)


def run(
    sessions: Sessions,
    start: Parameters,
    *,
    item_step: ItemStep,
    max_iter: int,
    tol: float,
    executor: Executor | None = None,
) -> Fit:
    """EM from one start (Baum et al. 1970, doi:10.1214/aoms/1177697196).

    Stops after `max_iter` E-steps, or when the relative gain in log-likelihood falls below `tol`.
    The parameters returned are those whose log-likelihood the last E-step computed.
    """
    parameters, before = start, -np.inf
    for n_iter in range(1, max_iter + 1):
        counts = e_step(sessions, parameters, executor)
        gain = counts.log_likelihood - before
        converged = tol > 0 and gain <= tol * abs(counts.log_likelihood)
        if converged or n_iter == max_iter or counts.log_likelihood == -np.inf:
            break
        before = counts.log_likelihood
        parameters = Parameters(
            normalise(counts.initial, parameters.initial_probs),
            normalise(counts.transition, parameters.transition_matrix),
            item_step(counts.items, parameters.item_probs),
        )
    return Fit(parameters, counts, n_iter, bool(converged))


def run_starts(
    sessions: Sessions,
    starts: list[tuple[Parameters, ItemStep]],
    *,
    max_iter: int,
    tol: float,
    n_threads: int,
) -> list[Fit]:
    """EM from every start, in the order of `starts`.

    Threads share out the starts or, where there are many people, the chunks of people: each
    start's sums are the same either way.
    """

    def from_start(start, executor=None):
        parameters, item_step = start
        return run(
            sessions, parameters, item_step=item_step, max_iter=max_iter, tol=tol,
            executor=executor,
        )  # fmt: skip

    if n_threads == 1:
        return [from_start(start) for start in starts]
    with ThreadPoolExecutor(n_threads) as executor:
        if len(sessions.bounds) > THREADED_PEOPLE:
            return [from_start(start, executor) for start in starts]
        return list(executor.map(from_start, starts))
