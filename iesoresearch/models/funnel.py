"""Funnel plot of proportions: which services lie further from a target than chance takes them."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from scipy import stats

from iesoresearch.errors import DataError, ParameterError

LEVELS = (0.95, 0.998)
#: Share of the z-scores at either end that is pulled in before over-dispersion is measured.
WINSORISED = 0.1
#: Mean square of a standard normal variable winsorised like that, with c its 90th percentile:
#: 1 − 2 · 0.1 − 2 c φ(c) within, and 2 · 0.1 c² at the ends.
BY_CHANCE = 0.678655
METHODS = ("exact", "additive")


@dataclass(frozen=True)
class Limits:
    """Limits at sizes `n`, shares from 0 to 1; 95 % and 99.8 %, each with (sizes,) entries."""

    low95: np.ndarray
    high95: np.ndarray
    low998: np.ndarray
    high998: np.ndarray

    def outside(self, rates: np.ndarray) -> np.ndarray:
        """Where each rate lies: 0 within, ±1 beyond the 95 % limit, ±2 beyond the 99.8 % one."""
        above = (rates > self.high95).astype(int) + (rates > self.high998)
        return above - (rates < self.low95).astype(int) - (rates < self.low998)


@dataclass(frozen=True)
class Funnel:
    """Funnel of services.

    Attributes
    ----------
    rates, n
        (services,) shares, and the people behind each.
    target
        The share that they are compared with.
    z
        (services,) distance from the target on the arcsine scale, in standard errors of chance.
    phi
        Over-dispersion: mean square of the winsorised z-scores, about 1 where chance alone makes
        services differ (if not corrected for winsorising, about `BY_CHANCE`).
    tau2
        Variance between services on the arcsine scale, as random effects.
    exact, additive
        Limits without over-dispersion, and with it, as random effects.
    """

    rates: np.ndarray
    n: np.ndarray
    target: float
    z: np.ndarray
    phi: float
    tau2: float
    exact: Limits = field(init=False)
    additive: Limits = field(init=False)

    def __post_init__(self) -> None:
        for method in METHODS:
            object.__setattr__(self, method, self.limits(method, self.n))

    def limits(self, method: str, n) -> Limits:
        """Limits at other sizes, to draw the funnel with; `method` is one of `METHODS`.

        Raises
        ------
        ParameterError
            Another method, or a size that is not above zero.
        """
        n = np.asarray(n, dtype=float)
        if method not in METHODS:
            raise ParameterError(f"A funnel plot has no limits '{method}': {' or '.join(METHODS)}.")
        if not (n > 0).all():
            raise ParameterError("Limits of a funnel plot are at sizes above zero.")
        if method == "exact":
            pairs = [_exact(self.target, n, level) for level in LEVELS]
        else:
            spread = np.sqrt(1 / (4 * n) + self.tau2)
            pairs = [_arcsine(self.target, spread, level) for level in LEVELS]
        return Limits(*pairs[0], *pairs[1])

    def to_frame(self) -> pl.DataFrame:
        """One row per service: n, rate, z, and for each method the limits and `outside`."""
        columns = {"n": self.n, "rate": self.rates, "z": self.z}
        for method in METHODS:
            limits = getattr(self, method)
            columns |= {f"{method}_{end}": values for end, values in vars(limits).items()}
            columns[f"{method}_outside"] = limits.outside(self.rates)
        return pl.DataFrame(columns)


def funnel(events, n, *, target: float | None = None, corrected: bool = True) -> Funnel:
    """Funnel plot with and without over-dispersion (Spiegelhalter 2005, doi:10.1002/sim.1970).

    Without: exact binomial limits, interpolated between counts. With: z-scores of arcsine square
    roots of the rates, whose variance is 1 / 4n whatever the rate; the top and bottom tenth are
    pulled in to that percentile (winsorised), so that the services one looks for do not widen the
    limits themselves. From their mean square `phi` follows, by moments, the variance `tau2` of
    random effects, which adds to that of chance; Spiegelhalter 2005 (doi:10.1136/qshc.2005.013755)
    prefers it to limits that `phi` multiplies.

    Winsorising takes a third of the variance of normal scores away (`BY_CHANCE` is left). As
    published, limits are too narrow by that: of services that differ at random some 11 % lie beyond
    the 95 % limits. `corrected` divides by it, as robust estimates of spread do.

    Parameters
    ----------
    events, n : (services,) array_like
        Those with the event, and all, above zero.
    target
        Share to compare with; by default that of all people together.
    corrected
        Whether `phi` makes up for winsorising; False: as published.

    Raises
    ------
    ParameterError
        A target that is not between 0 and 1.
    DataError
        Fewer than two services, impossible counts, or everybody or nobody has the event.
    """
    events, n = np.asarray(events, dtype=float), np.asarray(n, dtype=float)
    if events.shape != n.shape or events.ndim != 1 or len(n) < 2:
        raise DataError("A funnel plot needs the events and people of at least two services.")
    if not ((n > 0) & (events >= 0) & (events <= n)).all():
        raise DataError(
            "A funnel plot has a service with nobody in it, or with a count of events that is not "
            "between 0 and its number of people. Leave it out, or mend the counts."
        )
    centre = float(events.sum() / n.sum()) if target is None else float(target)
    if target is not None and not 0 < centre < 1:
        raise ParameterError(f"A funnel plot's target of {target} is not between 0 and 1.")
    if not 0 < centre < 1:
        raise DataError("A funnel plot needs people with and people without the event.")
    rates = events / n
    z = 2 * np.sqrt(n) * (_angle(rates) - _angle(centre))
    phi = float((_winsorised(z) ** 2).mean() / (BY_CHANCE if corrected else 1.0))
    return Funnel(rates, n, centre, z, phi, _tau2(phi, 4 * n))


def _angle(share):
    return np.arcsin(np.sqrt(share))


def _winsorised(z: np.ndarray) -> np.ndarray:
    low, high = np.quantile(z, [WINSORISED, 1 - WINSORISED])
    return np.clip(z, low, high)


def _tau2(phi: float, weights: np.ndarray) -> float:
    """Variance between services by moments, `weights` being one over the variance of chance."""
    k = len(weights)
    total = weights.sum()
    return float(max((k * phi - (k - 1)) / (total - (weights**2).sum() / total), 0.0))


def _arcsine(target: float, spread: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    half = stats.norm.ppf((1 + level) / 2) * spread
    ends = np.clip([_angle(target) - half, _angle(target) + half], 0.0, np.pi / 2)
    low, high = np.sin(ends) ** 2
    return low, high


def _exact(target: float, n: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Binomial limits, made continuous by interpolating between two counts."""
    ends = []
    for tail in ((1 - level) / 2, (1 + level) / 2):
        count = stats.binom.ppf(tail, n, target)
        reached, before = (stats.binom.cdf(c, n, target) for c in (count, count - 1))
        ends.append(np.clip((count - (reached - tail) / (reached - before)) / n, 0.0, 1.0))
    return ends[0], ends[1]
