"""Fit rules on half of the patients and judge them on the other half."""

from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import DataError
from iesoresearch.models.evaluation.inputs import check_numbers, checked, checked_thresholds
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.models.mitigation import counting
from iesoresearch.models.mitigation.counting import Measured
from iesoresearch.models.mitigation.rules import FEWEST, RULES, fit
from iesoresearch.seeds import rng

#: Rates whose gaps between groups are shown.
METRICS = ("selection", "tpr", "fpr", "ppv")
FEWEST_JUDGED = 10  # events, and others, of a group whose rates count for a gap
_DRAWS = 2000  # of gaps between groups that differ by chance alone


@dataclass(frozen=True)
class Judged:
    """One rule on patients that it was not fitted on.

    Attributes
    ----------
    name
        One of `RULES`.
    needs_group
        Whether it has to know the group of each patient to decide.
    overall
        Everybody.
    groups
        By level.
    gaps
        By name in `METRICS`, and ``off`` for rules that go by a risk: difference of the two groups
        of `Comparison.between`. As this half has no part in their choice, chance makes the gap
        neither larger nor smaller; other groups may be further apart.
    changes
        Size of that gap minus its size without mitigation: below 0 where the rule narrows it.
    widest
        By name: largest minus smallest of the groups compared. Chance makes it larger, never
        smaller, so it has no interval but `Comparison.by_chance`.
    """

    name: str
    needs_group: bool
    overall: Measured
    groups: dict[str | int, Measured]
    gaps: dict[str, Estimate]
    changes: dict[str, Estimate]
    widest: dict[str, float]


@dataclass(frozen=True)
class Comparison:
    """Rules beside each other.

    Attributes
    ----------
    rules
        By name, the one without mitigation first.
    threshold
        Risk from which everybody is flagged without mitigation.
    n_fitted, n_judged
        Patients.
    compared
        Levels whose rates make the gaps.
    left
        Level -> why it has no rule of its own, or does not count for the gaps.
    between
        By name in `METRICS`, and ``off``: the two levels of the gap, the one that is higher without
        mitigation in the half fitted on first.
    by_chance
        By name in `METRICS`: mean, and 97.5 % quantile, of how far groups would be apart without
        mitigation if all had the same rate.
    """

    rules: dict[str, Judged]
    threshold: float
    n_fitted: int
    n_judged: int
    compared: tuple[str | int, ...]
    left: dict[str | int, str]
    between: dict[str, tuple[str | int, str | int]]
    by_chance: dict[str, tuple[float, float]]


def compare(
    y,
    p,
    group,
    *,
    clusters=None,
    threshold: float = 0.5,
    ends: tuple[str | int, str | int] | None = None,
    n_boot: int = 1000,
    random_state: int = 0,
) -> Comparison:
    """Compare all of `RULES`: the gaps they leave, and what they cost everybody and each group.

    Half of the patients, or clusters, drawn at random, are fitted on, the other half judged on.
    Where a rule draws lots, what is shown is the mean over all lots. Intervals of 95 % come from
    resamples of the patients judged, whole clusters, with the rules as they are.

    Parameters
    ----------
    y
        (people,) 0 or 1: the event that one acts on.
    p
        (people,) predicted risk of it.
    group
        (people,) level of each.
    clusters
        (people,) what is independent of others, such as the patient of a referral.
    threshold
        Risk from which everybody is flagged without mitigation.
    ends
        Levels at the ends of an order: the gap shown is theirs if both are large enough. Else it is
        that of the two groups furthest apart without mitigation in the half fitted on.
    n_boot
        Resamples, at least 100.
    random_state
        Seed of the halves, the resamples and the gaps by chance.

    Raises
    ------
    DataError
        What `evaluation.evaluate` refuses; fewer than two groups are large enough; nobody is
        flagged.
    ParameterError
        A threshold that is not between 0 and 1, or too few resamples.

    Examples
    --------
    >>> import numpy as np
    >>> random = np.random.default_rng(1)
    >>> p = random.beta(2, 2, size=2000)
    >>> y, group = (random.random(2000) < p).astype(int), random.integers(2, size=2000)
    >>> found = compare(y, p, group, n_boot=100)
    >>> f"{found.rules['one threshold for all'].overall['accuracy'].value:.2f}"
    '0.70'
    """
    (threshold,) = checked_thresholds([threshold])
    check_numbers(n_boot, 1)
    inputs = checked(y, p, {"group": group}, clusters)
    levels, code = inputs.groups["group"]
    unit = np.arange(len(inputs.y)) if inputs.clusters is None else inputs.clusters
    order = rng(random_state, "mitigation", "halves").permutation(int(unit.max()) + 1)
    first = (order % 2 == 0)[unit]
    left = _too_few(inputs.y, code, levels, first)
    compared = [i for i, level in enumerate(levels) if level not in left]
    if len(compared) < 2:
        raise DataError(
            f"Only {len(compared)} of {len(levels)} groups have {FEWEST} patients with and "
            f"{FEWEST} without the event in the half to fit on, and {FEWEST_JUDGED} of each in the "
            "half to judge on, so no two can be made alike. Bring more data, or coarser groups."
        )
    used = first & np.isin(code, compared)
    if not (inputs.p[used] >= threshold).any():
        raise DataError(
            f"Nobody of the half to fit on has a risk of {threshold:g} or more, so nobody is "
            "flagged and there is nothing to make alike. Bring a lower threshold."
        )
    rules = [fit(name, inputs.y[used], inputs.p[used], code[used], threshold) for name in RULES]
    halves = [
        _Half.of(rules, inputs, np.flatnonzero(half), len(levels), threshold, n, random_state)
        for half, n in ((first, 0), (~first, n_boot))
    ]
    chosen = [i for i in compared if ends and levels[i] in ends]
    pairs = _pairs(halves[0], chosen if len(chosen) == 2 else compared)
    return Comparison(
        _judged(rules, halves[1], levels, compared, pairs), threshold, int(first.sum()),
        int((~first).sum()), tuple(levels[i] for i in compared), left,
        {name: (levels[most], levels[least]) for name, (most, least) in pairs.items()},
        _by_chance(halves[1].sums, compared, random_state),
    )  # fmt: skip


@dataclass(frozen=True)
class _Half:
    """What the rules do to half of the patients.

    Attributes
    ----------
    sums, rates
        By group.
    everybody
        Sums and rates of all groups together.
    units, unit
        How many are independent of each other, and what they are.
    """

    sums: counting.Sums
    rates: dict[str, np.ndarray]
    everybody: tuple[counting.Sums, dict[str, np.ndarray]]
    units: int
    unit: str

    @classmethod
    def of(cls, rules, inputs, rows, n_groups: int, threshold: float, n_boot: int, seed: int):
        y, p, code = inputs.y[rows], inputs.p[rows], inputs.groups["group"][1][rows]
        clusters, units, unit = None, len(rows), "patients"
        if inputs.clusters is not None:
            clusters = np.unique(inputs.clusters[rows], return_inverse=True)[1]
            units, unit = int(clusters.max()) + 1, "clusters"
        chance = np.array([rule.chance(p, code) for rule in rules])
        nothing = np.full(len(p), np.nan)
        risk = np.array([nothing if r.risk is None else r.risk(p, code) for r in rules])
        found = counting.sums(y, code, n_groups, chance, risk, clusters, n_boot, seed)
        every = found.over(range(n_groups))
        both = (every, counting.rates(every, threshold))
        return cls(found, counting.rates(found, threshold), both, units, unit)


def _too_few(y, code, levels, first) -> dict[str | int, str]:
    """Levels that a rule cannot be fitted for, or judged by, with the reason."""
    found = {}
    for i, level in enumerate(levels):
        for half, least, what in ((first, FEWEST, "fit"), (~first, FEWEST_JUDGED, "judge")):
            mine = y[(code == i) & half]
            if min(mine.sum(), len(mine) - mine.sum()) < least and level not in found:
                found[level] = f"fewer than {least} with or without the event to {what} on"
    return found


def _judged(rules, half: _Half, levels, compared, pairs) -> dict[str, Judged]:
    shown = (half.units, half.unit)
    names = tuple(pairs)
    apart = {
        name: half.rates[name][:, :, most] - half.rates[name][:, :, least]
        for name, (most, least) in pairs.items()
    }
    out = {}
    for r, rule in enumerate(rules):
        mine = names if rule.risk else METRICS
        gaps = {n: counting.estimate(apart[n][:, r], *shown) for n in mine}
        moved = {n: np.abs(apart[n][:, r]) - np.abs(apart[n][:, 0]) for n in mine}
        there = {n: half.rates[n][0, r, compared] for n in mine}
        out[rule.name] = Judged(
            rule.name,
            rule.needs_group,
            counting.measured(*half.everybody, r, 0, *shown),
            {
                level: counting.measured(half.sums, half.rates, r, g, *shown)
                for g, level in enumerate(levels)
                if half.sums.people[0, g].sum()
            },
            gaps,
            {n: counting.estimate(column, *shown) for n, column in moved.items()},
            {n: float(x.max() - x.min()) for n, x in there.items()},
        )
    return out


def _pairs(fitted: _Half, among) -> dict[str, tuple[int, int]]:
    """By rate: of some groups the highest and the lowest without mitigation, where fitted on."""
    out = {}
    for name in (*METRICS, "off"):
        before = fitted.rates[name][0, 0, among]
        out[name] = among[int(np.nanargmax(before))], among[int(np.nanargmin(before))]
    return out


def _by_chance(found, compared, seed: int) -> dict[str, tuple[float, float]]:
    """Gaps of rates that are the same in all groups, with as many patients in each."""
    people, flagged = found.people[0, compared], found.flagged[0, 0][compared]
    cells = {
        "selection": (flagged.sum(axis=1), people.sum(axis=1)),
        "tpr": (flagged[:, 1], people[:, 1]),
        "fpr": (flagged[:, 0], people[:, 0]),
        "ppv": (flagged[:, 1], flagged.sum(axis=1)),
    }
    out = {}
    for name, (part, whole) in cells.items():
        whole = np.round(whole).astype(int)
        if whole.min() == 0:
            continue  # a group without anybody flagged has no PPV
        draws = rng(seed, "mitigation", "chance", name)
        drawn = draws.binomial(whole, part.sum() / whole.sum(), size=(_DRAWS, len(whole))) / whole
        gap = drawn.max(axis=1) - drawn.min(axis=1)
        out[name] = float(gap.mean()), float(np.quantile(gap, 0.975))
    return out
