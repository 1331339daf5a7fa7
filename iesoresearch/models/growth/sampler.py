"""Drawing from the posterior with nutpie, silently and the same every time."""

import warnings
from typing import NamedTuple

import numpy as np
import pymc as pm

from iesoresearch.models.growth import density
from iesoresearch.models.growth.data import GrowthData
from iesoresearch.models.growth.layout import Layout
from iesoresearch.models.growth.priors import Priors


class Sampled(NamedTuple):
    """Draws by parameter (chains, draws, …), divergences and energies (chains, draws)."""

    draws: dict[str, np.ndarray]
    divergences: int
    energy: np.ndarray


def sample(
    data: GrowthData,
    priors: Priors,
    *,
    shared: bool,
    draws: int,
    tune: int,
    chains: int,
    target_accept: float,
    seed: int,
    n_jobs: int,
) -> Sampled:
    """Sample the model of `data`; `seed` in 0 … 2**31 - 1.

    Convergence is for `diagnose` to judge, so the warnings of the sampler are not shown.
    """
    model = density.build(data, priors, shared=shared)
    with model, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = pm.sample(
            draws=draws,
            tune=tune,
            chains=chains,
            cores=min(n_jobs, chains),
            random_seed=seed,
            target_accept=target_accept,
            nuts_sampler="nutpie",
            progressbar=False,
            quiet=True,
            compute_convergence_checks=False,
        )
    posterior, stats = tree["posterior"], tree["sample_stats"]
    vectors = [posterior[name].to_numpy() for name in ("normal", "half_normal")]
    found = Layout.of(data, priors, shared=shared).by_name(
        *vectors, posterior["half_correlation"].to_numpy()[..., 0]
    )
    return Sampled(found, int(stats["diverging"].sum()), stats["energy"].to_numpy())
