"""What a fitted latent Markov model says about data, and draws from it."""

import secrets

import numpy as np

from iesoresearch.errors import DataError, NotFittedError
from iesoresearch.models.estimator import Estimator
from iesoresearch.models.latent_markov import checks, em, kernels
from iesoresearch.models.latent_markov.chains import Chain, with_stayers
from iesoresearch.models.latent_markov.emissions import Emission, FreeItems
from iesoresearch.models.latent_markov.records import Records
from iesoresearch.models.latent_markov.sessions import Sessions
from iesoresearch.seeds import rng
from iesoresearch.simulate import draw_answers, draw_paths


class Prediction(Estimator):
    """Methods of a fitted `LatentMarkov`, whose public attributes are all they read.

    `items`, `lengths` and `dropped_out` are as in `LatentMarkov.fit`; where drop-out is modelled
    but not given, people are known to have gone on until their last session and no more.
    """

    def score(self, items, lengths=None, *, dropped_out=None) -> float:
        """Total log-likelihood in nats; -inf where an answer is impossible under the model."""
        return float(self.score_samples(items, lengths, dropped_out=dropped_out).sum())

    def score_samples(self, items, lengths=None, *, dropped_out=None) -> np.ndarray:
        """Log-likelihood of every person, in nats: (people,)."""
        sessions = self._prepare(items, lengths, dropped_out)
        model, packed = self._fitted_model(), sessions.packed
        tables = em.lane_tables(model, packed)
        out = np.empty(sessions.n_people)
        first = 0
        for chunk in sessions.chunks:
            lanes = em.Lanes.of(model, tables, chunk)
            last = first + len(chunk.weights)
            kernels.log_likelihoods(
                packed.codes, packed.offsets, chunk.bounds, (chunk.first_class, chunk.move_class),
                lanes.tables, lanes.initial, lanes.transition, model.chain.n_states, lanes.lanes,
                out[first:last],
            )  # fmt: skip
            first = last
        return out

    def predict_proba(self, items, lengths=None, *, dropped_out=None) -> np.ndarray:
        """Probability of each state at each session given all sessions of the person: (rows, K)."""
        sessions = self._prepare(items, lengths, dropped_out)
        parts = [posterior for _, posterior in em.posteriors(sessions, self._fitted_model())]
        return np.concatenate(parts)

    def predict(self, items, lengths=None, *, dropped_out=None) -> np.ndarray:
        """Most likely path of states of every person: (rows,)."""
        sessions = self._prepare(items, lengths, dropped_out)
        model, packed = self._fitted_model(), sessions.packed
        with np.errstate(divide="ignore"):
            log_tables = np.log(model.tables(packed))
            log_initial = np.log(model.chain.initial)
            log_transition = np.log(model.chain.transition)
        out = np.empty(len(packed.codes), dtype=np.int64)
        for chunk in sessions.chunks:
            kernels.most_likely_paths(
                packed.codes, packed.offsets, chunk.bounds, (chunk.first_class, chunk.move_class),
                log_tables, log_initial[chunk.firsts], log_transition[chunk.moves],
                out[chunk.bounds[0] : chunk.bounds[-1]],
            )  # fmt: skip
        return out % model.n_states  # a stayer's state is that of a mover

    def stayer_proba(self, items, lengths=None, *, dropped_out=None) -> np.ndarray:
        """Probability that each person is one who never moves: (people,).

        Raises
        ------
        NotFittedError
            The model has no stayers.
        """
        self._check_fitted()
        if not self.stayers:
            raise NotFittedError("This model was fitted without stayers. Fit with stayers=True.")
        sessions = self._prepare(items, lengths, dropped_out)
        model = self._fitted_model()
        k = model.n_states
        starts = [
            posterior[chunk.bounds[:-1] - chunk.bounds[0], k:].sum(axis=1)
            for chunk, posterior in em.posteriors(sessions, model, fold=False)
        ]
        return np.concatenate(starts)

    def sample(self, lengths, *, random_state=None) -> tuple[np.ndarray, np.ndarray]:
        """Draw people from the fitted model.

        Parameters
        ----------
        lengths : (people,) array of int
            Number of sessions of each person; drop-out is not drawn.
        random_state : int, optional
            Seed.

        Returns
        -------
        items : (rows, items) int8 array
        states : (rows,) int array
        """
        self._check_fitted()
        lengths = np.asarray(lengths)
        if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or lengths.min(initial=1) < 1:
            raise DataError("lengths must hold one whole number of sessions, at least 1, a person.")
        self._check_longest(int(lengths.max(initial=1)))
        random = rng(seed_of(random_state), "latent markov", "sample")
        chain = self._fitted_model().chain
        matrix = chain.transition[0] if len(chain.transition) == 1 else chain.transition
        states = draw_paths(chain.initial[0], matrix, lengths, random) % self.n_states
        return self._draw_answers(states, random), states

    # ---- pieces

    def _draw_answers(self, states: np.ndarray, random: np.random.Generator) -> np.ndarray:
        return draw_answers(states, self.item_probs_, random)

    def _check_fitted(self):
        if not hasattr(self, "item_probs_"):
            raise NotFittedError(
                f"This {type(self).__name__} has not been fitted. Call fit(items, lengths) first."
            )

    def _models_dropout(self) -> bool:
        return len(self._levels) > self.n_items_

    def _emission(self) -> Emission:
        dropout = {"dropout_probs": self.dropout_probs_} if self._models_dropout() else {}
        return FreeItems(with_dropout(self.item_probs_, **dropout))

    def _fitted_model(self) -> em.Model:
        self._check_fitted()
        matrix = self.transition_matrix_
        if self.one_occasion_:  # there is no transition; the recursions still take a matrix
            matrix = np.eye(self.n_states)
        stayers = {"stayer_shares": self.stayer_shares_} if self.stayers else {}
        return em.Model(chain_of(self.initial_probs_, matrix, **stayers), self._emission())

    def _check_longest(self, longest: int):
        if self.one_occasion_ and longest > 1:
            raise DataError(
                "This model was fitted to one session a person and knows no transitions. Pass one "
                "session per person (one row each, without lengths), or fit to repeated sessions."
            )
        if self.transitions == "by_occasion" and longest > self._longest:
            raise DataError(
                f"Somebody has {longest} sessions but the transitions of this model are known for "
                f"{self._longest} only. Cut the sessions, or fit homogeneous transitions."
            )

    def _prepare(self, items, lengths, dropped_out=None) -> Sessions:
        self._check_fitted()
        items = checks.check_items(items)
        if items.shape[1] != self.n_items_:
            raise DataError(
                f"items has {items.shape[1]} columns but the model was fitted to {self.n_items_} "
                "items. Pass the same items in the same order."
            )
        if dropped_out is not None and not self._models_dropout():
            raise DataError(
                "dropped_out was given but this model was fitted without it. Leave it out, or fit "
                "again with it."
            )
        bounds = checks.check_lengths(items, lengths)
        if self._models_dropout() and dropped_out is None:
            dropped_out = np.full(len(bounds) - 1, -1)
        records = Records.checked(
            items, lengths, self._levels[: self.n_items_], dropped_out=dropped_out
        )
        self._check_longest(records.longest)
        return self._sessions(records)


def chain_of(initial_probs, transition_matrix, stayer_shares=None) -> Chain:
    """Chain with these probabilities; a matrix for every move, or one for all."""
    matrices = transition_matrix.reshape(-1, *transition_matrix.shape[-2:])
    if stayer_shares is None:
        return Chain(initial_probs[None], matrices)
    return with_stayers(initial_probs, matrices, stayer_shares)


def with_dropout(item_probs: np.ndarray, dropout_probs: np.ndarray | None = None) -> np.ndarray:
    """Item probabilities with drop-out as one more item of two levels: stays, leaves."""
    if dropout_probs is None:
        return item_probs
    column = np.zeros((len(item_probs), 1, item_probs.shape[2]))
    column[:, 0, 0], column[:, 0, 1] = 1.0 - dropout_probs, dropout_probs
    return np.concatenate([item_probs, column], axis=1)


def seed_of(random_state) -> int:
    """The seed given, or one from the operating system."""
    if random_state is None:
        return secrets.randbits(63)
    return checks.check_whole("random_state", random_state, 0, highest=2**63 - 1)
