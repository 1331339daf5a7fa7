"""What is computed for every grouping."""

from dataclasses import dataclass

import numpy as np

from iesoresearch.analyses.fairness_measurement import Params
from iesoresearch.analyses.fairness_measurement.data import Data, Grouping, groupings
from iesoresearch.measures import PHQ9
from iesoresearch.models import survey
from iesoresearch.models.item_functioning import (
    Answers,
    Functioning,
    Impact,
    classes,
    freest,
    functioning,
    impact,
    intervals,
)
from iesoresearch.models.item_functioning.classes import Draws, Invariance, Partial
from iesoresearch.seeds import derive


@dataclass(frozen=True)
class Gain:
    """Mean gain of separate classes in unseen people: log-likelihood a person, standard error."""

    mean: float
    error: float

    @property
    def ends(self) -> tuple[float, float, float]:
        """How much more probable they make the answers of a person, %, with its 95 % interval.

        The geometric mean over people of the ratio of probabilities.
        """
        one, low, high = (
            100 * float(np.expm1(self.mean + z * self.error)) for z in (0.0, -1.96, 1.96)
        )
        return one, low, high

    @property
    def better(self) -> str:
        """Which classes predict better: ``shared``, ``separate``, or ``undecided``."""
        _, low, high = self.ends
        return "shared" if high < 0 else "separate" if low > 0 else "undecided"


@dataclass(frozen=True)
class Compared:
    """Everything about one grouping.

    Attributes
    ----------
    grouping : Grouping
    functioning : Functioning
    by_total : Functioning
        The same, people matched on the total of the anchors.
    impact : Impact
    ends : dict
        95 % intervals of it.
    cautious, cautious_ends
        The same if every item may differ but the anchors that differ least, so that what was not
        shown to differ counts, too.
    invariance : dict of int to Invariance
        By number of classes.
    draws : Draws or None
        For the largest number; None with survey weights.
    partial : Partial or None
        The same.
    gain : Gain
        The same, weighted or not.
    """

    grouping: Grouping
    functioning: Functioning
    by_total: Functioning
    impact: Impact
    ends: dict[str, tuple[np.ndarray, np.ndarray]]
    cautious: Impact
    cautious_ends: dict[str, tuple[np.ndarray, np.ndarray]]
    invariance: dict[int, Invariance]
    draws: Draws | None
    partial: Partial | None
    gain: Gain

    @property
    def n(self) -> int:
        """People in a group that is compared."""
        return int((self.grouping.member >= 0).sum())

    @property
    def people(self) -> np.ndarray:
        """People of each group that is compared."""
        return np.bincount(self.grouping.member[self.grouping.member >= 0])

    @property
    def others(self) -> list[int]:
        """Groups that are compared with the reference."""
        levels = range(len(self.grouping.levels))
        return [g for g in levels if g != self.grouping.reference]

    @property
    def shown(self) -> Invariance:
        """The largest number of classes."""
        return self.invariance[max(self.invariance)]

    @property
    def most_changed(self) -> int:
        """Group whose people the cut-off classifies otherwise most often."""
        return int(np.argmax(self.impact.otherwise))


@dataclass(frozen=True)
class Fitted:
    """Everything that was computed."""

    data: Data
    params: Params
    compared: list[Compared]

    @property
    def weighted(self) -> bool:
        """Whether people are weighted."""
        return self.data.weights is not None


def fit(data: Data, params: Params) -> Fitted:
    """Compare items and classes in every grouping.

    Raises
    ------
    DataError
        There is nothing to compare, or too little of it.
    """
    found = groupings(data, params.least_people)
    return Fitted(data, params, [_compare(data, params, grouping) for grouping in found])


def _compare(data: Data, params: Params, grouping: Grouping) -> Compared:
    inside = grouping.member >= 0
    items, member = data.items[inside], grouping.member[inside]
    weights, design = data.part(inside)
    seed = derive(params.seed, "measurement", grouping.name)
    answers = Answers.of(items, member, weights, grouping.reference)
    found = functioning(answers, design)
    totals = [
        part(model, answers, params.cutoff, *more)
        for model in (found.trait, freest(found))
        for part, more in ((impact, ()), (intervals, (seed, design)))
    ]
    sample = classes.Sample(items, member, PHQ9.n_categories, weights)
    invariance = {
        k: classes.compare(sample, k, seed, reference=grouping.reference, n_starts=params.n_starts)
        for k in range(2, params.n_classes + 1)
    }
    shown, draws, partial = invariance[params.n_classes], None, None
    if weights is None:
        draws = classes.draws(sample, shown, params.n_draws, seed, grouping.reference)
        partial = classes.partial(sample, shown)
    return Compared(
        grouping, found, functioning(answers, design, matching="total"), *totals,
        invariance, draws, partial, _gain(sample, shown, params, seed, design),
    )  # fmt: skip


def _gain(sample, shown: Invariance, params: Params, seed: int, design) -> Gain:
    """Mean over people; its error takes them as independent, or as the survey drew them."""
    units = None
    if design is not None:
        labels = np.stack([design.strata, design.units]).astype(str)
        units = np.unique(labels, axis=1, return_inverse=True)[1]
    gain = classes.held_out(sample, shown, params.n_folds, seed, units)
    if design is None:
        return Gain(float(gain.mean()), float(gain.std(ddof=1) / np.sqrt(len(gain))))
    weights = sample.weights / sample.weights.sum()
    mean = float(weights @ gain)
    apart = (weights * (gain - mean))[:, None]
    variance = survey.covariance_of_totals(apart, design.strata, design.units)
    return Gain(mean, float(np.sqrt(variance[0, 0])))
