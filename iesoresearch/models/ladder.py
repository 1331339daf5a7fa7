"""`SeverityLadder`: the latent Markov model in which states differ in severity only."""

import numpy as np

from iesoresearch.models.latent_markov import LatentMarkov, em
from iesoresearch.seeds import rng

_NEWTON_SWEEPS = 2
_LIMIT = 30.0  # of any logit: beyond it a probability is zero to double precision


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
    n_categories, n_starts, max_iter, tol, random_state, n_jobs
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
    ):
        super().__init__(
            n_states,
            n_categories=n_categories,
            n_starts=n_starts,
            max_iter=max_iter,
            tol=tol,
            random_state=random_state,
            n_jobs=n_jobs,
        )

    def _count_item_parameters(self) -> int:
        # positions, slopes and thresholds, less the origin and the unit of the ladder
        n_items = len(self._levels)
        ladder = self.n_states + n_items - 2 if self.n_states > 1 else 0
        return int(ladder + (self._levels - 1).sum())

    def _start(self, seed: int, items: np.ndarray) -> tuple[em.Parameters, em.ItemStep]:
        k = self.n_states
        random = rng(seed, "severity ladder", "start")
        ladder = _Ladder.start(items, self._levels, np.sort(random.normal(0.0, 1.5, k)))
        transition = 0.5 * np.eye(k) + 0.5 * random.dirichlet([1.0] * k, k)
        initial = random.dirichlet([3.0] * k)
        return em.Parameters(initial, transition, ladder.item_probs()), ladder

    def _keep_best(self, best: em.Fit, item_step: "_Ladder"):
        super()._keep_best(best, item_step)
        self.positions_ = np.sort(item_step.positions)
        self.slopes_, self.thresholds_ = item_step.slopes, item_step.thresholds
        self._ladder = item_step

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
        positions = np.linspace(-_LIMIT, _LIMIT, 20_001)
        profiles = self._ladder.item_probs(positions=positions) @ self._ladder.scores
        curve = profiles.sum(axis=1)
        return np.stack([np.interp(totals, curve, item) for item in profiles.T], axis=1)


class _Ladder:
    """Positions (rungs,), slopes (items,) and thresholds (items, levels) of one start."""

    def __init__(self, positions, slopes, thresholds):
        self.positions, self.slopes, self.thresholds = positions, slopes, thresholds
        self.scores = np.arange(thresholds.shape[1], dtype=float)

    @classmethod
    def start(cls, items, levels, positions) -> "_Ladder":
        n_levels = int(levels.max())
        counts = np.stack([(items == c).sum(axis=0) for c in range(n_levels)], axis=1) + 0.5
        thresholds = np.log(counts / counts[:, :1])
        thresholds[np.arange(n_levels) >= levels[:, None]] = -np.inf
        return cls(positions, np.ones(len(levels)), thresholds)

    def item_probs(self, positions=None, slopes=None, thresholds=None) -> np.ndarray:
        positions = self.positions if positions is None else positions
        slopes = self.slopes if slopes is None else slopes
        thresholds = self.thresholds if thresholds is None else thresholds
        logits = positions[:, None, None] * slopes[:, None] * self.scores + thresholds
        logits -= logits.max(axis=2, keepdims=True)
        weights = np.exp(logits)
        return weights / weights.sum(axis=2, keepdims=True)

    def __call__(self, counts: np.ndarray, item_probs: np.ndarray) -> np.ndarray:
        """Raise the expected log-likelihood of `counts` (rungs, items, levels)."""
        for _ in range(_NEWTON_SWEEPS):
            self._step_items(counts)
            self._step_positions(counts)
        return self.item_probs()

    def _step_items(self, counts):
        """One Newton step for slope and thresholds of every item at once."""
        probs = self.item_probs()
        totals = counts.sum(axis=2, keepdims=True)
        surplus = counts - totals * probs
        # features of level c at rung k: position * c, then one indicator per level above 0
        k, n_items, n_levels = counts.shape
        features = np.zeros((k, n_levels, n_levels))
        features[:, :, 0] = self.positions[:, None] * self.scores
        features[:, np.arange(1, n_levels), np.arange(1, n_levels)] = 1.0
        gradient = np.einsum("kjc,kcf->jf", surplus, features)
        mean = np.einsum("kjc,kcf->kjf", probs, features)
        second = np.einsum("kjc,kcf,kcg->jfg", totals * probs, features, features)
        curvature = second - np.einsum("kj,kjf,kjg->jfg", totals[:, :, 0], mean, mean)
        # a level nobody used has no curvature; the ridge leaves its threshold where it is
        ridge = 1e-9 * (1.0 + np.trace(curvature, axis1=1, axis2=2))
        curvature += ridge[:, None, None] * np.eye(n_levels)
        move = np.linalg.solve(curvature, gradient[:, :, None])[:, :, 0]

        def moved(share):
            slopes = np.clip(self.slopes + share * move[:, 0], 0.0, _LIMIT)
            thresholds = self.thresholds.copy()
            thresholds[:, 1:] += share[:, None] * move[:, 1:]
            return slopes, np.clip(thresholds, -_LIMIT, _LIMIT, where=np.isfinite(thresholds),
                                   out=thresholds)  # fmt: skip

        def value(pair):
            return _expected(counts, self.item_probs(slopes=pair[0], thresholds=pair[1]), (0, 2))

        self.slopes, self.thresholds = _halve_until_up(moved, value, n_items)

    def _step_positions(self, counts):
        """One Newton step for the position of every rung at once."""
        probs = self.item_probs()
        totals = counts.sum(axis=2)
        surplus = (counts @ self.scores) - totals * (probs @ self.scores)
        variance = probs @ self.scores**2 - (probs @ self.scores) ** 2
        curvature = (totals * variance * self.slopes**2).sum(axis=1)
        gradient = surplus @ self.slopes
        move = gradient / np.maximum(curvature, 1e-9 * (1.0 + totals.sum(axis=1)))

        def moved(share):
            return np.clip(self.positions + share * move, -_LIMIT, _LIMIT)

        def value(positions):
            return _expected(counts, self.item_probs(positions=positions), (1, 2))

        self.positions = _halve_until_up(moved, value, len(self.positions))


def _expected(counts, probs, axes) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(counts > 0, counts * np.log(probs), 0.0).sum(axis=axes)


def _halve_until_up(moved, value, n):
    """Take each of `n` independent steps as far (1, 1/2, 1/4, … 0) as its value does not fall."""
    before = value(moved(np.zeros(n)))
    share = np.ones(n)
    for smaller in (0.5, 0.25, 0.125, 0.0):
        fell = value(moved(share)) < before - 1e-12 * np.abs(before)
        if not fell.any():
            break
        share[fell] = smaller
    return moved(share)
