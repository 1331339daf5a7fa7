"""What it does to flag patients in treatment: work, hits, warning time and false reassurance.

A rule flags some of the patients who are in treatment at each session. `measure` says what comes
of it, `compare` sets two rules on the same patients side by side, `benefit` says what would be
gained if a review changed anything, which no such data can show, and `safety` counts what must be
watched whatever the rule. The bad outcome is what a flag warns of, such as no recovery.
"""

from iesoresearch.models.signals.assumed import Benefit, benefit
from iesoresearch.models.signals.counting import Measured
from iesoresearch.models.signals.measuring import Signals, compare, measure
from iesoresearch.models.signals.safety import Rate, safety
from iesoresearch.models.signals.treated import InTreatment, flags_at, flags_like

__all__ = [
    "Benefit",
    "InTreatment",
    "Measured",
    "Rate",
    "Signals",
    "benefit",
    "compare",
    "flags_at",
    "flags_like",
    "measure",
    "safety",
]
