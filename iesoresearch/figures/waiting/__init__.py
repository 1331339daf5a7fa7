"""Figures of `waiting`: one function each, from released tables only."""

from iesoresearch.figures.waiting.decision import plot_acceptability, plot_plane
from iesoresearch.figures.waiting.queues import plot_break_even, plot_queue
from iesoresearch.figures.waiting.sentence import (
    plot_against_course,
    plot_by_week,
    plot_patient_week,
)
from iesoresearch.figures.waiting.uncertainty import plot_explained, plot_scenarios, plot_tornado

__all__ = [
    "plot_acceptability",
    "plot_against_course",
    "plot_break_even",
    "plot_by_week",
    "plot_explained",
    "plot_patient_week",
    "plot_plane",
    "plot_queue",
    "plot_scenarios",
    "plot_tornado",
]
