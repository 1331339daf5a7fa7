"""Parameters of distributions from what papers print: mean and standard deviation, an interval."""

import math

from scipy import special

#: Standard normal distance from the median to a 95 % limit.
Z95 = float(special.ndtri(0.975))


def beta_shapes(mean: float, sd: float) -> tuple[float, float]:
    """Both shapes of the beta distribution with these moments; `sd` is below `most_beta_sd`."""
    total = mean * (1 - mean) / sd**2 - 1
    return mean * total, (1 - mean) * total


def most_beta_sd(mean: float) -> float:
    """The standard deviation that no beta distribution with this mean reaches."""
    return math.sqrt(mean * (1 - mean))


def gamma_shape_and_scale(mean: float, sd: float) -> tuple[float, float]:
    """Shape and scale of the gamma distribution with these moments."""
    return (mean / sd) ** 2, sd**2 / mean


def log_sd(low: float, high: float) -> float:
    """Standard deviation of the logarithm, from the 95 % interval of a lognormal distribution."""
    return math.log(high / low) / (2 * Z95)
