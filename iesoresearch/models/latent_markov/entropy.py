"""How much doubt about the states a fitted model leaves."""

import numpy as np
from scipy.special import xlogy

from iesoresearch.models.latent_markov import em
from iesoresearch.models.latent_markov.sessions import Sessions


def of_paths(model: em.Model, counts: em.Counts, sessions: Sessions) -> float:
    """Entropy in nats of everybody's path of states given the answers.

    log p(path | answers) = log p(path, answers) - log p(answers), averaged over paths.
    """
    pairs = [
        (counts.first, model.chain.initial),
        (counts.moves, model.chain.transition),
        (counts.codes, model.tables(sessions.packed)),
    ]
    return counts.log_likelihood - sum(float(xlogy(count, prob).sum()) for count, prob in pairs)


def of_sessions(model: em.Model, sessions: Sessions) -> float:
    """Mean entropy of a session's state, as a share of its largest value log K."""
    if model.n_states == 1:
        return 0.0
    total = weight = 0.0
    for chunk, posterior in em.posteriors(sessions, model):
        by_row = np.repeat(chunk.weights, np.diff(chunk.bounds))
        total -= (xlogy(posterior, posterior).sum(axis=1) * by_row).sum()
        weight += by_row.sum()
    return total / (weight * np.log(model.n_states))
