"""Would other people, or another method, give the same states? Agreement of assignments."""

from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from iesoresearch.errors import DataError
from iesoresearch.models.latent_markov import LatentMarkov
from iesoresearch.models.latent_markov.checks import (
    check_items,
    check_lengths,
    check_levels,
    check_whole,
)
from iesoresearch.models.selection import _without_zeros, folds_of, match_states, rows_of
from iesoresearch.seeds import derive, rng

#: Thresholds of Hennig 2007 (doi:10.1016/j.csda.2006.11.025) and of the manual of his program
#: (R package fpc, `clusterboot`) on the Jaccard index of a cluster: in one replicate, at most
#: this and the cluster has dissolved ...
DISSOLVED = 0.5
#: ... and the words for its mean over replicates, from below.
JACCARD_WORDS = (
    (0.85, "highly stable"),
    (0.75, "stable"),
    (0.6, "a pattern, but who belongs to it is doubtful"),
    (-np.inf, "not to be trusted"),
)


def jaccard(reference: np.ndarray, states: np.ndarray, n_states: int) -> np.ndarray:
    """How well each state of one assignment is found again in another.

    For every state of `reference` the largest Jaccard index (size of the intersection over size
    of the union) with any state of the other assignment, as Hennig 2007
    (doi:10.1016/j.csda.2006.11.025) defines the recovery of a cluster.

    Parameters
    ----------
    reference, states
        (sessions,): states of the same sessions, numbered from 0.
    n_states
        Number of states of either.

    Returns
    -------
    (n_states,) array
        In 0 … 1; NaN for a state that `reference` gives to no session.
    """
    both = np.zeros((n_states, n_states))
    np.add.at(both, (reference, states), 1.0)
    sizes = both.sum(axis=1)
    union = sizes[:, None] + both.sum(axis=0) - both
    best = (both / np.where(union > 0, union, 1.0)).max(axis=1)
    return np.where(sizes > 0, best, np.nan)


def jaccard_words(mean_jaccard: np.ndarray) -> list[str]:
    """Hennig's words for the mean Jaccard index of each state; NaN is "never seen"."""
    return [
        "never seen"
        if np.isnan(value)
        else next(word for least, word in JACCARD_WORDS if value >= least)
        for value in mean_jaccard
    ]


def with_answer(items: np.ndarray) -> np.ndarray:
    """Which sessions hold an answer: agreement on others says nothing about answers."""
    return (items >= 0).any(axis=1)


@dataclass(frozen=True)
class SplitHalf:
    """Agreement of two models, each fitted to one half of the people, over several deals.

    Attributes
    ----------
    ari : (splits,) array
        Adjusted Rand index (Hubert & Arabie 1985, doi:10.1007/BF01908075) of both models'
        assignments of all sessions that hold an answer.
    distance : (splits, states) array
        Root mean square over items of the difference between matched states' expected scores, in
        standard deviations of an item; states in the order of the first half's model.
    order : (splits, states) array
        State of the second half's model that matches each state of the first's.
    """

    ari: np.ndarray
    distance: np.ndarray
    order: np.ndarray


def split_half(
    estimator: LatentMarkov,
    items,
    lengths=None,
    *,
    n_splits: int,
    seed: int,
    weights=None,
    units=None,
) -> SplitHalf:
    """Fit both halves of the people from random starts and compare.

    States are matched by optimal assignment (`selection.match_states`), so their number does not
    matter. As in `selection.held_out_log_likelihood` half an answer stands for every answer that
    nobody of the half gave in a state.

    Parameters
    ----------
    estimator
        Its parameters are used; copies are fitted, each with random starts of its own.
    items, lengths
        As in `LatentMarkov.fit`.
    n_splits
        How often people are dealt into halves anew.
    seed
        Of the deals and of the starts.
    weights, units
        (people,): survey weights of the fits, and survey units, which are dealt whole.

    Raises
    ------
    DataError
        Half of the people cannot carry the model.
    ParameterError
        `n_splits` is no number of splits.
    """
    items = check_items(items)
    lengths = np.diff(check_lengths(items, lengths))
    levels = check_levels(items, estimator.n_categories)
    sd, seen = _item_sd(items), with_answer(items)
    rows = []
    for split in range(check_whole("n_splits", n_splits, 1)):
        halves = folds_of(len(lengths), 2, derive(seed, "split half", split), units)
        models = []
        for half in (0, 1):
            people = np.flatnonzero(halves == half)
            settings = {
                "n_categories": levels,
                "random_state": derive(seed, "split half", split, half),
                "init": None,
            }
            model = type(estimator)(**estimator.get_params() | settings)
            given = None if weights is None else np.asarray(weights)[people]
            model.fit(items[rows_of(people, lengths)], lengths[people], weights=given)
            model.item_probs_ = _without_zeros(model, levels)
            models.append(model)
        rows.append(_compared(models, items, lengths, seen, sd))
    return SplitHalf(*(np.array(column) for column in zip(*rows, strict=True)))


def _compared(models, items, lengths, seen, sd) -> tuple[float, np.ndarray, np.ndarray]:
    first, second = models
    order = match_states(first.item_probs_, second.item_probs_)
    scores = np.arange(first.item_probs_.shape[2])
    apart = (first.item_probs_ - second.item_probs_[order]) @ scores / sd
    paths = [_paths(model, items, lengths)[seen] for model in models]
    return adjusted_rand_score(*paths), np.sqrt((apart**2).mean(axis=1)), order


def _paths(model: LatentMarkov, items: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    if model.one_occasion_ and np.any(lengths > 1):
        raise DataError(
            "So few people were seen more than once that one half of the people holds none of "
            "them. Bring more data, or use one session a person."
        )
    return model.predict(items, lengths)


def _item_sd(items: np.ndarray) -> np.ndarray:
    """Standard deviation of each item over its answers; 1 where it does not vary."""
    sd = np.array([column[column >= 0].std() if (column >= 0).any() else 0 for column in items.T])
    return np.where(sd > 0, sd, 1.0)


@dataclass(frozen=True)
class Agreement:
    """Adjusted Rand indices between assignments of the same sessions by several methods.

    Attributes
    ----------
    names : tuple of str
        ``("model", "k-means", "Gaussian mixture")``.
    ari : (methods, methods) array
        Symmetric, 1 on the diagonal.
    n_sessions : int
        Complete sessions that were compared.
    """

    names: tuple[str, ...]
    ari: np.ndarray
    n_sessions: int


def other_methods(
    items, states, n_classes: int, *, seed: int, n_starts: int = 10, max_sessions: int = 20_000
) -> Agreement:
    """Agreement with k-means and a Gaussian mixture of the answers of complete sessions.

    Both treat answers as numbers and sessions as unrelated, and neither knows of the model: what
    they find too owes nothing to its assumptions. The mixture has diagonal covariances, kept
    above a hundredth of a squared answer step, for an item that a whole class answers alike has
    no variance. Agreement is limited from above by severity, which every method finds.

    Parameters
    ----------
    items
        (sessions, items); those with a missing answer are left out.
    states
        (sessions,): the model's states.
    n_classes
        Classes asked of either method.
    seed, n_starts
        Of the random starts of either method.
    max_sessions
        Of more complete sessions this many are drawn at random.

    Raises
    ------
    DataError
        Fewer different complete sessions than classes, or states of another number of sessions.
    """
    items, states = check_items(items), np.asarray(states)
    if states.shape != (len(items),):
        raise DataError(
            f"states has shape {states.shape} but there are {len(items)} sessions. Pass the state "
            "of every session, such as predict(items, lengths) gives."
        )
    complete = np.flatnonzero((items >= 0).all(axis=1))
    if len(complete) > max_sessions:
        draw = rng(seed, "other methods", "sessions")
        complete = np.sort(draw.choice(complete, max_sessions, replace=False))
    answers = items[complete].astype(float)
    if len(np.unique(answers, axis=0)) < n_classes:
        raise DataError(
            f"{len(complete)} complete sessions hold too few different answers for {n_classes} "
            "classes. Ask for fewer classes, or bring sessions without missing answers."
        )
    start = derive(seed, "other methods") % 2**32  # what scikit-learn takes
    means = KMeans(n_classes, n_init=n_starts, random_state=start)
    mixture = GaussianMixture(
        n_classes,
        covariance_type="diag",
        reg_covar=0.01,
        n_init=n_starts,
        max_iter=1000,
        random_state=start,
    )
    found = [states[complete], means.fit_predict(answers), mixture.fit_predict(answers)]
    ari = np.array([[adjusted_rand_score(one, other) for other in found] for one in found])
    return Agreement(("model", "k-means", "Gaussian mixture"), ari, len(complete))
