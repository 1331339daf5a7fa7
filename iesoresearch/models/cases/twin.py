"""The microsimulation of a case: person by person, beside the cohort."""

from __future__ import annotations

import numpy as np

from iesoresearch.models.cases.case import Case


def simulated(case: Case, seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Mean and standard error (K,) per reward."""
    return {}


def compared(case: Case, totals, found) -> list:
    """Rows that compare the microsimulation with the cohort."""
    return []
