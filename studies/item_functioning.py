"""False alarms, power and intervals of the comparison of items between groups.

About five minutes on one core. Answers to nine items are drawn for a reference group and another
one from a graded response model with thresholds like those of a population (higher answers are
rare), so that what differs is known: nothing, though the other group is less ill by half a standard
deviation; then one item by a shift of its log odds, one by its slope, or three by a shift. For
latent classes, answers come from two classes, the same in both groups or different in two items.
"""

import numpy as np
from _study import Study
from scipy import stats

from iesoresearch.models.heterogeneity import holm
from iesoresearch.models.item_functioning import (
    Answers,
    classes,
    freest,
    functioning,
    impact,
    intervals,
    ordinal,
)
from iesoresearch.models.item_functioning.purification import LEVEL, Functioning
from iesoresearch.models.item_functioning.trait import Trait
from iesoresearch.seeds import derive, rng
from iesoresearch.simulate import draw_answers

CUTOFF = 10
THRESHOLDS = np.array([
    [-2.2, -4.3, -5.4], [-2.9, -5.4, -6.7], [-0.8, -2.9, -3.8], [-0.2, -2.8, -4.0],
    [-1.9, -3.6, -4.7], [-3.6, -5.9, -7.0], [-3.0, -4.8, -5.6], [-3.8, -5.2, -6.2],
    [-5.6, -6.9, -7.9],
])  # fmt: skip
SLOPES = np.array([2.1, 3.0, 1.6, 2.0, 1.7, 2.5, 1.9, 1.9, 2.3])
#: People of each group, mean of the other group, what is added to log odds and to slopes of items;
#: data sets.
DESIGNS = {
    "alike": (1000, -0.5, {}, {}, 120),
    "alike, many": (3000, -0.5, {}, {}, 20),
    "shift": (1000, -0.5, {4: 0.6}, {}, 40),
    "slope": (1000, -0.5, {}, {2: 0.8}, 40),
    "three": (1000, -0.5, {3: -0.6, 4: -0.6, 7: 0.6}, {}, 30),
}
#: Probability moved to the highest answer in two items of a class; data sets.
CLASSES = {"same classes": (0.0, 60), "two items differ": (0.2, 30)}
PEOPLE_OF_CLASSES = 400
SHARES = np.array([[0.7, 0.3], [0.8, 0.2]])
ITEMS_OF_CLASSES = 6
DRAWS_OF_CLASSES = 19


def truth(design: str) -> Trait:
    """The model that answers are drawn from."""
    _, mean, shift, tilt, _ = DESIGNS[design]
    added = np.zeros((2, 2, len(SLOPES)))
    for part, values in zip(added, (shift, tilt), strict=True):
        for item, value in values.items():
            part[1, item] = value
    return Trait(
        THRESHOLDS, SLOPES, added[0], added[1], np.array([0.0, mean]), np.ones(2),
        tuple(sorted({*shift, *tilt})), 0,
    )  # fmt: skip


def drawn(model: Trait, n: int, seed: int) -> Answers:
    """Answers of n people in each group; who answers nothing above zero to all stays."""
    random = rng(seed, "answers")
    groups = np.repeat([0, 1], n)
    severity = model.mean[groups] + model.sd[groups] * random.standard_normal(2 * n)
    slope = model.slopes + model.tilt[groups]
    logits = model.thresholds + (slope * severity[:, None] + model.shift[groups])[:, :, None]
    reached = random.random((2 * n, len(model.slopes), 1)) < 1 / (1 + np.exp(-logits))
    return Answers.of(reached.sum(axis=2).astype(np.int8), groups, reference=0)


def of_items(seed: int, design: str) -> dict:
    """Compare the items of one data set."""
    model = truth(design)
    data = drawn(model, DESIGNS[design][0], seed)
    found, by_total = functioning(data), functioning(data, matching="total")
    cautious = freest(found)
    return {
        "differing": found.differing,
        "differing_by_total": by_total.differing,
        "false_by_line": bool((holm(by_line(data, found)) < LEVEL).any()),
        "p": [1.0 if item is None else item.total.p for item in found.items],
        "change": [0.0 if item is None else item.change for item in found.items],
        "log_odds": [0.0 if item is None else item.log_odds[1] for item in found.items],
        "mean": found.trait.mean[1],
        "settled": found.settled,
        "at_cutoff": _with_truth(found.trait, model, data, seed),
        "at_cutoff_cautious": _with_truth(cautious, model, data, seed),
    }


def by_line(data: Answers, found: Functioning) -> list[float]:
    """P values of the items with a straight line for severity, as in the literature."""
    severity = found.trait.severity(data)
    values = []
    for i, item in enumerate(found.items):
        rows = np.flatnonzero(data.items[:, i] >= 0)
        if item is None:
            values.append(1.0)
            continue
        counts = np.eye(item.joined.max() + 1)[item.joined[data.items[rows, i]]]
        counts *= data.weights[rows, None]
        x, other = severity[rows, None], data.groups[rows, None] == 1
        alone, both = (ordinal.fit(z, counts) for z in (x, np.hstack([x, other, x * other])))
        gain = 2 * (both.log_likelihood - alone.log_likelihood)
        values.append(float(stats.chi2.sf(gain, 2)))
    return values


def _with_truth(found: Trait, model: Trait, data: Answers, seed: int) -> list[float]:
    """Points at the cut-off in the other group: estimate, ends of its interval, truth."""
    both = [impact(each, data, CUTOFF).at_cutoff for each in (found, model)]
    low = high = np.zeros(2)  # nothing is free, so nothing is found
    if found.free:
        low, high = intervals(found, data, CUTOFF, seed)["at_cutoff"]
    return [float(x[1]) for x in (both[0], low, high, both[1])]


def of_classes(seed: int, design: str) -> dict:
    """Compare the classes of one data set."""
    moved, _ = CLASSES[design]
    levels = np.array([[0.75, 0.17, 0.05, 0.03], [0.25, 0.3, 0.22, 0.23]])
    probs = np.repeat(levels[:, None], ITEMS_OF_CLASSES, axis=1)
    other = probs.copy()
    other[1, :2] += np.array([-moved, 0.0, 0.0, moved])
    random = rng(seed, "answers")
    groups = np.repeat([0, 1], PEOPLE_OF_CLASSES)
    states = (random.random((len(groups), 1)) > SHARES.cumsum(axis=1)[groups][:, :-1]).sum(axis=1)
    both = [draw_answers(states, each, random) for each in (probs, other)]
    items = np.where(groups[:, None] == 0, *both)
    sample = classes.Sample(items.astype(np.int8), groups, 4)
    found = classes.compare(sample, 2, derive(seed, "fit"))
    draws = classes.draws(sample, found, DRAWS_OF_CLASSES, derive(seed, "draws"))
    partial = classes.partial(sample, found)
    return {
        "statistic": found.statistic,
        "df": found.df,
        "p": draws.p_value(found),
        "bic_gain": found.bic_common - found.bic_separate,
        "items": np.flatnonzero(partial.adjusted < 0.05),
        "held_out": classes.held_out(sample, found, 5, derive(seed, "held out")).mean(),
    }


def replicate(seed: int, design: str, draw: int) -> dict:
    """One data set."""
    return of_classes(seed, design) if design in CLASSES else of_items(seed, design)


PLAN = [
    {"design": name, "draw": i} for name, (*_, n) in (DESIGNS | CLASSES).items() for i in range(n)
]
STUDY = Study(__file__, __doc__, PLAN, replicate)

if __name__ == "__main__":
    STUDY.main()
