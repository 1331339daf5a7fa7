"""When a reward is counted within a cycle, and how it is discounted: conventions by name.

Point t = 0 … n lies between cycle t and cycle t + 1: t = 0 is the start of the model, t = n its
end. A vector has one entry per point, n + 1 in all.

`start`
    Membership at the start of each cycle: points 0 … n - 1 count once. Also right for what is paid
    at the beginning of a cycle, such as the price of an app.
`end`
    Membership after each transition: points 1 … n count once.
`trapezoid`
    Half at both ends, known as half-cycle correction.
`life_table`
    The mean of the membership before and after each cycle. On undiscounted rewards that do not
    change with time this is the trapezoid; `Reward(weights="life_table")` also takes value and
    discount factor by cycle, as the name wants it.
`simpson`
    The composite Simpson rule, 1/3 (1 4 2 4 … 2 4 1), for an even number of cycles.
`darth_simpson`
    What the code of two tutorials calls Simpson's 1/3 rule (Alarid-Escudero and others 2023,
    doi:10.1177/0272989X221103163): 1/3 at both ends, 2/3 and 4/3 in turns between, beginning with
    2/3 where Simpson has 4/3, and for any number of cycles; the weights do not sum to that number
    (74.67 for 75).
"""

import math

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.markov_cohort.units import YEAR, Duration, same_unit

CONVENTIONS = ("start", "end", "trapezoid", "life_table", "simpson", "darth_simpson")
EXPONENTS = ("t", "t-1", "t-0.5", "whole years")


def weights(convention: str, n_cycles: int) -> np.ndarray:
    """How often the membership at each point counts.

    Parameters
    ----------
    convention
        One of `CONVENTIONS`.
    n_cycles
        At least 1.

    Returns
    -------
    (n_cycles + 1,) array
        Sums to `n_cycles`, that of "darth_simpson" only roughly.

    Raises
    ------
    ParameterError
        An unknown convention, no cycle, or "simpson" with an odd number of cycles.
    """
    check_cycles(n_cycles)
    if convention not in CONVENTIONS:
        raise ParameterError(
            f'No counting convention is called "{convention}": choose from '
            f"{', '.join(CONVENTIONS)}."
        )
    found = np.ones(n_cycles + 1)
    if convention == "start":
        found[-1] = 0.0
    elif convention == "end":
        found[0] = 0.0
    elif convention in ("trapezoid", "life_table"):
        found[[0, -1]] = 0.5
    else:
        if convention == "simpson" and n_cycles % 2:
            raise ParameterError(
                f"Simpson's rule needs an even number of cycles, and there are {n_cycles}: count "
                'by "trapezoid", or change the horizon by a cycle.'
            )
        found[1::2], found[2::2] = 4 / 3, 2 / 3
        if convention == "darth_simpson":
            found[1::2], found[2::2] = 2 / 3, 4 / 3
        found[[0, -1]] = 1 / 3
    return found


def discount(
    rate: float,
    n_cycles: int,
    cycle: Duration,
    exponent: str = "t",
    rate_per: Duration = YEAR,
) -> np.ndarray:
    """Discount factor at each point: (1 + rate) to minus the time, in units of `rate_per`.

    Parameters
    ----------
    rate
        As a fraction per `rate_per`: 0.035 for 3.5 %.
    n_cycles, cycle
        Number and length of the cycles.
    exponent
        "t": point t lies t cycles away. "t-1": one cycle less, so that the first cycle counted at
        its end is not discounted. "t-0.5": half a cycle less. None is below 0. "whole years":
        completed units of `rate_per` at t.
    rate_per
        Usually a year; `cycle` for a rate per cycle.

    Returns
    -------
    (n_cycles + 1,) array

    Raises
    ------
    ParameterError
        A rate that is no fraction, an unknown exponent, or a unit that is not said.
    """
    check_cycles(n_cycles)
    same_unit("the cycle", cycle, cycle)
    same_unit("the discount rate", rate_per, rate_per)
    if not (math.isfinite(rate) and 0 <= rate < 1):
        raise ParameterError(
            f"A discount rate is a fraction per {rate_per} in 0 … 1, below 1; found {rate:g}. "
            "Write 3.5 % as 0.035."
        )
    if exponent not in EXPONENTS:
        raise ParameterError(
            f'No discount exponent is called "{exponent}": choose from {", ".join(EXPONENTS)}.'
        )
    t = np.arange(n_cycles + 1, dtype=float)
    t -= {"t-1": 1.0, "t-0.5": 0.5}.get(exponent, 0.0)
    time = np.maximum(t, 0.0) * cycle.over(rate_per)
    if exponent == "whole years":
        time = np.floor(time + 1e-9)  # 12 × (1 / 12) is a whole year
    return (1 + rate) ** -time


def check_cycles(n_cycles) -> None:
    """Refuse a number of cycles that is no positive whole number."""
    if isinstance(n_cycles, bool) or not isinstance(n_cycles, int | np.integer) or n_cycles < 1:
        raise ParameterError(f"The number of cycles must be 1 or more; found {n_cycles!r}.")
