"""The effect of therapy against a waiting list, as the joint posterior that a model draws from."""

import importlib.resources
import math
from dataclasses import dataclass

import numpy as np
import yaml

from iesoresearch.errors import DataError

FILE = "effect.yaml"
_STATUS = ("sourced", "derived", "assumption")


@dataclass(frozen=True)
class Effect:
    """Summary of the joint posterior of mean effect and heterogeneity, in standard deviations.

    Attributes
    ----------
    mean, mean_sd
        Of the pooled effect `mu` (positive: therapy is better than waiting).
    heterogeneity, heterogeneity_sd
        Of `tau`, the standard deviation of true effects between trials.
    correlation
        Between `mu` and the logarithm of `tau`.
    status, source, reason
        As of an `Input`.
    """

    mean: float
    mean_sd: float
    heterogeneity: float
    heterogeneity_sd: float
    correlation: float
    status: str
    source: str
    reason: str

    def draw(self, generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """(n,) draws of mu and tau: mu normal, tau lognormal with the posterior's two moments."""
        z = generator.standard_normal((2, n))
        log_sd = math.sqrt(math.log1p((self.heterogeneity_sd / self.heterogeneity) ** 2))
        log_mean = math.log(self.heterogeneity) - log_sd**2 / 2
        other = self.correlation * z[0] + math.sqrt(1 - self.correlation**2) * z[1]
        return self.mean + self.mean_sd * z[0], np.exp(log_mean + log_sd * other)


def load_effect(text: str | None = None, case: str = "base") -> Effect:
    """Read the summary of the shipped file, or of `text` in the same form.

    Parameters
    ----------
    text
        Content to be read instead of the file.
    case
        "base", which is at the top of the file, or one under its ``cases``: other trials, or what
        remains when small trials are corrected for.

    Raises
    ------
    DataError
        Not YAML, a case or key that is absent, or a number that is impossible.
    """
    if text is None:
        text = importlib.resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    try:
        content = yaml.safe_load(text)
        numbers = content if case == "base" else content["cases"][case]
        about = content["reason"] if case == "base" else f"Case {case}: {numbers['label']}."
        effect = Effect(
            float(numbers["mu"]["mean"]),
            float(numbers["mu"]["sd"]),
            float(numbers["tau"]["mean"]),
            float(numbers["tau"]["sd"]),
            float(numbers["correlation"]),
            str(content["status"]),
            str(content["source"]),
            str(about),
        )
    except (yaml.YAMLError, KeyError, TypeError, ValueError):
        raise DataError(
            f'{FILE} must hold, for the case "{case}", mu and tau, each with mean and sd, and a '
            "correlation; then status, source and reason. Write it again with "
            "studies/effect_of_therapy.py, or name another case."
        ) from None
    positive = effect.mean_sd, effect.heterogeneity, effect.heterogeneity_sd
    possible = math.isfinite(effect.mean) and all(math.isfinite(x) and x > 0 for x in positive)
    if not (possible and abs(effect.correlation) <= 1 and effect.status in _STATUS):
        raise DataError(
            f"{FILE} holds an impossible number: standard deviations and tau must be above zero, "
            f"the correlation between -1 and 1, the status one of {', '.join(_STATUS)}."
        )
    return effect
