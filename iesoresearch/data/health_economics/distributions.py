"""Distributions of uncertain inputs: checked when read, drawn by quantile or directly."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from iesoresearch.data.health_economics.moments import (
    Z95,
    beta_shapes,
    gamma_shape_and_scale,
    log_sd,
    most_beta_sd,
)

#: Per kind the sets of parameters it may be given by; the value of the input is the mean, of a
#: lognormal the median.
PARAMETERS = {
    "fixed": (frozenset(),),
    "beta": (
        frozenset({"relative_sd"}),
        frozenset({"sd"}),
        frozenset({"ci"}),
        frozenset({"alpha", "beta"}),
    ),
    "gamma": (frozenset({"relative_sd"}), frozenset({"sd"})),
    "lognormal": (frozenset({"ci"}),),
    "normal": (frozenset({"mean", "sd"}),),
    "uniform": (frozenset({"low", "high"}),),
    "triangular": (frozenset({"low", "mode", "high"}),),
    "dirichlet": (frozenset({"count"}),),
    "joint": (frozenset({"mean", "sd", "correlation"}),),
}
_AGREES = 0.01  # how far the mean of a distribution may lie from the value, relative


@dataclass(frozen=True)
class Distribution:
    """One distribution with all its numbers.

    Attributes
    ----------
    kind
        A key of `PARAMETERS`.
    parameters
        As given: standard deviation (`sd`), that over the value (`relative_sd`), 95 % interval
        (`ci`), or the parameters usual for the kind.
    value
        The input's value: mean of the distribution, of a lognormal the median.
    """

    kind: str
    parameters: Mapping[str, float | list[float]]
    value: float

    @property
    def sd(self) -> float:
        """Standard deviation that was asked for (beta, gamma), or that the parameters give."""
        given = self.parameters
        if "relative_sd" in given:
            return given["relative_sd"] * self.value
        if "sd" in given:
            return given["sd"]
        if "ci" in given:
            low, high = given["ci"]
            return (high - low) / (2 * Z95)
        frozen = self.frozen()
        return float(frozen.std()) if frozen is not None else 0.0

    def problems(self) -> list[str]:
        """What is wrong with the parameters; an empty list means that draws can be made."""
        if self.kind not in PARAMETERS:
            return [f'"{self.kind}" is no distribution known here ({", ".join(PARAMETERS)})']
        if frozenset(self.parameters) not in PARAMETERS[self.kind]:
            sets = " or ".join(" and ".join(sorted(s)) or "nothing" for s in PARAMETERS[self.kind])
            return [f"a {self.kind} distribution is given by {sets}"]
        numbers = np.hstack([np.asarray(v, dtype=float) for v in self.parameters.values()] or [0.0])
        if not np.isfinite(numbers).all():
            return ["a parameter is not a finite number"]
        wrong = _CHECKS.get(self.kind, lambda _: [])(self)
        return wrong or self._off_mean()

    def _off_mean(self) -> list[str]:
        frozen = self.frozen()
        if frozen is None or self.kind == "lognormal":
            return []
        mean = float(frozen.mean())
        if abs(mean - self.value) > _AGREES * max(abs(self.value), 1e-12):
            return [f"its mean {mean:.4g} is not the value {self.value:.4g}"]
        return []

    def frozen(self):
        """The distribution of scipy; None where it is fixed, or drawn with others.

        A beta or gamma distribution has the moments `value` and `sd`.
        """
        given = self.parameters
        if self.kind == "beta" and "alpha" in given:
            return stats.beta(given["alpha"], given["beta"])
        if self.kind == "beta":
            return stats.beta(*beta_shapes(self.value, self.sd))
        if self.kind == "gamma":
            shape, scale = gamma_shape_and_scale(self.value, self.sd)
            return stats.gamma(shape, scale=scale)
        if self.kind == "lognormal":
            return stats.lognorm(log_sd(*given["ci"]), scale=self.value)
        if self.kind in ("normal", "joint"):
            return stats.norm(given["mean"], given["sd"])
        return self._bounded()

    def _bounded(self):
        given = self.parameters
        if self.kind not in ("uniform", "triangular"):
            return None
        low, width = given["low"], given["high"] - given["low"]
        if self.kind == "uniform":
            return stats.uniform(low, width)
        return stats.triang((given["mode"] - low) / width, low, width)

    def draw(self, generator: np.random.Generator, n: int) -> np.ndarray:
        """(n,) independent draws; of a Dirichlet share the gamma variate to be divided by the sum.

        A joint distribution has no draws of its own.
        """
        if self.kind == "fixed":
            return np.full(n, float(self.value))
        if self.kind == "dirichlet":
            return generator.standard_gamma(self.parameters["count"], n)
        return self.frozen().rvs(n, random_state=generator)

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Quantiles at probabilities `u`."""
        if self.kind == "fixed":
            return np.full(np.shape(u), float(self.value))
        return self.frozen().ppf(u)


def _moments(d: Distribution) -> list[str]:
    if "ci" in d.parameters and not d.parameters["ci"][0] < d.value < d.parameters["ci"][1]:
        return ["its 95 % interval does not hold the value"]
    if d.kind == "beta" and "alpha" in d.parameters:
        both = d.parameters["alpha"], d.parameters["beta"]
        return [] if min(both) > 0 else ["alpha and beta must be above zero"]
    if d.value <= 0 or d.sd <= 0:
        return ["its mean and its standard deviation must be above zero"]
    if d.kind == "beta" and d.value >= 1:
        return ["the mean of a beta distribution must lie between 0 and 1"]
    if d.kind == "beta" and d.sd >= most_beta_sd(d.value):
        return [
            f"no beta distribution has mean {d.value:.4g} and standard deviation {d.sd:.4g}; "
            f"with that mean it is below {most_beta_sd(d.value):.4g}"
        ]
    return []


def _ordered(d: Distribution) -> list[str]:
    names = [name for name in ("low", "mode", "high") if name in d.parameters]
    values = [d.parameters[name] for name in names]
    steps = all(a <= b for a, b in itertools.pairwise(values))
    fine = steps and values[0] < values[-1]
    return [] if fine else [f"{', '.join(names)} must be in this order"]


def _log_interval(d: Distribution) -> list[str]:
    low, high = d.parameters["ci"]
    fine = 0 < low < d.value < high
    return [] if fine else ["its 95 % interval must be above zero and hold the value"]


def _spread(d: Distribution) -> list[str]:
    wrong = [] if d.parameters["sd"] > 0 else ["its standard deviation must be above zero"]
    if abs(d.parameters.get("correlation", 0.0)) > 1:
        wrong.append("a correlation lies between -1 and 1")
    return wrong


_CHECKS = {
    "beta": _moments,
    "gamma": _moments,
    "lognormal": _log_interval,
    "uniform": _ordered,
    "triangular": _ordered,
    "normal": _spread,
    "joint": _spread,
    "dirichlet": lambda d: [] if d.parameters["count"] > 0 else ["its count must be above zero"],
}
