"""Figures of `fairness`: one function each, from released tables only."""

from iesoresearch.figures.fairness.access import plot_leaving, plot_representation, plot_waits
from iesoresearch.figures.fairness.intersections import (
    plot_interactions,
    plot_intersections,
    plot_shrinkage,
)
from iesoresearch.figures.fairness.model import (
    plot_mitigation,
    plot_model_calibration,
    plot_model_rates,
)
from iesoresearch.figures.fairness.outcomes import (
    plot_deprivation,
    plot_pathway,
    plot_rates,
    plot_services,
    plot_steps,
    plot_trends,
)

__all__ = [
    "plot_deprivation",
    "plot_interactions",
    "plot_intersections",
    "plot_leaving",
    "plot_mitigation",
    "plot_model_calibration",
    "plot_model_rates",
    "plot_pathway",
    "plot_rates",
    "plot_representation",
    "plot_services",
    "plot_shrinkage",
    "plot_steps",
    "plot_trends",
    "plot_waits",
]
