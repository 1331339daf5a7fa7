"""What rules of treatment are worth, whether predicted advantages hold, and how sure one may be."""

from dataclasses import dataclass

import numpy as np

from iesoresearch.models.heterogeneity.effects import Fit, least_squares
from iesoresearch.models.heterogeneity.scores import Scores


@dataclass(frozen=True)
class Rules:
    """Mean outcome under rules of treatment, and what the personal rule saves.

    Doubly robust values (Athey & Wager 2021, doi:10.3982/ECTA15732) over the people with predicted
    advantages; every rule was made from earlier folds.

    Attributes
    ----------
    values
        Mean outcome if everybody had treatment 0, if everybody had treatment 1, as it was, and if
        everybody had the treatment predicted to be better.
    saved
        How much smaller the personal rule makes the mean outcome than the better single treatment
        and than the treatment as it was.
    chosen
        (people with predictions,) the treatment of the personal rule.
    """

    values: dict[str, Fit]
    saved: dict[str, Fit]
    chosen: np.ndarray


def rules(scores: Scores, outcome: np.ndarray) -> Rules:
    """Values of the rules; the smaller an outcome, the better.

    The better single treatment, too, is chosen on earlier folds: the minimum of two estimated means
    would be too good.
    """
    arms, outcome = scores.arms[scores.predicted], outcome[scores.predicted]
    chosen = (scores.advantage[scores.predicted] < 0).astype(np.int64)
    everyone = np.arange(len(outcome))
    personal, single = arms[everyone, chosen], arms[everyone, scores.better[scores.predicted]]
    values = {
        "first": arms[:, 0],
        "second": arms[:, 1],
        "usual": outcome,
        "personal": personal,
    }
    saved = {"single": single - personal, "usual": outcome - personal}
    return Rules(
        {name: _mean(x) for name, x in values.items()},
        {name: _mean(x) for name, x in saved.items()},
        chosen,
    )


def _mean(values: np.ndarray) -> Fit:
    return least_squares(np.ones((len(values), 1)), values)


@dataclass(frozen=True)
class Calibration:
    """Predicted advantages beside what the scores say.

    Attributes
    ----------
    group
        (people with predictions,) 0-based, from the most negative to the most positive.
    predicted
        (groups,) mean prediction.
    found
        Effects of the groups.
    slope
        Slope of the scores on the predictions: 1 where they are right, 0 where they say nothing.
    """

    group: np.ndarray
    predicted: np.ndarray
    found: Fit
    slope: Fit


def calibration(scores: Scores, n_groups: int = 5) -> Calibration:
    """Sorted group effects and calibration slope of the predicted advantages.

    Both after Chernozhukov, Demirer, Duflo & Fernández-Val 2025 (doi:10.3982/ECTA19303). People are
    ranked within their fold, since every fold has a model of its own, and the slope has an
    intercept per fold.
    """
    advantage, effect = scores.advantage[scores.predicted], scores.effect[scores.predicted]
    folds, fold = np.unique(scores.fold[scores.predicted], return_inverse=True)
    group = np.empty(len(fold), dtype=np.int64)
    for k in range(len(folds)):
        here = np.flatnonzero(fold == k)
        ranked = here[np.argsort(advantage[here], kind="stable")]
        group[ranked] = np.arange(len(here)) * n_groups // len(here)
    members = np.eye(n_groups)[group]
    line = least_squares(np.column_stack([advantage, np.eye(len(folds))[fold]]), effect)
    slope = Fit(line.estimate[:1], line.covariance[:1, :1], line.n)
    predicted = members.T @ advantage / members.sum(axis=0)
    return Calibration(group, predicted, least_squares(members, effect), slope)


def weighted_difference(values: np.ndarray, treatment: np.ndarray, propensity: np.ndarray) -> float:
    """Standardised difference of means after weighting by the inverse propensity.

    In the unit of `iesoresearch.models.balance.difference_of_means`, the unweighted spread, so that
    both can be compared (Austin 2009, doi:10.1002/sim.3697). NaN where neither group varies.
    """
    given = treatment == 1
    spread = np.sqrt((np.var(values[given], ddof=1) + np.var(values[~given], ddof=1)) / 2)
    if not spread > 0:
        return float("nan")
    second = np.average(values[given], weights=1 / propensity[given])
    first = np.average(values[~given], weights=1 / (1 - propensity[~given]))
    return float((second - first) / spread)


def e_value(difference: float, sd: float) -> float:
    """How strong an unmeasured confounder would have to be to explain a difference of means away.

    The least risk ratio that it must have with both treatment and outcome, beyond all that was
    measured (VanderWeele & Ding 2017, doi:10.7326/M16-2607, with their approximation
    ``exp(0.91 d)`` for a standardised difference d). 1 for no difference.
    """
    ratio = float(np.exp(0.91 * abs(difference) / sd))
    return ratio + float(np.sqrt(ratio * (ratio - 1)))
