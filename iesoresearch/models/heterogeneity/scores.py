r"""Doubly robust scores and predicted advantages, cross-fitted by person.

With the expected outcome :math:`m_a(x)` under treatment :math:`a` and the propensity
:math:`e_a(x)`, both fitted without the person's fold (Chernozhukov et al. 2018,
doi:10.1111/ectj.12097), the score of Robins, Rotnitzky & Zhao 1994
(doi:10.1080/01621459.1994.10476818) is

.. math:: \Gamma_a = m_a(x) + \frac{1\{A = a\}}{e_a(x)} (y - m_a(x)).

It is right on average if either model is, and only if nothing unmeasured moves both treatment and
outcome.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeCV

from iesoresearch.errors import DataError
from iesoresearch.seeds import rng

#: Propensities are kept within these bounds. Crump et al. 2009 (doi:10.1093/biomet/asn055) drop
#: people beyond 0.1 and 0.9; clipping at half of that keeps everybody, and no weight exceeds 20.
CLIP = (0.05, 0.95)
FEWEST = 100  # people per arm
BURN_IN = 0.2  # share of the people that no prediction is made for, only from
_PENALTIES = np.logspace(0, 5, 11)  # of ridge regressions on standardised features


@dataclass(frozen=True)
class Scores:
    """Cross-fitted scores of people, one row each.

    Attributes
    ----------
    arms
        (people, 2) doubly robust score of the outcome under treatment 0 and 1.
    propensity
        (people,) probability of treatment 1, clipped to `CLIP`.
    share_clipped
        Share of people whose propensity was clipped.
    advantage
        (people,) predicted outcome under treatment 1 minus that under 0: the personalised advantage
        of DeRubeis et al. 2014 (doi:10.1371/journal.pone.0083875). Each is predicted from
        *earlier* folds, and is NaN for the first `BURN_IN` of the people.
    better
        (people,) the treatment, 0 or 1, that is better on average in the same earlier folds; 0
        where there are none.
    fold
        (people,) 0-based.
    """

    arms: np.ndarray
    propensity: np.ndarray
    share_clipped: float
    advantage: np.ndarray
    better: np.ndarray
    fold: np.ndarray

    @property
    def effect(self) -> np.ndarray:
        """(people,) doubly robust score of the effect: treatment 1 minus treatment 0."""
        return self.arms[:, 1] - self.arms[:, 0]

    @property
    def predicted(self) -> np.ndarray:
        """(people,) whether there is a predicted advantage."""
        return np.isfinite(self.advantage)


class _Models:
    """Outcome under either treatment, propensity and effect, fitted to some people.

    Outcomes by ridge regression, the propensity by logistic regression, both on the features and
    the squares of those with more than two levels. The effect is a ridge regression of doubly
    robust scores on the features (the DR-learner: Kennedy 2023, doi:10.1214/23-EJS2157); all ridge
    penalties are chosen by leave-one-out error.
    """

    def __init__(self, features, treatment, outcome):
        self.many = np.array([len(np.unique(c)) > 2 for c in features.T])
        self.mean, self.sd = features.mean(axis=0), features.std(axis=0)
        basis, linear = self._basis(features), self._linear(features)
        self.outcome = [
            RidgeCV(_PENALTIES).fit(basis[treatment == a], outcome[treatment == a]) for a in (0, 1)
        ]
        self.propensity = LogisticRegression(C=1.0, solver="newton-cholesky").fit(basis, treatment)
        arms, _, _ = self.scores(features, treatment, outcome)
        self.effect = RidgeCV(_PENALTIES).fit(linear, arms[:, 1] - arms[:, 0])
        self.better = int(arms[:, 1].mean() < arms[:, 0].mean())

    def _linear(self, features) -> np.ndarray:
        # a feature that does not vary among these people says nothing about them
        return (features - self.mean) / np.where(self.sd > 0, self.sd, np.inf)

    def _basis(self, features) -> np.ndarray:
        linear = self._linear(features)
        return np.concatenate([linear, linear[:, self.many] ** 2], axis=1)

    def scores(self, features, treatment, outcome):
        """Doubly robust scores, clipped propensities and who was clipped."""
        basis = self._basis(features)
        raw = self.propensity.predict_proba(basis)[:, 1]
        propensity = np.clip(raw, *CLIP)
        arms = np.stack([model.predict(basis) for model in self.outcome], axis=1)
        for a, chance in ((0, 1 - propensity), (1, propensity)):
            given = treatment == a
            arms[given, a] += (outcome[given] - arms[given, a]) / chance[given]
        return arms, propensity, raw != propensity

    def advantage(self, features) -> np.ndarray:
        """Predicted effect."""
        return self.effect.predict(self._linear(features))


def cross_fit(
    features: np.ndarray,
    treatment: np.ndarray,
    outcome: np.ndarray,
    *,
    n_folds: int = 10,
    seed: int,
) -> Scores:
    """Doubly robust scores from people of other folds, predicted advantages from earlier ones.

    Whatever is made from the predictions is thereby fixed before the people are looked at on whom
    it is judged, and judged on each person once. Rules that are made from all other folds share
    people with the folds they are judged on, so that errors of the folds are correlated and
    intervals too short (Luedtke & van der Laan 2016, doi:10.1214/15-AOS1384; Wager 2024,
    arXiv:2405.05534).

    Parameters
    ----------
    features
        (people, features), known before treatment; no missing values.
    treatment
        (people,) 0 or 1.
    outcome
        (people,) the smaller, the better.
    n_folds
        Folds of people, with the same mix of treatments in each.
    seed
        Of the folds.

    Raises
    ------
    DataError
        Fewer than `FEWEST` people had one of the treatments.
    """
    counts = np.bincount(treatment, minlength=2)
    if counts.min() < FEWEST:
        raise DataError(
            f"{counts.min()} people with an outcome had one of the two treatments; comparing them "
            f"needs at least {FEWEST} with each. Bring more data, or compare other treatments."
        )
    n = len(treatment)
    fold = _folds(treatment, n_folds, rng(seed, "heterogeneity", "folds"))
    arms, propensity, clipped = np.empty((n, 2)), np.empty(n), np.empty(n, dtype=bool)
    advantage, better = np.full(n, np.nan), np.zeros(n, dtype=np.int8)
    for k in range(n_folds):
        here, others, before = fold == k, fold != k, fold < k
        models = _Models(features[others], treatment[others], outcome[others])
        arms[here], propensity[here], clipped[here] = models.scores(
            features[here], treatment[here], outcome[here]
        )
        if k >= max(BURN_IN * n_folds, 1):
            past = _Models(features[before], treatment[before], outcome[before])
            advantage[here], better[here] = past.advantage(features[here]), past.better
    return Scores(arms, propensity, float(clipped.mean()), advantage, better, fold)


def _folds(treatment, n_folds, random) -> np.ndarray:
    fold = np.empty(len(treatment), dtype=np.int64)
    for a in (0, 1):
        people = random.permutation(np.flatnonzero(treatment == a))
        fold[people] = np.arange(len(people)) % n_folds
    return fold
