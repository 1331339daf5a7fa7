"""Fitting both models: priors, coordinates, and drawing with nutpie."""

import functools
import warnings
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.linalg import cholesky, solve, solve_triangular

from iesoresearch.errors import ParameterError
from iesoresearch.models.growth import arithmetic
from iesoresearch.models.maihda import kernel
from iesoresearch.models.maihda.posterior import Drawn, Maihda
from iesoresearch.models.maihda.strata import Strata
from iesoresearch.seeds import derive

# Processors differ in the last digits of sums and logarithms, and draws depend on every digit
_DECIMALS = 9
_STRATA, _COEFFICIENTS = 64, 8  # sizes are rounded up to multiples, so that few are compiled
_ABSENT = 1e12  # variance of the logit where nobody was counted


@dataclass(frozen=True)
class Priors:
    """Standard deviations of the priors, on the scale of logits.

    Attributes
    ----------
    intercept
        Of the normal prior around 0 of the logit of the average stratum: at 2.5, 95 % of it is
        between 0.7 % and 99.3 %.
    effect
        Of the normal prior around 0 of every orthonormal contrast of a main effect: two levels
        differ by 0 ± 1.4 at 1, so odds ratios of 1/16 to 16 hold 95 %.
    spread
        Scale of the half-normal prior of the standard deviation of strata: at 0.5, 95 % of it is
        below 1, where the odds of one stratum in twenty are more than seven times or less than
        a seventh of the average. No outcome of talking therapies differs more between groups.
    """

    intercept: float = 2.5
    effect: float = 1.0
    spread: float = 0.5

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (np.isfinite(value) and value > 0):
                raise ParameterError(
                    f"The prior of {name} has the standard deviation {value}: it must be above 0."
                )


def fit(
    events,
    n,
    strata: pl.DataFrame,
    *,
    priors: Priors | None = None,
    draws: int = 1000,
    tune: int = 400,
    chains: int = 4,
    random_state: int = 0,
    n_jobs: int = 1,
) -> Maihda:
    """Fit the null model and the main-effects model (see the package).

    The draws depend on data and `random_state` only, not on `n_jobs` nor on what was fitted
    before. What is compiled for one fit serves others of about the same size.

    Patients of a stratum are taken to be independent: services are not in the models. In
    `studies/maihda.py` results of 40 services differ by a standard deviation of 0.2 (logits) and
    groups are spread unevenly over them. Of 12,000 patients, intervals of rates should then be 1.2
    times as wide as they are (they hold 89 %), and interactions are claimed no oftener than by
    chance; of 100,000 patients, 1.8 times (72 %), and in 6 of 10 data sets that have no
    interaction one is claimed. With many patients, an interaction may be one of services.

    Parameters
    ----------
    events, n : (strata,)
        People with the outcome, and all people, by stratum.
    strata
        One row per stratum, one column per dimension.
    priors
        By default `Priors()`.
    draws, tune, chains
        Draws per chain after `tune` draws of warm-up, by NUTS; at least two chains.
    random_state
        Seed.
    n_jobs
        Chains sampled side by side.

    Raises
    ------
    ParameterError
        Columns of different lengths, fewer than two dimensions, too few draws or chains.
    DataError
        Strata that cannot be analysed (see `Strata.of`).
    AnalysisError
        PyTensor reorders sums (see `growth.arithmetic`).
    """
    if draws < 100 or tune < 100 or chains < 2:
        raise ParameterError(
            f"draws={draws}, tune={tune}, chains={chains}: at least 100, 100 and 2 are needed to "
            "judge whether chains agree."
        )
    data, priors = Strata.of(events, n, strata), priors or Priors()
    size = [_up(len(data.n), _STRATA), _up(data.design.shape[1], _COEFFICIENTS)]
    compiled = _compiled(*size, priors.spread)
    options = {"draws": draws, "tune": tune, "chains": chains, "cores": min(n_jobs, chains)}
    found = {}
    for name, columns in (("null", 1), ("main", data.design.shape[1])):
        laid = _Laid.of(data, columns, priors)
        tree = _sample(
            compiled.with_data(data=laid.padded(*size)),
            seed=derive(random_state, "maihda", name) % 2**31,
            **options,
        )
        found[name] = laid.drawn(tree)
    return Maihda(data, **found)


def _up(n: int, step: int) -> int:
    return -(-n // step) * step


@functools.cache
def _compiled(strata: int, coefficients: int, scale: float):
    """The model, compiled for any data of a size."""
    arithmetic.require_order()
    import nutpie  # with pymc: seconds

    from iesoresearch.models.maihda import density

    return nutpie.compile_pymc_model(density.build(strata, coefficients, scale), freeze_model=False)


def _sample(compiled, **options):
    import nutpie

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # convergence is for `diagnose` to judge
        return nutpie.sample(compiled, save_warmup=False, progress_bar=False, **options)


@dataclass(frozen=True)
class _Laid:
    """Data of one of the models in its coordinates: coefficients are `centre` + `root` @ free."""

    names: tuple[str, ...]
    counts: np.ndarray
    design: np.ndarray
    sd: np.ndarray
    centre: np.ndarray
    root: np.ndarray

    @classmethod
    def of(cls, data: Strata, columns: int, priors: Priors) -> "_Laid":
        """Whiten by weighted least squares of empirical logits (only coordinates, see `kernel`)."""
        rest = data.n - data.events
        logit = np.log((data.events + 0.5) / (rest + 0.5))
        variance = np.where(data.n > 0, 1 / (data.events + 0.5) + 1 / (rest + 0.5), _ABSENT)
        design = data.design[:, :columns]
        sd = np.full(columns, priors.effect)
        sd[0] = priors.intercept

        def least_squares(spread2: float):
            weight = 1 / (variance + spread2)
            information = (design.T * weight) @ design + np.diag(1 / sd**2)
            return weight, information, solve(information, design.T @ (weight * logit))

        weight, _, beta = least_squares(0.0)
        # moments (DerSimonian & Laird 1986, Controlled Clinical Trials 7:177-188)
        excess = weight @ (logit - design @ beta) ** 2 - (len(weight) - columns)
        spread2 = max(excess / (weight.sum() - weight @ weight / weight.sum()), 1e-3)
        _, information, centre = least_squares(spread2)
        lower = cholesky(information, lower=True)
        root = solve_triangular(lower, np.eye(columns), lower=True).T
        counts = np.stack([data.events, data.n, logit, variance])
        laid = (np.round(x, _DECIMALS) for x in (centre, root))
        return cls(data.names[:columns], counts, design, sd, *laid)

    def padded(self, strata: int, coefficients: int) -> np.ndarray:
        """Data of the kernel; what is added is standard normal and moves nothing."""
        s, k = self.design.shape
        counts = np.zeros((4, strata))
        counts[3] = _ABSENT
        counts[:, :s] = self.counts
        offset, slopes = np.zeros(strata), np.zeros((coefficients, strata))
        offset[:s], slopes[:k, :s] = self.design @ self.centre, (self.design @ self.root).T
        prior, at = np.eye(coefficients), np.zeros(coefficients)
        prior[:k, :k], at[:k] = self.root / self.sd[:, None], self.centre / self.sd
        return np.round(kernel.pack(counts, offset, slopes, prior, at), _DECIMALS)

    def drawn(self, tree) -> Drawn:
        """Draws of logits and parameters from those of `free` and `spread`."""
        free, spread = (tree["posterior"][name].to_numpy() for name in ("free", "spread"))
        (s, k), stats = self.design.shape, tree["sample_stats"]
        first = free.shape[-1] - _up(s, _STRATA)  # of z
        beta = self.centre + free[..., :k] @ self.root.T
        fixed = beta @ self.design.T
        _, _, logit, variance = self.counts
        total = spread[..., None] ** 2 + variance
        apart = spread[..., None] * (logit - fixed) / total
        apart += np.sqrt(variance / total) * free[..., first : first + s]
        return Drawn(
            names=self.names,
            coefficients=beta,
            spread=spread,
            fixed=fixed,
            logit=fixed + spread[..., None] * apart,
            divergences=int(stats["diverging"].sum()),
            energy=stats["energy"].to_numpy(),
        )
