"""`LatentMarkov`: what can be asked for, and the fit."""

import warnings

import numpy as np

from iesoresearch.errors import ConvergenceWarning, DataError, ParameterError
from iesoresearch.models.latent_markov import checks, degenerate, em, entropy, starts
from iesoresearch.models.latent_markov.blocks import check_pairs
from iesoresearch.models.latent_markov.emissions import OrdinalItems, PairedItems, free_items
from iesoresearch.models.latent_markov.inference import Inference, shares_of, to_raw
from iesoresearch.models.latent_markov.prediction import (
    chain_of,
    seed_of,
    with_dropout,
)
from iesoresearch.models.latent_markov.records import Records
from iesoresearch.models.latent_markov.sessions import Sessions
from iesoresearch.seeds import derive, rng

STARTS = np.dtype([("seed", "i8"), ("log_likelihood", "f8"), ("n_iter", "i8"), ("converged", "?")])


class LatentMarkov(Inference):
    r"""Latent Markov model of several categorical items.

    People move between hidden states from session to session by a first-order Markov chain; given
    the state, the items of a session are independent and each follows its own categorical
    distribution, the same at every session (Bartolucci, Farcomeni & Pennoni 2013, *Latent Markov
    Models for Longitudinal Data*). Missing answers are ignorable: they drop out of the product. A
    session without any answer keeps its place in time. When everybody has one session this is the
    latent class model.

    Parameters
    ----------
    n_states : int
        Number of states K.
    n_categories : int or sequence of int, optional
        Number of answer levels of the items, as the questionnaire defines them. By default one
        more than the largest answer in the data: right only if the top level was ever used.
    n_starts : int, default 20
        Random starts of EM; the best ends up in the model and all are kept in `starts_`.
    max_iter : int, default 5000
        Most E-steps of one start.
    tol : float, default 1e-8
        Stop when the relative gain in log-likelihood falls below this; 0 runs exactly `max_iter`.
    random_state : int, optional
        Seed of the starts. The first start uses the seed itself, so any row of `starts_` can be
        run again with ``n_starts=1, random_state=seed``.
    n_jobs : int, optional
        Threads, -1 for all. The result does not depend on it.
    init : dict, optional
        One start to use instead of random ones: `initial_probs` (K,), `transition_matrix` (K, K;
        not needed when everybody has one session) and `item_probs` (K, items, levels); where they
        are modelled also `stayer_shares` (K,) and `dropout_probs` (K,), and, if wanted,
        `pair_associations` (pairs,), which otherwise start at zero. With covariates
        `initial_coefs` and `transition_coefs`, shaped as the attributes, in place of the
        probabilities.
    transitions : {"homogeneous", "by_occasion"}, default "homogeneous"
        One transition matrix, or a free one into every occasion from the second.
    stayers : bool, default False
        Mover-stayer model: some of those who start in a state never leave it (Frydman 1984,
        doi:10.2307/2288409).
    items : {"free", "ordinal"}, default "free"
        Whether the levels of an item have free probabilities in each state, or each item has one
        position in each state and step thresholds that all states share (partial credit model).
    dependent_pairs : sequence of pairs of int, default ()
        Columns of items that depend on one another even within a state, by one linear-by-linear
        association a pair that all states share (Goodman 1979,
        doi:10.1080/01621459.1979.10481650). Items that pairs connect are packed into one code: at
        four levels at most three.
    accelerate : bool, default False
        SQUAREM: fewer E-steps to the same maximum, or to a higher one where EM would stall.

    Attributes
    ----------
    initial_probs_ : (K,) array
    transition_matrix_ : (K, K) array
        Row i holds the probabilities from state i; NaN when everybody has one session. With
        ``transitions="by_occasion"`` (occasions - 1, K, K), the first matrix leading to the second
        occasion. With `stayers`, of those who may move. With covariates this and `initial_probs_`
        are averages over the moves and the people of the fit.
    initial_coefs_, initial_coefs_se_ : (1 + p, K - 1) array
        With `initial_covariates`: log odds of starting in states 1 ... K - 1 against state 0 (rows:
        intercept, covariates), and their standard errors. In another order of states they are
        the differences of columns from that of the state then first.
    transition_coefs_, transition_coefs_se_ : (K, 1 + q, K - 1) array
        With `transition_covariates`: from every state the log odds of moving to each *other* state,
        ascending, against staying. In another order of states they only change places.
    separated_ : tuple of pairs of int
        With covariates: origin (-1 for the first session) and destination of logits that have no
        finite maximum; their standard errors are NaN.
    stayer_shares_ : (K,) array
        With `stayers`: share of those who start in each state that never leave it.
    dropout_probs_ : (K,) array
        Where `fit` was told who dropped out: probability of leaving after a session in each state.
    item_probs_ : (K, items, levels) array
    pair_associations_ : (pairs,) array
        With `dependent_pairs`: log odds ratio between neighbouring levels of each pair.
    log_likelihood_ : float
        Of the fitted parameters, in nats; equals `score` on the training data.
    n_parameters_ : int
        Free parameters.
    aic_, bic_, bic_observations_, icl_ : float
        Information criteria, smaller is better. `bic_` and `icl_` penalise with the number of
        people, `bic_observations_` with the number of sessions that hold an answer.
    entropy_ : float
        Relative entropy of the states given the answers, 1 = no doubt about any session (Celeux &
        Soromenho 1996, doi:10.1007/BF01246098).
    state_counts_ : (K,) array
        Expected number of first sessions in each state.
    answer_counts_ : (K, items) array
        Expected number of answers to each item given in each state.
    n_iter_ : int
        E-steps of the best start.
    converged_ : bool
    degeneracies_ : list of str
        Signs of more states than the data tell apart, a sentence each; empty where there are none.
    one_occasion_ : bool
        Whether everybody had one session, so that there are no transitions.
    starts_ : structured array
        `seed` (-1 for `init`), `log_likelihood`, `n_iter`, `converged`; best first.

    Notes
    -----
    States are numbered by ascending expected total score. The integrated completed likelihood is
    :math:`\mathrm{ICL} = \mathrm{BIC} + 2 H`, where H is the entropy of the *path* of states given
    the answers (Biernacki, Celeux & Govaert 2000, doi:10.1109/34.865189).

    Examples
    --------
    >>> import numpy as np
    >>> items = np.random.default_rng(0).integers(0, 4, (600, 9)).astype("int8")
    >>> model = LatentMarkov(2, n_categories=4, random_state=0).fit(items, lengths=[6] * 100)
    >>> model.transition_matrix_.sum(axis=1)
    array([1., 1.])
    """

    def __init__(
        self,
        n_states,
        *,
        n_categories=None,
        n_starts=20,
        max_iter=5000,
        tol=1e-8,
        random_state=None,
        n_jobs=None,
        init=None,
        transitions="homogeneous",
        stayers=False,
        items="free",
        dependent_pairs=(),
        accelerate=False,
    ):
        self.n_states = n_states
        self.n_categories = n_categories
        self.n_starts = n_starts
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.init = init
        self.transitions = transitions
        self.stayers = stayers
        self.items = items
        self.dependent_pairs = dependent_pairs
        self.accelerate = accelerate

    def fit(
        self,
        items,
        lengths=None,
        *,
        weights=None,
        dropped_out=None,
        initial_covariates=None,
        transition_covariates=None,
    ):
        """Fit by EM; with covariates Newton's method then finds the exact maximum.

        Parameters
        ----------
        items : (rows, items) int8 array
            Answers from 0, -1 for missing; the sessions of a person in order, people one after
            the other. An int8 array is not copied.
        lengths : (people,) array of int, optional
            Number of sessions of each person; by default every row is a person.
        weights : (people,) array, optional
            How often each person counts. With survey weights the log-likelihood is a
            pseudo-likelihood: information criteria then mean nothing, and uncertainty has to come
            from replicates of the survey.
        dropped_out : (people,) array of int, optional
            Whether each person dropped out after her last session (1), completed (0), or is not
            known to have done either (-1). Leaving then depends on the state, as if the chain had
            an absorbing state that is seen; without it drop-out is taken as ignorable.
        initial_covariates : (people, p) array, optional
            On which the state at the first session depends.
        transition_covariates : (rows, q) array, optional
            On which the move *into* each session depends; that of a person's first does not
            matter. None may be missing, in either.

        Returns
        -------
        LatentMarkov
            Itself.

        Raises
        ------
        DataError
            Answers outside their levels, lengths that do not add up, people without any answer,
            more states than the data can carry, or covariates that are missing or redundant.
        ParameterError
            A parameter of the wrong kind.
        """
        # on a twin, so that a fit that is refused leaves the model as it was
        fitted = type(self)(**self.get_params())
        fitted._fit(
            Records.checked(
                items, lengths, self.n_categories, weights, dropped_out,
                initial_covariates, transition_covariates,
            )
        )  # fmt: skip
        self.__dict__ = fitted.__dict__  # nothing of an earlier fit stays
        if self.tol > 0 and not self.converged_:
            warnings.warn(
                f"EM stopped at max_iter={self.max_iter} before the gain fell below tol="
                f"{self.tol:g}. Raise max_iter, or read the result as unfinished.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def _fit(self, records: Records):
        self.n_items_ = records.n_items
        self._check_parameters()
        self._levels = records.levels
        self.one_occasion_ = records.one_occasion
        self._longest = records.longest
        checks.check_answered(records.items[:, : self.n_items_], records.bounds)
        self._check_dropout_and_covariates(records)
        self.n_parameters_ = self._count_parameters()
        checks.check_capacity(self.n_states, self.n_parameters_, records, self._count_slopes())

        seeds = self._start_seeds()
        counted = records.counted()
        sessions = self._sessions(counted)
        fits = em.run_starts(
            sessions, [self._with_logits(self._start(seed, counted), counted) for seed in seeds],
            n_threads=checks.check_threads(self.n_jobs), max_iter=self.max_iter, tol=self.tol,
            accelerate=self.accelerate,
        )  # fmt: skip
        self._keep_starts(seeds, fits)
        self._classes = shares_of(sessions, fits[0].model.chain)
        self._to_raw = to_raw(counted)
        self._keep_best(self._finished(sessions, max(fits, key=lambda fit: fit.log_likelihood)))
        self._keep_criteria(records, sessions)
        self._keep_coefficient_errors(sessions)
        del self._counts, self._classes, self._to_raw

    # ---- pieces of fit

    def _check_parameters(self):
        checks.check_whole("n_states", self.n_states, 1)
        checks.check_whole("max_iter", self.max_iter, 1)
        checks.check_tol(self.tol)
        if self.transitions not in ("homogeneous", "by_occasion"):
            raise ParameterError(
                f"transitions={self.transitions!r} must be 'homogeneous' or 'by_occasion'."
            )
        for name in ("stayers", "accelerate"):
            if not isinstance(getattr(self, name), bool):
                raise ParameterError(f"{name}={getattr(self, name)!r} must be True or False.")
        if self.items not in ("free", "ordinal"):
            raise ParameterError(f"items={self.items!r} must be 'free' or 'ordinal'.")
        check_pairs(self.dependent_pairs, self.n_items_)

    def _n_moves(self) -> int:
        """Number of transition matrices."""
        return self._longest - 1 if self.transitions == "by_occasion" else 1

    def _sessions(self, records: Records) -> Sessions:
        move_class = None
        if self.transitions == "by_occasion" and not self.one_occasion_:
            move_class = np.maximum(records.occasions - 1, 0)
        return records.sessions(self._blocks.together, move_class=move_class)

    def _count_item_parameters(self) -> int:
        k, steps = int(self.n_states), int((self._levels - 1).sum())
        if self.items == "ordinal":  # an item's positions can be moved against its thresholds
            return (k - 1) * len(self._levels) + steps
        return k * steps

    def _count_parameters(self) -> int:
        k = int(self.n_states)
        transitions = 0 if self.one_occasion_ else k * (k - 1) * self._n_moves()
        items = self._count_item_parameters() + len(self._blocks.pairs)
        return (k - 1) + k * self.stayers + items + transitions + self._count_slopes()

    def _count_slopes(self) -> int:
        p, q = self._n_covariates
        return (self.n_states - 1) * (p + self.n_states * q)

    def _start_seeds(self) -> list[int]:
        if self.init is not None:
            return [-1]
        first = seed_of(self.random_state)
        n_starts = checks.check_whole("n_starts", self.n_starts, 1)
        return [first] + [derive(first, "latent markov", "start", i) for i in range(1, n_starts)]

    def _start(self, seed: int, records: Records) -> em.Model:
        if self.init is not None:
            return self._given_start()
        random = rng(seed, "latent markov", "start")
        item_probs = starts.random_items(random, self.n_states, self._levels)
        chain = starts.random_chain(random, self.n_states, self._n_moves(), self.stayers)
        if self.items == "ordinal":
            emission = OrdinalItems.start(records.items, self._blocks, self.n_states, random)
        else:
            emission = free_items(item_probs, self._blocks)
        return em.Model(chain, emission)

    def _given_start(self) -> em.Model:
        init, associations = starts.without_associations(self.init, self._blocks.pairs)
        init = starts.given(init, self._init_shapes(), self.one_occasion_)
        dropout = init.pop("dropout_probs", None)
        item_probs = with_dropout(init.pop("item_probs"), dropout)
        if self.items == "ordinal":
            paired = PairedItems.of(item_probs, associations, self._blocks)
            emission = OrdinalItems.nearest(paired)
        else:
            emission = free_items(item_probs, self._blocks, associations)
        # logits are put in their place where the design is known
        init.setdefault("initial_probs", np.full(self.n_states, 1.0 / self.n_states))
        init.setdefault("transition_matrix", np.eye(self.n_states))
        chain = {name: init[name] for name in init if not name.endswith("_coefs")}
        return em.Model(chain_of(**chain), emission)

    def _init_shapes(self) -> dict[str, tuple[int, ...]]:
        k, (p, q) = self.n_states, self._n_covariates
        matrix = (k, k) if self.transitions == "homogeneous" else (self._n_moves(), k, k)
        shapes = {"initial_coefs": (1 + p, k - 1)} if p else {"initial_probs": (k,)}
        shapes |= {"transition_coefs": (k, 1 + q, k - 1)} if q else {"transition_matrix": matrix}
        shapes |= {"item_probs": (k, self.n_items_, int(self._levels.max()))}
        shapes |= {"stayer_shares": (k,)} if self.stayers else {}
        return shapes | ({"dropout_probs": (k,)} if self._models_dropout() else {})

    def _keep_starts(self, seeds, fits):
        rows = [
            (seed, fit.log_likelihood, fit.n_iter, fit.converged)
            for seed, fit in zip(seeds, fits, strict=True)
        ]
        starts = np.array(rows, dtype=STARTS)
        self.starts_ = starts[np.argsort(-starts["log_likelihood"], kind="stable")]

    def _keep_best(self, best: em.Fit):
        if not np.isfinite(best.log_likelihood):
            raise DataError(
                "The answers of at least one person have probability zero under the start values. "
                + (
                    "There are too many items for one session; fit fewer at a time."
                    if self.init is None
                    else "Give an init without zeros where the data hold answers."
                )
            )
        probs = best.model.emission.item_probs[:, : self.n_items_]
        order = np.argsort((probs @ np.arange(probs.shape[2])).sum(axis=1), kind="stable")
        self._model = best.model.ordered(order)
        self._counts = best.counts.ordered(best.model.in_copies(order))
        for name, value in self._described(self._model, self._classes, self._to_raw).items():
            setattr(self, f"{name}_", value)
        if self._blocks.pairs:
            self.pair_associations_ = self._model.emission.associations
        self.log_likelihood_ = best.log_likelihood
        self.n_iter_ = best.n_iter
        self.converged_ = best.converged

    def _keep_criteria(self, records: Records, sessions: Sessions):
        n_items = self.n_items_
        by_code = self._counts.folded(self.n_states)
        self.answer_counts_ = sessions.packed.item_counts(by_code)[:, :n_items].sum(axis=2)
        first = self._counts.first.sum(axis=0)
        self.state_counts_ = first.reshape(-1, self.n_states).sum(axis=0)
        self.n_people_, self.n_observations_ = records.n_people, records.n_observations
        deviance = -2.0 * self.log_likelihood_
        self.aic_ = deviance + 2 * self.n_parameters_
        self.bic_ = deviance + np.log(self.n_people_) * self.n_parameters_
        self.bic_observations_ = deviance + np.log(self.n_observations_) * self.n_parameters_
        self.icl_ = self.bic_ + 2 * entropy.of_paths(self._model, self._counts, sessions)
        self.entropy_ = 1.0 - entropy.of_sessions(self._model, sessions)
        levels = self._levels[:n_items]
        self.degeneracies_ = degenerate.signs(self._model, self._counts, sessions, levels)
