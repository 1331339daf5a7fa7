"""How many people a mean or a rate gives away: by what sums it can be one at all.

A mean of whole scores is a fraction with the number of people below the line. Shown with more
digits than that number has, only some numbers fit, so the rounding of the count beside it is undone
and small differences between counts come back.
"""

import numpy as np

_SLACK = 1e-9  # floats of a decimal


def fitting(value: float, decimals: int, people: range, scale: float = 1.0) -> list[int]:
    """Numbers of people of whom a mean of whole numbers, rounded like this, can be.

    Parameters
    ----------
    value
        As shown.
    decimals
        It was rounded to.
    people
        Numbers that come into question, such as all that are rounded to the count that is shown.
    scale
        Of the value: 100 for a rate in per cent.
    """
    half = (0.5 * 10.0**-decimals + _SLACK) / scale
    n = np.arange(people.start, people.stop)
    least = np.ceil((value / scale - half) * n - _SLACK)
    fits = least <= np.floor((value / scale + half) * n + _SLACK)
    return n[fits & (n > 0)].tolist()


def decimals_of(values: np.ndarray, most: int = 9) -> int:
    """Decimals that some numbers were rounded to; `most` where they were not."""
    for decimals in range(most):
        if np.allclose(values, np.round(values, decimals), rtol=0, atol=_SLACK):
            return decimals
    return most


def safe_decimals(people: int, scale: float = 1.0) -> int:
    """Decimals of a mean or rate at which every number of people from this on fits.

    A step of the last decimal is then no smaller than the value of one person.
    """
    return int(np.floor(np.log10(people / scale) + _SLACK)) if people > 0 else 0
