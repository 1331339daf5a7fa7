"""What became of a referral: the outcome rules of NHS Talking Therapies, made null-aware.

Sources: measure metadata of the annual report 2024-25 (NHS England, OGL v3); PMC8411661, Table 1
(thresholds); Clark 2018, PMC5942544, Table 2 (pairing of measures).
"""

from iesoresearch.measures.outcomes.course import referral_outcomes, therapy_outcomes
from iesoresearch.measures.outcomes.flags import FLAGS
from iesoresearch.measures.outcomes.landmarks import Landmarks, landmarks
from iesoresearch.measures.outcomes.rates import (
    effect_size,
    percentages_from_counts,
    rates,
    wait_band,
    wilson,
    wilson_limits,
)
from iesoresearch.measures.outcomes.thresholds import OFFICIAL, Threshold, Thresholds
from iesoresearch.measures.outcomes.years import financial_year

__all__ = [
    "FLAGS",
    "OFFICIAL",
    "Landmarks",
    "Threshold",
    "Thresholds",
    "effect_size",
    "financial_year",
    "landmarks",
    "percentages_from_counts",
    "rates",
    "referral_outcomes",
    "therapy_outcomes",
    "wait_band",
    "wilson",
    "wilson_limits",
]
