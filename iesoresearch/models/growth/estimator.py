"""Fitting the growth model."""

from dataclasses import dataclass

import numpy as np

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.growth import arithmetic
from iesoresearch.models.growth.data import GrowthData
from iesoresearch.models.growth.priors import Priors
from iesoresearch.seeds import derive

DROPOUT = ("random", "shared")
MAX_PER_PATIENT = 500  # draws that are used where there is something to compute per patient


@dataclass(frozen=True)
class Estimate:
    """Posterior mean with the limits of its central 95 % interval."""

    x: float
    x_low: float
    x_high: float

    @classmethod
    def of(cls, draws) -> "Estimate":
        """Of draws of one number; NaN where there are none."""
        draws = np.ravel(draws)
        if not draws.size or not np.isfinite(draws).all():
            return cls(np.nan, np.nan, np.nan)
        return cls(float(draws.mean()), *map(float, np.quantile(draws, (0.025, 0.975))))


@dataclass(frozen=True)
class GrowthFit:
    """Draws from the posterior of a growth model.

    Attributes
    ----------
    data, priors
        What was fitted, with which priors.
    dropout
        "random" or "shared".
    draws
        By parameter, (chains, draws, …): `level` and `rate` (of patients with average covariates),
        `level_effect`, `rate_effect` (of the covariates), `patient_level_sd`, `patient_rate_sd`,
        `patient_correlation`, `residual_sd`; where there are therapists and services `therapist_…`
        and `service_level` with `_sd`; where drop-out is shared `hazard`, `hazard_time`,
        `hazard_level`, `hazard_rate` (per standard deviation of patients), `hazard_effect`.
    divergences
        Number of divergent transitions.
    energy
        (chains, draws)
    seed
        Of the fit.
    """

    data: GrowthData
    priors: Priors
    dropout: str
    draws: dict[str, np.ndarray]
    divergences: int
    energy: np.ndarray
    seed: int

    def flat(self, name: str) -> np.ndarray:
        """(chains * draws, …) draws of a parameter; zeros where the model does not have it."""
        found = self.draws.get(name)
        if found is None:
            return np.zeros(self.energy.size)
        return found.reshape(-1, *found.shape[2:])

    def kept(self, name: str) -> np.ndarray:
        """Evenly spaced draws of a parameter, at most `MAX_PER_PATIENT`."""
        return self.flat(name)[kept(self.energy.size)]

    def parameters(self) -> dict[str, np.ndarray]:
        """(chains, draws) of every single parameter, by a name to show, without units' effects."""
        found = {}
        for name, values in self.draws.items():
            if values.ndim == 2:
                found[name] = values
            elif name.endswith("_effect"):
                of = np.array(self.data.names)
                of = of[self.data.on_level] if name == "level_effect" else of
                where = name.removesuffix("_effect")
                found |= {f"{where}: {c}": values[..., i] for i, c in enumerate(of)}
        return found

    def summary(self) -> dict[str, Estimate]:
        """Posterior mean and 95 % interval of every parameter."""
        return {name: Estimate.of(values) for name, values in self.parameters().items()}


def kept(n: int) -> np.ndarray:
    """Indices of at most `MAX_PER_PATIENT` of `n` draws, evenly spaced."""
    return np.linspace(0, n - 1, min(n, MAX_PER_PATIENT)).astype(np.int64)


@dataclass(frozen=True)
class GrowthModel:
    """Hierarchical growth model of repeated scores (see `iesoresearch.models.growth`).

    Attributes
    ----------
    scale
        Lowest and highest score that the scale has: (0, 27) for the PHQ-9, (0, 63) for the BDI.
    priors
        By default ``Priors(*scale)``.
    draws, tune, chains
        Draws per chain after `tune` draws of warm-up, by NUTS.
    target_accept
        Acceptance rate that the step size aims at.
    """

    scale: tuple[float, float]
    priors: Priors | None = None
    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    target_accept: float = 0.9

    def fit(
        self, data: GrowthData, *, dropout: str = "random", seed: int, n_jobs: int = 1
    ) -> GrowthFit:
        """Draw from the posterior.

        The draws depend on data and seed only, not on `n_jobs`, and are the same in every process
        on a machine; other machines may differ in the last digits.

        Parameters
        ----------
        data
            Of the patients.
        dropout
            "random" (missing at random) or "shared" (shared-parameter model).
        seed
            Of the run.
        n_jobs
            Chains sampled side by side.

        Raises
        ------
        ParameterError
            An option that is not one.
        DataError
            Scores outside the scale; for ``dropout="shared"``, drop-out that is not known, or
            happened to nobody or to everybody.
        AnalysisError
            PyTensor reorders sums (see `arithmetic`).
        """
        priors = self.priors or Priors(*self.scale)
        self._check(data, dropout)
        arithmetic.require_order()
        from iesoresearch.models.growth import sampler

        shared = dropout == "shared"
        sampled = sampler.sample(
            data,
            priors,
            shared=shared,
            draws=self.draws,
            tune=self.tune,
            chains=self.chains,
            target_accept=self.target_accept,
            seed=derive(seed, "growth", dropout) % 2**31,
            n_jobs=n_jobs,
        )
        return GrowthFit(
            data, priors, dropout, sampled.draws, sampled.divergences, sampled.energy, seed
        )

    def _check(self, data: GrowthData, dropout: str) -> None:
        if dropout not in DROPOUT:
            raise ParameterError(f'dropout must be "random" or "shared", not "{dropout}".')
        if min(self.draws, self.tune, self.chains) < 1:
            raise ParameterError("draws, tune and chains must be at least 1.")
        low, high = self.scale
        if data.score.min() < low or data.score.max() > high:
            raise DataError(
                f"Some scores are outside the scale, {low:g} to {high:g}: check the scale, or how "
                "missing scores are coded."
            )
        if dropout == "random":
            return
        n, left = data.n_patients, int(data.left.sum())
        if left in (0, n):
            whom = "None" if left == 0 else "All"
            raise DataError(
                f"{whom} of the {n} patients dropped out before the last occasion, so what "
                'drop-out depends on is not estimable: use dropout="random".'
            )
