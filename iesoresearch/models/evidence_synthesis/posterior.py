"""What the draws of a synthesis say."""

from dataclasses import dataclass

import numpy as np

from iesoresearch.models.evidence_synthesis.comparisons import Comparisons
from iesoresearch.models.growth.estimator import Estimate

SCALE = ("mean", "log_between", "log_within")  # of the joint summary
_SPACED = 2000  # draws that are used where there is something to compute for each


@dataclass(frozen=True)
class Joint:
    """Moments of the joint posterior of `SCALE`, for a model that draws from it.

    Attributes
    ----------
    mean, sd
        (3,)
    correlation
        (3, 3)
    """

    mean: np.ndarray
    sd: np.ndarray
    correlation: np.ndarray


@dataclass(frozen=True)
class Posterior:
    """Draws from the posterior of a synthesis.

    Attributes
    ----------
    data
        What was fitted.
    draws
        By parameter, (chains, draws): `mean`, `between`, `within` and, where it was asked for,
        `small_study`, the rise of the effect per unit of the predictor.
    divergences
        Number of divergent transitions.
    energy
        (chains, draws)
    small_study, correlation
        As fitted.
    """

    data: Comparisons
    draws: dict[str, np.ndarray]
    divergences: int
    energy: np.ndarray
    small_study: str = "none"
    correlation: float = 0.0

    def parameters(self) -> dict[str, np.ndarray]:
        """(chains, draws) of every parameter, by its name."""
        return self.draws

    def flat(self, name: str) -> np.ndarray:
        """(chains * draws,) draws of a parameter."""
        return self.draws[name].ravel()

    def spaced(self, name: str) -> np.ndarray:
        """Evenly spaced draws of a parameter, at most 2,000; zeros where it was not fitted."""
        use = np.linspace(0, self.energy.size - 1, min(self.energy.size, _SPACED)).astype(np.int64)
        return self.flat(name)[use] if name in self.draws else np.zeros(len(use))

    def summary(self) -> dict[str, Estimate]:
        """Posterior mean and 95 % interval of every parameter."""
        return {name: Estimate.of(values) for name, values in self.draws.items()}

    @property
    def total(self) -> np.ndarray:
        """(chains * draws,) standard deviation of true effects over all comparisons."""
        return np.hypot(self.flat("between"), self.flat("within"))

    def predictive(self, random: np.random.Generator) -> np.ndarray:
        """(chains * draws,) true effect of one comparison of a new trial, large if small-study."""
        return self.flat("mean") + self.total * random.standard_normal(self.energy.size)

    def joint(self) -> Joint:
        """Moments of mean and logarithms of both standard deviations."""
        logs = [np.log(self.flat(name)) for name in ("between", "within")]
        values = np.stack([self.flat("mean"), *logs])
        return Joint(values.mean(axis=1), values.std(axis=1, ddof=1), np.corrcoef(values))
