"""Whether the same answers mean the same in every group.

Two questions, two methods: does an item work alike at equal severity (`purification.functioning`:
ordinal logistic regression on a purified severity, and `impact` of what differs on totals), and do
the same classes of answers exist (`classes`: measurement invariance of latent classes).
"""

from iesoresearch.models.item_functioning.answers import LEAST_ANSWERS, Answers
from iesoresearch.models.item_functioning.purification import Functioning, freest, functioning
from iesoresearch.models.item_functioning.regressions import LARGE, MODERATE, Design, ItemTest
from iesoresearch.models.item_functioning.totals import Impact, impact, intervals

__all__ = [
    "LARGE",
    "LEAST_ANSWERS",
    "MODERATE",
    "Answers",
    "Design",
    "Functioning",
    "Impact",
    "ItemTest",
    "freest",
    "functioning",
    "impact",
    "intervals",
]
