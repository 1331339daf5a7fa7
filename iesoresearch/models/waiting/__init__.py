"""What waiting for talking therapy costs: NHS cash, work lost and health, kept apart."""

from iesoresearch.models.waiting.bands import BANDS
from iesoresearch.models.waiting.cohort import as_cohort_model
from iesoresearch.models.waiting.drawing import at_end, base_case, draw_inputs, groups
from iesoresearch.models.waiting.held import catarino_checks
from iesoresearch.models.waiting.model import WaitingModel
from iesoresearch.models.waiting.outcome import PERSPECTIVES, BreakEven, Outcome
from iesoresearch.models.waiting.plausibility import Course, finished_course
from iesoresearch.models.waiting.scenarios import SCENARIOS, Scenario

__all__ = [
    "BANDS",
    "PERSPECTIVES",
    "SCENARIOS",
    "BreakEven",
    "Course",
    "Outcome",
    "Scenario",
    "WaitingModel",
    "as_cohort_model",
    "at_end",
    "base_case",
    "catarino_checks",
    "draw_inputs",
    "finished_course",
    "groups",
]
