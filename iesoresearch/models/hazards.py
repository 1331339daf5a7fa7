"""Hazards between the times at which cumulative shares were given."""

import numpy as np

from iesoresearch.errors import DataError


def interval_hazards(times, cumulative) -> np.ndarray:
    """Constant hazard within each interval that gives the cumulative shares at its ends.

    Parameters
    ----------
    times : (k,)
        Rising, from above 0.
    cumulative : (…, k)
        Shares to whom it has happened by then, not falling, from 0 to below 1.

    Returns
    -------
    (…, k) hazards per unit of time; the first interval begins at 0.

    Raises
    ------
    DataError
        Times that do not rise or shares that cannot be.

    Examples
    --------
    >>> interval_hazards([1, 2], [0.5, 0.75]).round(4).tolist()
    [0.6931, 0.6931]
    """
    times, cumulative = np.asarray(times, float), np.asarray(cumulative, float)
    steps = np.diff(times, prepend=0.0)
    never_falls = np.all(np.diff(cumulative, axis=-1) >= 0)
    shares = never_falls and np.all((cumulative >= 0) & (cumulative < 1))
    if not (np.all(steps > 0) and shares):
        raise DataError(
            "Times must rise from above 0, and cumulative shares must not fall and lie from 0 to "
            "below 1."
        )
    return np.diff(-np.log1p(-cumulative), axis=-1, prepend=0.0) / steps
