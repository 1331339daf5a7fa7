"""The microsimulation of a case: person by person, beside the cohort."""

from __future__ import annotations

import numpy as np

from iesoresearch import seeds
from iesoresearch.models.cases import sampling
from iesoresearch.models.cases.case import Case
from iesoresearch.models.cases.model import cohort_model
from iesoresearch.models.microsimulation import simulate

#: Standard errors between the means of cohort and microsimulation that are taken for chance.
ERRORS = 4.0
#: What everybody collects alike has no standard error, but sums of it are rounded.
ROUND_OFF = 1e-9


def simulated(case: Case, seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Simulate the individuals of a case.

    People who differ are simulated in as many groups as `sampling.people` has values.

    Returns
    -------
    dict of (mean, standard error)
        (K,) each, by reward; "cost" and "effect" among them.
    """
    size, seed = case.microsimulation.size, case.microsimulation.seed + seed
    own = sampling.people(case)
    model = cohort_model(case, own)
    if not own:
        each = sampling.with_sums(case, simulate(model, size, seed).individuals)
        return {name: (x.mean(0), _error(x)) for name, x in each.items()}
    groups = []
    for draw in range(sampling.PEOPLE):
        inner = seeds.derive(seed, "group", draw)
        found = simulate(model, max(size // sampling.PEOPLE, 2), inner, draw=draw)
        groups.append(sampling.with_sums(case, found.individuals))
    result = {}
    for name in groups[0]:
        means = np.array([group[name].mean(0) for group in groups])
        errors = np.array([_error(group[name]) for group in groups])
        # Groups are of one size: their mean is that of all, and only chance within them counts.
        result[name] = (means.mean(0), np.sqrt((errors**2).sum(0)) / len(groups))
    return result


def _error(each: np.ndarray) -> np.ndarray:
    return each.std(0, ddof=1) / np.sqrt(len(each))


def compared(case: Case, totals, found) -> list[tuple[str, float, float, float]]:
    """(quantity, mean of cohort, mean of individuals, tolerance) per reward and strategy."""
    return [
        (
            f"microsimulation against cohort: {reward} of {strategy}",
            totals[strategy][reward],
            float(mean[k]),
            ERRORS * float(error[k]) + ROUND_OFF * abs(totals[strategy][reward]),
        )
        for reward, (mean, error) in found.items()
        for k, strategy in enumerate(case.names)
    ]
