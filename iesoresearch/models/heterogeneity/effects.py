"""Effects in groups, and tests of whether effects differ, from doubly robust scores."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from iesoresearch.models.heterogeneity.scores import Scores

Z95 = stats.norm.ppf(0.975)


@dataclass(frozen=True)
class Fit:
    """Least squares with heteroscedasticity-consistent covariance HC3.

    MacKinnon & White 1985, doi:10.1016/0304-4076(85)90158-7.
    """

    estimate: np.ndarray
    covariance: np.ndarray
    n: int

    @property
    def error(self) -> np.ndarray:
        """Standard errors."""
        return np.sqrt(np.diag(self.covariance))

    def interval(self) -> tuple[np.ndarray, np.ndarray]:
        """95 % confidence limits."""
        return self.estimate - Z95 * self.error, self.estimate + Z95 * self.error


def least_squares(regressors: np.ndarray, response: np.ndarray) -> Fit:
    """Regress `response` (people,) on `regressors` (people, coefficients), without an intercept."""
    bread = np.linalg.pinv(regressors.T @ regressors)
    estimate = bread @ (regressors.T @ response)
    leverage = np.einsum("ij,jk,ik->i", regressors, bread, regressors)
    residual = (response - regressors @ estimate) / np.maximum(1 - leverage, 1e-8)
    meat = (regressors * residual[:, None] ** 2).T @ regressors
    return Fit(estimate, bread @ meat @ bread, len(response))


def effects_by_group(effect: np.ndarray, membership: np.ndarray) -> Fit:
    """Effect in each group: the best linear predictor of the effect by membership.

    With 0/1 memberships these are group averages (Semenova & Chernozhukov 2021,
    doi:10.1093/ectj/utaa027). With the probabilities of latent groups they are the effects in those
    groups, if the effect depends on the group only.

    Parameters
    ----------
    effect
        (people,) doubly robust scores.
    membership
        (people, groups), rows summing to one.
    """
    return least_squares(membership, effect)


@dataclass(frozen=True)
class Statistic:
    """Value of a test statistic, its degrees of freedom and p value."""

    value: float
    df: float
    p: float


def equality(fit: Fit) -> Statistic:
    """Wald test that all coefficients of `fit` are equal, referred to an F distribution."""
    k = len(fit.estimate)
    contrasts = np.eye(k)[1:] - np.eye(k)[0]
    apart = contrasts @ fit.estimate
    wald = float(apart @ np.linalg.solve(contrasts @ fit.covariance @ contrasts.T, apart))
    return Statistic(wald, k - 1, float(stats.f.sf(wald / (k - 1), k - 1, fit.n - k)))


def beyond_groups(scores: Scores, membership: np.ndarray) -> Statistic:
    """One-sided test that the effect depends on anything but group membership.

    In every fold with predictions, scores are regressed on membership and on the predicted
    advantage (the best linear predictor of Chernozhukov, Demirer, Duflo & Fernández-Val 2025,
    doi:10.3982/ECTA19303). Where membership says all, the coefficient of the prediction is zero.
    The t values of the folds are summed and divided by the root of their number. Since each
    prediction is fixed before its fold is looked at, the sum is standard normal under the
    hypothesis, which pooled cross-fitting does not give (Wager 2024, arXiv:2405.05534).
    """
    values = []
    for k in np.unique(scores.fold[scores.predicted]):
        here = scores.fold == k
        fit = least_squares(
            np.column_stack([membership[here], scores.advantage[here]]), scores.effect[here]
        )
        flat = np.ptp(scores.advantage[here]) < 1e-9  # the same prediction for all tells nothing
        values.append(0.0 if flat else fit.estimate[-1] / fit.error[-1])
    z = float(np.sum(values) / np.sqrt(len(values)))
    return Statistic(z, 1, float(stats.norm.sf(z)))


def holm(p_values) -> np.ndarray:
    """P values adjusted for their number by Holm's step-down rule (Holm 1979)."""
    p_values = np.asarray(p_values, dtype=float)
    order = np.argsort(p_values, kind="stable")
    steps = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def pairs(fit: Fit) -> Fit:
    """Differences between all pairs of coefficients of `fit`, the later one minus the earlier."""
    k = len(fit.estimate)
    first, second = np.triu_indices(k, 1)
    contrasts = np.eye(k)[second] - np.eye(k)[first]
    return Fit(contrasts @ fit.estimate, contrasts @ fit.covariance @ contrasts.T, fit.n)
