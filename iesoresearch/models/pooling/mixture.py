"""Sites whose true values are normal around an average, each with a likelihood of its own.

No site's likelihood is taken to be normal: what it says is integrated over where its true value may
lie, by Gauss-Legendre quadrature in panels that follow both the likelihood and the distribution
between sites. So zero cells and counts known within ranges need no correction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import optimize, stats
from scipy.interpolate import CubicSpline, PPoly

from iesoresearch.errors import DataError

LIMIT = 15.0  # of averages, in log odds: beyond it a share is 0 or 1
WIDEST = 5.0  # of the standard deviation between sites, in log odds
NONE = 1e-3  # a standard deviation below this is none: odds then differ by a thousandth
_CONFIDENCE = 0.95
_FLAT = 1e-5  # of log-likelihoods: no difference
_NOWHERE = "Nobody or everybody may have it at every site, so there is no average; only its limit."
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(8)
#: Edges of panels, in standard deviations from the average and from the top of the likelihood.
_PRIOR = np.array([-8.5, -6, -4, -2.5, -1.2, 0, 1.2, 2.5, 4, 6, 8.5])
_OWN = np.array([-14, -9, -6, -4, -2.5, -1.2, 0, 1.2, 2.5, 4, 6, 9, 14])
_STEP = 0.1  # of the wide grid
_FROM = 10 * LIMIT  # from one site to the next, where all are on one axis
_FINE = 241  # points of the grid about the top


@dataclass(frozen=True)
class Site:
    """What one site says of its own value.

    Attributes
    ----------
    log_likelihood
        Of (values,) log odds (ratios), as (values,).
    top, width
        Where it is highest, and roughly its standard error; for the places of the grid only.
    """

    log_likelihood: Callable[[np.ndarray], np.ndarray]
    top: float
    width: float

    @cached_property
    def smooth(self) -> CubicSpline:
        """The same between the points of a grid, fine about the top."""
        wide = np.arange(-2 * LIMIT, 2 * LIMIT + _STEP / 2, _STEP)
        fine = self.top + self.width * np.linspace(-14, 14, _FINE)
        grid = np.unique(np.round(np.concatenate([wide, fine[np.abs(fine) < 2 * LIMIT]]), 9))
        return CubicSpline(grid, self.log_likelihood(grid))


class _Together:
    """All sites at once: their curves one after the other on one axis, `_FROM` apart."""

    def __init__(self, sites: Sequence[Site]):
        curves = [site.smooth for site in sites]
        gap = np.zeros((4, 1))
        coefficients = [part for curve in curves for part in (curve.c, gap)][:-1]
        self.start = _FROM * np.arange(len(sites))
        edges = [curve.x + start for curve, start in zip(curves, self.start, strict=True)]
        self.curve = PPoly(np.hstack(coefficients), np.concatenate(edges))
        tops, widths = np.array([(site.top, site.width) for site in sites]).T
        self.own = tops[:, None] + widths[:, None] * _OWN

    def log_likelihood(self, mean: float, tau: float) -> float:
        """Of the average and the standard deviation between sites."""
        if tau < NONE:
            return float(self.curve(mean + self.start).sum())
        prior = np.broadcast_to(mean + tau * _PRIOR, (len(self.own), len(_PRIOR)))
        own = np.clip(self.own, prior[0, 0], prior[0, -1])
        edges = np.sort(np.hstack([prior, own]), axis=1)
        half = np.diff(edges, axis=1)[:, :, None] / 2
        at = (edges[:, 1:, None] - half + half * _NODES).reshape(len(edges), -1)
        weights = (half * _WEIGHTS).reshape(at.shape)
        inside = np.clip(at, -2 * LIMIT, 2 * LIMIT) + self.start[:, None]
        terms = self.curve(inside) - 0.5 * ((at - mean) / tau) ** 2
        top = terms.max(axis=1)
        sums = (weights * np.exp(terms - top[:, None])).sum(axis=1)
        return float((np.log(sums) + top).sum() - len(at) * np.log(tau * np.sqrt(2 * np.pi)))


@dataclass(frozen=True)
class Likely:
    """What the likelihood says, in log odds (ratios).

    Attributes
    ----------
    k
        Sites that say something.
    estimate, error, low, high
        Average of the sites, its standard error from the curvature of its profile, and its profile
        likelihood interval; infinite ends where the data set no limit. Where the likelihood only
        rises towards such an end (nobody has the event), there is no estimate and no spread: NaN.
    tau, tau_low, tau_high
        Standard deviation between sites, or what the model has in its place.
    predicted_low, predicted_high
        Where the value of a further site lies with 95 %: t distribution of k - 2 degrees of
        freedom, as in `effects.random_effects`; NaN below three sites.
    log_likelihood
        At the top.
    reason
        Empty where everything could be computed.
    """

    k: int
    estimate: float
    error: float
    low: float
    high: float
    tau: float
    tau_low: float
    tau_high: float
    predicted_low: float
    predicted_high: float
    log_likelihood: float
    reason: str = ""


def pool_sites(sites: Sequence[Site], common: bool = False) -> Likely:
    """Average and spread of the true values of `sites` by maximum likelihood.

    Intervals are of the profile likelihood. With few sites that of the average is too narrow, as
    all that take the spread as estimated: `studies/pooling.py` says by how much.

    Parameters
    ----------
    sites
        At least one.
    common
        One true value for all: no spread.

    Raises
    ------
    DataError
        No site.
    """
    if not sites:
        raise DataError("No site says anything of this, so there is nothing to pool.")
    alone = common or len(sites) == 1

    return profiled(_Together(sites).log_likelihood, len(sites), LIMIT, 0.0 if alone else WIDEST)


def profiled(value: Callable[[float, float], float], k: int, limit: float, widest: float) -> Likely:
    """Maximum and profile intervals of a log-likelihood of an average and a spread.

    Parameters
    ----------
    value
        Log-likelihood of the average (-limit to limit) and the spread (0 to widest).
    k
        Sites.
    limit, widest
        Largest average looked for, either side, and largest spread; 0: there is none.
    """

    def best_spread(mean: float) -> tuple[float, float]:
        return _best(lambda tau: value(mean, tau), 0.0, widest)

    def best_mean(tau: float) -> tuple[float, float]:
        return _best(lambda mean: value(mean, tau), -limit, limit)

    mean, tau, top = _summit(value, limit, widest)
    drop = stats.chi2.ppf(_CONFIDENCE, 1) / 2
    ends = _interval(lambda m: best_spread(m)[1] - top + drop, mean, limit, -np.inf, np.inf)
    if any(best_spread(np.sign(end) * limit)[1] > top - _FLAT for end in ends if np.isinf(end)):
        nan = float("nan")
        return Likely(k, nan, nan, *ends, *(nan,) * 5, top, _NOWHERE)
    spread = (0.0, 0.0)
    if widest > 0:
        inside = _interval(lambda t: best_mean(t)[1] - top + drop, tau, widest, 0.0, np.inf, 0.0)
        spread = inside
    error = _error(lambda m: best_spread(m)[1], mean, ends)
    ahead = float("nan")
    reason = "A prediction interval needs three sites; there are fewer." if k < 3 else ""
    if k > 2 and widest > 0:
        ahead = float(stats.t.ppf((1 + _CONFIDENCE) / 2, k - 2) * np.hypot(tau, error))
    return Likely(k, mean, error, *ends, tau, *spread, mean - ahead, mean + ahead, top, reason)


def _summit(value, limit: float, widest: float) -> tuple[float, float, float]:
    """Average, spread and log-likelihood where it is highest."""
    mean, top = _best(lambda m: value(m, 0.0), -limit, limit)
    if widest == 0:
        return mean, 0.0, top
    starts = [(mean, 0.0, top)]
    for start in (0.1, 0.7):

        def loss(x):
            return -value(float(np.clip(x[0], -limit, limit)), min(abs(float(x[1])), widest))

        simplex = np.array([(mean, start), (mean + 0.3, start), (mean, 2 * start)])
        options = {"initial_simplex": simplex, "xatol": 1e-7, "fatol": 1e-10, "maxiter": 400}
        found = optimize.minimize(loss, simplex[0], method="Nelder-Mead", options=options)
        at = float(np.clip(found.x[0], -limit, limit)), min(abs(float(found.x[1])), widest)
        starts.append((*at, -float(found.fun)))
    best = max(starts, key=lambda found: found[2])
    # a spread of next to nothing is none: the same likelihood, and a plain sentence
    return starts[0] if best[2] - top < 1e-8 else best


def _best(value: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """Where a function is highest between two ends, and how high."""
    if high <= low:
        return low, value(low)
    found = optimize.minimize_scalar(
        lambda x: -value(x), bounds=(low, high), method="bounded", options={"xatol": 1e-6}
    )
    ends = [(float(found.x), -float(found.fun)), (low, value(low))]
    return max(ends, key=lambda pair: pair[1])


def _interval(
    excess: Callable[[float], float],
    at: float,
    limit: float,
    below: float,
    above: float,
    least: float | None = None,
) -> tuple[float, float]:
    """Ends of the interval around `at` in which `excess` is above zero."""
    least = -limit if least is None else least
    ends = []
    for end, beyond in ((least, below), (limit, above)):
        step, inside, outside = 0.25, at, at
        while outside != end:
            outside = max(at - step, end) if end < at else min(at + step, end)
            if excess(outside) < 0:
                break
            inside, step = outside, 2 * step
        if outside == at or excess(outside) >= 0:
            ends.append(beyond)
        else:
            ends.append(float(optimize.brentq(excess, inside, outside, xtol=1e-6)))
    return ends[0], ends[1]


def _error(profile: Callable[[float], float], mean: float, ends: tuple[float, float]) -> float:
    """Standard error from the curvature of a profile about its top; NaN where it is flat."""
    width = ends[1] - ends[0]
    step = 0.1 * width if np.isfinite(width) else 0.1
    curve = (profile(mean + step) + profile(mean - step) - 2 * profile(mean)) / step**2
    return float((-curve) ** -0.5) if curve < 0 else float("nan")
