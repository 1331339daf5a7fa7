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
from iesoresearch.models.decision.frontier import (
    DOMINATED,
    EXTENDEDLY_DOMINATED,
    ON_FRONTIER,
    Strategy,
    incremental,
)

__all__ = [
    "DOMINATED",
    "EXTENDEDLY_DOMINATED",
    "ON_FRONTIER",
    "Acceptability",
    "Plane",
    "Strategy",
    "acceptability",
    "evpi",
    "incremental",
    "incremental_net_benefit",
    "net_benefit",
    "plane",
]
