"""What `subtypes_matching` computes once and its tables and sentences read."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from iesoresearch.analyses.subtypes_matching.patients import Patients
from iesoresearch.measures import PHQ9
from iesoresearch.models import LatentMarkov, heterogeneity

#: A claim needs an adjusted p value of at most this: half of the 5 % of false findings that are
#: allowed, because the tests hold their level only in large samples.
LEVEL = 0.025
#: Points of the PHQ-9 by which two effects may differ without mattering: the least reduction that
#: patients notice (Kounali et al. 2022, doi:10.1017/S0033291720003700).
MARGIN = 1.7
FEWEST_IN_CELL = 25  # patients of a subtype with each therapy
GROUPS = 5  # of patients ranked by their predicted advantage
#: Items of the somatic and of the cognitive-affective symptoms whose balance describes a subtype.
SOMATIC, AFFECTIVE = (2, 3, 4), (0, 1, 5, 8)
LEANS = 0.25  # points per item from the average balance, from which a subtype is said to lean


@dataclass(frozen=True)
class Fitted:
    """Subtypes, scores and tests.

    Attributes
    ----------
    patients
        Whom it is about.
    model
        Latent class model of the first answers.
    membership
        (patients, subtypes) probability of each subtype.
    scores
        Doubly robust scores and predicted advantages.
    """

    patients: Patients
    model: LatentMarkov
    membership: np.ndarray
    scores: heterogeneity.Scores

    @property
    def k(self) -> int:
        """Number of subtypes."""
        return self.membership.shape[1]

    @cached_property
    def subtype(self) -> np.ndarray:
        """(patients,) most likely subtype, 0-based, by expected total."""
        return self.membership.argmax(axis=1)

    @cached_property
    def cells(self) -> np.ndarray:
        """(subtypes, 2) patients by subtype and therapy."""
        return cells(self.membership, self.patients.treatment)

    @cached_property
    def effects(self) -> heterogeneity.Fit:
        """Effect in each subtype, points of the last total, second therapy minus first."""
        return heterogeneity.effects_by_group(self.scores.effect, np.eye(self.k)[self.subtype])

    @cached_property
    def overall(self) -> heterogeneity.Fit:
        """Effect over all patients."""
        everyone = np.ones((self.patients.n, 1))
        return heterogeneity.effects_by_group(self.scores.effect, everyone)

    @cached_property
    def by_subtype(self) -> heterogeneity.Statistic:
        """Test that the effect is the same in all subtypes."""
        return heterogeneity.equality(self.effects)

    @cached_property
    def beyond(self) -> heterogeneity.Statistic:
        """Test that the effect depends on the probabilities of the subtypes only."""
        return heterogeneity.beyond_groups(self.scores, self.membership)

    @cached_property
    def adjusted(self) -> np.ndarray:
        """P values of both tests after Holm's adjustment."""
        return heterogeneity.holm([self.by_subtype.p, self.beyond.p])

    @cached_property
    def verdict(self) -> str:
        """Whether the response differs by subtype."""
        if self.adjusted[0] <= LEVEL:
            return "response differs by subtype"
        low, high = heterogeneity.pairs(self.effects).interval()
        if max(np.abs(low).max(), np.abs(high).max()) < MARGIN:
            return "no difference found"
        return "inconclusive"

    @cached_property
    def verdict_beyond(self) -> str:
        """Whether anything beyond the subtype makes a difference."""
        if self.adjusted[1] <= LEVEL:
            return "response differs beyond the subtype"
        return "nothing found beyond the subtype"

    @property
    def anything_found(self) -> bool:
        """Whether one of the two tests found a difference."""
        return bool(self.adjusted.min() <= LEVEL)

    @cached_property
    def rules(self) -> heterogeneity.Rules:
        """Values of rules of treatment."""
        return heterogeneity.rules(self.scores, self.patients.outcome)

    @cached_property
    def calibration(self) -> heterogeneity.Calibration:
        """Predicted advantages beside those found."""
        return heterogeneity.calibration(self.scores, GROUPS)

    @cached_property
    def totals(self) -> np.ndarray:
        """(subtypes,) expected first PHQ-9 total."""
        return self._profiles.sum(axis=1)

    @property
    def _profiles(self) -> np.ndarray:
        return self.model.item_probs_ @ np.arange(PHQ9.n_categories)

    @cached_property
    def lean(self) -> np.ndarray:
        """(subtypes,) somatic minus cognitive-affective items, points per item, less the mean."""
        profiles = self._profiles
        balance = profiles[:, SOMATIC].mean(axis=1) - profiles[:, AFFECTIVE].mean(axis=1)
        return balance - self.membership.mean(axis=0) @ balance

    @cached_property
    def descriptions(self) -> list[str]:
        """What each subtype is like, in words."""
        found = []
        for total, lean in zip(self.totals, self.lean, strict=True):
            rounded = int(total + 0.5)
            band = next(b.name for b in PHQ9.bands if b.low <= rounded <= b.high)
            kind = "" if abs(lean) < LEANS else ", somatic" if lean > 0 else ", affective"
            found.append(band + kind)
        return found

    @cached_property
    def unadjusted(self) -> float:
        """Plain difference of the mean last totals."""
        outcome, second = self.patients.outcome, self.patients.treatment == 1
        return float(outcome[second].mean() - outcome[~second].mean())

    @cached_property
    def clearest(self) -> int:
        """The subtype whose effect stands out most from its standard error."""
        return int(np.argmax(np.abs(self.effects.estimate) / self.effects.error))


def cells(membership: np.ndarray, treatment: np.ndarray) -> np.ndarray:
    """Patients by most likely subtype and therapy: (subtypes, 2)."""
    k = membership.shape[1]
    joint = 2 * membership.argmax(axis=1) + treatment
    return np.bincount(joint, minlength=2 * k).reshape(k, 2)
