"""`SeverityLadder`: the latent Markov model in which states differ in severity only."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtri

from iesoresearch.models.latent_markov import LatentMarkov, em, newton
from iesoresearch.models.latent_markov.blocks import Blocks
from iesoresearch.models.latent_markov.chains import Chain
from iesoresearch.models.latent_markov.emissions import LogLinear, shares_of, thresholds_of
from iesoresearch.models.latent_markov.ladder_steps import step_ladder
from iesoresearch.models.latent_markov.records import Records
from iesoresearch.seeds import rng

_SPREAD = 1.5  # standard deviation of the positions that a fit starts from


class SeverityLadder(LatentMarkov):
    r"""Latent Markov model whose states are the rungs of one ladder of severity.

    The null model that every claim of "subtypes" has to beat. Rungs have free positions and free
    masses, so severity may have any distribution (a third of a general population answers 0 to
    everything); items have free slopes and thresholds. What rungs cannot do is to differ in the
    *kind* of symptoms:

    .. math:: P(y_j = c \mid \text{rung } k) \propto \exp(c\, a_j \theta_k + b_{jc}),
              \qquad a_j \ge 0,

    the generalised partial credit model (Muraki 1992, doi:10.1177/014662169201600206) with a
    discrete, non-parametric trait. Fitted by the same EM as `LatentMarkov`, with Newton steps for
    the items.

    Parameters
    ----------
    n_states : int
        Number of rungs.
    n_categories, n_starts, max_iter, tol, random_state, n_jobs, dependent_pairs
        As in `LatentMarkov`. Given start values are not supported.

    Attributes
    ----------
    positions_ : (rungs,) array
        Position of each rung, ascending; origin and unit are arbitrary.
    slopes_ : (items,) array
    thresholds_ : (items, levels) array
        The intercepts b of the formula.

    All others as in `LatentMarkov`.
    """

    def __init__(
        self,
        n_states,
        *,
        n_categories=None,
        n_starts=5,
        max_iter=5000,
        tol=1e-8,
        random_state=None,
        n_jobs=None,
        dependent_pairs=(),
    ):
        super().__init__(
            n_states,
            n_categories=n_categories,
            n_starts=n_starts,
            max_iter=max_iter,
            tol=tol,
            random_state=random_state,
            n_jobs=n_jobs,
            dependent_pairs=dependent_pairs,
        )

    def _count_item_parameters(self) -> int:
        # positions, slopes and thresholds, less the origin and the unit of the ladder
        n_items = len(self._levels)
        ladder = int(self.n_states) + n_items - 2 if self.n_states > 1 else 0
        return int(ladder + (self._levels - 1).sum())

    def _start(self, seed: int, records: Records) -> em.Model:
        k = self.n_states
        random = rng(seed, "severity ladder", "start")
        # one rung in each k-th of a normal distribution; rungs that are near are moved between
        positions = _SPREAD * ndtri((np.arange(k) + random.uniform(0.1, 0.9, k)) / k)
        ladder = LadderItems.start(records.items, self._blocks, positions)
        near = np.exp(-np.abs(positions[:, None] - positions))
        transition = 0.5 * np.eye(k) + 0.5 * near / near.sum(axis=1, keepdims=True)
        return em.Model(Chain(random.dirichlet([10.0] * k)[None], transition[None]), ladder)

    def _keep_best(self, best: em.Fit):
        super()._keep_best(best)
        self._ladder = self._model.emission
        self.positions_, self.slopes_, self.thresholds_ = self._ladder.arrays[:3]

    def profile_at(self, totals) -> np.ndarray:
        """Expected item scores where the ladder's expected total score is `totals`.

        Parameters
        ----------
        totals : (n,) array
            Expected total scores; one outside the ladder's reach gets the profile of its end.

        Returns
        -------
        (n, items) array
        """
        self._check_fitted()
        positions = np.linspace(-newton.LIMIT, newton.LIMIT, 20_001)
        profiles = self._ladder.at(positions).item_probs @ self._ladder.scores
        curve = profiles.sum(axis=1)
        return np.stack([np.interp(totals, curve, item) for item in profiles.T], axis=1)


@dataclass(frozen=True)
class LadderItems(LogLinear):
    """Emission of a ladder: positions (rungs,), slopes (items,) and thresholds (items, levels)."""

    positions: np.ndarray
    slopes: np.ndarray
    thresholds: np.ndarray
    associations: np.ndarray
    blocks: Blocks

    @classmethod
    def start(cls, items, blocks: Blocks, positions) -> "LadderItems":
        """Equal slopes, and thresholds that give the shares of all answers."""
        slopes, thresholds = np.ones(len(blocks.levels)), thresholds_of(items, blocks.levels)
        return cls(positions, slopes, thresholds, np.zeros(len(blocks.pairs)), blocks)

    @property
    def scores(self) -> np.ndarray:
        """Of the levels."""
        return np.arange(self.thresholds.shape[1], dtype=float)

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What EM moves."""
        return self.positions, self.slopes, self.thresholds, self.associations

    def with_arrays(self, positions, slopes, thresholds, associations) -> "LadderItems":
        """A ladder with other values."""
        return LadderItems(positions, slopes, thresholds, associations, self.blocks)

    @cached_property
    def weights(self) -> np.ndarray:
        """Probability of every level of an item that had no partner: (rungs, items, levels)."""
        steps = self.positions[:, None, None] * self.slopes[:, None] * self.scores
        return shares_of(steps + self.thresholds)

    def at(self, positions: np.ndarray) -> "LadderItems":
        """The same ladder with rungs elsewhere."""
        return self.with_arrays(positions, *self.arrays[1:])

    def ordered(self, order: np.ndarray) -> "LadderItems":
        """The same ladder with its rungs in another order."""
        return self.at(self.positions[order])

    def _raise(self, answers, products, *arrays):
        step_ladder(answers, products, self.blocks.structure, *arrays)
