"""Limits of a rate, of a difference and of a ratio, and when there are none.

Which is given where was decided by how often it holds the truth: ``studies/group_intervals.py``.
Of rows that are independent of each other, a rate has Wilson's limits, a difference Newcombe's and
a ratio Koopman's. Otherwise (clusters, strata, overlapping groups, net benefit) the resamples say
as how many independent people those of a group count, and how two estimates go together; limits are
those of Wilson for so many people, with Student's t for the clusters there are, and are put
together with the correlation (MOVER). Percentiles of resamples hold the truth too rarely.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from iesoresearch.models import proportions
from iesoresearch.models.group_metrics import metrics
from iesoresearch.models.group_metrics.metrics import NET_BENEFIT, RATES

#: Fewest people in a denominator, fewest events and fewest non-events.
LEAST = 10
Z = float(special.ndtri((1 + proportions.LEVEL) / 2))
_HALVINGS, _FARTHEST = 30, 8.0  # of the search for p values, which so end at 1e-15
_NOTHING = 1e-12  # spread of a rate that is the same in every resample, but for rounding
_OF = ", or would be were these of equal size"
_FEW_EVENTS = f"interval not estimable: fewer than {LEAST} events or fewer than {LEAST} non-events"


@dataclass(frozen=True)
class Share:
    """A share of people in every view, with what its limits need.

    Attributes
    ----------
    events, n
        (views,) numerator and denominator.
    worth
        (views,) as how many independent people the denominator counts.
    freedom
        (views,) degrees of freedom of Student's t; infinite without clusters.
    """

    events: np.ndarray
    n: np.ndarray
    worth: np.ndarray
    freedom: np.ndarray

    @property
    def value(self) -> np.ndarray:
        """(views,), NaN where the denominator is 0."""
        return self.events / np.where(self.n > 0, self.n, np.nan)

    def at(self, views: np.ndarray) -> "Share":
        """The share in some views."""
        return Share(self.events[views], self.n[views], self.worth[views], self.freedom[views])

    def limits(self, z) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper limit as far out as normal quantiles `z`, (views,) or one."""
        tail = special.ndtr(-np.broadcast_to(z, self.freedom.shape))
        far = np.isinf(self.freedom)
        t = -special.stdtrit(np.where(far, 1.0, self.freedom), tail)
        worth = np.where(np.isfinite(self.worth), self.worth, 0.0)
        return proportions.score(self.value * worth, worth, np.where(far, z, t))


@dataclass(frozen=True)
class Estimates:
    """One metric in every view.

    Attributes
    ----------
    name
        Of the metric.
    value, events, n
        (views,); NaN the value where nobody is in the denominator.
    replicates
        (resamples, views).
    reason
        (views,) why there is no value or no interval; empty where there is.
    gained, lost
        Net benefit is the one less the other; of rates, `lost` is None.
    together
        (views,) correlation of the two.
    resampled
        Whether the limits of a rate rest on resamples.
    """

    name: str
    value: np.ndarray
    events: np.ndarray
    n: np.ndarray
    replicates: np.ndarray
    reason: list[str]
    gained: Share
    lost: Share | None
    odds: float
    together: np.ndarray
    resampled: bool

    def limits(self, z, views=slice(None)) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper limit of some views, whatever the reasons against them.

        Parameters
        ----------
        z
            How far out, in quantiles of the normal distribution; one or as many as views.
        views
            Numbers of the views; unless told, all.
        """
        gained = self.gained.at(views)
        low, high = gained.limits(z)
        if self.lost is None:
            return low, high
        lost = self.lost.at(views)
        other = self.odds * np.stack([lost.value, *lost.limits(z)])
        return proportions.mover((gained.value, low, high), other, self.together[views])


def estimate(counts, replicates, units, name: str, odds: float) -> Estimates:
    """Estimates of a metric.

    Parameters
    ----------
    counts
        (views, 4) people.
    replicates
        (resamples, views, 4) people.
    units
        (views,) clusters in the denominators (`counting.Units.in_views`); None where rows are
        independent.
    name
        Of the metric.
    odds
        Of the threshold.
    """
    events, n = metrics.fraction(counts, name)
    values = metrics.value(replicates, name, odds)
    drawn = replicates.sum(axis=-1)
    lost, together = None, np.zeros(len(n))
    if name == NET_BENEFIT:
        true, false = counts[:, 3], counts[:, 1]
        with np.errstate(invalid="ignore"):
            shares = replicates[..., 3] / drawn, replicates[..., 1] / drawn
        gained, lost = (_share(k, n, s, units) for k, s in zip((true, false), shares, strict=True))
        together = correlation(*shares)
    else:
        gained = _share(events, n, values, units)
    whom = RATES["prevalence" if name == NET_BENEFIT else name].whom
    resampled = units is not None or name == NET_BENEFIT
    reasons = _reasons(events, n, units, whom, resampled)
    for share in (gained, lost):
        for i in np.flatnonzero(~np.isfinite(share.worth)) if share else ():
            reasons[i] = reasons[i] or "interval not estimable: the same in every resample"
    return Estimates(
        name, metrics.value(counts, name, odds), events, n, values,
        reasons, gained, lost, odds, together, resampled,
    )  # fmt: skip


def _share(events, n, replicates, units) -> Share:
    if units is None:
        return Share(events, n, n.astype(float), np.full(len(n), np.inf))
    rate = events / np.where(n > 0, n, np.nan)
    k = np.maximum(units, 2)
    # resamples of k units are too much alike, by (k − 1) / k
    width = spread(replicates)
    variance = np.where(width > _NOTHING, width, 0.0) ** 2 * k / (k - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Share(events, n, rate * (1 - rate) / variance, k - 1.0)


def _reasons(events, n, units, whom, resampled: bool) -> list[str]:
    found = []
    for i in range(len(n)):
        if n[i] == 0:
            found.append(f"not estimable: no {whom[0]}")
        elif n[i] < LEAST:
            found.append(f"interval not estimable: fewer than {LEAST} {whom[1]}")
        elif resampled and min(events[i], n[i] - events[i]) < LEAST:
            found.append(_FEW_EVENTS)
        elif units is not None and units[i] < LEAST:
            found.append(
                f"interval not estimable: {whom[1]} are in fewer than {LEAST} clusters{_OF}"
            )
        else:
            found.append("")
    return found


def reason_of_pair(found: Estimates, a: int, b: int, resampled: bool) -> str:
    """Why views a and b have no comparison or no interval of it; empty if they have.

    Where groups are independent, events and non-events are those of both together: whether these
    are few says nothing of the difference, so that to refuse then does not select.
    """
    reason = found.reason[a] or found.reason[b]
    if resampled:
        few = min(min(found.events[v], found.n[v] - found.events[v]) for v in (a, b)) < LEAST
        return reason or (_FEW_EVENTS if few else "")
    events, n = found.events[a] + found.events[b], found.n[a] + found.n[b]
    few = min(events, n - events) < LEAST
    return reason or (f"{_FEW_EVENTS} in both" if few else "")


def spread(replicates: np.ndarray) -> np.ndarray:
    """Standard deviation over the resamples that have a number, NaN where fewer than two have."""
    there = np.isfinite(replicates)
    many = there.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(there, replicates, 0.0).sum(axis=0) / many
        squares = np.where(there, (replicates - mean) ** 2, 0.0).sum(axis=0)
        return np.sqrt(squares / np.where(many > 1, many - 1, np.nan))


def correlation(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Of two numbers over resamples (resamples, …); 0 where either is always the same."""
    there = np.isfinite(one) & np.isfinite(other)
    one, other = np.where(there, one, np.nan), np.where(there, other, np.nan)
    widths = spread(one) * spread(other)
    with np.errstate(invalid="ignore", divide="ignore"):
        # var(a + b) − var(a − b) = 4 cov(a, b)
        covariance = (spread(one + other) ** 2 - spread(one - other) ** 2) / 4
        return np.clip(np.where(widths > _NOTHING**2, covariance / widths, 0.0), -1.0, 1.0)


def p_values(limits, difference: np.ndarray) -> np.ndarray:
    """Two-sided p values: the level at which an interval just reaches 0.

    Parameters
    ----------
    limits
        Function of normal quantiles (pairs,) that gives lower and upper limits.
    difference
        (pairs,).
    """
    near, far = np.zeros(len(difference)), np.full(len(difference), _FARTHEST)
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        low, high = limits(middle)
        clear = np.where(difference > 0, low > 0, high < 0)
        near, far = np.where(clear, middle, near), np.where(clear, far, middle)
    return 2 * special.ndtr(-(near + far) / 2)
