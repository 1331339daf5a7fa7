"""The hidden chain of a latent Markov model: initial and transition probabilities, and their step.

A chain holds its probabilities by *class*: people of one class share initial probabilities,
moves of one class share a transition matrix. With one class of each it is time-homogeneous; with
one class per occasion transitions are free at every occasion.
"""

from dataclasses import dataclass, replace

import numpy as np


def normalise(counts: np.ndarray, fallback: np.ndarray) -> np.ndarray:
    """Counts over their sum along the last axis; `fallback` where nothing was counted."""
    sums = counts.sum(axis=-1, keepdims=True)
    return np.where(sums > 0, counts / np.where(sums > 0, sums, 1.0), fallback)


@dataclass(frozen=True)
class Chain:
    """Free probabilities in every class.

    A probability of zero stays zero, so a start with zeros is a restriction: a stayer never moves.

    Attributes
    ----------
    initial
        (classes of people, states).
    transition
        (classes of moves, states, states); row i holds the probabilities from state i.
    """

    initial: np.ndarray
    transition: np.ndarray

    @property
    def n_states(self) -> int:
        """Number of states of the chain (of movers and of stayers, where there are both)."""
        return self.initial.shape[1]

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What EM moves."""
        return self.initial, self.transition

    def with_arrays(self, initial: np.ndarray, transition: np.ndarray) -> "Chain":
        """The same kind of chain with other values."""
        return replace(self, initial=initial, transition=transition)

    def step(self, first: np.ndarray, moves: np.ndarray) -> "Chain":
        """Maximise the expected log-likelihood of counts shaped as `initial` and `transition`."""
        return self.with_arrays(normalise(first, self.initial), normalise(moves, self.transition))

    def ordered(self, order: np.ndarray) -> "Chain":
        """The same chain with its states in another order."""
        return self.with_arrays(
            self.initial[:, order], self.transition[:, order[:, None], order[None]]
        )


def with_stayers(initial: np.ndarray, transition: np.ndarray, stayers: np.ndarray) -> Chain:
    """Chain of movers and, as further states, of stayers (Frydman 1984, doi:10.2307/2288409).

    Parameters
    ----------
    initial
        (states,).
    transition
        (classes, states, states): of the movers.
    stayers
        (states,): share of those who start in each state that never leave it.
    """
    k = len(initial)
    both = np.zeros((len(transition), 2 * k, 2 * k))
    both[:, :k, :k] = transition
    both[:, k:, k:] = np.eye(k)
    return Chain(np.concatenate([initial * (1 - stayers), initial * stayers])[None], both)
