"""Functions an expression may call: of arrays, elementwise."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special


@dataclass(frozen=True)
class Function:
    """A function of the format.

    Attributes
    ----------
    of
        What it computes.
    least, most
        Number of arguments.
    """

    of: Callable
    least: int
    most: int


def survival(p):
    """1 - p, the complement of a probability."""
    return 1.0 - np.asarray(p, float)


def _rate_to_probability(rate, time):
    return -np.expm1(-rate * time)


def _probability_to_rate(p, time):
    return -np.log1p(-p) / time


def _rescale(p, times):
    return 1 - survival(p) ** times


def _weibull_hazard(t, shape, scale):
    return (t / scale) ** shape


def _weibull_probability(k, shape, scale):
    """Of the event in the k-th unit of time, given none before it."""
    step = _weibull_hazard(k, shape, scale) - _weibull_hazard(k - 1, shape, scale)
    return -np.expm1(-step)


def _gompertz_hazard(t, shape, rate):
    return rate / shape * np.expm1(shape * t)


def _apply_odds_ratio(p, ratio):
    odds = p / (1 - p) * ratio
    return odds / (1 + odds)


def _least(*values):
    return np.minimum.reduce(np.broadcast_arrays(*values))


def _most(*values):
    return np.maximum.reduce(np.broadcast_arrays(*values))


FUNCTIONS: dict[str, Function] = {
    "exp": Function(np.exp, 1, 1),
    "log": Function(np.log, 1, 1),
    "sqrt": Function(np.sqrt, 1, 1),
    "pow": Function(np.power, 2, 2),
    "abs": Function(np.abs, 1, 1),
    "floor": Function(np.floor, 1, 1),
    "ceil": Function(np.ceil, 1, 1),
    "min": Function(_least, 1, 20),
    "max": Function(_most, 1, 20),
    "logit": Function(special.logit, 1, 1),
    "expit": Function(special.expit, 1, 1),
    "normal_cdf": Function(special.ndtr, 1, 1),
    "normal_pdf": Function(lambda x: np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi), 1, 1),
    "gamma_function": Function(special.gamma, 1, 1),
    "rate_to_probability": Function(_rate_to_probability, 1, 2),
    "probability_to_rate": Function(_probability_to_rate, 1, 2),
    "rescale": Function(_rescale, 1, 2),
    "apply_hazard_ratio": Function(lambda p, ratio: 1 - survival(p) ** ratio, 2, 2),
    "apply_odds_ratio": Function(_apply_odds_ratio, 2, 2),
    "weibull_survival": Function(lambda t, k, s: np.exp(-_weibull_hazard(t, k, s)), 3, 3),
    "weibull_cumulative_hazard": Function(_weibull_hazard, 3, 3),
    "weibull_probability": Function(_weibull_probability, 3, 3),
    "gompertz_cumulative_hazard": Function(_gompertz_hazard, 3, 3),
    "gompertz_survival": Function(lambda t, k, r: np.exp(-_gompertz_hazard(t, k, r)), 3, 3),
    "loglogistic_survival": Function(lambda t, k, s: 1 / (1 + (t / s) ** k), 3, 3),
    "lognormal_survival": Function(lambda t, m, s: special.ndtr((m - np.log(t)) / s), 3, 3),
}
