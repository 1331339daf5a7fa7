"""The synthesis: what is assumed, and drawing from the posterior."""

import functools
import warnings
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from iesoresearch.errors import DataError, ParameterError
from iesoresearch.models.evidence_synthesis.comparisons import Comparisons
from iesoresearch.models.evidence_synthesis.posterior import Posterior
from iesoresearch.models.growth import arithmetic
from iesoresearch.seeds import derive

SmallStudy = Literal["none", "error", "variance", "size"]


@dataclass(frozen=True)
class Priors:
    """Standard deviations of the priors, on the scale of the effects.

    Attributes
    ----------
    mean
        Of the normal prior, around 0, of the average effect.
    total
        Of the half-normal prior of the spread of true effects over all comparisons. The share of
        its variance that is between trials is uniform, the rest is between the comparisons of a
        trial.
    small_study
        Of the normal prior, around 0, of the difference between a trial with the median predictor
        and one with the predictor 0.
    """

    mean: float = 1.0
    total: float = 1.0
    small_study: float = 1.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (np.isfinite(value) and value > 0):
                raise ParameterError(
                    f"The prior of {name} has the standard deviation {value}: it must be above 0."
                )


@dataclass(frozen=True)
class Synthesis:
    """Three-level random-effects model of comparisons within trials (see the package).

    What is compiled for one fit serves the next with the same priors.

    Attributes
    ----------
    priors
        Of the parameters.
    draws, tune, chains
        Draws per chain after `tune` draws of warm-up, by NUTS.
    target_accept
        Acceptance rate that the step size aims at.
    """

    priors: Priors = field(default_factory=Priors)
    draws: int = 1000
    tune: int = 1000
    chains: int = 4
    target_accept: float = 0.95

    def fit(
        self,
        data: Comparisons,
        *,
        small_study: SmallStudy = "none",
        correlation: float = 0.0,
        seed: int,
        n_jobs: int = 1,
    ) -> Posterior:
        """Draw from the posterior.

        The draws depend on data and seed only, not on `n_jobs` nor on what was fitted before.

        Parameters
        ----------
        data
            The comparisons.
        small_study
            What the expected effect may rise with: nothing, the standard error (as in the test of
            Egger et al. 1997, doi:10.1136/bmj.315.7109.629, and in PET) or its square (PEESE,
            Stanley & Doucouliagos 2014, doi:10.1002/jrsm.1095), or `Comparisons.size`: the standard
            error of a standardised difference grows with the difference, which alone makes a slope
            (Pustejovsky & Rodgers 2019, Research Synthesis Methods 10:57-71). The mean is then the
            limit of an infinitely large trial.
        correlation
            Of the sampling errors of comparisons of the same trial, 0 to below 1: about one half
            where equal groups are compared with the same controls.
        seed
            Of the run.
        n_jobs
            Chains sampled side by side.

        Raises
        ------
        ParameterError
            An option that is not one.
        DataError
            A small-study effect is asked for, and what it goes with is all the same or not known.
        AnalysisError
            PyTensor reorders sums (see `growth.arithmetic`).
        """
        predictor, unit = predicted_by(data, small_study)
        if not 0 <= correlation < 1:
            raise ParameterError(
                f"correlation={correlation}: sampling errors of one trial correlate by 0 to below 1"
            )
        compiled = _compiled(self.priors).with_data(
            **data.padded()._asdict(),
            away=predictor / unit - 1,
            slope=float(small_study != "none"),
            correlation=correlation,
        )
        tree = self._sample(compiled, derive(seed, "synthesis") % 2**31, n_jobs)
        stats = tree["sample_stats"]
        return Posterior(
            data=data,
            draws=_named(tree["posterior"], small_study, unit),
            divergences=int(stats["diverging"].sum()),
            energy=stats["energy"].to_numpy(),
            small_study=small_study,
            correlation=correlation,
        )

    def _sample(self, compiled, seed: int, n_jobs: int):
        import nutpie

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # convergence is for `diagnose` to judge
            return nutpie.sample(
                compiled,
                draws=self.draws,
                tune=self.tune,
                chains=self.chains,
                cores=min(n_jobs, self.chains),
                seed=seed,
                target_accept=self.target_accept,
                save_warmup=False,
                progress_bar=False,
            )


@functools.cache
def _compiled(priors: Priors):
    """The model, compiled for any data."""
    arithmetic.require_order()
    import nutpie  # with pymc: seconds

    from iesoresearch.models.evidence_synthesis import density

    return nutpie.compile_pymc_model(density.build(priors), freeze_model=False)


def _named(drawn, small_study: str, unit: float) -> dict[str, np.ndarray]:
    """Draws by the names of `Posterior`."""
    names = ("middle", "total", "share", "small_study")
    middle, total, share, rise = (drawn[name].to_numpy() for name in names)
    slope = small_study != "none"
    found = {
        "mean": middle - rise if slope else middle,
        "between": total * np.sqrt(share),
        "within": total * np.sqrt(1 - share),
    }
    return found | {"small_study": rise / unit} if slope else found


def predicted_by(data: Comparisons, small_study: SmallStudy) -> tuple[np.ndarray, float]:
    """Predictor of a small-study effect in padded form, and its median.

    Raises
    ------
    ParameterError
        No such predictor.
    DataError
        It is all the same, or not known.
    """
    if small_study not in get_args(SmallStudy):
        raise ParameterError(
            f"small_study={small_study!r} is none of {', '.join(get_args(SmallStudy))}."
        )
    if small_study == "none":
        return np.zeros(data.padded().effect.shape), 1.0
    values = data.size if small_study == "size" else data.error
    if values is None:
        raise DataError(
            "The sizes of the groups are not known, so an effect of small studies cannot go with "
            "them. Give them, or let it go with the standard error."
        )
    if np.ptp(values) == 0:
        raise DataError(
            "All standard errors or sizes are the same, so an effect of small studies cannot be "
            "told from the mean. Fit without it."
        )
    values = values ** (2 if small_study == "variance" else 1)
    return data.spread(values, 0.0), float(np.median(values))
