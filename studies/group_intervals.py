"""How often the intervals of rates by group, of their differences and ratios hold the truth.

About ten minutes on one core. Two groups of as many patients, but for chance; `prevalence` is
that of the outcome in the reference, the other has `GAP` more. Decisions find a share of those with
the outcome and of those without, which differ by group. In the designs with clusters, patients of a
service, or referrals of a patient, go together: chances of each are drawn from beta distributions.

A replicate is a block of data sets, each resampled as a stratum of its own, which is what an audit
of it does. It says by kind and metric in how many an interval was given, and in how many of these
it lay below and above the truth.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from _study import Study

from iesoresearch.models.group_metrics import GroupAudit, audit, counting, resampling
from iesoresearch.models.group_metrics.coding import Grouping
from iesoresearch.models.group_metrics.intervals import Z
from iesoresearch.models.group_metrics.metrics import RATES
from iesoresearch.models.group_metrics.results import OVERALL
from iesoresearch.seeds import rng

N_BOOT = 200  # of a data set; `audit` takes 1,000 unless told
BLOCK = 500  # data sets of a replicate
BLOCKS = 4  # replicates of a cell
FAMILIES = 50  # audits of a replicate about multiplicity
GAP = 0.1  # of prevalence
TPR, FPR = (0.6, 0.75), (0.25, 0.2)  # of the group and of the reference
THRESHOLD = 0.3
ALL = RATES["prevalence"]
METRICS = ("prevalence", "tpr", "fpr", "ppv", "net_benefit")
PREVALENCES = (0.05, 0.1, 0.3, 0.5)


@dataclass(frozen=True)
class Design:
    """Data sets of one kind.

    Attributes
    ----------
    sizes
        Expected patients (or referrals) of either group.
    clusters
        Services that both groups go to; 0: referrals of one patient are a cluster of one group.
        None: everybody is independent.
    alike
        Correlation within a cluster.
    """

    sizes: tuple[int, ...]
    clusters: int | None
    alike: float


DESIGNS = {
    "independent": Design((10, 20, 30, 50, 100, 300, 1000), None, 0.0),
    "20 services": Design((300, 1000), 20, 0.03),
    "60 services": Design((300, 1000), 60, 0.03),
    "referrals of patients": Design((50, 100, 300, 1000), 0, 0.5),
}


def draw(random: np.random.Generator, made: Design, n: int, prevalence: float, sets: int):
    """Outcomes, decisions, groups (2 × data set + 0 or 1), and clusters if there are any."""
    sizes = np.maximum(random.poisson(n, size=2 * sets), 1)
    group = np.repeat(np.arange(2 * sets), sizes)
    clusters, chance = None, np.array([[prevalence + GAP, prevalence], TPR, FPR])[:, group % 2]
    if made.clusters:
        share = np.cumsum(random.dirichlet(np.full(made.clusters, 3.0), size=sets), axis=1)
        place = share[group // 2] < random.random((len(group), 1))
        clusters = place.sum(axis=1).clip(max=made.clusters - 1) + made.clusters * (group // 2)
    elif made.clusters == 0:
        # one patient in three has a second referral, one in nine a third, and so on
        first = random.random(len(group)) < 2 / 3
        first[np.r_[0, np.cumsum(sizes)[:-1]]] = True
        clusters = np.cumsum(first) - 1
    if clusters is not None:
        chance = alike(random, chance, group, clusters, made.alike)
    y = random.random(len(group)) < chance[0]
    decision = random.random(len(group)) < np.where(y, chance[1], chance[2])
    return y, decision, group, clusters


def alike(random, chance, group, clusters, correlation: float) -> np.ndarray:
    """Chances that rows of one cluster and group share, beta with the same mean."""
    _, first, which = np.unique(2 * clusters + group, return_index=True, return_inverse=True)
    scale = 1 / correlation - 1
    mean = chance[:, first]
    return random.beta(mean * scale, (1 - mean) * scale)[:, which]


def truth(prevalence: float) -> dict[str, np.ndarray]:
    """Metric -> (2,) of the group and of the reference."""
    prevalence = np.array([prevalence + GAP, prevalence])
    true, false = prevalence * TPR, (1 - prevalence) * FPR
    odds = THRESHOLD / (1 - THRESHOLD)
    return {
        "prevalence": prevalence, "tpr": np.array(TPR), "fpr": np.array(FPR),
        "ppv": true / (true + false), "net_benefit": true - odds * false,
    }  # fmt: skip


def audited(y, decision, group, clusters, seed: int) -> GroupAudit:
    """All data sets as groupings of one audit; the reference is their second group."""
    sets = int(group.max()) // 2 + 1
    levels = [(str(i), level) for i in range(sets) for level in "ab"]
    codes = Grouping("all", tuple(map(str, levels)), group, np.eye(len(levels), dtype=bool))
    units = counting.units(y, decision, [codes], clusters, group // 2)
    there = {name: units.in_views(RATES.get(name, ALL).denominator) for name in METRICS}
    return GroupAudit(
        [OVERALL, *levels], (units.many @ units.counts).reshape(-1, 4),
        resampling.resample(units, N_BOOT, seed, 1), METRICS, THRESHOLD,
        {str(i): "b" for i in range(sets)}, there if clusters is not None else None, frozenset(),
    )  # fmt: skip


def intervals(found: GroupAudit):
    """Kind, metric, whether it is given, lower and upper limit: (data sets,) each."""
    for metric in METRICS:
        rate, compared = found.estimates[metric], found.compared(metric)
        ends = (end[1::2] for end in rate.limits(Z))  # the first view is everybody
        yield "rate", metric, *ends, rate.reason[1::2]
        yield "difference", metric, *compared[1](Z), compared[2]
        if metric != "net_benefit":
            yield "ratio", metric, *found.divided(metric)[1:]


def replicate(seed: int, design: str, n: int, prevalence: float, block: int) -> dict:
    """Intervals given, and those below and above the truth, by kind and metric."""
    if design == "six groups alike":
        return family(seed, n, prevalence)
    true = truth(prevalence)
    drawn = draw(rng(seed, "data"), DESIGNS[design], n, prevalence, BLOCK)
    counted = {}
    for kind, metric, low, high, reasons in intervals(audited(*drawn, seed)):
        a, b = true[metric]
        value = {"rate": a, "difference": a - b, "ratio": a / b}[kind]
        given = np.array([not reason for reason in reasons])
        missed = [given, given & (high < value), given & (low > value)]
        counted[f"{kind} {metric}"] = [int(which.sum()) for which in missed]
    return {"given": counted}


def family(seed: int, n: int, prevalence: float) -> dict:
    """Of audits of six groups alike: with an interval that misses, and with a false alarm."""
    counted = dict.fromkeys(("audits", "single", "simultaneous", "p", "p_adjusted"), 0)
    for number in range(FAMILIES):
        random = rng(seed, "data", number)
        group = np.repeat(np.arange(6), np.maximum(random.poisson(n, size=6), 1))
        y = random.random(len(group)) < prevalence
        decision = random.random(len(group)) < np.where(y, TPR[0], FPR[0])
        found = audit(
            y, decision, {"group": group}, metrics=METRICS, threshold=THRESHOLD,
            n_boot=1000, random_state=seed + number,
        ).differences()  # fmt: skip
        missed = [
            ((pl.col(f"low{which}") > 0) | (pl.col(f"high{which}") < 0)).any()
            for which in ("", "_simultaneous")
        ]
        alarms = [(pl.col(p) < 0.05).any() for p in ("p", "p_adjusted")]
        checks = dict(zip(list(counted)[1:], [*missed, *alarms], strict=True))
        counted["audits"] += 1
        for name, value in found.select(**checks).row(0, named=True).items():
            counted[name] += int(value)
    return {"family": counted}


PLAN = [
    {"design": name, "n": n, "prevalence": p, "block": i}
    for name, design in DESIGNS.items()
    for n in design.sizes
    for p in PREVALENCES
    for i in range(BLOCKS)
]
PLAN += [
    {"design": "six groups alike", "n": n, "prevalence": 0.3, "block": i}
    for n in (100, 1000)
    for i in range(1000 // FAMILIES)
]
STUDY = Study(__file__, __doc__, PLAN, replicate)

if __name__ == "__main__":
    STUDY.main()
