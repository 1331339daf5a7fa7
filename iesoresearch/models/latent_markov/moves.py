"""Expected moves between states, session by session."""

from dataclasses import replace

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.latent_markov import em
from iesoresearch.models.latent_markov.chains import Chain
from iesoresearch.models.latent_markov.estimator import LatentMarkov


def expected_moves(model: LatentMarkov, items, lengths, kind) -> np.ndarray:
    """How many people are expected to move between any two states, by kind of move.

    Parameters
    ----------
    model
        Fitted, with one transition matrix for all moves.
    items, lengths
        As in `LatentMarkov.fit`.
    kind : (rows,) array of int
        Kind of the move into each row, from 0, such as the number of the session; that of a
        person's first row does not matter.

    Returns
    -------
    (kinds, K, K) array
        Given all answers of each person; sums to the number of moves.

    Raises
    ------
    ParameterError
        Transitions of the model differ between people or occasions.
    """
    sessions, fitted = model._prepare(items, lengths), model._fitted_model()
    chain, k = fitted.chain, fitted.n_states
    if len(chain.transition) > 1 or sessions.move_class is not None:
        raise ParameterError("expected_moves takes a model with one transition matrix for all.")
    kind = np.asarray(kind)
    repeated = np.repeat(chain.transition, kind.max() + 1, axis=0)
    counts = em.e_step(
        replace(sessions, move_class=kind),
        em.Model(Chain(chain.initial, repeated), fitted.emission),
    )
    copies = counts.moves.shape[1] // k
    return counts.moves.reshape(-1, copies, k, copies, k).sum(axis=(1, 3))
