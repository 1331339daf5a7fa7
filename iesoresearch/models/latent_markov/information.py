"""Exact maximum and information of a fitted model: Newton's method in log odds.

The score is that of the complete data under the expected counts (Fisher's identity; Louis 1982,
doi:10.1111/j.2517-6161.1982.tb01203.x), so an E-step gives it exactly. The observed information is
minus its central difference, as in Bartolucci & Farcomeni (2015, doi:10.1111/biom.12224).

Coordinates are the log odds of every cell of a free distribution against the likeliest cell of its
row, and the coefficients of logits. What has no finite maximum in them is held where it is:
probabilities whose maximum is zero, and coefficients along which nothing varies (separation).
"""

from dataclasses import dataclass

import numpy as np

from iesoresearch.models.latent_markov import em
from iesoresearch.models.latent_markov.emissions import FreeItems
from iesoresearch.models.latent_markov.logits import Logits
from iesoresearch.models.latent_markov.prediction import log_likelihoods
from iesoresearch.models.latent_markov.sessions import Sessions

TINY = 1e-12  # a probability whose maximum is zero is held here, so that nothing is impossible
_FEW = 1.0  # expected answers (moves, people) below which a cell may be on its way to zero
_NOTHING = 1e-5  # information on a coefficient, in people, below which there is no maximum
_STEP = 1e-4  # of differences, in log odds: error of 1e-9 by curvature, 1e-7 by rounding
_GRADIENT = 1e-9  # per person, at which the maximum is reached
_LONGEST = 3.0  # of a Newton step, in log odds
_NEWTON_STEPS = 40
_CHORDS = 8  # steps with the information of an earlier point
_EM_STEPS = 100  # where the log-likelihood is not concave yet ...
_EM_ROUNDS = 5  # ... but not for ever: it may be flat
_HALVINGS = 12


@dataclass(frozen=True)
class Cells:
    """Log odds of free probabilities (..., categories); cells not `inside` stay as they are."""

    probs: np.ndarray
    inside: np.ndarray

    @property
    def free(self) -> np.ndarray:
        """Cells with a coordinate: those inside but for the likeliest of each row."""
        return self.inside & ~_likeliest(np.where(self.inside, self.probs, -1.0))

    def moved(self, by: np.ndarray) -> np.ndarray:
        """Probabilities after a change of log odds."""
        change = np.zeros(self.probs.shape)
        change[self.free] = by
        raised = np.where(self.inside, self.probs * np.exp(change), 0.0)
        return np.where(self.inside, raised * _ratio(self.mass, _sum(raised)), self.probs)

    def score(self, probs: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Derivatives at these probabilities, under these expected counts."""
        counted = np.where(self.inside, counts, 0.0)
        expected = _ratio(_sum(counted), self.mass) * probs
        return (counts - expected)[self.free]

    @property
    def mass(self) -> np.ndarray:
        """Probability of the cells inside, by row."""
        return _sum(np.where(self.inside, self.probs, 0.0))


@dataclass(frozen=True)
class Coefs:
    """Coefficients of logits; `free` (rows, m, K) says which have a coordinate."""

    logits: Logits
    free: np.ndarray

    def moved(self, by: np.ndarray) -> np.ndarray:
        """Coefficients after a change."""
        coefs = self.logits.coefs.copy()
        coefs[self.free] += by
        return coefs

    def score(self, logits: Logits, counts: np.ndarray) -> np.ndarray:
        """Derivatives at these logits, under these expected counts."""
        return logits.gradient(_by_row(counts, logits))[self.free]


@dataclass(frozen=True)
class Coordinates:
    """Coordinates around a model, zero at the model itself.

    Attributes
    ----------
    model
        The model.
    counts
        Expected under it.
    parts
        Of initial probabilities, transitions and items.
    """

    model: em.Model
    counts: em.Counts
    parts: tuple[Cells | Coefs, ...]

    @classmethod
    def around(cls, sessions: Sessions, model: em.Model) -> "Coordinates":
        """Coordinates of what has a maximum; cells on their way to zero are put there."""
        model, on_boundary = _with_boundary(sessions, model)
        counts = em.e_step(sessions, model)
        arrays, counted = arrays_of(model), counts_of(sessions, model, counts)
        parts = []
        for part, array, n, zero in zip(
            logits_of(model), arrays, counted, on_boundary, strict=True
        ):
            if part is not None:
                parts.append(Coefs(part, _informed(part, _by_row(n, part))))
            else:
                parts.append(Cells(array, (array > 0) & ~zero & (_sum(n) > _NOTHING)))
        return cls(model, counts, tuple(parts))

    @property
    def sizes(self) -> list[int]:
        """Number of coordinates of each part."""
        return [int(part.free.sum()) for part in self.parts]

    @property
    def n_held(self) -> int:
        """Parameters held at the boundary or for want of information."""
        cells = sum(int(((p.probs > 0) & ~p.inside).sum()) for p in self._of(Cells))
        # the columns of the references have no coordinate either
        coefs = sum(int(p.free[:, :, 1:].size - p.free.sum()) for p in self._of(Coefs))
        return cells + coefs

    def separated(self) -> list[np.ndarray | None]:
        """For initial probabilities and transitions: which (rows, K) logits are held."""
        out = []
        for part in self.parts[:2]:
            if isinstance(part, Cells):
                out.append(None)
                continue
            others = np.arange(part.free.shape[2]) != part.logits.references[:, None]
            out.append(others & ~part.free.all(axis=1))
        return out

    def at(self, theta: np.ndarray) -> em.Model:
        """The model at these coordinates."""
        pieces = np.split(theta, np.cumsum(self.sizes)[:-1])
        arrays = [part.moved(by) for part, by in zip(self.parts, pieces, strict=True)]
        chain, emission = self.model.chain, self.model.emission
        if any(by.any() for by in pieces[:2]):  # otherwise its probabilities are known already
            chain = chain.with_arrays(*arrays[:2])
        return em.Model(chain, emission.with_arrays(*arrays[2:]))

    def score(self, sessions: Sessions, model: em.Model, counts: em.Counts) -> np.ndarray:
        """Gradient of the log-likelihood at a model that `at` gave."""
        counted = counts_of(sessions, model, counts)
        values = [
            array if logits is None else logits
            for array, logits in zip(arrays_of(model), logits_of(model), strict=True)
        ]
        pieces = zip(self.parts, values, counted, strict=True)
        return np.concatenate([part.score(value, n) for part, value, n in pieces])

    @property
    def steps(self) -> np.ndarray:
        """One step of a difference in every coordinate, a row each."""
        return _STEP * np.eye(sum(self.sizes))

    def information(self, sessions: Sessions) -> np.ndarray:
        """Observed information at the model."""

        def score(theta):
            model = self.at(theta)
            return self.score(sessions, model, em.e_step(sessions, model))

        rows = [(score(-step) - score(step)) / (2 * _STEP) for step in self.steps]
        information = np.array(rows).reshape(len(rows), len(rows))
        return (information + information.T) / 2

    def scores_of_people(self, sessions: Sessions) -> np.ndarray:
        """Gradient of every person's own log-likelihood, unweighted: (people, coordinates)."""
        out = np.empty((sessions.n_people, sum(self.sizes)))
        for i, step in enumerate(self.steps):
            above = log_likelihoods(sessions, self.at(step))
            out[:, i] = (above - log_likelihoods(sessions, self.at(-step))) / (2 * _STEP)
        return out

    def jacobian(self, of) -> dict[str, np.ndarray]:
        """Derivatives (..., coordinates) of the arrays that `of(model)` gives by name."""
        pairs = [(of(self.at(step)), of(self.at(-step))) for step in self.steps]
        return {
            name: np.stack([(a[name] - b[name]) / (2 * _STEP) for a, b in pairs], axis=-1)
            for name in (pairs[0][0] if pairs else ())
        }

    def _of(self, kind):
        return (part for part in self.parts if isinstance(part, kind))


def supported(model: em.Model) -> bool:
    """Whether there are coordinates for this kind of model."""
    return type(model.emission) is FreeItems


def logits_of(model: em.Model) -> tuple[Logits | None, ...]:
    """Logits of initial probabilities, transitions and items, None where these are free."""
    return getattr(model.chain, "first", None), getattr(model.chain, "moves", None), None


def arrays_of(model: em.Model) -> tuple[np.ndarray, ...]:
    """Initial, transition and item parameters."""
    return *model.chain.arrays, *model.emission.arrays


def counts_of(sessions: Sessions, model: em.Model, counts: em.Counts) -> tuple[np.ndarray, ...]:
    """Expected counts that go with `arrays_of`, by class where there are logits."""
    answers = sessions.packed.item_counts(counts.folded(model.n_states))
    return counts.first, counts.moves, answers


def covariance(sessions: Sessions, coordinates: Coordinates, robust: bool) -> np.ndarray | None:
    """Covariance of the coordinates; None where the information is not positive definite.

    With `robust` the sandwich of White (1982, doi:10.2307/1912526) over people with their weights
    as those of a survey (Binder 1983, doi:10.2307/1402588).
    """
    inverse = _inverse(coordinates.information(sessions))
    if inverse is None or not robust:
        return inverse
    scores = coordinates.scores_of_people(sessions)
    if sessions.weights is not None:
        scores *= sessions.weights[:, None]
    return inverse @ (scores.T @ scores) @ inverse


def maximise(sessions: Sessions, fit: em.Fit) -> em.Fit:
    """Newton's method from where EM stopped, until the gradient vanishes.

    Where the log-likelihood is not concave yet, EM goes on for a while. `converged` says whether
    the gradient vanished.
    """
    n_people = sessions.n_people if sessions.weights is None else sessions.weights.sum()
    model, n_iter, rounds = fit.model, fit.n_iter, 0
    for _ in range(_NEWTON_STEPS):
        around = Coordinates.around(sessions, model)
        gradient = around.score(sessions, around.model, around.counts)
        if np.abs(gradient).max(initial=0.0) <= _GRADIENT * n_people:
            return em.Fit(around.model, around.counts, n_iter, converged=True)
        inverse = _inverse(around.information(sessions))
        if inverse is None:
            rounds += 1
            if rounds > _EM_ROUNDS:
                break
            more = em.run(sessions, around.model, max_iter=_EM_STEPS, tol=0)
            model, n_iter = more.model, n_iter + more.n_iter
        else:
            model = _chords(sessions, around, inverse)
    counts = em.e_step(sessions, model)
    return em.Fit(model, counts, n_iter, converged=False)


def _chords(sessions: Sessions, around: Coordinates, inverse: np.ndarray) -> em.Model:
    """Steps with one inverse information as long as each makes the gradient much smaller."""
    theta = np.zeros(len(inverse))
    counts = around.counts
    gradient = around.score(sessions, around.model, counts)
    for _ in range(_CHORDS):
        step = inverse @ gradient
        step *= min(1.0, _LONGEST / max(np.abs(step).max(), 1e-300))
        lowest = counts.log_likelihood - 1e-13 * abs(counts.log_likelihood)  # but for rounding
        for halving in range(_HALVINGS):
            moved = theta + 0.5**halving * step
            model = around.at(moved)
            there = em.e_step(sessions, model)
            if there.log_likelihood >= lowest:
                break
        else:
            break
        size = np.abs(gradient).max()
        theta, counts, gradient = moved, there, around.score(sessions, model, there)
        if np.abs(gradient).max() > 0.2 * size:
            break
    return around.at(theta)


def _with_boundary(sessions: Sessions, model: em.Model) -> tuple[em.Model, list[np.ndarray]]:
    """The model with cells whose maximum is zero put at `TINY`, and which those are.

    A cell of few answers is tried at `TINY`. If EM would lower it even there, the log-likelihood
    falls in it from zero on, and zero is the maximum.
    """
    arrays, free = arrays_of(model), [part is None for part in logits_of(model)]
    counted = counts_of(sessions, model, em.e_step(sessions, model))
    few = [
        (array > 0) & (n < _FEW) & ~_likeliest(array) & (_sum(n) > _NOTHING) if is_free
        else np.zeros(array.shape, dtype=bool)
        for array, n, is_free in zip(arrays, counted, free, strict=True)
    ]  # fmt: skip
    if not any(cells.any() for cells in few):
        return model, few
    tried = _with_tiny(model, few)
    expected = counts_of(sessions, tried, em.e_step(sessions, tried))
    zero = [
        cells & (n < TINY * _sum(n)) if is_free else cells
        for cells, n, is_free in zip(few, expected, free, strict=True)
    ]
    return _with_tiny(model, zero), zero


def _with_tiny(model: em.Model, cells: list[np.ndarray]) -> em.Model:
    """The model with these cells at `TINY`; their neighbours take what they lose."""
    moved = []
    for array, tiny in zip(arrays_of(model), cells, strict=True):
        if not tiny.any():
            moved.append(array)
            continue
        others = np.where(tiny, 0.0, array)
        scale = _ratio(1.0 - TINY * _sum(tiny), _sum(others))
        touched = tiny.any(axis=-1, keepdims=True)
        moved.append(np.where(touched, np.where(tiny, TINY, others * scale), array))
    return em.Model(model.chain.with_arrays(*moved[:2]), model.emission.with_arrays(*moved[2:]))


def _informed(logits: Logits, counts: np.ndarray) -> np.ndarray:
    """Coefficients (rows, m, K) about which the counts say something.

    If states were seen, the information on the coefficients of a row would have to grow with
    every person; where an eigenvalue is next to nothing, nobody is left for whom the probability
    is not 0 or 1.
    """
    rows, m, k = logits.coefs.shape
    free = np.zeros(logits.coefs.shape, dtype=bool)
    for row in range(rows):
        values, vectors = np.linalg.eigh(logits.information(counts, row))
        blind = (np.abs(vectors[:, values < _NOTHING]) > 0.1).any(axis=1).reshape(k - 1, m)
        others = np.arange(k) != logits.references[row]
        free[row][:, others] = ~blind.any(axis=1)
    return free


def _by_row(counts: np.ndarray, logits: Logits) -> np.ndarray:
    """Counts as (classes, rows, K); initial probabilities are one row."""
    return counts.reshape(len(counts), *logits.coefs.shape[::2])


def _inverse(information: np.ndarray) -> np.ndarray | None:
    """Inverse of a positive definite matrix, None of another."""
    if len(information) == 0:
        return information
    scale = np.sqrt(np.maximum(np.diagonal(information), 1e-300))
    values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
    if not np.all(np.diagonal(information) > 0) or values.min() < 1e-10 * values.max():
        return None
    return (vectors / values) @ vectors.T / np.outer(scale, scale)


def _likeliest(probs: np.ndarray) -> np.ndarray:
    """The first of the largest cells of each row, as a mask."""
    return np.arange(probs.shape[-1]) == probs.argmax(axis=-1)[..., None]


def _sum(array: np.ndarray) -> np.ndarray:
    return array.sum(axis=-1, keepdims=True)


def _ratio(above, below):
    return above / np.where(below > 0, below, 1.0)
