"""A month in the starting state against a month without symptoms: the check on Catarino 2023."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from iesoresearch.data.health_economics import Input
from iesoresearch.models.markov_cohort import CohortModel, Duration, Reward
from iesoresearch.models.waiting.bands import BANDS, key

MONTH = Duration(1, "month")
WTP = 20_000.0  # £ per QALY, as in the paper
WEEKS_PER_MONTH = 365 / 12 / 7  # a year of 365 days, on which the figures to be met rest


@dataclass(frozen=True)
class Held:
    """What one month in a band costs more than one in the first band.

    Attributes
    ----------
    background, qaly
        £ spent more, QALYs lost.
    per_month, per_week
        Both together in £, a QALY at £20,000.
    """

    condition: str
    band: str
    background: float
    qaly: float
    per_month: float
    per_week: float


def catarino_checks(inputs: Sequence[Input]) -> list[Held]:
    """Hold people in their starting band for a month, on the general engine, undiscounted.

    Catarino et al. 2023 (doi:10.1038/s44220-023-00106-z) hold people in their starting state until
    treatment ends. An upper bound on the cost of a month, for it takes full recovery to be what is
    delayed.

    Parameters
    ----------
    inputs
        As of `load_inputs`; the values are used, not the distributions.

    Returns
    -------
    list
        One row per condition and starting band.
    """
    value = {x.name: x.value for x in inputs}
    rows = []
    for condition, bands in BANDS.items():
        cost = np.array([value[f"background_{condition}_{key(b)}"] for b in bands])
        utility = np.array([value[f"utility_sf6d_{condition}_{key(b)}"] for b in bands])
        totals = CohortModel(
            states=bands,
            strategies=bands,
            start=np.eye(len(bands))[None],
            transitions=np.eye(len(bands)),
            rewards=(
                Reward("background", cost, "start"),
                Reward("qaly", utility * MONTH.years, "start", utility=True),
            ),
            n_cycles=1,
            cycle=MONTH,
        ).totals(discounted=False)
        more = totals["background"][0] - totals["background"][0, 0]
        lost = totals["qaly"][0, 0] - totals["qaly"][0]
        both = more + WTP * lost
        weekly = both / WEEKS_PER_MONTH
        numbers = zip(bands, more, lost, both, weekly, strict=True)
        rows += [Held(condition, b, *map(float, rest)) for b, *rest in list(numbers)[1:]]
    return rows
