"""False findings, power and coverage of treatment matching, where the effects are planted.

About eight minutes on one core. 2,000 patients had one of two therapies, chosen by severity. In the
first two designs the effect is the same for everybody, so that every claim is false.
"""

import numpy as np
from _study import Study

from iesoresearch.analyses.subtypes_matching import Params
from iesoresearch.analyses.subtypes_matching.patients import drawn
from iesoresearch.analyses.subtypes_matching.study import fit
from iesoresearch.analyses.subtypes_matching.tables import true_effects

SETTINGS = {"n_patients": 2000, "n_starts": 3, "max_subtypes": 6}
#: Planted effect, interaction with the kind, interaction with a long-term condition; data sets.
DESIGNS = {
    "equal for everybody": (0.0, 0.0, 0.0, 150),
    "one better for everybody": (-1.0, 0.0, 0.0, 150),
    "by kind": (-0.5, 2.0, 0.0, 100),
    "by long-term condition": (0.0, 0.0, 2.0, 100),
}


def replicate(seed: int, design: str, draw: int) -> dict:
    """One data set: its p values, verdicts and intervals beside the truth."""
    effect, interaction, beyond, _ = DESIGNS[design]
    params = Params(
        planted_effect=effect, planted_interaction=interaction, planted_beyond=beyond, seed=seed,
        **SETTINGS,
    )  # fmt: skip
    patients = drawn(params, n_jobs=1)
    fitted = fit(patients, params)
    by_subtype, overall = true_effects(fitted)
    low, high = fitted.effects.interval()
    saved = fitted.rules.saved["single"]
    judged = fitted.scores.predicted
    expected, everyone = patients.truth.expected[judged], np.arange(judged.sum())
    single, personal = fitted.scores.better[judged], fitted.rules.chosen
    true_saved = expected[everyone, single] - expected[everyone, personal]
    return {
        "subtypes": fitted.k,
        "p_subtypes": fitted.by_subtype.p,
        "p_beyond": fitted.beyond.p,
        "adjusted": fitted.adjusted,
        "verdict": fitted.verdict,
        "verdict_beyond": fitted.verdict_beyond,
        "covered": int(((low <= by_subtype) & (by_subtype <= high)).sum()),
        "unadjusted": fitted.unadjusted,
        "overall": fitted.overall.estimate[0],
        "overall_error": fitted.overall.error[0],
        "true_overall": overall,
        "saved": saved.estimate[0],
        "saved_error": saved.error[0],
        "true_saved": true_saved.mean(),
        "slope": fitted.calibration.slope.estimate[0],
        "slope_error": fitted.calibration.slope.error[0],
    }


PLAN = [{"design": name, "draw": i} for name, (*_, n) in DESIGNS.items() for i in range(n)]
STUDY = Study(__file__, __doc__, PLAN, replicate)

if __name__ == "__main__":
    STUDY.main()
