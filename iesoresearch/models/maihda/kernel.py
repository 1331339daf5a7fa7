r"""Log-posterior of the model and its derivatives, in coordinates in which it is nearly normal.

The logit of stratum :math:`j` is :math:`\theta_j = \mu_j + \tau r_j`. Its counts alone say
:math:`\theta_j \approx y_j` with variance :math:`v_j` (empirical logit), so what is drawn is the
distance from where counts and spread together would put it:

.. math::

    r_j = \frac{\tau (y_j - \mu_j)}{\tau^2 + v_j} + \sqrt{\frac{v_j}{\tau^2 + v_j}}\; z_j

Where a stratum has few people, or the spread is small, that is the non-centred parametrisation;
where it has many, the centred one (Papaspiliopoulos, Roberts & Sköld 2007, Statistical Science
22:59-73). Either way :math:`z_j` is about standard normal and goes with nothing else. The
approximation only moves coordinates: the posterior is that of the exact binomial likelihood.
"""

import math

import numba
import numpy as np


def pack(counts, offset, slopes, prior, at) -> np.ndarray:
    """One matrix of all data: each array that PyTensor is given takes seconds to compile.

    Parameters
    ----------
    counts : (4, strata)
        Events, people, empirical logit and its variance.
    offset, slopes : (strata,), (coefficients, strata)
        Expected logit where the whitened coefficients are 0, and its derivatives by them.
    prior, at : (coefficients, coefficients), (coefficients,)
        Coefficients in standard deviations of their priors: derivatives by the whitened ones, and
        where those are 0.
    """
    k, strata = slopes.shape
    data = np.zeros((6 + 2 * k, strata))
    data[:4], data[4], data[5 : 5 + k] = counts, offset, slopes
    data[5 + k : 5 + 2 * k, :k], data[-1, :k] = prior, at
    return data


@numba.njit(error_model="numpy")  # no cache: what PyTensor compiles keeps it
def log_posterior(free, spread, data):
    """Log-posterior without constants and the prior of `spread`, and its derivatives.

    Parameters
    ----------
    free : (coefficients + strata,)
        Coefficients, whitened; then z.
    spread : ()
        Standard deviation of strata.
    data : (6 + 2 coefficients, strata)
        As of `pack`.

    Returns
    -------
    tuple
        Value, and derivatives by `free` and `spread`.
    """
    k = (len(data) - 6) // 2
    slopes, prior, at = data[5 : 5 + k], data[5 + k : 5 + 2 * k], data[5 + 2 * k]
    value, by_spread, by_free = 0.0, 0.0, np.zeros_like(free)
    mu = data[4].copy()
    for c in range(k):
        for j in range(len(mu)):
            mu[j] += slopes[c, j] * free[c]
    for j in range(len(mu)):
        events, people, v, away = data[0, j], data[1, j], data[3, j], data[2, j] - mu[j]
        total = spread * spread + v
        root = math.sqrt(v / total)
        z = free[k + j]
        r = spread * away / total + root * z
        theta = mu[j] + spread * r
        e = math.exp(-abs(theta))
        value += events * theta - people * (max(theta, 0.0) + math.log1p(e))
        value += math.log(root) - 0.5 * r * r
        by_theta = events - people * (1 if theta > 0 else e) / (1 + e)
        by_r = by_theta * spread - r
        by_free[k + j] = by_r * root
        turned = away * (v - spread * spread) / (total * total) - z * root * spread / total
        by_spread += by_theta * r + by_r * turned - spread / total
        mu[j] = by_theta - by_r * spread / total  # from here on: the derivative by it
    for c in range(k):
        for j in range(len(mu)):
            by_free[c] += slopes[c, j] * mu[j]
        q = at[c]
        for d in range(k):
            q += prior[c, d] * free[d]
        value -= 0.5 * q * q
        for d in range(k):
            by_free[d] -= prior[c, d] * q
    return value, by_free, by_spread
