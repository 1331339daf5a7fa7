"""`SeverityLadder`: the latent Markov model in which states differ in severity only."""

from dataclasses import dataclass

import numpy as np
from numba import njit

from iesoresearch.models.latent_markov import LatentMarkov, em
from iesoresearch.models.latent_markov.chains import Chain
from iesoresearch.models.latent_markov.packing import PackedItems
from iesoresearch.models.latent_markov.records import Records
from iesoresearch.seeds import rng

_NEWTON_SWEEPS = 2
_HALVINGS = 4  # of a step before it is given up; EM only needs a step that does not go down
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
        ladder = int(self.n_states) + n_items - 2 if self.n_states > 1 else 0
        return int(ladder + (self._levels - 1).sum())

    def _start(self, seed: int, records: Records) -> em.Model:
        k = self.n_states
        random = rng(seed, "severity ladder", "start")
        positions = np.sort(random.normal(0.0, 1.5, k))
        ladder = LadderItems.start(records.items, self._levels, positions)
        transition = 0.5 * np.eye(k) + 0.5 * random.dirichlet([1.0] * k, k)
        initial = random.dirichlet([3.0] * k)
        return em.Model(Chain(initial[None], transition[None]), ladder)

    def _keep_best(self, best: em.Fit):
        super()._keep_best(best)
        self._ladder = self._model.emission
        self.positions_, self.slopes_, self.thresholds_ = self._ladder.arrays

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
        profiles = self._ladder.item_probs_at(positions) @ self._ladder.scores
        curve = profiles.sum(axis=1)
        return np.stack([np.interp(totals, curve, item) for item in profiles.T], axis=1)


@dataclass(frozen=True)
class LadderItems:
    """Emission of a ladder: positions (rungs,), slopes (items,) and thresholds (items, levels)."""

    positions: np.ndarray
    slopes: np.ndarray
    thresholds: np.ndarray

    @classmethod
    def start(cls, items, levels, positions) -> "LadderItems":
        """Equal slopes, and thresholds that give the shares of all answers."""
        n_levels = int(levels.max())
        counts = np.stack([(items == c).sum(axis=0) for c in range(n_levels)], axis=1) + 0.5
        thresholds = np.log(counts / counts[:, :1])
        thresholds[np.arange(n_levels) >= levels[:, None]] = -np.inf
        return cls(positions, np.ones(len(levels)), thresholds)

    @property
    def scores(self) -> np.ndarray:
        """Of the levels."""
        return np.arange(self.thresholds.shape[1], dtype=float)

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What EM moves."""
        return self.positions, self.slopes, self.thresholds

    def with_arrays(self, positions, slopes, thresholds) -> "LadderItems":
        """A ladder with other values."""
        return LadderItems(positions, slopes, thresholds)

    @property
    def item_probs(self) -> np.ndarray:
        """Probability of every level of every item on every rung: (rungs, items, levels)."""
        return self.item_probs_at(self.positions)

    def item_probs_at(self, positions: np.ndarray) -> np.ndarray:
        """Probability of every level of every item at `positions`."""
        logits = positions[:, None, None] * self.slopes[:, None] * self.scores + self.thresholds
        logits -= logits.max(axis=2, keepdims=True)
        weights = np.exp(logits)
        return weights / weights.sum(axis=2, keepdims=True)

    def tables(self, packed: PackedItems) -> np.ndarray:
        """Probability of each code on each rung: (table rows, rungs)."""
        return packed.tables(self.item_probs, len(self.positions))

    def step(self, packed: PackedItems, counts: np.ndarray) -> "LadderItems":
        """Raise the expected log-likelihood of `counts` (table rows, rungs)."""
        return self.raised(packed.item_counts(counts))

    def raised(self, answers: np.ndarray) -> "LadderItems":
        """Raise the expected log-likelihood of `answers` (rungs, items, levels)."""
        answers = np.ascontiguousarray(answers)
        moved = LadderItems(*(array.copy() for array in self.arrays))
        for _ in range(_NEWTON_SWEEPS):
            _step_items(answers, *moved.arrays)
            _step_positions(answers, *moved.arrays)
        return moved

    def ordered(self, order: np.ndarray) -> "LadderItems":
        """The same ladder with its rungs in another order."""
        return LadderItems(self.positions[order], self.slopes, self.thresholds)


@njit(nogil=True, cache=True, error_model="numpy")
def _probabilities(position, slope, thresholds, probs):
    """Answer probabilities of one item at one position into `probs` (levels,)."""
    highest = -np.inf
    for c in range(len(probs)):
        probs[c] = c * slope * position + thresholds[c]
        highest = max(highest, probs[c])
    total = 0.0
    for c in range(len(probs)):
        probs[c] = np.exp(probs[c] - highest)
        total += probs[c]
    probs /= total


@njit(nogil=True, cache=True, error_model="numpy")
def _log_likelihood(counts, position, slope, thresholds, probs):
    """Expected log-likelihood of one item at one position."""
    _probabilities(position, slope, thresholds, probs)
    value = 0.0
    for c in range(len(probs)):
        if counts[c] > 0.0:
            value += counts[c] * np.log(probs[c])
    return value


@njit(nogil=True, cache=True, error_model="numpy")
def _item_derivatives(counts, positions, slope, thresholds, probs, gradient, curvature):
    """Gradient and information of slope and thresholds of one item; returns its value.

    Level c at rung k has the features position * c and one indicator per level above 0.
    """
    n_levels = len(probs)
    gradient[:] = 0.0
    curvature[:] = 0.0
    value = 0.0
    for k in range(len(positions)):
        value += _log_likelihood(counts[k], positions[k], slope, thresholds, probs)
        n = counts[k].sum()
        mean = 0.0
        square = 0.0
        for c in range(n_levels):
            mean += c * probs[c]
            square += c * c * probs[c]
        x = positions[k]
        curvature[0, 0] += n * x * x * (square - mean * mean)
        for c in range(n_levels):
            surplus = counts[k, c] - n * probs[c]
            gradient[0] += x * c * surplus
            if c > 0:
                gradient[c] += surplus
                curvature[0, c] += n * x * probs[c] * (c - mean)
                curvature[c, c] += n * probs[c]
                for d in range(1, n_levels):
                    curvature[c, d] -= n * probs[c] * probs[d]
    for c in range(1, n_levels):
        curvature[c, 0] = curvature[0, c]
    return value


@njit(nogil=True, cache=True, error_model="numpy")
def _step_items(counts, positions, slopes, thresholds):
    """One Newton step per item, halved until the expected log-likelihood does not fall."""
    n_levels = counts.shape[2]
    probs = np.empty(n_levels)
    gradient = np.empty(n_levels)
    curvature = np.empty((n_levels, n_levels))
    for j in range(len(slopes)):
        before = _item_derivatives(
            counts[:, j], positions, slopes[j], thresholds[j], probs, gradient, curvature
        )
        # a level nobody used has no curvature; the ridge leaves its threshold where it is
        ridge = 1e-9 * (1.0 + np.trace(curvature))
        move = np.linalg.solve(curvature + ridge * np.eye(n_levels), gradient)
        share = 1.0
        for _ in range(_HALVINGS):
            slope = min(max(slopes[j] + share * move[0], 0.0), _LIMIT)
            moved = thresholds[j].copy()
            for c in range(1, n_levels):
                if np.isfinite(moved[c]):
                    moved[c] = min(max(moved[c] + share * move[c], -_LIMIT), _LIMIT)
            value = 0.0
            for k in range(len(positions)):
                value += _log_likelihood(counts[k, j], positions[k], slope, moved, probs)
            if value >= before:
                slopes[j] = slope
                thresholds[j] = moved
                break
            share *= 0.5


@njit(nogil=True, cache=True, error_model="numpy")
def _step_positions(counts, positions, slopes, thresholds):
    """One Newton step per rung, halved until the expected log-likelihood does not fall."""
    n_levels = counts.shape[2]
    probs = np.empty(n_levels)
    for k in range(len(positions)):
        gradient = 0.0
        curvature = 0.0
        before = 0.0
        people = 0.0
        for j in range(len(slopes)):
            before += _log_likelihood(counts[k, j], positions[k], slopes[j], thresholds[j], probs)
            n = counts[k, j].sum()
            mean = 0.0
            square = 0.0
            for c in range(n_levels):
                mean += c * probs[c]
                square += c * c * probs[c]
                gradient += slopes[j] * c * counts[k, j, c]
            gradient -= slopes[j] * n * mean
            curvature += slopes[j] ** 2 * n * (square - mean * mean)
            people += n
        move = gradient / max(curvature, 1e-9 * (1.0 + people))
        share = 1.0
        for _ in range(_HALVINGS):
            position = min(max(positions[k] + share * move, -_LIMIT), _LIMIT)
            value = 0.0
            for j in range(len(slopes)):
                value += _log_likelihood(counts[k, j], position, slopes[j], thresholds[j], probs)
            if value >= before:
                positions[k] = position
                break
            share *= 0.5
