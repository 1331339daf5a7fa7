"""Does an item work alike at equal severity? Ordinal logistic regression, one item at a time.

Three nested proportional-odds models of the answer: severity alone; with the group (*uniform*
difference: as large at every severity); with their interaction (*non-uniform*). Swaminathan &
Rogers (1990, doi:10.1111/j.1745-3984.1990.tb00754.x) for two levels, Zumbo (1999, A Handbook on the
Theory and Methods of Differential Item Functioning) for ordered ones.

Severity enters with its square, where the literature has a straight line: an estimate of severity
is not linear in log odds, and where one group is less ill than the other a straight line takes the
bend for different functioning (`studies/item_functioning.py`).
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from iesoresearch.models import survey
from iesoresearch.models.item_functioning import ordinal
from iesoresearch.models.item_functioning.answers import Answers

#: Change in Nagelkerke's R² from which a difference is moderate, and large (Jodoin & Gierl 2001,
#: doi:10.1207/S15324818AME1404_2). Made for items of two levels; used for ordered ones, too.
MODERATE, LARGE = 0.035, 0.070
NEGLIGIBLE_SIZE, MODERATE_SIZE, LARGE_SIZE = "negligible", "moderate", "large"


@dataclass(frozen=True)
class Design:
    """Strata and sampling units of the people of a survey."""

    strata: np.ndarray
    units: np.ndarray


@dataclass(frozen=True)
class Test:
    """Likelihood ratio of two nested models.

    Attributes
    ----------
    statistic : float
        Twice the gain in log-likelihood, in nats.
    df : int
    p : float
        Of the chi-squared distribution; with a survey design of the Rao-Scott test.
    """

    statistic: float
    df: int
    p: float


@dataclass(frozen=True)
class ItemTest:
    """How one item works in several groups at equal severity.

    Attributes
    ----------
    joined : (levels,) array of int
        Level that stands for each level of the item (`Answers.joined`).
    total, uniform, nonuniform : Test
        Severity against all; severity against group; group against interaction.
    nagelkerke, mcfadden : (3,) arrays
        Pseudo R² of the three models.
    log_odds, log_odds_se : (groups,) arrays
        Of higher answers than in the reference group at equal severity (second model).
    points : (groups,) array
        Mean difference in points of the item that this makes among the people of each group, by
        the third model; zero in the reference group.
    """

    joined: np.ndarray
    total: Test
    uniform: Test
    nonuniform: Test
    nagelkerke: np.ndarray
    mcfadden: np.ndarray
    log_odds: np.ndarray
    log_odds_se: np.ndarray
    points: np.ndarray

    @property
    def change(self) -> float:
        """Change in Nagelkerke's R² from severity alone to all."""
        return float(self.nagelkerke[2] - self.nagelkerke[0])

    @property
    def size(self) -> str:
        """In words, by `MODERATE` and `LARGE`."""
        if self.change >= LARGE:
            return LARGE_SIZE
        return MODERATE_SIZE if self.change >= MODERATE else NEGLIGIBLE_SIZE


def regress(
    data: Answers, item: int, severity: np.ndarray, design: Design | None = None
) -> ItemTest | None:
    """Compare an item between groups at equal severity.

    Parameters
    ----------
    data
        Answers by group.
    item
        Number of the item, from 0.
    severity : (rows,) array
        What people are matched on; NaN leaves a row out.
    design
        Of a survey: the tests are then those of Rao & Scott (1984, Annals of Statistics 12:46–60)
        to the second order, with F for chi-squared (Lumley & Scott 2014, Australian & New Zealand
        Journal of Statistics 56:1–14).

    Returns
    -------
    ItemTest or None
        None where fewer than `answers.LEAST_ANSWERS` people of a group gave one of two levels.

    Raises
    ------
    DataError
        A regression has no finite maximum.
    """
    joined = data.joined(item)
    rows = np.flatnonzero((data.items[:, item] >= 0) & np.isfinite(severity))
    if joined.max() == 0 or len(rows) == 0:
        return None
    levels, weights = joined[data.items[rows, item]], data.weights[rows]
    mean = np.average(severity[rows], weights=weights)
    trait = (severity[rows] - mean)[:, None]
    curve = np.hstack([trait, trait**2])
    others = [g for g in range(data.n_groups) if g != data.reference]
    groups = (data.groups[rows][:, None] == others).astype(float)
    counts = np.eye(joined.max() + 1)[levels] * weights[:, None]
    designs = [curve, np.hstack([curve, groups]), np.hstack([curve, groups, groups * trait])]
    fits = [ordinal.fit(x, counts) for x in designs]
    null = ordinal.fit(np.zeros((1, 0)), counts.sum(axis=0)[None]).log_likelihood
    judge = _Judge(data, design, rows, levels, weights)
    covariance = judge.covariance(fits[1], designs[1])
    of_groups = slice(joined.max() + 2, joined.max() + 2 + len(others))
    log_odds, errors, points = np.zeros((3, data.n_groups))
    log_odds[others] = fits[1].parameters[of_groups]
    errors[others] = np.sqrt(np.diag(covariance)[of_groups])
    points[others] = _points(fits[2], data, rows, curve, others, _values(data, item, joined))
    return ItemTest(
        joined,
        judge(fits[0], fits[2], designs[2]),
        judge(fits[0], fits[1], designs[1]),
        judge(fits[1], fits[2], designs[2]),
        *_pseudo(np.array([fit.log_likelihood for fit in fits]), null, weights.sum()),
        log_odds, errors, points,
    )  # fmt: skip


def _pseudo(fitted: np.ndarray, null: float, n: float) -> tuple[np.ndarray, np.ndarray]:
    """R² of Nagelkerke (1991, doi:10.1093/biomet/78.3.691) and of McFadden."""
    nagelkerke = -np.expm1(2 * (null - fitted) / n) / -np.expm1(2 * null / n)
    return nagelkerke, 1 - fitted / null


def _values(data: Answers, item: int, joined: np.ndarray) -> np.ndarray:
    """Mean score of each joined level."""
    seen = data.items[:, item] >= 0
    answers, weights = data.items[seen, item], data.weights[seen]
    of_level = joined[answers]
    sums = np.bincount(of_level, weights * data.scores[item, answers])
    return sums / np.bincount(of_level, weights)


def _points(fit, data: Answers, rows, curve, others: list[int], values) -> list[float]:
    """Mean difference in expected score between own group and reference, by group."""
    found = []
    for place, group in enumerate(others):
        inside = data.groups[rows] == group
        x = curve[inside]
        dummies = np.zeros((len(x), len(others)))
        nobody = np.hstack([x, dummies, dummies])
        dummies[:, place] = 1.0
        own = np.hstack([x, dummies, dummies * x[:, :1]])
        apart = (fit.probabilities(own) - fit.probabilities(nobody)) @ values
        found.append(float(np.average(apart, weights=data.weights[rows][inside])))
    return found


@dataclass(frozen=True)
class _Judge:
    """Tests of nested fits to some rows, with the design of the survey if there is one."""

    data: Answers
    design: Design | None
    rows: np.ndarray
    levels: np.ndarray
    weights: np.ndarray

    def __call__(self, smaller: ordinal.Ordinal, larger: ordinal.Ordinal, x) -> Test:
        statistic = max(2 * (larger.log_likelihood - smaller.log_likelihood), 0.0)
        df = len(larger.slopes) - len(smaller.slopes)
        if self.design is None:
            return Test(statistic, df, float(stats.chi2.sf(statistic, df)))
        tested = np.arange(len(larger.parameters) - df, len(larger.parameters))
        return Test(statistic, df, self._rao_scott(statistic, tested, larger, x))

    def covariance(self, fit: ordinal.Ordinal, x) -> np.ndarray:
        """Of the parameters: inverse information, or the sandwich of the survey."""
        inverse = np.linalg.inv(fit.information)
        if self.design is None:
            return inverse
        own = np.zeros((len(self.data.people), len(fit.parameters)))
        own[self.rows] = fit.scores(x, self.levels)
        by_person = own[self.data.row] * self.data.person_weights[:, None]
        middle = survey.covariance_of_totals(by_person, self.design.strata, self.design.units)
        return inverse @ middle @ inverse

    def _rao_scott(self, statistic, tested, fit: ordinal.Ordinal, x) -> float:
        """The statistic is about a sum of chi-squared variables, each times a design effect."""
        inverse = np.linalg.inv(fit.information)[np.ix_(tested, tested)]
        true = self.covariance(fit, x)[np.ix_(tested, tested)]
        effects = np.linalg.eigvals(np.linalg.solve(inverse, true)).real
        mean, df = effects.mean(), len(effects)
        df_effective = effects.sum() ** 2 / (effects**2).sum()
        residual = survey.degrees_of_freedom(self.design.strata, self.design.units)
        return float(stats.f.sf(statistic / (df * mean), df_effective, df_effective * residual))
