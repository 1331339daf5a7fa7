"""How good given predictions of a yes-or-no outcome are, useful without the rest of the package."""

from iesoresearch.models.evaluation.metrics import Calibration

__all__ = ["Calibration"]
