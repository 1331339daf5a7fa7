"""Gaps between groups given their case mix: random-intercept models, standardisation, steps.

`standardise` takes a logistic model to everybody's case mix, `direct` only counts of strata, and
`steps` adds blocks of case mix one by one.

All of it describes. An adjusted gap is the gap among patients alike in what was adjusted for, some
of which may itself be a consequence of belonging to the group.
"""

from iesoresearch.models.case_mix.mixed import Mixed, fit_mixed
from iesoresearch.models.case_mix.standardising import Standardised, direct, standardise
from iesoresearch.models.case_mix.stepwise import CAUTION, UNADJUSTED, Steps, steps

__all__ = [
    "CAUTION",
    "UNADJUSTED",
    "Mixed",
    "Standardised",
    "Steps",
    "direct",
    "fit_mixed",
    "standardise",
    "steps",
]
