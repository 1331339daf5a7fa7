"""How unequal rates are: gaps, indices over an order of groups, and where on the way a gap arises.

Every difference is *group minus reference*, or *most deprived minus least deprived*: where the
event is a good one, such as recovery, a negative number is worse for the group. Differences are in
percentage points. All of it describes; none of it says why.
"""

from iesoresearch.models.inequality.estimates import Estimate, combination, gaps
from iesoresearch.models.inequality.indices import Inequality, slope_index
from iesoresearch.models.inequality.pathways import NOT_ONE_COHORT, STAGES, Pathway, pathway

__all__ = [
    "NOT_ONE_COHORT",
    "STAGES",
    "Estimate",
    "Inequality",
    "Pathway",
    "combination",
    "gaps",
    "pathway",
    "slope_index",
]
