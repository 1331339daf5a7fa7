"""What the model would give, before and after the effects were seen."""

from dataclasses import dataclass

import numpy as np

from iesoresearch.models.evidence_synthesis.comparisons import Comparisons
from iesoresearch.models.evidence_synthesis.model import Priors, SmallStudy, predicted_by
from iesoresearch.models.evidence_synthesis.posterior import Posterior
from iesoresearch.models.evidence_synthesis.simulate import draw_effects
from iesoresearch.models.growth.estimator import Estimate
from iesoresearch.seeds import rng

#: What is compared, of effects and standard errors.
STATISTICS = {
    "mean of g": lambda g, se: g.mean(),
    "SD of g": lambda g, se: g.std(ddof=1),
    "largest g": lambda g, se: g.max(),
    "smallest g": lambda g, se: g.min(),
    "correlation of g with its SE": lambda g, se: np.corrcoef(g, se)[0, 1],
}


@dataclass(frozen=True)
class Predicted:
    """A statistic of the effects found, and of effects drawn from the model.

    Attributes
    ----------
    name
        One of `STATISTICS`.
    found
        In the data.
    expected
        Mean and 95 % interval over draws.
    above
        Share of draws above what was found, ties counted half.
    """

    name: str
    found: float
    expected: Estimate
    above: float

    @property
    def inside(self) -> bool:
        """Whether it is in the central 95 % of the draws."""
        return bool(self.expected.x_low <= self.found <= self.expected.x_high)


def posterior_check(fit: Posterior, seed: int) -> tuple[Predicted, ...]:
    """Statistics of effects drawn anew for the same trials and standard errors, and found."""
    predictor, _ = predicted_by(fit.data, fit.small_study)
    z, random = predictor[fit.data.places()], rng(seed, "posterior check")
    names = ("mean", "between", "within", "small_study")
    pairs = zip(*(fit.spaced(name) for name in names), strict=True)
    drawn = [
        draw_effects(
            random, fit.data.error, fit.data.trial, mean=mean + slope * z, between=between,
            within=within, correlation=fit.correlation,
        )
        for mean, between, within, slope in pairs
    ]  # fmt: skip
    return _predicted(fit.data, drawn)


def prior_check(
    data: Comparisons, priors: Priors, seed: int, *, small_study: SmallStudy = "none", n: int = 500
) -> tuple[Predicted, ...]:
    """The same with parameters from the priors, for the trials and standard errors of `data`."""
    predictor, unit = predicted_by(data, small_study)
    z, random = predictor[data.places()] / unit, rng(seed, "prior check")
    drawn = []
    for _ in range(n):
        mean, rise = random.normal(0, (priors.mean, priors.small_study))
        total, share = abs(random.normal(0, priors.total)), random.random()
        between, within = total * np.sqrt(share), total * np.sqrt(1 - share)
        expected = mean + rise * z
        drawn.append(
            draw_effects(
                random, data.error, data.trial, mean=expected, between=between, within=within
            )
        )
    return _predicted(data, drawn)


def _predicted(data: Comparisons, drawn: list[np.ndarray]) -> tuple[Predicted, ...]:
    found = []
    for name, statistic in STATISTICS.items():
        here = statistic(data.effect, data.error)
        there = np.array([statistic(g, data.error) for g in drawn])
        above = np.mean(there > here) + np.mean(there == here) / 2
        found.append(Predicted(name, float(here), Estimate.of(there), float(above)))
    return tuple(found)
