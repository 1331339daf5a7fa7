"""How far a fitted model depends on who happened to be in the data: the bootstrap.

`bootstrap` draws people with replacement or takes replicate weights of a survey; `parametric`
draws new answers from the model itself. Both refit from the fitted solution, so that intervals
describe this solution; every tenth replicate is also fitted from random starts, and
`Bootstrap.fresh` says how often those found something better.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from sklearn.metrics import adjusted_rand_score

from iesoresearch.errors import ParameterError
from iesoresearch.models.ladder import SeverityLadder
from iesoresearch.models.latent_markov import LatentMarkov
from iesoresearch.models.latent_markov.checks import check_items, check_lengths, check_whole
from iesoresearch.models.selection import match_states
from iesoresearch.models.stability import DISSOLVED, jaccard, with_answer
from iesoresearch.seeds import derive, rng

FRESH_EVERY = 10  # one replicate in this many is fitted from random starts too
#: Nats by which a random start must lie above the warm one to have found something better ...
SAME_MODE = 0.05
#: ... but at least this many times the gain at which EM stops: a fit that stops at a gain g still
#: has g * r / (1 - r) to climb where EM closes a share 1 - r of the distance per step, 99 g at
#: the slow rate r = 0.99.
_STEPS_LEFT = 100.0


@dataclass(frozen=True)
class Sample:
    """The people of one replicate, all of the original ones in their order.

    Attributes
    ----------
    weights : (people,) array
        How often each counts; 0 for people who are not in it.
    items, lengths
        As in `LatentMarkov.fit`: the original ones, or with answers drawn from the model.
    known : dict
        Drop-out and covariates, as in `LatentMarkov.fit`.
    states : (sessions,) array
        Assignment of these sessions by the original model.
    """

    weights: np.ndarray
    items: np.ndarray
    lengths: np.ndarray
    known: dict[str, np.ndarray]
    states: np.ndarray

    @classmethod
    def of(cls, model: LatentMarkov, items, lengths, known) -> "Sample":
        """Everybody once."""
        states = model.predict(items, lengths, **known)
        return cls(np.ones(len(lengths)), items, lengths, known, states)

    def compared(self) -> np.ndarray:
        """Sessions that hold an answer, of people in the replicate: (sessions,) of bool."""
        return np.repeat(self.weights > 0, self.lengths) & with_answer(self.items)

    def fit(self, model: LatentMarkov, **settings) -> LatentMarkov:
        """A model with the parameters of `model`, but for `settings`, fitted to these people."""
        refit = type(model)(**model.get_params() | settings)
        return refit.fit(self.items, self.lengths, weights=self.weights, **self.known)

    def predict(self, model: LatentMarkov) -> np.ndarray:
        """Assignment of these sessions by `model`."""
        return model.predict(self.items, self.lengths, **self.known)


FRESH = np.dtype([("replicate", "i8"), ("gain", "f8"), ("better", "?"), ("ari", "f8")])


@dataclass(frozen=True)
class Bootstrap:
    """What came out of the replicates.

    Attributes
    ----------
    statistics : dict
        Every statistic stacked over replicates: (replicates, ...).
    ari : (replicates,) array
        Adjusted Rand index of the refit's and the original model's assignments of the sessions of
        the people in the replicate, each counted once.
    jaccard : (replicates, states) array
        How well each state was found again (`stability.jaccard`); NaN where nobody was in it.
    fresh : structured array
        Replicates fitted from random starts too: `replicate`; `gain`, nats of the best random
        start over the warm one; `better`, whether that is more than what EM leaves to climb;
        `ari`, of the two assignments.
    converged : (replicates,) array of bool
    """

    statistics: dict[str, np.ndarray]
    ari: np.ndarray
    jaccard: np.ndarray
    fresh: np.ndarray
    converged: np.ndarray

    @property
    def mean_jaccard(self) -> np.ndarray:
        """Mean over the replicates in which the state occurred; NaN for one that never did."""
        n = (~np.isnan(self.jaccard)).sum(axis=0)
        return np.nansum(self.jaccard, axis=0) / np.where(n > 0, n, np.nan)

    @property
    def dissolved(self) -> np.ndarray:
        """Share of the replicates in which each state dissolved: (states,)."""
        return (self.jaccard <= DISSOLVED).mean(axis=0)


Statistics = Callable[[LatentMarkov, np.ndarray, Sample], dict[str, np.ndarray]]


def bootstrap(
    model: LatentMarkov,
    items,
    lengths=None,
    *,
    n_bootstrap: int,
    seed: int,
    statistics: Statistics,
    multipliers: Callable[[int], np.ndarray] | None = None,
    n_starts: int = 5,
    **known,
) -> Bootstrap:
    """Bootstrap over people (Efron 1979, doi:10.1214/aos/1176344552), all sessions of one together.

    Parameters
    ----------
    model
        Fitted; not a ladder, which cannot be started from given values.
    items, lengths, **known
        What it was fitted to, as in `LatentMarkov.fit`; `known` are drop-out and covariates.
    n_bootstrap
        Replicates.
    seed
        Of the draws and of the random starts. Replicate b is the same whatever their number.
    statistics
        Called with every refitted model, the order that matches its states to those of `model`,
        and the `Sample`; returns arrays by name.
    multipliers
        Gives the weight of every person in replicate b, for surveys: her weight in the sample
        times how often her cluster was drawn. By default people are drawn with replacement.
    n_starts
        Random starts of the replicates that get them.

    Raises
    ------
    DataError
        Weights of another number of people, negative, not finite or all zero.
    ParameterError
        `model` is a ladder, or `n_bootstrap` is no number of replicates.
    """
    items, lengths = _checked(model, items, lengths)
    everybody = Sample.of(model, items, lengths, known)
    n_people = len(lengths)

    def weights(b: int) -> np.ndarray:
        if multipliers is not None:
            return np.asarray(multipliers(b))
        drawn = rng(seed, "bootstrap", b).integers(0, n_people, n_people)
        return np.bincount(drawn, minlength=n_people)

    numbers = range(check_whole("n_bootstrap", n_bootstrap, 1))
    samples = (replace(everybody, weights=weights(b)) for b in numbers)
    return _replicates(model, samples, statistics, seed, n_starts)


def parametric(
    model: LatentMarkov,
    items,
    lengths=None,
    *,
    n_bootstrap: int,
    seed: int,
    statistics: Statistics,
    n_starts: int = 5,
    **known,
) -> Bootstrap:
    """Bootstrap with answers drawn from the model itself, as if it were true.

    Everybody keeps her number of sessions, and an answer that is missing stays missing. Where its
    intervals are narrower than those of `bootstrap`, the data vary more than the model says.
    Parameters and errors as in `bootstrap`; besides, a model of drop-out is refused, for it draws
    none.
    """
    items, lengths = _checked(model, items, lengths)
    if hasattr(model, "dropout_probs_"):
        raise ParameterError(
            "parametric draws answers and no drop-out, which this model has. Use bootstrap, or a "
            "model fitted without dropped_out."
        )
    numbers = range(check_whole("n_bootstrap", n_bootstrap, 1))
    seeds = (derive(seed, "parametric", b) for b in numbers)
    draws = (drawn_like(model, items, lengths, drawn_by, **known) for drawn_by in seeds)
    samples = (Sample.of(model, drawn, lengths, known) for drawn in draws)
    return _replicates(model, samples, statistics, seed, n_starts)


def drawn_like(
    model: LatentMarkov, items: np.ndarray, lengths: np.ndarray, seed: int, **covariates
) -> np.ndarray:
    """Answers drawn from `model` with the sessions and the missing answers of the data."""
    drawn, _ = model.sample(lengths, random_state=seed, **covariates)
    drawn[items < 0] = -1
    return drawn


def start_values(model: LatentMarkov) -> dict:
    """A fitted model as `init` of the next; with covariates, coefficients for probabilities."""
    names = [
        "initial_coefs" if hasattr(model, "initial_coefs_") else "initial_probs",
        "transition_coefs" if hasattr(model, "transition_coefs_") else "transition_matrix",
        *("item_probs", "stayer_shares", "dropout_probs", "pair_associations"),
    ]
    return {name: getattr(model, f"{name}_") for name in names if hasattr(model, f"{name}_")}


def _checked(model: LatentMarkov, items, lengths) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(model, SeverityLadder):
        raise ParameterError("bootstrap takes a LatentMarkov; a ladder has no start values.")
    items = check_items(items)
    return items, np.diff(check_lengths(items, lengths))


def _replicates(
    model: LatentMarkov,
    samples: Iterable[Sample],
    statistics: Statistics,
    seed: int,
    n_starts: int,
) -> Bootstrap:
    """Refit, match and compare, replicate by replicate; one sample is held at a time."""
    levels = model.item_probs_.shape[2] if model.n_categories is None else model.n_categories
    warm = {"n_categories": levels, "init": start_values(model)}
    draws, agreed, found, fresh, converged = [], [], [], [], []
    for b, sample in enumerate(samples):
        refit, compared = sample.fit(model, **warm), sample.compared()
        order = match_states(model.item_probs_, refit.item_probs_)
        before, after = sample.states[compared], sample.predict(refit)[compared]
        draws.append(statistics(refit, order, sample))
        agreed.append(adjusted_rand_score(before, after))
        found.append(jaccard(before, after, model.n_states))
        converged.append(refit.converged_)
        if b % FRESH_EVERY == 0:
            cold = {"init": None, "n_starts": n_starts, "random_state": derive(seed, "fresh", b)}
            other = sample.fit(model, **warm | cold)
            again = adjusted_rand_score(after, sample.predict(other)[compared])
            fresh.append((b, *_gained(refit, other), again))
    return Bootstrap(
        statistics={name: np.stack([draw[name] for draw in draws]) for name in draws[0]},
        ari=np.array(agreed),
        jaccard=np.array(found),
        fresh=np.array(fresh, dtype=FRESH),
        converged=np.array(converged),
    )


def _gained(warm: LatentMarkov, fresh: LatentMarkov) -> tuple[float, bool]:
    """Nats that random starts gained over the warm one, and whether that is another solution."""
    gain = fresh.log_likelihood_ - warm.log_likelihood_
    left = _STEPS_LEFT * warm.tol * abs(warm.log_likelihood_)
    return gain, gain > max(SAME_MODE, left)
