"""Signs that a fitted model has more states than the data tell apart, in words.

No sentence holds a count of patients or anything else about one of them.
"""

import numpy as np

from iesoresearch.models.latent_markov.em import Counts, Model
from iesoresearch.models.latent_markov.sessions import Sessions

BOUNDARY = 1e-6  # a probability below this, or this close to one, is at the boundary
SAME = 1e-3  # two states whose item probabilities all differ by less have the same profile


def signs(model: Model, counts: Counts, sessions: Sessions, levels: np.ndarray) -> list[str]:
    """What is wrong with a fit, one sentence each; empty where nothing is.

    Parameters
    ----------
    model, counts
        Where EM ended.
    sessions
        What it was fitted to; where everybody had one session nothing is said of transitions.
    levels
        (items,): number of levels of the items to look at, the first of those of the model.
    """
    k = model.n_states
    probs = model.emission.item_probs[:, : len(levels)]
    # every session has one code in the first group of items
    expected = sessions.packed.blocks(counts.folded(k))[0].sum(axis=0)
    found = [
        f"State {state} holds fewer sessions than it has item probabilities to estimate; hardly "
        "anybody is ever in it. Ask for fewer states."
        for state in np.flatnonzero(expected < (levels - 1).sum())
    ]
    found += _twins(probs) + _at_the_boundary(probs, levels)
    if k > 1 and np.diff(sessions.bounds).max() > 1:
        found += _stuck(model.chain.transition[:, :k, :k])
    return found


def _twins(probs):
    distance = np.abs(probs[:, None] - probs[None]).max(axis=(2, 3), initial=0.0)
    return [
        f"States {a} and {b} have the same item probabilities, so that answers cannot tell them "
        "apart. Ask for fewer states."
        for a, b in np.argwhere(np.triu(distance < SAME, 1))
    ]


def _at_the_boundary(probs, levels):
    inside = np.arange(probs.shape[2]) < levels[:, None]
    n = int((probs < BOUNDARY)[:, inside].sum())
    if n == 0:
        return []
    return [
        f"{n} of {inside.sum() * len(probs)} item probabilities are zero: the answers never occur "
        "in these states. Standard errors do not hold for them; read intervals as one-sided."
    ]


def _stuck(transition):
    """Of (classes, states, states)."""
    stay = np.diagonal(transition, axis1=1, axis2=2)
    others = ~np.eye(transition.shape[1], dtype=bool)
    entered = np.where(others, transition, 0.0).max(axis=(0, 1))
    return [
        f"State {state} is never left once it is reached."
        for state in np.flatnonzero((stay > 1 - BOUNDARY).all(axis=0))
    ] + [
        f"State {state} is never entered after the first session."
        for state in np.flatnonzero(entered < BOUNDARY)
    ]
