"""Expectation-maximisation for latent Markov models: one start, or many side by side."""

from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from iesoresearch.models.latent_markov import accelerated, interleaved, kernels
from iesoresearch.models.latent_markov.chains import Chain
from iesoresearch.models.latent_markov.emissions import Emission
from iesoresearch.models.latent_markov.packing import PackedItems
from iesoresearch.models.latent_markov.sessions import Chunk, Sessions

LANES = 8  # states are padded to a multiple of this
THREADED_PEOPLE = 20_000  # below this a second thread costs more than it saves within one E-step


@dataclass(frozen=True)
class Model:
    """A hidden chain and how answers depend on its states.

    The chain may have several copies of each state of the emission (movers and stayers).
    """

    chain: Chain
    emission: Emission

    @property
    def n_states(self) -> int:
        """Number of states that answers tell apart."""
        return len(self.emission.item_probs)

    def ordered(self, order: np.ndarray) -> "Model":
        """The same model with its states in another order."""
        return Model(self.chain.ordered(self.in_copies(order)), self.emission.ordered(order))

    def in_copies(self, order: np.ndarray) -> np.ndarray:
        """Order of the states of the chain that goes with an order of the states."""
        copies = self.chain.n_states // self.n_states
        return np.concatenate([order + self.n_states * copy for copy in range(copies)])

    def tables(self, packed: PackedItems) -> np.ndarray:
        """Probability of each code in each state of the chain: (table rows, states)."""
        tables = self.emission.tables(packed)
        return np.tile(tables, (1, self.chain.n_states // self.n_states))


@dataclass(frozen=True)
class Counts:
    """What an E-step expects, and the log-likelihood of the model it was taken under.

    Attributes
    ----------
    first
        (classes of people, states of the chain): first sessions.
    moves
        (classes of moves, states, states).
    codes
        (table rows, states of the chain): sessions by code of packed answers.
    log_likelihood
        In nats, weighted.
    """

    first: np.ndarray
    moves: np.ndarray
    codes: np.ndarray
    log_likelihood: float

    def ordered(self, order: np.ndarray) -> "Counts":
        """The same counts with the states in another order."""
        return Counts(
            self.first[:, order], self.moves[:, order[:, None], order[None]],
            self.codes[:, order], self.log_likelihood,
        )  # fmt: skip

    def folded(self, n_states: int) -> np.ndarray:
        """Sessions by code and state of the emission: (table rows, n_states)."""
        return self.codes.reshape(len(self.codes), -1, n_states).sum(axis=1)


@dataclass(frozen=True)
class Fit:
    """Where one start of EM ended; `log_likelihood` is that of `model`."""

    model: Model
    counts: Counts
    n_iter: int
    converged: bool

    @property
    def log_likelihood(self) -> float:
        """Of the model."""
        return self.counts.log_likelihood


@dataclass(frozen=True)
class Lanes:
    """Arrays of a model for the kernels: flat, states padded with zeros to whole vectors."""

    tables: np.ndarray
    initial: np.ndarray
    transition: np.ndarray
    transposed: np.ndarray
    lanes: tuple

    @classmethod
    def of(cls, model: Model, tables: np.ndarray, chunk: Chunk) -> "Lanes":
        """With the classes that occur in `chunk`; `tables` are those of all."""
        k = model.chain.n_states
        width = LANES * -(-k // LANES)
        transition = model.chain.transition[chunk.moves]
        return cls(
            tables.ravel(),
            padded(model.chain.initial[chunk.firsts], width),
            padded(transition, width),
            padded(transition.transpose(0, 2, 1), width),
            (0,) * width,
        )


def padded(array: np.ndarray, width: int) -> np.ndarray:
    """Flat copy with the last axis filled up with zeros."""
    out = np.zeros((*array.shape[:-1], width))
    out[..., : array.shape[-1]] = array
    return out.ravel()


def lane_tables(model: Model, packed: PackedItems) -> np.ndarray:
    """Probability of each code, padded: (table rows, lanes)."""
    k = model.chain.n_states
    tables = model.tables(packed)
    return padded(tables, LANES * -(-k // LANES)).reshape(len(tables), -1)


def e_step(sessions: Sessions, model: Model, executor: Executor | None = None) -> Counts:
    """Expected counts under the model.

    The partial sums of fixed parts of the people are added in their order, whoever computed them.
    """
    chain, k = model.chain, model.chain.n_states
    tables = lane_tables(model, sessions.packed)
    width = tables.shape[1]
    in_order = executor.map if executor else map
    first, moves = np.zeros(chain.initial.shape), np.zeros(chain.transition.shape)
    codes = np.zeros(tables.size)
    log_likelihood = 0.0
    of_part, parts = _summation(sessions, model, tables)
    for value, chunk, (firsts, ahead, by_code) in in_order(of_part, parts):
        log_likelihood += value
        first[chunk.firsts] += firsts.reshape(-1, width)[:, :k]
        moves[chunk.moves] += ahead.reshape(-1, k, width)[:, :, :k]
        codes += by_code
    return Counts(
        first=first,
        # the kernels leave the transition probability itself to be multiplied once, here
        moves=moves * chain.transition,
        codes=codes.reshape(-1, width)[:, :k],
        log_likelihood=float(log_likelihood),
    )


def _summation(sessions: Sessions, model: Model, tables: np.ndarray):
    """The parts of an E-step, and a function of one part.

    It returns the log-likelihood, a chunk with the classes that occur, and the sums, as the
    kernels make them.
    """
    offsets, k = sessions.packed.offsets, model.chain.n_states

    def zeros(lanes):
        return np.zeros_like(lanes.initial), np.zeros_like(lanes.transition), np.zeros(tables.size)

    def of_chunk(chunk):
        lanes = Lanes.of(model, tables, chunk)
        counts = zeros(lanes)
        value = kernels.expected_counts(
            sessions.packed.codes, offsets, (chunk.bounds, chunk.weights),
            (chunk.first_class, chunk.move_class), lanes.tables, lanes.initial,
            (lanes.transition, lanes.transposed), k, lanes.lanes, counts,
        )  # fmt: skip
        return value, chunk, counts

    if not sessions.alike:
        return of_chunk, sessions.chunks
    anybody = sessions.chunks[0]  # they all have the same one class
    shared = Lanes.of(model, tables, anybody)

    def of_fours(fours):
        counts = zeros(shared)
        value = interleaved.expected_counts(
            fours.codes, offsets, fours.lengths, fours.weights, shared.tables, shared.initial,
            (shared.transition, shared.transposed), k, shared.lanes, counts,
        )  # fmt: skip
        return value, anybody, counts

    return of_fours, sessions.fours


def posteriors(sessions: Sessions, model: Model, *, fold: bool = True):
    """Chunk by chunk, each with the state probabilities of its rows: (rows, states).

    With `fold` the copies of a state are added up.
    """
    packed, k = sessions.packed, model.chain.n_states
    tables = lane_tables(model, packed)
    for chunk in sessions.chunks:
        lanes = Lanes.of(model, tables, chunk)
        out = np.empty((chunk.bounds[-1] - chunk.bounds[0], k))
        kernels.posteriors(
            packed.codes, packed.offsets, chunk.bounds, (chunk.first_class, chunk.move_class),
            lanes.tables, lanes.initial, (lanes.transition, lanes.transposed), k, lanes.lanes, out,
        )  # fmt: skip
        yield chunk, out.reshape(len(out), -1, model.n_states).sum(axis=1) if fold else out


def m_step(packed: PackedItems, model: Model, counts: Counts) -> Model:
    """The model that maximises, or at least raises, the expected log-likelihood."""
    return Model(
        model.chain.step(counts.first, counts.moves),
        model.emission.step(packed, counts.folded(model.n_states)),
    )


def run(
    sessions: Sessions,
    start: Model,
    *,
    max_iter: int,
    tol: float,
    executor: Executor | None = None,
    accelerate: bool = False,
) -> Fit:
    """EM from one start (Baum et al. 1970, doi:10.1214/aoms/1177697196).

    Stops after `max_iter` E-steps, or when the relative gain in log-likelihood of a step falls
    below `tol`; with `accelerate` it extrapolates between its steps (see `accelerated`). The
    model returned is the one whose log-likelihood the last E-step computed.
    """

    def expect(model):
        return e_step(sessions, model, executor)

    def maximise(model, counts):
        return m_step(sessions.packed, model, counts)

    if accelerate:
        return Fit(*accelerated.climb(start, expect, maximise, max_iter=max_iter, tol=tol))
    model, before = start, -np.inf
    for n_iter in range(1, max_iter + 1):
        counts = expect(model)
        gain = counts.log_likelihood - before
        converged = tol > 0 and gain <= tol * abs(counts.log_likelihood)
        if converged or n_iter == max_iter or counts.log_likelihood == -np.inf:
            break
        before = counts.log_likelihood
        model = maximise(model, counts)
    return Fit(model, counts, n_iter, bool(converged))


def run_starts(sessions: Sessions, starts: list[Model], *, n_threads: int, **settings) -> list[Fit]:
    """EM from every start, in the order of `starts`; `settings` as in `run`.

    Threads share out the starts or, where there are many people, the chunks of people: each
    start's sums are the same either way.
    """
    if n_threads == 1:
        return [run(sessions, start, **settings) for start in starts]
    with ThreadPoolExecutor(n_threads) as executor:
        if sessions.n_people > THREADED_PEOPLE:
            return [run(sessions, start, executor=executor, **settings) for start in starts]
        return list(executor.map(lambda start: run(sessions, start, **settings), starts))
