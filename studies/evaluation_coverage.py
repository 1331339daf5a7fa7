"""How often the intervals of an evaluation hold the truth, of a model that is right.

About ten minutes on one core. Predictions are the true risks, so that calibration is perfect and
every other number follows from the distribution of the risks by numerical integration. With
clusters, people share an effect that the model does not know: predictions are the risks on average
over such effects, and so are right, but outcomes of a cluster go together.

A replicate is a block of data sets, and says of how many each interval lay below or above the
truth; of an interval that is not named it was none.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from _study import Study
from scipy import stats
from scipy.special import expit

from iesoresearch.models.evaluation import evaluate
from iesoresearch.seeds import rng

N_BOOT = 200  # of a data set; `evaluate` takes 1,000 unless told
BLOCK = 10  # data sets of a replicate
BLOCKS = 150  # replicates of a design


@dataclass(frozen=True)
class Design:
    """Data sets: linear predictor normal, half of its variance between clusters if there are any.

    Attributes
    ----------
    n, clusters
        People, and their clusters of equal size; 0: everybody is independent.
    mean
        Of the linear predictor, whose standard deviation is 1.
    shared
        Standard deviation of the effect that people of a cluster share.
    thresholds
        Of net benefit.
    """

    n: int
    clusters: int
    mean: float
    shared: float
    thresholds: tuple[float, ...]


DESIGNS = {
    "500": Design(500, 0, 0.0, 0.0, (0.25, 0.5)),
    "2000": Design(2000, 0, 0.0, 0.0, (0.25, 0.5)),
    "500 in 100 clusters": Design(500, 100, 0.0, 0.5, (0.25, 0.5)),
    "2000 in 100 clusters": Design(2000, 100, 0.0, 0.5, (0.25, 0.5)),
    "1000, one in ten with the event": Design(1000, 0, -2.6, 0.0, (0.1, 0.2)),
}


def risk(x: np.ndarray, shared: float) -> np.ndarray:
    """Risk on average over the effects of clusters, by Gauss-Hermite quadrature."""
    if not shared:
        return expit(x)
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    return expit(np.add.outer(x, shared * nodes)) @ weights / weights.sum()


@cache
def truth(design: Design) -> dict[str, float]:
    """What an evaluation of everybody would give, by name."""
    x = design.mean + np.linspace(-8, 8, 160_001)
    share = stats.norm.pdf(x, design.mean, 1)
    share /= share.sum()
    p = risk(x, design.shared)
    have, have_not = share * p, share * (1 - p)
    rate = have.sum()
    brier = np.sum(have_not * p)
    found = {
        "auc": np.sum(have * (np.cumsum(have_not) - have_not / 2)) / (rate * (1 - rate)),
        "brier": brier,
        "scaled_brier": 1 - brier / (rate * (1 - rate)),
        "log_loss": -np.sum(have * np.log(p) + have_not * np.log1p(-p)),
        "observed_expected": 1.0,
        "calibration_intercept": 0.0,
        "calibration_slope": 1.0,
        "ici": 0.0,
        "e50": 0.0,
        "e90": 0.0,
    }
    for t in design.thresholds:
        odds, treated = t / (1 - t), p >= t
        found[f"net_benefit_{t:g}"] = np.sum(have[treated]) - odds * np.sum(have_not[treated])
        found[f"treat_all_{t:g}"] = rate - odds * (1 - rate)
        found[f"net_benefit_over_treat_all_{t:g}"] = (
            found[f"net_benefit_{t:g}"] - found[f"treat_all_{t:g}"]
        )
    return found


def draw(random: np.random.Generator, design: Design):
    """One data set: outcomes, predictions and clusters."""
    x, effect, clusters = random.normal(size=design.n), 0.0, None
    if design.clusters:
        clusters = np.arange(design.n) % design.clusters
        x = np.sqrt(0.5) * (x + random.normal(size=design.clusters)[clusters])
        effect = design.shared * random.normal(size=design.clusters)[clusters]
    x += design.mean
    y = random.random(design.n) < expit(x + effect)
    return y, risk(x, design.shared), clusters


def replicate(seed: int, design: str, block: int) -> dict:
    """Data sets whose interval lies below and above the truth, by name of the number."""
    made, random = DESIGNS[design], rng(seed, "data")
    true = truth(made)
    below, above = dict.fromkeys(true, 0), dict.fromkeys(true, 0)
    for number in range(BLOCK):
        y, p, clusters = draw(random, made)
        found = evaluate(
            y, p, clusters=clusters, thresholds=made.thresholds, n_boot=N_BOOT,
            random_state=seed + number,
        )  # fmt: skip
        for name, value in true.items():
            interval = found.overall[name]
            below[name] += not interval.high >= value
            above[name] += not interval.low <= value
    return {
        "below": {k: n for k, n in below.items() if n},
        "above": {k: n for k, n in above.items() if n},
    }


PLAN = [{"design": name, "block": i} for name in DESIGNS for i in range(BLOCKS)]
STUDY = Study(__file__, __doc__, PLAN, replicate)

if __name__ == "__main__":
    STUDY.main()
