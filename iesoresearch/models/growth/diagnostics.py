"""Whether the chains of a growth model can be relied on."""

from dataclasses import dataclass

import numpy as np

from iesoresearch.models.growth.estimator import GrowthFit

MAX_R_HAT = 1.01
MIN_ESS = 400
MIN_BFMI = 0.3


@dataclass(frozen=True)
class Diagnostics:
    """Convergence of the parameters of a fit, one element per parameter unless said.

    R-hat is that of ranks, split and folded, and ESS the effective sample size of the bulk and of
    the 5 % and 95 % quantiles, with the thresholds of Vehtari et al. 2021 (doi:10.1214/20-BA1221):
    R-hat below 1.01, ESS above 400. No transition may diverge, and the Bayesian fraction of missing
    information of no chain may be below 0.3 (Betancourt 2017, arXiv:1701.02434, section 6.1). The
    effects of single therapists and patients are not among the parameters: with hundreds of them
    the largest R-hat would exceed any threshold by chance.

    Attributes
    ----------
    names
        Of the parameters.
    r_hat, ess_bulk, ess_tail
        (parameters,)
    divergences
        Number of divergent transitions.
    bfmi
        (chains,)
    """

    names: tuple[str, ...]
    r_hat: np.ndarray
    ess_bulk: np.ndarray
    ess_tail: np.ndarray
    divergences: int
    bfmi: np.ndarray

    def failures(self) -> list[str]:
        """One sentence for each threshold that is not met."""
        found = []
        # NaN, of a chain that did not move, fails as well
        tests = [
            ("R-hat", self.r_hat, "largest", np.max, self.r_hat < MAX_R_HAT, MAX_R_HAT),
            ("ESS of the bulk", self.ess_bulk, "least", np.min, self.ess_bulk > MIN_ESS, MIN_ESS),
            ("ESS of the tails", self.ess_tail, "least", np.min, self.ess_tail > MIN_ESS, MIN_ESS),
        ]
        for name, values, which, pick, good, limit in tests:
            bad = [n for n, ok in zip(self.names, good, strict=True) if not ok]
            if bad:
                found.append(
                    f"{name} of {', '.join(bad)}: {which} {pick(values):.4g}, limit {limit:g}."
                )
        if self.divergences:
            found.append(f"{self.divergences} divergent transitions, limit 0.")
        if not (self.bfmi >= MIN_BFMI).all():
            found.append(
                f"Bayesian fraction of missing information: least {self.bfmi.min():.2g}, limit "
                f"{MIN_BFMI:g}."
            )
        return found

    @property
    def passed(self) -> bool:
        """Whether all thresholds are met."""
        return not self.failures()


def diagnose(fit: GrowthFit) -> Diagnostics:
    """Convergence of a fit, judged with at least two chains."""
    from arviz_stats.base import array_stats

    parameters = fit.parameters()
    values = np.stack(list(parameters.values()))

    def ess(**options):
        return np.array(array_stats.ess(values, chain_axis=1, draw_axis=2, **options))

    return Diagnostics(
        names=tuple(parameters),
        r_hat=np.array(array_stats.rhat(values, chain_axis=1, draw_axis=2)),
        ess_bulk=ess(method="bulk"),
        ess_tail=ess(method="tail", prob=(0.05, 0.95)),
        divergences=fit.divergences,
        bfmi=np.array(array_stats.bfmi(fit.energy, chain_axis=0, draw_axis=1)),
    )
