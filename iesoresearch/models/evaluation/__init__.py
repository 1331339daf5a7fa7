"""How good given predictions of a yes-or-no outcome are, useful without the rest of the package."""

from iesoresearch.models.evaluation.evaluating import evaluate
from iesoresearch.models.evaluation.metrics import Calibration
from iesoresearch.models.evaluation.results import Estimate, Evaluation, Performance

__all__ = ["Calibration", "Estimate", "Evaluation", "Performance", "evaluate"]
