"""Decision analysis on draws of costs and effects: arrays (draws D, strategies K) in, results out.

Net benefit is willingness to pay × effect − cost; the strategy with the highest expected net
benefit is the best choice, whatever its uncertainty. Uncertainty says what more knowledge is worth.
"""

from iesoresearch.models.decision.acceptability import (
    Acceptability,
    Plane,
    acceptability,
    evpi,
    incremental_net_benefit,
    net_benefit,
    plane,
)
from iesoresearch.models.decision.analytic import (
    normal_evpi,
    normal_probability_best,
    preposterior_sd,
)
from iesoresearch.models.decision.frontier import (
    DOMINATED,
    EXTENDEDLY_DOMINATED,
    ON_FRONTIER,
    Strategy,
    incremental,
)
from iesoresearch.models.decision.information import Estimate, evppi, evppi_all, evsi, population

__all__ = [
    "DOMINATED",
    "EXTENDEDLY_DOMINATED",
    "ON_FRONTIER",
    "Acceptability",
    "Estimate",
    "Plane",
    "Strategy",
    "acceptability",
    "evpi",
    "evppi",
    "evppi_all",
    "evsi",
    "incremental",
    "incremental_net_benefit",
    "net_benefit",
    "normal_evpi",
    "normal_probability_best",
    "plane",
    "population",
    "preposterior_sd",
]
