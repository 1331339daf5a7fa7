"""How much of the uncertainty of a result each input explains: main-effect indices by regression.

The index of an input x is Var(E[y | x]) ÷ Var(y), Sobol's index of first order; E[y | x] is the
regression that the value of information rests on too (`smoothing`). It concerns a quantity and not
a decision: an input may explain much and be worth nothing to a decision that is clear anyway.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from iesoresearch.models.decision import basis
from iesoresearch.models.decision.checks import numbers
from iesoresearch.models.decision.information import PER_TERM, Estimate, enough, input_columns
from iesoresearch.models.decision.smoothing import smooth


def explained(y, x, label: str = "inputs") -> Estimate:
    """Share of the variance of `y` that knowing `x` would take away, 0 to 1, with its error.

    What is left is divided by its degrees of freedom, so that the share of an input that does
    nothing is zero on average, but for the clipping at 0. The standard error is by linearisation,
    the regression being taken for known.

    Parameters
    ----------
    y : (D,)
        The quantity, such as the cost of a wait.
    x : (D,) or (D, p)
        One input, or those of a group, drawn independently of all others.
    label
        What `x` is called in an error.

    Raises
    ------
    ParameterError
        NaN, lengths that differ, too few draws for the number of inputs.
    """
    quantity = numbers(y, "the quantity", 1)
    columns = input_columns(x, len(quantity), label)
    variance = quantity.var()
    if columns.shape[1] == 0 or variance == 0:
        return Estimate(0.0, 0.0)
    enough(len(quantity), columns.shape[1], label)
    most = min(basis.MOST_TERMS, len(quantity) // PER_TERM)
    fit = smooth(columns, quantity[:, None], np.zeros_like, most)
    n, left = len(quantity), quantity - fit.fitted[:, 0]
    plain = 1 - (left**2).mean() / variance
    share = 1 - (left**2).sum() / max(n - float(fit.freedom[0]), 1) / quantity.var(ddof=1)
    influence = (left**2 - (1 - plain) * (quantity - quantity.mean()) ** 2) / variance
    error = float(influence.std(ddof=1) / np.sqrt(n))
    return Estimate(float(np.clip(share, 0, 1)), error, float(plain - share))


def explained_all(
    y, parameters: Mapping[str, np.ndarray], groups: Mapping[str, Sequence[str]]
) -> dict[str, Estimate]:
    """`explained` of every parameter, and of every group of their names."""
    jobs = {name: np.asarray(x) for name, x in parameters.items()}
    for name, members in groups.items():
        jobs[name] = np.hstack([jobs[m].reshape(len(jobs[m]), -1) for m in members])
    return {name: explained(y, x, name) for name, x in jobs.items()}
