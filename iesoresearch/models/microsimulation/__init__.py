"""Simulation of individuals: the twin of a cohort model, and people who differ and remember.

`simulate` takes the same `CohortModel` and agrees with its totals within Monte Carlo error.
`simulate_people` asks functions for the moves and rewards of each individual, who have covariates,
time in state and a memory of states visited. Random numbers are keyed by seed and individual.
"""

from iesoresearch.models.microsimulation.people import (
    People,
    PersonalModel,
    PersonalReward,
    simulate_people,
)
from iesoresearch.models.microsimulation.twin import Simulated, simulate

__all__ = [
    "People",
    "PersonalModel",
    "PersonalReward",
    "Simulated",
    "simulate",
    "simulate_people",
]
