"""Ways to make decisions of a prediction model more alike between groups, and what they cost.

None of them is a cure: each closes one gap, mostly at the price of another or of everybody's
benefit, and nearly all need to know the group of a patient to decide.
"""

from iesoresearch.models.mitigation.comparing import METRICS, Comparison, Judged, compare
from iesoresearch.models.mitigation.counting import Measured
from iesoresearch.models.mitigation.rules import (
    EQUALISED_ODDS,
    NOTHING,
    PARITY,
    RECALIBRATION,
    REDUCTION,
    RULES,
    TPR_PARITY,
)

__all__ = [
    "EQUALISED_ODDS",
    "METRICS",
    "NOTHING",
    "PARITY",
    "RECALIBRATION",
    "REDUCTION",
    "RULES",
    "TPR_PARITY",
    "Comparison",
    "Judged",
    "Measured",
    "compare",
]
