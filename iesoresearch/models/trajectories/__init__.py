"""Classes of patients whose scores take different ways: a mixture of growth curves."""

from iesoresearch.models.trajectories.choice import Choice, choose
from iesoresearch.models.trajectories.classes import Curves, TrajectoryClasses

__all__ = ["Choice", "Curves", "TrajectoryClasses", "choose"]
