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

    People who differ are simulated part by part, as many of each as its share says.

    Returns
    -------
    dict of (mean, standard error)
        (K,) each, by reward; "cost" and "effect" among them.
    """
    size, seed = case.microsimulation.size, case.microsimulation.seed + seed
    shares, own = sampling.people(case)
    model = cohort_model(case, own)
    means, errors = [], []
    for part, share in enumerate(shares):
        inner = seed if len(shares) == 1 else seeds.derive(seed, "part", part)
        found = simulate(
            model, max(round(size * share), 2), inner, draw=min(part, model.n_draws - 1)
        )
        each = sampling.with_sums(case, found.individuals)
        means.append({name: x.mean(0) * share for name, x in each.items()})
        errors.append({name: (_error(x) * share) ** 2 for name, x in each.items()})
    # Only chance within the parts counts: their values are the same in the cohort.
    return {
        name: (sum(mean[name] for mean in means), np.sqrt(sum(error[name] for error in errors)))
        for name in means[0]
    }


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
