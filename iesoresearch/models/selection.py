"""Choosing a model of states honestly: held-out likelihood and the severity-only null."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from iesoresearch.errors import DataError
from iesoresearch.models.ladder import SeverityLadder
from iesoresearch.models.latent_markov import LatentMarkov
from iesoresearch.models.latent_markov.checks import check_items, check_lengths, check_levels
from iesoresearch.seeds import rng

#: Share-weighted root mean square distance from the ladder, in total standard deviations of an
#: item, from which profiles count as different in kind, and below which they count as lying on the
#: ladder. The project's own thresholds: for data of one factor the distance stays below 0.06
#: whatever the link, for one factor with strongly dependent pairs of items it reaches 0.16.
DISTANCE_IN_KIND = 0.2
DISTANCE_ON_LADDER = 0.1
_ZERO = 1e-12


def rows_of(people: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Row numbers of `people`, in their order, when person p has ``lengths[p]`` rows."""
    ends = np.cumsum(lengths)
    counts = lengths[people]
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(ends[people] - counts, counts) + within


def held_out_log_likelihood(
    estimator: LatentMarkov, items, lengths=None, *, n_folds: int, seed: int
) -> np.ndarray:
    """Log-likelihood of every person under a model fitted without her.

    An answer that nobody in the other folds gave in a state would make her likelihood zero, so a
    probability of zero is replaced by that of half an answer. Nothing else is smoothed.

    Parameters
    ----------
    estimator
        Its parameters are used; copies are fitted to all folds but one.
    items, lengths
        As in `LatentMarkov.fit`.
    n_folds
        Number of folds; people, never single sessions, are dealt into them.
    seed
        Of the folds: equal seeds give equal folds, so that models can be compared person by person.

    Returns
    -------
    (people,) array, in nats.
    """
    items, lengths, n_categories = _checked(estimator, items, lengths)
    n_people = len(lengths)
    fold = rng(seed, "folds", n_people).permutation(np.arange(n_people) % n_folds)
    out = np.empty(n_people)
    for f in range(n_folds):
        train, test = np.flatnonzero(fold != f), np.flatnonzero(fold == f)
        model = type(estimator)(**estimator.get_params() | {"n_categories": n_categories})
        model.fit(items[rows_of(train, lengths)], lengths[train])
        if model.one_occasion_ and lengths[test].max() > 1:
            raise DataError(
                "So few people were seen more than once that a part of the people holds none of "
                "them. Ask for fewer folds (n_folds), or bring more data."
            )
        model.item_probs_ = _without_zeros(model, n_categories)
        out[test] = model.score_samples(items[rows_of(test, lengths)], lengths[test])
    return out


def _checked(estimator: LatentMarkov, items, lengths) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Items, lengths and levels of *all* people: a part of them may lack a level."""
    items = check_items(items)
    lengths = np.diff(check_lengths(items, lengths))
    return items, lengths, check_levels(items, estimator.n_categories)


def _without_zeros(model: LatentMarkov, levels: np.ndarray) -> np.ndarray:
    """Item probabilities in which half an answer stands for every zero of a possible level."""
    possible = np.arange(model.item_probs_.shape[2]) < levels[:, None]
    answers = np.maximum(model.answer_counts_, 1.0)[:, :, None] * model.item_probs_
    answers[(model.item_probs_ < _ZERO) & possible] = 0.5
    return answers / answers.sum(axis=2, keepdims=True)


@dataclass(frozen=True)
class Gain:
    """Mean held-out gain per person in nats with its 95 % interval."""

    estimate: float
    low: float
    high: float
    n: int


def gain(free: np.ndarray, null: np.ndarray) -> Gain:
    """Mean of paired differences of held-out log-likelihood, with a normal 95 % interval."""
    difference = free - null
    half = 1.96 * difference.std(ddof=1) / np.sqrt(len(difference))
    mean = float(difference.mean())
    return Gain(mean, float(mean - half), float(mean + half), len(difference))


def profile_distances(
    item_probs: np.ndarray, ladder: SeverityLadder, item_sd: np.ndarray
) -> np.ndarray:
    """Distance of each state's profile from the ladder at the same expected total score.

    Parameters
    ----------
    item_probs
        (states, items, levels).
    ladder
        Fitted to the same data.
    item_sd
        (items,): standard deviation of each item in the data.

    Returns
    -------
    (states,) array
        Root mean square over items of the difference in expected score, in standard deviations.
    """
    profiles = item_probs @ np.arange(item_probs.shape[2])
    on_ladder = ladder.profile_at(profiles.sum(axis=1))
    varies = item_sd > 0  # an item that everybody answers alike tells no states apart
    apart = (profiles - on_ladder)[:, varies] / item_sd[varies]
    return np.sqrt((apart**2).sum(axis=1) / len(item_sd))


def overall_distance(distances: np.ndarray, shares: np.ndarray) -> float:
    """Root mean square of the states' distances, weighted by their shares."""
    return float(np.sqrt(np.average(distances**2, weights=shares)))


def verdict(found: Gain, distance: float) -> str:
    """Whether states differ in kind, or only in severity.

    *differs in kind* needs both a held-out gain over the ladder whose interval lies above zero
    and a profile distance of at least `DISTANCE_IN_KIND`; *severity only* a distance below
    `DISTANCE_ON_LADDER`, whatever the gain: a gain may also come from answers that do not follow
    the ladder's formula, a loss from too few people. Everything else is *inconclusive*.
    """
    if distance < DISTANCE_ON_LADDER:
        return "severity only"
    if found.low > 0 and distance >= DISTANCE_IN_KIND:
        return "differs in kind"
    return "inconclusive"


def match_states(reference: np.ndarray, item_probs: np.ndarray) -> np.ndarray:
    """Order of states of `item_probs` that brings them closest to those of `reference`.

    Optimal assignment on the total variation distance of item distributions (Hungarian method,
    so the number of states does not matter), both arrays (states, items, levels).
    """
    cost = np.abs(reference[:, None] - item_probs[None]).sum(axis=(2, 3))
    return linear_sum_assignment(cost)[1]
