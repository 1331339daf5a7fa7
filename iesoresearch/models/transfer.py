"""States carried over to people they were not fitted to. One occasion per person."""

import numpy as np
from scipy.special import logsumexp, softmax

_TOL = 1e-8  # change of any share at which EM stops
_MAX_ITER = 10_000


def log_answers(item_probs: np.ndarray, items: np.ndarray) -> np.ndarray:
    """Log-probability of each person's answers in each state.

    Parameters
    ----------
    item_probs
        (states, items, levels), without zeros that an answer could hit.
    items
        (people, items), one occasion each; -1 = missing, which is ignored.

    Returns
    -------
    (people, states) array, in nats.
    """
    with np.errstate(divide="ignore"):
        table = np.log(item_probs)
    answered = items >= 0
    out = np.zeros((len(items), len(item_probs)))
    for item in range(items.shape[1]):
        rows = answered[:, item]
        out[rows] += table[:, item, :].T[items[rows, item]]
    return out


def score(log_prob: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Log-likelihood of each person, in nats: (people,), from `log_answers` and class shares."""
    return logsumexp(log_prob, b=shares, axis=1)


def assign(log_prob: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Probability of each state for each person: (people, states)."""
    with np.errstate(divide="ignore"):
        return softmax(log_prob + np.log(shares), axis=1)


def new_shares(log_prob: np.ndarray, start: np.ndarray, weights=None) -> np.ndarray:
    """Class shares of a new sample, the profiles of the states staying as they were.

    The average of `assign` leans towards the shares the model was fitted with; its fixed point is
    the maximum-likelihood estimate (Saerens, Latinne and Decaestecker 2002,
    doi:10.1162/089976602753284446). The log-likelihood is concave in the shares, so there is one
    answer from any start without zeros.

    Parameters
    ----------
    log_prob
        (people, states), from `log_answers`.
    start
        (states,) shares to start from; a share of zero stays zero.
    weights
        (people,): how often each person counts; None: once.

    Returns
    -------
    (states,) array, adding up to 1.
    """
    shares = np.asarray(start, dtype=float)
    for _ in range(_MAX_ITER):
        moved = np.average(assign(log_prob, shares), axis=0, weights=weights)
        change = np.abs(moved - shares).max()
        shares = moved
        if change < _TOL:
            break
    return shares / shares.sum()


def state_distances(first: np.ndarray, second: np.ndarray, item_sd: np.ndarray) -> np.ndarray:
    """Distance between the profiles of states that belong together.

    Parameters
    ----------
    first, second
        (states, items, levels), in the same order of states.
    item_sd
        (items,): standard deviation of each item in the data.

    Returns
    -------
    (states,) array
        Root mean square over items of the difference in expected score, in standard deviations,
        as in `selection.profile_distances`.
    """
    apart = (first - second) @ np.arange(first.shape[2])
    varies = item_sd > 0
    apart = apart[:, varies] / item_sd[varies]
    return np.sqrt((apart**2).sum(axis=1) / len(item_sd))
