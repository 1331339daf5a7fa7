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
#: item, from which profiles count as different in kind (what Cohen 1988 calls a small difference),
#: and below which they count as lying on the ladder. Cross-fitted distances of one factor stay
#: below 0.06 whatever the link and the distribution of severity; pairs of items that depend on one
#: another strongly (residual correlation 0.6) bring them to 0.08 where the models know of the
#: pairs, and to 0.16 where they do not.
DISTANCE_IN_KIND = 0.2
DISTANCE_ON_LADDER = 0.1
#: Held-out gain per session, in nats, that speaks against the ladder whatever the distance: half
#: the square of what Cohen (1988) calls a medium effect on frequencies, w = 0.3. Of one factor with
#: another link it stays below 0.01, with named pairs below 0.02.
GAIN_OF_NOTE = 0.045
_ZERO = 1e-12


def rows_of(people: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Row numbers of `people`, in their order, when person p has ``lengths[p]`` rows."""
    ends = np.cumsum(lengths)
    counts = lengths[people]
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(ends[people] - counts, counts) + within


def folds_of(n_people: int, n_folds: int, seed: int, units=None) -> np.ndarray:
    """Fold of every person, from 0: (people,).

    Parameters
    ----------
    n_people, n_folds
        How many are dealt into how many folds, of sizes as equal as they can be.
    seed
        Equal seeds give equal folds, so that models can be compared person by person.
    units
        (people,): unit of the survey each person was drawn in. Units are then dealt whole: people
        of one unit resemble each other, and one who stays tells of one who was held out.
    """
    if units is None:
        return rng(seed, "folds", n_people).permutation(np.arange(n_people) % n_folds)
    number = np.unique(units, return_inverse=True)[1]
    return folds_of(int(number.max()) + 1, n_folds, seed)[number]


def held_out_log_likelihood(
    estimator: LatentMarkov,
    items,
    lengths=None,
    *,
    n_folds: int | None = None,
    seed: int | None = None,
    folds=None,
    weights=None,
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
    n_folds, seed
        People, never single sessions, are dealt into folds as in `folds_of`.
    folds
        (people,): fold of each person, instead of `n_folds` and `seed`; for survey units from
        `folds_of`.
    weights
        (people,): of the fits, as in `LatentMarkov.fit`. What is returned is one person's own.

    Returns
    -------
    (people,) array, in nats.

    Raises
    ------
    DataError
        `folds` are not one whole number for each person, or the people outside a fold cannot
        carry the model.
    """
    items, lengths, n_categories = _checked(estimator, items, lengths)
    n_people = len(lengths)
    folds = folds_of(n_people, n_folds, seed) if folds is None else _checked_folds(folds, n_people)
    out = np.empty(n_people)
    for f in np.unique(folds):
        train, test = np.flatnonzero(folds != f), np.flatnonzero(folds == f)
        model = type(estimator)(**estimator.get_params() | {"n_categories": n_categories})
        given = {} if weights is None else {"weights": np.asarray(weights)[train]}
        model.fit(items[rows_of(train, lengths)], lengths[train], **given)
        if model.one_occasion_ and lengths[test].max() > 1:
            raise DataError(
                "So few people were seen more than once that a part of the people holds none of "
                "them. Ask for fewer folds (n_folds), or bring more data."
            )
        model.item_probs_ = _without_zeros(model, n_categories)
        out[test] = model.score_samples(items[rows_of(test, lengths)], lengths[test])
    return out


def _checked_folds(folds, n_people: int) -> np.ndarray:
    folds = np.asarray(folds)
    if folds.shape != (n_people,) or folds.dtype.kind not in "iu" or len(np.unique(folds)) < 2:
        raise DataError(
            f"folds has shape {folds.shape}; it must hold one whole number for each of the "
            f"{n_people} people, and two different ones at least."
        )
    return folds


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


def gain(free: np.ndarray, null: np.ndarray, weights=None, units=None) -> Gain:
    """Mean of paired differences of held-out log-likelihood, with a normal 95 % interval.

    Parameters
    ----------
    free, null
        (people,): `held_out_log_likelihood` of either model on the same folds.
    weights
        (people,): how much each person counts.
    units
        (people,): survey units; the standard error is then that of a weighted mean of units drawn
        with replacement (linearised, Binder 1983, doi:10.2307/1402588).
    """
    difference = free - null
    n = len(difference)
    weights = np.ones(n) if weights is None else np.asarray(weights, dtype=float)
    mean = float(np.average(difference, weights=weights))
    parts = weights * (difference - mean) / weights.sum()
    if units is not None:
        parts = np.bincount(np.unique(units, return_inverse=True)[1], weights=parts)
    half = 1.96 * np.sqrt(len(parts) / (len(parts) - 1) * (parts**2).sum())
    return Gain(mean, float(mean - half), float(mean + half), n)


def departures(item_probs: np.ndarray, ladder: SeverityLadder, item_sd: np.ndarray) -> np.ndarray:
    """Departure of each state's profile from the ladder at the same expected total score.

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
    (states, items) array
        Difference in expected score, in standard deviations; 0 for items that do not vary.
    """
    profiles = item_probs @ np.arange(item_probs.shape[2])
    apart = profiles - ladder.profile_at(profiles.sum(axis=1))
    varies = item_sd > 0  # an item that everybody answers alike tells no states apart
    return np.where(varies, apart, 0.0) / np.where(varies, item_sd, 1.0)


def profile_distances(
    item_probs: np.ndarray, ladder: SeverityLadder, item_sd: np.ndarray
) -> np.ndarray:
    """Root mean square over items of the `departures` of each state: (states,)."""
    apart = departures(item_probs, ladder, item_sd)
    return np.sqrt((apart**2).mean(axis=1))


def overall_distance(distances: np.ndarray, shares: np.ndarray) -> float:
    """Root mean square of the states' distances, weighted by their shares."""
    return float(np.sqrt(np.average(distances**2, weights=shares)))


def verdict(found: Gain, distance: float, sessions: float = 1.0) -> str:
    """Whether states differ in kind, or only in severity.

    Two pieces of evidence, neither of which may contradict the other:

    - *differs in kind* needs a held-out gain over the ladder whose interval lies above zero *and* a
      distance of at least `DISTANCE_IN_KIND`. A gain alone may come from answers that do not
      follow the ladder's formula, and in many people the smallest does; a distance alone may be
      that of states which predict nobody.
    - *severity only* is said where profiles lie on the ladder, at a distance below
      `DISTANCE_ON_LADDER`, and the gain is surely not one of note (`GAIN_OF_NOTE` per session): a
      ladder that is far from describing the answers is no description of them, even if its
      profiles are, and where most people have no symptoms the distance of the few says little in
      the mean. With few people the interval of the gain is wide, and nothing is said. It is
      also said where the ladder predicts people it has not seen better, a gain whose interval lies
      below zero, as long as the distance is not one of kinds.
    - Everything else is *inconclusive*: so are states at the distance of kinds that predict worse
      than the ladder, for a loss may come from too few people for so many states.
    - Kinds near the threshold are not told from severity reliably: of drawn subtypes that lie 0.2
      to 0.25 standard deviations off the ladder, 2,000 people each, 56 % are *inconclusive*, 40 %
      *severity only* and 4 % *differs in kind* (studies/verdict.py).

    Parameters
    ----------
    found
        Per person.
    distance
        Best cross-fitted (see `iesoresearch.models.severity`): as estimated it holds the noise of
        the profiles, and grows as people get fewer.
    sessions
        Mean number of sessions of a person.
    """
    if distance < DISTANCE_ON_LADDER:
        return "severity only" if found.high < GAIN_OF_NOTE * sessions else "inconclusive"
    if distance < DISTANCE_IN_KIND:
        return "severity only" if found.high < 0 else "inconclusive"
    return "differs in kind" if found.low > 0 else "inconclusive"


def match_states(reference: np.ndarray, item_probs: np.ndarray) -> np.ndarray:
    """Order of states of `item_probs` that brings them closest to those of `reference`.

    Optimal assignment on the total variation distance of item distributions (Hungarian method,
    so the number of states does not matter), both arrays (states, items, levels).
    """
    cost = np.abs(reference[:, None] - item_probs[None]).sum(axis=(2, 3))
    return linear_sum_assignment(cost)[1]
