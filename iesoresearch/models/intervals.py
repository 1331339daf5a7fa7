"""Intervals of single proportions."""

import numpy as np
from scipy.stats import norm


def wilson(p, n, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Wilson score interval (1927, doi:10.1080/01621459.1927.10502953).

    Parameters
    ----------
    p
        Observed proportion, 0 to 1.
    n
        Number of people it was observed in.
    level
        Coverage.

    Returns
    -------
    low, high : arrays
    """
    p, n = np.asarray(p, dtype=float), np.asarray(n, dtype=float)
    z = norm.ppf(0.5 + level / 2)
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return np.clip(centre - half, 0.0, 1.0), np.clip(centre + half, 0.0, 1.0)
