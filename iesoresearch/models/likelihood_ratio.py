"""Is one more state worth it? The bootstrap likelihood-ratio test."""

from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.bootstrap import drawn_like, start_values
from iesoresearch.models.ladder import SeverityLadder
from iesoresearch.models.latent_markov import LatentMarkov
from iesoresearch.models.latent_markov.checks import check_items, check_lengths, check_whole
from iesoresearch.seeds import derive, rng

_TILT = 0.5  # standard deviation, in logits per answer step, of what tells two split states apart


@dataclass(frozen=True)
class LikelihoodRatio:
    """Test of K - 1 states against K.

    Attributes
    ----------
    statistic : float
        Twice the gain in log-likelihood on the data, in nats.
    draws : (draws,) array
        The same on data drawn from the model of K - 1 states.
    n_states : int
        K, of the alternative.
    n_not_converged : int
        Fits of the alternative that stopped at the limit of iterations, the one to the data and
        those to the draws.
    """

    statistic: float
    draws: np.ndarray
    n_states: int
    n_not_converged: int

    @property
    def p_value(self) -> float:
        """Share of draws, the data counted as one, that gain at least as much as the data."""
        exceed = int((self.draws >= self.statistic).sum())
        return (1 + exceed) / (1 + len(self.draws))

    @property
    def standard_error(self) -> float:
        """Monte-Carlo error of the p value: another seed gives another one."""
        p = self.p_value
        return float(np.sqrt(p * (1 - p) / len(self.draws)))


def likelihood_ratio_test(
    null: LatentMarkov,
    items,
    lengths=None,
    *,
    n_bootstrap: int,
    seed: int,
    n_starts: int | None = None,
) -> LikelihoodRatio:
    """Parametric bootstrap of the likelihood ratio (McLachlan 1987, doi:10.2307/2347790).

    The chi-squared distribution does not hold here, since K - 1 states lie on the edge of K. Data
    are therefore drawn from the model of K - 1 states, with the sessions and the missing answers
    of the people at hand, and both models are fitted to each draw. For mixtures it is the best of
    the tests for the number of classes (Nylund, Asparouhov & Muthén 2007,
    doi:10.1080/10705510701575396). It asks whether K - 1 states of this very form made the data:
    where items depend on one another within a state, one more state is always worth it.

    Parameters
    ----------
    null
        Fitted with K - 1 states.
    items, lengths
        What it was fitted to, unweighted: with survey weights there is no likelihood to draw from.
    n_bootstrap
        Draws; 99 can reach p = 0.01.
    seed
        Of the draws and of the starts.
    n_starts
        Random starts of every fit of K states, by default those of `null`; one more start splits
        a state of the smaller model.

    Raises
    ------
    ParameterError
        `null` is a ladder, or has drop-out or covariates, or a number is not one.

    Notes
    -----
    The statistic of the data is computed by the same recipe as that of the draws: the smaller
    model from `null`, the larger one from the same number of starts. So the level of the test does
    not hang on the recipe reaching the highest maximum, or any: data and draws fall short alike.
    An alternative that falls short *on the data alone* makes the statistic too small and the test
    conservative; were the draws given fewer starts than the data, it would reject too often.
    """
    known = ("dropout_probs_", "initial_coefs_", "transition_coefs_")
    if isinstance(null, SeverityLadder) or any(hasattr(null, name) for name in known):
        raise ParameterError(
            "likelihood_ratio_test takes a LatentMarkov that was fitted without dropped_out and "
            "without covariates: a ladder has no start values, and the rest is not drawn."
        )
    items = check_items(items)
    lengths = np.diff(check_lengths(items, lengths))
    recipe = _Recipe(null, lengths, null.n_starts if n_starts is None else n_starts)
    observed, converged = recipe(items, derive(seed, "likelihood ratio", "data"))
    draws = []
    for b in range(check_whole("n_bootstrap", n_bootstrap, 1)):
        drawn = drawn_like(null, items, lengths, derive(seed, "likelihood ratio", "draw", b))
        draws.append(recipe(drawn, derive(seed, "likelihood ratio", b)))
    return LikelihoodRatio(
        statistic=observed,
        draws=np.array([value for value, _ in draws]),
        n_states=null.n_states + 1,
        n_not_converged=sum(not done for done in (converged, *(done for _, done in draws))),
    )


@dataclass(frozen=True)
class _Recipe:
    """The statistic as a function of answers and of the seed of the starts."""

    null: LatentMarkov
    lengths: np.ndarray
    n_starts: int

    def __call__(self, items: np.ndarray, seed: int) -> tuple[float, bool]:
        k = self.null.n_states
        smaller = self._fit(items, n_states=k, init=start_values(self.null))
        split = split_state(smaller, rng(seed, "split"))
        fits = [
            self._fit(items, n_states=k + 1, init=None, n_starts=self.n_starts, random_state=seed),
            self._fit(items, n_states=k + 1, init=split),
        ]
        larger = max(fits, key=lambda fit: fit.log_likelihood_)
        return 2 * (larger.log_likelihood_ - smaller.log_likelihood_), larger.converged_

    def _fit(self, items: np.ndarray, **settings) -> LatentMarkov:
        levels = self.null.n_categories or self.null.item_probs_.shape[2]
        model = LatentMarkov(**self.null.get_params() | {"n_categories": levels} | settings)
        return model.fit(items, self.lengths)


def split_state(model: LatentMarkov, random: np.random.Generator) -> dict:
    """Start values with one state more: a state, drawn by its share, becomes two.

    The halves have the same moves; the answers of one are tilted item by item one way, those of
    the other the other way.
    """
    k = model.n_states
    state = random.choice(k, p=model.initial_probs_)
    old = np.append(np.arange(k), state)
    values = start_values(model)
    shared = {name: values.pop(name) for name in ("pair_associations",) if name in values}
    init = {name: of_states[old] for name, of_states in values.items()} | shared
    share = np.where(old == state, 0.5, 1.0)
    init["initial_probs"] = init["initial_probs"] * share
    matrix = model.transition_matrix_
    init["transition_matrix"] = matrix[..., old[:, None], old[None]] * share
    tilt = random.normal(0.0, _TILT, model.item_probs_.shape[1])
    scores = np.arange(model.item_probs_.shape[2])
    item_probs = init["item_probs"].copy()
    for half, sign in ((state, 1), (k, -1)):
        item_probs[half] *= np.exp(sign * tilt[:, None] * scores)
    init["item_probs"] = item_probs / item_probs.sum(axis=2, keepdims=True)
    return init
