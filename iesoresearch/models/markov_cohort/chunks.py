"""Many draws, a chunk at a time."""

from collections.abc import Callable

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.markov_cohort.model import CohortModel


def evaluate_in_chunks(
    make_model: Callable[[slice], CohortModel],
    n_draws: int,
    chunk: int = 1024,
    *,
    discounted: bool = True,
) -> dict[str, np.ndarray]:
    """Totals of many draws with the memory of a few.

    Parameters
    ----------
    make_model
        Gives the model of the draws in a slice. What it gives for a draw must not depend on the
        slice: draw parameters once, and slice them.
    n_draws
        How many in all.
    chunk
        Draws at a time. The result is the same to the bit whatever it is.
    discounted
        As in `CohortModel.totals`.

    Returns
    -------
    dict of (n_draws, K) arrays

    Raises
    ------
    ParameterError
        A chunk below 1, no draws, a model with another number of draws than its slice, or what
        `CohortModel.validate` says (its draws are then counted from the first of the chunk, which
        the message names).
    """
    if chunk < 1 or n_draws < 1:
        raise ParameterError(
            f"There must be at least 1 draw in all and per chunk; there are {n_draws} and {chunk}."
        )
    found: dict[str, np.ndarray] = {}
    for first in range(0, n_draws, chunk):
        rows = slice(first, min(first + chunk, n_draws))
        model = make_model(rows)
        if model.n_draws not in (1, rows.stop - first):
            raise ParameterError(
                f"The model of draws {first} to {rows.stop - 1} has {model.n_draws} draws instead "
                f"of {rows.stop - first}: slice every drawn parameter."
            )
        try:
            totals = model.totals(discounted=discounted)
        except ParameterError as error:
            raise ParameterError(f"In the chunk that begins with draw {first}: {error}") from None
        for name, total in totals.items():
            into = found.setdefault(name, np.empty((n_draws, total.shape[1])))
            into[rows] = total
    return found
