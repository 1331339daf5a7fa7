"""The mixture of growth curves as an estimator."""

from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import DataError, NotFittedError, ParameterError
from iesoresearch.models.estimator import Estimator
from iesoresearch.models.trajectories import em
from iesoresearch.models.trajectories.inference import covariance
from iesoresearch.models.trajectories.scores import SCALES, Basis, Scores, gathered
from iesoresearch.models.trajectories.starts import Parameters, starting_weights
from iesoresearch.seeds import rng

Z95 = 1.959963984540054
FEWEST = 5  # patients to be expected in a class, or it is called degenerate
SAME = 0.1  # log-likelihoods this near to the best are the same solution
ROUGH = 1e-8  # relative gain at which a start is stopped; only the best is carried on to `tol`
FLOOR = 1e-8  # least residual variance, as a share of the variance of the scores


@dataclass(frozen=True)
class Curves:
    """Mean curves of the classes with 95 % intervals.

    Attributes
    ----------
    time
        (times,)
    mean, low, high
        (classes, times); the intervals are NaN where errors cannot be estimated.
    spread
        (times,) standard deviation of single scores around the curve of their class.
    """

    time: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    spread: np.ndarray


class TrajectoryClasses(Estimator):
    r"""Growth mixture model: patients of a class share a mean curve.

    Score :math:`j` of patient :math:`i` in class :math:`c`, at time :math:`t`, is

    .. math:: y_{ij} = \beta_{c0} + \beta_{c1} g(t_{ij}) + \beta_{c2} g(t_{ij})^2
              + b_{i0} + b_{i1} g(t_{ij}) + e_{ij}

    with normal random effects :math:`b_i` and residuals :math:`e_{ij}` whose variances all classes
    share, so the likelihood is bounded. Times may differ between patients and scores be missing:
    the likelihood of what was seen is maximised, which is right if scores are missing at random.
    The model is that of Verbeke & Lesaffre (1996, Journal of the American Statistical Association
    91: 217-221), with class-specific curves; it is fitted by EM from many starts.

    Classes are a way to describe: data without any classes, but skewed or with curves of another
    shape, are also described better by several.

    Parameters
    ----------
    n_classes
        At least 1.
    degree
        1 or 2, of the polynomial in g(t).
    scale
        g(t): "linear" t, or "log" log(1 + t), which changes most at the beginning.
    random_slope
        Whether patients differ in slope within their class, not only in level.
    n_starts
        Random starts; one is enough for a single class.
    tol
        Relative gain in log-likelihood at which EM stops from the best start (others: 1e-8).
    max_iter
        Limit of EM iterations.
    random_state
        Seed of the starts.

    Attributes
    ----------
    patients_
        (patients,) who have a score, in order of first appearance.
    probabilities_
        (patients, classes) of belonging to each class, given their scores.
    shares_
        (classes,) of the population. Classes are in order of the mean score at the last time.
    between_
        (q, q) covariance of the random effects of 1 and g(t).
    within_
        Residual variance.
    loglik_, n_parameters_, bic_, icl_
        BIC with the number of patients; ICL (Biernacki, Celeux & Govaert 2000, IEEE Transactions on
        Pattern Analysis and Machine Intelligence 22: 719-725) adds the entropy. Less is better.
    entropy_
        1 - entropy / (patients log classes): 1 = everybody's class is certain; 1 for one class.
    path_
        Log-likelihood after each iteration of the best start.
    converged_
        Whether EM stopped by `tol`.
    n_best_
        How many starts ended at the best log-likelihood (within 0.1).
    degenerate_
        Class, counted from 0 -> why it cannot be trusted; empty if all is well.
    """

    def __init__(
        self,
        n_classes=2,
        *,
        degree=1,
        scale="linear",
        random_slope=False,
        n_starts=10,
        tol=1e-12,
        max_iter=2000,
        random_state=0,
    ):
        self.n_classes = n_classes
        self.degree = degree
        self.scale = scale
        self.random_slope = random_slope
        self.n_starts = n_starts
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, patient, time, score) -> "TrajectoryClasses":
        """Estimate classes from long arrays, one row per score.

        Parameters
        ----------
        patient
            (rows,) who; strings or integers.
        time
            (rows,) from 0 on, any unit.
        score
            (rows,) NaN = missing.

        Raises
        ------
        ParameterError
            An argument of the model is out of bounds.
        DataError
            Arrays that do not fit together, fewer patients than classes allow, scores that do not
            vary, or too few different times.
        """
        self._check()
        scores = gathered(patient, time, score).with_scores()
        self._refuse(scores)
        self.basis_ = Basis.of(scores.time, self.scale, self.degree)
        products, counts = scores.products(self.basis_), scores.counts
        self._estimate(products, counts, float(scores.score.var()))
        self.patients_, self.n_patients_ = scores.patients, len(scores.patients)
        self.n_scores_ = len(scores.score)
        self._order(scores.time.max())
        self._describe(products, counts)
        return self

    def _check(self) -> None:
        whole = {"n_classes": 1, "n_starts": 1, "max_iter": 2}
        for name, least in whole.items():
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or value < least:
                raise ParameterError(
                    f"{name}={value!r} must be a whole number of at least {least}."
                )
        if self.degree not in (1, 2) or self.scale not in SCALES or not self.tol > 0:
            raise ParameterError(
                f"degree={self.degree!r} must be 1 or 2, scale={self.scale!r} one of "
                f"{', '.join(SCALES)}, and tol={self.tol!r} above 0."
            )

    def _refuse(self, scores: Scores) -> None:
        n, needed = len(scores.patients), FEWEST * self.n_classes
        if n < needed:
            raise DataError(
                f"Trajectories: {n} patients with a score are too few for {self.n_classes} "
                f"class(es), which need {needed}. Ask for fewer classes or bring more data."
            )
        if not np.ptp(scores.score) > 0:
            raise DataError("Trajectories: all scores are equal, so there is nothing to describe.")
        if (scores.counts < 2).all():
            raise DataError(
                "Trajectories: nobody has two scores, so what differs between patients cannot be "
                "told from what differs within them."
            )

    def _estimate(self, products, counts, variance) -> None:
        q = 2 if self.random_slope else 1
        begin = Parameters.at_start(products, q, variance)
        found = []
        for number in range(self.n_starts if self.n_classes > 1 else 1):
            random = rng(self.random_state, "trajectories", self.n_classes, number)
            weights = starting_weights(products, begin, self.n_classes, random)
            beta = np.tile(begin.beta, (self.n_classes, 1))
            begun = weights, beta, begin.between.copy(), begin.within
            rough = max(ROUGH, self.tol), self.max_iter
            found.append(em.maximise(products, counts, *begun, FLOOR * variance, *rough))
        ends = np.array([path[-1] for *_, path, _ in found])
        _, beta, between, within, weights, path, _ = found[int(np.argmax(ends))]
        self.n_best_ = int((ends > ends.max() - SAME).sum())
        self.shares_, self._beta, self._between, self.within_, *rest = em.maximise(
            products, counts, weights, beta, between, within, FLOOR * variance, self.tol,
            self.max_iter,
        )  # fmt: skip
        self.probabilities_, fine, self.converged_ = rest
        self.path_ = np.concatenate([path, fine])
        self.loglik_ = float(self.path_[-1])

    def _order(self, last: float) -> None:
        order = np.argsort(self.basis_.at(np.array([last]))[0] @ self._beta.T, kind="stable")
        self.shares_, self._beta = self.shares_[order], self._beta[order]
        self.probabilities_ = self.probabilities_[:, order]

    def _describe(self, products, counts) -> None:
        k, q, p = self.n_classes, len(self._between), self._beta.shape[1]
        self.n_parameters_ = k * p + k - 1 + q * (q + 1) // 2 + 1
        self.bic_ = -2 * self.loglik_ + self.n_parameters_ * np.log(self.n_patients_)
        sure = self.probabilities_ * np.log(np.maximum(self.probabilities_, 1e-300))
        entropy = -float(sure.sum())
        self.icl_ = self.bic_ + 2 * entropy
        self.entropy_ = 1 - entropy / (self.n_patients_ * np.log(k)) if k > 1 else 1.0
        mix = self.basis_.mix[:q, :q]
        self.between_ = mix @ self._between @ mix.T
        parameters = Parameters(self.shares_, self._beta, self._between, self.within_)
        self._covariance = covariance(products, counts, parameters)
        self.degenerate_ = dict(self._suspects())

    def _suspects(self):
        expected = self.probabilities_.sum(axis=0)
        likely = np.bincount(self.classes_, minlength=self.n_classes)
        for c in range(self.n_classes):
            if expected[c] < FEWEST:
                yield c, f"fewer than {FEWEST} patients are expected in it"
            elif likely[c] == 0:
                yield c, "it is nobody's most likely class"
            elif not np.isfinite(self._covariance).all():
                yield c, "the errors of the model cannot be estimated"

    @property
    def classes_(self) -> np.ndarray:
        """(patients,) most likely class, counted from 0."""
        self._fitted()
        return self.probabilities_.argmax(axis=1)

    def curves(self, time) -> Curves:
        """Mean curves at `time` (times,), with 95 % intervals from the observed information."""
        self._fitted()
        time = np.asarray(time, float)
        basis = self.basis_.at(time)
        k, p = self._beta.shape
        mean = self._beta @ basis.T
        blocks = [self._covariance[c * p : (c + 1) * p, c * p : (c + 1) * p] for c in range(k)]
        error = np.sqrt([np.einsum("tp,pr,tr->t", basis, block, basis) for block in blocks])
        random = basis[:, : len(self._between)]
        spread = np.sqrt(np.einsum("tp,pr,tr->t", random, self._between, random) + self.within_)
        return Curves(time, mean, mean - Z95 * error, mean + Z95 * error, spread)

    def predict_proba(self, patient, time, score) -> tuple[np.ndarray, np.ndarray]:
        """Class probabilities of patients from the scores they have so far.

        Returns
        -------
        patients
            (patients,) in order of first appearance.
        probabilities
            (patients, classes); who has no score has the shares of the population.

        Raises
        ------
        DataError
            Arrays that do not fit together.
        """
        self._fitted()
        scores = gathered(patient, time, score)
        n, q = len(scores.patients), len(self._between)
        weights, spread = np.empty((n, self.n_classes)), np.empty((n, q, q))
        em.expectation(
            scores.products(self.basis_), scores.counts, self.shares_, self._beta, self._between,
            self.within_, weights, spread,
        )  # fmt: skip
        return scores.patients, weights

    def _fitted(self) -> None:
        if not hasattr(self, "loglik_"):
            raise NotFittedError("These TrajectoryClasses are not fitted yet. Call fit first.")
