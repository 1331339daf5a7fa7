"""Bias of apparent and corrected performance, and coverage, where the performance is known.

About five minutes on one core. 500 patients, twenty features of which eight matter, a logistic
model by maximum likelihood. Each model's true performance is that in 40,000 new patients. For the
AUC there is also the location-shifted interval of Noma et al. 2021 (doi:10.1002/sim.9148).
"""

import numpy as np
from _study import Study
from scipy import special
from sklearn.linear_model import LogisticRegression

from iesoresearch.models.evaluation.metrics import auc
from iesoresearch.models.validation import optimism, refit
from iesoresearch.models.validation.performance import measures
from iesoresearch.seeds import derive, rng

N, NEW, REFITS = 500, 40_000, 100
EFFECTS = np.concatenate([[0.6, -0.4, 0.4, -0.3, 0.3, 0.2, -0.2, 0.2], np.zeros(12)])
THRESHOLD = 0.4
FOLLOWED = ("auc", "brier", "scaled_brier", "log_loss", "in_the_large", "slope",
            f"net_benefit at {THRESHOLD:g}")  # fmt: skip


def patients(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Features and outcomes."""
    X = random.normal(size=(n, len(EFFECTS)))
    return X, (random.random(n) < special.expit(X @ EFFECTS - 0.2)).astype(int)


def replicate(seed: int, draw: int) -> dict:
    """One data set: every measure as it appears, corrected with interval, and true."""
    X, y = patients(rng(seed, "patients"), N)
    model = LogisticRegression(C=np.inf, solver="newton-cholesky")
    refits = refit(model, X, y, n_boot=REFITS, random_state=derive(seed, "refits"))
    found = optimism(refits, [THRESHOLD]).measures
    new, outcome = patients(rng(seed, "new patients"), NEW)
    p = model.fit(X, y).predict_proba(new)[:, 1]
    truth = measures(outcome, p, [THRESHOLD])
    return {"shifted": shifted(refits, found["auc"].optimism)} | {
        name: {
            **{key: getattr(found[name], key) for key in ("apparent", "corrected", "low", "high")},
            "true": truth[name],
        }
        for name in FOLLOWED
    }


def shifted(refits, moved: float) -> np.ndarray:
    """Percentiles of the refits' apparent AUCs, less the optimism."""
    samples = (refits.sample(i) for i in range(len(refits.draws)))
    own = [auc(refits.rows.y[k], p[k]) for k, p in zip(samples, refits.draws, strict=True)]
    return np.quantile(own, [0.025, 0.975]) - moved


PLAN = [{"draw": i} for i in range(250)]
STUDY = Study(__file__, __doc__, PLAN, replicate)

if __name__ == "__main__":
    STUDY.main()
