"""What comes of decisions, from sums over patients: once, and in every resample of them."""

from dataclasses import dataclass

import numpy as np

from iesoresearch.models.evaluation import intervals
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.seeds import rng

#: Rates of decisions of a group, each of what `Sums` holds.
RATES = ("selection", "tpr", "fpr", "ppv", "accuracy", "net_benefit")
#: What a rule changes in a group: patients decided otherwise, newly and no longer flagged, and
#: how likely two patients with equal risk, and of one group, are decided differently, per patient.
CHANGES = ("otherwise", "more", "fewer", "lots")


@dataclass(frozen=True)
class Measured:
    """What a rule does to some patients.

    Attributes
    ----------
    n, events
        Patients, and those with the event.
    values
        By name in `RATES` and `CHANGES`; ``off``: observed minus predicted share of the event,
        where the rule goes by a risk; ``cost``: net benefit minus that without mitigation.
    """

    n: int
    events: int
    values: dict[str, Estimate]

    def __getitem__(self, name: str) -> Estimate:
        return self.values[name]


@dataclass(frozen=True)
class Sums:
    """Sums over patients, first those there are, then those of every resample.

    Attributes
    ----------
    people
        (1 + resamples, groups, 2) patients without and with the event.
    flagged
        (1 + resamples, rules, groups, 2) of these flagged, in expectation over lots.
    changed
        (1 + resamples, rules, groups, `CHANGES`).
    off
        (1 + resamples, rules, groups) events minus risks; NaN for rules without a risk.
    """

    people: np.ndarray
    flagged: np.ndarray
    changed: np.ndarray
    off: np.ndarray

    def over(self, groups) -> "Sums":
        """Of the patients of some groups together."""
        return Sums(
            self.people[:, groups].sum(axis=1, keepdims=True),
            self.flagged[:, :, groups].sum(axis=2, keepdims=True),
            self.changed[:, :, groups].sum(axis=2, keepdims=True),
            self.off[:, :, groups].sum(axis=2, keepdims=True),
        )


def sums(y, group, n_groups: int, chance, risk, clusters, n_boot: int, seed: int) -> Sums:
    """Add up, resampling patients, or clusters, whole.

    Patients with the same group, outcome and chances are one kind: each resample counts its kinds,
    and everything else is a product with these counts, as if patients had been drawn row by row.

    Parameters
    ----------
    y
        (people,) 0.0 or 1.0.
    group
        (people,) 0-based.
    chance
        (rules, people) chance of being flagged, the first without mitigation.
    risk
        (rules, people), NaN for rules without a risk.
    clusters
        (people,) 0-based, or None.
    n_boot, seed
        Resamples.
    """
    y = y.astype(np.int64)
    table = np.column_stack([group, y, chance.T])
    kinds, kind = np.unique(table, axis=0, return_inverse=True)
    kind = kind.ravel()
    unit = np.arange(len(y)) if clusters is None else clusters
    k, draws = int(unit.max()) + 1, rng(seed, "mitigation", "resamples")
    off = y - risk
    counts, offs = [], []
    for b in range(n_boot + 1):
        drawn = np.ones(k) if b == 0 else np.bincount(draws.integers(k, size=k), minlength=k)
        weight = drawn[unit].astype(float)
        counts.append(np.bincount(kind, weight, minlength=len(kinds)))
        offs.append([np.bincount(group, weight * row, minlength=n_groups) for row in off])
    return _added(np.array(counts), kinds, n_groups, np.array(offs))


def _added(counts, kinds, n_groups: int, offs) -> Sums:
    group, y, chance = kinds[:, 0].astype(int), kinds[:, 1].astype(int), kinds[:, 2:].T
    cell = np.zeros((len(kinds), n_groups * 2))
    cell[np.arange(len(kinds)), group * 2 + y] = 1.0
    mine = cell.reshape(len(kinds), n_groups, 2).sum(axis=2)
    shape = (len(counts), n_groups)
    flagged, changed = [], []
    for q in chance:
        moved = q - chance[0]
        parts = (np.abs(moved), np.maximum(moved, 0), np.maximum(-moved, 0), 2 * q * (1 - q))
        flagged.append((counts @ (cell * q[:, None])).reshape(*shape, 2))
        changed.append(np.stack([counts @ (mine * x[:, None]) for x in parts], axis=2))
    people = (counts @ cell).reshape(*shape, 2)
    return Sums(people, np.stack(flagged, axis=1), np.stack(changed, axis=1), offs)


def rates(found: Sums, threshold: float) -> dict[str, np.ndarray]:
    """By name: (1 + resamples, rules, groups); NaN where nobody counts."""
    n0, n1 = (found.people[:, None, :, outcome] for outcome in (0, 1))
    f0, f1 = (found.flagged[..., outcome] for outcome in (0, 1))
    n, odds = n0 + n1, threshold / (1 - threshold)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = {
            "selection": (f0 + f1) / n,
            "tpr": f1 / n1,
            "fpr": f0 / n0,
            "ppv": f1 / (f0 + f1),
            "accuracy": (f1 + n0 - f0) / n,
            "net_benefit": (f1 - odds * f0) / n,
            "off": found.off / n,
        }
        values |= {name: found.changed[..., i] / n for i, name in enumerate(CHANGES)}
    values["cost"] = values["net_benefit"] - values["net_benefit"][:, :1]
    return values


def measured(found: Sums, values, rule: int, group: int, units: int, unit: str) -> Measured:
    """One rule in one group, with intervals from the spread of the resamples."""
    people = found.people[0, group]
    estimates = {
        name: estimate(x[:, rule, group], units, unit)
        for name, x in values.items()
        if name != "off" or np.isfinite(x[0, rule, group])
    }
    return Measured(int(people.sum()), int(people[1]), estimates)


def estimate(column: np.ndarray, units: int, unit: str) -> Estimate:
    """(1 + resamples,) as an estimate; without interval where resampling moves nothing."""
    return intervals.of_average(float(column[0]), column[1:], units, unit)
