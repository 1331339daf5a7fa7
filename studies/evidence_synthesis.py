"""How often the synthesis of trials finds what was planted: bias, and coverage of 95 % intervals.

About three minutes on one core. 80 trials of one to three comparisons, with standard errors like
those of published trials of psychotherapy. In the first design small trials are like large ones; in
the second their effects are larger, and the model is fitted both without and with that.
"""

import numpy as np
from _study import Study

from iesoresearch.models.evidence_synthesis import (
    Comparisons,
    Synthesis,
    coefficients,
    draw_effects,
    restricted,
)
from iesoresearch.seeds import rng

TRIALS, REPLICATES = 80, 100
PLANTED = {"mean": 0.6, "between": 0.4, "within": 0.2}
RISE = 1.5  # per unit of the standard error, second design
#: Whether small trials differ, and what is fitted.
DESIGNS = {
    "alike": (0.0, "none"),
    "small trials differ, ignored": (RISE, "none"),
    "small trials differ": (RISE, "error"),
}
MODEL = Synthesis(draws=750, tune=400, chains=2)  # compiled once in a process


def drawn(seed: int, rise: float) -> Comparisons:
    """Effects of one set of trials."""
    random = rng(seed, "trials")
    trial = np.repeat(np.arange(TRIALS), random.choice([1, 2, 3], TRIALS, p=[0.6, 0.3, 0.1]))
    patients = 10 + random.gamma(1.5, 20, TRIALS)[trial]  # in each group
    error = np.sqrt(2 / patients)
    effect = draw_effects(
        random, error, trial, mean=PLANTED["mean"] + rise * error,
        between=PLANTED["between"], within=PLANTED["within"],
    )  # fmt: skip
    return Comparisons.of(effect, error, trial)


def replicate(seed: int, design: str, draw: int) -> dict:
    """One set of trials: estimates, and which intervals hold what was planted."""
    rise, fitted = DESIGNS[design]
    data = drawn(seed, rise)
    fit = MODEL.fit(data, small_study=fitted, seed=seed)
    found = fit.summary() | coefficients(fit, MODEL.priors)
    likely = restricted(data, small_study=fitted)
    record = {"comparisons": data.n, "divergences": fit.divergences, "reml": likely.mean}
    record["reml_covered"] = int(likely.low <= PLANTED["mean"] <= likely.high)
    for name, truth in (PLANTED | {"small_study": rise}).items():
        if name in found:
            estimate = found[name]
            record[name] = estimate.x
            record[f"{name}_covered"] = int(estimate.x_low <= truth <= estimate.x_high)
    return record


PLAN = [{"design": name, "draw": i} for name in DESIGNS for i in range(REPLICATES)]
STUDY = Study(__file__, __doc__, PLAN, replicate)

if __name__ == "__main__":
    STUDY.main()
