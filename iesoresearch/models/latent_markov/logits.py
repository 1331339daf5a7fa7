"""Multinomial logits of initial and transition probabilities on covariates.

With covariates x of a person's first session, and z of the session moved into,

    log P(first state k) / P(first state 0) = x b_k,
    log P(move i to j) / P(stay in i) = z c_ij,    j != i,

as in LMest (Bartolucci, Pandolfi & Pennoni 2017, doi:10.18637/jss.v081.i04). The probabilities of a
`LogitChain` differ between classes of people (or of moves) with different covariates; each class
has one row in a design.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit

from iesoresearch.models.latent_markov.chains import Chain, normalise
from iesoresearch.models.latent_markov.covariates import Design

_NEWTON_STEPS = 25  # per M-step; from the last coefficients two or three are enough
_HALVINGS = 30
_GAIN = 1e-7  # a step expected to gain less, per person or move, is the last: Newton squares it
_RIDGE = 1e-10  # relative; keeps a step finite along what the counts say nothing about


@dataclass(frozen=True)
class Logits:
    """Probabilities of K categories in several rows, each a multinomial logit on one design.

    Attributes
    ----------
    design
        (classes, m): of each class the intercept and covariates.
    coefs
        (rows, m, K): log odds against the row's reference, whose own column is zero.
    references
        (rows,): category of reference.
    """

    design: np.ndarray
    coefs: np.ndarray
    references: np.ndarray

    @classmethod
    def of(cls, design: np.ndarray, coefs: np.ndarray, references: np.ndarray) -> "Logits":
        """From coefficients (rows, m, K - 1) without the column of the reference."""
        rows, m, others = coefs.shape
        full = np.zeros((rows, m, others + 1))
        for row, reference in enumerate(references):
            full[row][:, np.arange(others + 1) != reference] = coefs[row]
        return cls(design, full, references)

    @classmethod
    def constant(cls, design: np.ndarray, probs: np.ndarray, references: np.ndarray) -> "Logits":
        """The same probabilities (rows, K) in every class, drawn in from zero."""
        floored = normalise(np.maximum(probs, 0.01), probs)
        full = np.zeros((len(probs), design.shape[1], probs.shape[1]))
        at_reference = floored[np.arange(len(probs)), references]
        full[:, 0] = np.log(floored / at_reference[:, None])
        return cls(design, full, references)

    @property
    def others(self) -> np.ndarray:
        """Coefficients without the column of the reference: (rows, m, K - 1)."""
        rows, m, k = self.coefs.shape
        keep = np.arange(k) != self.references[:, None]
        return self.coefs.transpose(0, 2, 1)[keep].reshape(rows, k - 1, m).transpose(0, 2, 1)

    @cached_property
    def probs(self) -> np.ndarray:
        """Probabilities in every class: (classes, rows, K)."""
        return _probabilities(self.design, np.ascontiguousarray(self.coefs))

    def with_coefs(self, coefs: np.ndarray) -> "Logits":
        """Other coefficients (rows, m, K), those of the references zero."""
        return Logits(self.design, coefs, self.references)

    def step(self, counts: np.ndarray) -> "Logits":
        """Maximise the expected log-likelihood of counts (classes, rows, K) by Newton steps."""
        coefs = self.coefs.copy()
        for row, reference in enumerate(self.references):
            counted = np.ascontiguousarray(counts[:, row])
            coefs[row] = _maximum(self.design, counted, coefs[row], int(reference))
        return self.with_coefs(coefs)

    def gradient(self, counts: np.ndarray) -> np.ndarray:
        """Of the expected log-likelihood of counts, by coefficient: (rows, m, K)."""
        surplus = counts - counts.sum(axis=2, keepdims=True) * self.probs
        flat = self.design.T @ surplus.reshape(len(surplus), -1)
        return flat.reshape(-1, *counts.shape[1:]).transpose(1, 0, 2)

    def information(self, counts: np.ndarray, row: int) -> np.ndarray:
        """Of the coefficients of a row if the states were seen: ((K - 1) m,) squared.

        Column after column of the coefficients, without that of the reference.
        """
        counted = np.ascontiguousarray(counts[:, row])
        coefs, reference = self.coefs[row], int(self.references[row])
        return _derivatives(self.design, counted, coefs, reference)[2]


@dataclass(frozen=True)
class LogitChain(Chain):
    """Chain with logits in place of free initial probabilities, transitions or both.

    Attributes
    ----------
    first
        Of the initial probabilities, one row with the first state as reference; None where these
        are free.
    moves
        Of the transitions, one row per state of origin, which is its reference (staying); None
        where these are free.
    """

    first: Logits | None = None
    moves: Logits | None = None

    @classmethod
    def of(cls, chain: Chain, first: Logits | None, moves: Logits | None) -> "LogitChain":
        """With the probabilities of `chain` where there are no logits."""
        initial = chain.initial if first is None else first.probs[:, 0]
        transition = chain.transition if moves is None else moves.probs
        return cls(initial, transition, first, moves)

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What EM moves: coefficients, or probabilities where they are free."""
        return (
            self.initial if self.first is None else self.first.coefs,
            self.transition if self.moves is None else self.moves.coefs,
        )

    def with_arrays(self, initial: np.ndarray, transition: np.ndarray) -> "LogitChain":
        """The same kind of chain with other values, coefficients where there are logits."""
        first = None if self.first is None else self.first.with_coefs(initial)
        moves = None if self.moves is None else self.moves.with_coefs(transition)
        return self.of(Chain(initial, transition), first, moves)

    def step(self, first: np.ndarray, moves: np.ndarray) -> "LogitChain":
        """Maximise the expected log-likelihood of counts shaped as `initial` and `transition`."""
        return self.of(
            Chain(self.initial, self.transition).step(first, moves),
            None if self.first is None else self.first.step(first[:, None]),
            None if self.moves is None else self.moves.step(moves),
        )

    def ordered(self, order: np.ndarray) -> "LogitChain":
        """The same chain with its states in another order.

        Initial coefficients are taken anew against the state that is now the first; those of
        transitions only change places.
        """
        first, moves = self.first, self.moves
        if first is not None:
            coefs = first.coefs[:, :, order]
            first = first.with_coefs(coefs - coefs[:, :, :1])
        if moves is not None:
            moves = moves.with_coefs(moves.coefs[order][:, :, order])
        return self.of(Chain(self.initial, self.transition).ordered(order), first, moves)


def with_logits(chain: Chain, designs: tuple[Design | None, Design | None]) -> Chain:
    """A chain with logits, where there is a design, that start at its own probabilities.

    `designs` are those of initial probabilities and of transitions.
    """
    first, moves = designs
    if first is None and moves is None:
        return chain
    if first is not None:
        first = Logits.constant(first.standardised, chain.initial[:1], np.zeros(1, dtype=np.int64))
    if moves is not None:
        references = np.arange(chain.n_states)
        moves = Logits.constant(moves.standardised, chain.transition[0], references)
    return LogitChain.of(chain, first, moves)


def with_coefs(chain: Chain, designs: tuple[Design | None, Design | None], coefs) -> Chain:
    """A chain with logits of two arrays of coefficients shaped as the attributes of a fit."""
    first, moves = designs
    if first is None and moves is None:
        return chain
    if first is not None:
        initial = np.linalg.solve(first.to_raw, coefs[0])
        first = Logits.of(first.standardised, initial[None], np.zeros(1, dtype=np.int64))
    if moves is not None:
        transition = np.linalg.solve(moves.to_raw, coefs[1])
        moves = Logits.of(moves.standardised, transition, np.arange(chain.n_states))
    return LogitChain.of(chain, first, moves)


def _maximum(design, counts, coefs, reference):
    """Coefficients (m, K) of one row that maximise the expected log-likelihood of its counts.

    Newton's method, every step halved until it does not lower the value.
    """
    others = np.arange(coefs.shape[1]) != reference
    enough = _GAIN * counts.sum()
    for _ in range(_NEWTON_STEPS):
        value, gradient, information = _derivatives(design, counts, coefs, reference)
        diagonal = np.diagonal(information)
        move = np.linalg.solve(information + np.diag(_RIDGE * diagonal + 1e-12), gradient)
        gain, full = gradient @ move, np.zeros(coefs.shape)
        full[:, others] = move.reshape(-1, len(coefs)).T
        for halving in range(_HALVINGS):
            moved = coefs + 0.5**halving * full
            if _value(design, counts, moved) >= value:
                coefs = moved
                break
        else:  # rounding leaves nothing to gain
            break
        if gain <= enough:
            break
    return coefs


_compiled = njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def _set_probs(row, coefs, logits, probs):
    """Logits and probabilities (K,) at one row of the design; returns log(sum(exp(logits)))."""
    highest = -np.inf
    for j in range(len(probs)):
        logits[j] = 0.0
        for a in range(len(row)):
            logits[j] += row[a] * coefs[a, j]
        highest = max(highest, logits[j])
    total = 0.0
    for j in range(len(probs)):
        probs[j] = np.exp(logits[j] - highest)
        total += probs[j]
    for j in range(len(probs)):
        probs[j] /= total
    return highest + np.log(total)


@_compiled
def _probabilities(design, coefs):
    """Probabilities (classes, rows, K) of coefficients (rows, m, K)."""
    n_rows, _, k = coefs.shape
    probs = np.empty((len(design), n_rows, k))
    logits = np.empty(k)
    for c in range(len(design)):
        for r in range(n_rows):
            _set_probs(design[c], coefs[r], logits, probs[c, r])
    return probs


@_compiled
def _value(design, counts, coefs):
    """One row's expected log-likelihood."""
    logits, probs = np.empty(coefs.shape[1]), np.empty(coefs.shape[1])
    value = 0.0
    for c in range(len(design)):
        n = counts[c].sum()
        if n > 0.0:
            value -= n * _set_probs(design[c], coefs, logits, probs)
            for j in range(len(logits)):
                value += counts[c, j] * logits[j]
    return value


@_compiled
def _add_class(row, counts, n, probs, others, gradient, information):
    """Add what one class says to the gradient and, below its diagonal, the information."""
    m = len(row)
    for i in range(len(others)):
        p = probs[others[i]]
        surplus = counts[others[i]] - n * p
        for a in range(m):
            gradient[i * m + a] += surplus * row[a]
        for j in range(i + 1):
            curvature = -n * p * probs[others[j]]
            if i == j:
                curvature += n * p
            for a in range(m):
                for b in range(m):
                    information[i * m + a, j * m + b] += curvature * row[a] * row[b]


@_compiled
def _derivatives(design, counts, coefs, reference):
    """Value, gradient and information of one row's expected log-likelihood.

    The gradient runs over the coefficients column by column, the reference left out.
    """
    m, k = coefs.shape
    size = (k - 1) * m
    gradient, information = np.zeros(size), np.zeros((size, size))
    logits, probs = np.empty(k), np.empty(k)
    others = np.array([j for j in range(k) if j != reference], dtype=np.int64)
    value = 0.0
    for c in range(len(design)):
        n = counts[c].sum()
        if n <= 0.0:
            continue
        value -= n * _set_probs(design[c], coefs, logits, probs)
        for j in range(k):
            value += counts[c, j] * logits[j]
        _add_class(design[c], counts[c], n, probs, others, gradient, information)
    for i in range(size):
        for j in range(i):
            information[j, i] = information[i, j]
    return value, gradient, information
