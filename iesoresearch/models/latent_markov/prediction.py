"""What a fitted latent Markov model says about data, and draws from it."""

import secrets

import numpy as np

from iesoresearch.errors import DataError, NotFittedError
from iesoresearch.models.estimator import Estimator
from iesoresearch.models.latent_markov import checks, em, kernels
from iesoresearch.models.latent_markov.blocks import Blocks, check_pairs
from iesoresearch.models.latent_markov.chains import Chain, with_stayers
from iesoresearch.models.latent_markov.emissions import Emission, free_items
from iesoresearch.models.latent_markov.logits import with_coefs
from iesoresearch.models.latent_markov.records import Records
from iesoresearch.models.latent_markov.sessions import Sessions
from iesoresearch.seeds import rng
from iesoresearch.simulate import draw_answers


class Prediction(Estimator):
    """Methods of a fitted `LatentMarkov`, whose public attributes are all they read.

    `items` and `lengths` are as in `LatentMarkov.fit`, and so are `dropped_out`,
    `initial_covariates` and `transition_covariates`, which are passed by name as `known`. Where
    drop-out is modelled but not given, people are known to have gone on until their last session
    and no more. Covariates have to be given where they are modelled.
    """

    def score(self, items, lengths=None, **known) -> float:
        """Total log-likelihood in nats; -inf where an answer is impossible under the model."""
        return float(self.score_samples(items, lengths, **known).sum())

    def score_samples(self, items, lengths=None, **known) -> np.ndarray:
        """Log-likelihood of every person, in nats: (people,)."""
        return log_likelihoods(*self._opened(items, lengths, **known))

    def predict_proba(self, items, lengths=None, **known) -> np.ndarray:
        """Probability of each state at each session given all sessions of the person: (rows, K)."""
        parts = [part for _, part in em.posteriors(*self._opened(items, lengths, **known))]
        return np.concatenate(parts)

    def predict(self, items, lengths=None, **known) -> np.ndarray:
        """Most likely path of states of every person: (rows,)."""
        sessions, model = self._opened(items, lengths, **known)
        packed = sessions.packed
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

    def stayer_proba(self, items, lengths=None, **known) -> np.ndarray:
        """Probability that each person is one who never moves: (people,).

        Raises
        ------
        NotFittedError
            The model has no stayers.
        """
        self._check_fitted()
        if not self.stayers:
            raise NotFittedError("This model was fitted without stayers. Fit with stayers=True.")
        sessions, model = self._opened(items, lengths, **known)
        k = model.n_states
        starts = [
            posterior[chunk.bounds[:-1] - chunk.bounds[0], k:].sum(axis=1)
            for chunk, posterior in em.posteriors(sessions, model, fold=False)
        ]
        return np.concatenate(starts)

    def sample(
        self, lengths, *, random_state=None, initial_covariates=None, transition_covariates=None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw people from the fitted model.

        Parameters
        ----------
        lengths : (people,) array of int
            Number of sessions of each person; drop-out is not drawn.
        random_state : int, optional
            Seed.
        initial_covariates, transition_covariates : optional
            As in `LatentMarkov.fit`, of the people to be drawn.

        Returns
        -------
        items : (rows, items) int8 array
        states : (rows,) int array
        """
        self._check_fitted()
        lengths = np.asarray(lengths)
        if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or lengths.min(initial=1) < 1:
            raise DataError("lengths must hold one whole number of sessions, at least 1, a person.")
        blank = np.full((int(lengths.sum()), self.n_items_), -1, dtype=np.int8)
        records = self._records(
            blank,
            lengths,
            initial_covariates=initial_covariates,
            transition_covariates=transition_covariates,
        )
        random = rng(seed_of(random_state), "latent markov", "sample")
        chain = self._chain(records)
        states = draw_by_class(chain, self._sessions(records), random) % self.n_states
        return self._draw_answers(states, random), states

    # ---- pieces

    def _draw_answers(self, states: np.ndarray, random: np.random.Generator) -> np.ndarray:
        if not self._blocks.pairs:
            return draw_answers(states, self.item_probs_, random)
        emission = self._emission()
        answers = self._blocks.draw(states, emission.weights, emission.associations, random)
        return answers[:, : self.n_items_]

    def _check_fitted(self):
        if not hasattr(self, "item_probs_"):
            raise NotFittedError(
                f"This {type(self).__name__} has not been fitted. Call fit(items, lengths) first."
            )

    def _models_dropout(self) -> bool:
        return len(self._levels) > self.n_items_

    def _emission(self) -> Emission:
        dropout = {"dropout_probs": self.dropout_probs_} if self._models_dropout() else {}
        item_probs = with_dropout(self.item_probs_, **dropout)
        return free_items(item_probs, self._blocks, getattr(self, "pair_associations_", None))

    @property
    def _blocks(self) -> Blocks:
        return Blocks(self._levels, check_pairs(self.dependent_pairs, self.n_items_))

    def _fitted_model(self, records: Records | None = None) -> em.Model:
        """For the people of `records`; without covariates it is the same for all."""
        self._check_fitted()
        return em.Model(self._chain(records), self._emission())

    def _chain(self, records: Records | None) -> Chain:
        matrix = self.transition_matrix_
        if self.one_occasion_:  # there is no transition; the recursions still take a matrix
            matrix = np.eye(self.n_states)
        stayers = {"stayer_shares": self.stayer_shares_} if self.stayers else {}
        chain = chain_of(self.initial_probs_, matrix, **stayers)
        if records is None:
            return chain
        designs = records.initial_design, records.transition_design
        names = ("initial_coefs_", "transition_coefs_")
        return with_coefs(chain, designs, [getattr(self, name, None) for name in names])

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

    def _check_known(self, dropped_out, covariates: dict):
        if dropped_out is not None and not self._models_dropout():
            raise DataError(
                "dropped_out was given but this model was fitted without it. Leave it out, or fit "
                "again with it."
            )
        for name, given in covariates.items():
            coefs = getattr(self, name.replace("covariates", "coefs_"), None)
            if given is None and coefs is not None:
                raise DataError(
                    f"This model was fitted with {name}, which decide what it says about people. "
                    "Pass the same covariates of these people."
                )
            if given is not None and coefs is None:
                raise DataError(
                    f"{name} were given but this model was fitted without them. Leave them out, "
                    "or fit again with them."
                )
            if given is not None and np.ndim(given) == 2:
                n_given, n_fitted = np.shape(given)[1], coefs.shape[-2] - 1
                if n_given != n_fitted:
                    raise DataError(
                        f"{name} has {n_given} columns but the model was fitted to {n_fitted}. "
                        "Pass the same covariates in the same order."
                    )

    def _records(
        self,
        items,
        lengths,
        dropped_out=None,
        initial_covariates=None,
        transition_covariates=None,
    ) -> Records:
        self._check_fitted()
        items = checks.check_items(items)
        if items.shape[1] != self.n_items_:
            raise DataError(
                f"items has {items.shape[1]} columns but the model was fitted to {self.n_items_} "
                "items. Pass the same items in the same order."
            )
        covariates = {
            "initial_covariates": initial_covariates,
            "transition_covariates": transition_covariates,
        }
        self._check_known(dropped_out, covariates)
        bounds = checks.check_lengths(items, lengths)
        if self._models_dropout() and dropped_out is None:
            dropped_out = np.full(len(bounds) - 1, -1)
        records = Records.checked(
            items, lengths, self._levels[: self.n_items_], dropped_out=dropped_out, **covariates
        )
        self._check_longest(records.longest)
        return records

    def _opened(self, items, lengths, **known) -> tuple[Sessions, em.Model]:
        """Sessions of people, and the model with their covariates."""
        records = self._records(items, lengths, **known)
        return self._sessions(records), self._fitted_model(records)

    def _prepare(self, items, lengths, **known) -> Sessions:
        return self._sessions(self._records(items, lengths, **known))


def log_likelihoods(sessions: Sessions, model: em.Model) -> np.ndarray:
    """Log-likelihood of every person, in nats: (people,)."""
    packed = sessions.packed
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


def draw_by_class(chain: Chain, sessions: Sessions, random: np.random.Generator) -> np.ndarray:
    """Paths of states of the chain, person after person: (rows,)."""
    firsts, lengths = sessions.bounds[:-1], np.diff(sessions.bounds)
    initial, transition = chain.initial.cumsum(axis=1), chain.transition.cumsum(axis=2)
    states = np.zeros(sessions.bounds[-1], dtype=np.int64)
    for t in range(lengths.max()):  # session by session: one vectorised draw each
        rows = firsts[lengths > t] + t
        if t == 0:
            kind = 0 if sessions.first_class is None else sessions.first_class
            cumulative = initial[kind].reshape(-1, chain.n_states)
        else:
            kind = 0 if sessions.move_class is None else sessions.move_class[rows]
            cumulative = transition[kind, states[rows - 1]]
        uniform = random.random((len(rows), 1))
        # clip: a last cumulative probability may round to just below one
        states[rows] = (uniform > cumulative).sum(axis=1).clip(max=chain.n_states - 1)
    return states


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
