"""Closed forms of the value of information where net benefit is normal: what estimates must meet.

Two strategies, the difference of their net benefits normal with mean `mean` and standard deviation
`sd`. Knowledge that moves the expected difference by a normal amount of standard deviation `sd`
(all of it: EVPI; one input: EVPPI; a study: EVSI, see `preposterior_sd`) is worth `normal_evpi`
(the unit normal loss integral: Raiffa & Schlaifer 1961, Applied Statistical Decision Theory).
"""

import math

from scipy.special import ndtr

from iesoresearch.errors import ParameterError


def normal_evpi(mean: float, sd: float) -> float:
    """``sd φ(|mean|/sd) − |mean| Φ(−|mean|/sd)``: worth of learning a N(mean, sd²) difference.

    Raises
    ------
    ParameterError
        A value that is not finite, `sd` below zero.
    """
    mean, sd = _finite(mean=mean, sd=sd)
    if sd == 0:
        return 0.0
    ratio = abs(mean) / sd
    density = math.exp(-(ratio**2) / 2) / math.sqrt(2 * math.pi)
    return sd * density - abs(mean) * float(ndtr(-ratio))


def normal_probability_best(mean: float, sd: float) -> float:
    """``Φ(mean/sd)``: how probable it is that a N(mean, sd²) difference is above zero.

    Without uncertainty (`sd` 0) 1, 0, or one half for no difference.
    """
    mean, sd = _finite(mean=mean, sd=sd)
    if sd == 0:
        return 0.5 + 0.5 * ((mean > 0) - (mean < 0))
    return float(ndtr(mean / sd))


def preposterior_sd(prior_sd: float, data_sd: float, n: float) -> float:
    """Standard deviation of the posterior mean that a study of `n` observations will give.

    The unknown is N(·, prior_sd²), each observation normal around it with `data_sd`.

    Raises
    ------
    ParameterError
        A value that is not finite or below zero.
    """
    prior_sd, data_sd, n = _finite(prior_sd=prior_sd, data_sd=data_sd, n=n)
    if n < 0:
        raise ParameterError(f"n is {n:g}; a study has no fewer than 0 observations.")
    if prior_sd == 0 or n == 0:
        return 0.0
    return prior_sd**2 / math.sqrt(prior_sd**2 + data_sd**2 / n)


def _finite(**values):
    for name, value in values.items():
        if not math.isfinite(value):
            raise ParameterError(f"{name} is {value}; a finite number is wanted.")
        if name.endswith("sd") and value < 0:
            raise ParameterError(f"{name} is {value:g}; a standard deviation is not negative.")
    return tuple(float(value) for value in values.values())
