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
from iesoresearch.models.decision.groups import (
    Distribution,
    Subgroup,
    Subgroups,
    by_subgroup,
    distributional,
)
from iesoresearch.models.decision.information import Estimate, evppi, evppi_all, evsi, population
from iesoresearch.models.decision.sensitivity import (
    Bar,
    Scenario,
    Threshold,
    TwoWay,
    one_way,
    scenarios,
    threshold,
    tornado,
    two_way,
)
from iesoresearch.models.decision.variance import explained, explained_all

__all__ = [
    "DOMINATED",
    "EXTENDEDLY_DOMINATED",
    "ON_FRONTIER",
    "Acceptability",
    "Bar",
    "Distribution",
    "Estimate",
    "Plane",
    "Scenario",
    "Strategy",
    "Subgroup",
    "Subgroups",
    "Threshold",
    "TwoWay",
    "acceptability",
    "by_subgroup",
    "distributional",
    "evpi",
    "evppi",
    "evppi_all",
    "evsi",
    "explained",
    "explained_all",
    "incremental",
    "incremental_net_benefit",
    "net_benefit",
    "normal_evpi",
    "normal_probability_best",
    "one_way",
    "plane",
    "population",
    "preposterior_sd",
    "scenarios",
    "threshold",
    "tornado",
    "two_way",
]
