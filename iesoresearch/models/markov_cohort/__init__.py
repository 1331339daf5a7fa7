"""Cohort models of health states: many draws and strategies at once, conventions by name.

A reward is counted, discounted and scaled as the names in `timing` and `units` say; nothing about
units or timing is guessed. `tunnels` gives a state a clock.

Examples
--------
A monthly model with an annual rate of recovery, drawn twice:

>>> import numpy as np
>>> month = Duration(1, "month")
>>> recovers = probability_from_rate(np.array([0.6, 0.9]), per=YEAR, cycle=month)
>>> p = np.zeros((2, 1, 1, 2, 2))
>>> p[:, 0, 0, 0] = np.stack([1 - recovers, recovers], axis=1)
>>> p[:, 0, 0, 1, 1] = 1
>>> qaly = Reward(
...     "qaly",
...     per_cycle([0.6, 0.8], per=YEAR, cycle=month),
...     "trapezoid",
...     discount(0.035, 24, month),
...     utility=True,
... )
>>> model = CohortModel(("ill", "well"), ("usual",), [1, 0], p, (qaly,), 24, month)
>>> [round(total, 4) for total in model.totals()["qaly"][:, 0].tolist()]
[1.3195, 1.3651]
"""

from iesoresearch.models.markov_cohort.chunks import evaluate_in_chunks
from iesoresearch.models.markov_cohort.model import CohortModel
from iesoresearch.models.markov_cohort.rewards import Reward
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
    "same_unit",
    "weibull_hazards",
    "weights",
]
