"""How often intervals of pooled sites hold the truth: few sites, rare events, counts as ranges.

About three minutes on one core. True log odds of the sites are normal around `mean` with a standard
deviation of `tau`; sites have 60 to 400 people. A replicate is a block of data sets. Of each, the
average is pooled from log odds with half a person added to both cells (the usual correction) by
inverse variances with a normal interval and with Hartung and Knapp's, and by the likelihood of the
counts: exact, and as they are after counts below 10 were suppressed and others rounded to 5. It
says in how many the average, and by the prediction interval the truth of a further site, is inside.
"""

import numpy as np
from _study import Study
from scipy import stats

from iesoresearch.models.pooling import rare
from iesoresearch.models.pooling.between import variance_between
from iesoresearch.models.pooling.counts import Count
from iesoresearch.models.pooling.effects import random_effects
from iesoresearch.models.pooling.rare import Proportion
from iesoresearch.seeds import rng

BLOCK = 10  # data sets of a replicate
BLOCKS = 8  # replicates of a cell of the design
SITES = (2, 3, 5, 10)
#: Rate in words -> mean log odds, and the standard deviation between sites.
RATES = {"common": (0.0, 0.3), "rare": (-3.2, 0.4)}
LEAST, BASE = 10, 5


def shown(count: int) -> Count:
    """A count after rounding to `BASE`, as the range that it may have been."""
    middle = BASE * round(count / BASE)
    return Count.between(max(middle - 2, LEAST), middle + 2)


def released(events: int, n: int) -> Proportion:
    """Events and people as a site releases them."""
    people = shown(n)
    if min(events, n - events) < LEAST:
        return Proportion(Count.small_or_rest(0, LEAST - 1, people.low, people.high), people)
    return Proportion(shown(events), people)


def usual(y: np.ndarray, errors: np.ndarray) -> tuple[float, float]:
    """Normal interval of the random-effects average, as it is without Hartung and Knapp."""
    w = 1 / (errors**2 + variance_between(y, errors**2, "reml"))
    mean, half = w @ y / w.sum(), stats.norm.ppf(0.975) * w.sum() ** -0.5
    return mean - half, mean + half


def replicate(seed: int, rate: str, k: int, block: int) -> dict:
    """Data sets whose interval holds the truth, by method."""
    mean, tau = RATES[rate]
    held = dict.fromkeys(
        ("normal", "knapp", "further_knapp", "likelihood", "further_likelihood", "ranges"), 0
    )
    for number in range(BLOCK):
        random = rng(seed, "data", number)
        truth = random.normal(mean, tau, k + 1)
        n = random.integers(60, 401, k)
        events = random.binomial(n, 1 / (1 + np.exp(-truth[:k])))
        cells = np.array([events, n - events]) + 0.5
        y, errors = np.log(cells[0] / cells[1]), np.sqrt((1 / cells).sum(axis=0))
        low, high = usual(y, errors)
        knapp = random_effects(y, errors)
        pairs = list(zip(events.tolist(), n.tolist(), strict=True))
        exact = rare.proportion([Proportion(Count.exact(x), Count.exact(m)) for x, m in pairs])
        ranges = rare.proportion([released(x, m) for x, m in pairs])
        held["normal"] += low <= mean <= high
        held["knapp"] += knapp.low <= mean <= knapp.high
        held["further_knapp"] += knapp.predicted_low <= truth[k] <= knapp.predicted_high
        held["likelihood"] += exact.low <= mean <= exact.high
        held["further_likelihood"] += exact.predicted_low <= truth[k] <= exact.predicted_high
        held["ranges"] += ranges.low <= mean <= ranges.high
    return {"sets": BLOCK, **{name: int(count) for name, count in held.items()}}


PLAN = [
    {"rate": rate, "k": k, "block": block}
    for rate in RATES
    for k in SITES
    for block in range(BLOCKS)
]
STUDY = Study(__file__, __doc__, PLAN, replicate)

if __name__ == "__main__":
    STUDY.main()
