"""A talking-therapy service as a queue: who waits how long, and what that and capacity cost.

`Service` says how things are and `Scenario` what changes; `simulate` follows patients one by one
over replications, `fluid` gives the mean at once; `calibrate` finds the service whose waits are
those published for England; `net_saving` sets the cost of waiting that capacity saves against its
price.
"""

from iesoresearch.models.queue.calibration import (
    ROUTES,
    SERVICES,
    Calibration,
    Published,
    calibrate,
)
from iesoresearch.models.queue.economics import (
    BreakEven,
    NetSaving,
    Prices,
    break_even,
    net_saving,
)
from iesoresearch.models.queue.events import follow_by_events
from iesoresearch.models.queue.fluid import Fluid, fluid
from iesoresearch.models.queue.lists import Run, follow, simulate_once
from iesoresearch.models.queue.people import People, draw_people
from iesoresearch.models.queue.service import WEEKS_A_YEAR, Route, Scenario, Service
from iesoresearch.models.queue.simulation import (
    STAGES,
    THRESHOLDS,
    Simulated,
    intervals,
    simulate,
)
from iesoresearch.models.queue.steady import Steady, in_balance, steady

__all__ = [
    "ROUTES",
    "SERVICES",
    "STAGES",
    "THRESHOLDS",
    "WEEKS_A_YEAR",
    "BreakEven",
    "Calibration",
    "Fluid",
    "NetSaving",
    "People",
    "Prices",
    "Published",
    "Route",
    "Run",
    "Scenario",
    "Service",
    "Simulated",
    "Steady",
    "break_even",
    "calibrate",
    "draw_people",
    "fluid",
    "follow",
    "follow_by_events",
    "in_balance",
    "intervals",
    "net_saving",
    "simulate",
    "simulate_once",
    "steady",
]
