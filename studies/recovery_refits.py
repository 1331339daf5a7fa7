"""Optimism of the whole procedure of `recovery` by 200 refits, beside what new patients show.

Some minutes on one core. Boosted trees, tuning and all, are fitted at one landmark of 20,000
drawn referrals, and again to 200 samples of their patients. The last replicate judges the model of
everybody on 20,000 referrals drawn anew: what the corrected numbers should be close to.
"""

from functools import cache

import numpy as np
from _study import SEED, Study

from iesoresearch.analyses.recovery import Params
from iesoresearch.analyses.recovery.data import AtLandmark
from iesoresearch.analyses.recovery.schemas import schema
from iesoresearch.analyses.recovery.study import load
from iesoresearch.models.evaluation import metrics
from iesoresearch.models.prediction.nested import Tuned
from iesoresearch.params import Settings
from iesoresearch.seeds import derive, rng

LANDMARK, OUTCOME, N, REFITS = 4, "reliable_recovery", 20_000, 200
SCHEMA = schema(LANDMARK, OUTCOME)


@cache
def cohort(name: str) -> AtLandmark:
    """Patients at the landmark of the cohort of that name."""
    seed = derive(SEED, "recovery_refits", name) % 2**32
    params = Params(n_referrals=N, landmarks=[0, LANDMARK], detail=LANDMARK, seed=seed)
    return load(params, Settings()).at[LANDMARK]


def fitted(rows=None) -> Tuned:
    """The procedure fitted to everybody, or to `rows`; copies of a patient stay together."""
    at = cohort("one")
    X, y = SCHEMA.encode(at.features(OUTCOME)), at.y(OUTCOME)
    rows = np.arange(len(y)) if rows is None else rows
    return Tuned("xgboost", SCHEMA).fit(X[rows], y[rows], at.patient[rows])


def judged(model: Tuned, at: AtLandmark, rows=None) -> tuple[float, float, float]:
    """AUC, calibration slope and Brier score."""
    y, p = at.y(OUTCOME), model.predict_proba(at.features(OUTCOME))[:, 1]
    if rows is not None:
        y, p = y[rows], p[rows]
    return metrics.auc(y, p), metrics.calibration(y, p).slope, metrics.brier(y, p)


def replicate(seed: int, part: str, draw: int) -> dict:
    """One refit, judged in its own sample and in everybody; or the model in new patients."""
    at = cohort("one")
    if part == "new patients":
        model, new = fitted(), cohort("two")
        return {"n": at.n, "n_new": new.n, "apparent": judged(model, at), "new": judged(model, new)}
    rows = rng(seed).integers(0, at.n, at.n)  # one referral per patient
    model = fitted(rows)
    return {"own": judged(model, at, rows), "original": judged(model, at)}


PLAN = [{"part": "refit", "draw": i} for i in range(REFITS)]
PLAN.append({"part": "new patients", "draw": 0})
STUDY = Study(__file__, __doc__, PLAN, replicate)

if __name__ == "__main__":
    STUDY.main()
