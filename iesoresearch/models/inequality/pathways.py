"""Where on the way from referral to recovery the gap between two groups arises."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
import polars as pl
from scipy import stats

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models import proportions
from iesoresearch.models.inequality.estimates import POINTS, Estimate

STAGES = ("referred", "started", "finished", "recovered")
#: What must stand beside a pathway with steps between different patients; {steps} are named.
NOT_ONE_COHORT = (
    "Not counted on the same patients: {steps}. Those at the later stage were in part at the one "
    "before in another year, so this step compares two counts of a year and follows nobody. Every "
    "other step is a share of the patients at the stage before it."
)


@dataclass(frozen=True)
class Pathway:
    """Where on the way the gap between two groups arises.

    Attributes
    ----------
    steps
        Of each two stages that follow each other, "finished of started" and so on.
    rates_a, rates_b
        (steps,) who goes on, in percent.
    overall_a, overall_b
        The last stage of the first one, in percent: the product of the steps.
    gap, ratio
        Of the overall rates: a minus b in percentage points, a over b.
    points
        Of each step: its part of `gap`; they add up to it.
    ratios
        Of each step: its part of `ratio`, as a factor; their product is it.
    caution
        `NOT_ONE_COHORT` with the steps that are not nested, or empty.
    """

    steps: tuple[str, ...]
    rates_a: np.ndarray
    rates_b: np.ndarray
    overall_a: float
    overall_b: float
    gap: Estimate
    ratio: Estimate
    points: tuple[Estimate, ...]
    ratios: tuple[Estimate, ...]
    caution: str

    def to_frame(self) -> pl.DataFrame:
        """One row per step: step, rate_a, rate_b, and points and ratio with low and high."""
        columns = {"step": self.steps, "rate_a": self.rates_a, "rate_b": self.rates_b}
        for name, parts in (("points", self.points), ("ratio", self.ratios)):
            columns[name] = [part.value for part in parts]
            columns[f"{name}_low"] = [part.low for part in parts]
            columns[f"{name}_high"] = [part.high for part in parts]
        return pl.DataFrame(columns).fill_nan(None)


def pathway(
    counts_a: Mapping[str, float],
    counts_b: Mapping[str, float],
    stages: Sequence[str] = STAGES,
    *,
    nested: bool | Sequence[bool],
    level: float = proportions.LEVEL,
) -> Pathway:
    """Decompose the gap between two groups over the stages that patients pass.

    The rate at the last stage is the product of the steps. On the logarithmic scale the parts of
    the steps add up as they are. In percentage points each step has what changing it from b's to
    a's rate changes, averaged over all orders in which the steps may be changed (Das Gupta 1993,
    Standardization and Decomposition of Rates; the value of Shapley, see Shorrocks 2013,
    doi:10.1007/s10888-011-9214-z), which adds up as well.

    Intervals by the delta method. A nested step counts some of the patients of the stage before it:
    binomial given them, and independent of how many they are; its variance is that of one more
    patient who goes on and one more who does not, so that none or all going on is not certainty.
    Across a step that is not nested, both counts are Poisson and independent, which is wider.

    Parameters
    ----------
    counts_a, counts_b
        Patients by stage, of the group and of the reference.
    stages
        In the order in which they are passed.
    nested
        Of each step, or of all: whether the later stage counts some of the patients of the one
        before. True in a cohort that was followed. In published counts of a year those who
        recovered are some of those who finished, but these are not some of the year's referrals;
        the result then carries a caution.

    Raises
    ------
    ParameterError
        A stage is absent, named twice, or there are fewer than two; `nested` is not one for each
        step; `level` is not between 0 and 1.
    DataError
        A count is negative or not finite, nobody is at a stage before the last, or a nested stage
        counts more than the one before.
    """
    proportions.check_level(level)
    stages = tuple(stages)
    within = _within(nested, stages)
    a, b = (_counted(counts, stages, within) for counts in (counts_a, counts_b))
    s, t = a[1:] / a[:-1], b[1:] / b[:-1]
    covariance = _block(_covariance(a, within), _covariance(b, within))
    z = float(stats.norm.ppf((1 + level) / 2))
    gradient, parts = _shapley(s, t)
    every = np.vstack([gradient, gradient.sum(axis=0)])
    errors = z * np.sqrt(np.einsum("ij,jk,ik->i", every, covariance, every))
    values = np.append(parts, parts.sum())
    points = [
        Estimate(*(float(x) * POINTS for x in (value, value - e, value + e)))
        for value, e in zip(values, errors, strict=True)
    ]
    ratios = _ratios(s, t, covariance, z)
    steps = tuple(f"{after} of {before}" for before, after in pairwise(stages))
    across = [step for step, inside in zip(steps, within, strict=True) if not inside]
    return Pathway(
        steps=steps,
        rates_a=s * POINTS,
        rates_b=t * POINTS,
        overall_a=float(s.prod() * POINTS),
        overall_b=float(t.prod() * POINTS),
        gap=points[-1],
        ratio=ratios[-1],
        points=tuple(points[:-1]),
        ratios=tuple(ratios[:-1]),
        caution=NOT_ONE_COHORT.format(steps=", ".join(across)) if across else "",
    )


def _within(nested: bool | Sequence[bool], stages: tuple[str, ...]) -> np.ndarray:
    steps = max(len(stages) - 1, 0)
    within = np.full(steps, nested) if isinstance(nested, bool) else np.array(nested, dtype=bool)
    if within.shape != (steps,):
        raise ParameterError(
            f"nested says of each step whether it is: {steps} answers for {len(stages)} stages, "
            f"not {len(within)}."
        )
    return within


def _counted(
    counts: Mapping[str, float], stages: tuple[str, ...], within: np.ndarray
) -> np.ndarray:
    absent = [stage for stage in stages if stage not in counts]
    if absent or len(set(stages)) < max(len(stages), 2):
        raise ParameterError(
            "A pathway needs two or more stages, each named once and counted in both groups"
            + (f"; not counted: {', '.join(absent)}." if absent else ".")
        )
    values = np.array([counts[stage] for stage in stages], dtype=float)
    if not np.isfinite(values).all() or (values < 0).any():
        raise DataError("A pathway has a count that is negative, suppressed or not a number.")
    if not values[:-1].all():
        empty = stages[int(np.argmin(values[:-1] > 0))]
        raise DataError(f"Nobody of one group is at the stage '{empty}', so what follows is open.")
    more = within & (np.diff(values) > 0)
    if more.any():
        grows = stages[int(np.argmax(more)) + 1]
        raise DataError(
            f"A nested stage grows, '{grows}': there are more than at the stage before. "
            "Between counts of different patients `nested` is False."
        )
    return values


def _covariance(counts: np.ndarray, within: np.ndarray) -> np.ndarray:
    """Of the steps of one group.

    Of log counts first: Poisson, and as far as stages are nested thinned, so that two of them have
    the covariance of the earlier one's variance. Nested steps next to each other are independent.
    """
    before, after = counts[:-1], counts[1:]
    run = np.append(0, np.cumsum(~within))  # stages nested in each other share a number
    place = np.arange(len(counts))
    earlier = np.minimum.outer(place, place)
    logs = np.where(np.equal.outer(run, run), 1 / np.maximum(counts, 1.0)[earlier], 0.0)
    step = np.diff(np.eye(len(counts)), axis=0)
    each = (after + (after == 0)) / before
    found = step @ logs @ step.T * np.outer(each, each)
    smooth = (after + 1) / (before + 2)
    found[within, within] = (smooth * (1 - smooth) / before)[within]
    return found


def _block(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    nothing = np.zeros_like(a)
    return np.block([[a, nothing], [nothing, b]])


def _shapley(s: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradient, (steps, 2 × steps), and parts of the difference of the products of s and t."""
    k = len(s)
    parts, gradient = np.zeros(k), np.zeros((k, 2 * k))
    for step in range(k):
        others = [i for i in range(k) if i != step]
        for size in range(k):
            weight = 1 / (k * math.comb(k - 1, size))
            for chosen in combinations(others, size):
                of_a = np.isin(np.arange(k), chosen)
                rest = np.where(of_a, s, t)
                rest[step] = 1.0
                product = float(rest.prod())
                parts[step] += weight * product * (s[step] - t[step])
                gradient[step, step] += weight * product
                gradient[step, k + step] -= weight * product
                for i in others:
                    without = float(np.delete(rest, i).prod())
                    gradient[step, i if of_a[i] else k + i] += (
                        weight * without * (s[step] - t[step])
                    )
    return gradient, parts


def _ratios(s: np.ndarray, t: np.ndarray, covariance: np.ndarray, z: float) -> list[Estimate]:
    """Factor of each step and, last, of all of them; NaN where nobody goes on in either group."""
    k = len(s)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.concatenate([1 / s, -1 / t])
        logs = covariance * np.outer(scale, scale)
        both = np.hstack([np.eye(k), np.eye(k)])
        every = np.vstack([both, both.sum(axis=0)])
        # one open step leaves the others as they are
        errors = [z * np.sqrt(logs[np.ix_(row > 0, row > 0)].sum()) for row in every]
        values = np.append(s / t, np.prod(s / t))
        known = np.isfinite(values) & (values > 0)
        return [
            Estimate(float(value), float(value / np.exp(e)), float(value * np.exp(e)))
            if fine
            else Estimate(*[float("nan")] * 3)
            for value, e, fine in zip(values, errors, known, strict=True)
        ]
