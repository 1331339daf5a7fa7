"""Draws from a latent Markov model whose parameters are given."""

import numpy as np


def draw_paths(
    initial_probs: np.ndarray,
    transition_matrix: np.ndarray,
    lengths: np.ndarray,
    random: np.random.Generator,
) -> np.ndarray:
    """Paths of states of people one after the other.

    Parameters
    ----------
    initial_probs, transition_matrix
        (states,) and (states, states); rows sum to one. A transition matrix of shape (occasions -
        1, states, states) holds one matrix for each occasion from the second.
    lengths
        (people,): sessions of each person.
    random
        Source of the draws.

    Returns
    -------
    (sum of lengths,) array of int
    """
    lengths = np.asarray(lengths)
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    states = np.zeros(bounds[-1], dtype=np.int64)
    initial, transition = initial_probs.cumsum(), transition_matrix.cumsum(axis=-1)
    for t in range(lengths.max(initial=0)):  # session by session: one vectorised draw each
        rows = bounds[:-1][lengths > t] + t
        matrix = transition if transition.ndim == 2 else transition[t - 1]
        cumulative = initial[None, :] if t == 0 else matrix[states[rows - 1]]
        uniform = random.random((len(rows), 1))
        # clip: a last cumulative probability may round to just below one
        states[rows] = (uniform > cumulative).sum(axis=1).clip(max=len(initial) - 1)
    return states


def draw_answers(
    states: np.ndarray, item_probs: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Answers to every item given the state of each row: (rows, items) int8.

    `item_probs` is (states, items, levels); levels of probability zero are never drawn.
    """
    cumulative = item_probs.cumsum(axis=2)
    last = (item_probs > 0).shape[2] - 1 - np.argmax(item_probs[:, :, ::-1] > 0, axis=2)
    answers = np.empty((len(states), item_probs.shape[1]), dtype=np.int8)
    for item in range(item_probs.shape[1]):
        uniform = random.random((len(states), 1))
        drawn = (uniform > cumulative[states, item]).sum(axis=1)
        answers[:, item] = np.minimum(drawn, last[states, item])
    return answers
