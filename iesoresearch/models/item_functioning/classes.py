"""Do the same classes of answers exist in every group? Measurement invariance of latent classes.

Three models of the answers given the group, with class sizes of their own in each group (Clogg &
Goodman 1985, Sociological Methodology 15:81–110): answer probabilities of each class equal in all
groups (*common*), those of one item free in each group (*partial*), all of them free (*separate*).

The group is entered as one more item: with its probabilities free in each class, the joint model of
group and answers has exactly the class sizes by group of the conditional one, and the shares of the
groups, which all three models have in common.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import stats

from iesoresearch.errors import DataError
from iesoresearch.models import LatentMarkov
from iesoresearch.models.heterogeneity import holm
from iesoresearch.models.selection import folds_of, held_out_log_likelihood, match_states
from iesoresearch.seeds import derive, rng
from iesoresearch.simulate import draw_answers

TOL = 1e-7
#: Expected answers in a class of a group from which its probabilities are compared.
ENOUGH = 30
_RARE = 1e-3  # start value where a level was never given; EM could not leave zero


@dataclass(frozen=True)
class Sample:
    """Answers, groups and weights of people.

    Attributes
    ----------
    items : (people, items) int8 array
        From 0, -1 for missing.
    groups : (people,) array of int
        From 0, each with somebody in it.
    n_categories : int
        Levels of the items.
    weights : (people,) array or None
        Survey weights of mean one.
    """

    items: np.ndarray
    groups: np.ndarray
    n_categories: int
    weights: np.ndarray | None = None

    @cached_property
    def n_groups(self) -> int:
        """Number of groups."""
        return int(self.groups.max()) + 1

    @cached_property
    def shares(self) -> np.ndarray:
        """Weighted share of each group."""
        sizes = np.bincount(self.groups, self.weights, self.n_groups)
        return sizes / sizes.sum()

    @property
    def log_likelihood_of_groups(self) -> float:
        """What the group, as an item, adds to every log-likelihood."""
        counts = np.bincount(self.groups, self.weights, self.n_groups)
        return float(counts @ np.log(self.shares))

    def of(self, group: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Answers and weights of one group."""
        inside = self.groups == group
        return self.items[inside], None if self.weights is None else self.weights[inside]

    def with_group(self, split: int | None = None) -> tuple[np.ndarray, list[int]]:
        """Items with the group as one more, and their levels.

        The item `split` is one item per group, missing in all others.
        """
        columns, levels = [self.items], [self.n_categories] * self.items.shape[1]
        if split is not None:
            own = self.groups[:, None] == np.arange(self.n_groups)
            columns = [
                np.delete(self.items, split, axis=1),
                np.where(own, self.items[:, split, None], -1),
            ]
            levels = levels[:-1] + [self.n_categories] * self.n_groups
        both = np.column_stack([*columns, self.groups]).astype(np.int8)
        return both, [*levels, self.n_groups]


@dataclass(frozen=True)
class Invariance:
    """Common classes against separate ones.

    Attributes
    ----------
    n_classes : int
    common : LatentMarkov
        With the group as its last item.
    separate : tuple of LatentMarkov
        One for each group, in the order of classes that fits `common` best: `order`.
    order : (groups, classes) array of int
        Class of each separate model that is each common one.
    statistic : float
        Twice the gain in log-likelihood of separate classes.
    df : int
        Parameters that separate classes have more.
    bic_common, bic_separate : float
        Smaller is better; of the answers given the group. No BIC with survey weights.
    largest : float
        Largest difference of the probability of an answer between a group and `reference`, over
        answers and classes with `ENOUGH` answers in both.
    otherwise : (groups,) array
        Share of the people of each group whose most probable class changes.
    """

    n_classes: int
    common: LatentMarkov
    separate: tuple[LatentMarkov, ...]
    order: np.ndarray
    statistic: float
    df: int
    bic_common: float
    bic_separate: float
    largest: float
    otherwise: np.ndarray

    def item_probs(self, group: int) -> np.ndarray:
        """Answer probabilities of the separate model of a group, in common order."""
        return self.separate[group].item_probs_[self.order[group]]

    @property
    def sizes(self) -> np.ndarray:
        """Share of each common class in each group: (groups, classes)."""
        joint = _class_and_group(self.common)
        return joint / joint.sum(axis=1, keepdims=True)


def _class_and_group(common: LatentMarkov) -> np.ndarray:
    """Joint probability: (groups, classes)."""
    n_groups = int(common.n_categories[-1])
    return (common.initial_probs_[:, None] * common.item_probs_[:, -1, :n_groups]).T


def compare(
    sample: Sample,
    n_classes: int,
    seed: int,
    *,
    reference: int = 0,
    n_starts: int = 5,
    start: Invariance | None = None,
) -> Invariance:
    """Fit common and separate classes.

    Separate classes start from the common ones, so that the same solution is compared; those of
    `start`, fitted to other people, take the place of random starts.

    Raises
    ------
    DataError
        More classes than the answers of a group can carry.
    """
    items, levels = sample.with_group()
    settings = {"n_categories": levels, "tol": TOL, "accelerate": True}
    if start is None:
        settings |= {"n_starts": n_starts, "random_state": derive(seed, "common classes")}
    else:
        settings |= {"init": _start(start.common)}
    common = LatentMarkov(n_classes, **settings).fit(items, weights=sample.weights)
    separate = tuple(_of_group(sample, common, g) for g in range(sample.n_groups))
    shared = common.item_probs_[:, :-1, : sample.n_categories]
    order = np.stack([match_states(shared, model.item_probs_) for model in separate])
    conditional = common.log_likelihood_ - sample.log_likelihood_of_groups
    own = sum(model.log_likelihood_ for model in separate)
    sizes = sample.n_groups * (n_classes - 1)
    free = n_classes * sample.items.shape[1] * (sample.n_categories - 1)
    penalty = np.log(len(sample.groups))
    return Invariance(
        n_classes, common, separate, order,
        statistic=2 * (own - conditional), df=(sample.n_groups - 1) * free,
        bic_common=-2 * conditional + penalty * (sizes + free),
        bic_separate=-2 * own + penalty * (sizes + sample.n_groups * free),
        largest=_largest(separate, order, reference),
        otherwise=_otherwise(sample, items, common, separate, order),
    )  # fmt: skip


def _start(model: LatentMarkov, group: int | None = None) -> dict[str, np.ndarray]:
    """Start values; of the classes in one `group`, without the group as an item."""
    probs, sizes = model.item_probs_, model.initial_probs_
    if group is not None:
        n_answers = int(model.n_categories[0])
        probs = probs[:, :-1, :n_answers]
        joint = _class_and_group(model)[group]
        sizes = joint / joint.sum()
    levels = np.asarray(model.n_categories)[: probs.shape[1]]
    possible = np.arange(probs.shape[2]) < levels[:, None]
    probs = np.where(possible, np.maximum(probs, _RARE), 0.0)
    sizes = np.maximum(sizes, _RARE)
    return {
        "initial_probs": sizes / sizes.sum(),
        "item_probs": probs / probs.sum(axis=2, keepdims=True),
        "transition_matrix": np.eye(len(sizes)),
    }


def _of_group(sample: Sample, common: LatentMarkov, group: int) -> LatentMarkov:
    items, weights = sample.of(group)
    model = LatentMarkov(
        common.n_states, n_categories=sample.n_categories, init=_start(common, group), tol=TOL,
        accelerate=True,
    )  # fmt: skip
    return model.fit(items, weights=weights)


def _largest(separate: tuple[LatentMarkov, ...], order: np.ndarray, reference: int) -> float:
    probs = [model.item_probs_[of] for model, of in zip(separate, order, strict=True)]
    counts = [model.answer_counts_[of] for model, of in zip(separate, order, strict=True)]
    found = [0.0]
    for own, n in zip(probs, counts, strict=True):
        enough = np.minimum(n, counts[reference]) >= ENOUGH
        found += list(np.abs(own - probs[reference])[enough].ravel())
    return float(max(found))


def _otherwise(sample: Sample, items, common, separate, order) -> np.ndarray:
    before = common.predict(items)
    shares = np.empty(sample.n_groups)
    for g, model in enumerate(separate):
        inside = sample.groups == g
        common_class = np.argsort(order[g])  # of each separate one
        changed = common_class[model.predict(sample.items[inside])] != before[inside]
        weights = None if sample.weights is None else sample.weights[inside]
        shares[g] = np.average(changed, weights=weights)
    return shares


@dataclass(frozen=True)
class Draws:
    """The same statistics on answers drawn from the common classes.

    Attributes
    ----------
    statistic, largest, otherwise : (draws,) arrays
        As in `Invariance`; `otherwise` over everybody.
    """

    statistic: np.ndarray
    largest: np.ndarray
    otherwise: np.ndarray

    def p_value(self, found: Invariance) -> float:
        """Share of draws, the data counted as one, with as large a gain as the data."""
        return float((1 + (self.statistic >= found.statistic).sum()) / (1 + len(self.statistic)))


def draws(sample: Sample, found: Invariance, n_draws: int, seed: int, reference: int = 0) -> Draws:
    """Parametric bootstrap of common against separate classes (McLachlan 1987).

    Groups, missing answers and sizes are those of the data; both models are fitted to each draw as
    to the data, from the common classes (`models.likelihood_ratio` does the same for the number of
    states). The chi-squared distribution is poor here: many answers are rare in some class.

    Raises
    ------
    DataError
        The sample is weighted: there is no likelihood to draw from.
    """
    if sample.weights is not None:
        raise DataError(
            "With survey weights there is no likelihood to draw answers from. Compare classes by "
            "what they predict (held_out), or leave the weights out."
        )
    rows = []
    for b in range(n_draws):
        drawn = _drawn(sample, found, derive(seed, "invariance", b))
        again = compare(drawn, found.n_classes, seed, reference=reference, start=found)
        rows.append((again.statistic, again.largest, sample.shares @ again.otherwise))
    return Draws(*np.array(rows).T)


def _drawn(sample: Sample, found: Invariance, seed: int) -> Sample:
    """Answers from the common classes, missing where they were missing."""
    random = rng(seed, "answers")
    cumulative = found.sizes.cumsum(axis=1)[sample.groups]
    at = random.random(len(cumulative))[:, None] * cumulative[:, -1:]
    states = (cumulative < at).sum(axis=1)
    probs = found.common.item_probs_[:, :-1, : sample.n_categories]
    items = draw_answers(states, probs, random)
    items[sample.items < 0] = -1
    return Sample(items, sample.groups, sample.n_categories)


@dataclass(frozen=True)
class Partial:
    """Each item set free in turn.

    Attributes
    ----------
    statistic : (items,) array
        Twice the gain in log-likelihood.
    df : int
    adjusted : (items,) array
        P values of the chi-squared distribution after Holm's rule: a rough guide, see `draws`.
    bic : (items,) array
        Above that of common classes; below zero the item is better set free.
    """

    statistic: np.ndarray
    df: int
    adjusted: np.ndarray
    bic: np.ndarray


def partial(sample: Sample, found: Invariance) -> Partial:
    """Which item it is: the gain of setting the answers to one item free in each group."""
    n_items, k = sample.items.shape[1], found.n_classes
    df = (sample.n_groups - 1) * k * (sample.n_categories - 1)
    start = _start(found.common)
    statistic = np.empty(n_items)
    for i in range(n_items):
        items, levels = sample.with_group(split=i)
        probs = start["item_probs"]
        own = np.repeat(probs[:, i : i + 1], sample.n_groups, axis=1)
        probs = np.concatenate([np.delete(probs[:, :-1], i, axis=1), own, probs[:, -1:]], axis=1)
        model = LatentMarkov(
            k, n_categories=levels, init=start | {"item_probs": probs}, tol=TOL, accelerate=True
        ).fit(items)
        statistic[i] = 2 * (model.log_likelihood_ - found.common.log_likelihood_)
    adjusted = holm(stats.chi2.sf(np.maximum(statistic, 0.0), df))
    return Partial(statistic, df, adjusted, df * np.log(len(sample.groups)) - statistic)


def held_out(sample: Sample, found: Invariance, n_folds: int, seed: int, units=None) -> np.ndarray:
    """Gain of separate classes in the log-likelihood of each person, fitted without her: (people,).

    Below zero on average, people are predicted better by classes that all groups share. Both models
    start from the fit to everybody.

    Raises
    ------
    DataError
        A group is too small for the folds.
    """
    folds = folds_of(len(sample.groups), n_folds, derive(seed, "folds"), units)
    items, levels = sample.with_group()
    common = LatentMarkov(
        found.n_classes, n_categories=levels, init=_start(found.common), tol=TOL, accelerate=True
    )
    joint = held_out_log_likelihood(common, items, folds=folds, weights=sample.weights)
    gain = np.empty(len(sample.groups))
    for g in range(sample.n_groups):
        inside = sample.groups == g
        own, weights = sample.of(g)
        model = LatentMarkov(
            found.n_classes, n_categories=sample.n_categories, init=_start(found.common, g),
            tol=TOL, accelerate=True,
        )  # fmt: skip
        gain[inside] = held_out_log_likelihood(model, own, folds=folds[inside], weights=weights)
    counting = np.ones(len(folds)) if sample.weights is None else sample.weights
    for f in range(n_folds):
        train = folds != f
        shares = np.bincount(sample.groups[train], counting[train], sample.n_groups)
        inside = folds == f
        gain[inside] += np.log(shares / shares.sum())[sample.groups[inside]]
    return gain - joint
