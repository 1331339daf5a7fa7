"""Prior and posterior predictive checks of a growth model, as numbers."""

import math
from dataclasses import dataclass, replace

import numba
import numpy as np

from iesoresearch.models.growth import kernel, layout
from iesoresearch.models.growth.data import GrowthData
from iesoresearch.models.growth.estimator import GrowthFit
from iesoresearch.models.growth.priors import Priors
from iesoresearch.seeds import rng

PRIOR_DRAWS = 400
SHARED = ("patient_level_sd", "patient_rate_sd", "patient_correlation", "residual_sd")
GRID, REACH = 100, 6.0  # of standard normal numbers, in cells and standard deviations
MIN_INSIDE = 0.5  # share of prior-predictive scores inside the scale


@dataclass(frozen=True)
class PriorCheck:
    """What the priors let expect of scores before any was seen.

    Attributes
    ----------
    inside
        Share of scores within the scale: if far below one half, the priors are too wide to be
        sensible. Never 1 where scores are normal and priors weak.
    mean, mean_low, mean_high
        Over draws, of the mean score: average and central 95 %.
    sd, sd_low, sd_high
        Likewise of the standard deviation of scores.
    observed_mean, observed_sd
        Of the scores.
    """

    inside: float
    mean: float
    mean_low: float
    mean_high: float
    sd: float
    sd_low: float
    sd_high: float
    observed_mean: float
    observed_sd: float

    @property
    def passed(self) -> bool:
        """At least half of the scores inside the scale; observed mean and SD nothing unusual."""
        mean = self.mean_low <= self.observed_mean <= self.mean_high
        sd = self.sd_low <= self.observed_sd <= self.sd_high
        return self.inside >= MIN_INSIDE and mean and sd


def prior_check(data: GrowthData, priors: Priors, *, seed: int) -> PriorCheck:
    """Draw scores at the occasions and covariates of `data` from the priors."""
    where = layout.Layout.of(data, priors, shared=False)
    # effects of units are to be drawn here, not sampled: z is the effect over its spread
    where = replace(where, spread=dict.fromkeys(where.spread, np.inf))
    random = rng(seed, "growth", "prior")
    n, rows = PRIOR_DRAWS, len(data.score)
    draws = where.by_name(
        where.mean + where.sd * random.normal(size=(n, len(where.mean))),
        np.abs(random.normal(size=(n, len(where.half_normal))))
        * np.array(list(where.half_normal.values())),
        random.beta(priors.correlation, priors.correlation, size=n),
    )
    sums = np.zeros((data.n_patients, 6))  # nothing was seen
    level, rate = _lines(data, draws, sums, random)
    noise = draws["residual_sd"][:, None] * random.normal(size=(n, rows))
    scores = _rows(data, level, rate) + noise
    means, sds = scores.mean(axis=1), scores.std(axis=1)
    return PriorCheck(
        float(((scores >= priors.low) & (scores <= priors.high)).mean()),
        *_summary(means),
        *_summary(sds),
        float(data.score.mean()),
        float(data.score.std()),
    )


def _summary(values: np.ndarray) -> tuple[float, float, float]:
    return float(values.mean()), *map(float, np.quantile(values, (0.025, 0.975)))


@dataclass(frozen=True)
class Replicated:
    """A statistic at each occasion: observed, and in replicated data (average, central 95 %)."""

    observed: np.ndarray
    x: np.ndarray
    x_low: np.ndarray
    x_high: np.ndarray

    @property
    def inside(self) -> np.ndarray:
        """(occasions,) whether the observed value lies in the interval."""
        return (self.x_low <= self.observed) & (self.observed <= self.x_high)


@dataclass(frozen=True)
class PosteriorCheck:
    """Scores beside those that the fitted model would give to the same patients.

    Attributes
    ----------
    occasions, n
        (occasions,) times, and number of scores.
    mean, sd, caseness
        Mean, standard deviation and share at caseness, by occasion; `caseness` is None where no
        threshold was given.
    outside
        Share of replicated scores outside the scale, before they are moved to its ends.
    """

    occasions: np.ndarray
    n: np.ndarray
    mean: Replicated
    sd: Replicated
    caseness: Replicated | None
    outside: float


def posterior_check(fit: GrowthFit, *, caseness: float | None = None) -> PosteriorCheck:
    """Replicate the scores that were seen, with the effects of their own patients.

    Replicated scores are recorded as scores are: moved to the ends of the scale where outside, and
    rounded where all scores are whole numbers.

    Parameters
    ----------
    caseness
        Score from which on a patient is at caseness, such as 10 of the PHQ-9.
    """
    data, priors = fit.data, fit.priors
    random = rng(fit.seed, "growth", "replicates", fit.dropout)
    draws = {name: fit.kept(name) for name in fit.draws}
    n = len(draws["level"])
    sums = kernel.moments(data.patient, data.growth(data.time), data.score, data.n_patients)
    level, rate = _lines(data, draws, sums, random)
    noise = draws["residual_sd"][:, None] * random.normal(size=(n, len(data.score)))
    scores = _rows(data, level, rate) + noise
    outside = float(((scores < priors.low) | (scores > priors.high)).mean())
    if (data.score == np.rint(data.score)).all():
        scores = np.rint(scores)
    scores = np.clip(scores, priors.low, priors.high)
    return PosteriorCheck(
        data.occasions,
        np.bincount(data.occasion, minlength=len(data.occasions)),
        _replicated(data, scores, lambda y: y.mean(axis=-1)),
        _replicated(data, scores, lambda y: y.std(axis=-1)),
        None
        if caseness is None
        else _replicated(data, scores, lambda y: (y >= caseness).mean(axis=-1)),
        outside,
    )


def _replicated(data: GrowthData, scores: np.ndarray, statistic) -> Replicated:
    columns = np.full((4, len(data.occasions)), np.nan)
    for j in np.unique(data.occasion):
        here = data.occasion == j
        columns[:, j] = statistic(data.score[here]), *_summary(statistic(scores[:, here]))
    return Replicated(*columns)


def _rows(data: GrowthData, level: np.ndarray, rate: np.ndarray) -> np.ndarray:
    """(draws, rows) expected scores of patients with `level` and `rate` (draws, patients)."""
    return level[:, data.patient] + rate[:, data.patient] * data.growth(data.time)


def _lines(data: GrowthData, draws: dict[str, np.ndarray], sums, random):
    """(draws, patients) level and rate of patients, given the scores behind `sums`.

    Where the draws have a hazard of leaving, given also when they left.
    """
    shared = "hazard" in draws
    given = layout.given(data, shared=shared)
    columns = {
        "level": ("level_effect", "therapist_level", "service_level"),
        "rate": ("rate_effect", "therapist_rate"),
    }
    effects = [
        np.hstack([draws[kind][:, None], *(draws[name] for name in names if name in draws)])
        for kind, names in columns.items()
    ]
    n = len(draws["level"])
    effects.append(draws.get("hazard_effect", np.zeros((n, given["x_hazard"].shape[1]))))
    p = np.column_stack([draws[name] for name in SHARED + layout.HAZARD * shared])
    names = ("x_level", "units_level", "x_rate", "units_rate", "x_hazard", "units_hazard")
    designs = tuple(given[name] for name in names)
    across = random.normal(size=(n, data.n_patients))
    along = random.random(size=(n, data.n_patients))
    return _patient_lines(
        sums, designs, *effects, p, given["courses"], given["times"], along, across
    )


@numba.njit(error_model="numpy")  # no cache: it would not notice another kernel
def _patient_lines(sums, designs, on_level, on_rate, on_hazard, p, courses, times, along, across):
    """As `_lines`; `along` are uniform, `across` standard normal (draws, patients)."""
    x_level, i_level, x_rate, i_rate, x_hazard, i_hazard = designs
    levels, rates = np.empty(across.shape), np.empty(across.shape)
    for d in range(len(p)):
        level = kernel.predictor(x_level, i_level, on_level[d])
        rate = kernel.predictor(x_rate, i_rate, on_rate[d])
        own = kernel.predictor(x_hazard, i_hazard, on_hazard[d])
        shared = p.shape[1] > kernel.HAZARD
        odds = np.exp(p[d, kernel.HAZARD] + p[d, kernel.H_TIME] * times) if shared else times
        rho = p[d, kernel.CORRELATION]
        for i in range(len(sums)):
            found = kernel.conditional(sums[i], level[i], rate[i], p[d])
            on0, on1 = kernel.slopes(found, p[d]) if shared else (1.0, 0.0)
            spread = max(math.hypot(on0, on1), 1e-12)
            middle = own[i] + on0 * found[4] + on1 * found[5]
            stays, leaves = (courses[i, 0], courses[i, 1]) if shared else (0, 0)
            z = _given_leaving(stays, leaves, times, odds, middle, spread, along[d, i])
            z0 = (on0 * z - on1 * across[d, i]) / spread
            z1 = (on1 * z + on0 * across[d, i]) / spread
            first, second = kernel.standard_effects(found, z0, z1, rho)
            levels[d, i] = level[i] + p[d, kernel.SD_LEVEL] * first
            rates[d, i] = rate[i] + p[d, kernel.SD_RATE] * second
    return levels, rates


@numba.njit(error_model="numpy")  # no cache: it would not notice another kernel
def _given_leaving(stays, leaves, times, odds, middle, spread, share):
    """Quantile `share` of a standard normal z given when a patient left, on a grid.

    The logit of leaving is `middle` + `spread` z.
    """
    weight = np.empty(GRID)
    width = 2 * REACH / GRID
    for k in range(GRID):
        z = (k + 0.5) * width - REACH
        value = kernel.leaving(stays, leaves, times, odds, middle + spread * z)[0]
        weight[k] = value * math.exp(-0.5 * z * z)
    left = share * weight.sum()
    k = 0
    while k < GRID - 1 and left > weight[k]:
        left -= weight[k]
        k += 1
    return (k + left / weight[k]) * width - REACH
