"""Cohort models of health states: many draws and strategies at once, conventions by name.

A reward is counted, discounted and scaled as the names in `timing` and `units` say; nothing about
units or timing is guessed. `tunnels` gives a state a clock.
"""

from iesoresearch.models.markov_cohort.chunks import evaluate_in_chunks
from iesoresearch.models.markov_cohort.model import CohortModel
from iesoresearch.models.markov_cohort.rewards import Reward
from iesoresearch.models.markov_cohort.shapes import same_states
from iesoresearch.models.markov_cohort.timing import CONVENTIONS, EXPONENTS, discount, weights
from iesoresearch.models.markov_cohort.tunnels import (
    Expanded,
    expand,
    hazards,
    weibull_hazards,
)
from iesoresearch.models.markov_cohort.units import (
    PER_YEAR,
    YEAR,
    Duration,
    per_cycle,
    probability_from_rate,
    rate_from_probability,
    rescale_probability,
    same_unit,
)

__all__ = [
    "CONVENTIONS",
    "EXPONENTS",
    "PER_YEAR",
    "YEAR",
    "CohortModel",
    "Duration",
    "Expanded",
    "Reward",
    "discount",
    "evaluate_in_chunks",
    "expand",
    "hazards",
    "per_cycle",
    "probability_from_rate",
    "rate_from_probability",
    "rescale_probability",
    "same_states",
    "same_unit",
    "weibull_hazards",
    "weights",
]
