"""Whether the effect of one treatment over another differs between people, and for whom.

Treatment was chosen by what was known of a person, not at random. Everything rests on doubly
robust scores, cross-fitted by person: they are right on average if either the outcomes or the
choice of treatment are modelled well, and only if nothing unmeasured moves both. The smaller an
outcome, the better.
"""

from iesoresearch.models.heterogeneity.effects import (
    Z95,
    Fit,
    Statistic,
    beyond_groups,
    effects_by_group,
    equality,
    holm,
    least_squares,
    pairs,
)
from iesoresearch.models.heterogeneity.rules import (
    Calibration,
    Rules,
    calibration,
    e_value,
    rules,
    weighted_difference,
)
from iesoresearch.models.heterogeneity.scores import CLIP, FEWEST, Scores, cross_fit

__all__ = [
    "CLIP",
    "FEWEST",
    "Z95",
    "Calibration",
    "Fit",
    "Rules",
    "Scores",
    "Statistic",
    "beyond_groups",
    "calibration",
    "cross_fit",
    "e_value",
    "effects_by_group",
    "equality",
    "holm",
    "least_squares",
    "pairs",
    "rules",
    "weighted_difference",
]
