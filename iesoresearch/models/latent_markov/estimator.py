"""`LatentMarkov`: fit, score, decode and sample."""

import copy
import os
import secrets
import warnings

import numpy as np
from scipy.special import xlogy

from iesoresearch.errors import ConvergenceWarning, DataError, NotFittedError
from iesoresearch.models.estimator import Estimator
from iesoresearch.models.latent_markov import checks, em, kernels
from iesoresearch.models.latent_markov.packing import pack
from iesoresearch.seeds import derive, rng
from iesoresearch.simulate import draw_answers, draw_paths

STARTS = np.dtype([("seed", "i8"), ("log_likelihood", "f8"), ("n_iter", "i8"), ("converged", "?")])


class LatentMarkov(Estimator):
    r"""Latent Markov model of several categorical items, with time-homogeneous transitions.

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
        not needed when everybody has one session) and `item_probs` (K, items, levels).

    Attributes
    ----------
    initial_probs_ : (K,) array
    transition_matrix_ : (K, K) array
        Row i holds the probabilities from state i; NaN when everybody has one session.
    item_probs_ : (K, items, levels) array
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
    ):
        self.n_states = n_states
        self.n_categories = n_categories
        self.n_starts = n_starts
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.init = init

    def fit(self, items, lengths=None):
        """Fit by EM.

        Parameters
        ----------
        items : (rows, items) int8 array
            Answers from 0, -1 for missing; the sessions of a person in order, people one after
            the other. An int8 array is not copied.
        lengths : (people,) array of int, optional
            Number of sessions of each person; by default every row is a person.

        Returns
        -------
        LatentMarkov
            Itself.

        Raises
        ------
        DataError
            Answers outside their levels, lengths that do not add up, people without any answer,
            or more states than the data can carry.
        ParameterError
            A parameter of the wrong kind.
        """
        # on a copy, so that a fit that is refused leaves the model as it was
        fitted = copy.copy(self)
        fitted._fit(items, lengths)
        self.__dict__.update(fitted.__dict__)
        if self.tol > 0 and not self.converged_:
            warnings.warn(
                f"EM stopped at max_iter={self.max_iter} before the gain fell below tol="
                f"{self.tol:g}. Raise max_iter, or read the result as unfinished.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def _fit(self, items, lengths):
        items = checks.check_items(items)
        levels = checks.check_levels(items, self.n_categories)
        bounds = checks.check_lengths(items, lengths)
        answered = checks.check_answered(items, bounds)
        checks.check_whole("n_states", self.n_states, 1)
        checks.check_whole("max_iter", self.max_iter, 1)
        checks.check_tol(self.tol)
        self._levels = levels
        self.one_occasion_ = bool(np.all(np.diff(bounds) == 1))
        self.n_parameters_ = self._count_parameters()
        checks.check_capacity(self.n_states, self.n_parameters_, items, bounds, levels)

        seeds = self._start_seeds()
        sessions = em.Sessions(pack(items, int(levels.max())), bounds)
        starts = [self._start(seed, items) for seed in seeds]
        fits = em.run_starts(
            sessions, starts, max_iter=self.max_iter, tol=self.tol, n_threads=self._n_threads()
        )
        self._keep_starts(seeds, fits)
        best = int(np.argmax([fit.log_likelihood for fit in fits]))
        self._keep_best(fits[best], starts[best][1])
        self._keep_criteria(len(bounds) - 1, int((answered > 0).sum()), sessions)

    # ---- what a fitted model says about data

    def score(self, items, lengths=None) -> float:
        """Total log-likelihood in nats; -inf where an answer is impossible under the model."""
        return float(self.score_samples(items, lengths).sum())

    def score_samples(self, items, lengths=None) -> np.ndarray:
        """Log-likelihood of every person, in nats: (people,)."""
        packed, bounds = self._prepare(items, lengths)
        tables, initial, transition, _, lanes = em.lane_arrays(self._parameters(), packed)
        out = np.empty(len(bounds) - 1)
        kernels.log_likelihoods(
            packed.codes, packed.offsets, bounds, tables, initial, transition, lanes, out
        )
        return out

    def predict_proba(self, items, lengths=None) -> np.ndarray:
        """Probability of each state at each session given all sessions of the person: (rows, K)."""
        packed, bounds = self._prepare(items, lengths)
        arrays = em.lane_arrays(self._parameters(), packed)
        out = np.empty((len(packed.codes), len(self.initial_probs_)))
        kernels.posteriors(packed.codes, packed.offsets, bounds, *arrays, out)
        return out

    def predict(self, items, lengths=None) -> np.ndarray:
        """Most likely path of states of every person: (rows,)."""
        packed, bounds = self._prepare(items, lengths)
        parameters = self._parameters()
        with np.errstate(divide="ignore"):
            log_tables = np.log(packed.tables(parameters.item_probs, parameters.n_states))
            log_initial = np.log(parameters.initial_probs)
            log_transition = np.log(parameters.transition_matrix)
        out = np.empty(len(packed.codes), dtype=np.int64)
        kernels.most_likely_paths(
            packed.codes, packed.offsets, bounds, log_tables, log_initial, log_transition, out
        )
        return out

    def sample(self, lengths, *, random_state=None) -> tuple[np.ndarray, np.ndarray]:
        """Draw people from the fitted model.

        Parameters
        ----------
        lengths : (people,) array of int
            Number of sessions of each person.
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
        if self.one_occasion_ and lengths.max(initial=1) > 1:
            raise DataError(
                "This model was fitted to one session a person and knows no transitions, so it "
                "cannot draw a second one. Ask for lengths of 1."
            )
        random = rng(_seed_of(random_state), "latent markov", "sample")
        parameters = self._parameters()
        states = draw_paths(parameters.initial_probs, parameters.transition_matrix, lengths, random)
        return draw_answers(states, parameters.item_probs, random), states

    # ---- pieces of fit

    def _count_item_parameters(self) -> int:
        return int(self.n_states) * int((self._levels - 1).sum())

    def _count_parameters(self) -> int:
        k = int(self.n_states)
        transitions = 0 if self.one_occasion_ else k * (k - 1)
        return (k - 1) + self._count_item_parameters() + transitions

    def _start_seeds(self) -> list[int]:
        if self.init is not None:
            return [-1]
        first = _seed_of(self.random_state)
        n_starts = checks.check_whole("n_starts", self.n_starts, 1)
        return [first] + [derive(first, "latent markov", "start", i) for i in range(1, n_starts)]

    def _start(self, seed: int, items: np.ndarray) -> tuple[em.Parameters, em.ItemStep]:
        k, n_levels = self.n_states, int(self._levels.max())
        if self.init is not None:
            shape = (k, items.shape[1], n_levels)
            return checks.check_init(self.init, shape, self.one_occasion_), em.free_item_step
        random = rng(seed, "latent markov", "start")
        item_probs = random.dirichlet([1.5] * n_levels, (k, items.shape[1]))
        item_probs[:, np.arange(n_levels) >= self._levels[:, None]] = 0.0
        item_probs /= item_probs.sum(axis=2, keepdims=True)
        initial = random.dirichlet([3.0] * k)
        transition = 0.5 * np.eye(k) + 0.5 * random.dirichlet([1.0] * k, k)
        return em.Parameters(initial, transition, item_probs), em.free_item_step

    def _n_threads(self) -> int:
        available = os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count()
        if self.n_jobs is None:
            return 1
        if self.n_jobs == -1:
            return available or 1
        return checks.check_whole("n_jobs", self.n_jobs, 1)

    def _keep_starts(self, seeds, fits):
        rows = [
            (seed, fit.log_likelihood, fit.n_iter, fit.converged)
            for seed, fit in zip(seeds, fits, strict=True)
        ]
        starts = np.array(rows, dtype=STARTS)
        self.starts_ = starts[np.argsort(-starts["log_likelihood"], kind="stable")]

    def _keep_best(self, best: em.Fit, item_step: em.ItemStep):
        if not np.isfinite(best.log_likelihood):
            raise DataError(
                "The answers of at least one person have probability zero under the start values. "
                + (
                    "There are too many items for one session; fit fewer at a time."
                    if self.init is None
                    else "Give an init without zeros where the data hold answers."
                )
            )
        scores = np.arange(best.parameters.item_probs.shape[2])
        order = np.argsort((best.parameters.item_probs @ scores).sum(axis=1), kind="stable")
        parameters = best.parameters.ordered(order)
        self.initial_probs_ = parameters.initial_probs
        self.transition_matrix_ = parameters.transition_matrix
        if self.one_occasion_:
            self.transition_matrix_ = np.full_like(parameters.transition_matrix, np.nan)
        self.item_probs_ = parameters.item_probs
        self.state_counts_ = best.counts.initial[order]
        self.answer_counts_ = best.counts.items.sum(axis=2)[order]
        self.log_likelihood_ = best.log_likelihood
        self.n_iter_ = best.n_iter
        self.converged_ = best.converged
        self._fitted, self._counts = best.parameters, best.counts

    def _keep_criteria(self, n_people: int, n_observations: int, sessions: em.Sessions):
        deviance = -2.0 * self.log_likelihood_
        self.aic_ = deviance + 2 * self.n_parameters_
        self.bic_ = deviance + np.log(n_people) * self.n_parameters_
        self.bic_observations_ = deviance + np.log(n_observations) * self.n_parameters_
        self.icl_ = self.bic_ + 2 * self._path_entropy()
        self.entropy_ = 1.0 - self._marginal_entropy(sessions)
        self.n_people_, self.n_observations_ = n_people, n_observations

    def _path_entropy(self) -> float:
        # log p(path | answers) = log p(path, answers) - log p(answers), averaged over paths
        pairs = [
            (self._counts.initial, self._fitted.initial_probs),
            (self._counts.transition, self._fitted.transition_matrix),
            (self._counts.items, self._fitted.item_probs),
        ]
        return self.log_likelihood_ - sum(float(xlogy(count, prob).sum()) for count, prob in pairs)

    def _marginal_entropy(self, sessions: em.Sessions) -> float:
        """Mean entropy of a session's state, as a share of its largest value log K."""
        k = self.n_states
        if k == 1:
            return 0.0
        arrays = em.lane_arrays(self._fitted, sessions.packed)
        total = 0.0
        for bounds in sessions.chunks():  # by chunk, to hold no (rows, K) array
            codes = sessions.packed.codes[bounds[0] : bounds[-1]]
            out = np.empty((len(codes), k))
            kernels.posteriors(codes, sessions.packed.offsets, bounds - bounds[0], *arrays, out)
            total -= xlogy(out, out).sum()
        return total / (len(sessions.packed.codes) * np.log(k))

    # ---- pieces of the other methods

    def _check_fitted(self):
        if not hasattr(self, "item_probs_"):
            raise NotFittedError(
                f"This {type(self).__name__} has not been fitted. Call fit(items, lengths) first."
            )

    def _parameters(self) -> em.Parameters:
        self._check_fitted()
        # with one occasion there is no transition; the recursions still take a matrix
        matrix = np.eye(self.n_states) if self.one_occasion_ else self.transition_matrix_
        return em.Parameters(self.initial_probs_, matrix, self.item_probs_)

    def _prepare(self, items, lengths) -> tuple:
        self._check_fitted()
        items = checks.check_items(items)
        if items.shape[1] != len(self._levels):
            raise DataError(
                f"items has {items.shape[1]} columns but the model was fitted to "
                f"{len(self._levels)} items. Pass the same items in the same order."
            )
        checks.check_levels(items, self._levels)
        bounds = checks.check_lengths(items, lengths)
        if self.one_occasion_ and np.any(np.diff(bounds) > 1):
            raise DataError(
                "This model was fitted to one session a person and knows no transitions. Pass one "
                "row per person, without lengths."
            )
        return pack(items, int(self._levels.max())), bounds


def _seed_of(random_state) -> int:
    if random_state is None:
        return secrets.randbits(63)
    return checks.check_whole("random_state", random_state, 0, highest=2**63 - 1)
