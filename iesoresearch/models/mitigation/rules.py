"""Rules that decide from a predicted risk and a group: fitted on some patients, used on others.

A rule gives each patient a chance of being flagged. It is 0 or 1, or something between where a
rule draws lots: exact equality of rates is often out of reach without (Hardt, Price & Srebro 2016,
Equality of opportunity in supervised learning, NeurIPS 29).
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from fairlearn.postprocessing import ThresholdOptimizer
from fairlearn.reductions import EqualizedOdds, ErrorRate, ExponentiatedGradient
from pandas.errors import Pandas4Warning
from scipy.special import logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from iesoresearch.errors import DataError
from iesoresearch.models import updating

NOTHING = "one threshold for all"
RECALIBRATION = "recalibrated by group"
PARITY = "equal share flagged"
TPR_PARITY = "equal share of those with the event flagged"
EQUALISED_ODDS = "equal TPR and FPR by lots"
REDUCTION = "equal TPR and FPR by reweighting"

#: Events, and others, that a group needs for a rule of its own; its members are otherwise decided
#: as everybody is without mitigation. As few as `updating` asks for an intercept and a slope.
FEWEST = 20
CLOSEST = 1e-6  # risks this near 0 or 1 count as this in the regression of the reduction
_ALLOWED = 0.02  # difference of rates from everybody's that the reduction allows
_STEPS = 50  # of the reduction, each a regression; fewer leave it short of its optimum


@dataclass(frozen=True)
class Rule:
    """A way to decide.

    Attributes
    ----------
    name
        One of `RULES`.
    chance
        Function of (people,) risks and groups: (people,) chance of being flagged.
    risk
        The same: (people,) risk that the rule goes by; None where it makes decisions only.
    needs_group
        Whether it has to know the group of each patient to decide.
    """

    name: str
    chance: Callable[[np.ndarray, np.ndarray], np.ndarray]
    risk: Callable[[np.ndarray, np.ndarray], np.ndarray] | None
    needs_group: bool


def fit(name: str, y: np.ndarray, p: np.ndarray, group: np.ndarray, threshold: float) -> Rule:
    """Fit one rule.

    Parameters
    ----------
    name
        One of `RULES`.
    y
        (people,) 0.0 or 1.0: the event that one acts on.
    p
        (people,) predicted risk of it.
    group
        (people,) 0-based, only groups with `FEWEST` events and others.
    threshold
        Risk from which everybody is flagged without mitigation.
    """
    return RULES[name](name, y, p, group.astype(np.int64), threshold)


def _nothing(name, y, p, group, threshold) -> Rule:
    return Rule(name, lambda p, g: (p >= threshold).astype(float), lambda p, g: p, False)


def _recalibration(name, y, p, group, threshold) -> Rule:
    """A new intercept and slope for each group, and the threshold as before."""
    updates = {}
    for level in np.unique(group):
        mine = group == level
        try:
            updates[level] = updating.recalibrate(y[mine], p[mine], updating.BOTH)
        except DataError:  # risks that are all equal, or that separate the outcomes, stay
            continue

    def risk(p, group):
        new = np.array(p, dtype=float)
        for level, update in updates.items():
            new[group == level] = update.apply(p[group == level])
        return new

    return Rule(name, lambda p, g: (risk(p, g) >= threshold).astype(float), risk, True)


class _AsGiven(ClassifierMixin, BaseEstimator):
    """What fairlearn asks for a model: its only feature is the risk."""

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        return np.column_stack([1.0 - X[:, 0], X[:, 0]])

    def __sklearn_is_fitted__(self) -> bool:
        return True


def _thresholds(name, y, p, group, threshold) -> Rule:
    """Thresholds of each group, drawn between two of them (fairlearn's ThresholdOptimizer).

    It looks for the most accurate decisions under its constraint, so false alarms and misses weigh
    alike: the working threshold is not kept.
    """
    model = ThresholdOptimizer(
        estimator=_AsGiven(),
        constraints=_CONSTRAINTS[name],
        prefit=True,
        predict_method="predict_proba",
    )
    model.fit(p[:, None], y.astype(int), sensitive_features=group)
    parts = model.interpolated_thresholder_.interpolation_dict

    def chance(p, group):
        found = (p >= threshold).astype(float)
        for level, part in parts.items():
            mine = group == level
            drawn = part.p0 * part.operation0(p[mine]) + part.p1 * part.operation1(p[mine])
            ignored = part.get("p_ignore", 0.0)
            found[mine] = ignored * part.get("prediction_constant", 0.0) + (1 - ignored) * drawn
        return found

    return Rule(name, chance, None, True)


def _reduction(name, y, p, group, threshold) -> Rule:
    """Logistic regressions on risk and group, reweighted until TPR and FPR are alike.

    The reduction of Agarwal et al. 2018 (A reductions approach to fair classification, ICML, PMLR
    80) as fairlearn's ExponentiatedGradient; which of the regressions decides is drawn. Misses and
    false alarms weigh as the threshold says.
    """
    levels = np.unique(group)

    def features(p, group):
        at = logit(np.clip(p, CLOSEST, 1 - CLOSEST))
        return np.column_stack([at, *(group == level for level in levels[1:])]).astype(float)

    model = ExponentiatedGradient(
        LogisticRegression(solver="newton-cholesky"),
        EqualizedOdds(difference_bound=_ALLOWED),
        objective=ErrorRate(costs={"fp": threshold, "fn": 1 - threshold}),
        eps=_ALLOWED,
        max_iter=_STEPS,
    )
    with warnings.catch_warnings():
        # fairlearn 0.15 sets entries of series that pandas 4 will want to be there
        warnings.filterwarnings("ignore", category=Pandas4Warning)
        model.fit(features(p, group), y.astype(int), sensitive_features=group)
    drawn = [(w, model.predictors_[i]) for i, w in model.weights_.items() if w > 0]

    def chance(p, group):
        new, found = features(p, group), (p >= threshold).astype(float)
        mine = np.isin(group, levels)
        if mine.any():
            found[mine] = sum(w * one.predict(new[mine]) for w, one in drawn)
        return np.clip(found, 0.0, 1.0)  # weights add up to 1 but for rounding

    return Rule(name, chance, None, True)


_CONSTRAINTS = {
    PARITY: "demographic_parity",
    TPR_PARITY: "true_positive_rate_parity",
    EQUALISED_ODDS: "equalized_odds",
}
#: Name -> how it is fitted.
RULES = {
    NOTHING: _nothing,
    RECALIBRATION: _recalibration,
    **dict.fromkeys(_CONSTRAINTS, _thresholds),
    REDUCTION: _reduction,
}
