r"""The trait behind the answers: a graded response model of several groups.

In group g the log odds of reaching level k of item i at severity :math:`\theta` are

.. math:: \alpha_{ik} + \gamma_{ig} + (\beta_i + \delta_{ig})\,\theta,
    \qquad \theta \sim N(\mu_g, \sigma_g^2)

(Samejima 1969, doi:10.1007/BF03372160; several groups: Bock & Zimowski 1997,
doi:10.1007/978-1-4757-2691-6_25). It is the proportional-odds regression of
`item_functioning.ordinal` on a severity that is not seen. :math:`\gamma` and :math:`\delta` are
zero in the reference group, whose severity has mean 0 and standard deviation 1, and for the
*anchors*, the items that are taken to work alike; without anchors groups could not be compared.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from iesoresearch.errors import DataError
from iesoresearch.models.item_functioning import kernels, ordinal
from iesoresearch.models.item_functioning.answers import Answers

POINTS = np.linspace(-6.0, 6.0, 61)  # standard deviations of the reference group
_MOST_STEPS = 2000
_FIRST_SLOPE = 1.5
TOL = 1e-8


@dataclass(frozen=True)
class Trait:
    """A fitted model.

    Attributes
    ----------
    thresholds : (items, levels - 1) array
    slopes : (items,) array
    shift, tilt : (groups, items) arrays
        What is added to the log odds, and to the slope, in each group.
    mean, sd : (groups,) arrays
        Of the severity; 0 and 1 in the reference group.
    free : tuple of int
        Items that may differ between groups.
    reference : int
    log_likelihood : float
        In nats; with weights a pseudo-likelihood.
    converged : bool
    """

    thresholds: np.ndarray
    slopes: np.ndarray
    shift: np.ndarray
    tilt: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    free: tuple[int, ...]
    reference: int
    log_likelihood: float = -np.inf
    converged: bool = False

    @property
    def n_groups(self) -> int:
        """Number of groups."""
        return len(self.mean)

    @property
    def others(self) -> list[int]:
        """All groups but the reference."""
        return [g for g in range(self.n_groups) if g != self.reference]

    def logits(self, points: np.ndarray = POINTS) -> np.ndarray:
        """Log odds of reaching each level: (groups, items, points, levels - 1)."""
        slope = (self.slopes + self.tilt)[:, :, None] * points
        return self.thresholds[:, None] + (slope + self.shift[:, :, None])[..., None]

    def answers(self, points: np.ndarray = POINTS) -> np.ndarray:
        """Probability of each level: (groups, items, levels, points)."""
        return np.moveaxis(ordinal.level_probabilities(self.logits(points)), 3, 2)

    @cached_property
    def log_prior(self) -> np.ndarray:
        """Log share of each group at each point: (groups, points)."""
        return _log_normal(self.mean[:, None], self.sd[:, None])

    def severity(self, data: Answers) -> np.ndarray:
        """Expected severity of each row of answers, the prior the same in all groups: (rows,).

        Only with one prior for everybody do equal answers to items that work alike give equal
        severities, so that nothing of a difference between groups in severity goes into the
        comparison of their answers.
        """
        share = data.by_group / data.by_group.sum()
        mean = share @ self.mean
        sd = np.sqrt(share @ (self.sd**2 + (self.mean - mean) ** 2))
        prior = _log_normal(mean, sd)
        return kernels.expected_trait(data.items, data.groups, _log(self.answers()), prior, POINTS)


def _log_normal(mean, sd) -> np.ndarray:
    density = -0.5 * ((POINTS - mean) / sd) ** 2
    density = density - density.max(axis=-1, keepdims=True)
    return density - np.log(np.exp(density).sum(axis=-1, keepdims=True))


def _log(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(probabilities, 1e-300))


def fit(
    data: Answers, free: tuple[int, ...] = (), start: Trait | None = None, tol: float = TOL
) -> Trait:
    """Marginal maximum likelihood by EM (Bock & Aitkin 1981, doi:10.1007/BF02293801).

    The scale of the severity floats within a step and is set back after it, which gains speed and
    loses nothing (parameter expansion: Liu, Rubin & Wu 1998, doi:10.1093/biomet/85.4.755).

    Parameters
    ----------
    data
        Answers by group.
    free
        Items that may differ between groups.
    start
        A model to start from.
    tol
        Stop when the relative gain in log-likelihood falls below this.

    Raises
    ------
    DataError
        No item is left to compare the groups by, or the answers have no finite maximum.
    """
    if data.n_groups > 1 and len(set(free)) >= data.n_items:
        raise DataError(
            "Every item would differ between groups, so nothing is left to compare the groups by. "
            "Keep an anchor."
        )
    model = _first(data, free) if start is None else _restricted(start, free)
    for _ in range(_MOST_STEPS):
        found, answers, people = kernels.expected_counts(
            data.items, data.groups, data.weights, _log(model.answers()), model.log_prior
        )
        value = float(found @ data.weights)
        done = value - model.log_likelihood <= tol * abs(value)
        model = replace(model, log_likelihood=value)
        if done:
            return replace(model, converged=True)
        model = _maximised(model, answers, people)
    return model


def _first(data: Answers, free: tuple[int, ...]) -> Trait:
    """Thresholds of the margins and equal slopes."""
    groups, items = data.n_groups, data.n_items
    thresholds = np.full((items, data.n_levels - 1), -np.inf)
    for i in range(items):
        counts = data.level_counts(i)
        thresholds[i, : len(counts) - 1] = ordinal.fit(
            np.zeros((1, 0)), counts[None]
        ).thresholds * np.sqrt(1 + _FIRST_SLOPE**2 / 3)
    zero = np.zeros((groups, items))
    return Trait(
        thresholds, np.full(items, _FIRST_SLOPE), zero, zero,
        np.zeros(groups), np.ones(groups), tuple(sorted(free)), data.reference,
    )  # fmt: skip


def _restricted(start: Trait, free: tuple[int, ...]) -> Trait:
    """The same with other items free."""
    kept = np.isin(np.arange(len(start.slopes)), free)
    return replace(
        start, shift=start.shift * kept, tilt=start.tilt * kept, free=tuple(sorted(free)),
        log_likelihood=-np.inf, converged=False,
    )  # fmt: skip


def _maximised(model: Trait, answers: np.ndarray, people: np.ndarray) -> Trait:
    """One M-step: an ordinal regression of every item, and the moments of every group."""
    new = replace(
        model, **{n: getattr(model, n).copy() for n in ("thresholds", "slopes", "shift", "tilt")}
    )
    for i in range(len(model.slopes)):
        _maximise_item(new, i, answers[:, i])
    total = people.sum(axis=1)
    mean = people @ POINTS / total
    sd = np.sqrt(np.maximum(people @ POINTS**2 / total - mean**2, 1e-6))
    centre, scale = mean[model.reference], sd[model.reference]
    slope = new.slopes + new.tilt
    new.thresholds[:] += (new.slopes * centre)[:, None]
    return replace(
        new,
        shift=new.shift + (slope - new.slopes) * centre,
        slopes=new.slopes * scale,
        tilt=new.tilt * scale,
        mean=(mean - centre) / scale,
        sd=sd / scale,
    )


def _maximise_item(model: Trait, i: int, answers: np.ndarray) -> None:
    """Put the maximum for one item in its place, from answers (groups, levels, points)."""
    levels = np.isfinite(model.thresholds[i]).sum() + 1
    counts = np.swapaxes(answers[:, :levels], 1, 2)  # groups, points, levels
    others, points = model.others, len(POINTS)
    thresholds, slope = model.thresholds[i, : levels - 1], model.slopes[i]
    if i not in model.free or not others:
        start = ordinal.Ordinal(thresholds, np.array([slope]), 0.0, np.empty(0))
        found = ordinal.fit(POINTS[:, None], counts.sum(axis=0), start)
        model.thresholds[i, : levels - 1], model.slopes[i] = found.thresholds, found.slopes[0]
        return
    dummies = np.repeat(np.eye(model.n_groups)[:, others], points, axis=0)
    trait = np.tile(POINTS, model.n_groups)[:, None]
    before = np.concatenate([[slope], model.shift[others, i], model.tilt[others, i]])
    start = ordinal.Ordinal(thresholds, before, 0.0, np.empty(0))
    design = np.hstack([trait, dummies, dummies * trait])
    found = ordinal.fit(design, counts.reshape(-1, levels), start)
    n = len(others)
    model.thresholds[i, : levels - 1], model.slopes[i] = found.thresholds, found.slopes[0]
    model.shift[others, i], model.tilt[others, i] = found.slopes[1 : 1 + n], found.slopes[1 + n :]
